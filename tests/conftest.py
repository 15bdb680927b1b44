"""Fixtures that every kind of test shares."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer

from balance import keep_books
from clarion.store.database import Database
from clarion.store.postgresql import PostgresDatabase
from clarion.store.sqlite import SqliteDatabase
from embedded_files import put_embedded
from postgres import PostgresServer, postgres_server
from shares import Shares

settings.register_profile("clarion", deadline=None)  # a busy machine is no failure
settings.load_profile("clarion")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shares:
    """How the tests are shared out among workers."""
    return Shares(config, log)


@pytest.fixture(scope="session")
def postgres_of_session() -> Iterator[PostgresServer]:
    """One PostgreSQL server for the whole session; where several workers run tests, one for each."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def postgres(postgres_of_session: PostgresServer) -> PostgresServer:
    """The server, without the databases that tests before made on it: their books are closed by now."""
    postgres_of_session.clear()
    return postgres_of_session


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database at the schema of this version, once embedded and once on PostgreSQL."""
    opened: Database
    if request.param == "sqlite":
        opened = _embedded(tmp_path)
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        opened = PostgresDatabase(server.make())
    yield opened
    await opened.close()


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    """An embedded database at the schema of this version."""
    opened = _embedded(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def shared(postgres: PostgresServer) -> AsyncIterator[PostgresDatabase]:
    """A PostgreSQL database at the schema of this version."""
    opened = PostgresDatabase(postgres.make())
    yield opened
    await opened.close()


def _embedded(folder: Path) -> SqliteDatabase:
    keep_books(folder / "clarion.db")
    return SqliteDatabase(put_embedded(folder / "clarion.db"))
