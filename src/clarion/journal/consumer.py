"""Works through lanes: claims batches, keeps their leases alive, and never lets one block a lane."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from clarion.errors import RequestError
from clarion.journal.port import Batch, Journal, LeaseLost
from clarion.journal.sql import LEASE
from clarion.model.clock import MINUTE, SECOND, Clock, Millis

log = structlog.get_logger(__name__)

Work = Callable[[Batch], Awaitable[None]]
"""Does one batch and settles it."""

MOST_FAILURES = 8
GRACE_SECONDS = 8.0
"""How long what was begun may take to end when the worker stops."""

_BREATH_SECONDS = 1.0
_LONGEST_PAUSE: Millis = 5 * MINUTE


def pause_after(failures: int) -> Millis:
    """How long a batch that failed rests: 1 s, doubling, at most 5 min."""
    return min(SECOND << min(failures - 1, 20), _LONGEST_PAUSE)


class LaneConsumer:
    """One lane, at most `slots` batches at a time."""

    def __init__(self, journal: Journal, clock: Clock, lane: str, work: Work, slots: int) -> None:
        self._journal = journal
        self._clock = clock
        self._lane = lane
        self._work = work
        self._slots = slots
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until cancelled; then finish what was begun."""
        try:
            while True:
                await self._turn()
        finally:
            await asyncio.shield(self._finish())

    async def _finish(self) -> None:
        """Let what was begun end; what takes too long gives its lease back."""
        if self._running:
            _, slow = await asyncio.wait(self._running, timeout=GRACE_SECONDS)
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)

    async def _turn(self) -> None:
        free = self._slots - len(self._running)
        batches = await self._claim(free) if free else []
        for batch in batches:
            task = asyncio.create_task(self._attend(batch))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        if len(self._running) >= self._slots:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        elif not batches:
            await self._journal.wait(self._lane)

    async def _claim(self, most: int) -> list[Batch]:
        try:
            return await self._journal.claim(self._lane, most)
        except RequestError as error:
            log.warning("journal unavailable, trying again", lane=self._lane, error=error.message)
            await asyncio.sleep(_BREATH_SECONDS)
            return []
        except Exception:
            log.exception("journal can't be read, trying again", lane=self._lane)
            await asyncio.sleep(_BREATH_SECONDS)
            return []

    async def _attend(self, batch: Batch) -> None:
        renewal = asyncio.create_task(self._keep_lease(batch))
        try:
            await self._work(batch)
        except asyncio.CancelledError:
            await self._journal.put_back(batch, "the worker stopped", 0)
            raise
        except LeaseLost:
            log.warning("lease lost, the batch is done elsewhere", lane=batch.lane, batch=batch.id)
        except Exception as error:
            log.exception("batch failed", lane=batch.lane, batch=batch.id, claims=batch.claims)
            await self._give_up(batch, error)
        finally:
            renewal.cancel()

    async def _keep_lease(self, batch: Batch) -> None:
        while True:
            await asyncio.sleep(LEASE / 4 / 1000)
            try:
                await self._journal.renew(batch)
            except LeaseLost:
                return
            except Exception:
                log.exception("lease not renewed, trying again", lane=batch.lane, batch=batch.id)

    async def _give_up(self, batch: Batch, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        try:
            if batch.claims >= MOST_FAILURES:
                await self._journal.park(batch, reason)
            else:
                await self._journal.put_back(batch, reason, self._clock() + pause_after(batch.claims))
        except Exception:
            log.exception("batch not put back, its lease will run out", lane=batch.lane, batch=batch.id)


class LaneSupervisor:
    """A consumer for every lane that begins with `prefix`, started when the lane first appears."""

    def __init__(self, journal: Journal, clock: Clock, prefix: str, work: Work, slots: int) -> None:
        self._journal = journal
        self._clock = clock
        self._prefix = prefix
        self._work = work
        self._slots = slots
        self._consumers: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look for new lanes until cancelled."""
        try:
            while True:
                await self._look()
                await self._journal.wait(self._prefix)
        finally:
            for task in self._consumers.values():
                task.cancel()
            await asyncio.gather(*self._consumers.values(), return_exceptions=True)

    async def _look(self) -> None:
        try:
            for lane in await self._journal.lanes(self._prefix):
                self._attend(lane)
        except RequestError as error:
            log.warning("journal unavailable, looking again", prefix=self._prefix, error=error.message)
            await asyncio.sleep(_BREATH_SECONDS)
        except Exception:
            log.exception("journal can't be read, looking again", prefix=self._prefix)
            await asyncio.sleep(_BREATH_SECONDS)

    def _attend(self, lane: str) -> None:
        if lane not in self._consumers:
            consumer = LaneConsumer(self._journal, self._clock, lane, self._work, self._slots)
            self._consumers[lane] = asyncio.create_task(consumer.run())
