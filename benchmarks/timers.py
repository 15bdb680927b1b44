"""Timers: how late they are, and what a million of them costs everybody else.

A timer is a journal record with a time. Measured with none and with `--pending` others waiting for later:
claim and settle of what is due, looking for the next, depth, lanes, the operators' summary; then how late
timers that fall due at many moments reach two workers that share the lane, and that each is handed out once.

    python benchmarks/timers.py [--pending 1000000] [--due 5000] [--on sqlite postgresql]
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from clarion.journal.consumer import LaneConsumer
from clarion.journal.port import Batch, Record, deliver_lane
from clarion.journal.sql import SqlJournal
from clarion.model.clock import HOUR, SECOND, Millis, system_clock
from clarion.store.database import Database
from clarion.store.dialect import run_many, sql
from clarion.store.migrate import migrate
from clarion.store.postgresql import PostgresDatabase
from clarion.store.sqlite import SqliteDatabase
from footing import Footing, footing
from results import keep

LANE = deliver_lane("timers")
BODY = b"x" * 430
ROUNDS = 200
_ADD = sql("""
INSERT INTO journal (lane, not_before, leased_until, lease, claims, body) VALUES (?, ?, 0, '', 0, ?)
""")


async def fill(database: Database, pending: int) -> None:
    """Timers that fall due within the day, an hour from now."""
    first = system_clock() + HOUR

    def add(connection: Connection, numbers: range) -> None:
        run_many(connection, _ADD, [(LANE, first + n * 7919 % (24 * HOUR), BODY) for n in numbers])

    for start in range(0, pending, 20_000):
        await database.write(add, range(start, min(start + 20_000, pending)))


async def costs(journal: SqlJournal) -> dict[str, float]:
    """Milliseconds of each call, the median of many."""

    async def claimed() -> None:
        (batch,) = await journal.claim(LANE, 1)
        await journal.settle(batch, lambda _: [])

    await journal.append([Record(LANE, BODY) for _ in range(ROUNDS)])
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "claim and settle": claimed,
        "claim nothing": lambda: journal.claim(LANE, 16),
        "depth up to 20": lambda: journal.depth(LANE, 20),
        "lanes": lambda: journal.lanes(""),
    }
    found = {name: await _median(call, ROUNDS) for name, call in calls.items()}
    return found | {"summary": await _median(journal.summary, 5)}


async def _median(call: Callable[[], Awaitable[object]], rounds: int) -> float:
    waits = []
    for _ in range(rounds):
        began = time.perf_counter()
        await call()
        waits.append((time.perf_counter() - began) * 1000)
    return statistics.median(waits)


async def lateness(databases: list[Database], due: int) -> dict[str, float]:
    """How many milliseconds after their time timers reach the workers, which share the lane."""
    late: list[Millis] = []
    handed: list[bytes] = []

    def worker(journal: SqlJournal) -> LaneConsumer:
        async def work(batch: Batch) -> None:
            late.append(system_clock() - int(batch.body.split()[0]))
            handed.append(batch.body)
            await journal.settle(batch, lambda _: [])

        return LaneConsumer(journal, system_clock, LANE, work, 16)

    journals = [SqlJournal(database, system_clock) for database in databases]
    moments = [system_clock() + SECOND + n * 10 * SECOND // due for n in range(due)]
    await journals[0].append([Record(LANE, b"%d %d" % (at, n), at) for n, at in enumerate(moments)])
    tasks = [asyncio.create_task(worker(journal).run()) for journal in journals]
    while len(set(handed)) < due:
        await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert len(handed) == due, "a timer was handed out twice"
    late.sort()
    return {"p50": late[due // 2], "p99": late[due * 99 // 100], "max": late[-1]}


async def measure(on: Footing, pending: int, due: int) -> dict[str, Any]:
    """One footing, from nothing."""
    database = on.open()
    if isinstance(database, PostgresDatabase):
        await database.migrate()
    elif isinstance(database, SqliteDatabase):
        migrate(database.engine)
    databases = [database, on.open()]
    journal = SqlJournal(database, system_clock)
    found: dict[str, Any] = {"costs_ms": {"0": await costs(journal)}}
    await fill(database, pending)
    found["costs_ms"][str(pending)] = await costs(journal)
    found["late_ms"] = await lateness(databases, due)
    for opened in databases:
        await opened.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pending", type=int, default=1_000_000)
    parser.add_argument("--due", type=int, default=5000)
    parser.add_argument("--on", choices=["sqlite", "postgresql"], nargs="*", default=["sqlite", "postgresql"])
    asked = parser.parse_args()
    figures = {}
    for name in asked.on:
        with tempfile.TemporaryDirectory() as folder, footing(name, Path(folder)) as on:
            os.makedirs(on.data_dir, exist_ok=True)
            figures[name] = asyncio.run(measure(on, asked.pending, asked.due))
            _report(name, figures[name])
    keep("timers", figures)


def _report(name: str, found: dict[str, Any]) -> None:
    none, many = found["costs_ms"].values()
    for call in none:
        print(f"{name:10} {call:18} {none[call]:8.2f} ms with none pending, {many[call]:8.2f} ms with many")
    late = found["late_ms"]
    print(f"{name:10} late: p50 {late['p50']} ms, p99 {late['p99']} ms, at most {late['max']} ms")


if __name__ == "__main__":
    main()
