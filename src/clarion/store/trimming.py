"""Forgets what is said of pushes before the pushes themselves: their texts, or how they came to their end.

What became of them stays, so that the ledger and the statistics go on adding up. It goes by the hours that
are counted: each is gone through when all of it is old enough, and once more that long after it was last
counted, for what came about later.
"""

from collections.abc import Callable
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import HOUR, Millis
from clarion.model.ids import earliest
from clarion.store.dialect import Sql, listed, run, sql
from clarion.store.pruning import Step
from clarion.store.tables import counted_hours


class Part(NamedTuple):
    """The rows of a table behind an id, and what forgets something of those among them that came about
    before; it says of how many it did."""

    rows: Sql
    forget: Callable[[Connection, str, list[str], Millis, Millis], int]


class Kind(NamedTuple):
    """What is forgotten; `column` tells when it last was of an hour."""

    column: str
    parts: tuple[Part, ...]


def due(connection: Connection, kind: Kind, environment_id: str, kept: Millis, now: Millis) -> list[Millis]:
    """The hours of an environment that are to be gone through, oldest first."""
    c = counted_hours.c
    query = (
        sa.select(c.hour, c.counted_at, c[kind.column])
        .where(c.environment_id == environment_id, c.hour <= now - kept - HOUR)
        .order_by(c.hour)
    )
    rows = connection.execute(query)
    return [hour for hour, counted_at, trimmed_at in rows if is_due(hour, counted_at, trimmed_at, kept, now)]


def is_due(hour: Millis, counted_at: Millis, trimmed_at: Millis, kept: Millis, now: Millis) -> bool:
    """Whether something of an hour, by its beginning, may be older than it is kept, and still be there."""
    return any(trimmed_at < end + kept <= now for end in (hour + HOUR, counted_at))


def trim(
    connection: Connection,
    part: Part,
    environment_id: str,
    hour: Millis,
    before: Millis,
    now: Millis,
    after: str,
    most: int,
) -> Step:
    """Forget what came about before of some of an hour's rows behind an id."""
    behind = max(after, earliest(hour))
    ids = list(run(connection, part.rows, environment_id, behind, earliest(hour + HOUR), most).scalars())
    forgotten = part.forget(connection, environment_id, ids, before, now)
    return Step(forgotten, ids[-1] if len(ids) == most else None)


def trimmed(connection: Connection, kind: Kind, environment_id: str, hour: Millis, now: Millis) -> None:
    """Note that an hour was gone through."""
    c = counted_hours.c
    own = (c.environment_id == environment_id) & (c.hour == hour)
    connection.execute(counted_hours.update().where(own).values({kind.column: now}))


def _forget_texts(
    connection: Connection, environment_id: str, ids: list[str], before: Millis, now: Millis
) -> int:
    """As if somebody had deleted the messages."""
    return run(connection, _FORGET_TEXTS, now, environment_id, listed(ids), before).rowcount


def _forget_answers(
    connection: Connection, environment_id: str, ids: list[str], before: Millis, _: Millis
) -> int:
    return run(connection, _FORGET_ANSWERS, environment_id, listed(ids), before).rowcount


def _forget_lines(
    connection: Connection, environment_id: str, ids: list[str], before: Millis, _: Millis
) -> int:
    return run(connection, _FORGET_LINES, environment_id, listed(ids), before).rowcount


_MESSAGES = sql("""
SELECT m.id FROM messages m WHERE m.environment_id = ? AND m.id > ? AND m.id < ? ORDER BY m.id LIMIT ?
""")
_NOTIFICATIONS = sql("""
SELECT n.id FROM notifications n WHERE n.environment_id = ? AND n.id > ? AND n.id < ? ORDER BY n.id LIMIT ?
""")
_FORGET_TEXTS = sql("""
UPDATE messages SET title = '', content = '', raw = '', history = '', deleted_at = ?
WHERE environment_id = ? AND {id in texts} AND updated_at < ? AND deleted_at IS NULL AND status <> 'pending'
""")
_FORGET_ANSWERS = sql("""
UPDATE messages SET raw = '', history = ''
WHERE environment_id = ? AND {id in texts} AND updated_at < ? AND (raw <> '' OR history <> '')
  AND status <> 'pending'
""")

# A run that goes on adds to the lines it has.
_FORGET_LINES = sql("""
UPDATE notifications SET details = '[]'
WHERE environment_id = ? AND {id in texts} AND created_at < ? AND details <> '[]' AND NOT EXISTS (
  SELECT 1 FROM runs r
  WHERE r.environment_id = notifications.environment_id AND r.id = notifications.id AND r.open)
""")

TEXTS = Kind("texts_at", (Part(_MESSAGES, _forget_texts),))
DETAILS = Kind("details_at", (Part(_MESSAGES, _forget_answers), Part(_NOTIFICATIONS, _forget_lines)))
