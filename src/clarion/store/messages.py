"""Messages: what became of each message to each device. A final outcome is written once."""

from collections.abc import Iterable, Sequence

from sqlalchemy.engine import Connection

from clarion.model.result import Result
from clarion.store import devices
from clarion.store.dialect import listed, run, run_many, sql, storable


def record(connection: Connection, results: Sequence[Result]) -> None:
    """Write outcomes, and retire the devices that a provider called dead."""
    run_many(connection, _RECORD, [_row(result) for result in results])
    died = [result for result in results if result.token_died]
    if died:
        devices.retire(
            connection,
            [
                (item.send.device_id, item.verdict.died_at or item.at, item.verdict.code, item.at)
                for item in died
            ],
        )


def settled(connection: Connection, environment_id: str, message_ids: Iterable[str]) -> set[str]:
    """Those of the messages that have their final outcome."""
    return set(run(connection, _SETTLED, listed(message_ids), environment_id).scalars())


def _row(result: Result) -> tuple[object, ...]:
    send, verdict = result.send, result.verdict
    names = (result.environment_id, send.message_id, send.notification_id, send.trigger_id)
    target = (send.subscriber_pk, result.integration_id, send.device_id, send.step_id, send.token)
    said = (storable(result.title), storable(result.content))
    why = (verdict.code, verdict.explanation, verdict.raw, verdict.provider_message_id)
    outcome = (result.status.value, verdict.outcome.value, *map(storable, why))
    rest = (send.attempt, result.token_died, result.at, result.at)
    return (*names, *target, *said, *outcome, *rest)


# Writes the outcome of a try. A final outcome stays as it was first written.
_RECORD = sql("""
INSERT INTO messages (environment_id, id, notification_id, trigger_id, subscriber_pk, integration_id,
  device_id, step_id, token, title, content, status, outcome, code, explanation, raw, provider_message_id,
  attempts, token_retired, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (environment_id, id) DO UPDATE SET
  status = excluded.status, outcome = excluded.outcome, code = excluded.code,
  explanation = excluded.explanation, raw = excluded.raw,
  provider_message_id = excluded.provider_message_id, attempts = excluded.attempts,
  token_retired = excluded.token_retired, updated_at = excluded.updated_at
WHERE messages.status = 'pending'
""")

_SETTLED = sql("""
SELECT m.id FROM {texts} JOIN messages m ON m.environment_id = ? AND m.id = j.value
WHERE m.status <> 'pending'
""")
