"""What happens in environments that somebody watches, for a few minutes: every process reads it from here."""

from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import MINUTE, SECOND, Millis
from clarion.model.ids import derived_id
from clarion.store.dialect import listed, run, sql
from clarion.store.tables import live_events, live_watchers

KEPT: Millis = 5 * MINUTE
"""How long an event is kept for whoever comes back."""

LEASE: Millis = 30 * SECOND
"""How long an environment counts as watched after somebody said so."""


def in_full(environment_id: str) -> str:
    """What stands for an environment where every event of it is wanted whole, not in short for eyes: it is
    watched, kept and read like an environment of its own."""
    return derived_id(environment_id, "in full")


class LiveEvent(NamedTuple):
    """One change of the environment; `body` is what the writer knew of it."""

    seq: int
    environment_id: str
    kind: str
    body: Any
    at: Millis


class Since(NamedTuple):
    """What somebody missed; not `whole` where some of it was not kept."""

    events: list[LiveEvent]
    whole: bool


def watched(connection: Connection, now: Millis) -> frozenset[str]:
    """The environments that somebody watches."""
    c = live_watchers.c
    return frozenset(connection.scalars(sa.select(c.environment_id).where(c.until > now)))


def watch(connection: Connection, environment_id: str, now: Millis) -> None:
    """Have what happens in an environment kept for a while; begins anew when nobody watched it of late."""
    run(connection, _WATCH, environment_id, now + LEASE, newest(connection), now, now)


def newest(connection: Connection) -> int:
    """The number of the last event."""
    return connection.scalar(sa.select(sa.func.max(live_events.c.seq))) or 0


def add(connection: Connection, environment_id: str, kind: str, body: Any, now: Millis) -> None:
    """Keep an event."""
    run(connection, _ADD, environment_id, kind, msgspec.json.encode(body).decode(), now)


def after(connection: Connection, seq: int, most: int) -> list[LiveEvent]:
    """Events of all environments behind a number, oldest first."""
    return [_read(row) for row in run(connection, _AFTER, seq, most)]


def since(connection: Connection, environment_id: str, seq: int, most: int) -> Since:
    """Events of an environment behind the last one that somebody saw."""
    begun = connection.scalar(
        sa.select(live_watchers.c.begun_at_seq).where(live_watchers.c.environment_id == environment_id)
    )
    oldest = connection.scalar(sa.select(sa.func.min(live_events.c.seq)))
    rows = [_read(row) for row in run(connection, _SINCE, environment_id, seq, most + 1)]
    kept = begun is not None and begun <= seq and (oldest is None or oldest <= seq + 1)
    return Since(rows[:most], kept and len(rows) <= most)


def sweep(connection: Connection, before: Millis, most: int) -> bool:
    """Forget some old events, but never the last: numbers go on from it. Whether there may be more."""
    return run(connection, _SWEEP, before, most).rowcount == most


def _read(row: Any) -> LiveEvent:
    seq, environment_id, kind, body, at = row
    return LiveEvent(seq, environment_id, kind, msgspec.json.decode(body), at)


class NotificationEvent(NamedTuple):
    """A notification of which the live feed tells; `planned` is how many messages it has."""

    id: str
    planned: int
    transaction_id: str
    workflow_id: str
    subscriber_id: str | None


def notifications(connection: Connection, environment_id: str, ids: list[str]) -> list[NotificationEvent]:
    """Notifications by their ids, with what names them."""
    return [NotificationEvent(*row) for row in run(connection, _NOTIFICATIONS, environment_id, listed(ids))]


def spread(connection: Connection, trigger_ids: list[str]) -> list[str]:
    """The transactions of those triggers that go to an audience."""
    return list(run(connection, _SPREAD, listed(trigger_ids)).scalars())


_NOTIFICATIONS = sql("""
SELECT n.id, n.planned, t.transaction_id, t.workflow_id, s.subscriber_id
FROM notifications n
JOIN triggers t ON t.id = n.trigger_id LEFT JOIN subscribers s ON s.pk = n.subscriber_pk
WHERE n.environment_id = ? AND {n.id in texts}
""")
_SPREAD = sql("""
SELECT t.transaction_id FROM {texts} JOIN triggers t ON t.id = j.value WHERE t.audience IS NOT NULL
""")
_WATCH = sql("""
INSERT INTO live_watchers (environment_id, until, begun_at_seq) VALUES (?, ?, ?)
ON CONFLICT (environment_id) DO UPDATE SET
  begun_at_seq = CASE WHEN live_watchers.until > ? THEN live_watchers.begun_at_seq
                      ELSE excluded.begun_at_seq END,
  until = CASE WHEN live_watchers.until > ? AND live_watchers.until > excluded.until THEN live_watchers.until
               ELSE excluded.until END
""")
_ADD = sql("INSERT INTO live_events (environment_id, kind, body, at) VALUES (?, ?, ?, ?)")
_AFTER = sql("""
SELECT seq, environment_id, kind, body, at FROM live_events WHERE seq > ? ORDER BY seq LIMIT ?
""")
_SINCE = sql("""
SELECT seq, environment_id, kind, body, at FROM live_events
WHERE environment_id = ? AND seq > ? ORDER BY seq LIMIT ?
""")
_SWEEP = sql("""
DELETE FROM live_events WHERE seq IN (
  SELECT seq FROM live_events WHERE at < ? AND seq < (SELECT MAX(seq) FROM live_events) LIMIT ?)
""")
