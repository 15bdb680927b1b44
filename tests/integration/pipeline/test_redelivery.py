"""Workers die and batches come again: nothing is lost, and nothing recorded is done twice."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from clarion.journal.consumer import LaneConsumer
from clarion.journal.port import Batch, LeaseLost
from clarion.journal.sql import LEASE
from pipeline import GONE, TROUBLE, Counts, Pipeline, Worker

EVERYBODY = 1234


class Killed(BaseException):
    """Stands for the death of a worker."""


def die_before_settling(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """All the work of a batch is done but its end."""

    async def killed(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr(worker.journal, "settle_all", killed)


async def test_an_accepted_group_that_comes_again_changes_nothing(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pipeline.register("ada", "a1")
    await pipeline.trigger("ada", "new")
    batch = await pipeline.claim(pipeline.accepted_lane)
    die_before_settling(pipeline.worker, monkeypatch)
    with pytest.raises(Killed):
        await pipeline.worker.address.accepted(batch)
    await pipeline.restart()
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["a1"]
    assert sorted(name for name, _, _ in await pipeline.notified()) == ["ada", "new"]


async def test_an_addressed_group_handed_out_to_a_second_worker_sends_once(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "a1")
    await pipeline.trigger("ada")
    slow = await pipeline.claim(pipeline.accepted_lane)
    pipeline.clock.now += LEASE
    await pipeline.address()
    with pytest.raises(LeaseLost):
        await pipeline.worker.address.accepted(slow)
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["a1"]


async def test_a_delivery_that_was_recorded_whole_sends_nothing_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pipeline.register("ada", "a1", "a2", "dead")
    pipeline.sender.scripts["dead"] = [GONE]
    await pipeline.trigger("ada")
    await pipeline.address()
    batch = await pipeline.claim(await pipeline.delivery_lane())
    die_before_settling(pipeline.worker, monkeypatch)
    with pytest.raises(Killed):
        await pipeline.worker.deliver.work(batch)
    await pipeline.restart()
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["a1", "a2", "dead"]
    assert await pipeline.counts() == Counts(3, 2, 1, 0, 0)


async def test_a_delivery_that_died_half_way_sends_only_what_is_not_recorded(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "a1", "a2", "a3")
    pipeline.sender.scripts["a3"] = [Killed()]
    await pipeline.trigger("ada")
    await pipeline.address()
    with pytest.raises(BaseExceptionGroup):
        await pipeline.work(await pipeline.delivery_lane())
    async with asyncio.timeout(10):
        while len(await pipeline.sent()) < 2:
            await asyncio.sleep(0.01)
    await pipeline.restart()
    pipeline.sender.scripts.clear()
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["a1", "a2", "a3", "a3"]
    assert len(set(pipeline.message_ids("a3"))) == 1
    assert await pipeline.counts() == Counts(3, 3, 0, 0, 0)


async def test_what_waited_for_its_next_try_when_the_worker_died_is_tried_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pipeline.register("ada", "phone")
    pipeline.sender.scripts["phone"] = [TROUBLE]
    await pipeline.trigger("ada")
    await pipeline.address()
    batch = await pipeline.claim(await pipeline.delivery_lane())
    die_before_settling(pipeline.worker, monkeypatch)
    with pytest.raises(Killed):
        await pipeline.worker.deliver.work(batch)
    assert [item.status for item in await pipeline.sent()] == ["pending"]
    pipeline.sender.scripts.clear()
    await pipeline.restart()
    await pipeline.drain()
    assert len(set(pipeline.message_ids("phone"))) == 1
    assert await pipeline.counts() == Counts(1, 1, 0, 0, 0)


async def test_a_batch_two_workers_work_on_is_settled_by_one(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "a1", "a2")
    pipeline.sender.scripts["a2"] = [TROUBLE]
    await pipeline.trigger("ada")
    await pipeline.address()
    pipeline.sender.gate.clear()
    lane = await pipeline.delivery_lane()
    first = asyncio.create_task(pipeline.work(lane))
    async with asyncio.timeout(10):
        while len(pipeline.tokens_sent_to) < 2:
            await asyncio.sleep(0.01)
    pipeline.clock.now += LEASE
    second = asyncio.create_task(pipeline.work(lane))
    async with asyncio.timeout(10):
        while len(pipeline.tokens_sent_to) < 4:
            await asyncio.sleep(0.01)
    pipeline.sender.gate.set()
    ended = await asyncio.gather(first, second, return_exceptions=True)
    assert sorted(type(item).__name__ for item in ended) == ["LeaseLost", "int"]
    pipeline.sender.scripts.clear()
    pipeline.clock.now += LEASE
    await pipeline.drain()
    assert len(pipeline.message_ids("a2")) == 3
    assert all(len(set(pipeline.message_ids(token))) == 1 for token in ("a1", "a2"))
    assert await pipeline.counts() == Counts(2, 2, 0, 0, 0)


async def test_two_consumers_of_a_lane_share_its_batches(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "a1")
    for _ in range(60):
        await pipeline.trigger("ada")
    await pipeline.address()
    lane = await pipeline.delivery_lane()
    worked: Counter[int] = Counter()
    by: Counter[int] = Counter()

    def consumer(number: int) -> LaneConsumer:
        async def work(batch: Batch) -> None:
            worked[batch.id] += 1
            by[number] += 1
            await pipeline.worker.deliver.work(batch)

        return LaneConsumer(pipeline.worker.journal, pipeline.clock, lane, work, slots=2)

    tasks = [asyncio.create_task(consumer(number).run()) for number in (1, 2)]
    async with asyncio.timeout(20):
        while (await pipeline.ledger()).delivered < 60 or await pipeline.worker.journal.lanes(""):
            await asyncio.sleep(0.02)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert set(worked.values()) == {1}
    assert set(by) == {1, 2}
    assert len(pipeline.tokens_sent_to) == 60


async def crash_after_claiming(pipeline: Pipeline, lane: str) -> None:
    """A worker takes a batch and dies."""
    await pipeline.claim(lane)
    await pipeline.restart()


@pytest.mark.parametrize(("size", "per_page"), [(500, 20), (100, 3)])
async def test_a_broadcast_that_is_dropped_again_and_again_reaches_everybody_once(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, size: int, per_page: int
) -> None:
    monkeypatch.setattr("clarion.address.stage.CHUNK_SIZE", size)
    monkeypatch.setattr("clarion.address.stage.CHUNKS_PER_PAGE", per_page)
    await pipeline.register_all({f"p{n:04}": [f"t{n:04}"] for n in range(EVERYBODY)})
    await pipeline.trigger(broadcast=True)
    await crash_after_claiming(pipeline, pipeline.accepted_lane)
    await pipeline.address()
    await crash_after_claiming(pipeline, pipeline.page_lane)
    await pipeline.work(pipeline.page_lane)
    await crash_after_claiming(pipeline, pipeline.chunk_lane)
    with monkeypatch.context() as patch:
        chunk = await pipeline.claim(pipeline.chunk_lane)
        die_before_settling(pipeline.worker, patch)
        with pytest.raises(Killed):
            await pipeline.worker.address.chunk(chunk)
    await pipeline.restart()
    await pipeline.work(pipeline.chunk_lane)
    await crash_after_claiming(pipeline, await pipeline.delivery_lane())
    await pipeline.drain()
    everybody = range(EVERYBODY)
    assert sorted(name for name, _, _ in await pipeline.notified()) == [f"p{n:04}" for n in everybody]
    assert pipeline.tokens_sent_to == [f"t{n:04}" for n in everybody]
    assert await pipeline.counts() == Counts(EVERYBODY, EVERYBODY, 0, 0, 0)


async def test_a_broadcast_to_nobody_ends(pipeline: Pipeline) -> None:
    await pipeline.trigger(broadcast=True, transaction_id="t")
    await pipeline.drain()
    assert await pipeline.notified() == []
    assert not await pipeline.cancel("t")
