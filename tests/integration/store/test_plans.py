"""No hand-written statement reads a whole table, however the tables grow."""

import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.journal import sql as journal
from clarion.model.people import Subscriber
from clarion.store import (
    activity_search,
    callbacks,
    contexts,
    devices,
    engagements,
    frequency,
    idempotency,
    messages,
    notifications,
    partitions,
    personal,
    preferences,
    pruning,
    rates,
    registry,
    subscribers,
    topics,
    translations,
    triggers,
    workflows,
)
from clarion.store.dialect import Sql
from clarion.store.listing import Order, Place
from clarion.store.postgresql import PostgresDatabase
from clarion.store.sqlite import SqliteDatabase
from clarion.store.tables import metadata
from installed import install

MODULES = (
    callbacks,
    contexts,
    devices,
    registry,
    messages,
    notifications,
    partitions,
    subscribers,
    topics,
    triggers,
    journal,
    preferences,
    idempotency,
    engagements,
    frequency,
    personal,
    pruning,
    rates,
    workflows,
    translations,
)

_LED = topics.Subscription(
    *(7, "s", "i", None, 0, 0, "", []),
    topics.Topic("t", "e", "news", None, 0, 0),
    Subscriber(1, "p", "e", "ada", 0, 0),
)

READS_ALL = {
    "journal.sql._PARKED": "what was set aside is rare, and listed by a person",
    "journal.sql._COUNT_PARKED": "the 100,000 oldest records at most, once a second",
    "partitions._UNDER_WAY": "a week is looked through before it goes",
    "registry._UNSEEN": "what a person is told before they prune",
    "journal.sql._RELEASE_ALL": "once, at the start of the only worker",
}
"""Statements that may, and why."""


def statements() -> Iterator[tuple[str, Sql]]:
    for module in MODULES:
        for name, value in vars(module).items():
            if isinstance(value, Sql):
                yield f"{_short(module)}.{name}", value


def _short(module: ModuleType) -> str:
    return module.__name__.removeprefix("clarion.").removeprefix("store.")


HOT = [(name, statement) for name, statement in statements() if name not in READS_ALL]


def test_every_statement_is_looked_at() -> None:
    assert len(HOT) > 35
    assert {name for name, _ in statements()} >= set(READS_ALL)


async def test_sqlite_looks_rows_up(embedded: SqliteDatabase) -> None:
    def plan(connection: Connection, text: str) -> list[str]:
        unknown = (None,) * text.count("?")
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", unknown)
        return [str(row[-1]).split()[1] for row in rows if str(row[-1]).startswith("SCAN ")]

    tables = {table.name for table in metadata.sorted_tables}
    scanning: dict[str, list[str]] = {}
    for name, statement in HOT:
        if statement == journal._NOTIFY:  # SQLite has one process to tell
            continue
        aliases = dict(re.findall(r"(?:FROM|JOIN) (\w+) (?:AS )?(\w)\b", statement.sqlite))
        real = tables | {alias for table, alias in aliases.items() if table in tables}
        found = [item for item in await embedded.read(plan, statement.sqlite) if item in real]
        scanning |= {name: found} if found else {}
    assert scanning == {}


async def test_postgresql_can_look_rows_up(shared: PostgresDatabase) -> None:
    """On empty tables a scan is cheapest, so it is forbidden: what scans all the same has no index to use."""
    connection = await asyncpg.connect(shared.url.set(drivername="postgresql").render_as_string(False))
    scanning: dict[str, list[str]] = {}
    try:
        await connection.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
        for name, statement in HOT:
            await connection.execute(f"PREPARE looked AS {statement.postgresql}")
            unknown = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", statement.postgresql))))
            rows = await connection.fetch(f"EXPLAIN EXECUTE looked{f'({unknown})' if unknown else ''}")
            await connection.execute("DEALLOCATE looked")
            found = [row[0] for row in rows if "Seq Scan" in row[0]]
            scanning |= {name: found} if found else {}
    finally:
        await connection.close()
    assert scanning == {}


async def test_postgresql_finds_a_part_of_a_name_by_its_index(shared: PostgresDatabase) -> None:
    connection = await asyncpg.connect(shared.url.set(drivername="postgresql").render_as_string(False))
    search = subscribers.Search("e", name="Lovelace")
    order = Order(descending=True, back=False, most=10)

    def written(connection: Connection) -> str:
        query = subscribers.searching(connection, search, "createdAt", None, order)
        return str(query.compile(connection, compile_kwargs={"literal_binds": True}))

    await shared.write(install)
    text = await shared.read(written)
    try:
        await connection.execute(
            "INSERT INTO subscribers (id, environment_id, subscriber_id, first_name, created_at, updated_at)"
            " SELECT n, 'e', n, md5(n::text), 0, 0 FROM generate_series(1, 20000) n"
        )
        await connection.execute("ANALYZE subscribers")
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {text}"))
    finally:
        await connection.close()
    assert "ix_subscribers_full_name" in plan


@pytest.mark.parametrize(
    ("key", "led", "index"),
    [
        ("news", None, "autoindex_trigger_topics_1 (trigger_id=? AND topic_key=?)"),
        (None, _LED, "ix_notifications_subscriber_pk_id"),
    ],
)
async def test_what_led_to_somebody_is_looked_up(
    embedded: SqliteDatabase,
    shared: PostgresDatabase,
    key: str | None,
    led: topics.Subscription | None,
    index: str,
) -> None:
    query = activity_search.finding(activity_search.NotificationFilter("e", topic_key=key), led)

    def plan(connection: Connection, explain: str) -> list[str]:
        text = str(query.compile(connection, compile_kwargs={"literal_binds": True})).replace("%%", "%")
        return [str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {text}")]

    def unscanned(connection: Connection) -> list[str]:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        return plan(connection, "EXPLAIN")

    found = await embedded.read(plan, "EXPLAIN QUERY PLAN")
    assert not any(step.startswith("SCAN") for step in found), found
    assert any(index in step for step in found), found
    told = await shared.write(unscanned)
    assert not any("Seq Scan" in step for step in told), told


async def test_the_members_of_a_topic_are_read_and_counted_by_an_index(
    embedded: SqliteDatabase, shared: PostgresDatabase
) -> None:
    count = topics.counting_members(topics.Members("e", topic_id="t"))

    def plan(connection: Connection) -> list[str]:
        text = str(count.compile(connection, compile_kwargs={"literal_binds": True}))
        return [str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]

    (step,) = await embedded.read(plan)
    assert "COVERING INDEX ix_topic_subscriptions_topic_id" in step

    def rows(connection: Connection) -> list[str]:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        connection.exec_driver_sql("SET LOCAL enable_sort = off")
        text = "SELECT * FROM topic_subscriptions WHERE topic_id = 't' ORDER BY pk DESC LIMIT 100"
        return [str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN {text}")]

    assert any("Backward using ix_topic_subscriptions_topic_id_pk" in row for row in await shared.write(rows))


@pytest.mark.parametrize("order_by", ["createdAt", "updatedAt"])
@pytest.mark.parametrize("wanted", [{}, {"email": "x"}, {"phone": "x"}, {"subscriber_id": "x"}])
async def test_a_search_sorts_nothing_that_grows(
    embedded: SqliteDatabase, order_by: str, wanted: dict[str, str]
) -> None:
    anchor = Place("s", (7, 7) if order_by == "updatedAt" else (7,))
    search = subscribers.Search("e", **wanted)
    order = Order(descending=True, back=False, most=10)

    def plan(connection: Connection) -> list[str]:
        query = subscribers.searching(connection, search, order_by, anchor, order)
        text = query.compile(connection, compile_kwargs={"literal_binds": True})
        return [str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]

    found = await embedded.read(plan)
    assert not any(step.startswith("SCAN") for step in found), found
    if not wanted:
        assert not any("TEMP B-TREE" in step for step in found), found


@pytest.mark.parametrize(
    "messages",
    [activity_search.MessagesWanted(error="word"), activity_search.MessagesWanted(statuses=["failed"])],
    ids=["of an error", "of a status"],
)
async def test_what_failed_is_read_off_its_index(
    embedded: SqliteDatabase, messages: activity_search.MessagesWanted
) -> None:
    wanted = activity_search.NotificationFilter("e", workflow_ids=["w"], after=1 << 40, messages=messages)
    asked: list[tuple[str, Any]] = []

    def plans(connection: Connection) -> list[list[str]]:
        @sa.event.listens_for(connection, "before_cursor_execute")
        def keep(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
            asked.append((statement, parameters))

        activity_search.find_notifications(connection, wanted, 0, 10)
        failures = next(one for one in asked if "DISTINCT" in one[0])
        shown = next(one for one in asked if one[0].startswith("SELECT notifications.id"))
        return [
            [str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given)]
            for text, given in (failures, shown)
        ]

    failures, shown = await embedded.read(plans)
    assert failures[0].startswith("SEARCH messages USING COVERING INDEX ix_messages_not_delivered")
    assert not any("TEMP B-TREE" in step for step in failures)
    assert shown[0].endswith("sqlite_autoindex_notifications_1 (environment_id=? AND id=?)")
