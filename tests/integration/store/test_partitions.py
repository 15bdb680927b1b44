"""The large tables on PostgreSQL are partitioned by time: what is in them lands where it belongs, and a week
goes at once."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Connection

from clarion.model.clock import DAY, HOUR, MINUTE, Millis, system_clock
from clarion.model.ids import earliest, new_id
from clarion.model.run import Run, RunState
from clarion.model.weeks import WEEK, week_name, week_of
from clarion.ops.retention import LOOK_AGAIN, Retention
from clarion.store import engagements, messages, migrate, partitions
from clarion.store import runs as run_store
from clarion.store.dialect import Sql, listed, run
from clarion.store.postgresql import PostgresDatabase
from clarion.store.tables import metadata, notifications, runs
from installed import install
from pipeline import OK, TROUBLE, Pipeline
from postgres import PostgresServer

AGE = 90 * DAY
LARGE = ("notifications", "messages", "engagements")


@pytest.fixture
def week() -> Millis:
    """One that begins later than all that a fresh database has partitions for."""
    return week_of(system_clock()) + 10 * WEEK


@pytest.fixture
async def pipeline(shared: PostgresDatabase, week: Millis) -> Pipeline:
    """A pipeline in that week, with a partition for it and the next two."""
    await shared.write_alone(partitions.make, week)
    made = Pipeline(shared)
    made.clock.now = week + HOUR
    await made.begin()
    await made.register("ada", "phone", "tablet")
    await made.register("bob", "desk")
    return made


def held(connection: Connection, table: str) -> dict[str, int]:
    """How many rows each partition of a table has, the empty ones too."""
    query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = $1::text::regclass"
    names = connection.exec_driver_sql(query, (table,)).scalars().all()
    return {name: connection.exec_driver_sql(f"SELECT COUNT(*) FROM {name}").scalar_one() for name in names}


async def rows(database: PostgresDatabase, table: str) -> dict[str, int]:
    """How many rows each partition of a table has that has some."""
    return {name: count for name, count in (await database.read(held, table)).items() if count}


def retention(pipeline: Pipeline) -> Retention:
    return Retention(pipeline.database, pipeline.clock, AGE, pause=0)


@asynccontextmanager
async def reading(database: PostgresDatabase, table: str) -> AsyncIterator[None]:
    """A transaction that has read a table, and goes on."""
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.fetch(f"SELECT COUNT(*) FROM {table}")
            yield
    finally:
        await connection.close()


async def test_what_belongs_to_a_trigger_is_in_partitions_of_its_week(
    shared: PostgresDatabase, pipeline: Pipeline, week: Millis
) -> None:
    await pipeline.trigger("ada")
    await pipeline.drain()
    (opened,) = pipeline.message_ids("phone")
    await shared.write(engagements.add, pipeline.environment_id, opened, "i", "opened", pipeline.clock())
    pipeline.clock.now += WEEK
    await pipeline.trigger("bob")
    await pipeline.drain()
    here, there = week_name(week), week_name(week + WEEK)
    assert await rows(shared, "notifications") == {f"notifications_{here}": 1, f"notifications_{there}": 1}
    assert await rows(shared, "messages") == {f"messages_{here}": 2, f"messages_{there}": 1}
    assert await rows(shared, "engagements") == {f"engagements_{here}": 1}


async def test_processes_that_make_weeks_at_the_same_time_make_each_once(
    shared: PostgresDatabase, week: Millis
) -> None:
    others = [PostgresDatabase(shared.url.render_as_string(hide_password=False)) for _ in range(4)]
    try:
        await asyncio.gather(*(other.write_alone(partitions.make, week) for other in [*others, *others]))
        await shared.write_alone(partitions.make, week)
    finally:
        for other in others:
            await other.close()
    for table in LARGE:
        wanted = {f"{table}_{week_name(week + n * WEEK)}" for n in range(3)}
        assert wanted <= set(await shared.read(held, table))


async def test_a_clock_far_ahead_loses_nothing_and_hinders_nothing(
    shared: PostgresDatabase, pipeline: Pipeline, week: Millis
) -> None:
    astray = week + 52 * WEEK
    pipeline.clock.now = astray + HOUR
    await pipeline.trigger("ada")
    await pipeline.drain()
    await shared.write_alone(partitions.make, pipeline.clock())
    assert await rows(shared, "messages") == {"messages_default": 2}
    made = await shared.read(held, "messages")
    assert f"messages_{week_name(astray)}" not in made
    assert f"messages_{week_name(astray + WEEK)}" in made
    await pipeline.trigger("bob")
    await pipeline.drain()
    await pipeline.balanced()
    pipeline.clock.now += WEEK + AGE
    assert (await retention(pipeline).round()).notifications == 2
    assert await rows(shared, "messages") == await rows(shared, "notifications") == {}


async def test_a_week_goes_at_once_while_others_write(
    shared: PostgresDatabase, pipeline: Pipeline, week: Millis
) -> None:
    await pipeline.trigger("ada", "bob")
    await pipeline.drain()
    (opened,) = pipeline.message_ids("phone")
    await shared.write(engagements.add, pipeline.environment_id, opened, "i", "opened", pipeline.clock())
    pipeline.clock.now = week + WEEK + AGE
    waited: list[float] = []

    async def write_beside() -> None:
        for _ in range(40):
            began = time.monotonic()
            await pipeline.trigger("bob")
            await pipeline.drain()
            waited.append(time.monotonic() - began)

    beside = asyncio.create_task(write_beside())
    rounds = [await retention(pipeline).round()]
    await beside
    while f"messages_{week_name(week)}" in await shared.read(held, "messages"):
        assert len(rounds) < 20, "nobody is in the way any more"
        rounds.append(await retention(pipeline).round())
    assert sum(done.notifications for done in rounds) == 0
    assert sum(done.triggers for done in rounds) == 1
    for table in LARGE:
        left = await shared.read(held, table)
        assert f"{table}_{week_name(week)}" not in left
        assert f"{table}_{week_name(week + WEEK)}" in left
    gone = partitions.Span(earliest(week), earliest(week + WEEK))
    assert await shared.write_alone(partitions.drop, gone), "another worker has nothing left to do"
    assert max(waited) < 5
    assert (await pipeline.balanced()).planned == 40


async def test_a_week_with_something_unfinished_stays_and_the_rest_of_it_goes(
    shared: PostgresDatabase, pipeline: Pipeline, week: Millis
) -> None:
    pipeline.sender.scripts = {"desk": [TROUBLE, OK]}
    await pipeline.trigger("ada", "bob")
    await pipeline.address()
    await pipeline.work(await pipeline.delivery_lane())
    assert (await pipeline.ledger()).in_flight == 1
    pipeline.clock.now = week + WEEK + AGE
    assert (await retention(pipeline).round()).notifications == 1
    assert await rows(shared, "notifications") == {f"notifications_{week_name(week)}": 1}
    assert (await pipeline.ledger()).in_flight == 1
    await pipeline.drain()
    assert (await pipeline.ledger()).in_flight == 0
    done = await retention(pipeline).round()
    assert (done.weeks, done.notifications, done.triggers) == (1, 0, 1)
    assert f"notifications_{week_name(week)}" not in await shared.read(held, "notifications")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The weeks that were looked through, by their beginnings; grows."""
    begins: list[str] = []

    def counted(connection: Connection, span: partitions.Span) -> bool:
        begins.append(span.begin)
        return under_way(connection, span)

    under_way = partitions.under_way
    monkeypatch.setattr(partitions, "under_way", counted)
    return begins


async def test_a_week_with_something_unfinished_is_looked_through_once_an_hour(
    shared: PostgresDatabase, pipeline: Pipeline, week: Millis, looks: list[str]
) -> None:
    pipeline.sender.scripts = {"desk": [TROUBLE, OK]}
    await pipeline.trigger("ada", "bob")
    await pipeline.address()
    await pipeline.work(await pipeline.delivery_lane())
    pipeline.clock.now = week + WEEK + AGE
    pruner = retention(pipeline)
    forgotten = []
    for _ in range(LOOK_AGAIN // MINUTE):
        forgotten.append((await pruner.round()).notifications)
        pipeline.clock.now += MINUTE
    assert forgotten == [1, *[0] * (len(forgotten) - 1)], "what ended goes at once"
    assert looks.count(earliest(week)) == 1
    assert len(looks) == len(set(looks)), "and weeks that went are no more"
    await pipeline.drain()
    assert (await pruner.round()).weeks == 1
    assert looks.count(earliest(week)) == 2


async def test_a_week_that_somebody_reads_for_hours_is_not_looked_through_meanwhile(
    shared: PostgresDatabase, pipeline: Pipeline, week: Millis, looks: list[str]
) -> None:
    await pipeline.trigger("ada")
    await pipeline.drain()
    pipeline.clock.now = week + WEEK + AGE
    pruner = retention(pipeline)
    async with reading(shared, "messages"):
        assert [await pruner.round() for _ in range(2)] == [(0, 0, 0)] * 2
    assert looks == []
    assert (await pruner.round()).weeks > 0
    assert looks.count(earliest(week)) == 1


async def test_to_look_through_a_week_takes_an_index_for_its_messages(
    shared: PostgresDatabase, pipeline: Pipeline, week: Millis
) -> None:
    def fill(connection: Connection) -> None:
        ids = f"'{earliest(week + HOUR)}' || lpad(to_hex(n), 20, '0')"
        connection.exec_driver_sql(
            "INSERT INTO notifications (environment_id, id, trigger_id, subscriber_pk, planned, details,"
            f" created_at) SELECT 'e', {ids}, {ids}, n, 1, '[]', 0 FROM generate_series(1, 5000) n"
        )
        columns = OLD_MESSAGE[OLD_MESSAGE.index("(") : OLD_MESSAGE.index("VALUES")]
        connection.exec_driver_sql(
            f"INSERT INTO messages {columns} SELECT 'e', {ids}, {ids}, {ids}, n, 'i', 1, 's', 't', '', '',"
            " 'delivered', '', '', '', '', '', 1, FALSE, 0, 0 FROM generate_series(1, 5000) n"
        )
        connection.exec_driver_sql("ANALYZE notifications, messages")

    await shared.write(lambda connection: install(connection))
    await shared.write(fill)
    span = partitions.Span(earliest(week), earliest(week + WEEK))
    plan = await shared.read(lambda c: list(run(c, explained(partitions._UNDER_WAY), *span * 4).scalars()))
    assert reached(plan) == {f"messages_{week_name(week)}"}
    assert not any("Seq Scan on messages" in line for line in plan), plan
    assert not await shared.read(partitions.under_way, span)
    await shared.write(
        lambda c: c.exec_driver_sql("UPDATE messages SET status = 'pending' WHERE subscriber_pk = 7")
    )
    assert await shared.read(partitions.under_way, span)
    await shared.write(lambda c: c.exec_driver_sql("DELETE FROM messages WHERE subscriber_pk = 7"))
    assert await shared.read(partitions.under_way, span)


async def test_a_week_that_is_not_wholly_old_stays_whole(
    shared: PostgresDatabase, pipeline: Pipeline, week: Millis
) -> None:
    await pipeline.trigger("ada")
    await pipeline.drain()
    pipeline.clock.now = week + WEEK + AGE - 1
    done = await retention(pipeline).round()
    assert (done.notifications, done.triggers) == (0, 0)
    assert (await pipeline.balanced()).planned == 2


async def test_what_is_kept_for_days_is_not_kept_for_a_week(pipeline: Pipeline, week: Millis) -> None:
    await pipeline.trigger("ada")
    await pipeline.drain()
    pipeline.clock.now += 2 * DAY
    done = await Retention(pipeline.database, pipeline.clock, DAY, pause=0).round()
    assert (done.notifications, done.triggers) == (1, 1)


async def test_a_week_that_somebody_reads_is_left_for_the_next_round_and_holds_up_nobody(
    shared: PostgresDatabase, pipeline: Pipeline, week: Millis
) -> None:
    await pipeline.trigger("ada")
    await pipeline.drain()
    pipeline.clock.now = week + WEEK + AGE
    before = await pipeline.balanced()
    async with reading(shared, "messages"):
        began = time.monotonic()
        round_beside = asyncio.create_task(retention(pipeline).round())
        await pipeline.trigger("bob")
        await pipeline.drain()
        assert await round_beside == (0, 0, 0)
        assert time.monotonic() - began < 5
        assert (await pipeline.ledger()).planned == before.planned + 1
    assert (await retention(pipeline).round()).weeks > 0
    assert (await pipeline.balanced()).planned == 1


async def test_runs_and_late_reports_go_with_their_week(
    shared: PostgresDatabase, pipeline: Pipeline, week: Millis
) -> None:
    await pipeline.trigger("ada")
    await pipeline.drain()
    await shared.write(begin_run)
    (name,) = pipeline.message_ids("phone")
    pipeline.clock.now = week + WEEK + AGE
    assert (await retention(pipeline).round()).notifications == 0
    assert (await pipeline.ledger()).waiting == 1
    await shared.write(end_runs)
    assert (await retention(pipeline).round()).weeks == 1
    assert await shared.read(lambda c: c.scalar(sa.select(sa.func.count()).select_from(runs))) == 0
    environment_id = pipeline.environment_id
    assert await shared.write(engagements.add, environment_id, name, "i", "opened", pipeline.clock())
    assert await rows(shared, "engagements") == {"engagements_default": 1}
    await retention(pipeline).round()
    assert await rows(shared, "engagements") == {}


def begin_run(connection: Connection) -> None:
    """Let the only notification have a run."""
    own = notifications.c
    names = sa.select(own.environment_id, own.id, own.trigger_id, own.subscriber_pk)
    (name,) = connection.execute(names).all()
    run_store.begin(connection, [Run(*name, turn=0, state=RunState.DELAYED, created_at=0)], bulk=False)


def end_runs(connection: Connection) -> None:
    connection.execute(sa.update(runs).values(open=False, state="done"))


async def test_lists_are_looked_up_by_an_index_and_ids_in_the_partitions_of_their_time_alone(
    shared: PostgresDatabase, pipeline: Pipeline, week: Millis
) -> None:
    names = listed(new_id(week + HOUR) for _ in range(3))

    def plans(connection: Connection) -> list[list[str]]:
        connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")
        statements = (messages._SETTLED, run_store._TALLIES)
        return [list(run(connection, explained(each), "e", names).scalars()) for each in statements]

    by_id, by_notification = await shared.write(plans)
    assert reached(by_id) == {f"messages_{week_name(week)}"}
    assert not any("Seq Scan" in line for line in by_id + by_notification)


def explained(statement: Sql) -> Sql:
    return statement._replace(postgresql="EXPLAIN (ANALYZE, COSTS OFF) " + statement.postgresql)


def reached(plan: Sequence[str]) -> set[str]:
    """The partitions that a plan looked into."""
    lines = [line for line in plan if "(actual" in line]
    return {found[1] for line in lines if (found := re.search(r" on (messages_\w+)", line))}


async def test_what_was_there_before_stays_where_it_is(postgres: PostgresServer) -> None:
    database = PostgresDatabase(postgres.make_empty())
    try:
        before = await database.write(old_schema)
        assert (await database.migrate()).applied[0][0] == REVISION
        assert await database.read(files) == before
        for table in LARGE:
            assert await rows(database, table) == {f"{table}_first": 300}
        await database.write(downgrade)
        for table in LARGE:
            assert await database.read(held, table) == {}
            assert await database.read(count, table) == 300
        await database.migrate()
        assert await rows(database, "messages") == {"messages_first": 300}
        assert await database.read(differences) == []
    finally:
        await database.close()


REVISION, BEFORE = "0033", "0032"
LARGE_THEN = [*LARGE, *(f"pk_{table}" for table in LARGE)]


def config_on(connection: Connection) -> Config:
    config = migrate._config()
    config.attributes["connection"] = connection
    return config


def old_schema(connection: Connection) -> dict[str, int]:
    """Make a database of the version before, with rows; answers the files of its large tables."""
    command.upgrade(config_on(connection), BEFORE)
    install(connection)
    now = system_clock()
    for n in range(300):
        name = new_id(now - n * DAY)
        connection.exec_driver_sql(OLD_NOTIFICATION, (name, new_id(now), n))
        connection.exec_driver_sql(OLD_MESSAGE, (name, new_id(now), new_id(now), n))
        connection.exec_driver_sql(OLD_REPORT, (name,))
    return files(connection)


def downgrade(connection: Connection) -> None:
    command.downgrade(config_on(connection), BEFORE)


def count(connection: Connection, table: str) -> int:
    found: int = connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar_one()
    return found


OLD_NOTIFICATION = """
INSERT INTO notifications (environment_id, id, trigger_id, subscriber_pk, planned, details, created_at)
VALUES ('e', $1, $2, $3, 1, '[]', 0)
"""
OLD_MESSAGE = """
INSERT INTO messages (environment_id, id, notification_id, trigger_id, subscriber_pk, integration_id,
  device_id, step_id, token, title, content, status, outcome, code, explanation, raw, provider_message_id,
  attempts, token_retired, created_at, updated_at)
VALUES ('e', $1, $2, $3, $4, 'i', 1, 's', 't', '', '', 'delivered', '', '', '', '', '', 1, FALSE, 0, 0)
"""
OLD_REPORT = """
INSERT INTO engagements (environment_id, message_id, status, integration_id, at)
VALUES ('e', $1, 'opened', 'i', 0)
"""


def files(connection: Connection) -> dict[str, int]:
    """The files of the tables and indexes that the version before had, by the names of then."""
    names = LARGE_THEN + [str(index.name) for table in LARGE for index in metadata.tables[table].indexes]
    query = "SELECT pg_relation_filenode(COALESCE(to_regclass($1::text || '_first'), to_regclass($1::text)))"
    return {name: connection.exec_driver_sql(query, (name,)).scalar_one() for name in names}


async def test_the_migrations_make_the_large_tables_as_they_are_described(shared: PostgresDatabase) -> None:
    assert await shared.read(differences) == []
    for table in LARGE:
        described = metadata.tables[table].dialect_options["postgresql"]["partition_by"]
        assert await shared.read(partitioned_by, table) == described


def partitioned_by(connection: Connection, table: str) -> str:
    query = "SELECT pg_get_partkeydef(to_regclass($1::text))"
    return str(connection.exec_driver_sql(query, (table,)).scalar())


def differences(connection: Connection) -> list[object]:
    """Between the large tables and their description."""

    def large(_: object, name: str | None, kind: str, *__: object) -> bool:
        return kind != "table" or name in LARGE

    context = MigrationContext.configure(connection, opts={"include_object": large})
    return list(compare_metadata(context, metadata))
