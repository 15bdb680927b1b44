"""SQLite: one writer thread with group commit, a few reader threads, WAL, synchronous=FULL.

What arrived while the last commit ran is the next commit, so nobody waits for company and many
callers share one fsync.
"""

import asyncio
import fcntl
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from clarion.errors import ClarionError, DatabaseUnavailable, SettingsError

P = ParamSpec("P")
T = TypeVar("T")

_MOST_PER_COMMIT = 1000
_READERS = 4


class DatabaseClosed(ClarionError):
    """The database was closed before this change could be made."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection that is durable at commit and leaves transactions to us."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    for pragma in (
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=30000",
        "cache_size=-16384",
        "wal_autocheckpoint=4000",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}").close()
    connection.create_function("folded", 1, str.lower, deterministic=True)  # SQLite's own knows only ASCII
    return connection


def engine_for(path: Path, *, readers: int = _READERS) -> sa.Engine:
    """An engine whose connections begin nothing by themselves."""
    return sa.create_engine(
        "sqlite+pysqlite://",
        creator=lambda: connect(path),
        poolclass=QueuePool,
        pool_size=readers + 1,
        max_overflow=0,
        isolation_level="AUTOCOMMIT",
    )


def _enable_wal(path: Path) -> None:
    """Kept in the file itself; switching needs the file alone, so it happens before anybody else opens it."""
    path.touch(0o600)  # device tokens are nobody else's business; the WAL takes its mode from here
    connection = sqlite3.connect(path, timeout=30)
    connection.execute("PRAGMA journal_mode=WAL").close()
    connection.close()


@contextmanager
def only_worker(database_path: Path) -> Iterator[None]:
    """An exclusive lock beside the database; it ends with the process, however that ends."""
    with database_path.with_suffix(".worker-lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(
                f"another Clarion worker is using {database_path}: stop it, or set another CLARION_DATA_DIR"
            ) from None
        yield


class _Change(NamedTuple):
    run: Callable[[Connection], Any]
    done: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop


_Settled = tuple[_Change, Any, BaseException | None]


class SqliteDatabase:
    """The embedded database. Safe to use from any event loop of this process."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        _enable_wal(path)
        self.engine = engine_for(path)
        self._connection = self.engine.connect()
        self._changes: queue.SimpleQueue[_Change | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="clarion-read")
        self._writer = threading.Thread(target=self._write_forever, name="clarion-write", daemon=True)
        self._closed = False
        self._writer.start()

    @property
    def waiting(self) -> int:
        """Changes that wait for a commit."""
        return self._changes.qsize()

    async def read(
        self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._query, lambda c: query(c, *args, **kwargs))

    async def write(
        self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        if self._closed:
            raise DatabaseClosed("the database is closed")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._changes.put(_Change(lambda c: change(c, *args, **kwargs), done, loop))
        return await done

    write_alone = write

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._changes.put(None)
        await asyncio.to_thread(self._writer.join)
        await asyncio.to_thread(self._readers.shutdown)
        self._connection.close()
        self.engine.dispose()

    def _query(self, query: Callable[[Connection], T]) -> T:
        try:
            with self.engine.connect() as connection:
                return query(connection)
        except Exception as error:
            raise _worded(error) from error

    def _write_forever(self) -> None:
        more = True
        while more and (first := self._changes.get()) is not None:
            batch, more = self._gather(first)
            _settle(_commit(self._connection, batch))

    def _gather(self, first: _Change) -> tuple[list[_Change], bool]:
        batch = [first]
        while len(batch) < _MOST_PER_COMMIT:
            try:
                change = self._changes.get_nowait()
            except queue.Empty:
                break
            if change is None:
                return batch, False
            batch.append(change)
        return batch, True


def _commit(connection: Connection, batch: list[_Change]) -> list[_Settled]:
    raw = _raw(connection)
    try:
        raw.execute("BEGIN IMMEDIATE")
        settled = [_attempt(raw, connection, change) for change in batch]
        raw.execute("COMMIT")
    except BaseException as error:
        if raw.in_transaction:
            raw.execute("ROLLBACK")
        return [(change, None, _worded(error)) for change in batch]
    return settled


def _attempt(raw: sqlite3.Connection, connection: Connection, change: _Change) -> _Settled:
    raw.execute("SAVEPOINT change")
    try:
        result = change.run(connection)
    except Exception as error:
        if not raw.in_transaction:  # SQLite itself gave the whole transaction up (disk full, I/O error)
            raise
        raw.execute("ROLLBACK TO change")
        raw.execute("RELEASE change")
        return change, None, _worded(error)
    raw.execute("RELEASE change")
    return change, result, None


def _worded(error: BaseException) -> BaseException:
    """A disk that is full or fails as an error that says so and passes; every other error as it is."""
    code = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlite_errorcode", 0)
    told = _DISK_TROUBLE.get(code & 0xFF)
    return error if told is None else DatabaseUnavailable(told)


_DISK_TROUBLE = {
    sqlite3.SQLITE_FULL: "The disk of the database is full; nothing was kept. Free space and try again",
    sqlite3.SQLITE_IOERR: "The database can't be read or written: its disk is full, over a quota or failing;"
    " nothing was kept. Free space and try again",
}


def _settle(settled: list[_Settled]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Settled]] = {}
    for item in settled:
        by_loop.setdefault(item[0].loop, []).append(item)
    for loop, items in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, items)


def _resolve(items: list[_Settled]) -> None:
    for change, result, error in items:
        if change.done.done():
            continue
        if error is None:
            change.done.set_result(result)
        else:
            change.done.set_exception(error)


def _raw(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver
