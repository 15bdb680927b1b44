import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Connection

from clarion.errors import DatabaseUnavailable, SettingsError
from clarion.store.migrate import migrate
from clarion.store.sqlite import DatabaseClosed, SqliteDatabase, only_worker
from clarion.store.tables import metadata


def add_lane(connection: Connection, lane: str) -> None:
    connection.exec_driver_sql(
        "INSERT INTO journal (lane, not_before, leased_until, lease, claims, body)"
        " VALUES (?, 0, 0, '', 0, x'')",
        (lane,),
    )


def add_and_fail(connection: Connection, lane: str) -> None:
    add_lane(connection, lane)
    raise ValueError(lane)


def lanes(connection: Connection) -> list[str]:
    return list(connection.exec_driver_sql("SELECT lane FROM journal ORDER BY id").scalars())


async def test_a_change_that_fails_undoes_itself_and_nobody_else(embedded: SqliteDatabase) -> None:
    results = await asyncio.gather(
        *(embedded.write(add_and_fail if n % 3 == 0 else add_lane, str(n)) for n in range(30)),
        return_exceptions=True,
    )
    failed = [n for n, result in enumerate(results) if isinstance(result, ValueError)]
    assert failed == list(range(0, 30, 3))
    assert sorted(await embedded.read(lanes)) == sorted(str(n) for n in range(30) if n % 3)


async def test_a_read_sees_what_was_written_before(embedded: SqliteDatabase) -> None:
    for n in range(20):
        await embedded.write(add_lane, str(n))
        assert len(await embedded.read(lanes)) == n + 1


async def test_concurrent_changes_share_commits(embedded: SqliteDatabase, tmp_path: Path) -> None:
    await asyncio.gather(*(embedded.write(add_lane, str(n)) for n in range(2000)))
    frames = (tmp_path / "clarion.db-wal").stat().st_size // 4096
    assert frames < 1000


async def test_a_closed_database_takes_no_change(embedded: SqliteDatabase) -> None:
    await embedded.close()
    with pytest.raises(DatabaseClosed):
        await embedded.write(add_lane, "late")


async def test_the_migrations_make_the_schema_of_the_tables(embedded: SqliteDatabase) -> None:
    assert migrate(embedded.engine).applied == ()
    with embedded.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": described})
        assert compare_metadata(context, metadata) == []


def described(_: object, name: str | None, kind: str, *__: object) -> bool:
    """All but the index of names, of which `tables` knows nothing, and the one that is wider on SQLite."""
    return not (name or "").startswith("subscriber_name" if kind == "table" else "ix_messages_not_delivered")


WRITER = """
import asyncio, sys
from pathlib import Path
from clarion.store.sqlite import SqliteDatabase

async def main() -> None:
    database = SqliteDatabase(Path(sys.argv[1]))
    async def one(n: int) -> None:
        await database.write(lambda c: c.exec_driver_sql(
            "INSERT INTO journal (lane, not_before, leased_until, lease, claims, body)"
            " VALUES (?, 0, 0, '', 0, x'')", (str(n),)))
        print(n, flush=True)
    n = 0
    while True:
        await asyncio.gather(*(one(n + k) for k in range(50)))
        n += 50

asyncio.run(main())
"""


async def test_what_was_acknowledged_survives_kill_9(embedded: SqliteDatabase, tmp_path: Path) -> None:
    await embedded.close()
    path = tmp_path / "clarion.db"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged = {writer.stdout.readline().strip() for _ in range(500)}
    os.kill(writer.pid, signal.SIGKILL)
    rest = writer.stdout.read().splitlines(keepends=True)
    acknowledged |= {line.strip() for line in rest if line.endswith("\n")}
    writer.wait()
    writer.stdout.close()
    survivor = sqlite3.connect(path)
    kept = {lane for (lane,) in survivor.execute("SELECT lane FROM journal")}
    survivor.close()
    assert len(acknowledged) >= 500
    assert acknowledged - kept == set()


def bound_pages(connection: Connection, more: int) -> None:
    """Let the file grow by so many pages at most."""
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + more}")


async def test_a_full_disk_is_said_and_passes(embedded: SqliteDatabase) -> None:
    large = "lane" * 100_000
    await embedded.write(bound_pages, 1)
    with pytest.raises(DatabaseUnavailable, match="disk of the database is full"):
        await embedded.write(add_lane, large)
    assert await embedded.read(lanes) == []
    await embedded.write(bound_pages, 10_000)
    await embedded.write(add_lane, large)
    assert await embedded.read(lanes) == [large]


LOCKED = """
import sys, time
from pathlib import Path
from clarion.store.sqlite import only_worker
with only_worker(Path(sys.argv[1])):
    print("holds it", flush=True)
    time.sleep(600)
"""


def test_a_second_worker_is_refused_until_the_first_ended_however_that_was(tmp_path: Path) -> None:
    path = tmp_path / "clarion.db"
    command = [sys.executable, "-c", LOCKED, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        try:
            assert first.stdout.readline() == "holds it\n"
            with pytest.raises(SettingsError, match="another Clarion worker is using"), only_worker(path):
                pass
            with only_worker(tmp_path / "other.db"):
                pass
        finally:
            first.kill()
    with only_worker(path):
        pass
