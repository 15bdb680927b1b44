"""The journal as a table beside the store: the stage's changes and the journal's share a commit."""

import asyncio
import secrets
from collections.abc import Sequence

from sqlalchemy.engine import Connection

from clarion.journal.port import (
    ALL_PARKED,
    IN_TURN,
    MOST_PARKED,
    Batch,
    Change,
    LeaseLost,
    Parked,
    ParkedFilter,
    Record,
)
from clarion.journal.summary import MOST_COUNTED, JournalSummary, LaneSummary, accepted_at
from clarion.model.clock import SECOND, Clock, Millis
from clarion.store.database import Database
from clarion.store.dialect import listed, run, run_many, sql, storable

LEASE: Millis = 4 * SECOND
CHANNEL = "clarion_journal"
"""Where PostgreSQL tells of new records."""

_MOST_MATCHING = 1000
_LONGEST_WAIT: Millis = SECOND // 2


class SqlJournal:
    """The journal on the store's own database."""

    transactional = True

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._owner = secrets.token_hex(8)
        self._bells: dict[str, asyncio.Event] = {}

    async def append(self, records: Sequence[Record]) -> None:
        if len(records) == 1:
            await self._database.write_alone(_append_one, records[0])
        else:
            await self._database.write(append_in, records)
        self._ring(records)

    async def append_with(self, change: Change) -> None:
        await self.settle_all((), change)

    async def lanes(self, prefix: str) -> set[str]:
        return await self._database.read(_lanes, prefix)

    async def claim(self, lane: str, most: int) -> list[Batch]:
        if lane.startswith(IN_TURN):
            return await self._database.write_alone(_claim_in_turn, lane, self._clock(), self._owner)
        return await self._database.write_alone(_claim, lane, most, self._clock(), self._owner)

    async def renew(self, *batches: Batch) -> None:
        await self._database.write_alone(_renew, batches, self._clock() + LEASE)

    async def settle(self, batch: Batch, change: Change) -> None:
        await self.settle_all((batch,), change)

    async def settle_all(self, batches: Sequence[Batch], change: Change) -> None:
        def together(connection: Connection) -> Sequence[Record]:
            records = change(connection)
            append_in(connection, records)
            _end(connection, batches)
            return records

        self._ring(await self._database.write(together))

    async def put_back(self, batch: Batch, error: str, not_before: Millis) -> None:
        await self._database.write(_put_back, batch, error, not_before)

    async def park(self, batch: Batch, error: str) -> None:
        await self._database.write(_park, batch, error, self._clock())

    async def parked(
        self, after: int = 0, most: int = MOST_PARKED, wanted: ParkedFilter = ALL_PARKED
    ) -> list[Parked]:
        return await self._database.read(_parked, after, most, wanted)

    async def replay(self, parked_id: int) -> bool:
        lane = await self._database.write(_replay, parked_id)
        if lane is not None:
            self._ring([Record(lane, b"")])
        return lane is not None

    async def depth(self, lane: str, most: int) -> int:
        return await self._database.read(_depth, lane, most)

    async def matching(self, lane: str, text: str) -> list[bytes]:
        return await self._database.read(_matching, lane, text.encode())

    async def summary(self) -> JournalSummary:
        """How the journal stands, for operators; numbers end at `MOST_COUNTED`."""
        return await self._database.read(_summary, self._clock())

    async def wait(self, lane: str) -> None:
        bell = self._bell(lane)
        next_due = await self._database.read(_next_due, lane)
        pause = _LONGEST_WAIT if next_due is None else min(max(next_due - self._clock(), 0), _LONGEST_WAIT)
        try:
            async with asyncio.timeout(pause / 1000):
                await bell.wait()
        except TimeoutError:
            pass
        bell.clear()

    async def release_all(self) -> int:
        """Make every leased batch due again: for a worker that knows it is the only one, at its start."""
        return await self._database.write(_release_all)

    def ring(self, lane: str) -> None:
        """Wake who waits for the lane; a new lane wakes who waits for its kind."""
        if lane not in self._bells:
            self._bell(_family(lane)).set()
        self._bell(lane).set()

    def _ring(self, records: Sequence[Record]) -> None:
        for lane in _due_now(records):
            self.ring(lane)

    def _bell(self, lane: str) -> asyncio.Event:
        return self._bells.setdefault(lane, asyncio.Event())


def _family(lane: str) -> str:
    """The prefix that lanes of a kind share: who waits for it hears of new ones."""
    kind, colon, _ = lane.partition(":")
    return kind + colon


def _due_now(records: Sequence[Record]) -> set[str]:
    return {record.lane for record in records if not record.not_before}


_APPEND = sql("""
INSERT INTO journal (lane, not_before, leased_until, lease, claims, body) VALUES (?, ?, 0, '', 0, ?)
""")

# The same for one record, on PostgreSQL told to every process in the same round trip.
_APPEND_ONE = sql(
    "INSERT INTO journal (lane, not_before, leased_until, lease, claims, body) VALUES (?, ?, 0, '', 0, ?)",
    postgresql="""
WITH added AS (
  INSERT INTO journal (lane, not_before, leased_until, lease, claims, body)
  VALUES (?, ?, 0, '', 0, ?) RETURNING lane, not_before)
SELECT pg_notify(?, lane) FROM added WHERE not_before = 0
""",
)

# Finds the earliest moment at which a record of the lane may be claimed.
_NEXT = sql("""
SELECT MIN(CASE WHEN not_before > leased_until THEN not_before ELSE leased_until END) FROM (
  SELECT not_before, leased_until FROM journal
  WHERE lane = ? AND parked_at IS NULL ORDER BY not_before, id LIMIT 1000) AS soonest
""")

# Leases the oldest due records of a lane; on PostgreSQL past those that others are leasing right now, and
# with an array, since a subquery is joined by reading the whole table when a million timers are pending.
_CLAIM = sql(
    """
UPDATE journal SET lease = ?, leased_until = ?, claims = claims + 1 WHERE id IN (
  SELECT id FROM journal
  WHERE lane = ? AND parked_at IS NULL AND not_before <= ? AND leased_until <= ?
  ORDER BY not_before, id LIMIT ?)
RETURNING id, lane, body, claims, lease
""",
    postgresql="""
UPDATE journal SET lease = ?, leased_until = ?, claims = claims + 1 WHERE id = ANY(ARRAY(
  SELECT id FROM journal
  WHERE lane = ? AND parked_at IS NULL AND not_before <= ? AND leased_until <= ?
  ORDER BY not_before, id LIMIT ? FOR UPDATE SKIP LOCKED))
RETURNING id, lane, body, claims, lease
""",
)

# Leases the first record of a lane where none is leased. Of two that look at once, the second finds the
# record leased after all.
_CLAIM_IN_TURN = sql("""
UPDATE journal SET lease = ?, leased_until = ?, claims = claims + 1 WHERE leased_until <= ? AND id = (
  SELECT id FROM journal
  WHERE lane = ? AND parked_at IS NULL AND not_before <= ? AND NOT EXISTS (
    SELECT 1 FROM (
      SELECT leased_until FROM journal
      WHERE lane = ? AND parked_at IS NULL ORDER BY not_before, id LIMIT 100) AS first
    WHERE leased_until > ?)
  ORDER BY not_before, id LIMIT 1)
RETURNING id, lane, body, claims, lease
""")

# Finds the earliest moment at which such a lane may be claimed from.
_NEXT_IN_TURN = sql("""
SELECT MIN(not_before), MAX(leased_until) FROM (
  SELECT not_before, leased_until FROM journal
  WHERE lane = ? AND parked_at IS NULL ORDER BY not_before, id LIMIT 100) AS first
""")

# Lists the lanes that begin with a prefix, one index step per lane.
_LANES = sql("""
WITH RECURSIVE found(lane) AS (
  SELECT MIN(lane) FROM journal WHERE lane >= ? AND parked_at IS NULL
  UNION ALL
  SELECT (SELECT MIN(lane) FROM journal WHERE lane > found.lane AND parked_at IS NULL)
  FROM found WHERE found.lane IS NOT NULL)
SELECT lane FROM found WHERE lane IS NOT NULL AND substr(lane, 1, ?) = ?
""")

_DEPTH = sql("""
SELECT COUNT(*) FROM (SELECT 1 FROM journal WHERE lane = ? AND parked_at IS NULL LIMIT ?) AS counted
""")

# Counts the first records of a lane: all, those due, those leased.
_COUNTED = sql("""
SELECT COUNT(*), COALESCE(SUM(due), 0), COALESCE(SUM(leased), 0) FROM (
  SELECT CASE WHEN not_before <= ? AND leased_until <= ? THEN 1 ELSE 0 END AS due,
    CASE WHEN leased_until > ? THEN 1 ELSE 0 END AS leased
  FROM journal WHERE lane = ? AND parked_at IS NULL ORDER BY not_before, id LIMIT ?) AS counted
""")
_NEXT_IN_LINE = sql("""
SELECT body FROM journal WHERE lane = ? AND parked_at IS NULL ORDER BY not_before, id LIMIT 1
""")

_COUNT_PARKED = sql("""
SELECT COUNT(*) FROM (SELECT 1 FROM journal WHERE parked_at IS NOT NULL LIMIT ?) AS counted
""")
_MATCHING = sql(
    "SELECT body FROM journal WHERE lane = ? AND parked_at IS NULL AND instr(body, ?) > 0 LIMIT ?",
    postgresql="""
SELECT body FROM journal WHERE lane = ? AND parked_at IS NULL AND position(? IN body) > 0 LIMIT ?
""",
)
# Tells every process which lanes have news, when the transaction commits.
_NOTIFY = sql("SELECT pg_notify(?, j.value) FROM {texts}")
# Batches that were claimed together have one lease.
_RENEW = sql(
    "UPDATE journal SET leased_until = ? WHERE id IN (SELECT j.value FROM {numbers}) AND lease = ?",
    postgresql="""
UPDATE journal SET leased_until = ? WHERE id = ANY(ARRAY(SELECT j.value FROM {numbers})) AND lease = ?
""",
)
_END = sql(
    "DELETE FROM journal WHERE id IN (SELECT j.value FROM {numbers}) AND lease = ?",
    postgresql="DELETE FROM journal WHERE id = ANY(ARRAY(SELECT j.value FROM {numbers})) AND lease = ?",
)
_PUT_BACK = sql("""
UPDATE journal SET lease = '', leased_until = 0, not_before = ?, error = ? WHERE id = ? AND lease = ?
""")
_PARK = sql("""
UPDATE journal SET lease = '', leased_until = 0, parked_at = ?, error = ? WHERE id = ? AND lease = ?
""")
_RELEASE_ALL = sql("UPDATE journal SET lease = '', leased_until = 0 WHERE lease <> ''")
_PARKED = sql("""
SELECT id, lane, error, claims, parked_at FROM journal
WHERE parked_at IS NOT NULL AND id > ? AND (? = '' OR lane = ?)
  AND (? = '' OR error = ? OR substr(error, 1, ?) = ?)
ORDER BY id LIMIT ?
""")
_REPLAY = sql("""
UPDATE journal SET parked_at = NULL, not_before = 0, claims = 0, error = NULL
WHERE id = ? AND parked_at IS NOT NULL RETURNING lane
""")


def append_in(connection: Connection, records: Sequence[Record]) -> None:
    """Add records in the transaction of what they follow from; on SQLite whoever waits sees them within half
    a second, or when their lane is rung after the commit."""
    if records:
        rows = [(record.lane, record.not_before, record.body) for record in records]
        run_many(connection, _APPEND, rows)
        if connection.dialect.name == "postgresql":
            run(connection, _NOTIFY, CHANNEL, listed(_due_now(records)))


def _append_one(connection: Connection, record: Record) -> None:
    notified = (CHANNEL,) if connection.dialect.name == "postgresql" else ()
    run(connection, _APPEND_ONE, record.lane, record.not_before, record.body, *notified)


def _summary(connection: Connection, now: Millis) -> JournalSummary:
    lanes = [_lane_summary(connection, lane, now) for lane in sorted(_lanes(connection, ""))]
    parked: int = run(connection, _COUNT_PARKED, MOST_COUNTED).scalar_one()
    return JournalSummary([lane for lane in lanes if lane.records], parked)


def _lane_summary(connection: Connection, lane: str, now: Millis) -> LaneSummary:
    records, due, leased = run(connection, _COUNTED, now, now, now, lane, MOST_COUNTED).one()
    body: bytes | None = run(connection, _NEXT_IN_LINE, lane).scalar()
    since = accepted_at(body) if body else None
    return LaneSummary(lane, records, due, leased, None if since is None else max(now - since, 0))


def _matching(connection: Connection, lane: str, text: bytes) -> list[bytes]:
    return list(run(connection, _MATCHING, lane, text, _MOST_MATCHING).scalars())


def _depth(connection: Connection, lane: str, most: int) -> int:
    found: int = run(connection, _DEPTH, lane, most).scalar_one()
    return found


def _claim(connection: Connection, lane: str, most: int, now: Millis, owner: str) -> list[Batch]:
    lease = f"{owner}:{secrets.token_hex(4)}"
    rows = run(connection, _CLAIM, lease, now + LEASE, lane, now, now, most).all()
    return sorted((Batch(*row) for row in rows), key=lambda batch: batch.id)


def _claim_in_turn(connection: Connection, lane: str, now: Millis, owner: str) -> list[Batch]:
    lease = f"{owner}:{secrets.token_hex(4)}"
    rows = run(connection, _CLAIM_IN_TURN, lease, now + LEASE, now, lane, now, lane, now).all()
    return [Batch(*row) for row in rows]


def _lanes(connection: Connection, prefix: str) -> set[str]:
    return set(run(connection, _LANES, prefix, len(prefix), prefix).scalars())


def _next_due(connection: Connection, lane: str) -> Millis | None:
    if lane.startswith(IN_TURN):
        due, leased = run(connection, _NEXT_IN_TURN, lane).one()
        return None if due is None else max(due, leased)
    found: Millis | None = run(connection, _NEXT, lane).scalar()
    return found


def _renew(connection: Connection, batches: Sequence[Batch], until: Millis) -> None:
    for lease, ids in _by_lease(batches).items():
        _must_own(run(connection, _RENEW, until, listed(ids), lease).rowcount, len(ids))


def _end(connection: Connection, batches: Sequence[Batch]) -> None:
    for lease, ids in _by_lease(batches).items():
        _must_own(run(connection, _END, listed(ids), lease).rowcount, len(ids))


def _by_lease(batches: Sequence[Batch]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for batch in batches:
        found.setdefault(batch.lease, []).append(batch.id)
    return found


def _put_back(connection: Connection, batch: Batch, error: str, not_before: Millis) -> None:
    run(connection, _PUT_BACK, not_before, storable(error), batch.id, batch.lease)


def _park(connection: Connection, batch: Batch, error: str, now: Millis) -> None:
    run(connection, _PARK, now, storable(error), batch.id, batch.lease)


def _release_all(connection: Connection) -> int:
    return run(connection, _RELEASE_ALL).rowcount


def _parked(connection: Connection, after: int, most: int, wanted: ParkedFilter) -> list[Parked]:
    lane, kind = map(storable, wanted)
    sought = (lane, lane, kind, kind, len(kind) + 1, f"{kind}:")
    return [Parked(*row) for row in run(connection, _PARKED, after, *sought, most)]


def _replay(connection: Connection, parked_id: int) -> str | None:
    lane: str | None = run(connection, _REPLAY, parked_id).scalar()
    return lane


def _must_own(changed: int, wanted: int) -> None:
    if changed != wanted:
        raise LeaseLost("the lease ran out and the batch was handed to somebody else")
