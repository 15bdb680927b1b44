"""Forgets old activity for as long as a process runs: small steps with pauses, so that nobody waits."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import structlog

from clarion.model.clock import Clock, Millis
from clarion.store import environments, pruning
from clarion.store.database import Database

log = structlog.get_logger(__name__)

STEP = 200
"""Notifications of a step: a few milliseconds of the one writer that an embedded database has."""

_PAUSE_SECONDS = 0.05
_EVERY_SECONDS = 60.0


class Pruned(NamedTuple):
    """What one round forgot."""

    notifications: int
    triggers: int


class Retention:
    """Of activity: triggers, notifications, messages, what phones reported of them, what virtual phones
    showed, and when integrations degraded. `kept` is its age in milliseconds; 0 keeps all."""

    def __init__(self, database: Database, clock: Clock, kept: Millis, pause: float = _PAUSE_SECONDS) -> None:
        self._database = database
        self._clock = clock
        self._kept = kept
        self._pause = pause

    async def run(self) -> None:
        """A round every minute, until cancelled."""
        while self._kept:
            try:
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
        before = self._clock() - self._kept
        notifications = 0
        for environment in await self._database.read(environments.every):
            step = partial(pruning.notifications, environment_id=environment.id, before=before, most=STEP)
            notifications += await self._steps(step)
        triggers = await self._steps(partial(pruning.triggers, before=before, most=STEP))
        for forget in (pruning.virtual_pushes, pruning.health_changes):
            more = True
            while more:
                more = await self._database.write(forget, before, STEP)
                await asyncio.sleep(self._pause)
        return Pruned(notifications, triggers)

    async def _steps(self, step: Callable[..., pruning.Step]) -> int:
        """Step by step from the oldest on; how much that forgot."""
        forgotten, after = 0, ""
        while True:
            done = await self._database.write(step, after=after)
            forgotten += done.forgotten
            if done.after is None:
                return forgotten
            after = done.after
            await asyncio.sleep(self._pause)
