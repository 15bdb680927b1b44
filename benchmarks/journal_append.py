"""How many durable appends a second the SQL journal takes: python benchmarks/journal_append.py

64 callers, one record of 430 bytes each, the next one when the last is on disk (SQLite, synchronous=FULL).
"""

import asyncio
import tempfile
import time
from pathlib import Path

import uvloop

from clarion.journal.port import Record, accepted_lane
from clarion.journal.sql import SqlJournal
from clarion.model.clock import system_clock
from clarion.store.migrate import migrate
from clarion.store.sqlite import SqliteDatabase

CALLERS = 64
SECONDS = 4
RECORD = Record(accepted_lane("e"), b"x" * 430)


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = SqliteDatabase(Path(folder) / "clarion.db")
        migrate(database.engine)
        waits = await measure(SqlJournal(database, system_clock))
        await database.close()
    waits.sort()
    p50, p99 = (waits[int(len(waits) * share)] * 1000 for share in (0.5, 0.99))
    print(f"{len(waits) / SECONDS:,.0f} durable appends/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms")


async def measure(journal: SqlJournal) -> list[float]:
    waits: list[float] = []
    end = time.perf_counter() + SECONDS

    async def caller() -> None:
        while (begun := time.perf_counter()) < end:
            await journal.append([RECORD])
            waits.append(time.perf_counter() - begun)

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return waits


uvloop.run(main())
