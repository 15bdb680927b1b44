import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import pytest

from clarion.errors import DatabaseUnavailable
from clarion.journal import consumer
from clarion.journal.consumer import (
    MOST_BYTES_TOGETHER,
    MOST_FAILURES,
    Grouping,
    LaneConsumer,
    LaneSupervisor,
    Work,
    pause_after,
)
from clarion.journal.port import Batch, Journal, LeaseLost
from clarion.model.clock import MINUTE, SECOND

AWAY = DatabaseUnavailable("PostgreSQL can't be reached")


@pytest.mark.parametrize(("failures", "pause"), [(1, SECOND), (2, 2 * SECOND), (50, 5 * MINUTE)])
def test_a_batch_that_fails_rests_longer_each_time(failures: int, pause: int) -> None:
    assert pause_after(failures) == pause


class FlakyJournal:
    """Hands out one batch; fails each call with the errors set for it, one after the other."""

    transactional = True

    def __init__(self, claims: int = 1) -> None:
        self.batches = [Batch(1, "lane", b"", claims, "ours")]
        self.errors: dict[str, list[Exception]] = {}
        self.calls: list[str] = []
        self.idle = asyncio.Event()

    async def lanes(self, prefix: str) -> set[str]:
        self._called("lanes")
        return {"lane"}

    async def claim(self, lane: str, most: int) -> list[Batch]:
        self._called("claim")
        found, self.batches = self.batches, []
        return found

    async def wait(self, lane: str) -> None:
        self._called("wait")
        self.idle.set()
        await asyncio.Event().wait()

    async def renew(self, *batches: Batch) -> None:
        self._called("renew")

    async def put_back(self, batch: Batch, error: str, not_before: int) -> None:
        self._called("put_back")

    async def park(self, batch: Batch, error: str) -> None:
        self._called("park")

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.errors.get(name):
            raise self.errors[name].pop(0)


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Breaths take none; a lease of 4 ms is renewed each millisecond."""
    monkeypatch.setattr(consumer, "_BREATH_SECONDS", 0)
    monkeypatch.setattr(consumer, "_RENEW_AGAIN", 1)
    monkeypatch.setattr(consumer, "LEASE", 4)


async def until(journal: FlakyJournal, runner: Callable[[], Awaitable[None]], done: asyncio.Event) -> None:
    """Run until `done`, and stop."""
    task = asyncio.ensure_future(runner())
    async with asyncio.timeout(30):
        await done.wait()
        await journal.idle.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def lane(journal: FlakyJournal, work: Work, grouping: Grouping | None = None) -> LaneConsumer:
    return LaneConsumer(cast("Journal", journal), lambda: 0, "lane", work, 4, grouping)


def batches(*sizes: int) -> list[Batch]:
    return [Batch(place, "lane", bytes(size), 1, "ours") for place, size in enumerate(sizes, 1)]


async def test_what_waits_together_is_done_in_one_pass() -> None:
    journal, worked = FlakyJournal(), asyncio.Event()
    journal.batches = batches(1, 2, 3)
    passes: list[list[int]] = []

    async def together(lot: Sequence[Batch]) -> None:
        passes.append([batch.id for batch in lot])
        worked.set()

    await until(journal, lane(journal, unwanted, Grouping(together, 10)).run, worked)
    assert passes == [[1, 2, 3]]


async def test_much_is_not_done_in_one_pass() -> None:
    journal, worked = FlakyJournal(), asyncio.Event()
    journal.batches = batches(MOST_BYTES_TOGETHER - 1, 1, 1)
    passes: list[list[int]] = []

    async def together(lot: Sequence[Batch]) -> None:
        passes.append([batch.id for batch in lot])

    async def alone(batch: Batch) -> None:
        passes.append([batch.id])
        worked.set()

    await until(journal, lane(journal, alone, Grouping(together, 10)).run, worked)
    assert passes == [[1, 2], [3]]


@pytest.mark.parametrize("error", [ValueError("poison"), LeaseLost("late"), AWAY])
async def test_a_pass_that_fails_is_done_batch_by_batch(error: Exception) -> None:
    journal, failed = FlakyJournal(), asyncio.Event()
    journal.batches = batches(1, 1, 1)
    done: list[int] = []

    async def together(lot: Sequence[Batch]) -> None:
        raise error

    async def alone(batch: Batch) -> None:
        if batch.id == 2:
            raise error
        done.append(batch.id)
        if batch.id == 3:
            failed.set()

    await until(journal, lane(journal, alone, Grouping(together, 10)).run, failed)
    assert done == [1, 3]
    assert journal.calls.count("put_back") == (0 if isinstance(error, LeaseLost) else 1)


async def test_a_journal_that_settles_one_at_a_time_is_given_one_at_a_time() -> None:
    journal, worked = FlakyJournal(), asyncio.Event()
    journal.transactional = False
    journal.batches = batches(1, 1)
    done: list[int] = []

    async def alone(batch: Batch) -> None:
        done.append(batch.id)
        worked.set()

    await until(journal, lane(journal, alone, Grouping(unwanted_together, 10)).run, worked)
    assert done == [1, 2]


async def unwanted(_: Batch) -> None:
    raise AssertionError("should have been done together")


async def unwanted_together(_: Sequence[Batch]) -> None:
    raise AssertionError("should have been done alone")


@pytest.mark.parametrize("call", ["claim", "wait"])
@pytest.mark.parametrize("error", [AWAY, ValueError("unforeseen")])
async def test_a_lane_is_worked_on_after_the_journal_was_away(call: str, error: Exception) -> None:
    journal, worked = FlakyJournal(), asyncio.Event()
    later, journal.batches = journal.batches, [] if call == "wait" else journal.batches
    journal.errors[call] = [error, error]

    async def work(_: Batch) -> None:
        worked.set()

    async def run() -> None:
        task = asyncio.ensure_future(lane(journal, work).run())
        await asyncio.sleep(0)
        journal.batches = later
        await task

    await until(journal, run, worked)


@pytest.mark.parametrize("call", ["lanes", "wait"])
async def test_lanes_are_looked_for_after_the_journal_was_away(call: str) -> None:
    journal, worked = FlakyJournal(), asyncio.Event()
    journal.errors[call] = [AWAY, AWAY]

    async def work(_: Batch) -> None:
        worked.set()

    supervisor = LaneSupervisor(cast("Journal", journal), lambda: 0, "lane", work, 4)
    await until(journal, supervisor.run, worked)
    assert journal.calls.count("lanes") >= 2


async def test_work_ends_when_its_lease_is_somebody_elses() -> None:
    journal, ended = FlakyJournal(), asyncio.Event()
    journal.errors["renew"] = [AWAY, LeaseLost("late")]

    async def work(_: Batch) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    await until(journal, lane(journal, work).run, ended)
    assert journal.calls.count("renew") == 2
    assert "put_back" not in journal.calls


@pytest.mark.parametrize(
    ("error", "claims", "end"),
    [
        (ValueError("poison"), MOST_FAILURES, "park"),
        (ValueError("poison"), MOST_FAILURES - 1, "put_back"),
        (AWAY, MOST_FAILURES, "put_back"),
    ],
)
async def test_what_fails_for_a_reason_of_its_own_is_parked_in_the_end_and_an_outage_is_none(
    error: Exception, claims: int, end: str
) -> None:
    journal, failed = FlakyJournal(claims), asyncio.Event()

    async def work(_: Batch) -> None:
        failed.set()
        raise error

    await until(journal, lane(journal, work).run, failed)
    assert [call for call in journal.calls if call in ("park", "put_back")] == [end]


async def test_a_batch_that_can_not_be_put_back_ends_nobody() -> None:
    journal, worked = FlakyJournal(), asyncio.Event()
    journal.errors["put_back"] = [AWAY]
    journal.batches *= 2
    done: list[Any] = []

    async def work(batch: Batch) -> None:
        done.append(batch)
        if len(done) == 1:
            raise AWAY
        worked.set()

    await until(journal, lane(journal, work).run, worked)
    assert journal.calls.count("put_back") == 1


class SwallowingJournal(FlakyJournal):
    """Takes a cancellation for the end of its wait, as `wait_for` of Python 3.11 may."""

    async def wait(self, lane: str) -> None:
        try:
            await super().wait(lane)
        except asyncio.CancelledError:
            self.calls.append("swallowed")


async def test_a_cancellation_that_a_wait_swallowed_ends_the_work() -> None:
    async def work(batch: Batch) -> None:
        pass

    journal = SwallowingJournal()
    task = asyncio.create_task(LaneConsumer(cast("Journal", journal), lambda: 0, "lane", work, slots=1).run())
    await journal.idle.wait()
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=5)
    assert done == {task}
    assert task.cancelled()
    assert journal.calls[-1] == "swallowed"
