"""`clarion migrate`: the schema of this version, without starting anything."""

import asyncio
import os
from pathlib import Path

import click
import sqlalchemy as sa

from clarion.errors import SettingsError
from clarion.settings import load
from clarion.store.migrate import Migration, migrate
from clarion.store.postgresql import PostgresDatabase
from clarion.store.sqlite import engine_for

_WHERE = "CLARION_DATA_DIR and CLARION_DATABASE_URL say where the database is"


@click.command(short_help="Bring the database to the schema of this version.")
def command() -> None:
    """Bring the database to the schema of this version.

    Makes the database where there is none. Safe to repeat, and while the version before this one runs: it
    works on the new schema.
    """
    settings = load(os.environ)
    if settings.postgresql_url:
        where, done = asyncio.run(_migrated_server(settings.postgresql_url))
    else:
        where, done = str(settings.database_path), _migrated(settings.database_path)
    click.echo(f"database  {where}")
    for line in _report(done):
        click.echo(line)


async def _migrated_server(url: str) -> tuple[str, Migration]:
    database = PostgresDatabase(url)
    try:
        return database.where, await database.migrate()
    finally:
        await database.close()


def _migrated(path: Path) -> Migration:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _migrate(path)
    except OSError as error:
        raise SettingsError(f"{path.parent} can't be used: {error.strerror}; {_WHERE}") from error
    except sa.exc.DBAPIError as error:
        raise SettingsError(f"{path} can't be migrated: {error.orig}; {_WHERE}") from error


def _migrate(path: Path) -> Migration:
    engine = engine_for(path)
    try:
        return migrate(engine)
    finally:
        engine.dispose()


def _report(done: Migration) -> list[str]:
    if not done.applied:
        return [f"revision  {done.after}: nothing to do"]
    applied = [f"applied   {revision} {title}" for revision, title in done.applied]
    return [*applied, f"revision  {done.before or 'none'} → {done.after}"]
