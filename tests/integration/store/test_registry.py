"""Devices as their apps know them, on both databases."""

import asyncio

import pytest
from sqlalchemy.engine import Connection

from clarion.store import registry, subscribers
from clarion.store.database import Database
from clarion.store.registry import DeviceRow, Registration
from installed import install


@pytest.fixture
async def people(database: Database) -> dict[str, int]:
    """Ten subscribers of an environment with one integration, by name."""

    def write(connection: Connection) -> dict[str, int]:
        install(connection)
        made = [subscribers.create(connection, "e", f"person-{number}", {}, 0) for number in range(10)]
        return {person.subscriber_id: person.pk for person in made}

    return await database.write(write)


async def register(database: Database, pk: int, given: Registration, now: int = 1) -> DeviceRow:
    row, _ = await database.write(registry.register, pk, given, now, moves=True)
    return row


async def test_a_token_that_many_register_at_once_has_one_owner(
    database: Database, people: dict[str, int]
) -> None:
    given = Registration("i", "shared", "phone")
    await asyncio.gather(*(register(database, pk, given) for pk in people.values()))
    held = [await database.read(registry.of_subscriber, pk) for pk in people.values()]
    assert sorted(len(devices) for devices in held) == [0] * 9 + [1]


async def test_what_an_app_tells_is_kept(database: Database, people: dict[str, int]) -> None:
    pk = people["person-1"]
    told = Registration("i", "token", "phone", "ios", "1.0", "de", "Europe/Berlin")
    made = await register(database, pk, told)
    assert (made.platform, made.app_version, made.locale, made.timezone) == told_fields(told)
    again = await register(database, pk, Registration("i", "renewed", "phone"), 2)
    assert (again.pk, again.token) == (made.pk, "renewed")
    assert (again.platform, again.app_version, again.locale, again.timezone) == told_fields(told)


async def test_pruning_retires_what_was_not_seen(database: Database, people: dict[str, int]) -> None:
    old = await register(database, people["person-1"], Registration("i", "old"), 1)
    new = await register(database, people["person-2"], Registration("i", "new"), 9)
    assert await database.read(registry.unseen, "e", 5) == 1
    assert await database.write(registry.prune, "e", 5, 10, 0, 1) == ([old.pk], old.pk)
    assert await database.write(registry.prune, "e", 5, 10, old.pk, 100) == ([], new.pk)
    assert await database.write(registry.prune, "e", 5, 10, new.pk, 100) == ([], None)
    (retired,) = await database.read(registry.of_subscriber, people["person-1"])
    assert (retired.retired_at, retired.retired_reason) == (10, "unseen")
    (told,) = await database.read(registry.retired, [old.pk, new.pk])
    assert told == (old.pk, "i", "old", "person-1", 10, "unseen")


def told_fields(told: Registration) -> tuple[str | None, ...]:
    return told.platform, told.app_version, told.locale, told.timezone
