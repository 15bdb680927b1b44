"""Counts the hours of statistics that are over, as long as a process runs, so that no reader waits for it."""

import asyncio

import structlog

from clarion.model.clock import DAY, HOUR, Clock
from clarion.store import environments, hours
from clarion.store.database import Database
from clarion.store.statistics import Stretch

log = structlog.get_logger(__name__)

AHEAD = 31 * DAY
"""How far back: what the dashboard's first page asks for."""

_EVERY_SECONDS = 3600.0


async def counting(database: Database, clock: Clock) -> None:
    """A round every hour, until cancelled."""
    while True:
        try:
            await count(database, clock)
        except Exception as error:
            log.warning("hours not counted, trying again", error=f"{type(error).__name__}: {error}")
        await asyncio.sleep(_EVERY_SECONDS)


async def count(database: Database, clock: Clock) -> None:
    """Bring the hours of all environments up to date."""
    for environment in await database.read(environments.every):
        now = clock()
        time = Stretch(now - AHEAD, now, HOUR)
        await hours.bring_up(database, environment.id, hours.whole_hours(time, now), now)
