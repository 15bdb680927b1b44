"""The journal kit: what every journal does, on every footing.

A footing that is to be added is a line in `FOOTINGS` and the function that opens it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy.engine import Connection

from clarion.journal.consumer import LaneConsumer, LaneSupervisor
from clarion.journal.port import Batch, Journal, LeaseLost, Parked, ParkedFilter, Record, webhook_lane
from clarion.journal.replaying import replay_some
from clarion.journal.sql import LEASE, SqlJournal
from clarion.model.clock import HOUR, SECOND, Clock, Millis, system_clock
from clarion.store.database import Database
from clarion.store.postgresql import PostgresDatabase
from clarion.store.sqlite import SqliteDatabase
from embedded_files import put_embedded
from nats_servers import SHORT_LEASE, jetstream_journal, nats_server


class Footing(NamedTuple):
    """An empty journal on its database. `pass_time` lets milliseconds go by, by hand where that can be."""

    journal: Journal
    database: Database
    clock: Clock
    pass_time: Callable[[Millis], Awaitable[None]]
    lease: Millis


class HandClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = HOUR

    def __call__(self) -> Millis:
        return self.now

    async def move(self, millis: Millis) -> None:
        self.now += millis


Opened = AbstractAsyncContextManager[Footing]


@asynccontextmanager
async def in_tables(database: Database) -> AsyncIterator[Footing]:
    clock = HandClock()
    yield Footing(SqlJournal(database, clock), database, clock, clock.move, LEASE)
    await database.close()


def embedded(path: Path) -> SqliteDatabase:
    return SqliteDatabase(put_embedded(path / "clarion.db"))


def on_sqlite(path: Path, _: pytest.FixtureRequest) -> Opened:
    return in_tables(embedded(path))


def on_postgresql(_: Path, request: pytest.FixtureRequest) -> Opened:
    return in_tables(PostgresDatabase(request.getfixturevalue("postgres").make()))


@asynccontextmanager
async def on_jetstream(path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Footing]:
    database = embedded(path)
    async with jetstream_journal(request.getfixturevalue("nats_url"), database) as journal:
        yield Footing(journal, database, system_clock, sleep, SHORT_LEASE)
    await database.close()


FOOTINGS: dict[str, Callable[[Path, pytest.FixtureRequest], Opened]] = {
    "sqlite": on_sqlite,
    "postgresql": on_postgresql,
    "jetstream": on_jetstream,
}


async def sleep(millis: Millis) -> None:
    """The servers' time can't be moved by hand; they look for what is due four times a second."""
    await asyncio.sleep((millis + 300) / 1000)


@pytest.fixture(scope="session")
def nats_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with nats_server(tmp_path_factory.mktemp("nats")) as url:
        yield url


@pytest.fixture(params=FOOTINGS)
async def footing(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Footing]:
    async with FOOTINGS[request.param](tmp_path, request) as opened:
        yield opened


@pytest.fixture
def journal(footing: Footing) -> Journal:
    return footing.journal


def nothing(_: Connection) -> Sequence[Record]:
    return ()


async def bodies(journal: Journal, lane: str, most: int = 10) -> list[bytes]:
    """What is due in the lane, claimed and settled."""
    batches = await journal.claim(lane, most)
    for batch in batches:
        await journal.settle(batch, nothing)
    return [batch.body for batch in batches]


async def only(journal: Journal, lane: str) -> Batch:
    (batch,) = await journal.claim(lane, 10)
    return batch


async def test_records_come_out_in_the_order_they_went_in(journal: Journal) -> None:
    await journal.append([Record("a", b"1"), Record("b", b"x"), Record("a", b"2")])
    await journal.append([Record("a", b"3")])
    assert await bodies(journal, "a") == [b"1", b"2", b"3"]


async def test_no_more_is_claimed_than_asked_for(journal: Journal) -> None:
    await journal.append([Record("a", b"1"), Record("a", b"2"), Record("a", b"3")])
    assert await bodies(journal, "a", 2) == [b"1", b"2"]
    assert await bodies(journal, "a") == [b"3"]


async def test_a_body_is_any_bytes_up_to_megabytes(journal: Journal) -> None:
    large = bytes(range(256)) * 12_000
    await journal.append([Record("a", large), Record("a", b"")])
    assert await bodies(journal, "a") == [large, b""]


@pytest.mark.parametrize("lane", ["deliver:0192f00d", "a.b", "a:b:c", "x *>", "ü=2E", "deliver:"])
async def test_a_lane_has_any_name(journal: Journal, lane: str) -> None:
    await journal.append([Record(lane, b"mine"), Record("other", b"")])
    assert await journal.lanes("") == {lane, "other"}
    assert await bodies(journal, lane) == [b"mine"]
    assert await journal.lanes("") == {"other"}


async def test_a_leased_batch_is_nobody_elses_until_the_lease_runs_out(footing: Footing) -> None:
    journal = footing.journal
    await journal.append([Record("a", b"1")])
    first = await only(journal, "a")
    assert await journal.claim("a", 10) == []
    await footing.pass_time(footing.lease)
    second = await only(journal, "a")
    assert (second.id, first.claims, second.claims) == (first.id, 1, 2)
    for late in (journal.renew(first), journal.settle(first, lambda _: [Record("b", b"twice")])):
        with pytest.raises(LeaseLost):
            await late
    await journal.put_back(first, "late", 0)
    await journal.park(first, "late")
    assert await journal.parked() == []
    await journal.settle(second, nothing)
    assert await journal.lanes("") == set()


async def test_a_renewed_lease_holds(footing: Footing) -> None:
    journal = footing.journal
    await journal.append([Record("a", b"1")])
    batch = await only(journal, "a")
    for _ in range(5):
        await footing.pass_time(footing.lease // 4)
        await journal.renew(batch)
    assert await journal.claim("a", 10) == []
    await journal.settle(batch, nothing)
    assert await journal.lanes("") == set()


async def test_a_settled_batch_never_comes_back(footing: Footing) -> None:
    await footing.journal.append([Record("a", b"1")])
    await footing.journal.settle(await only(footing.journal, "a"), nothing)
    await footing.pass_time(footing.lease)
    assert await footing.journal.claim("a", 10) == []


async def test_settling_and_handing_on_are_one_change(journal: Journal) -> None:
    await journal.append([Record("a", b"1")])
    batch = await only(journal, "a")

    def fails(_: Connection) -> Sequence[Record]:
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        await journal.settle(batch, fails)
    await journal.settle(batch, lambda _: [Record("b", b"2"), Record("c", b"3")])
    assert await journal.lanes("") == {"b", "c"}
    assert await bodies(journal, "b") == [b"2"]
    assert await bodies(journal, "c") == [b"3"]


async def test_a_change_is_in_the_database_once_its_batch_is_settled(footing: Footing) -> None:
    def change(connection: Connection) -> Sequence[Record]:
        connection.exec_driver_sql("CREATE TABLE made (n INTEGER)")
        return ()

    await footing.journal.append([Record("a", b"1")])
    await footing.journal.settle(await only(footing.journal, "a"), change)
    count = "SELECT count(*) FROM made"
    assert await footing.database.read(lambda made: made.exec_driver_sql(count).scalar()) == 0


async def test_a_batch_that_hands_on_more_than_a_thousand_records_hands_on_all(journal: Journal) -> None:
    await journal.append([Record("a", b"1")])
    handed_on = [Record("b", str(n).encode()) for n in range(1001)]
    await journal.settle(await only(journal, "a"), lambda _: handed_on)
    assert [batch.body for batch in await journal.claim("b", 1001)] == [record.body for record in handed_on]


async def test_a_delayed_record_waits_for_its_time(footing: Footing) -> None:
    journal, now = footing.journal, footing.clock()
    await journal.append(
        [Record("a", b"late", now + SECOND), Record("a", b"past", now - 1), Record("a", b"now")]
    )
    assert await bodies(journal, "a") == [b"past", b"now"]
    await footing.pass_time(SECOND)
    assert await bodies(journal, "a") == [b"late"]


async def test_a_delayed_record_can_be_handed_on(footing: Footing) -> None:
    journal = footing.journal
    await journal.append([Record("a", b"1")])
    later = footing.clock() + SECOND
    await journal.settle(await only(journal, "a"), lambda _: [Record("a", b"later", later), Record("b", b"")])
    assert await bodies(journal, "b") == [b""]
    assert await bodies(journal, "a") == []
    await footing.pass_time(SECOND)
    assert await bodies(journal, "a") == [b"later"]


async def test_a_batch_put_back_rests_and_is_counted(footing: Footing) -> None:
    journal = footing.journal
    await journal.append([Record("a", b"1"), Record("a", b"2")])
    first, second = await journal.claim("a", 10)
    await journal.put_back(first, "ValueError: no", footing.clock() + SECOND)
    await journal.settle(second, nothing)
    assert await journal.claim("a", 10) == []
    await footing.pass_time(SECOND)
    again = await only(journal, "a")
    assert (again.body, again.claims) == (b"1", 2)


async def test_a_batch_given_back_is_due_at_once(footing: Footing) -> None:
    journal = footing.journal
    await journal.append([Record("a", b"1")])
    await journal.put_back(await only(journal, "a"), "the worker stopped", 0)
    await footing.pass_time(0)
    assert await bodies(journal, "a") == [b"1"]


async def test_a_parked_batch_is_visible_and_out_of_the_way(footing: Footing) -> None:
    journal = footing.journal
    await journal.append([Record("deliver:x", b"bad"), Record("deliver:x", b"good")])
    bad, good = await journal.claim("deliver:x", 10)
    await journal.park(bad, "ValueError: nö\r\nnext line")
    (parked,) = await journal.parked()
    assert parked == Parked(parked.id, "deliver:x", "ValueError: nö\r\nnext line", 1, parked.parked_at)
    assert abs(footing.clock() - parked.parked_at) < 10 * SECOND
    await journal.settle(good, nothing)
    await footing.pass_time(footing.lease)
    assert await journal.lanes("") == set()


async def test_a_parked_batch_is_replayed_as_if_it_were_new(journal: Journal) -> None:
    await journal.append([Record("deliver:x", b"bad")])
    await journal.park(await only(journal, "deliver:x"), "ValueError: no")
    (parked,) = await journal.parked()
    assert await journal.replay(parked.id)
    assert not await journal.replay(parked.id)
    assert await journal.parked() == []
    again = await only(journal, "deliver:x")
    assert (again.body, again.claims) == (b"bad", 1)


async def test_what_is_parked_is_read_in_pages(journal: Journal) -> None:
    await journal.append([Record("deliver:x", b"%d" % number) for number in range(5)])
    for batch in await journal.claim("deliver:x", 5):
        await journal.park(batch, f"no {batch.body!r}")
    every = await journal.parked()
    assert await journal.parked(0, 3) + await journal.parked(every[2].id, 3) == every
    assert await journal.parked(every[-1].id) == []
    assert len({one.error for one in every}) == 5
    done = await replay_some(journal, 0, 4)
    assert done == (4, every[3].id)
    assert await replay_some(journal, every[3].id, 4) == (1, None)
    assert await journal.parked() == []


async def test_what_is_parked_is_read_and_replayed_by_lane_and_kind_of_error(journal: Journal) -> None:
    errors = ("ValueError: no", "ValueErrors: none", "Value", "ValueError", "KeyError: ValueError: no")
    lanes = ("deliver:x", "deliver:xy")
    await journal.append([Record(lane, error.encode()) for lane in lanes for error in errors])
    for lane in lanes:
        for batch in await journal.claim(lane, len(errors)):
            await journal.park(batch, batch.body.decode())
    every = await journal.parked()
    assert len(every) == 10

    async def sought(wanted: ParkedFilter, most: int = 100, after: int = 0) -> list[Parked]:
        found = await journal.parked(after, most, wanted)
        assert found == [one for one in every if one.id > after and wanted.fits(one)][:most]
        return found

    both = await sought(ParkedFilter(kind="ValueError"))
    assert [(one.lane, one.error) for one in both] == [(lane, errors[n]) for lane in lanes for n in (0, 3)]
    assert len(await sought(ParkedFilter("deliver:x"))) == 5
    assert [one.error for one in await sought(ParkedFilter("deliver:xy", "KeyError"))] == [errors[4]]
    for nothing in ParkedFilter("deliver:"), ParkedFilter(kind="valueerror"), ParkedFilter("%", "%"):
        assert await sought(nothing) == []
    assert len(await sought(ParkedFilter(kind="ValueError"), most=3)) == 3
    assert len(await sought(ParkedFilter(kind="ValueError"), most=3, after=both[1].id)) == 2

    wanted = ParkedFilter("deliver:xy", "ValueError")
    assert await replay_some(journal, 0, 1, wanted) == (1, both[2].id)
    assert await replay_some(journal, both[2].id, 5, wanted) == (1, None)
    assert await journal.parked() == [one for one in every if not wanted.fits(one)]
    assert await journal.depth("deliver:xy", 9) == 2


async def test_lanes_are_listed_by_prefix(journal: Journal) -> None:
    await journal.append([Record(lane, b"") for lane in ("deliver:a", "deliver:b", "page", "deliver:a")])
    assert await journal.lanes("deliver:") == {"deliver:a", "deliver:b"}
    assert await journal.lanes("pa") == {"page"}
    assert await journal.lanes("") == {"deliver:a", "deliver:b", "page"}


async def test_depth_counts_up_to_a_bound(footing: Footing) -> None:
    journal, later = footing.journal, footing.clock() + HOUR
    await journal.append([Record("a", b"", 0), Record("a", b""), Record("a", b"", later), Record("a:b", b"")])
    await journal.claim("a", 1)
    assert [await journal.depth(lane, 5) for lane in ("a", "a:b", "c")] == [3, 1, 0]
    assert [await journal.depth("a", most) for most in (1, 3)] == [1, 3]


async def test_records_are_found_by_what_they_hold(journal: Journal) -> None:
    await journal.append([Record("a", b"\x81 txn_1 "), Record("a", b"txn_2"), Record("b", b"txn_3")])
    await journal.claim("a", 1)
    found = [await journal.matching("a", f"txn_{n}") for n in (1, 2, 3)]
    assert found == [[b"\x81 txn_1 "], [b"txn_2"], []]


async def test_who_waits_hears_of_a_record(journal: Journal) -> None:
    assert await journal.claim("a", 1) == []
    waiting = asyncio.create_task(journal.wait("a"))
    await journal.append([Record("a", b"1"), Record("a", b"2")])
    async with asyncio.timeout(5):
        await waiting
    got = await bodies(journal, "a")
    assert got + await bodies(journal, "a") == [b"1", b"2"]


async def test_a_failing_batch_does_not_block_its_lane(footing: Footing) -> None:
    journal = footing.journal
    done: list[bytes] = []
    finished = asyncio.Event()

    async def work(batch: Batch) -> None:
        if batch.body == b"bad":
            raise ValueError("no")
        await journal.settle(batch, nothing)
        done.append(batch.body)
        if len(done) == 3:
            finished.set()

    consumer = asyncio.create_task(LaneConsumer(journal, footing.clock, "a", work, slots=1).run())
    await journal.append([Record("a", body) for body in (b"bad", b"1", b"2", b"3")])
    async with asyncio.timeout(10):
        await finished.wait()
    consumer.cancel()
    await asyncio.gather(consumer, return_exceptions=True)
    assert done == [b"1", b"2", b"3"]
    assert await journal.lanes("") == {"a"}


async def test_a_lane_that_appears_gets_its_consumer(footing: Footing) -> None:
    journal = footing.journal
    seen: asyncio.Queue[str] = asyncio.Queue()

    async def work(batch: Batch) -> None:
        await journal.settle(batch, nothing)
        seen.put_nowait(batch.lane)

    supervisor = asyncio.create_task(LaneSupervisor(journal, footing.clock, "deliver:", work, slots=2).run())
    await journal.append([Record("deliver:one", b""), Record("deliver:two", b"")])
    async with asyncio.timeout(10):
        assert {await seen.get(), await seen.get()} == {"deliver:one", "deliver:two"}
    supervisor.cancel()
    await asyncio.gather(supervisor, return_exceptions=True)


@pytest.fixture(params=["sqlite", "postgresql"])
async def shared(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Footing]:
    """A footing with its tables in the database, where several journals can be."""
    async with FOOTINGS[request.param](tmp_path, request) as opened:
        yield opened


async def test_a_lane_in_turn_is_worked_on_one_record_at_a_time_by_whoever_is_first(shared: Footing) -> None:
    lane = webhook_lane("e")
    journals = [SqlJournal(shared.database, shared.clock) for _ in range(8)]
    await journals[0].append([Record(lane, b"%d" % number) for number in range(5)])
    done = []
    for _ in range(5):
        claims = await asyncio.gather(*(journal.claim(lane, 3) for journal in journals))
        (batch,) = [batch for found in claims for batch in found]
        done.append(batch.body)
        await journals[0].settle(batch, nothing)
    assert done == [b"0", b"1", b"2", b"3", b"4"]


async def test_who_waits_for_a_lane_in_turn_waits_as_long_as_it_is_leased(shared: Footing) -> None:
    lane = webhook_lane("e")
    first, second = (SqlJournal(shared.database, shared.clock) for _ in range(2))
    await first.append([Record(lane, b"0"), Record(lane, b"1")])
    await second.wait(lane)
    (batch,) = await first.claim(lane, 1)
    began = time.monotonic()
    await second.wait(lane)
    assert time.monotonic() - began > 0.4
    await shared.pass_time(LEASE)
    began = time.monotonic()
    await second.wait(lane)
    assert time.monotonic() - began < 0.4
    (again,) = await second.claim(lane, 1)
    assert again.body == batch.body
