"""The large tables on PostgreSQL, partitioned by time: what is too old goes a week at once.

Ids begin with the time of their trigger, and so do the bounds. The default partition holds what no other is
made for, such as what comes under a clock that is far off: no write fails for want of a partition. A week of
which it holds something gets none until that is forgotten.

To make or drop one takes a lock that everybody waits behind. Who doesn't get it within a moment gives up, to
try again later: weeks are made long before they begin.
"""

import re
from typing import NamedTuple

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from clarion.model.clock import Millis
from clarion.model.ids import earliest, time_of
from clarion.model.weeks import WEEK, week_name, week_of
from clarion.store.dialect import run, sql

_AHEAD = 2
"""Weeks that are made before they begin."""

_LARGE = {"notifications": "id", "messages": "id", "engagements": "message_id"}
"""The tables, each with what it is partitioned by."""

_MAKING = 0x636C6177
_LOCK_WAIT = "50ms"
_NOT_NOW = frozenset({"55P03", "40P01", "23514"})
"""SQLSTATE of a lock that isn't to be had in time, of a deadlock, and of a week that has come to rows in the
default partition meanwhile."""


class Span(NamedTuple):
    """The ids that partitions are for: from one on, any where it is empty, before another."""

    begin: str
    end: str

    @property
    def begins_at(self) -> Millis:
        """When the first of its ids is made; 0 for the first of all."""
        return time_of(self.begin) if self.begin else 0


def make(connection: Connection, now: Millis) -> None:
    """Make what there isn't yet of the partitions of this week and the next ones, outside a transaction."""
    found = _partitions(connection)
    for week in range(week_of(now), week_of(now) + (_AHEAD + 1) * WEEK, WEEK):
        span = Span(earliest(week), earliest(week + WEEK))
        lacking = [
            table
            for table, partitions in found.items()
            if not any(other.begin <= span.begin < other.end for other in partitions)
        ]
        if not any(_astray(connection, table, span) for table in lacking):
            for table in lacking:
                _done(connection, _MAKE.format(table=table, name=f"{table}_{week_name(week)}", span=span))


def old(connection: Connection, before: Millis) -> list[Span]:
    """The spans of which everything was accepted before, oldest first."""
    spans = {span for partitions in _partitions(connection).values() for span in partitions}
    return sorted(span for span in spans if span.end <= earliest(before))


def under_way(connection: Connection, span: Span) -> bool:
    """Whether anything of a span goes on: a trigger that is not addressed, a run, or a message. Looks at
    each notification until it finds one: a few seconds for a million of them."""
    return bool(run(connection, _UNDER_WAY, *span * 4).scalar_one())


def droppable(connection: Connection) -> bool:
    """Whether the lock that dropping takes is to be had now, outside a transaction. Who asks first doesn't
    look through a week again and again that somebody reads for hours, as a dump does."""
    return _done(connection, _LOCK)


def drop(connection: Connection, span: Span) -> bool:
    """Drop the partitions of a span, outside a transaction; False where others hold them."""
    found = _partitions(connection)
    names = [partitions[span] for partitions in found.values() if span in partitions]
    if not names:  # another worker was faster
        return True
    astray = "".join(
        f"DELETE FROM {table}_default WHERE {key} >= '{span.begin}' AND {key} < '{span.end}';\n"  # noqa: S608
        for table, key in _LARGE.items()
    )
    return _done(connection, _DROP.format(astray=astray, names=", ".join(names)))


def week_kept(connection: Connection, before: Millis) -> Millis:
    """When the week began that holds what was accepted just before, if it is to go at once."""
    at = earliest(before)
    weeks = (span for span in _partitions(connection).get("messages", ()) if span.begin <= at < span.end)
    return next((span.begins_at for span in weeks if span.begin), before)


def made_until(connection: Connection) -> Millis | None:
    """When the last week ends that every table has a partition for: 0 where one has none, None on SQLite."""
    ends = [max((span.end for span in spans), default="") for spans in _partitions(connection).values()]
    return (time_of(min(ends)) if min(ends) else 0) if ends else None


def _partitions(connection: Connection) -> dict[str, dict[Span, str]]:
    """The partitions of each table by their span, without the default ones; empty on SQLite."""
    if connection.dialect.name != "postgresql":
        return {}
    found: dict[str, dict[Span, str]] = {table: {} for table in _LARGE}
    for table, name, bounds in connection.exec_driver_sql(_FIND):
        bound = _BOUNDS.fullmatch(bounds)
        if bound:
            found[table][Span(bound[1] or "", bound[2])] = name
    return found


def _astray(connection: Connection, table: str, span: Span) -> bool:
    """Whether the default partition holds something of a span."""
    key = _LARGE[table]
    query = f"SELECT EXISTS (SELECT 1 FROM {table}_default WHERE {key} >= $1 AND {key} < $2)"  # noqa: S608
    return bool(connection.exec_driver_sql(query, tuple(span)).scalar_one())


def _done(connection: Connection, block: str) -> bool:
    try:
        connection.exec_driver_sql(block)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in _NOT_NOW:
            raise
        return False
    return True


_BOUNDS = re.compile(r"FOR VALUES FROM \((?:MINVALUE|'(\w*)')\) TO \('(\w*)'\)")
_FIND = f"""
SELECT parent.relname, child.relname, pg_get_expr(child.relpartbound, child.oid)
FROM pg_inherits i
JOIN pg_class parent ON parent.oid = i.inhparent JOIN pg_class child ON child.oid = i.inhrelid
WHERE i.inhparent IN ({", ".join(f"to_regclass('{table}')" for table in _LARGE)})
"""  # noqa: S608

# One process makes a partition, those that come to it at the same time find it made.
_MAKE = f"""
DO $$ BEGIN
  PERFORM set_config('lock_timeout', '{_LOCK_WAIT}', TRUE), pg_advisory_xact_lock({_MAKING});
  IF to_regclass('{{name}}') IS NULL THEN
    CREATE TABLE {{name}} PARTITION OF {{table}} FOR VALUES FROM ('{{span.begin}}') TO ('{{span.end}}');
  END IF;
END $$
"""
_LOCKED = f"LOCK TABLE ONLY {', ONLY '.join(_LARGE)} IN ACCESS EXCLUSIVE MODE"
_LOCK = f"DO $$ BEGIN PERFORM set_config('lock_timeout', '{_LOCK_WAIT}', TRUE); {_LOCKED}; END $$"
_DROP = f"""
DO $$ BEGIN
  PERFORM set_config('lock_timeout', '{_LOCK_WAIT}', TRUE);
  {{astray}}
  {_LOCKED};
  DROP TABLE IF EXISTS {{names}};
END $$
"""

_UNDER_WAY = sql("""
SELECT EXISTS (
  SELECT 1 FROM triggers t WHERE t.id >= ? AND t.id < ?
    AND (NOT t.expanded AND t.cancelled_at IS NULL
      OR EXISTS (SELECT 1 FROM chunks c WHERE c.trigger_id = t.id AND NOT c.addressed)))
OR EXISTS (
  SELECT 1 FROM runs r
  LEFT JOIN runs main ON main.environment_id = r.environment_id AND main.id = r.merged_into
  WHERE r.id >= ? AND r.id < ? AND (r.open OR main.open))
OR EXISTS (
  SELECT 1 FROM notifications n WHERE n.id >= ? AND n.id < ? AND n.planned <> (
    SELECT COUNT(*) FROM messages m
    WHERE m.notification_id = n.id AND m.id >= ? AND m.id < ? AND m.status <> 'pending'))
""")
