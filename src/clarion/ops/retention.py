"""Forgets old activity for as long as a process runs: small steps with pauses, so that nobody waits.

On PostgreSQL a week in which everything came to its end goes at once, when all of it is too old. What is in
others is forgotten as on SQLite.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import structlog

from clarion.model.clock import HOUR, Clock, Millis
from clarion.model.weeks import WEEK
from clarion.store import environments, hours, partitions, pruning
from clarion.store.database import Database
from clarion.store.partitions import Span

log = structlog.get_logger(__name__)

STEP = 200
"""Notifications of a step: a few milliseconds of the one writer that an embedded database has."""

LONG: Millis = 4 * WEEK
"""From where on a week more is little, so that all of a week may stay until its last is too old."""

LOOK_AGAIN: Millis = HOUR
"""After how long a week in which something went on is looked at again: that takes seconds for a million
notifications, and what ended of it goes step by step meanwhile."""

_PAUSE_SECONDS = 0.05
_EVERY_SECONDS = 60.0


class Pruned(NamedTuple):
    """What one round forgot."""

    notifications: int
    triggers: int
    weeks: int = 0
    """Those that went at once, with notifications that nobody counted."""


class Retention:
    """Of activity: triggers, notifications, messages, what phones reported of them, what virtual phones
    showed, hours of statistics, and when integrations degraded. `kept` is its age in milliseconds; 0 keeps
    all."""

    def __init__(self, database: Database, clock: Clock, kept: Millis, pause: float = _PAUSE_SECONDS) -> None:
        self._database = database
        self._clock = clock
        self._kept = kept
        self._pause = pause
        self._unfinished: dict[Span, Millis] = {}

    async def run(self) -> None:
        """A round every minute, until cancelled."""
        while True:
            try:
                await self._database.write_alone(partitions.make, self._clock())
                done = await self.round()
                if any(done):
                    log.info("old activity forgotten", **done._asdict())
            except Exception as error:
                log.warning(
                    "old activity not forgotten, trying again", error=f"{type(error).__name__}: {error}"
                )
            await asyncio.sleep(_EVERY_SECONDS)

    async def round(self) -> Pruned:
        """Forget everything that is too old now."""
        if not self._kept:
            return Pruned(0, 0)
        old = self._clock() - self._kept
        weeks, before = await self._whole_weeks(old)
        notifications = 0
        for environment in await self._database.read(environments.every):
            theirs = partial(pruning.notifications, environment_id=environment.id, before=before, most=STEP)
            notifications += await stepwise(self._database, theirs, self._pause)
            await self._while_more(pruning.strays, environment.id, before)
            await self._database.write(hours.forget, environment.id, before)
        of_all = partial(pruning.triggers, before=before, most=STEP)
        triggers = await stepwise(self._database, of_all, self._pause)
        for forget in (pruning.virtual_pushes, pruning.health_changes):
            await self._while_more(forget, old)
        return Pruned(notifications, triggers, weeks)

    async def _whole_weeks(self, before: Millis) -> tuple[int, Millis]:
        """Drop the weeks that can go at once; how many did, and what of the rest is to be forgotten."""
        dropped = 0
        for span in await self._due(before):
            free = await self._database.write_alone(partitions.droppable)
            if free and await self._goes_on(span):
                continue
            if not free or not await self._database.write_alone(partitions.drop, span):
                log.info("a week of old activity is in use, trying again", begin=span.begin, end=span.end)
                return dropped, span.begins_at
            dropped += 1
        if self._kept < LONG:
            return dropped, before
        return dropped, await self._database.read(partitions.week_kept, before)

    async def _due(self, before: Millis) -> list[Span]:
        """The weeks that may have come to their end, without those that lately had not."""
        old = await self._database.read(partitions.old, before)
        since = self._clock() - LOOK_AGAIN
        self._unfinished = {span: at for span, at in self._unfinished.items() if span in old and at > since}
        return [span for span in old if span not in self._unfinished]

    async def _goes_on(self, span: Span) -> bool:
        found = await self._database.read(partitions.under_way, span)
        if found:
            self._unfinished[span] = self._clock()
        return found

    async def _while_more(self, forget: Callable[..., bool], *which: str | Millis) -> None:
        more = True
        while more:
            more = await self._database.write(forget, *which, STEP)
            await asyncio.sleep(self._pause)


async def stepwise(database: Database, step: Callable[..., pruning.Step], pause: float) -> int:
    """Step by step from the oldest on, with pauses; how much that forgot."""
    forgotten, after = 0, ""
    while True:
        done = await database.write(step, after=after)
        forgotten += done.forgotten
        if done.after is None:
            return forgotten
        after = done.after
        await asyncio.sleep(pause)
