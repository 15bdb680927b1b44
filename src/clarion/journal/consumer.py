"""Works through lanes: claims batches, keeps their leases alive, and never lets one block a lane."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import structlog

from clarion.errors import DatabaseUnavailable, Overloaded, RequestError
from clarion.journal.port import Batch, Journal, LeaseLost
from clarion.journal.sql import LEASE
from clarion.model.clock import MINUTE, SECOND, Clock, Millis

log = structlog.get_logger(__name__)

Work = Callable[[Batch], Awaitable[None]]
"""Does one batch and settles it."""

GroupWork = Callable[[Sequence[Batch]], Awaitable[None]]
"""Does several batches in one pass and settles them as one change."""

MOST_BYTES_TOGETHER = 512 * 1024
"""Of the batches in one pass: what is large gains nothing by company."""

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


def _cancelled() -> bool:
    """Whether this task is to end. Python 3.11's `wait_for` loses one that meets its answer."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


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


class Grouping(NamedTuple):
    """How batches that wait together are worked on together: small ones cost little each then."""

    work: GroupWork
    most: int


class LaneConsumer:
    """One lane, at most `slots` passes at a time: of one batch each, or of several with a `grouping`."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        lane: str,
        work: Work,
        slots: int,
        grouping: Grouping | None = None,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._lane = lane
        self._work = work
        self._slots = slots
        self._grouping = grouping if journal.transactional else None
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until cancelled; then finish what was begun."""
        try:
            while not _cancelled():
                await _breathing(self._turn, lane=self._lane)
            raise asyncio.CancelledError
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
        most = self._grouping.most if self._grouping and free else free
        batches = await self._journal.claim(self._lane, most) if free else []
        for lot in _lots(batches) if self._grouping else [[batch] for batch in batches]:
            task = asyncio.create_task(self._attend_lot(lot))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        if len(self._running) >= self._slots:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        elif not batches:
            await self._journal.wait(self._lane)

    async def _attend_lot(self, lot: Sequence[Batch]) -> None:
        """One pass over several; when it fails, each alone, so that only the one at fault is held up."""
        if self._grouping and len(lot) > 1 and await self._done_together(self._grouping.work, lot):
            return
        for batch in lot:
            await self._attend(batch)

    async def _done_together(self, group_work: GroupWork, lot: Sequence[Batch]) -> bool:
        work = asyncio.ensure_future(group_work(lot))
        renewal = asyncio.create_task(self._keep_lease(lot, work))
        try:
            await work
        except asyncio.CancelledError:
            if renewal.done():
                return False
            for batch in lot:
                await self._journal.put_back(batch, "the worker stopped", 0)
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            log.warning(
                "batches failed together, trying each", lane=self._lane, batches=len(lot), error=reason
            )
            return False
        finally:
            renewal.cancel()
        return True

    async def _attend(self, batch: Batch) -> None:
        work = asyncio.ensure_future(self._work(batch))
        renewal = asyncio.create_task(self._keep_lease((batch,), work))
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

    async def _keep_lease(self, batches: Sequence[Batch], work: asyncio.Future[None]) -> None:
        """Renew the leases, and end the work when one is somebody else's: both would send the same."""
        pause = LEASE // 4
        while True:
            await asyncio.sleep(pause / 1000)
            try:
                await self._journal.renew(*batches)
                pause = LEASE // 4
            except LeaseLost:
                work.cancel()
                return
            except _UNAVAILABLE:  # claiming says so, once for the whole lane
                pause = _RENEW_AGAIN
            except Exception:
                log.exception("lease not renewed, trying again", lane=self._lane, batch=batches[0].id)
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


def _lots(batches: Sequence[Batch]) -> list[list[Batch]]:
    """Cut where much has come together."""
    lots: list[list[Batch]] = []
    room = 0
    for batch in batches:
        if room < len(batch.body):
            lots.append([])
            room = MOST_BYTES_TOGETHER
        lots[-1].append(batch)
        room -= len(batch.body)
    return lots


class LaneSupervisor:
    """A consumer for every lane that begins with `prefix`, started when the lane first appears."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        prefix: str,
        work: Work,
        slots: int,
        grouping: Grouping | None = None,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._prefix = prefix
        self._work = work
        self._slots = slots
        self._grouping = grouping
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
            consumer = LaneConsumer(self._journal, self._clock, lane, self._work, self._slots, self._grouping)
            self._consumers[lane] = asyncio.create_task(consumer.run())
