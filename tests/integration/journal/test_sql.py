import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy.engine import Connection

from clarion.journal.consumer import LaneConsumer, LaneSupervisor, pause_after
from clarion.journal.port import Batch, LeaseLost, Record
from clarion.journal.sql import LEASE, SqlJournal
from clarion.model.clock import HOUR, MINUTE, SECOND
from clarion.store.database import Database


class HandClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = HOUR

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def journal(database: Database, clock: HandClock) -> SqlJournal:
    return SqlJournal(database, clock)


def nothing(_: Connection) -> Sequence[Record]:
    return ()


async def test_records_come_out_in_the_order_they_went_in(journal: SqlJournal) -> None:
    await journal.append([Record("a", b"1"), Record("b", b"x"), Record("a", b"2")])
    assert [batch.body for batch in await journal.claim("a", 10)] == [b"1", b"2"]


async def test_a_leased_batch_is_nobody_elses_until_the_lease_runs_out(
    journal: SqlJournal, clock: HandClock
) -> None:
    await journal.append([Record("a", b"1")])
    (first,) = await journal.claim("a", 10)
    assert await journal.claim("a", 10) == []
    clock.now += LEASE
    (second,) = await journal.claim("a", 10)
    assert (second.id, second.claims) == (first.id, 2)
    with pytest.raises(LeaseLost):
        await journal.settle(first, lambda _: [Record("a", b"twice")])
    await journal.settle(second, nothing)
    assert await journal.lanes("") == set()


async def test_a_renewed_lease_holds(journal: SqlJournal, clock: HandClock) -> None:
    await journal.append([Record("a", b"1")])
    (batch,) = await journal.claim("a", 10)
    clock.now += LEASE - 1
    await journal.renew(batch)
    clock.now += LEASE - 1
    assert await journal.claim("a", 10) == []


async def test_settling_and_handing_on_are_one_change(journal: SqlJournal) -> None:
    await journal.append([Record("a", b"1")])
    (batch,) = await journal.claim("a", 10)

    def fails(_: Connection) -> Sequence[Record]:
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        await journal.settle(batch, fails)
    await journal.settle(batch, lambda _: [Record("b", b"2")])
    assert await journal.lanes("") == {"b"}


async def test_a_delayed_record_waits_for_its_time(journal: SqlJournal, clock: HandClock) -> None:
    await journal.append([Record("a", b"1", clock.now + 1)])
    assert await journal.claim("a", 10) == []
    clock.now += 1
    assert len(await journal.claim("a", 10)) == 1


async def test_a_parked_batch_is_visible_and_out_of_the_way(journal: SqlJournal) -> None:
    await journal.append([Record("a", b"bad"), Record("a", b"good")])
    bad, good = await journal.claim("a", 10)
    await journal.park(bad, "ValueError: no")
    assert [(parked.id, parked.error) for parked in await journal.parked()] == [(bad.id, "ValueError: no")]
    await journal.settle(good, nothing)
    assert await journal.lanes("") == set()


async def test_the_only_worker_takes_up_at_once_what_a_killed_one_held(journal: SqlJournal) -> None:
    await journal.append([Record("a", b"1")])
    await journal.claim("a", 10)
    assert await journal.release_all() == 1
    assert len(await journal.claim("a", 10)) == 1


async def test_lanes_are_listed_by_prefix(journal: SqlJournal) -> None:
    await journal.append([Record(lane, b"") for lane in ("deliver:a", "deliver:b", "page", "deliver:a")])
    assert await journal.lanes("deliver:") == {"deliver:a", "deliver:b"}


@pytest.mark.parametrize(("failures", "pause"), [(1, SECOND), (2, 2 * SECOND), (50, 5 * MINUTE)])
def test_a_batch_that_fails_rests_longer_each_time(failures: int, pause: int) -> None:
    assert pause_after(failures) == pause


async def test_a_failing_batch_does_not_block_its_lane(journal: SqlJournal, clock: HandClock) -> None:
    done: list[bytes] = []
    finished = asyncio.Event()

    async def work(batch: Batch) -> None:
        if batch.body == b"bad":
            raise ValueError("no")
        await journal.settle(batch, nothing)
        done.append(batch.body)
        if len(done) == 3:
            finished.set()

    consumer = asyncio.create_task(LaneConsumer(journal, clock, "a", work, slots=1).run())
    await journal.append([Record("a", body) for body in (b"bad", b"1", b"2", b"3")])
    async with asyncio.timeout(10):
        await finished.wait()
    consumer.cancel()
    await asyncio.gather(consumer, return_exceptions=True)
    assert done == [b"1", b"2", b"3"]
    assert await journal.lanes("") == {"a"}


async def test_a_lane_that_appears_gets_its_consumer(journal: SqlJournal, clock: HandClock) -> None:
    seen: asyncio.Queue[str] = asyncio.Queue()

    async def work(batch: Batch) -> None:
        await journal.settle(batch, nothing)
        seen.put_nowait(batch.lane)

    supervisor = asyncio.create_task(LaneSupervisor(journal, clock, "deliver:", work, slots=2).run())
    await journal.append([Record("deliver:one", b""), Record("deliver:two", b"")])
    async with asyncio.timeout(10):
        assert {await seen.get(), await seen.get()} == {"deliver:one", "deliver:two"}
    supervisor.cancel()
    await asyncio.gather(supervisor, return_exceptions=True)
