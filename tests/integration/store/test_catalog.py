"""Changes of the catalog on either database."""

import asyncio

import msgspec
from sqlalchemy.engine import Connection

from clarion.security.vault import Vault
from clarion.store import workflows
from clarion.store.catalog import Catalog
from clarion.store.database import Database
from clarion.store.installation import begin
from pushing import NOW, workflow


async def test_what_a_change_reads_stays_so_until_it_is_written(database: Database) -> None:
    vault = Vault(bytes(32))
    await database.write(begin, vault, None, NOW)
    catalogs = [Catalog(database, vault) for _ in range(4)]
    snapshot = await catalogs[0].current()
    environment_id = next(iter(snapshot.environments))
    made = msgspec.structs.replace(workflow(), environment_id=environment_id, tags=[])
    await catalogs[0].change(workflows.create, made)

    def add(connection: Connection, tag: str) -> None:
        found = workflows.by_id(connection, made.id)
        assert found is not None
        workflows.replace(connection, msgspec.structs.replace(found, tags=[*found.tags, tag]))

    tags = [f"t{n}" for n in range(12)]
    await asyncio.gather(*(catalogs[n % 4].change(add, tag) for n, tag in enumerate(tags)))
    (found,) = (await catalogs[0].current()).workflows_of(environment_id)
    assert sorted(found.tags) == sorted(tags)
