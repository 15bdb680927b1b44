"""Triggers: one row per transaction, so that a repeated one is recognised for good."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.ids import new_id
from clarion.model.trigger import Trigger
from clarion.store.dialect import listed, run, run_many, sql


class Admission(msgspec.Struct, frozen=True):
    """A trigger that is to be worked on, and whether it was cancelled meanwhile."""

    trigger: Trigger
    cancelled: bool


def admit(connection: Connection, triggers: Sequence[Trigger]) -> list[Admission]:
    """Keep the triggers whose transaction is new, or that were kept before by a run that died half way."""
    rows = [_row(trigger) for trigger in triggers]
    run_many(connection, _ADD, rows)
    found = run(connection, _KEPT, listed(item.id for item in triggers))
    kept: dict[str, Millis | None] = {row[0]: row[1] for row in found}
    return [
        Admission(trigger, kept[trigger.id] is not None)
        for trigger in {trigger.id: trigger for trigger in triggers}.values()
        if trigger.id in kept
    ]


def get(connection: Connection, trigger_id: str) -> Admission | None:
    """A trigger that is being worked on."""
    row = run(connection, _GET, trigger_id).first()
    return Admission(msgspec.msgpack.decode(row[0], type=Trigger), row[1] is not None) if row else None


def expanded(connection: Connection, trigger_id: str) -> None:
    """All recipients of the trigger are addressed."""
    run(connection, _EXPANDED, trigger_id)


def cancelled(connection: Connection, trigger_ids: Iterable[str]) -> set[str]:
    """Those of the triggers that were cancelled."""
    return set(run(connection, _CANCELLED, listed(trigger_ids)).scalars())


def cancel(connection: Connection, environment_id: str, transaction_id: str, now: Millis) -> bool:
    """Cancel what has not gone out; says whether anything was. One not addressed yet is cancelled then."""
    found = run(connection, _OUTSTANDING, environment_id, transaction_id).first()
    if found is None:
        run(connection, _BURY, new_id(now), environment_id, transaction_id, b"", now)
        return False
    trigger_id, cancelled_at, left = found
    if cancelled_at is not None or not left:
        return False
    run(connection, _CANCEL, now, trigger_id)
    return True


def _row(trigger: Trigger) -> tuple[object, ...]:
    body = msgspec.msgpack.encode(trigger)
    spread = bool(trigger.broadcast or trigger.topics)
    names = (trigger.id, trigger.environment_id, trigger.transaction_id, trigger.workflow_id)
    return (*names, body, not spread, trigger.accepted_at)


# Keeps a trigger unless its transaction is known. A tombstone, a row without workflow, gives way: it cancels
# what was accepted before it and is nothing to what came later.
_ADD = sql("""
INSERT INTO triggers (id, environment_id, transaction_id, workflow_id, body, expanded, accepted_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (environment_id, transaction_id) DO UPDATE SET
  id = excluded.id, workflow_id = excluded.workflow_id, body = excluded.body, expanded = excluded.expanded,
  cancelled_at = CASE WHEN triggers.cancelled_at >= excluded.accepted_at THEN triggers.cancelled_at END,
  accepted_at = excluded.accepted_at
WHERE triggers.workflow_id = ''
""")

_KEPT = sql("SELECT t.id, t.cancelled_at FROM {texts} JOIN triggers t ON t.id = j.value")
_EXPANDED = sql("UPDATE triggers SET expanded = TRUE WHERE id = ?")
_CANCEL = sql("UPDATE triggers SET cancelled_at = ? WHERE id = ?")
_CANCELLED = sql("""
SELECT t.id FROM {texts} JOIN triggers t ON t.id = j.value WHERE t.cancelled_at IS NOT NULL
""")
_GET = sql("SELECT body, cancelled_at FROM triggers WHERE id = ?")

# Finds a transaction and whether anything of it is still to come.
_OUTSTANDING = sql("""
SELECT t.id, t.cancelled_at, NOT t.expanded OR
  (SELECT COALESCE(SUM(n.planned), 0) FROM notifications n WHERE n.trigger_id = t.id) >
  (SELECT COUNT(*) FROM notifications n
   JOIN messages m ON m.notification_id = n.id AND m.environment_id = n.environment_id
   WHERE n.trigger_id = t.id AND m.status <> 'pending')
FROM triggers t WHERE t.environment_id = ? AND t.transaction_id = ? AND t.workflow_id <> ''
""")

# Leaves a tombstone, or moves the one that is there to now.
_BURY = sql("""
INSERT INTO triggers
  (id, environment_id, transaction_id, workflow_id, body, expanded, cancelled_at, accepted_at)
VALUES (?, ?, ?, '', ?, TRUE, ?, 0)
ON CONFLICT (environment_id, transaction_id) DO UPDATE SET cancelled_at = excluded.cancelled_at
WHERE triggers.workflow_id = ''
""")
