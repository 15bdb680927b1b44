"""Contexts on either database."""

import asyncio

import pytest
from sqlalchemy.engine import Connection

from clarion.errors import Conflict
from clarion.model.context import Reference
from clarion.store import contexts
from clarion.store.contexts import Wanted
from clarion.store.database import Database
from clarion.store.listing import Order
from clarion.store.tables import environments
from pushing import NOW

DEV = "e" * 32
ACME = Reference("tenant", "acme", {"name": "Acme"})


def add_environment(connection: Connection) -> None:
    row = {"id": DEV, "name": "Development", "identifier": "dev", "created_at": NOW}
    connection.execute(environments.insert().values(row))


@pytest.fixture
async def database(database: Database) -> Database:
    await database.write(add_environment)
    return database


async def ensured(database: Database, *wanted: Reference, now: int = NOW) -> dict[str, object]:
    return dict(await database.write(contexts.ensure, DEV, wanted, now))


async def test_what_is_missing_is_made_and_only_data_that_is_brought_changes_anything(
    database: Database,
) -> None:
    bare = Reference("tenant", "acme")
    assert await ensured(database, bare, Reference("app", "crm", {"tier": 1})) == {
        "tenant:acme": {},
        "app:crm": {"tier": 1},
    }
    assert await ensured(database, bare, ACME, bare, now=NOW + 1) == {"tenant:acme": {"name": "Acme"}}
    assert await ensured(database, ACME, bare, now=NOW + 2) == {"tenant:acme": {"name": "Acme"}}
    found = await database.read(contexts.get, DEV, "tenant:acme")
    assert found is not None
    assert (found.created_at, found.updated_at) == (NOW, NOW + 1)
    assert await ensured(database) == {}


async def test_many_at_once_make_a_context_once(database: Database) -> None:
    both = (Reference("a", "x", {"n": 1}), Reference("b", "y"))
    found = await asyncio.gather(*(ensured(database, *(both if n % 2 else both[::-1])) for n in range(8)))
    assert found == [{"a:x": {"n": 1}, "b:y": {}}] * 8
    assert await database.read(contexts.count, Wanted(DEV)) == (2, False)


async def test_creation_refuses_what_is_there_and_another_environment_sees_nothing(
    database: Database,
) -> None:
    made = await database.write(contexts.create, DEV, ACME, NOW)
    assert (made.key, made.data) == ("tenant:acme", {"name": "Acme"})
    with pytest.raises(Conflict, match="already exists"):
        await database.write(contexts.create, DEV, ACME, NOW)
    assert await database.read(contexts.get, "f" * 32, "tenant:acme") is None
    assert await database.read(contexts.by_id, "f" * 32, made.id) is None
    assert await database.read(contexts.data_of, "f" * 32, ["tenant:acme"]) == {}


async def test_a_list_is_found_by_id_and_by_any_part_of_the_key(database: Database) -> None:
    await ensured(database, *(Reference(kind, name) for kind in ("app", "tenant") for name in ("a_b", "axb")))

    async def keys(**wanted: str) -> list[str]:
        order = Order(descending=False, back=False, most=10)
        return [item.key for item in await database.read(contexts.search, Wanted(DEV, **wanted), None, order)]

    assert await keys() == ["app:a_b", "app:axb", "tenant:a_b", "tenant:axb"]
    assert await keys(id="a_b") == ["app:a_b", "tenant:a_b"]
    assert await keys(search="p:a") == ["app:a_b", "app:axb"]
    assert await keys(search="%") == []
