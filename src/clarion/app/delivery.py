"""What delivers: a supervisor for the lanes of each stage, and what tidies up."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from clarion.address.stage import AddressStage
from clarion.app.base import Foundation
from clarion.app.planning import links_of, planner_of
from clarion.app.sending import exchanges, sending
from clarion.deliver.exchange import HttpSender
from clarion.deliver.health import HealthBook
from clarion.deliver.receipts import ReceiptStage
from clarion.deliver.stage import DeliverStage, Lanes
from clarion.echo.courier import Courier
from clarion.echo.recorder import Recorder
from clarion.echo.webhooks import WebhookStage, sweep
from clarion.journal.consumer import Grouping, LaneSupervisor
from clarion.journal.crossing import Crossing
from clarion.journal.port import (
    ACCEPTED_PREFIX,
    BULK_PREFIX,
    BULK_RUN_PREFIX,
    CHUNK_PREFIX,
    CROSSING_PREFIX,
    DELIVER_PREFIX,
    PAGE_PREFIX,
    RECALL_PREFIX,
    RECEIPTS_PREFIX,
    REPEAT_PREFIX,
    REQUEST_PREFIX,
    RUN_PREFIX,
    WAITING_PREFIX,
    WEBHOOK_PREFIX,
)
from clarion.model.clock import SECOND
from clarion.ops.counting import counting
from clarion.ops.retention import Retention
from clarion.ops.trimming import Trimming
from clarion.providers.registry import PROVIDERS
from clarion.store import audit
from clarion.store.sqlite import only_worker
from clarion.store.sweeping import sweeping
from clarion.workflow.planner import Planner
from clarion.workflow.requests import RequestStage
from clarion.workflow.stage import RunStage

_BATCHES_PER_LANE = 16
_CHUNKS = 4
_MOST_TOGETHER = 32
_PASSES = 4


@asynccontextmanager
async def worker(base: Foundation, sender: HttpSender | None = None) -> AsyncIterator[None]:
    """Deliver while the context is open. Only one worker at a time works on an embedded database."""
    async with _alone(base), sending(base.settings, sender) as way_out:
        lanes = [lane.run() for lane in _lanes(base, way_out)]
        tasks = [asyncio.create_task(work) for work in [*lanes, *_tidying(base)]]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _alone(base: Foundation) -> AsyncIterator[None]:
    """On an embedded database this is the only worker, so that what a killed one held is due at once."""
    if base.settings.postgresql_url:
        yield
        return
    with only_worker(base.settings.database_path):
        await base.outbox.journal.release_all()
        yield


def _lanes(base: Foundation, sender: HttpSender) -> list[LaneSupervisor]:
    """Every lane there is, in the order a message travels."""
    planner, crossing = planner_of(base), Crossing(base.outbox.journal, base.journal)
    return [
        *_address_lanes(base, planner, crossing),
        *_deliver_lanes(base, sender),
        *_webhook_lanes(base, sender),
        *_run_lanes(base, sender, planner, crossing),
    ]


def _address_lanes(base: Foundation, planner: Planner, crossing: Crossing) -> list[LaneSupervisor]:
    stage = AddressStage(base.database, base.journal, base.catalog, base.clock, planner, crossing, base.feed)
    lanes = partial(LaneSupervisor, base.journal, base.clock)
    return [
        lanes(ACCEPTED_PREFIX, stage.accepted, _PASSES, Grouping(stage.accepted_together, _MOST_TOGETHER)),
        lanes(PAGE_PREFIX, stage.page, 1),
        lanes(CHUNK_PREFIX, stage.chunk, _CHUNKS),
    ]


def _deliver_lanes(base: Foundation, sender: HttpSender) -> list[LaneSupervisor]:
    ways = Lanes(
        PROVIDERS,
        exchanges(base, sender),
        base.clock,
        base.settings.delivery_concurrency,
        HealthBook(base.database, base.clock, base.outbox),
        links_of(base),
    )
    recorder = Recorder(base.database, base.outbox)
    stage = DeliverStage(base.database, base.journal, base.catalog, base.clock, recorder, ways)
    receipts = ReceiptStage(base.journal, base.catalog, base.clock, ways, base.outbox)
    lanes = partial(LaneSupervisor, base.journal, base.clock)
    return [
        lanes(DELIVER_PREFIX, stage.work, _PASSES, Grouping(stage.work_together, _MOST_TOGETHER)),
        lanes(BULK_PREFIX, stage.work, _BATCHES_PER_LANE),
        lanes(WAITING_PREFIX, stage.work, _BATCHES_PER_LANE),
        lanes(RECEIPTS_PREFIX, receipts.work, 1),
    ]


def _webhook_lanes(base: Foundation, sender: HttpSender) -> list[LaneSupervisor]:
    courier = Courier(sender, base.clock)
    stage = WebhookStage(base.database, base.outbox, base.catalog, base.clock, courier)
    lanes = partial(LaneSupervisor, base.outbox.journal, base.clock)
    return [lanes(WEBHOOK_PREFIX, stage.work, 1), lanes(REPEAT_PREFIX, stage.work, 1)]


def _run_lanes(
    base: Foundation, sender: HttpSender, planner: Planner, crossing: Crossing
) -> list[LaneSupervisor]:
    turns = RunStage(base.catalog, base.clock, planner, crossing)
    requests = RequestStage(base.database, base.catalog, base.clock, crossing, base.vault, sender)
    lanes = partial(LaneSupervisor, base.outbox.journal, base.clock)
    return [
        lanes(RUN_PREFIX, turns.work, _PASSES, Grouping(turns.work_together, _MOST_TOGETHER)),
        lanes(BULK_RUN_PREFIX, turns.work, 1),
        lanes(RECALL_PREFIX, turns.recall, 1),
        lanes(REQUEST_PREFIX, requests.work, _BATCHES_PER_LANE),
        lanes(CROSSING_PREFIX, crossing.work, _BATCHES_PER_LANE),
    ]


def _tidying(base: Foundation) -> list[Coroutine[Any, Any, None]]:
    """What counts, and removes what is old enough."""
    settings, database, clock = base.settings, base.database, base.clock
    texts, details = settings.message_retention * SECOND, settings.detail_retention * SECOND
    return [
        sweep(database, clock, settings.webhook_retention * SECOND),
        Retention(database, clock, settings.activity_retention * SECOND).run(),
        Trimming(database, clock, texts, details).run(),
        _sweep_audit_log(base),
        counting(database, clock),
    ]


async def _sweep_audit_log(base: Foundation) -> None:
    """Forget entries that are old enough."""
    kept, most = base.settings.audit_retention * SECOND, 500
    await sweeping("audit log", lambda: base.database.write(audit.sweep, base.clock() - kept, most))
