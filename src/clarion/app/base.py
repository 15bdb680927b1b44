"""What the API and the worker both stand on."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NamedTuple

from clarion.app.background import background
from clarion.errors import SettingsError
from clarion.journal.feed import Feed
from clarion.journal.outbox import Outbox
from clarion.journal.port import Journal
from clarion.journal.sql import SqlJournal
from clarion.model.clock import Clock, system_clock
from clarion.ops import instruments
from clarion.security.keys import fingerprint
from clarion.security.vault import Vault, load_keys, load_or_create_keys, parse_key, parse_keys
from clarion.settings import Settings
from clarion.store.audit import AuditedDatabase
from clarion.store.catalog import Catalog
from clarion.store.database import Database
from clarion.store.installation import FirstStart, begin
from clarion.store.migrate import migrate
from clarion.store.sqlite import SqliteDatabase


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
            background(feed.keep_watched()),
        ):
            outbox = Outbox(kept, catalog, feed)
            code = vault.code(f"set-up {snapshot.organization_id}")
            yield Foundation(
                settings, clock, vault, database, journal, catalog, outbox, first, ignored, code, feed
            )
    finally:
        await database.close()


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
        from clarion.journal.jetstream import JetStreamJournal  # another seventh
        from clarion.journal.jetstream_access import Access, tls
        from clarion.journal.jetstream_setup import connect

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
    async with background(_listening(listening, journal) if listening else None):
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
    async with background(_listening(listening, beside) if listening else None):
        yield beside


def _listening(url: str, journal: SqlJournal) -> Coroutine[Any, Any, None]:
    from clarion.journal.listen import listen

    return listen(url, journal.ring)
