"""Works through lanes: claims batches, keeps their leases alive, and never lets one block a lane."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from clarion.errors import DatabaseUnavailable, Overloaded, RequestError
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
_RENEW_AGAIN: Millis = SECOND // 4
_UNAVAILABLE = (DatabaseUnavailable, Overloaded)
_LONGEST_PAUSE: Millis = 5 * MINUTE


def pause_after(failures: int) -> Millis:
    """How long a batch that failed rests: 1 s, doubling, at most 5 min."""
    return min(SECOND << min(failures - 1, 20), _LONGEST_PAUSE)


async def _breathing(step: Callable[[], Awaitable[None]], **where: str) -> None:
    """One step; a breath when the journal can't be reached, so that an outage ends nobody's work for good."""
    try:
        await step()
    except RequestError as error:
        log.warning("journal unavailable, trying again", error=error.message, **where)
        await asyncio.sleep(_BREATH_SECONDS)
    except Exception:
        log.exception("journal can't be read, trying again", **where)
        await asyncio.sleep(_BREATH_SECONDS)


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
                await _breathing(self._turn, lane=self._lane)
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
        batches = await self._journal.claim(self._lane, free) if free else []
        for batch in batches:
            task = asyncio.create_task(self._attend(batch))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        if len(self._running) >= self._slots:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        elif not batches:
            await self._journal.wait(self._lane)

    async def _attend(self, batch: Batch) -> None:
        work = asyncio.ensure_future(self._work(batch))
        renewal = asyncio.create_task(self._keep_lease(batch, work))
        try:
            await work
        except asyncio.CancelledError:
            if not renewal.done():
                await self._journal.put_back(batch, "the worker stopped", 0)
                raise
            log.warning("lease lost, the batch is done elsewhere", lane=batch.lane, batch=batch.id)
        except LeaseLost:
            log.warning("lease lost, the batch is done elsewhere", lane=batch.lane, batch=batch.id)
        except _UNAVAILABLE as error:
            log.warning("batch interrupted", lane=batch.lane, batch=batch.id, error=error.message)
            await self._give_up(batch, error)
        except Exception as error:
            log.exception("batch failed", lane=batch.lane, batch=batch.id, claims=batch.claims)
            await self._give_up(batch, error)
        finally:
            renewal.cancel()

    async def _keep_lease(self, batch: Batch, work: asyncio.Future[None]) -> None:
        """Renew the lease, and end the work when it is somebody else's: both would send the same."""
        pause = LEASE // 4
        while True:
            await asyncio.sleep(pause / 1000)
            try:
                await self._journal.renew(batch)
                pause = LEASE // 4
            except LeaseLost:
                work.cancel()
                return
            except _UNAVAILABLE:  # claiming says so, once for the whole lane
                pause = _RENEW_AGAIN
            except Exception:
                log.exception("lease not renewed, trying again", lane=batch.lane, batch=batch.id)
                pause = _RENEW_AGAIN

    async def _give_up(self, batch: Batch, error: Exception) -> None:
        """Park what failed too often for a reason of its own; an outage is none."""
        reason = f"{type(error).__name__}: {error}"
        try:
            if batch.claims >= MOST_FAILURES and not isinstance(error, _UNAVAILABLE):
                await self._journal.park(batch, reason)
            else:
                await self._journal.put_back(batch, reason, self._clock() + pause_after(batch.claims))
        except _UNAVAILABLE as unavailable:
            log.warning(
                "batch not put back, its lease will run out",
                lane=batch.lane,
                batch=batch.id,
                error=unavailable.message,
            )
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
                await _breathing(self._look, prefix=self._prefix)
        finally:
            for task in self._consumers.values():
                task.cancel()
            await asyncio.gather(*self._consumers.values(), return_exceptions=True)

    async def _look(self) -> None:
        for lane in await self._journal.lanes(self._prefix):
            self._attend(lane)
        await self._journal.wait(self._prefix)

    def _attend(self, lane: str) -> None:
        if lane not in self._consumers:
            consumer = LaneConsumer(self._journal, self._clock, lane, self._work, self._slots)
            self._consumers[lane] = asyncio.create_task(consumer.run())
