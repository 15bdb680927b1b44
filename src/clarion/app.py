"""The composition root: builds every part from the settings, and nothing else does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NamedTuple

import structlog

from clarion.accept.backlog import Backlog
from clarion.accept.gate import Gate
from clarion.accept.intake import Intake
from clarion.accept.once import Once
from clarion.address.rehearsal import Rehearsal
from clarion.address.stage import AddressStage
from clarion.api.live import WORDS
from clarion.api.live_hub import Hub
from clarion.api.reporters import Reporters
from clarion.api.route import Accounts, Bounds, Services, Webhooks
from clarion.compose.fitting import Fitting, Limit
from clarion.deliver.exchange import Exchange, HttpSender
from clarion.deliver.health import HealthBook
from clarion.deliver.receipts import ReceiptStage
from clarion.deliver.sandbox import SandboxSender
from clarion.deliver.stage import LINK, DeliverStage, Lanes
from clarion.deliver.trial import Trial
from clarion.echo.courier import Courier
from clarion.echo.recorder import Recorder
from clarion.echo.webhooks import WebhookStage, sweep
from clarion.errors import RequestError, SettingsError
from clarion.journal.consumer import Grouping, LaneSupervisor, Work
from clarion.journal.crossing import Crossing
from clarion.journal.feed import Feed
from clarion.journal.outbox import Outbox
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
    Journal,
)
from clarion.journal.sql import SqlJournal
from clarion.model.clock import SECOND, Clock, Millis, system_clock
from clarion.model.people import Integration
from clarion.net.client import HttpClient
from clarion.net.egress import EgressRule
from clarion.net.tls import client_context
from clarion.ops import instruments
from clarion.ops.counting import counting
from clarion.ops.retention import Retention
from clarion.ops.trimming import Trimming
from clarion.providers.registry import PROVIDERS
from clarion.providers.sandbox import Sandbox
from clarion.security.keys import fingerprint
from clarion.security.links import Links
from clarion.security.passwords import Passwords
from clarion.security.vault import Vault, load_keys, load_or_create_keys, parse_key, parse_keys
from clarion.settings import Settings
from clarion.store import audit, live, members
from clarion.store.audit import AuditedDatabase
from clarion.store.catalog import Catalog
from clarion.store.database import Database
from clarion.store.installation import FirstStart, begin
from clarion.store.migrate import migrate
from clarion.store.sqlite import SqliteDatabase, only_worker
from clarion.store.sweeping import sweeping
from clarion.workflow.plan import Terms
from clarion.workflow.planner import Planner
from clarion.workflow.requests import RequestStage
from clarion.workflow.stage import RunStage

log = structlog.get_logger(__name__)

_BATCHES_PER_LANE = 16
_MOST_TOGETHER = 32
_PASSES = 4
_CATALOG_PAUSE = 0.25
_LINK_FRAME = 32
"""Bytes around a tracking link and its name in a push's data, quoted and quoted again."""


class Foundation(NamedTuple):
    """What the API and the worker both stand on. `first_start` holds keys to be shown once."""

    settings: Settings
    clock: Clock
    vault: Vault
    database: Database
    journal: Journal
    catalog: Catalog
    outbox: Outbox
    first_start: FirstStart | None
    other_key_ignored: bool
    setup_code: str
    feed: Feed


@asynccontextmanager
async def foundation(settings: Settings, clock: Clock = system_clock) -> AsyncIterator[Foundation]:
    """Open the store, migrated and with its environments."""
    vault = vault_of(settings)
    store, listening = await _store(settings)
    database = AuditedDatabase(store)
    try:
        given = settings.api_key.get_secret_value() if settings.api_key else None
        first = await database.write(begin, vault, given, clock())
        catalog = Catalog(database, vault, settings.default_locale)
        snapshot = await catalog.current()
        feed = Feed(database, clock)
        ignored = given is not None and fingerprint(given) not in snapshot.holders
        async with (
            opened_journal(settings, database, listening, clock) as journal,
            _outbox(database, journal, listening, clock) as kept,
            _background(feed.keep_watched()),
        ):
            outbox = Outbox(kept, catalog, feed)
            code = vault.code(f"set-up {snapshot.organization_id}")
            yield Foundation(
                settings, clock, vault, database, journal, catalog, outbox, first, ignored, code, feed
            )
    finally:
        await database.close()


@asynccontextmanager
async def services(base: Foundation, sender: HttpSender | None = None) -> AsyncIterator[Services]:
    """What the API calls upon."""
    backlog = Backlog(base.journal, base.settings.backlog_limit)
    once = Once(base.database, base.clock, base.settings.idempotency_window * SECOND)
    gate = Gate(Intake(base.journal, once, backlog), base.catalog, base.database, base.journal, base.clock)
    async with _sender(base.settings, sender) as way_out:
        trial = Trial(PROVIDERS, _exchanges(base, way_out), base.clock)
        hub = Hub(base.database, base.catalog, base.clock, base.feed, WORDS)
        async with (
            _background(_keep_current(base.catalog)),
            _background(backlog.watch()),
            _background(once.sweep() if once.window else None),
            _background(_sweep_members(base)),
            _background(_sweep_live_events(base)),
            _background(hub.run()),
        ):
            yield Services(
                base.database,
                base.catalog,
                base.vault,
                gate,
                base.clock,
                PROVIDERS,
                base.journal,
                backlog,
                once,
                trial,
                Rehearsal(base.database, base.catalog, base.clock, _planner(base)),
                base.settings.rate_limits,
                Bounds(*(getattr(base.settings, name) for name in Bounds._fields)),
                Webhooks(
                    base.outbox,
                    Courier(way_out, base.clock),
                    EgressRule(base.settings.egress_allow),
                    base.settings.webhook_http,
                ),
                Accounts(
                    Passwords(),
                    base.setup_code,
                    base.settings.public_url,
                    base.settings.session_idle * SECOND,
                    base.settings.session_lifetime * SECOND,
                ),
                hub,
                Reporters(),
            )


@asynccontextmanager
async def worker(base: Foundation, sender: HttpSender | None = None) -> AsyncIterator[None]:
    """Deliver while the context is open. Only one worker at a time works on an embedded database."""
    async with _alone(base), _sender(base.settings, sender) as way_out:
        lanes = _lanes(base, way_out)
        tasks = [asyncio.create_task(lane.run()) for lane in lanes]
        kept = base.settings.webhook_retention * SECOND
        tasks.append(asyncio.create_task(sweep(base.database, base.clock, kept)))
        retention = Retention(base.database, base.clock, base.settings.activity_retention * SECOND)
        tasks.append(asyncio.create_task(retention.run()))
        tasks.append(asyncio.create_task(_trimming(base).run()))
        tasks.append(asyncio.create_task(_sweep_audit_log(base)))
        tasks.append(asyncio.create_task(counting(base.database, base.clock)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _sender(settings: Settings, given: HttpSender | None) -> AsyncIterator[HttpSender]:
    """The way out: the one given, else a client of its own while the context is open."""
    if given:
        yield given
        return
    client = client_of(settings)
    instruments.CONNECTIONS.set_function(lambda: client.connections)
    instruments.STREAMS.set_function(lambda: client.in_flight)
    try:
        yield client
    finally:
        await client.close()


def _lanes(base: Foundation, sender: HttpSender) -> list[LaneSupervisor]:
    planner, crossing = _planner(base), Crossing(base.outbox.journal, base.journal)
    address = AddressStage(
        base.database, base.journal, base.catalog, base.clock, planner, crossing, base.feed
    )
    turns = RunStage(base.catalog, base.clock, planner, crossing)
    requests = RequestStage(base.database, base.catalog, base.clock, crossing, base.vault, sender)
    ways = Lanes(
        PROVIDERS,
        _exchanges(base, sender),
        base.clock,
        base.settings.delivery_concurrency,
        HealthBook(base.database, base.clock, base.outbox),
        _links(base),
    )
    recorder = Recorder(base.database, base.outbox)
    deliver = DeliverStage(base.database, base.journal, base.catalog, base.clock, recorder, ways)
    receipts = ReceiptStage(base.journal, base.catalog, base.clock, ways, base.outbox)
    courier = Courier(sender, base.clock)
    webhooks = WebhookStage(base.database, base.outbox, base.catalog, base.clock, courier)

    def lanes(prefix: str, work: Work, slots: int, grouping: Grouping | None = None) -> LaneSupervisor:
        return LaneSupervisor(base.journal, base.clock, prefix, work, slots, grouping)

    def inner(prefix: str, work: Work, slots: int, grouping: Grouping | None = None) -> LaneSupervisor:
        return LaneSupervisor(base.outbox.journal, base.clock, prefix, work, slots, grouping)

    accepted = Grouping(address.accepted_together, _MOST_TOGETHER)
    urgent = Grouping(deliver.work_together, _MOST_TOGETHER)
    return [
        lanes(ACCEPTED_PREFIX, address.accepted, _PASSES, accepted),
        lanes(PAGE_PREFIX, address.page, 1),
        lanes(CHUNK_PREFIX, address.chunk, 4),
        lanes(DELIVER_PREFIX, deliver.work, _PASSES, urgent),
        lanes(BULK_PREFIX, deliver.work, _BATCHES_PER_LANE),
        lanes(WAITING_PREFIX, deliver.work, _BATCHES_PER_LANE),
        lanes(RECEIPTS_PREFIX, receipts.work, 1),
        inner(WEBHOOK_PREFIX, webhooks.work, 1),
        inner(REPEAT_PREFIX, webhooks.work, 1),
        inner(RUN_PREFIX, turns.work, _PASSES, Grouping(turns.work_together, _MOST_TOGETHER)),
        inner(BULK_RUN_PREFIX, turns.work, 1),
        inner(RECALL_PREFIX, turns.recall, 1),
        inner(REQUEST_PREFIX, requests.work, _BATCHES_PER_LANE),
        inner(CROSSING_PREFIX, crossing.work, _BATCHES_PER_LANE),
    ]


def _planner(base: Foundation) -> Planner:
    links = _links(base)
    room = links.length + len(LINK) + _LINK_FRAME if links else 0
    terms = Terms(_wants_subscriber(), _lifetime(base.settings), _fitting(base.settings, room))
    return Planner(terms, base.clock)


def _links(base: Foundation) -> Links | None:
    """Makes tracking links where they are wanted."""
    settings = base.settings
    if not settings.tracking_links:
        return None
    if settings.public_url is None:
        raise SettingsError("CLARION_TRACKING_LINKS needs CLARION_PUBLIC_URL: links begin with it")
    return Links(base.vault, settings.public_url)


def _wants_subscriber() -> frozenset[str]:
    return frozenset(provider.id for provider in PROVIDERS.values() if provider.wants_subscriber)


def _lifetime(settings: Settings) -> Millis:
    """How long after its acceptance a trigger's messages are tried."""
    return settings.retry_window * SECOND


def _fitting(settings: Settings, room: int) -> Fitting:
    """How words are made fit to be sent, with room for what is added as they go out."""
    limits = {
        provider.id: Limit(provider.most_bytes - room, provider.weight)
        for provider in PROVIDERS.values()
        if settings.truncate and provider.most_bytes is not None
    }
    return Fitting(settings.plain_text, limits)


def _exchanges(base: Foundation, sender: HttpSender) -> Callable[[Integration], Exchange]:
    """The way to the provider of each integration; virtual phones are in the store."""
    phones = SandboxSender(base.database, base.clock)

    def exchange_for(item: Integration) -> Exchange:
        way = phones if item.provider_id == Sandbox.id else sender
        return Exchange(way, base.settings.provider_urls.get(item.provider_id), item.id, item.provider_id)

    return exchange_for


def client_of(settings: Settings) -> HttpClient:
    """The way out, under the egress rule of the settings."""
    return HttpClient(client_context(settings.ca_file), EgressRule(settings.egress_allow))


def vault_of(settings: Settings) -> Vault:
    """What seals with the current key, of the settings or the data directory, and opens with older ones."""
    old = settings.old_encryption_keys
    older = parse_keys(old.get_secret_value(), "CLARION_OLD_ENCRYPTION_KEYS") if old else []
    if settings.encryption_key:
        return Vault(parse_key(settings.encryption_key.get_secret_value()), older)
    current, *kept = load_or_create_keys(settings.data_dir)
    return Vault(current, [*older, *kept], partial(load_keys, settings.data_dir))


async def _store(settings: Settings) -> tuple[Database, str | None]:
    """The database, at the schema of this version, and where to listen for its news."""
    if settings.postgresql_url:
        from clarion.store.postgresql import PostgresDatabase  # its driver is a tenth of the start

        shared = PostgresDatabase(settings.postgresql_url)
        await shared.migrate()
        instruments.WAITING.set_function(lambda: shared.waiting)
        return shared, settings.postgresql_url
    path = settings.database_path
    try:
        embedded = SqliteDatabase(path)
    except OSError as error:
        raise SettingsError(f"{path} can't be used: {error.strerror}; see CLARION_DATA_DIR") from error
    await asyncio.to_thread(migrate, embedded.engine)
    instruments.WAITING.set_function(lambda: embedded.waiting)
    return embedded, None


@asynccontextmanager
async def opened_journal(
    settings: Settings, database: Database, listening: str | None, clock: Clock
) -> AsyncIterator[Journal]:
    """The journal: in the database, or on JetStream servers."""
    if settings.journal_url:
        from clarion.journal.jetstream import JetStreamJournal, connect  # another seventh
        from clarion.journal.jetstream_access import Access, tls

        access = Access(
            tls(settings.journal_ca_file, settings.journal_certificate_file),
            settings.journal_credentials_file,
        )
        client = await connect(settings.journal_url, replicas=settings.journal_replicas, access=access)
        streamed = JetStreamJournal(client, database, clock)
        try:
            yield streamed
        finally:
            await streamed.close()
        return
    journal = SqlJournal(database, clock)
    async with _background(_listening(listening, journal) if listening else None):
        yield journal


@asynccontextmanager
async def _outbox(
    database: Database, journal: Journal, listening: str | None, clock: Clock
) -> AsyncIterator[SqlJournal]:
    """Where webhook events wait: with the journal where it is in the database, else beside the store."""
    if isinstance(journal, SqlJournal):
        yield journal
        return
    beside = SqlJournal(database, clock)
    async with _background(_listening(listening, beside) if listening else None):
        yield beside


def _listening(url: str, journal: SqlJournal) -> Coroutine[Any, Any, None]:
    from clarion.journal.listen import listen

    return listen(url, journal.ring)


@asynccontextmanager
async def _alone(base: Foundation) -> AsyncIterator[None]:
    """On an embedded database this is the only worker, so that what a killed one held is due at once."""
    if base.settings.postgresql_url:
        yield
        return
    with only_worker(base.settings.database_path):
        await base.outbox.journal.release_all()
        yield


@asynccontextmanager
async def _background(work: Coroutine[Any, Any, None] | None) -> AsyncIterator[None]:
    """Do the work while the context is open."""
    task = asyncio.create_task(work) if work else None
    try:
        yield
    finally:
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _sweep_members(base: Foundation) -> None:
    """Forget sessions, invitations and tries that count no more."""
    await sweeping("sessions", lambda: base.database.write(members.sweep, base.clock()))


async def _sweep_live_events(base: Foundation) -> None:
    """Forget what happened too long ago for anybody to come back for it."""
    most = 1000
    await sweeping("live events", lambda: base.database.write(live.sweep, base.clock() - live.KEPT, most))


def _trimming(base: Foundation) -> Trimming:
    texts, details = base.settings.message_retention, base.settings.detail_retention
    return Trimming(base.database, base.clock, texts * SECOND, details * SECOND)


async def _sweep_audit_log(base: Foundation) -> None:
    """Forget entries that are old enough."""
    kept, most = base.settings.audit_retention * SECOND, 500
    await sweeping("audit log", lambda: base.database.write(audit.sweep, base.clock() - kept, most))


async def _keep_current(catalog: Catalog) -> None:
    """See what other processes change within a quarter of a second."""
    while True:
        await asyncio.sleep(_CATALOG_PAUSE)
        try:
            await catalog.current()
        except RequestError as error:
            log.warning("catalog not read, trying again", error=error.message)
        except Exception:
            log.exception("catalog can't be read, trying again")
