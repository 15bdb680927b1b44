"""The address stage: from accepted triggers to deliveries, a batch at a time."""

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy.engine import Connection

from clarion.address.audience import Audience
from clarion.address.contexts import settle_contexts
from clarion.address.people import settle_people
from clarion.address.recency import Recency
from clarion.journal.crossing import Crossing
from clarion.journal.feed import Feed
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
from clarion.model.trigger import Accepted, Chunk, Page, Trigger
from clarion.ops import tracing
from clarion.store import notifications, runs, triggers, workflows
from clarion.store.catalog import Catalog, CatalogChanged, Snapshot, check_current
from clarion.store.database import Database
from clarion.store.triggers import Admission
from clarion.workflow.plan import Plan
from clarion.workflow.planner import Addressed, Planner, add_all, holdings, is_capped
from clarion.workflow.turns import first_turns

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


class AddressStage:
    """Works on what was accepted and on the pages and chunks of broadcasts."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        catalog: Catalog,
        clock: Clock,
        planner: Planner,
        crossing: Crossing,
        feed: Feed | None = None,
    ) -> None:
        self._database = database
        self._journal = journal
        self._catalog = catalog
        self._clock = clock
        self._planner = planner
        self._crossing = crossing
        self._feed = feed
        self._recency = Recency()

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
        await self._hand_on(batches, snapshot, addressed, deliver_lane, pages, _named_done(named))

    async def _address_at_once(self, batches: Sequence[Batch], accepted: Sequence[Trigger]) -> None:
        """For few recipients in one change: each commit is most of what they wait for."""
        snapshot = self._catalog.snapshot
        triggered: dict[str, Millis] = {}

        def write(connection: Connection) -> Sequence[Record]:
            check_current(connection, snapshot)
            addressed, times = self._admit(connection, snapshot, accepted)
            triggered.update(times)
            plan = self._planner.counted(connection, snapshot, addressed)
            pages, named = _spread(addressed)
            self._add(connection, plan)
            begun = self._begin(connection, plan)
            triggers.expanded(connection, named)
            return [*plan.records(deliver_lane), *pages, *begun]

        try:
            await self._journal.settle_all(batches, write)
        except CatalogChanged:
            await self._catalog.current()
            await self._address_at_once(batches, accepted)
        else:
            self._recency.written(triggered)
            self._crossing.ring()

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
            people = [addressed] if addressed else []
            await self._hand_on((batch,), snapshot, people, bulk_lane, [], _chunk_done(chunk))

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
        done: Callable[[Connection], None],
    ) -> None:
        """Compose, then write the notifications and their deliveries as one change with the batches' end and
        with what says that it is `done`.

        What is counted towards frequency caps has to be composed in that change."""
        ready: tuple[Plan, list[Record]] | None = None
        if not is_capped(snapshot, addressed):
            plan = self._planner.plan(snapshot, await self._database.read(holdings, addressed))
            add_all(plan, addressed)
            ready = plan, plan.records(lane_of)

        def write(connection: Connection) -> Sequence[Record]:
            plan = ready[0] if ready else self._planner.counted(connection, snapshot, addressed)
            self._add(connection, plan)
            begun = self._begin(connection, plan, bulk=lane_of is bulk_lane)
            done(connection)
            return [*(ready[1] if ready else plan.records(lane_of)), *more, *begun]

        await self._journal.settle_all(batches, write)
        self._crossing.ring()

    def _add(self, connection: Connection, plan: Plan) -> None:
        notifications.add(connection, plan.notifications)
        if self._feed is not None:
            self._feed.tell_notifications(connection, plan.notifications)

    def _begin(self, connection: Connection, plan: Plan, *, bulk: bool = False) -> Sequence[Record]:
        """Write the runs that begin, and have them take their first turn."""
        if not plan.started:
            return ()
        runs.begin(connection, plan.started, bulk=bulk)
        return self._crossing.runs(connection, first_turns(plan.started, bulk=bulk))


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
    triggers.cut(connection, page.trigger_id, bounds)
    starts = [page.after, *bounds[:-1]]
    environment_id = admission.trigger.environment_id
    lane = chunk_lane(environment_id)
    chunks = [
        _record(lane, Chunk(page.trigger_id, after, upto)) for after, upto in zip(starts, bounds, strict=True)
    ]
    return [*chunks, _record(page_lane(environment_id), Page(page.trigger_id, bounds[-1]))]


def _chunk_done(chunk: Chunk) -> Callable[[Connection], None]:
    return lambda connection: triggers.addressed(connection, chunk.trigger_id, chunk.upto)


def _named_done(trigger_ids: Sequence[str]) -> Callable[[Connection], None]:
    return lambda connection: triggers.expanded(connection, trigger_ids)


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
