"""The deliver stage: a batch of sends through one integration, each to one outcome."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple, Protocol

import msgspec
from sqlalchemy.engine import Connection

from clarion.deliver.backoff import next_try
from clarion.deliver.exchange import Exchange
from clarion.deliver.lane import Lane
from clarion.errors import DatabaseUnavailable
from clarion.journal.port import BULK_PREFIX, Batch, Journal, Record
from clarion.model.clock import SECOND, Clock, Millis
from clarion.model.outcome import MessageStatus, Outcome, Verdict
from clarion.model.people import Integration
from clarion.model.push import Delivery, PushMessage, Send, Target, message_of
from clarion.model.result import Result
from clarion.providers.port import Provider
from clarion.store import messages, triggers
from clarion.store.catalog import Catalog
from clarion.store.database import Database

_BUCKET: Millis = SECOND // 4
_PAUSE: Millis = 2 * SECOND
_LOOK_SECONDS = 0.25
_CANCELLED = Verdict(Outcome.NOT_SENT, "cancelled", "The trigger was cancelled before this went out.")
_EXPIRED = Verdict(
    Outcome.NOT_SENT, "expired", "It was not delivered within the retry window; see CLARION_RETRY_WINDOW."
)
_OFF = Verdict(
    Outcome.NOT_SENT, "integration_off", "The integration was switched off or removed; switch it on again."
)


class Outcomes(Protocol):
    """Takes results; the future is done once they are on disk."""

    async def put(self, result: Result) -> "asyncio.Future[None]":
        """Take one result."""
        ...


class DeliverStage:
    """Works through deliveries. `concurrency` bounds the requests in flight of one integration."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        catalog: Catalog,
        clock: Clock,
        outcomes: Outcomes,
        providers: Mapping[str, Provider[Any]],
        exchange_for: Callable[[Integration], Exchange],
        concurrency: int,
    ) -> None:
        self._database = database
        self._journal = journal
        self._catalog = catalog
        self._clock = clock
        self._outcomes = outcomes
        self._providers = providers
        self._exchange_for = exchange_for
        self._concurrency = concurrency
        self._lanes: dict[str, Lane] = {}

    async def work(self, batch: Batch) -> None:
        """Send what is left of a delivery, write what became of it, hand on what must be tried again."""
        await self.work_together((batch,))

    async def work_together(self, batches: Sequence[Batch]) -> None:
        """The same for several deliveries of one lane in one pass."""
        work = [
            _Work(msgspec.msgpack.decode(batch.body, type=Delivery), batch.claims > 1) for batch in batches
        ]
        snapshot = await self._catalog.current()
        known = await self._database.read(_known, work)
        lane_name = batches[0].lane
        lane = self._lane(snapshot.integrations.get(work[0].delivery.integration_id))
        left = [
            (item.delivery, send)
            for item in work
            for send in item.delivery.sends
            if send.message_id not in known.settled
        ]
        run = _Run(left, lane, known.stopped, self._outcomes, self._clock)
        async with self._watched(run):
            await run.through(self._concurrency, urgent=not lane_name.startswith(BULK_PREFIX))
        await run.written()
        await self._journal.settle_all(batches, lambda _: run.again(lane_name))

    @asynccontextmanager
    async def _watched(self, run: "_Run") -> AsyncIterator[None]:
        """Hear of triggers that are cancelled or paused while a run lasts."""
        watch = asyncio.create_task(self._watch(run))
        try:
            yield
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    async def _watch(self, run: "_Run") -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            with suppress(DatabaseUnavailable):  # whoever writes the outcomes waits for it and says so
                run.stopped = await self._database.read(triggers.stopped, run.trigger_ids)

    def _lane(self, integration: Integration | None) -> Lane | None:
        """The lane of an active integration, made anew when the integration changed."""
        if integration is None or not integration.active:
            return None
        lane = self._lanes.get(integration.id)
        if lane is None or lane.integration != integration:
            provider = self._providers.get(integration.provider_id)
            if provider is None:
                return None
            exchange = self._exchange_for(integration)
            lane = Lane(integration, provider, exchange, self._clock, self._concurrency)
            self._lanes[integration.id] = lane
        return lane


class _Work(NamedTuple):
    """A delivery to work on; `repeated` when it was begun before."""

    delivery: Delivery
    repeated: bool


class _Known(NamedTuple):
    settled: set[str]
    stopped: triggers.Stopped


def _known(connection: Connection, work: Sequence[_Work]) -> _Known:
    """What a run must not do again, and what it must not do at all."""
    repeated = [item.delivery for item in work if item.repeated]
    settled: set[str] = set()
    for delivery in repeated:
        ids = (send.message_id for send in delivery.sends)
        settled |= messages.settled(connection, delivery.environment_id, ids)
    trigger_ids = {send.trigger_id for item in work for send in item.delivery.sends}
    return _Known(settled, triggers.stopped(connection, trigger_ids))


class _Run:
    """One pass over sends of an integration, each with its delivery. `stopped` may change while it lasts."""

    def __init__(
        self,
        sends: Sequence[tuple[Delivery, Send]],
        lane: Lane | None,
        stopped: triggers.Stopped,
        outcomes: Outcomes,
        clock: Clock,
    ) -> None:
        self.stopped = stopped
        self._sends = sends
        self._lane = lane
        self._outcomes = outcomes
        self._clock = clock
        self._commits: set[asyncio.Future[None]] = set()
        self._again: list[tuple[Millis, Delivery, Send]] = []

    @property
    def trigger_ids(self) -> set[str]:
        """The triggers that its sends belong to."""
        return {send.trigger_id for _, send in self._sends}

    async def through(self, streams: int, *, urgent: bool) -> None:
        """Send through a fixed number of streams; an error in one ends the run, and nothing is lost by it."""
        queue = iter(self._sends)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(streams, len(self._sends))):
                group.create_task(self._drain(queue, urgent=urgent))

    async def written(self) -> None:
        """Return when every outcome is on disk. Waited for, not gathered: other runs share these commits, and
        a run that is cancelled must not cancel them."""
        if self._commits:
            await asyncio.wait(self._commits)
        for commit in self._commits:
            commit.result()

    def again(self, lane: str) -> list[Record]:
        """Deliveries for what must be tried again, those due at about the same time together."""
        buckets: dict[tuple[Millis, int], tuple[Delivery, list[Send]]] = {}
        for at, delivery, send in self._again:
            key = (-(-at // _BUCKET) * _BUCKET, id(delivery))
            buckets.setdefault(key, (delivery, []))[1].append(send)
        return [
            Record(lane, msgspec.msgpack.encode(_part(delivery, sends)), at)
            for (at, _), (delivery, sends) in sorted(buckets.items(), key=lambda item: item[0])
        ]

    async def _drain(self, queue: Iterator[tuple[Delivery, Send]], *, urgent: bool) -> None:
        for delivery, send in queue:
            message = message_of(delivery, send)
            if send.trigger_id in self.stopped.cancelled:
                await self._put(delivery, send, message, MessageStatus.CANCELLED, _CANCELLED)
            elif send.trigger_id in self.stopped.paused:
                self._again.append((self._clock() + _PAUSE, delivery, send))
            elif send.attempt and self._clock() >= delivery.expires_at:
                await self._put(delivery, send, message, MessageStatus.FAILED, _EXPIRED)
            elif self._lane is None:
                await self._put(delivery, send, message, MessageStatus.FAILED, _OFF)
            else:
                target = Target(send.message_id, send.token, self._clock())
                verdict = await self._lane.send(message, target, urgent=urgent)
                tried = msgspec.structs.replace(send, attempt=send.attempt + 1)
                await self._judge(delivery, tried, message, verdict)

    async def _judge(self, delivery: Delivery, send: Send, message: PushMessage, verdict: Verdict) -> None:
        if verdict.outcome is Outcome.ACCEPTED:
            await self._put(delivery, send, message, MessageStatus.DELIVERED, verdict)
            return
        now = self._clock()
        at = next_try(verdict, send.attempt, now, delivery.expires_at, random.random())
        if at is None:
            await self._put(delivery, send, message, MessageStatus.FAILED, verdict)
        else:
            self._again.append((at, delivery, send))
            await self._put(delivery, send, message, MessageStatus.PENDING, verdict, at)

    async def _put(
        self,
        delivery: Delivery,
        send: Send,
        message: PushMessage,
        status: MessageStatus,
        verdict: Verdict,
        retry_at: Millis | None = None,
    ) -> None:
        result = Result(
            delivery.environment_id,
            delivery.integration_id,
            send,
            message.title,
            message.body,
            status,
            verdict,
            self._clock(),
            retry_at,
        )
        self._commits.add(await self._outcomes.put(result))


def _part(delivery: Delivery, sends: Sequence[Send]) -> Delivery:
    """A delivery of some of the sends, with only the contents they need."""
    used = sorted({send.content for send in sends})
    place = {content: position for position, content in enumerate(used)}
    return msgspec.structs.replace(
        delivery,
        contents=[delivery.contents[content] for content in used],
        sends=[msgspec.structs.replace(send, content=place[send.content]) for send in sends],
    )
