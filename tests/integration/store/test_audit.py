"""Entries of the audit log and the changes that they belong to."""

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.store.audit import Actor, AuditedDatabase, Entry, audited
from clarion.store.database import Database
from clarion.store.tables import audit_log, catalog

ADA = Actor("member", "a" * 32, "ada@clarion.test")


def entry(identity: str = "1" * 32) -> Entry:
    return Entry(identity, 1, "", ADA, "update_workflow", "workflows/welcome")


def change(connection: Connection) -> int:
    connection.execute(catalog.update().values(revision=catalog.c.revision + 1))
    return connection.scalar(sa.select(catalog.c.revision)) or 0


def refused(connection: Connection) -> None:
    change(connection)
    raise ValueError("refused")


async def kept(database: Database) -> int:
    def count(connection: Connection) -> int:
        return connection.scalar(sa.select(sa.func.count()).select_from(audit_log)) or 0

    return await database.read(count)


async def test_only_the_first_change_that_succeeds_carries_the_entry(database: Database) -> None:
    watched = AuditedDatabase(database)
    with audited(entry()):
        with pytest.raises(ValueError, match="refused"):
            await watched.write(refused)
        assert await kept(database) == 0
        await watched.write(change)
        assert await kept(database) == 1
        await watched.write(change)
    await watched.write(change)
    assert await kept(database) == 1


async def test_changes_at_once_carry_it_once(database: Database) -> None:
    watched = AuditedDatabase(database)
    with audited(entry()):
        await asyncio.gather(*(watched.write(change) for _ in range(20)))
    assert await kept(database) == 1


async def test_what_a_task_writes_after_the_call_is_over_does_not_belong_to_it(database: Database) -> None:
    watched, over = AuditedDatabase(database), asyncio.Event()

    async def later() -> None:
        await over.wait()
        await watched.write(change)

    with audited(entry()):
        task = asyncio.create_task(later())
        await asyncio.sleep(0)
    over.set()
    await task
    assert await kept(database) == 0


async def test_calls_at_once_carry_their_own(database: Database) -> None:
    watched = AuditedDatabase(database)

    async def call(number: int) -> None:
        with audited(entry(f"{number:032x}")):
            await watched.write(change)

    await asyncio.gather(*(call(number) for number in range(20)))
    assert await kept(database) == 20
