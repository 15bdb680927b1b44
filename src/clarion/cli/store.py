"""Opens the database that is there, for verbs that look into it whether Clarion runs or not."""

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from getpass import getuser
from typing import Any

import sqlalchemy as sa

from clarion.errors import SettingsError
from clarion.model.clock import system_clock
from clarion.model.ids import new_id
from clarion.settings import Settings
from clarion.store import audit
from clarion.store.audit import Actor, AuditedDatabase, Entry, audited
from clarion.store.database import Database
from clarion.store.postgresql import PostgresDatabase
from clarion.store.sqlite import SqliteDatabase


@asynccontextmanager
async def noted(database: Database, action: str, resource: str, after: Any = None) -> AsyncIterator[None]:
    """What is written meanwhile stands in the audit log, as done by whoever is at the terminal."""
    now = system_clock()
    entry = Entry(new_id(now), now, "", Actor("cli", "", _user()), action, resource, after=after)
    with audited(entry):
        yield
    if not entry.written:
        await database.write(audit.add, entry)


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """The database, as it is: nothing is migrated or made. `SettingsError` when it isn't of this version."""
    database, where = database_of(settings)
    try:
        yield AuditedDatabase(database)
    except sa.exc.DBAPIError as error:
        raise SettingsError(
            f"{where} can't be used ({error.orig}): `clarion migrate` brings the database to the"
            " schema of this version"
        ) from error
    finally:
        await database.close()


def database_of(settings: Settings) -> tuple[Database, str]:
    """The database that is there, and its name without the password."""
    if settings.postgresql_url:
        shared = PostgresDatabase(settings.postgresql_url)
        return shared, shared.where
    path = settings.database_path
    if not path.exists():
        raise SettingsError(f"there is no {path}: see CLARION_DATA_DIR and CLARION_DATABASE_URL")
    try:
        return SqliteDatabase(path), str(path)
    except (OSError, sqlite3.Error) as error:
        raise SettingsError(f"{path} can't be used: {error}") from error
