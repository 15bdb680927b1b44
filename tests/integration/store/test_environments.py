"""Removing an environment, on either database."""

from clarion.store import environments, subscribers
from clarion.store.database import Database
from installed import install


async def test_a_removed_environment_takes_what_it_holds_along(database: Database) -> None:
    await database.write(install)
    await database.write(subscribers.ensure, "e", [f"person-{n}" for n in range(2001)], 0)
    await database.write(environments.shut, "e")
    assert await database.write(environments.empty, "e"), "two thousand at a time"
    assert not await database.write(environments.empty, "e")
    await database.write(environments.delete, "e")
    assert await database.read(environments.every) == []
