"""Hours of statistics are counted once, say what counting anew would, and catch up with what came later."""

from collections.abc import Sequence
from functools import partial

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import DAY, HOUR, MINUTE, Millis
from clarion.model.outcome import Outcome, Verdict
from clarion.ops.counting import count
from clarion.store import engagements, hours, statistics
from clarion.store import messages as message_store
from clarion.store.activity_search import MessagesWanted, NotificationFilter, find_notifications
from clarion.store.database import Database
from clarion.store.hours import CountedHour
from clarion.store.statistics import Counted, Stretch
from clarion.store.tables import counted_hours, hourly_counts, messages, workflows
from pipeline import GONE, TROUBLE, Pipeline


async def begun(database: Database) -> Pipeline:
    pipeline = Pipeline(database)
    await pipeline.begin()
    pipeline.clock.now -= pipeline.clock.now % HOUR - MINUTE
    await pipeline.register("ada", "phone", "tablet")
    await pipeline.register("bob", "gone")
    pipeline.sender.scripts = {"gone": [GONE]}
    return pipeline


def of(pipeline: Pipeline, step: Millis = HOUR) -> Stretch:
    return Stretch(pipeline.clock.now - 2 * DAY, pipeline.clock.now, step)


async def told(pipeline: Pipeline, step: Millis = HOUR) -> list[Counted]:
    time = of(pipeline, step)
    kept = hours.whole_hours(time, pipeline.clock.now)
    await hours.bring_up(pipeline.database, pipeline.environment_id, kept, pipeline.clock.now)
    found = await pipeline.database.read(hours.told, pipeline.environment_id, time, pipeline.clock.now)
    return sorted(found)


async def anew(pipeline: Pipeline, step: Millis = HOUR) -> list[Counted]:
    found = await pipeline.database.read(
        lambda connection: list(statistics.counted(connection, pipeline.environment_id, of(pipeline, step)))
    )
    return sorted(found)


def number(found: list[Counted], status: str) -> int:
    return sum(one.number for one in found if one.status == status)


async def rows(database: Database, table: sa.Table) -> int:
    return await database.read(
        lambda connection: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
    )


async def test_what_is_kept_is_what_counting_anew_finds(database: Database) -> None:
    pipeline = await begun(database)
    await pipeline.trigger("ada", "bob", "nobody")
    await pipeline.drain()
    pipeline.clock.now += 2 * HOUR
    await pipeline.trigger("ada")
    await pipeline.drain()
    assert await told(pipeline) == await anew(pipeline)
    pipeline.clock.now += 2 * HOUR
    await pipeline.trigger("ada")
    await pipeline.drain()
    pipeline.clock.now += MINUTE
    for step in (MINUTE, HOUR, DAY):
        assert await told(pipeline, step) == await anew(pipeline, step)
    found = await told(pipeline)
    assert [number(found, name) for name in ("delivered", "failed", "skipped")] == [6, 1, 1]


async def test_an_hour_that_is_over_is_not_counted_again(database: Database) -> None:
    pipeline = await begun(database)
    await pipeline.trigger("ada")
    await pipeline.drain()
    pipeline.clock.now += 2 * HOUR
    before = await told(pipeline)
    await database.write(lambda connection: connection.execute(messages.update().values(status="failed")))
    assert await told(pipeline) == before
    assert await rows(database, counted_hours) == 1


async def test_what_was_under_way_is_counted_when_it_came_to_its_end(database: Database) -> None:
    pipeline = await begun(database)
    pipeline.sender.scripts = {"phone": [TROUBLE]}
    await pipeline.trigger("ada")
    await pipeline.address()
    pipeline.clock.now += 2 * HOUR
    assert number(await told(pipeline), "failed") == 0
    await pipeline.drain()
    pipeline.clock.now += HOUR
    assert await told(pipeline) == await anew(pipeline)
    assert sum(one.number for one in await told(pipeline)) == 2


async def test_what_is_addressed_days_after_it_was_accepted_is_counted(database: Database) -> None:
    pipeline = await begun(database)
    await pipeline.trigger("ada")
    await pipeline.drain()
    pipeline.clock.now += HOUR
    await pipeline.trigger("ada", "bob", "nobody")
    pipeline.clock.now += DAY + 3 * HOUR
    before = await told(pipeline)
    assert sum(one.number for one in before) == 2
    await pipeline.drain()
    pipeline.clock.now += 3 * HOUR
    found = await told(pipeline)
    assert found == await anew(pipeline)
    assert sum(one.number for one in found) == 6
    assert number(found, "skipped") == 1


async def test_hours_in_which_nobody_was_reached_after_days_are_counted(database: Database) -> None:
    pipeline = await begun(database)
    await pipeline.trigger("ada")
    await pipeline.drain()
    pipeline.clock.now += HOUR
    await pipeline.trigger("nobody")
    pipeline.clock.now += DAY + 3 * HOUR
    assert number(await told(pipeline), "skipped") == 0
    await pipeline.drain()
    pipeline.clock.now += 3 * HOUR
    assert number(await told(pipeline), "skipped") == 1


async def test_what_a_provider_takes_back_days_later_is_counted(database: Database) -> None:
    pipeline = await begun(database)
    await pipeline.trigger("ada")
    await pipeline.drain()
    pipeline.clock.now += DAY + 2 * HOUR
    assert number(await told(pipeline), "failed") == 0
    assert await settled(database) == [True]
    (phone,) = pipeline.message_ids("phone")
    late = message_store.Revision(phone, 0, 0, Verdict(Outcome.UNAVAILABLE))
    await database.write(message_store.revise, pipeline.environment_id, [late], pipeline.clock.now)
    assert await settled(database) == [False]
    pipeline.clock.now += 3 * HOUR
    assert number(await told(pipeline), "failed") == 1
    assert await told(pipeline) == await anew(pipeline)
    assert await settled(database) == [True]


async def settled(database: Database) -> list[bool]:
    """Whether the hours with messages, which are counted first, are done with."""
    query = sa.select(counted_hours.c.settled).order_by(counted_hours.c.hour).limit(1)
    return await database.read(lambda connection: list(connection.scalars(query)))


async def test_what_is_opened_later_shows_up(database: Database) -> None:
    pipeline = await begun(database)
    await pipeline.trigger("ada")
    await pipeline.drain()
    pipeline.clock.now += 12 * HOUR
    assert number(await told(pipeline), "opened") == 0
    (phone,) = pipeline.message_ids("phone")
    await database.write(engagements.add, pipeline.environment_id, phone, "i", "opened", pipeline.clock.now)
    pipeline.clock.now += HOUR
    assert number(await told(pipeline), "opened") == 1
    assert await told(pipeline) == await anew(pipeline)


async def test_hours_are_counted_before_anybody_asks(database: Database) -> None:
    pipeline = await begun(database)
    await pipeline.trigger("ada")
    await pipeline.drain()
    pipeline.clock.now += 3 * HOUR
    await count(database, pipeline.clock)
    assert await rows(database, counted_hours) == 2
    assert await rows(database, hourly_counts) == 1


async def test_hours_that_are_done_and_saw_nothing_of_what_is_sought_are_passed_over(
    database: Database,
) -> None:
    pipeline = await begun(database)
    first = pipeline.clock.now // HOUR * HOUR
    for _ in range(3):
        await pipeline.trigger("ada", "bob")
        await pipeline.drain()
        pipeline.clock.now += 2 * HOUR
    pipeline.clock.now += 3 * DAY
    await pipeline.trigger("ada", "bob")
    await pipeline.drain()
    await count(database, pipeline.clock)
    last = pipeline.clock.now // HOUR * HOUR - DAY

    own, workflow = pipeline.integration.id, await database.read(only_workflow)

    async def stretches(integrations: list[str] | None, flows: Sequence[str]) -> list[tuple[Millis, Millis]]:
        sending = hours.Sending(pipeline.environment_id, integrations, flows)
        return await database.read(hours.stretches, sending)

    assert await stretches(None, []) == [(0, hours.EVER)]
    nothing = [(["silent"], []), (None, ["silent"]), ([own], ["silent"]), (["silent"], [workflow])]
    between = [(first + n * HOUR, first + (n + 1) * HOUR) for n in (4, 2)]
    something = [(last, hours.EVER), *between, (0, first + HOUR)]
    for integrations, flows in nothing:
        assert await stretches(integrations, flows) == [(last, hours.EVER), (0, first)]
    for integrations, flows in [([own], []), (None, [workflow]), ([own], [workflow])]:
        assert await stretches(integrations, flows) == something

    def sought(
        integrations: list[str] | None,
        flows: Sequence[str],
        statuses: Sequence[str],
        connection: Connection,
    ) -> list[str]:
        wanted = MessagesWanted(statuses, integrations)
        everywhere = NotificationFilter(pipeline.environment_id, workflow_ids=flows, messages=wanted)
        by_two = find_notifications(connection, everywhere, 0, 2)
        rest = find_notifications(connection, everywhere, 2, 9)
        behind = everywhere._replace(behind=by_two[-1].id if by_two else None)
        assert find_notifications(connection, behind, 0, 9) == rest
        return [row.id for row in (*by_two, *rest)]

    for statuses, number in ([], 5), (["delivered"], 4), (["failed"], 1):
        for integrations, flows in [([own], []), (None, [workflow]), ([own], [workflow])]:
            found = await database.read(partial(sought, integrations, flows, statuses))
            assert (len(found), found) == (number, sorted(found, reverse=True))
        for integrations, flows in nothing:
            assert await database.read(partial(sought, integrations, flows, statuses)) == []


def only_workflow(connection: Connection) -> str:
    return str(connection.scalar(sa.select(workflows.c.id)))


async def test_old_hours_are_forgotten(database: Database) -> None:
    pipeline = await begun(database)
    began = pipeline.clock.now
    await pipeline.trigger("ada")
    await pipeline.drain()
    pipeline.clock.now += 2 * HOUR
    await told(pipeline)
    await database.write(hours.forget, pipeline.environment_id, began)
    assert await rows(database, hourly_counts) == 1
    await database.write(hours.forget, pipeline.environment_id, began + HOUR)
    assert await rows(database, hourly_counts) == 0
    assert await rows(database, counted_hours) == 0


def test_an_hour_stands_the_longer_the_older_it_was_when_it_was_counted() -> None:
    settled, under_way = CountedHour(0, 2 * HOUR, 2 * HOUR, True), CountedHour(0, 2 * HOUR, 2 * HOUR, False)
    assert settled.stands(5 * HOUR)
    assert not settled.stands(6 * HOUR)
    assert under_way.stands(2 * HOUR + 4 * MINUTE)
    assert not under_way.stands(2 * HOUR + 5 * MINUTE)
    assert CountedHour(0, DAY + HOUR, DAY + HOUR, True).stands(90 * DAY)
    assert not CountedHour(0, DAY + HOUR, DAY + HOUR, True).stands_opened(DAY + 4 * HOUR)
