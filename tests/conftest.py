"""Fixtures that every kind of test shares."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from balance import keep_books
from clarion.store.database import Database
from clarion.store.migrate import migrate
from clarion.store.postgresql import PostgresDatabase
from clarion.store.sqlite import SqliteDatabase
from postgres import PostgresServer, postgres_server

settings.register_profile("clarion", deadline=None)  # a busy machine is no failure
settings.load_profile("clarion")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL server for the whole session."""
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database at the schema of this version, once embedded and once on PostgreSQL."""
    opened: Database
    if request.param == "sqlite":
        keep_books(tmp_path / "clarion.db")
        embedded = SqliteDatabase(tmp_path / "clarion.db")
        migrate(embedded.engine)
        opened = embedded
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        opened = PostgresDatabase(server.make())
    yield opened
    await opened.close()


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    """An embedded database at the schema of this version."""
    keep_books(tmp_path / "clarion.db")
    opened = SqliteDatabase(tmp_path / "clarion.db")
    migrate(opened.engine)
    yield opened
    await opened.close()


@pytest.fixture
async def shared(postgres: PostgresServer) -> AsyncIterator[PostgresDatabase]:
    """A PostgreSQL database at the schema of this version."""
    opened = PostgresDatabase(postgres.make())
    yield opened
    await opened.close()
