"""Secrets are sealed anew with another key, some at a time."""

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.errors import SecretUnreadable
from clarion.model.people import Integration
from clarion.security.vault import Vault
from clarion.store import integrations, sealed
from clarion.store.database import Database
from clarion.store.tables import metadata
from installed import install

OLD, NEW = bytes(32), bytes(range(32))
SECRETS = 7


def fill(connection: Connection) -> None:
    install(connection)
    for n in range(SECRETS - 1):
        made = Integration(f"i{n}", "e", f"fcm-{n}x", "FCM", "fcm", "push", 0, 0, active=True)
        integrations.create(connection, Vault(OLD), msgspec.structs.replace(made, credentials={"n": n}))


def test_every_sealed_column_is_known() -> None:
    named = {
        column
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, sa.LargeBinary) and column.name.startswith("sealed")
    }
    assert named == {column.sealed for column in sealed.COLUMNS}


async def test_secrets_are_sealed_anew_step_by_step_and_only_once(database: Database) -> None:
    await database.write(fill)
    vault = Vault(NEW, [OLD])
    assert await database.read(sealed.count) == {sealed.name_of(Vault(OLD)): SECRETS}
    assert await database.write(sealed.reseal, vault, 3) == 3
    # Interrupted here, another run goes on with what is left.
    assert await database.read(sealed.count) == {
        sealed.name_of(Vault(OLD)): SECRETS - 3,
        sealed.name_of(vault): 3,
    }
    assert await database.write(sealed.reseal, Vault(NEW, [OLD]), 100) == SECRETS - 3
    assert await database.write(sealed.reseal, vault, 100) == 0
    found = await database.read(integrations.every, Vault(NEW))
    assert sorted(item.credentials.get("n", -1) for item in found) == list(range(-1, SECRETS - 1))


async def test_without_the_old_key_nothing_is_touched(database: Database) -> None:
    await database.write(fill)
    with pytest.raises(SecretUnreadable, match="CLARION_OLD_ENCRYPTION_KEYS"):
        await database.write(sealed.reseal, Vault(NEW), 100)
    assert await database.read(sealed.count) == {sealed.name_of(Vault(OLD)): SECRETS}


async def test_a_rotation_lets_every_process_see_that_the_catalog_is_another(database: Database) -> None:
    from clarion.store.catalog import revision

    await database.write(fill)
    before = await database.read(revision)
    await database.write(sealed.reseal, Vault(NEW, [OLD]), 100)
    assert await database.read(revision) == before + 1
