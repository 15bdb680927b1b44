"""Messages: what became of each message to each device. A final outcome is written once."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.outcome import MessageStatus, Outcome, Verdict
from clarion.model.result import Result
from clarion.store import devices, hours, notifications
from clarion.store.dialect import listed, run, run_many, run_rows, sql, storable

_MOST_KEPT = 500
"""Characters of an answer that the history keeps."""


def record(connection: Connection, results: Sequence[Result]) -> None:
    """Write outcomes, and retire the devices that a provider called dead. What became of a message whose
    notification was removed meanwhile is nobody's any more, and isn't kept."""
    results = _owned(connection, results)
    for rows in _apart(results):
        run_rows(connection, _RECORD, rows)
    now = results[-1].at if results else 0
    hours.count_again(connection, ((item.environment_id, item.send.message_id) for item in results), now)
    arrived = [item.send.device_id for item in results if item.status is MessageStatus.DELIVERED]
    devices.seen(connection, arrived, now)
    died = [result for result in results if result.token_died]
    if died:
        devices.retire(
            connection,
            [
                (item.send.device_id, item.verdict.died_at or item.at, item.verdict.code, item.at)
                for item in died
            ],
        )


def _owned(connection: Connection, results: Sequence[Result]) -> Sequence[Result]:
    asked: dict[str, list[str]] = {}
    for item in results:
        asked.setdefault(item.environment_id, []).append(item.send.notification_id)
    gone = set().union(*(notifications.gone(connection, name, ids) for name, ids in asked.items()))
    return [item for item in results if item.send.notification_id not in gone] if gone else results


class Try(msgspec.Struct, frozen=True, omit_defaults=True):
    """One try and the provider's answer; `number` 0 where the provider wasn't asked."""

    number: int
    at: Millis
    outcome: str
    code: str = ""
    explanation: str = ""
    raw: str = ""
    provider_message_id: str = ""


class Settled(NamedTuple):
    """A message that has its outcome; `ticket` is the provider's id of it."""

    id: str
    status: str
    ticket: str
    device_id: int
    at: Millis


class Revision(NamedTuple):
    """What became of an accepted message, as its provider told later."""

    message_id: str
    device_id: int
    sent_at: Millis
    verdict: Verdict


class Refusal(NamedTuple):
    """The last answer to a message that did not arrive."""

    notification_id: str
    outcome: str
    code: str
    explanation: str
    at: Millis


def last_refusal(connection: Connection, environment_id: str, integration_id: str) -> Refusal | None:
    """What an integration's provider answered last to a message that did not arrive; None where the newest
    such messages of the environment are of other integrations."""
    row = run(connection, _LAST_REFUSAL, environment_id, integration_id).first()
    return Refusal(*row) if row else None


def settled(connection: Connection, environment_id: str, message_ids: Iterable[str]) -> list[Settled]:
    """Those of the messages that have their outcome."""
    return [Settled(*row) for row in run(connection, _SETTLED, environment_id, listed(message_ids))]


def revise(connection: Connection, environment_id: str, revisions: Sequence[Revision], now: Millis) -> None:
    """Let messages that were accepted and did not arrive count as failed, and retire their dead devices."""
    rows = [_revised(environment_id, item, now) for item in revisions]
    run_many(connection, _REVISE, rows)
    hours.count_again(connection, ((environment_id, item.message_id) for item in revisions), now)
    died = [item for item in revisions if item.verdict.outcome is Outcome.TOKEN_DEAD and item.device_id]
    devices.retire(
        connection,
        [(item.device_id, item.verdict.died_at or item.sent_at, item.verdict.code, now) for item in died],
    )


def devices_of(connection: Connection, environment_id: str, message_ids: Iterable[str]) -> list[int]:
    """The devices, by row, that messages went to; none for a token that only a trigger named."""
    found = run(connection, _DEVICES_OF, environment_id, listed(message_ids)).scalars()
    return [pk for pk in found if pk]


def tries(history: str) -> list[Try]:
    """The tries of a message before its last."""
    return [msgspec.json.decode(line, type=Try) for line in history.split("\n") if line]


def _line(tried: Try) -> str:
    return storable(msgspec.json.encode(tried).decode()) + "\n"


def _apart(results: Sequence[Result]) -> list[list[tuple[object, ...]]]:
    """Rows to write together, and behind them those of messages that had one before."""
    parts: list[dict[tuple[str, str], tuple[object, ...]]] = []
    for result in results:
        name = (result.environment_id, result.send.message_id)
        part = next((part for part in parts if name not in part), None)
        if part is None:
            parts.append(part := {})
        part[name] = _row(result)
    return [list(part.values()) for part in parts]


def _revised(environment_id: str, item: Revision, now: Millis) -> tuple[object, ...]:
    verdict = item.verdict
    died = verdict.outcome is Outcome.TOKEN_DEAD and item.device_id != 0
    why = map(storable, (verdict.code, verdict.explanation, verdict.raw))
    accepted = Try(0, item.sent_at, Outcome.ACCEPTED.value)
    return (
        MessageStatus.FAILED.value,
        verdict.outcome.value,
        *why,
        died,
        now,
        _line(accepted),
        environment_id,
        item.message_id,
    )


def _row(result: Result) -> tuple[object, ...]:
    send, verdict = result.send, result.verdict
    names = (result.environment_id, send.message_id, send.notification_id, send.trigger_id)
    target = (send.subscriber_pk, result.integration_id, send.device_id, send.step_id, send.token)
    said = (storable(result.title), storable(result.content))
    why = (verdict.code, verdict.explanation, verdict.raw, verdict.provider_message_id)
    outcome = (result.status.value, verdict.outcome.value, *map(storable, why))
    rest = (send.attempt, result.token_died, result.at, result.at, _passed(result))
    return (*names, *target, *said, *outcome, *rest)


def _passed(result: Result) -> str:
    """A try that another follows, for the history; nothing for the last one, which the message tells."""
    if result.status is not MessageStatus.PENDING:
        return ""
    verdict = result.verdict
    said = (verdict.code, verdict.explanation, verdict.raw[:_MOST_KEPT], verdict.provider_message_id)
    return _line(Try(result.send.attempt, result.at, verdict.outcome.value, *said))


# Writes the outcome of a try. A final outcome stays as it was first written.
_RECORD = sql("""
INSERT INTO messages (environment_id, id, notification_id, trigger_id, subscriber_pk, integration_id,
  device_id, step_id, token, title, content, status, outcome, code, explanation, raw, provider_message_id,
  attempts, token_retired, created_at, updated_at, history)
{rows text text text text bigint text bigint text text text text text text text text text text bigint
  boolean bigint bigint text}
ON CONFLICT (environment_id, id) DO UPDATE SET
  status = excluded.status, outcome = excluded.outcome, code = excluded.code,
  explanation = excluded.explanation, raw = excluded.raw,
  provider_message_id = excluded.provider_message_id, attempts = excluded.attempts,
  token_retired = excluded.token_retired, updated_at = excluded.updated_at,
  history = messages.history || excluded.history
WHERE messages.status = 'pending'
""")

# A receipt says more than the acceptance before it.
_REVISE = sql("""
UPDATE messages SET status = ?, outcome = ?, code = ?, explanation = ?, raw = ?, token_retired = ?,
  updated_at = ?, history = history || ?
WHERE environment_id = ? AND id = ? AND status = 'delivered'
""")

_DEVICES_OF = sql("""
SELECT m.device_id FROM messages m WHERE m.environment_id = ? AND {m.id in texts}
""")
_SETTLED = sql("""
SELECT m.id, m.status, m.provider_message_id, m.device_id, m.updated_at
FROM messages m
WHERE m.environment_id = ? AND {m.id in texts} AND m.status <> 'pending'
""")

# Goes by the index of messages that were not delivered, and looks at the newest only: an integration that
# never fails beside one that always does must not lead through all of them.
_LAST_REFUSAL = sql("""
SELECT m.notification_id, m.outcome, m.code, m.explanation, m.updated_at FROM (
  SELECT n.* FROM messages n
  WHERE n.environment_id = ? AND n.status <> 'delivered'
  ORDER BY n.notification_id DESC LIMIT 1000
) m
WHERE m.integration_id = ? AND m.outcome NOT IN ('accepted', 'not_sent') AND m.deleted_at IS NULL
ORDER BY m.updated_at DESC LIMIT 1
""")
