"""What `clarion doctor` looks at in a database, at a time of the test's own."""

import re

import pytest

from clarion.cli import checkup
from clarion.cli.checkup import FAIL, OK, WARN, Finding
from clarion.model.clock import MINUTE, SECOND, Millis, system_clock
from clarion.store.database import Database
from clarion.store.postgresql import PostgresDatabase


async def seen(database: Database, now: Millis) -> dict[str, Finding]:
    return {found.what: found for found in await checkup.database(database, "here", now)}


@pytest.mark.parametrize(
    ("off", "level"), [(0, OK), (10 * SECOND, OK), (5 * MINUTE, WARN), (-5 * MINUTE, WARN)]
)
async def test_a_clock_is_held_against_that_of_the_database(
    shared: PostgresDatabase, off: Millis, level: str
) -> None:
    found = (await seen(shared, system_clock() + off))["clock"]
    assert found.level == level
    said = re.fullmatch(r"this machine is ([+-]\d+) s from the database's", found.seen)
    assert said is not None, found.seen
    assert abs(int(said[1]) - off // SECOND) < 5
    assert ("NTP" in found.advice) == (level == WARN)


async def test_a_file_has_no_clock_of_its_own_to_compare_with(embedded: Database) -> None:
    found = await seen(embedded, system_clock())
    assert set(found) == {"database", "migrations", "integrity"}
    assert {item.level for item in found.values()} == {OK}


async def test_a_schema_of_another_version_is_asked_nothing_more(database: Database) -> None:
    await database.write(lambda connection: connection.exec_driver_sql("DROP TABLE alembic_version"))
    found = await seen(database, system_clock())
    assert found["migrations"].level == FAIL
    assert not {"clock", "partitions"} & set(found)
