"""PostgreSQL: a few writing connections with group commit, a pool of reading ones, asyncpg below.

What arrived while the last commit ran is the next commit. A group runs as one transaction; when a change
in it fails, the group is undone and each change runs again alone, so that only the failing one fails.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

from clarion.errors import DatabaseUnavailable
from clarion.model.clock import system_clock
from clarion.store import partitions
from clarion.store.migrate import Migration, upgrade

P = ParamSpec("P")
T = TypeVar("T")

log = structlog.get_logger(__name__)

_MOST_PER_COMMIT = 200
_WRITERS = 4
_READERS = 8
_TRIES_OF_CONFLICT = 5
_CONFLICTS = frozenset({"40001", "40P01"})
"""SQLSTATE of a serialization failure and of a deadlock: the same change succeeds when it runs again."""

_MIGRATION_LOCK = 0x636C6172


class _Change(NamedTuple):
    run: Callable[[Connection], Any]
    done: "asyncio.Future[Any]"


class PostgresDatabase:
    """A PostgreSQL database, 15 or newer. Use it from one event loop."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url).set(drivername="postgresql+asyncpg")
        self.engine = create_async_engine(
            self.url,
            pool_size=_READERS + _WRITERS,
            max_overflow=0,
            pool_timeout=30,
            connect_args={"timeout": 10, "prepared_statement_cache_size": 512},
        )
        self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._changes: deque[_Change] = deque()
        self._writers: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def where(self) -> str:
        """The URL, for eyes that may not have the password."""
        return self.url.set(drivername="postgresql").render_as_string(hide_password=True)

    @property
    def waiting(self) -> int:
        """Changes that wait for a commit."""
        return len(self._changes)

    async def migrate(self) -> Migration:
        """Bring the schema to this version; one process at a time does it, the others wait."""
        with _reachable(self):
            async with self.engine.begin() as connection:
                await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
                done = await connection.run_sync(upgrade)
        await self.write_alone(partitions.make, system_clock())
        return done

    async def read(
        self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        with _reachable(self):
            async with self._reading.connect() as connection:
                return await connection.run_sync(lambda c: query(c, *args, **kwargs))

    async def write(
        self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        if self._closed:
            raise DatabaseUnavailable("the database is closed")
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._changes.append(_Change(lambda c: change(c, *args, **kwargs), done))
        if len(self._writers) < _WRITERS:
            writer = asyncio.create_task(self._write())
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        return await done

    async def write_alone(
        self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self.read(change, *args, **kwargs)

    async def close(self) -> None:
        self._closed = True
        while self._writers:
            await asyncio.wait(self._writers)
        await self.engine.dispose()

    async def _write(self) -> None:
        """Commit group after group until nothing waits."""
        while self._changes:
            group = [self._changes.popleft() for _ in range(min(len(self._changes), _MOST_PER_COMMIT))]
            await self._commit([change for change in group if not change.done.done()])

    async def _commit(self, group: Sequence[_Change]) -> None:
        try:
            with _reachable(self):
                results = await self._transaction(group)
        except DatabaseUnavailable as error:
            for change in group:
                _fail(change, error)
            return
        except Exception as error:
            if len(group) == 1:
                _fail(group[0], error)
                return
            for change in group:
                await self._commit([change])
            return
        for change, result in zip(group, results, strict=True):
            if not change.done.done():
                change.done.set_result(result)

    async def _transaction(self, group: Sequence[_Change]) -> list[Any]:
        for _ in range(_TRIES_OF_CONFLICT):
            try:
                async with self.engine.begin() as connection:
                    return await connection.run_sync(lambda c: [change.run(c) for change in group])
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _CONFLICTS:
                    raise
                conflict = error
        raise conflict


def _fail(change: _Change, error: Exception) -> None:
    if not change.done.done():
        change.done.set_exception(error)


class _reachable:
    """Turns the many ways in which a database is not there into one error."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._where = database.where

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if _lost(error):
            raise DatabaseUnavailable(f"PostgreSQL can't be reached at {self._where}") from error


def _lost(error: BaseException | None) -> bool:
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error, OperationalError) or _lost(error.orig)
    state = getattr(error, "sqlstate", None) or ""
    return isinstance(error, OSError | TimeoutError) or state[:2] in ("08", "57", "53")
