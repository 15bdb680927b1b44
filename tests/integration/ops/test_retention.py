"""Old activity is forgotten whole, in small steps, and what is kept still adds up."""

import asyncio
import time
from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import DAY, HOUR, SECOND, system_clock
from clarion.model.weeks import week_of
from clarion.ops import retention
from clarion.ops.retention import Pruned, Retention
from clarion.store import engagements, pruning, sandbox
from clarion.store.database import Database
from clarion.store.tables import (
    engagements as reports,
)
from clarion.store.tables import integration_changes, messages, notifications, trigger_topics, triggers
from pipeline import TROUBLE, Counts, Pipeline

AGE = 90 * DAY


async def begun(database: Database) -> Pipeline:
    pipeline = Pipeline(database)
    pipeline.clock.now = week_of(system_clock()) + HOUR  # in a week that goes step by step
    await pipeline.begin()
    await pipeline.register("ada", "phone", "tablet")
    await pipeline.register("bob", "desk")
    return pipeline


def kept(connection: Connection) -> dict[str, int]:
    tables = (triggers, notifications, messages, reports, trigger_topics)
    return {
        table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables
    }


def pruned(pipeline: Pipeline) -> Retention:
    return Retention(pipeline.database, pipeline.clock, AGE, pause=0)


async def test_what_is_old_goes_with_everything_about_it_and_the_rest_adds_up(database: Database) -> None:
    pipeline = await begun(database)
    await pipeline.trigger("ada", "bob")
    await pipeline.trigger("nobody")
    await pipeline.drain()
    (old,) = pipeline.message_ids("phone")
    await database.write(engagements.add, pipeline.environment_id, old, "i", "opened", pipeline.clock())
    pipeline.clock.now += AGE
    await pipeline.trigger("ada")
    await pipeline.drain()
    before = await pipeline.balanced()
    assert await pruned(pipeline).round() == Pruned(0, 0)
    assert await pipeline.ledger() == before
    pipeline.clock.now += SECOND
    assert await pruned(pipeline).round() == Pruned(3, 2)
    assert await database.read(kept) == {
        "triggers": 1,
        "notifications": 1,
        "messages": 2,
        "engagements": 0,
        "trigger_topics": 0,
    }
    await pipeline.balanced()
    assert await pipeline.counts() == Counts(2, 2)


async def test_what_has_not_come_to_its_end_stays(database: Database) -> None:
    pipeline = await begun(database)
    pipeline.sender.scripts = {"desk": [TROUBLE]}
    await pipeline.trigger("ada", "bob")
    await pipeline.address()
    pipeline.clock.now += AGE + SECOND
    assert await pruned(pipeline).round() == Pruned(0, 0)
    await pipeline.drain()
    assert (await pipeline.ledger()).in_flight == 0
    assert await pruned(pipeline).round() == Pruned(2, 1)
    assert (await pipeline.ledger()).planned == 0


async def test_a_trigger_that_waits_to_be_addressed_is_not_forgotten(database: Database) -> None:
    pipeline = await begun(database)
    await pipeline.trigger("ada")
    pipeline.clock.now += AGE + SECOND
    assert await pruned(pipeline).round() == Pruned(0, 0)
    await pipeline.drain()
    await pipeline.balanced()


async def test_it_goes_step_by_step_and_lets_others_write_in_between(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEP", 7)
    pipeline = await begun(database)
    people: dict[str, Sequence[str]] = {f"person-{n}": [f"device-{n}"] for n in range(60)}
    await pipeline.register_all(people)
    await pipeline.trigger(*people)
    await pipeline.drain()
    pipeline.clock.now += AGE + SECOND
    waited: list[float] = []

    async def write_beside() -> None:
        while True:
            began = time.monotonic()
            await database.write(lambda connection: connection.exec_driver_sql("SELECT 1"))
            waited.append(time.monotonic() - began)
            await asyncio.sleep(0)

    beside = asyncio.create_task(write_beside())
    assert await pruned(pipeline).round() == Pruned(60, 1)
    beside.cancel()
    assert len(waited) > 10
    assert (await database.read(kept))["messages"] == 0


async def test_what_virtual_phones_showed_is_forgotten_by_its_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEP", 2)
    pipeline = await begun(database)
    now = pipeline.clock()
    phone = sandbox.Phone("p" * 32, pipeline.environment_id, "ada", "Pixel", "android", now)
    await database.write(sandbox.add, phone)
    for n in range(5):
        push = sandbox.SandboxPush(phone.id, f"message-{n}", "Hello", "", {}, now + n)
        assert await database.write(sandbox.receive, push)
    pipeline.clock.now = now + AGE
    await pruned(pipeline).round()
    assert len(await database.read(sandbox.pushes, phone.id)) == 5
    pipeline.clock.now += 3
    await pruned(pipeline).round()
    assert [push.message_id for push in await database.read(sandbox.pushes, phone.id)] == [
        "message-4",
        "message-3",
    ]
    assert [each.id for each in await database.read(sandbox.phones, pipeline.environment_id)] == [phone.id]


async def test_changes_of_health_are_forgotten_by_their_time(database: Database) -> None:
    def fill(connection: Connection) -> None:
        for at in (1, 2, 3):
            row = {"environment_id": "e", "integration_id": "i", "state": "open", "code": "", "at": at}
            connection.execute(sa.insert(integration_changes).values(row | {"explanation": ""}))

    await database.write(fill)
    assert not await database.write(pruning.health_changes, 3, 10)
    assert await database.read(lambda c: list(c.scalars(sa.select(integration_changes.c.at)))) == [3]
