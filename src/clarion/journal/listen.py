"""Hears of new records on PostgreSQL, so that an idle worker wakes at once instead of at its next look."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import structlog

from clarion.journal.sql import CHANNEL

log = structlog.get_logger(__name__)

_SHORTEST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0


async def listen(url: str, ring: Callable[[str], None]) -> None:
    """Call `ring` with the lane of every record that any process appends; reconnect until cancelled."""
    pause = _SHORTEST_PAUSE
    while True:
        try:
            connection = await asyncpg.connect(url, timeout=10)
            pause = _SHORTEST_PAUSE
            await _until_lost(connection, ring)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("not listening for new records, trying again", error=str(error), seconds=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)


async def _until_lost(connection: "asyncpg.Connection[Any]", ring: Callable[[str], None]) -> None:
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _: lost.set())
    try:
        await connection.add_listener(CHANNEL, lambda _, __, ___, lane: ring(str(lane)))
        await lost.wait()
    finally:
        await connection.close(timeout=5)
