"""Timers: due within a second of their time, whoever of several workers takes them, and once."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.engine import Connection

from clarion.journal.consumer import LaneConsumer
from clarion.journal.port import Batch, Record
from clarion.journal.sql import SqlJournal
from clarion.model.clock import HOUR, SECOND, Millis, system_clock
from clarion.store.database import Database

LANE = "deliver:i1"
TIMERS = 120


async def test_workers_without_a_leader_hand_each_timer_out_once_and_in_time(database: Database) -> None:
    start = system_clock() + SECOND // 4
    dues = {b"%d" % n: start + n * SECOND // TIMERS for n in range(TIMERS)}
    taken: dict[str, list[tuple[bytes, Millis]]] = {"one": [], "other": []}

    def worker(name: str) -> LaneConsumer:
        journal = SqlJournal(database, system_clock)

        async def work(batch: Batch) -> None:
            taken[name].append((batch.body, system_clock() - dues[batch.body]))
            await journal.settle(batch, _nothing)

        return LaneConsumer(journal, system_clock, LANE, work, 8)

    later = [Record(LANE, b"later", system_clock() + HOUR) for _ in range(200)]
    await SqlJournal(database, system_clock).append(
        [*later, *(Record(LANE, body, due) for body, due in dues.items())]
    )
    tasks = [asyncio.create_task(worker(name).run()) for name in taken]
    async with asyncio.timeout(20):
        while sum(map(len, taken.values())) < TIMERS:
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    handed = [item for items in taken.values() for item in items]
    assert sorted(body for body, _ in handed) == sorted(dues)
    assert all(taken.values()), "one worker took everything"
    assert min(late for _, late in handed) >= 0
    assert max(late for _, late in handed) < SECOND


def _nothing(_: Connection) -> Sequence[Record]:
    return []
