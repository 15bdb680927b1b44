"""The webhooks stage: what happened goes to the endpoints that want to hear, and what came of it is kept."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import msgspec
import structlog
from sqlalchemy.engine import Connection

from clarion.echo.bodies import bodies
from clarion.echo.courier import Courier
from clarion.echo.pacing import Pacer
from clarion.journal.outbox import Outbox, repeat
from clarion.journal.port import Batch, Record
from clarion.journal.sql import append_in
from clarion.model.clock import MINUTE, SECOND, Clock, Millis, iso
from clarion.model.webhook import (
    GONE,
    OFF,
    WEBHOOK_DISABLED,
    Dispatch,
    Endpoint,
    Event,
    Try,
    delivery_id,
    happened,
    next_attempt,
)
from clarion.store import catalog as catalogs
from clarion.store import webhook_deliveries, webhooks
from clarion.store.catalog import Catalog, Snapshot
from clarion.store.database import Database
from clarion.store.sweeping import sweeping
from clarion.store.webhook_deliveries import Delivery, Status

log = structlog.get_logger(__name__)

AWAY_IN_A_ROW = 5
"""Failures after which an endpoint counts as away, and is asked less and less until it takes something."""

_FIRST_REST: Millis = 5 * SECOND
_LONGEST_REST: Millis = 5 * MINUTE
_SWEPT_AT_ONCE = 1000

FAILING = "failing"
"""It took nothing for five days."""
ENDED = "gone"
"""It answered 410."""


class Standing:
    """How an endpoint fares in this process."""

    def __init__(self) -> None:
        self._failures = 0
        self._until: Millis = 0

    def rest(self, now: Millis) -> Millis:
        """How long it is to be left alone."""
        return max(self._until - now, 0)

    def note(self, tried: Try) -> None:
        """Learn from a try."""
        self._failures = 0 if tried.taken else self._failures + 1
        over = self._failures - AWAY_IN_A_ROW
        pause = min(_FIRST_REST << min(over, 20), _LONGEST_REST) if over >= 0 else 0
        self._until = tried.at + tried.took + pause


class WebhookStage:
    """Works through what endpoints are to be told: first tries of one endpoint in the order of time, those
    that failed again by their own schedule."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        catalog: Catalog,
        clock: Clock,
        courier: Courier,
        pause: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._catalog = catalog
        self._clock = clock
        self._courier = courier
        self._pause = pause
        self._standings: dict[str, Standing] = {}
        self._pacer = Pacer(database, clock)

    async def work(self, batch: Batch) -> None:
        """Send what a record holds. What failed is written at once, so that a crash repeats little."""
        wanted = msgspec.msgpack.decode(batch.body, type=Dispatch)
        snapshot = await self._catalog.current()
        endpoint = snapshot.webhooks.get(wanted.endpoint_id)
        if endpoint is None:
            await self._outbox.journal.settle(batch, lambda _: [])
            return
        due = await self._database.read(_due, snapshot, endpoint, wanted, self._clock())
        done: list[Delivery] = []
        queue = iter(due)
        streams = min(endpoint.concurrency, len(due))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(streams):
                    group.create_task(self._drain(queue, endpoint, done))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors  # whoever called tells an outage from a fault
        await self._outbox.journal.settle(batch, lambda c: self._written(c, endpoint, done))

    async def _drain(self, queue: Iterator[Delivery], endpoint: Endpoint, done: list[Delivery]) -> None:
        for delivery in queue:
            while wait := await self._wait(endpoint.id):
                await self._keep(endpoint, done)
                await self._pause(min(wait, MINUTE) / SECOND)
                await self._catalog.current()
            tried = await self._try(endpoint.id, delivery)
            done.append(after(delivery, tried, random.random()))
            if not tried.taken:
                await self._keep(endpoint, done)
                await self._catalog.current()

    async def _wait(self, endpoint_id: str) -> Millis:
        """How long the endpoint can't be asked yet; 0 where it took its turn, or is switched off."""
        endpoint = self._active(endpoint_id)
        if endpoint is None:
            return 0
        return self._standing(endpoint_id).rest(self._clock()) or await self._pacer.wait(endpoint)

    async def _keep(self, endpoint: Endpoint, done: list[Delivery]) -> None:
        """Write what was done: a worker that stops while it waits repeats nothing."""
        kept, done[:] = done[:], []
        if kept:
            await self._database.write(self._written, endpoint, kept)

    async def _try(self, endpoint_id: str, delivery: Delivery) -> Try:
        """Send to the endpoint as it stands now."""
        endpoint = self._active(endpoint_id)
        if endpoint is None:
            return Try(self._clock(), 0, 0, OFF, "The endpoint is switched off.")
        tried = await self._courier.take(endpoint, delivery.event_id, delivery.body)
        self._standing(endpoint_id).note(tried)
        return tried

    def _standing(self, endpoint_id: str) -> Standing:
        return self._standings.setdefault(endpoint_id, Standing())

    def _active(self, endpoint_id: str) -> Endpoint | None:
        found = self._catalog.snapshot.webhooks.get(endpoint_id)
        return found if found and found.active else None

    def _written(
        self, connection: Connection, endpoint: Endpoint, done: Sequence[Delivery]
    ) -> Sequence[Record]:
        """Keep what came of deliveries, and what it means for their endpoint."""
        asked = [item for item in done if item.tries[-1].code != OFF]
        if not (done and webhooks.hold(connection, endpoint.id)):
            return []
        webhook_deliveries.keep(connection, done)
        append_in(
            connection,
            [repeat(endpoint, [item.id], item.next_try_at) for item in done if item.next_try_at],
        )
        if not asked:
            return []
        well = any(item.tries[-1].taken for item in asked)
        if webhooks.fared(connection, endpoint.id, well=well, now=self._clock()):
            self._switch_off(connection, endpoint, FAILING)
        elif any(item.tries[-1].code == GONE for item in asked):
            self._switch_off(connection, endpoint, ENDED)
        return []

    def _switch_off(self, connection: Connection, endpoint: Endpoint, reason: str) -> None:
        now = self._clock()
        if not webhooks.switch_off(connection, endpoint.id, reason, now):
            return
        catalogs.count(connection)
        shown = {"_id": endpoint.id, "url": endpoint.url, "reason": reason, "disabledAt": iso(now)}
        told = happened(WEBHOOK_DISABLED, shown, endpoint.id, now)
        self._outbox.put(connection, endpoint.environment_id, [told], but=endpoint.id)
        log.warning("webhook endpoint switched off", endpoint=endpoint.id, reason=reason)


def after(delivery: Delivery, tried: Try, jitter: float) -> Delivery:
    """A delivery once it was tried."""
    attempts = delivery.attempts + 1
    again = None if tried.taken else next_attempt(attempts, tried, jitter)
    status = Status.DELIVERED if tried.taken else Status.FAILED if again is None else Status.PENDING
    return msgspec.structs.replace(
        delivery,
        status=status.value,
        attempts=attempts,
        next_try_at=again,
        updated_at=tried.at + tried.took,
        tries=[*delivery.tries, tried],
    )


def fresh(endpoint: Endpoint, event: Event, body: str) -> Delivery:
    """A delivery that was not tried yet."""
    return Delivery(
        id=delivery_id(endpoint, event.id),
        environment_id=endpoint.environment_id,
        endpoint_id=endpoint.id,
        event_id=event.id,
        type=event.type,
        body=body,
        status=Status.PENDING.value,
        attempts=0,
        next_try_at=event.at,
        happened_at=event.at,
        updated_at=event.at,
    )


def _due(
    connection: Connection, snapshot: Snapshot, endpoint: Endpoint, wanted: Dispatch, now: Millis
) -> list[Delivery]:
    """What a record asks for and was not done yet; what was put off since has a record of its own."""
    again = webhook_deliveries.of(connection, endpoint.id, wanted.again)
    due = [item for item in again if item.next_try_at is not None and item.next_try_at <= now]
    ids = (delivery_id(endpoint, event.id) for event in wanted.events)
    known = {item.event_id for item in webhook_deliveries.of(connection, endpoint.id, ids)}
    said = bodies(connection, snapshot, endpoint.environment_id, wanted.events)
    new = {event.id: event for event in wanted.events if event.id in said and event.id not in known}
    return [*due, *(fresh(endpoint, event, said[event.id]) for event in new.values())]


async def sweep(database: Database, clock: Clock, kept: Millis) -> None:
    """Forget deliveries that came to their end so long ago, every minute until cancelled."""
    await sweeping(
        "deliveries", lambda: database.write(webhook_deliveries.sweep, clock() - kept, _SWEPT_AT_ONCE)
    )
