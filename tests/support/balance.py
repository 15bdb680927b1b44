"""Whether the books of a database balance: nothing is counted twice, nothing that was planned is gone."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aside import run_aside
from clarion.errors import DatabaseUnavailable
from clarion.store.ledger import ledger, trigger_ledger
from clarion.store.postgresql import PostgresDatabase

_kept: list[Path | str] = []


def keep_books(of: Path | str) -> None:
    """Look at this database when the test ends: an SQLite file or a PostgreSQL URL."""
    if of not in _kept:
        _kept.append(of)


def burn_books(of: Path | str) -> None:
    """Don't look at a database that is no more."""
    if of in _kept:
        _kept.remove(of)


def close_books() -> None:
    """Every database that is kept balances."""
    kept, _kept[:] = list(_kept), []
    for database in kept:
        if isinstance(database, Path):
            _look_into(database)
        else:
            run_aside(_look_up(database))


def balances(connection: Connection) -> None:
    """Per environment and per trigger: no outcome without a plan, and once nothing waits, no plan without
    an outcome."""
    if not sa.inspect(connection).has_table("journal"):
        return
    idle = _count(connection, "SELECT COUNT(*) FROM journal") == 0
    for environment_id in _texts(connection, "SELECT id FROM environments"):
        whole = ledger(connection, environment_id)
        triggers = _texts(connection, f"SELECT id FROM triggers WHERE environment_id = '{environment_id}'")
        parts = [trigger_ledger(connection, trigger_id) for trigger_id in triggers]
        assert all(part.in_flight >= 0 for part in parts), parts
        assert not idle or all(part.in_flight == 0 for part in parts), parts
        if parts:
            assert tuple(whole) == tuple(map(sum, zip(*parts, strict=True))), (whole, parts)


def _look_into(file: Path) -> None:
    if not file.exists():
        return
    engine = sa.create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(f"file:{file}?mode=ro", uri=True), poolclass=sa.NullPool
    )
    with engine.connect() as connection:
        balances(connection)


async def _look_up(url: str) -> None:
    database = PostgresDatabase(url)
    try:
        await database.read(balances)
    except DatabaseUnavailable:
        return  # the test has stopped its server
    finally:
        await database.close()


def _count(connection: Connection, query: str) -> int:
    found: int = connection.exec_driver_sql(query).scalar_one()
    return found


def _texts(connection: Connection, query: str) -> Iterator[str]:
    return iter(connection.exec_driver_sql(query).scalars().all())
