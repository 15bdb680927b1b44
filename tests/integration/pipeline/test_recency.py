"""When workflows were last triggered, on either database."""

import asyncio

from clarion.model.clock import SECOND, Millis
from clarion.store import workflows
from pipeline import Pipeline

FLOW = "w-dev"


async def last(pipeline: Pipeline) -> Millis | None:
    return (await pipeline.database.read(workflows.last_triggered, [FLOW, "another"])).get(FLOW)


async def test_a_workflow_tells_when_it_was_last_triggered(
    pipeline: Pipeline,
) -> None:
    await pipeline.register("ada", "phone")
    assert await last(pipeline) is None
    begun = pipeline.clock.now
    await pipeline.trigger("ada")
    await pipeline.drain()
    first = await last(pipeline)
    assert first is not None
    assert first >= begun
    pipeline.clock.now += SECOND
    await pipeline.trigger(broadcast=True)
    await pipeline.drain()
    second = await last(pipeline)
    assert second is not None
    assert second >= first + SECOND


async def test_several_processes_keep_the_latest_time_and_a_workflow_that_is_gone_keeps_none(
    pipeline: Pipeline,
) -> None:
    times = [{FLOW: 10 * n, "gone": 5} for n in (3, 1, 5, 2)]
    await asyncio.gather(*(pipeline.database.write(workflows.note_triggered, item) for item in times))
    assert await pipeline.database.read(workflows.last_triggered, [FLOW, "gone"]) == {FLOW: 50}
    await pipeline.database.write(workflows.delete, FLOW)
    assert await last(pipeline) is None
