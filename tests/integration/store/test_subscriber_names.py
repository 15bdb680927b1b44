"""Finding subscribers by a part of their name, on either database."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing

import pytest
from alembic import command
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from clarion.store import migrate, subscribers, tables
from clarion.store.database import Database
from clarion.store.listing import COUNT_CAP, Order, Place
from clarion.store.sqlite import SqliteDatabase
from pushing import NOW

DEV, LIVE = "d" * 32, "1" * 32
ALIKE = "2" * 29 + DEV[-3:]
NEWEST_FIRST = Order(descending=True, back=False, most=50)


@pytest.fixture
async def database(database: Database) -> Database:
    """With three environments."""
    await database.write(furnish)
    return database


@pytest.fixture
async def embedded(embedded: SqliteDatabase) -> SqliteDatabase:
    """With the same."""
    await embedded.write(furnish)
    return embedded


def furnish(connection: Connection) -> None:
    for number, identity in enumerate((DEV, LIVE, ALIKE)):
        row = {"id": identity, "name": str(number), "identifier": str(number), "created_at": NOW}
        connection.execute(tables.environments.insert().values(row))


async def people(database: Database, *names: tuple[str, str | None, str | None], within: str = DEV) -> None:
    def write(connection: Connection) -> None:
        for who, first, last in names:
            profile = {"first_name": first, "last_name": last}
            subscribers.upsert(connection, within, who, profile, NOW)

    await database.write(write)


async def found(
    database: Database, name: str, *, within: str = DEV, order_by: str = "createdAt", **wanted: str
) -> str:
    """Who is found, the newest first; as many are counted."""
    search = subscribers.Search(within, name=name, **wanted)
    rows = await database.read(subscribers.search, search, order_by, None, NEWEST_FIRST)
    assert await database.read(subscribers.count, search) == (len(rows), False)
    return " ".join(row.subscriber_id for row in rows)


ADA, GRACE, JOSE = ("ada", "Ada", "Lovelace"), ("grace", "Grace", "Hopper"), ("jose", "José", "Núñez Ávila")
WANG, PLAIN, ODD = ("wang", "伟", "王"), ("plain", None, None), ("odd", '100%_\\"', "it's*")


@pytest.mark.parametrize("order_by", ["createdAt", "updatedAt"])
@pytest.mark.parametrize(
    ("part", "who"),
    [
        ("love", "ada"),
        ("LoVeLaCe", "ada"),
        ("a Love", "ada"),
        ("ace", "grace ada"),
        ("hopperx", ""),
        ("Ada Lovelace", "ada"),
        ("Lovelace Ada", ""),
        (" Ada", ""),
        ("zzz", ""),
        ("ñez", "jose"),
        ("osé N", "jose"),
        ("osÉ n", "jose"),
        ("z á", "jose"),
        ("a", "jose grace ada"),
        ("H", "grace"),
        ("ce", "grace ada"),
        ("r", "grace"),
        ("er", "grace"),
        ("É", "jose"),
        ("q", ""),
        ("zz", ""),
        ("王", "wang"),
        ("伟 王", "wang"),
        ("%", "odd"),
        ("_", "odd"),
        ("0%_", "odd"),
        ("0__", ""),
        ("%%%", ""),
        ('\\"', "odd"),
        ('_\\"', "odd"),
        ("it's*", "odd"),
        ("lo*", ""),
        ("ada OR grace", ""),
        ("\x1f", ""),
    ],
)
async def test_a_part_is_found_in_any_case_and_literally(
    database: Database, part: str, who: str, order_by: str
) -> None:
    await people(database, ADA, GRACE, JOSE, WANG, PLAIN, ODD)
    assert await found(database, part, order_by=order_by) == who


async def test_who_is_renamed_is_found_by_the_new_name_alone(database: Database) -> None:
    await people(database, ADA, GRACE)
    await people(database, ("ada", "Ada", "King"))
    assert (await found(database, "lovelace"), await found(database, "da ki")) == ("", "ada")
    await people(database, ("ada", None, "King"))
    assert (await found(database, "ada"), await found(database, "kin")) == ("", "ada")
    await people(database, ("ada", None, None))
    assert (await found(database, "king"), await found(database, "ki")) == ("", "")
    await people(database, ("ada", "Augusta", None))
    assert await found(database, "augusta") == "ada"


async def test_who_is_erased_is_not_found_and_leaves_the_others(database: Database) -> None:
    await people(database, ADA, ("two", "Ada", "Byron"), PLAIN)
    for who in ("ada", "plain"):
        there = await database.read(subscribers.get, DEV, who)
        assert there
        await database.write(subscribers.delete, there.pk)
    assert (await found(database, "ada"), await found(database, "love")) == ("two", "")


async def test_who_was_only_addressed_so_far_is_found_once_named(database: Database) -> None:
    await database.write(subscribers.ensure, DEV, ["ada", "grace"], NOW)
    assert await found(database, "ada") == ""
    await people(database, ADA)
    assert await found(database, "ada") == "ada"


async def test_an_environment_finds_its_own_people_also_where_ids_end_alike(database: Database) -> None:
    for within in (DEV, LIVE, ALIKE):
        await people(database, ("ada", "Ada", within[0]), within=within)
        await people(database, (f"only-{within[0]}", "Grace", None), within=within)
    for within in (DEV, LIVE, ALIKE):
        assert await found(database, "ada", within=within) == "ada"
        assert await found(database, "gr", within=within) == f"only-{within[0]}"


async def test_a_name_beside_an_address_narrows_it_down(database: Database) -> None:
    def addressed(connection: Connection) -> None:
        for who, first in (("a", "José"), ("b", "Grace")):
            subscribers.create(connection, DEV, who, {"first_name": first, "email": "all@example.com"}, NOW)

    await database.write(addressed)
    assert await found(database, "osé", email="all@example.com") == "a"
    assert await found(database, "ce", email="all@example.com") == "b"
    assert await found(database, "osé", email="none@example.com") == ""


@pytest.mark.parametrize("order_by", ["createdAt", "updatedAt"])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("part", ["ada", "ad"])
async def test_what_is_found_is_paged_both_ways(
    database: Database, part: str, order_by: str, descending: bool
) -> None:
    await people(database, *((f"s{n:02}", "Ada" if n % 3 else "Grace", None) for n in range(20)))
    expected = [f"s{n:02}" for n in range(20) if n % 3]
    wanted = subscribers.Search(DEV, name=part)

    async def page(anchor: Place | None, *, back: bool) -> list[Place]:
        order = Order(descending=descending, back=back, most=5)
        rows = await database.read(subscribers.search, wanted, order_by, anchor, order)
        by_change = order_by == "updatedAt"
        return [
            Place(row.subscriber_id, (row.updated_at, row.pk) if by_change else (row.pk,)) for row in rows
        ]

    seen: list[Place] = []
    while some := await page(seen[-1] if seen else None, back=False):
        seen += some
    assert ids(seen) == (expected[::-1] if descending else expected)
    assert ids(await page(seen[7], back=True)) == ids(reversed(seen[2:7]))


def ids(places: Iterable[Place]) -> list[str]:
    return [place.id for place in places]


async def test_a_name_of_most_people_is_counted_so_far_and_paged_in_any_order(database: Database) -> None:
    many = COUNT_CAP + 5

    def write(connection: Connection) -> None:
        rows = [
            {
                "id": f"{n:032}",
                "environment_id": DEV,
                "subscriber_id": f"s{n}",
                "first_name": "Ádám",
                "created_at": n,
                "updated_at": many - n,
            }
            for n in range(many)
        ]
        connection.execute(tables.subscribers.insert(), rows)

    await database.write(write)
    wanted = subscribers.Search(DEV, name="ádá")
    assert await database.read(subscribers.count, wanted) == (COUNT_CAP, True)
    for order_by, first in (("createdAt", f"s{many - 1}"), ("updatedAt", "s0")):
        order = Order(descending=True, back=False, most=3)
        rows = await database.read(subscribers.search, wanted, order_by, None, order)
        assert (len(rows), rows[0].subscriber_id) == (3, first)


async def test_sqlite_reads_its_index_in_order_and_looks_people_up(embedded: SqliteDatabase) -> None:
    await people(embedded, ADA)
    wanted, anchor = subscribers.Search(DEV, name="ada"), Place("", (10,))

    def plan(connection: Connection) -> list[str]:
        query = subscribers.searching(connection, wanted, "createdAt", anchor, NEWEST_FIRST)
        text = query.compile(connection, compile_kwargs={"literal_binds": True})
        return [str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]

    first, second = await embedded.read(plan)
    assert first.startswith("SCAN subscriber_names VIRTUAL TABLE")
    assert second == "SEARCH subscribers USING INTEGER PRIMARY KEY (rowid=?)"


async def test_an_older_database_is_indexed_as_it_is_migrated(embedded: SqliteDatabase) -> None:
    await people(embedded, ADA, PLAIN, JOSE)
    await embedded.write(downgrade)
    await people(embedded, GRACE)
    with pytest.raises(OperationalError, match="no such table"):
        await found(embedded, "ada")
    migrate.migrate(embedded.engine)
    assert (await found(embedded, "ace"), await found(embedded, "é")) == ("grace ada", "jose")
    await people(embedded, ("grace", "Amazing", None))
    assert (await found(embedded, "ace"), await found(embedded, "maz")) == ("ada", "grace")


def downgrade(connection: Connection) -> None:
    config = migrate._config()
    config.attributes["connection"] = connection
    command.downgrade(config, "0036")


async def test_another_program_may_change_the_people_of_the_file(embedded: SqliteDatabase) -> None:
    await people(embedded, ADA, GRACE)
    with closing(sqlite3.connect(embedded.path)) as other, other:
        other.execute("UPDATE subscribers SET first_name = 'Augusta' WHERE subscriber_id = 'ada'")
        other.execute("DELETE FROM subscribers WHERE subscriber_id = 'grace'")
    assert (await found(embedded, "augusta"), await found(embedded, "grace")) == ("ada", "")
