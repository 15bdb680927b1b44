"""Forgets texts and details of pushes that are kept longer than those, as long as a process runs."""

import asyncio
from collections.abc import Mapping
from functools import partial

import structlog

from clarion.model.clock import Clock, Millis
from clarion.ops.retention import stepwise
from clarion.store import environments, trimming
from clarion.store.database import Database
from clarion.store.trimming import DETAILS, TEXTS, Kind

log = structlog.get_logger(__name__)

STEP = 200
"""Rows of a step: a few milliseconds of the one writer that an embedded database has."""

_PAUSE_SECONDS = 0.05
_EVERY_SECONDS = 600.0


class Trimming:
    """Of each kind, what is older than it is kept; what is kept for 0 goes with its push."""

    def __init__(
        self, database: Database, clock: Clock, texts: Millis, details: Millis, pause: float = _PAUSE_SECONDS
    ) -> None:
        self._database = database
        self._clock = clock
        self._kept: Mapping[str, tuple[Kind, Millis]] = {
            "texts": (TEXTS, texts),
            "details": (DETAILS, details),
        }
        self._pause = pause

    async def run(self) -> None:
        """A round every ten minutes, until cancelled."""
        while True:
            try:
                done = await self.round()
                if any(done.values()):
                    log.info("old texts and details forgotten", **done)
            except Exception as error:
                log.warning(
                    "old texts and details not forgotten, trying again",
                    error=f"{type(error).__name__}: {error}",
                )
            await asyncio.sleep(_EVERY_SECONDS)

    async def round(self) -> dict[str, int]:
        """Forget everything that is too old now: of how many rows, by kind."""
        done = dict.fromkeys(self._kept, 0)
        for environment in await self._database.read(environments.every):
            for name, (kind, kept) in self._kept.items():
                if kept:
                    done[name] += await self._of(environment.id, kind, kept)
        return done

    async def _of(self, environment_id: str, kind: Kind, kept: Millis) -> int:
        forgotten, now = 0, self._clock()
        for hour in await self._database.read(trimming.due, kind, environment_id, kept, now):
            for part in kind.parts:
                step = partial(trimming.trim, part=part, environment_id=environment_id, hour=hour)
                step = partial(step, before=now - kept, now=now, most=STEP)
                forgotten += await stepwise(self._database, step, self._pause)
            await self._database.write(trimming.trimmed, kind, environment_id, hour, now)
        return forgotten
