"""A person is removed while pushes are under way to them: nothing of it comes back."""

import asyncio

from sqlalchemy.engine import Connection

from clarion.model.clock import SECOND
from clarion.store import personal, subscribers
from pipeline import OK, TROUBLE, Pipeline


async def remove(pipeline: Pipeline, name: str) -> personal.Forgotten:
    """Remove a person with everything about them."""

    def write(connection: Connection) -> personal.Forgotten:
        person = subscribers.get(connection, pipeline.environment_id, name)
        assert person is not None
        forgotten = personal.forget_activity(connection, person, 100)
        personal.forget_person(connection, person)
        return forgotten

    return await pipeline.database.write(write)


async def test_what_waits_for_its_next_try_is_not_sent_and_leaves_nothing(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "adas")
    await pipeline.register("bob", "bobs")
    for phone in ("adas", "bobs"):
        pipeline.sender.scripts[phone] = [TROUBLE, OK]
    await pipeline.trigger("ada", "bob")
    await pipeline.drain()
    assert (await remove(pipeline, "ada")).under_way == 1
    pipeline.clock.now += 2 * SECOND
    await pipeline.drain()
    assert sorted(pipeline.tokens_sent_to) == ["adas", "bobs", "bobs"]
    assert [(item.token, item.status) for item in await pipeline.sent()] == [("bobs", "delivered")]
    found = await pipeline.ledger()
    assert (found.addressed, found.planned, found.in_flight) == (1, 1, 0)


async def test_what_is_with_the_provider_arrives_and_leaves_nothing(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "adas")
    await pipeline.register("bob", "bobs")
    await pipeline.trigger("ada", "bob")
    await pipeline.address()
    pipeline.sender.gate.clear()
    under_way = asyncio.create_task(pipeline.drain())
    async with asyncio.timeout(10):
        while len(pipeline.tokens_sent_to) < 2:
            await asyncio.sleep(0.01)
    assert (await remove(pipeline, "ada")).under_way == 1
    pipeline.sender.gate.set()
    await under_way
    assert [(item.token, item.status) for item in await pipeline.sent()] == [("bobs", "delivered")]
    assert (await pipeline.ledger()).in_flight == 0
