"""Hours of statistics, counted once and kept: a month of them is read in milliseconds, where counting its
millions of messages takes seconds.

Nothing is counted where outcomes are written: sending pays nothing for it. An hour is counted when it is
over, and again after a while: soon when something of it was still under way, seldom when nothing was, and no
more once that was so a day later, unless something comes about after that. What phones open is counted again
as the hour grows older. What is forgotten of a person stays counted.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import DAY, HOUR, MINUTE, Millis
from clarion.model.ids import earliest, time_of
from clarion.model.outcome import MessageStatus
from clarion.store import statistics
from clarion.store.database import Database
from clarion.store.dialect import run, run_many, sql
from clarion.store.statistics import OPENED, Counted, Stretch
from clarion.store.tables import chunks, counted_hours, hourly_counts, notifications, runs, triggers

OVER: Millis = 10 * MINUTE
"""How long an hour has to be over before it is counted: what was written then is there to be read."""

EVER: Millis = 1 << 47
"""Behind every moment that an id can hold."""

_AT_ONCE = 24
_SETTLES = DAY
_DELAY = 12
"""What is still under way, or opened, is told late by this part of its age at most."""
_PATIENCE = 4


class CountedHour(NamedTuple):
    """An hour, by its beginning; `settled` when nothing of it was under way."""

    hour: Millis
    counted_at: Millis
    opened_at: Millis
    settled: bool

    def stands(self, now: Millis) -> bool:
        """Whether what was counted of outcomes is good enough."""
        age, since = self.counted_at - self.hour - HOUR, now - self.counted_at
        if self.settled:
            return age >= _SETTLES or since < _PATIENCE * age
        return since < age // _DELAY

    def stands_opened(self, now: Millis) -> bool:
        """Whether what was counted of opened messages is."""
        return now - self.opened_at < (self.opened_at - self.hour - HOUR) // _DELAY


class _Count(NamedTuple):
    """What is counted of an hour anew; `settled` None where that is opened messages alone."""

    hour: Millis
    settled: bool | None
    rows: list[Counted]


def told(connection: Connection, environment_id: str, time: Stretch, now: Millis) -> list[Counted]:
    """What became of pushes in a time: hours that are kept, and what is before and after them counted now."""
    kept = whole_hours(time, now)
    first, last = (kept.start, kept.stop) if kept else (time.before, time.before)
    found = [
        *statistics.counted(connection, environment_id, time._replace(before=first), time.before),
        *_kept(connection, environment_id, time._replace(after=first, before=last), time.before),
        *statistics.counted(connection, environment_id, time._replace(after=last), time.before),
    ]
    return statistics.merged(found)


def whole_hours(time: Stretch, now: Millis) -> range:
    """The hours of a time that can be kept, by their beginnings."""
    if time.step % HOUR:
        return range(0)
    last = min(time.before, now - OVER)
    return range(-(-time.after // HOUR) * HOUR, last - last % HOUR, HOUR)


async def bring_up(database: Database, environment_id: str, hours: range, now: Millis) -> None:
    """Count those of the hours that don't stand, some at a time."""
    due = await database.read(_due, environment_id, hours, now)
    for start in range(0, len(due), _AT_ONCE):
        some = due[start : start + _AT_ONCE]
        await database.write(_keep, environment_id, await database.read(_counts, environment_id, some), now)


def count_again(connection: Connection, changed: Iterable[tuple[str, str]], now: Millis) -> None:
    """Let the hours of messages or notifications, by environment and id, be counted again where nothing was
    to come about any more: after an outage, a replayed record, or a provider's late word."""
    since = earliest(now - _SETTLES)
    late = {
        (environment_id, time_of(identity) // HOUR * HOUR)
        for environment_id, identity in changed
        if identity < since
    }
    run_many(connection, _COUNT_AGAIN, sorted(late))


class Sending(NamedTuple):
    """What sends: integrations (None: any), workflows (none: any)."""

    environment_id: str
    integration_ids: Sequence[str] | None = None
    workflow_ids: Sequence[str] = ()


def stretches(connection: Connection, wanted: Sending) -> list[tuple[Millis, Millis]]:
    """The times, newest first, whose notifications may be of one of the workflows, with a message of one of
    the integrations: all but the hours that were counted for good and have none."""
    c, n = counted_hours.c, hourly_counts.c
    theirs = sa.select(n.hour).where(n.environment_id == wanted.environment_id)
    if wanted.integration_ids is None and not wanted.workflow_ids:
        return [(0, EVER)]
    if wanted.integration_ids is not None:
        theirs = theirs.where(n.integration_id.in_(wanted.integration_ids))
    if wanted.workflow_ids:
        theirs = theirs.where(n.workflow_id.in_(wanted.workflow_ids))
    final = (
        (c.environment_id == wanted.environment_id) & c.settled & (c.counted_at >= c.hour + HOUR + _SETTLES)
    )
    query = sa.select(c.hour).where(final, c.hour.not_in(theirs)).order_by(c.hour)
    found, begin = [], 0
    for hour in connection.execute(query).scalars():
        if hour > begin:
            found.append((begin, hour))
        begin = hour + HOUR
    return [(begin, EVER), *reversed(found)]


def forget(connection: Connection, environment_id: str, before: Millis) -> None:
    """Forget the hours that ended before."""
    for table in (hourly_counts, counted_hours):
        old = (table.c.environment_id == environment_id) & (table.c.hour <= before - HOUR)
        connection.execute(table.delete().where(old))


def _due(connection: Connection, environment_id: str, hours: range, now: Millis) -> list[tuple[Millis, bool]]:
    """Which hours are to be counted, and whether whole. Nothing is before the first notification."""
    own = notifications.c
    first = connection.scalar(sa.select(sa.func.min(own.id)).where(own.environment_id == environment_id))
    if first is None:
        return []
    kept = {one.hour: one for one in _hours(connection, environment_id, hours)}
    due = []
    for hour in range(max(hours.start, time_of(first) // HOUR * HOUR), hours.stop, HOUR):
        one = kept.get(hour)
        if one is None or not one.stands(now):
            due.append((hour, True))
        elif not one.stands_opened(now):
            due.append((hour, False))
    return due


def _hours(connection: Connection, environment_id: str, hours: range) -> Iterator[CountedHour]:
    c = counted_hours.c
    within = (c.environment_id == environment_id) & (c.hour >= hours.start) & (c.hour < hours.stop)
    query = sa.select(*(c[name] for name in CountedHour._fields)).where(within)
    return (CountedHour(*row) for row in connection.execute(query))


def _counts(connection: Connection, environment_id: str, due: Iterable[tuple[Millis, bool]]) -> list[_Count]:
    return [_count(connection, environment_id, hour, whole) for hour, whole in due]


def _count(connection: Connection, environment_id: str, hour: Millis, whole: bool) -> _Count:
    """Asks first whether something is to come, then what came: what is missed then is still under way."""
    time = Stretch(hour, hour + HOUR, HOUR)
    if not whole:
        return _Count(hour, None, statistics.opened(connection, environment_id, time))
    waits = _waits(connection, environment_id, time)
    planned = _planned(connection, environment_id, time)
    rows = list(statistics.counted(connection, environment_id, time))
    done = sum(row.number for row in rows if row.status in _FINAL)
    return _Count(hour, not waits and done >= planned, rows)


_FINAL = frozenset({MessageStatus.DELIVERED, MessageStatus.FAILED, MessageStatus.CANCELLED})


def _waits(connection: Connection, environment_id: str, time: Stretch) -> bool:
    """Whether triggers are not expanded yet, or runs go on; triggers are read by their ids, which are few."""
    t, r = triggers.c, runs.c
    part = sa.exists().where(chunks.c.trigger_id == t.id, ~chunks.c.addressed)
    expanding = sa.exists().where(
        t.environment_id.concat("") == environment_id,
        *_made(t.id, time),
        t.cancelled_at.is_(None),
        ~t.expanded | part,
    )
    running = sa.exists().where(r.environment_id == environment_id, *_made(r.id, time), r.open)
    return bool(connection.scalar(sa.select(expanding | running)))


def _planned(connection: Connection, environment_id: str, time: Stretch) -> int:
    own = notifications.c
    within = (own.environment_id == environment_id, *_made(own.id, time))
    return connection.scalar(sa.select(sa.func.sum(own.planned)).where(*within)) or 0


def _made(identity: sa.ColumnElement[str], time: Stretch) -> tuple[sa.ColumnElement[bool], ...]:
    return identity >= earliest(time.after), identity < earliest(time.before)


def _kept(connection: Connection, environment_id: str, time: Stretch, upto: Millis) -> list[Counted]:
    c = hourly_counts.c
    at = c.at - c.at % sa.literal_column(str(time.step))
    sums = [sa.cast(sa.func.sum(column), sa.BigInteger) for column in (c.number, c.took)]
    query = (
        sa.select(
            at,
            c.integration_id,
            c.workflow_id,
            c.status,
            *sums,
            sa.func.max(c.slowest),
            sa.cast(sa.func.sum(c.dead), sa.BigInteger),
        )
        .where(c.environment_id == environment_id, c.hour >= time.after, c.hour < time.before, c.at < upto)
        .group_by(at, c.integration_id, c.workflow_id, c.status)
    )
    return [Counted(*row) for row in connection.execute(query)]


def _keep(connection: Connection, environment_id: str, counts: Sequence[_Count], now: Millis) -> None:
    """The row of the hour comes first: whoever else counts it waits there."""
    c = hourly_counts.c
    for one in counts:
        gone = (c.environment_id == environment_id) & (c.hour == one.hour)
        if one.settled is None:
            run(connection, _OPENED_AT, now, environment_id, one.hour)
            gone &= c.status == OPENED
        else:
            run(connection, _COUNTED_AT, environment_id, one.hour, now, now, one.settled)
        connection.execute(hourly_counts.delete().where(gone))
        rows = [{"environment_id": environment_id, "hour": one.hour, **row._asdict()} for row in one.rows]
        if rows:
            connection.execute(hourly_counts.insert(), rows)


_OPENED_AT = sql("UPDATE counted_hours SET opened_at = ? WHERE environment_id = ? AND hour = ?")
_COUNT_AGAIN = sql(
    "UPDATE counted_hours SET settled = FALSE WHERE environment_id = ? AND hour = ? AND settled"
)
_COUNTED_AT = sql("""
INSERT INTO counted_hours (environment_id, hour, counted_at, opened_at, settled) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (environment_id, hour) DO UPDATE SET
  counted_at = excluded.counted_at, opened_at = excluded.opened_at, settled = excluded.settled
""")
