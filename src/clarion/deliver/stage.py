"""The deliver stage: a batch of sends through one integration, each to one outcome."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple, Protocol

import msgspec
from sqlalchemy.engine import Connection

from clarion.deliver.backoff import next_try
from clarion.deliver.breakers import HELD
from clarion.deliver.exchange import Exchange
from clarion.deliver.health import HealthBook
from clarion.deliver.lane import Lane, tracks_activity
from clarion.deliver.parcels import Item, Parcel, group_id, parcels
from clarion.errors import DatabaseUnavailable
from clarion.journal.port import DELIVER_PREFIX, Batch, Journal, Record, receipts_lane
from clarion.model.clock import SECOND, Clock, Millis
from clarion.model.ids import time_of
from clarion.model.outcome import MessageStatus, Outcome, Verdict
from clarion.model.people import Integration
from clarion.model.push import Delivery, PushMessage, Receipts, Send, Target, Ticket, message_of
from clarion.model.result import Result
from clarion.ops import instruments, tracing
from clarion.providers.port import Provider, ReceiptProvider
from clarion.security.links import Links, Pushed
from clarion.store import messages, notifications, triggers
from clarion.store.catalog import Catalog, revision
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


LINK = "__clarionTrack"
"""The tracking link in a push's data."""


class Lanes:
    """The lanes of all integrations in this process, each made anew when its integration changed."""

    def __init__(
        self,
        providers: Mapping[str, Provider[Any]],
        exchange_for: Callable[[Integration], Exchange],
        clock: Clock,
        concurrency: int,
        book: HealthBook,
        links: Links | None = None,
    ) -> None:
        self._links = links
        self._providers = providers
        self._exchange_for = exchange_for
        self._clock = clock
        self.concurrency = concurrency
        self._book = book
        self._lanes: dict[str, Lane] = {}

    async def of(self, integration: Integration | None) -> Lane | None:
        """The lane of an active integration."""
        if integration is None or not integration.active:
            return None
        lane = self._lanes.get(integration.id)
        if lane is None or lane.integration != integration:
            provider = self._providers.get(integration.provider_id)
            if provider is None:
                return None
            lane = await self._made(integration, provider)
            self._lanes[integration.id] = lane
        return lane

    def with_link(self, lane: Lane | None, delivery: Delivery, send: Send) -> PushMessage:
        """What a send says; with the link by which its device tells what became of it, where wanted."""
        message = message_of(delivery, send)
        if self._links is None or lane is None or not tracks_activity(lane.integration):
            return message
        link = self._links.to(Pushed(delivery.environment_id, delivery.integration_id, send.message_id))
        return msgspec.structs.replace(message, payload={**message.payload, LINK: link})

    async def _made(self, integration: Integration, provider: Provider[Any]) -> Lane:
        standing = await self._book.standing(integration)
        lane = Lane(
            integration,
            provider,
            self._exchange_for(integration),
            self._clock,
            self.concurrency,
            standing,
            lambda change: self._book.changed(integration, change, proven=lane.proven),
            lambda: self._book.proved(integration),
        )
        return lane


class DeliverStage:
    """Works through deliveries; the concurrency of `lanes` bounds an integration's requests in flight."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        catalog: Catalog,
        clock: Clock,
        outcomes: Outcomes,
        lanes: Lanes,
    ) -> None:
        self._database = database
        self._journal = journal
        self._catalog = catalog
        self._clock = clock
        self._outcomes = outcomes
        self._lanes = lanes

    async def work(self, batch: Batch) -> None:
        """Send what is left of a delivery, write what became of it, hand on what must be tried again."""
        await self.work_together((batch,))

    async def work_together(self, batches: Sequence[Batch]) -> None:
        """The same for several deliveries of one lane in one pass."""
        work = [
            _Work(msgspec.msgpack.decode(batch.body, type=Delivery), batch.claims > 1) for batch in batches
        ]
        first = work[0].delivery
        known = await self._database.read(_known, work)
        snapshot = self._catalog.snapshot
        if known.revision != snapshot.revision:
            snapshot = await self._catalog.current()
        lane = await self._lanes.of(snapshot.integrations.get(first.integration_id))
        left = [
            Item(item.delivery, send, self._lanes.with_link(lane, item.delivery, send))
            for item in work
            for send in item.delivery.sends
            if send.message_id not in known.settled and send.notification_id not in known.gone
        ]
        run = _Run(first, left, lane, known.stopped, self._outcomes, self._clock)
        run.recall(known.settled.values())
        async with self._watched(run):
            urgent = batches[0].lane.startswith(DELIVER_PREFIX)
            await run.through(self._lanes.concurrency, urgent=urgent)
        await run.written()
        await self._journal.settle_all(batches, lambda _: run.further(batches[0].lane))

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


class _Work(NamedTuple):
    """A delivery to work on; `repeated` when it was begun before."""

    delivery: Delivery
    repeated: bool


class _Known(NamedTuple):
    """`gone`: notifications whose person was removed."""

    settled: dict[str, messages.Settled]
    gone: set[str]
    stopped: triggers.Stopped
    revision: int


def _known(connection: Connection, work: Sequence[_Work]) -> _Known:
    """What a run must not do again, and what it must not do at all."""
    settled: dict[str, messages.Settled] = {}
    for item in work:
        if item.repeated:
            ids = (send.message_id for send in item.delivery.sends)
            found = messages.settled(connection, item.delivery.environment_id, ids)
            settled |= {message.id: message for message in found}
    trigger_ids = {send.trigger_id for item in work for send in item.delivery.sends}
    gone = notifications.gone(connection, work[0].delivery.environment_id, _waited(work))
    return _Known(settled, gone, triggers.stopped(connection, trigger_ids), revision(connection))


def _waited(work: Sequence[_Work]) -> Iterator[str]:
    """The notifications of what doesn't go out at once: time enough for a person to be removed."""
    for item in work:
        for send in item.delivery.sends:
            if item.repeated or send.attempt or send.held:
                yield send.notification_id


class _Run:
    """One pass over sends of an integration. `stopped` may change while it lasts."""

    def __init__(
        self,
        delivery: Delivery,
        items: Sequence[Item],
        lane: Lane | None,
        stopped: triggers.Stopped,
        outcomes: Outcomes,
        clock: Clock,
    ) -> None:
        self.stopped = stopped
        self._delivery = delivery
        self._items = items
        self._lane = lane
        self._outcomes = outcomes
        self._clock = clock
        self._commits: set[asyncio.Future[None]] = set()
        self._again: list[tuple[Millis, Delivery, Send]] = []
        self._tickets: list[Ticket] = []
        provider = lane.provider if lane else None
        # Asked once a run: it costs as much as a quarter of a send.
        self._receipt_provider = provider if isinstance(provider, ReceiptProvider) else None

    @property
    def trigger_ids(self) -> set[str]:
        """The triggers that its sends belong to."""
        return {item.send.trigger_id for item in self._items}

    def recall(self, settled: Iterable[messages.Settled]) -> None:
        """Take up the receipts of what an earlier run sent and did not live to note."""
        for message in settled:
            if message.status == MessageStatus.DELIVERED:
                self._expect_receipt(message.ticket, message.id, message.device_id, message.at)

    async def through(self, streams: int, *, urgent: bool) -> None:
        """Send through a fixed number of streams; an error in one ends the run, and nothing is lost by it."""
        cut = parcels(self._items, self._lane.travel if self._lane else None)
        queue = iter(cut)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(streams, len(cut))):
                group.create_task(self._drain(queue, urgent=urgent))

    async def written(self) -> None:
        """Return when every outcome is on disk. Waited for, not gathered: other runs share these commits, and
        a run that is cancelled must not cancel them."""
        if self._commits:
            await asyncio.wait(self._commits)
        for commit in self._commits:
            commit.result()

    def further(self, lane: str) -> list[Record]:
        """What is to be done later: tries again, and receipts to ask for."""
        return [*self._retries(lane), *self._receipts()]

    def _retries(self, lane: str) -> list[Record]:
        """Deliveries for what must be tried again, those due at about the same time together."""
        buckets: dict[tuple[Millis, int], tuple[Delivery, list[Send]]] = {}
        for at, delivery, send in self._again:
            key = (-(-at // _BUCKET) * _BUCKET, id(delivery))
            buckets.setdefault(key, (delivery, []))[1].append(send)
        return [
            Record(lane, msgspec.msgpack.encode(_part(delivery, sends)), at)
            for (at, _), (delivery, sends) in sorted(buckets.items(), key=lambda item: item[0])
        ]

    def _receipts(self) -> list[Record]:
        provider = self._receipt_provider
        if not self._tickets or provider is None:
            return []
        names = (self._delivery.environment_id, self._delivery.integration_id)
        due = self._clock() + provider.receipt_checks[0]
        parts = range(0, len(self._tickets), provider.most_receipts)
        return [
            Record(
                receipts_lane(self._delivery.integration_id),
                msgspec.msgpack.encode(
                    Receipts(*names, self._tickets[start : start + provider.most_receipts])
                ),
                due,
            )
            for start in parts
        ]

    async def _drain(self, queue: Iterator[Parcel], *, urgent: bool) -> None:
        for parcel in queue:
            left = (
                parcel if self._goes(parcel) else [item for item in parcel if not await self._dropped(item)]
            )
            if not left or self._lane is None:
                continue
            began = tracing.now()
            now = self._clock()
            aimed = [(item.message, _target(item.send, now)) for item in left]
            if len(left) == 1 and not left[0].send.grouped:
                verdicts = [await self._lane.send(*aimed[0], urgent=urgent)]
            else:
                verdicts = await self._lane.send_many(aimed, urgent=urgent)
            for item, verdict in zip(left, verdicts, strict=True):
                self._trace(item, verdict, began)
                await self._judge(item, verdict)

    def _trace(self, item: Item, verdict: Verdict, began: int) -> None:
        """What a try came to, in the trace of its trigger."""
        into = tracing.on()
        if into is None or self._lane is None:
            return
        told: tracing.Attributes = {
            "clarion.provider": self._lane.provider.id,
            "clarion.integration": item.delivery.integration_id,
            "clarion.message": item.send.message_id,
            "clarion.attempt": item.send.attempt + 1,
            "clarion.outcome": verdict.outcome.value,
            "clarion.code": verdict.code,
        }
        error = "" if verdict.outcome is Outcome.ACCEPTED else verdict.explanation or verdict.code
        into.part("send", item.send.trigger_id, began, told, error)

    def _goes(self, parcel: Parcel) -> bool:
        """Whether nothing speaks against a first try, as for nearly every send."""
        if self._lane is None or self.stopped.cancelled or self.stopped.paused:
            return False
        now = self._clock()
        return not any(_late(item, now) for item in parcel)

    async def _dropped(self, item: Item) -> bool:
        """Whether a send is not to be made now, which is noted."""
        delivery, send = item.delivery, item.send
        if send.trigger_id in self.stopped.cancelled:
            await self._put(item, MessageStatus.CANCELLED, _CANCELLED)
        elif send.trigger_id in self.stopped.paused:
            self._again.append((self._clock() + _PAUSE, delivery, send))
        elif _late(item, self._clock()):
            await self._put(item, MessageStatus.FAILED, _EXPIRED)
        elif self._lane is None:
            await self._put(item, MessageStatus.FAILED, _OFF)
        else:
            return False
        return True

    async def _judge(self, item: Item, verdict: Verdict) -> None:
        if verdict.outcome is Outcome.NOT_SENT and verdict.code == HELD:
            await self._hold(item, verdict)
            return
        item = item._replace(send=msgspec.structs.replace(item.send, attempt=item.send.attempt + 1))
        if verdict.outcome is Outcome.ACCEPTED:
            await self._put(item, MessageStatus.DELIVERED, verdict)
            send = item.send
            self._expect_receipt(verdict.provider_message_id, send.message_id, send.device_id, self._clock())
            return
        at = self._next_try(item, verdict)
        if at is None:
            await self._put(item, MessageStatus.FAILED, verdict)
        else:
            self._again.append((at, item.delivery, item.send))
            await self._put(item, MessageStatus.PENDING, verdict, at)

    def _next_try(self, item: Item, verdict: Verdict) -> Millis | None:
        first = self._lane.provider.first_retry if self._lane else SECOND
        attempt, expires_at = item.send.attempt, item.delivery.expires_at
        return next_try(verdict, attempt, self._clock(), expires_at, random.random(), first)

    async def _hold(self, item: Item, verdict: Verdict) -> None:
        """Let a send wait untried; its message says why, once."""
        first = not (item.send.held or item.send.attempt)
        send = msgspec.structs.replace(item.send, held=item.send.held + 1)
        wait = round((verdict.retry_after or SECOND) * (1 + random.random()))
        at = min(self._clock() + wait, max(item.delivery.expires_at, self._clock() + SECOND))
        self._again.append((at, item.delivery, send))
        if first:
            await self._put(item._replace(send=send), MessageStatus.PENDING, verdict, at)

    def _expect_receipt(self, ticket: str, message_id: str, device_id: int, sent_at: Millis) -> None:
        if ticket and self._receipt_provider is not None:
            self._tickets.append(Ticket(ticket, message_id, device_id, sent_at))

    async def _put(
        self, item: Item, status: MessageStatus, verdict: Verdict, retry_at: Millis | None = None
    ) -> None:
        self._count(item, status, verdict)
        result = Result(
            item.delivery.environment_id,
            item.delivery.integration_id,
            item.send,
            item.message.title,
            item.message.body,
            status,
            verdict,
            self._clock(),
            retry_at,
        )
        self._commits.add(await self._outcomes.put(result))

    def _count(self, item: Item, status: MessageStatus, verdict: Verdict) -> None:
        provider = self._lane.provider.id if self._lane else "none"
        if verdict.outcome is not Outcome.NOT_SENT:
            instruments.attempts(provider, verdict.outcome.value).inc()
        if status is not MessageStatus.PENDING:
            instruments.messages(provider, status.value).inc()
        if status is MessageStatus.DELIVERED:
            took = self._clock() - time_of(item.send.trigger_id)
            instruments.delivery(provider).observe(max(took, 0) / SECOND)


def _late(item: Item, now: Millis) -> bool:
    """Whether a send comes after its end. One that has no time at all is tried once."""
    delivery, send = item.delivery, item.send
    if now < delivery.expires_at:
        return False
    return bool(send.attempt or send.held) or delivery.expires_at > time_of(send.trigger_id)


def _target(send: Send, now: Millis) -> Target:
    return Target(send.message_id, send.token, now, group_id(send) if send.grouped else "")


def _part(delivery: Delivery, sends: Sequence[Send]) -> Delivery:
    """A delivery of some of the sends, with only the contents they need."""
    used = sorted({send.content for send in sends})
    place = {content: position for position, content in enumerate(used)}
    return msgspec.structs.replace(
        delivery,
        contents=[delivery.contents[content] for content in used],
        sends=[msgspec.structs.replace(send, content=place[send.content]) for send in sends],
    )
