"""Frequency caps on either database: kept to by single triggers, broadcasts and workers that work at once."""

import asyncio
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.check.frequency import DEVICE, SUBSCRIBER, Cap
from clarion.journal.port import Record
from clarion.model.clock import DAY, HOUR
from clarion.model.trace import Event
from clarion.store import frequency, workflows
from clarion.store.tables import frequency_uses
from pipeline import Counts, Pipeline, call
from pushing import workflow

CAPPED = Event.FREQUENCY_CAPPED.code
TWO_AN_HOUR = Cap(SUBSCRIBER, 2, 1, "hours", ["high"])


async def limit(pipeline: Pipeline, *caps: Cap) -> None:
    catalog = pipeline.worker.catalog
    await catalog.change(frequency.set_policy, pipeline.environment_id, caps, pipeline.clock())


async def counted(pipeline: Pipeline) -> int:
    def read(connection: Connection) -> Any:
        return connection.scalar(sa.select(sa.func.count()).select_from(frequency_uses))

    return int(await pipeline.database.read(read))


async def outcomes(pipeline: Pipeline) -> list[tuple[int, list[str]]]:
    """What was planned for each notification and why no more, the most first."""
    found = [(planned, events) for _, planned, events in await pipeline.notified()]
    return sorted(found, reverse=True)


async def test_nobody_gets_more_than_the_cap_in_its_window_across_workflows(pipeline: Pipeline) -> None:
    await pipeline.register_all({"ada": ["a1", "a2"], "bob": ["b1"]})
    other = msgspec.structs.replace(
        workflow(), id="w-other", workflow_id="other", environment_id=pipeline.environment_id
    )
    await pipeline.worker.catalog.change(workflows.create, other)
    await limit(pipeline, TWO_AN_HOUR)
    for name in ("news", "other", "news"):
        await pipeline.trigger_together(msgspec.structs.replace(call("ada"), workflow=name))
        await pipeline.drain()
        pipeline.clock.now += 1
    assert await outcomes(pipeline) == [(2, []), (2, []), (0, [CAPPED])]
    await pipeline.trigger("bob")
    await pipeline.drain()
    pipeline.clock.now += HOUR
    await pipeline.trigger("ada")
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["a1", "a1", "a1", "a2", "a2", "a2", "b1"]
    assert await pipeline.counts() == Counts(7, 7, 0, 0, 1)


async def test_the_reason_says_which_cap(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "a1", "a2")
    await limit(pipeline, Cap(DEVICE, 1, 1, "days"), Cap(SUBSCRIBER, 9, 1, "days"))
    for _ in range(2):
        await pipeline.trigger("ada")
        await pipeline.drain()
    assert await outcomes(pipeline) == [(2, []), (0, [CAPPED, CAPPED])]
    assert await counted(pipeline) == 3


async def test_what_passes_goes_out_and_counts(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    await limit(pipeline, Cap(SUBSCRIBER, 1, 1, "hours", ["high"]))
    for severity in ("high", "high", "low"):
        await pipeline.trigger("ada", overrides={"severity": severity})
        await pipeline.drain()
    assert await outcomes(pipeline) == [(1, []), (1, []), (0, [CAPPED])]


async def test_a_broadcast_keeps_to_the_caps_and_counts(pipeline: Pipeline) -> None:
    await pipeline.register_all({name: [f"{name}-phone"] for name in ("ada", "bob")})
    await limit(pipeline, Cap(SUBSCRIBER, 1, 1, "days"))
    await pipeline.trigger("ada")
    await pipeline.drain()
    for _ in range(2):
        await pipeline.trigger(broadcast=True)
        await pipeline.drain()
    assert pipeline.tokens_sent_to == ["ada-phone", "bob-phone"]
    assert await pipeline.counts() == Counts(2, 2, 0, 0, 3)


@pytest.mark.parametrize("broadcast", [False, True])
async def test_workers_that_decide_at_once_keep_to_the_cap_together(
    pipeline: Pipeline, broadcast: bool
) -> None:
    await pipeline.register("ada", "phone")
    await limit(pipeline, Cap(SUBSCRIBER, 3, 1, "hours"))
    workers = [pipeline.another_worker() for _ in range(4)]
    for _ in range(12):
        await pipeline.trigger(*(() if broadcast else ("ada",)), broadcast=broadcast)
    lane = pipeline.accepted_lane
    if broadcast:
        for before in (pipeline.accepted_lane, pipeline.page_lane):
            await pipeline.work(before)
        lane = pipeline.chunk_lane

    async def address(number: int) -> None:
        worker = workers[number]
        for batch in await worker.journal.claim(lane, 3):
            await worker.work_of(lane)(batch)

    await asyncio.gather(*map(address, range(4)))
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["phone"] * 3
    assert await pipeline.counts() == Counts(3, 3, 0, 0, 9)


async def test_what_counts_no_more_is_forgotten(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    await limit(pipeline, TWO_AN_HOUR)
    for _ in range(3):
        await pipeline.trigger("ada")
        await pipeline.drain()
        pipeline.clock.now += DAY
    assert await counted(pipeline) == 1
    await limit(pipeline)
    await pipeline.trigger("ada")
    await pipeline.drain()
    assert await counted(pipeline) == 1


async def test_what_is_decided_again_is_decided_the_same(pipeline: Pipeline) -> None:
    """A journal beside the database may bring a batch again after its change was written."""
    await pipeline.register("ada", "phone")
    await limit(pipeline, Cap(SUBSCRIBER, 1, 1, "hours"))
    await pipeline.trigger("ada")
    batch = await pipeline.claim(pipeline.accepted_lane)
    await pipeline.worker.address.accepted(batch)
    await pipeline.worker.journal.append([Record(batch.lane, batch.body)])
    await pipeline.drain()
    assert await outcomes(pipeline) == [(1, [])]
    assert await counted(pipeline) == 1
    assert set(pipeline.tokens_sent_to) == {"phone"}
