"""Integrations that rest: the provider is away, or the set-up is refused. Nothing is lost by it."""

import pytest

from clarion.deliver.breaker import REFUSED_IN_A_ROW
from clarion.model.clock import HOUR, MINUTE, SECOND
from clarion.model.http import HttpReply
from clarion.store import health
from clarion.store.health import Health
from pipeline import LIFETIME, OK, TROUBLE, Counts, Pipeline

REFUSED = HttpReply(401)


async def state_of(pipeline: Pipeline) -> Health:
    await pipeline.worker.book.written()
    found = await pipeline.database.read(health.of, pipeline.integration.id)
    assert found is not None
    return found


async def spread(pipeline: Pipeline, people: int) -> list[str]:
    """Give so many people a phone each; their names, which are their tokens too."""
    names = [f"phone-{number}" for number in range(people)]
    await pipeline.register_all({name: [name] for name in names})
    return names


async def test_a_provider_that_is_away_is_asked_by_one_message_at_a_time(pipeline: Pipeline) -> None:
    names = await spread(pipeline, 60)
    for name in names:
        pipeline.sender.scripts[name] = [TROUBLE]
    await pipeline.trigger(*names)
    await pipeline.drain()
    assert len(pipeline.tokens_sent_to) == 60, "all at one moment, which may be one broken connection"
    pipeline.clock.now += 2 * SECOND
    await pipeline.drain()
    asked = len(pipeline.tokens_sent_to)
    assert 60 < asked <= 60 + 10, "what was under way, and no more"
    found = await state_of(pipeline)
    assert (found.state, found.code) == ("open", "http_503")
    pipeline.clock.now += 7 * SECOND
    await pipeline.drain()
    assert len(pipeline.tokens_sent_to) == asked + 1
    assert (await pipeline.ledger()).in_flight == 60
    pipeline.sender.scripts.clear()
    pipeline.clock.now += MINUTE
    await pipeline.drain()
    pipeline.clock.now += MINUTE
    await pipeline.drain()
    assert await pipeline.counts() == Counts(60, 60)
    assert (await state_of(pipeline)).state == "closed"
    states = [
        change.state for change in await pipeline.database.read(health.changes, pipeline.integration.id)
    ]
    assert states == ["closed", "open"], "told once each"


async def test_messages_wait_until_the_credentials_are_right(pipeline: Pipeline) -> None:
    names = await spread(pipeline, 30)
    for name in names:
        pipeline.sender.scripts[name] = [REFUSED]
    await pipeline.trigger(*names)
    await pipeline.drain()
    asked = len(pipeline.tokens_sent_to)
    assert REFUSED_IN_A_ROW <= asked <= REFUSED_IN_A_ROW + 10
    found = await state_of(pipeline)
    assert (found.state, found.code) == ("paused", "http_401")
    waiting = [item for item in await pipeline.sent() if item.code == "held"]
    assert all("paused" in item.explanation for item in waiting)
    assert len(waiting) == 30 - asked
    pipeline.sender.scripts.clear()
    await pipeline.configure()
    pipeline.clock.now += 2 * MINUTE
    await pipeline.drain()
    assert await pipeline.counts() == Counts(30, 30)


async def test_a_restart_does_not_forget_that_it_is_paused(pipeline: Pipeline) -> None:
    names = await spread(pipeline, 20)
    for name in names:
        pipeline.sender.scripts[name] = [REFUSED]
    await pipeline.trigger(*names)
    await pipeline.drain()
    await pipeline.worker.book.written()
    asked = len(pipeline.tokens_sent_to)
    await pipeline.restart()
    await pipeline.trigger(*names)
    await pipeline.drain()
    assert len(pipeline.tokens_sent_to) == asked
    pipeline.sender.scripts.clear()
    for _ in range(4):
        pipeline.clock.now += 5 * MINUTE
        await pipeline.drain()
    assert await pipeline.counts() == Counts(40, 40)


async def test_what_waits_too_long_expires_and_says_so(pipeline: Pipeline) -> None:
    names = await spread(pipeline, 10)
    for name in names:
        pipeline.sender.scripts[name] = [REFUSED]
    await pipeline.trigger(*names)
    await pipeline.drain()
    for _ in range(4):
        pipeline.clock.now += HOUR
        await pipeline.drain()
    assert await pipeline.counts() == Counts(10, 0, 10)
    assert {item.code for item in await pipeline.sent()} <= {"expired", "http_401"}


async def test_what_was_accepted_too_long_ago_is_not_sent_late(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "a1")
    await pipeline.trigger("ada")
    await pipeline.address()
    pipeline.clock.now += LIFETIME
    await pipeline.drain()
    assert pipeline.tokens_sent_to == []
    assert [(item.status, item.code) for item in await pipeline.sent()] == [("failed", "expired")]


@pytest.mark.parametrize("answer", [OK, HttpReply(400)])
async def test_answers_about_messages_open_nothing(pipeline: Pipeline, answer: HttpReply) -> None:
    names = await spread(pipeline, 50)
    for name in names:
        pipeline.sender.scripts[name] = [answer]
    await pipeline.trigger(*names)
    await pipeline.drain()
    assert len(pipeline.tokens_sent_to) == 50
    assert await pipeline.database.read(health.changes, pipeline.integration.id) == []
    await pipeline.worker.book.written()
