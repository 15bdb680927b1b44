"""The address stage: from accepted triggers to deliveries, a batch at a time."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy.engine import Connection

from clarion.address.audience import Audience
from clarion.address.contexts import settle_contexts
from clarion.address.people import Recipient, settle_people
from clarion.address.plan import Holdings, Plan
from clarion.address.recency import Recency
from clarion.check.frequency import Use, longest
from clarion.compose.fitting import Fitting
from clarion.journal.port import (
    PAGE_PREFIX,
    Batch,
    Journal,
    Record,
    bulk_lane,
    chunk_lane,
    deliver_lane,
    page_lane,
)
from clarion.model.clock import SECOND, Clock, Millis
from clarion.model.context import scope_in
from clarion.model.trigger import Accepted, Chunk, Page, Trigger
from clarion.ops import tracing
from clarion.store import devices, frequency, notifications, preferences, triggers, workflows
from clarion.store.catalog import Catalog, CatalogChanged, Snapshot, check_current
from clarion.store.database import Database
from clarion.store.triggers import Admission

CHUNK_SIZE = 500
"""Recipients handled at a time."""

CHUNKS_PER_PAGE = 20
"""Chunks that are cut at once, and that may wait before more are cut."""

FEW = 100
"""Recipients that are addressed and composed in one change."""

MOST_AHEAD = 40
"""Deliveries of broadcasts that may wait for an integration before more are made."""

_SOON: Millis = SECOND // 10
_PAUSE: Millis = SECOND

_CLAIMS_TOGETHER = 2
"""Beyond them a group of triggers is taken apart, so that the one at fault keeps nobody else."""


class Addressed(NamedTuple):
    """A trigger and the recipients it is handled for now."""

    admission: Admission
    recipients: list[Recipient]


class AddressStage:
    """Works on what was accepted and on the pages and chunks of broadcasts.

    `lifetime` is how long after its acceptance a trigger's messages are tried.
    """

    def __init__(
        self,
        database: Database,
        journal: Journal,
        catalog: Catalog,
        clock: Clock,
        wants_subscriber: Collection[str],
        lifetime: Millis,
        fitting: Fitting = Fitting(),  # noqa: B008
    ) -> None:
        self._database = database
        self._journal = journal
        self._catalog = catalog
        self._clock = clock
        self._wants_subscriber = wants_subscriber
        self._lifetime = lifetime
        self._recency = Recency()
        self._fitting = fitting

    async def accepted(self, batch: Batch) -> None:
        """Address everybody that a group of triggers names."""
        accepted = _triggers((batch,))
        if batch.claims > _CLAIMS_TOGETHER and len(accepted) > 1:
            await self._journal.settle(batch, lambda _: _alone(batch.lane, accepted))
            return
        await self._address((batch,), accepted)

    async def accepted_together(self, batches: Sequence[Batch]) -> None:
        """The same for several groups in one pass: few triggers cost what the way to the database does."""
        await self._address(batches, _triggers(batches))

    async def _address(self, batches: Sequence[Batch], accepted: Sequence[Trigger]) -> None:
        began = tracing.now()
        await self._addressed(batches, accepted)
        into = tracing.on()
        if into:
            for trigger in accepted:
                into.part("address", trigger.id, began, {"clarion.recipients": len(trigger.people)})

    async def _addressed(self, batches: Sequence[Batch], accepted: Sequence[Trigger]) -> None:
        if sum(len(trigger.people) for trigger in accepted) <= FEW:
            await self._address_at_once(batches, accepted)
            return
        snapshot = await self._catalog.current()
        addressed, triggered = await self._database.write(self._admit, snapshot, accepted)
        self._recency.written(triggered)
        pages, named = _spread(addressed)
        await self._hand_on(batches, snapshot, addressed, deliver_lane, pages, named)

    async def _address_at_once(self, batches: Sequence[Batch], accepted: Sequence[Trigger]) -> None:
        """For few recipients in one change: each commit is most of what they wait for."""
        snapshot = self._catalog.snapshot
        triggered: dict[str, Millis] = {}

        def write(connection: Connection) -> Sequence[Record]:
            check_current(connection, snapshot)
            addressed, times = self._admit(connection, snapshot, accepted)
            triggered.update(times)
            plan = self._counted(connection, snapshot, addressed)
            pages, named = _spread(addressed)
            notifications.add(connection, plan.notifications)
            triggers.expanded(connection, named)
            return [*plan.records(deliver_lane), *pages]

        try:
            await self._journal.settle_all(batches, write)
        except CatalogChanged:
            await self._catalog.current()
            await self._address_at_once(batches, accepted)
        else:
            self._recency.written(triggered)

    def _admit(
        self, connection: Connection, snapshot: Snapshot, accepted: Sequence[Trigger]
    ) -> tuple[list[Addressed], dict[str, Millis]]:
        """What is new among the accepted, with its people; and when its workflows were triggered."""
        now = self._clock()
        admissions = triggers.admit(connection, settle_contexts(connection, accepted, now))
        found = [item.trigger for item in admissions]
        recipients = settle_people(connection, snapshot, found, now)
        triggered = self._recency.due(found)
        workflows.note_triggered(connection, triggered)
        return [Addressed(item, recipients[item.trigger.id]) for item in admissions], triggered

    async def page(self, batch: Batch) -> None:
        """Cut the next part of a broadcast into chunks, unless enough of them wait."""
        page = msgspec.msgpack.decode(batch.body, type=Page)
        chunks = chunk_lane(batch.lane.removeprefix(PAGE_PREFIX))
        if await self._journal.depth(chunks, CHUNKS_PER_PAGE) >= CHUNKS_PER_PAGE:
            await self._later(batch, _SOON)
            return

        def cut(connection: Connection) -> list[Record]:
            admission = triggers.get(connection, page.trigger_id)
            if admission is None:
                return []
            if admission.paused:
                return [Record(batch.lane, batch.body, self._clock() + _PAUSE)]
            return _cut(connection, admission, page)

        await self._journal.settle(batch, cut)

    async def chunk(self, batch: Batch) -> None:
        """Address one chunk of a broadcast, unless enough waits to be sent."""
        chunk = msgspec.msgpack.decode(batch.body, type=Chunk)
        snapshot = await self._catalog.current()
        addressed = await self._database.read(_in_chunk, snapshot, chunk, self._clock())
        if addressed and addressed.admission.paused:
            await self._later(batch, _PAUSE)
        elif addressed and await self._congested(snapshot, addressed.admission.trigger.environment_id):
            await self._later(batch, _SOON)
        else:
            await self._hand_on((batch,), snapshot, [addressed] if addressed else [], bulk_lane, [])

    async def _congested(self, snapshot: Snapshot, environment_id: str) -> bool:
        """Whether every integration has enough to do: what waits is kept as chunks, which are small.

        One that is slow alone doesn't hold the others back; what it is sent waits in its lane.
        """
        lanes = [bulk_lane(item.id) for item in snapshot.integrations_of(environment_id) if item.active]
        for lane in lanes:
            if await self._journal.depth(lane, MOST_AHEAD) < MOST_AHEAD:
                return False
        return bool(lanes)

    async def _later(self, batch: Batch, pause: Millis) -> None:
        again = Record(batch.lane, batch.body, self._clock() + pause)
        await self._journal.settle(batch, lambda _: [again])

    async def _hand_on(
        self,
        batches: Sequence[Batch],
        snapshot: Snapshot,
        addressed: Sequence[Addressed],
        lane_of: Callable[[str], str],
        more: Sequence[Record],
        complete: Sequence[str] = (),
    ) -> None:
        """Compose, then write the notifications and their deliveries as one change with the batches' end.

        What is counted towards frequency caps has to be composed in that change."""
        ready: tuple[Plan, list[Record]] | None = None
        if not _is_capped(snapshot, addressed):
            plan = self._plan(snapshot, addressed, await self._database.read(_holdings, addressed))
            ready = plan, plan.records(lane_of)

        def write(connection: Connection) -> Sequence[Record]:
            plan = ready[0] if ready else self._counted(connection, snapshot, addressed)
            notifications.add(connection, plan.notifications)
            triggers.expanded(connection, complete)
            return [*(ready[1] if ready else plan.records(lane_of)), *more]

        await self._journal.settle_all(batches, write)

    def _counted(self, connection: Connection, snapshot: Snapshot, addressed: Sequence[Addressed]) -> Plan:
        """A plan, with what it uses up of frequency caps counted in the same change."""
        holdings = _holdings(connection, addressed)
        if not _is_capped(snapshot, addressed):
            return self._plan(snapshot, addressed, holdings)
        uses, since = _uses(connection, snapshot, addressed, self._clock())
        plan = self._plan(snapshot, addressed, holdings._replace(uses=uses))
        frequency.spend(connection, plan.spent, since)
        return plan

    def _plan(
        self,
        snapshot: Snapshot,
        addressed: Sequence[Addressed],
        holdings: Holdings,
    ) -> Plan:
        plan = Plan(snapshot, holdings, self._wants_subscriber, self._clock(), self._lifetime, self._fitting)
        for item in addressed:
            plan.add(item.admission, item.recipients)
        return plan


def _holdings(connection: Connection, addressed: Sequence[Addressed]) -> Holdings:
    """What all recipients hold."""
    pks = {recipient.subscriber.pk for item in addressed for recipient in item.recipients}
    if not pks:
        return Holdings()
    found = [item.admission.trigger for item in addressed]
    workflow_ids = {trigger.workflow_id for trigger in found}
    scopes = {scope_in(trigger.context) for trigger in found}
    wishes = preferences.wishes(connection, pks, workflow_ids, scopes)
    return Holdings(devices.channels_of(connection, pks), wishes)


def _is_capped(snapshot: Snapshot, addressed: Sequence[Addressed]) -> bool:
    """Whether a frequency cap may hold something back."""
    return any(snapshot.caps_of(item.admission.trigger.environment_id) for item in addressed)


def _uses(
    connection: Connection, snapshot: Snapshot, addressed: Sequence[Addressed], now: Millis
) -> tuple[list[Use], Millis]:
    """What recipients got of late where that is capped, and since when that counts. Nobody else decides on
    them until the change ends."""
    by_environment: dict[str, set[int]] = {}
    for item in addressed:
        pks = {recipient.subscriber.pk for recipient in item.recipients}
        by_environment.setdefault(item.admission.trigger.environment_id, set()).update(pks)
    found: list[Use] = []
    since = now
    for environment_id, pks in by_environment.items():
        back = now - longest(snapshot.caps_of(environment_id))
        if pks and back < now:
            frequency.lock(connection, environment_id, pks)
            found += frequency.uses(connection, pks, back)
            since = min(since, back)
    return found, since


def _spread(addressed: Sequence[Addressed]) -> tuple[list[Record], list[str]]:
    """A first page for each trigger whose recipients are found a page at a time; the ids of the others."""
    found = [item.admission.trigger for item in addressed]
    pages = [
        _record(page_lane(trigger.environment_id), Page(trigger.id, 0))
        for trigger in found
        if _spreads(trigger)
    ]
    return pages, [trigger.id for trigger in found if not _spreads(trigger)]


def _cut(connection: Connection, admission: Admission, page: Page) -> list[Record]:
    """A chunk for every 500 rows, and the next page; the last page marks the trigger as expanded."""
    audience = Audience.of(connection, admission.trigger)
    if page.after == 0:
        triggers.begin_expansion(connection, page.trigger_id, audience.size(connection))
        triggers.note_topics(connection, admission.trigger, audience.topic_ids)
    bounds = audience.bounds(connection, page.after, CHUNK_SIZE, CHUNKS_PER_PAGE)
    if admission.cancelled or not bounds:
        triggers.expanded(connection, [page.trigger_id])
        return []
    starts = [page.after, *bounds[:-1]]
    environment_id = admission.trigger.environment_id
    lane = chunk_lane(environment_id)
    chunks = [
        _record(lane, Chunk(page.trigger_id, after, upto)) for after, upto in zip(starts, bounds, strict=True)
    ]
    return [*chunks, _record(page_lane(environment_id), Page(page.trigger_id, bounds[-1]))]


def _in_chunk(connection: Connection, snapshot: Snapshot, chunk: Chunk, now: Millis) -> Addressed | None:
    admission = triggers.get(connection, chunk.trigger_id)
    if admission is None:
        return None
    audience = Audience.of(connection, admission.trigger)
    return Addressed(admission, audience.between(connection, snapshot, chunk.after, chunk.upto, now))


def _triggers(batches: Sequence[Batch]) -> list[Trigger]:
    groups = (msgspec.msgpack.decode(batch.body, type=Accepted) for batch in batches)
    return [trigger for group in groups for trigger in group.triggers]


def _spreads(trigger: Trigger) -> bool:
    """Whether recipients are found a page at a time."""
    return trigger.broadcast or bool(trigger.topics)


def _alone(lane: str, accepted: Sequence[Trigger]) -> list[Record]:
    return [_record(lane, Accepted([trigger])) for trigger in accepted]


def _record(lane: str, body: Accepted | Page | Chunk) -> Record:
    return Record(lane, msgspec.msgpack.encode(body))
