"""Shared token buckets, on either database."""

import asyncio

from clarion.api.limits import Limits
from clarion.api.route import Category
from clarion.errors import TooManyRequests
from clarion.model.clock import SECOND, Millis
from clarion.store import rates
from clarion.store.database import Database
from clarion.store.rates import Borrowed
from pushing import HandClock

NOW: Millis = 1_000_000


async def borrowed(database: Database, need: float, want: float, now: Millis) -> Borrowed:
    return await database.write(rates.borrow, "e", "trigger", 10, 50, need, want, now)


async def test_a_bucket_hands_out_what_it_has_and_fills_with_time(database: Database) -> None:
    assert await borrowed(database, 1, 20, NOW) == (20, 30)
    assert await borrowed(database, 25, 2, NOW) == (25, 5)
    assert await borrowed(database, 6, 10, NOW) == (0, 5)
    assert await borrowed(database, 6, 10, NOW + SECOND) == (10, 5)
    assert await borrowed(database, 1, 10, NOW) == (5, 0), "a clock that is behind gains nothing"
    assert await borrowed(database, 1, 1, NOW + 100 * SECOND) == (1, 49)
    assert await database.write(rates.borrow, "f", "trigger", 10, 50, 1, 1, NOW) == (1, 49)


async def test_processes_share_a_limit(database: Database) -> None:
    clock = HandClock(NOW)
    processes = [Limits(database, clock, {"trigger": 40}) for _ in range(4)]

    async def call(number: int) -> int:
        try:
            await processes[number % 4].take("e", Category.TRIGGER, 1, [])
        except TooManyRequests:
            return 0
        return 1

    async def taken(calls: int) -> int:
        return sum(await asyncio.gather(*map(call, range(calls))))

    assert await taken(400) == 200
    clock.now += SECOND
    assert await taken(400) == 40
