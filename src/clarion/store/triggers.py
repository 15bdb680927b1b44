"""Triggers: one row per transaction, so that a repeated one is recognised for good."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.context import scope_in
from clarion.model.ids import new_id
from clarion.model.trigger import Trigger
from clarion.store.dialect import listed, run, run_many, sql
from clarion.store.listing import Order, Place, in_order
from clarion.store.tables import triggers as table


class Admission(msgspec.Struct, frozen=True):
    """A trigger that is to be worked on, and whether it was cancelled meanwhile."""

    trigger: Trigger
    cancelled: bool
    paused: bool = False


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
    if row is None:
        return None
    body, cancelled_at, paused_at = row
    trigger = msgspec.msgpack.decode(body, type=Trigger)
    return Admission(trigger, cancelled_at is not None, paused_at is not None)


def many(connection: Connection, trigger_ids: Iterable[str]) -> list[Admission]:
    """Triggers by their ids."""
    rows = run(connection, _MANY, listed(trigger_ids))
    return [
        Admission(msgspec.msgpack.decode(body, type=Trigger), cancelled_at is not None, paused_at is not None)
        for body, cancelled_at, paused_at in rows
    ]


def begin_expansion(connection: Connection, trigger_id: str, audience: int) -> None:
    """Note how many subscribers a broadcast or a topic trigger is for."""
    run(connection, _AUDIENCE, audience, trigger_id)


def note_topics(connection: Connection, trigger: Trigger, topic_ids: Mapping[str, str]) -> None:
    """Note which topics, by key, a trigger is for: those that are not there lead to nobody."""
    rows = [
        (trigger.id, trigger.environment_id, key, place, topic_ids[key])
        for place, key in enumerate(trigger.topic_keys)
        if key in topic_ids
    ]
    run_many(connection, _NOTE_TOPIC, rows)


def cut(connection: Connection, trigger_id: str, ends: Sequence[int]) -> None:
    """Note chunks that are to be addressed, by their last row; one that was noted before stays as it is."""
    run_many(connection, _CUT, [(trigger_id, upto) for upto in ends])


def addressed(connection: Connection, trigger_id: str, upto: int) -> None:
    """The recipients of a chunk are addressed."""
    run(connection, _ADDRESSED, trigger_id, upto)


def expanded(connection: Connection, trigger_ids: Sequence[str]) -> None:
    """All recipients of the triggers are addressed, or are in chunks that are noted."""
    run_many(connection, _EXPANDED, [(trigger_id,) for trigger_id in trigger_ids])


class Stopped(NamedTuple):
    """Those of some triggers that are not to be sent now, or at all."""

    cancelled: set[str]
    paused: set[str]


def stopped(connection: Connection, trigger_ids: Iterable[str]) -> Stopped:
    """Which of the triggers were cancelled, and which are paused."""
    found = Stopped(set(), set())
    for trigger_id, cancelled_at in run(connection, _STOPPED, listed(trigger_ids)):
        (found.paused if cancelled_at is None else found.cancelled).add(trigger_id)
    return found


class Progress(NamedTuple):
    """How far a transaction is. `audience` is known of broadcasts only."""

    trigger_id: str
    workflow_id: str
    accepted_at: Millis
    expanded: bool
    cancelled_at: Millis | None
    paused_at: Millis | None
    audience: int | None


def progress(connection: Connection, environment_id: str, transaction_id: str) -> Progress | None:
    """The state of a transaction, None when it isn't known."""
    row = run(connection, _PROGRESS, environment_id, transaction_id).first()
    return Progress(row[0], row[1], row[2], bool(row[3]), row[4], row[5], row[6]) if row else None


class Audience(msgspec.Struct, frozen=True):
    """A trigger that went to everybody, or to topics. `id` is the trigger's."""

    id: str
    transaction_id: str
    workflow_id: str
    accepted_at: Millis
    expanded: bool
    cancelled_at: Millis | None
    paused_at: Millis | None
    audience: int


class AudiencesWanted(NamedTuple):
    """Which triggers to many; None for any. `transaction_id` is whole."""

    environment_id: str
    workflow_id: str | None = None
    transaction_id: str | None = None
    paused: bool | None = None
    cancelled: bool | None = None


def to_many(
    connection: Connection, wanted: AudiencesWanted, anchor: Place | None, order: Order
) -> list[Audience]:
    """Triggers to everybody or to topics, in the order they were accepted in, read off an index."""
    query = sa.select(*(table.c[name] for name in Audience.__struct_fields__)).where(
        table.c.environment_id == wanted.environment_id, table.c.audience.is_not(None)
    )
    if wanted.workflow_id is not None:
        query = query.where(table.c.workflow_id == wanted.workflow_id)
    if wanted.transaction_id is not None:
        query = query.where(table.c.transaction_id == wanted.transaction_id)
    for asked, column in ((wanted.paused, table.c.paused_at), (wanted.cancelled, table.c.cancelled_at)):
        if asked is not None:
            query = query.where(column.is_not(None) if asked else column.is_(None))
    rows = connection.execute(in_order(query, [table.c.id], (anchor.id,) if anchor else None, order))
    return [Audience(*row) for row in rows]


def pause(connection: Connection, environment_id: str, transaction_id: str, at: Millis | None) -> bool:
    """Pause a transaction, or let it go on when `at` is None; False when it isn't known or is cancelled."""
    return run(connection, _PAUSE, at, environment_id, transaction_id).rowcount > 0


def cancel(connection: Connection, environment_id: str, transaction_id: str, now: Millis) -> str | None:
    """Cancel what has not gone out; the trigger, None where there was nothing. One not addressed yet is
    cancelled then."""
    found = run(connection, _OUTSTANDING, environment_id, transaction_id).first()
    if found is None:
        run(connection, _BURY, new_id(now), environment_id, transaction_id, b"", now)
        return None
    trigger_id, cancelled_at, left = found
    if cancelled_at is not None or not left:
        return None
    run(connection, _CANCEL, now, trigger_id)
    return str(trigger_id)


def _row(trigger: Trigger) -> tuple[object, ...]:
    names = (trigger.id, trigger.environment_id, trigger.transaction_id, trigger.workflow_id)
    rest = (msgspec.msgpack.encode(trigger), False, trigger.accepted_at, scope_in(trigger.context) or None)
    return (*names, *rest)


# Keeps a trigger unless its transaction is known. A tombstone, a row without workflow, gives way: it cancels
# what was accepted before it and is nothing to what came later.
_ADD = sql("""
INSERT INTO triggers (id, environment_id, transaction_id, workflow_id, body, expanded, accepted_at, scope)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (environment_id, transaction_id) DO UPDATE SET
  id = excluded.id, workflow_id = excluded.workflow_id, body = excluded.body, expanded = excluded.expanded,
  cancelled_at = CASE WHEN triggers.cancelled_at >= excluded.accepted_at THEN triggers.cancelled_at END,
  accepted_at = excluded.accepted_at, scope = excluded.scope
WHERE triggers.workflow_id = ''
""")

_KEPT = sql("SELECT t.id, t.cancelled_at FROM {texts} JOIN triggers t ON t.id = j.value")
_NOTE_TOPIC = sql("""
INSERT INTO trigger_topics (trigger_id, environment_id, topic_key, place, topic_id) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (trigger_id, topic_key) DO NOTHING
""")
_CUT = sql("""
INSERT INTO chunks (trigger_id, upto, addressed) VALUES (?, ?, FALSE)
ON CONFLICT (trigger_id, upto) DO NOTHING
""")
_ADDRESSED = sql("UPDATE chunks SET addressed = TRUE WHERE trigger_id = ? AND upto = ?")
_EXPANDED = sql("UPDATE triggers SET expanded = TRUE WHERE id = ?")
_CANCEL = sql("UPDATE triggers SET cancelled_at = ? WHERE id = ?")
_STOPPED = sql("""
SELECT t.id, t.cancelled_at FROM {texts} JOIN triggers t ON t.id = j.value
WHERE t.cancelled_at IS NOT NULL OR t.paused_at IS NOT NULL
""")
_GET = sql("SELECT body, cancelled_at, paused_at FROM triggers WHERE id = ?")
_MANY = sql("SELECT t.body, t.cancelled_at, t.paused_at FROM {texts} JOIN triggers t ON t.id = j.value")
_AUDIENCE = sql("UPDATE triggers SET audience = ? WHERE id = ? AND audience IS NULL")
_PROGRESS = sql("""
SELECT id, workflow_id, accepted_at,
  expanded AND NOT EXISTS (SELECT 1 FROM chunks c WHERE c.trigger_id = triggers.id AND NOT c.addressed),
  cancelled_at, paused_at, audience
FROM triggers WHERE environment_id = ? AND transaction_id = ? AND workflow_id <> ''
""")
_PAUSE = sql("""
UPDATE triggers SET paused_at = ?
WHERE environment_id = ? AND transaction_id = ? AND cancelled_at IS NULL AND workflow_id <> ''
""")

# Finds a transaction and whether anything of it is still to come.
_OUTSTANDING = sql("""
SELECT t.id, t.cancelled_at, NOT t.expanded
  OR EXISTS (SELECT 1 FROM chunks c WHERE c.trigger_id = t.id AND NOT c.addressed) OR EXISTS (
    SELECT 1 FROM runs r LEFT JOIN runs main
      ON main.environment_id = r.environment_id AND main.id = r.merged_into
    WHERE r.trigger_id = t.id AND (r.open OR main.digest_key IS NOT NULL)) OR
  (SELECT COALESCE(SUM(n.planned), 0) FROM notifications n WHERE n.trigger_id = t.id) >
  (SELECT COUNT(*) FROM messages m WHERE m.trigger_id = t.id AND m.status <> 'pending')
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
