"""What `clarion doctor` looks at, each with what it found and what to do about it."""

import shutil
import stat
from collections.abc import AsyncIterator, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion import app
from clarion.deliver.exchange import Exchange, origin_of
from clarion.deliver.trial import Trial
from clarion.errors import ClarionError, SecretUnreadable, TransportError
from clarion.journal.summary import summary_of
from clarion.model.clock import DAY, MINUTE, SECOND, Clock, Millis, iso, system_clock
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.ids import time_of
from clarion.model.outcome import Outcome
from clarion.model.people import Integration
from clarion.model.push import PushMessage, Target
from clarion.net.client import HttpClient
from clarion.providers.registry import PROVIDERS
from clarion.security.vault import KEY_FILE, Vault
from clarion.settings import Settings
from clarion.store import integrations, partitions, sealed
from clarion.store.database import Database
from clarion.store.migrate import standing
from clarion.store.postgresql import PostgresDatabase
from clarion.store.tables import triggers

OK, WARN, FAIL = "ok", "warn", "FAIL"

DAMAGED = "stop Clarion and restore a backup; see docs/operations.md"
"""What to do about a file that is not a database, or no whole one."""

NOBODYS_TOKEN = {
    "fcm": "clarion-doctor-no-device",
    "apns": "0" * 64,
    "expo": "ExponentPushToken[clarion-doctor-none]",
    "huawei": "clarion-doctor-no-device",
}
"""What tells good credentials from bad ones without a push: a token that no device has, for the providers
that answer for each token by itself and keep nothing of it."""

_LITTLE_ROOM = 1 << 30
_NO_ROOM = 1 << 26
_OLDEST_SERVER = 15
_MOST_SKEW: Millis = 30 * SECOND
_LATE: Millis = 5 * MINUTE
_PATIENCE = 10.0


class Finding(NamedTuple):
    """One thing looked at: how it stands, what was seen, and what to do where that isn't nothing."""

    level: str
    what: str
    seen: str
    advice: str = ""


def data_directory(settings: Settings) -> list[Finding]:
    """Room, and who may read the key."""
    directory = settings.data_dir
    if not directory.exists():
        advice = "start Clarion once, or set CLARION_DATA_DIR"
        missing = Finding(FAIL, "data directory", f"there is no {directory}", advice)
        return [] if settings.postgresql_url and settings.encryption_key else [missing]
    found = [_room("data directory", directory)]
    beside = settings.database_path.parent
    if beside.exists() and not beside.samefile(directory):
        found.append(_room("database directory", beside))
    return [*found, *_readable_by_others(directory / KEY_FILE), *_readable_by_others(settings.database_path)]


def _room(what: str, directory: Path) -> Finding:
    free = shutil.disk_usage(directory).free
    seen = f"{directory}, {free / (1 << 30):.1f} GiB free"
    if free >= _LITTLE_ROOM:
        return Finding(OK, what, seen)
    advice = "make room, or move it to a larger disk: on a full one triggers are refused"
    return Finding(WARN if free >= _NO_ROOM else FAIL, what, seen, advice)


def _readable_by_others(path: Path) -> list[Finding]:
    if not path.exists() or not stat.S_IMODE(path.stat().st_mode) & 0o077:
        return []
    return [Finding(WARN, path.name, f"{path} can be read by others", f"chmod 600 {path}")]


async def database(opened: Database, where: str, now: Millis) -> list[Finding]:
    """Whether it answers, at which schema, whether a commit is on disk, and what time it has."""
    try:
        found = await opened.read(standing)
        durable = await opened.read(_durability)
    except (ClarionError, sa.exc.DBAPIError) as error:
        return [Finding(FAIL, "database", f"{where}: {error}", _out_of_order(opened))]
    if not found.known:
        advice = "run the version of Clarion that migrated it, or restore a backup"
        schema = Finding(FAIL, "migrations", f"{found.present} is of a newer version", advice)
    elif found.present != found.wanted:
        seen = f"{found.present or 'none'}, this version wants {found.wanted}"
        schema = Finding(FAIL, "migrations", seen, "run: clarion migrate")
    else:
        schema = Finding(OK, "migrations", f"{found.present}, the newest")
    if schema.level == FAIL:
        return [Finding(OK, "database", where), schema, *durable]
    weeks = _weeks(await opened.read(partitions.made_until), now)
    return [Finding(OK, "database", where), schema, *weeks, *durable, *await opened.read(_clock, now)]


def _out_of_order(opened: Database) -> str:
    if isinstance(opened, PostgresDatabase):
        return "is the server running, and right in CLARION_DATABASE_URL?"
    return DAMAGED


def _weeks(until: Millis | None, now: Millis) -> list[Finding]:
    """Whether the large tables have partitions for what is to come."""
    if until is None:
        return []
    seen = f"made until {iso(until)}" if until else "none are made"
    if until > now + DAY:
        return [Finding(OK, "partitions", seen)]
    advice = "run clarion migrate, as a role that may create tables; a worker that runs makes them by itself"
    return [Finding(WARN, "partitions", seen, advice)]


def _durability(connection: Connection) -> list[Finding]:
    if connection.dialect.name != "postgresql":
        (seen,) = connection.exec_driver_sql("PRAGMA quick_check(1)").scalars().all()
        if seen == "ok":
            return [Finding(OK, "integrity", "the file is whole")]
        return [Finding(FAIL, "integrity", str(seen), DAMAGED)]
    version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
    fsync = str(connection.exec_driver_sql("SHOW fsync").scalar_one())
    commit = str(connection.exec_driver_sql("SHOW synchronous_commit").scalar_one())
    return of_server(version // 10000, fsync, commit)


def of_server(version: int, fsync: str, commit: str) -> list[Finding]:
    """Whether a PostgreSQL is new enough and forgets nothing that was committed."""
    seen = f"PostgreSQL {version}, fsync {fsync}, synchronous_commit {commit}"
    found = [Finding(OK, "server", seen)]
    if version < _OLDEST_SERVER:
        found = [Finding(FAIL, "server", f"PostgreSQL {version}", f"upgrade it to {_OLDEST_SERVER} or newer")]
    if "off" in (fsync, commit):
        advice = "switch both on: else what was answered with 201 may be lost"
        found.append(Finding(FAIL, "durability", seen, advice))
    return found


def _clock(connection: Connection, now: Millis) -> list[Finding]:
    """What the database knows of the time: PostgreSQL its own, and each that of the newest trigger."""
    newest = connection.scalar(sa.select(sa.func.max(triggers.c.id)))
    if newest is not None and time_of(newest) - now > _MOST_SKEW:
        seen = f"a trigger was accepted at {iso(time_of(newest))}, and this machine has {iso(now)}"
        return [Finding(WARN, "clock", seen, "set it by NTP; where it is right now, it wasn't then")]
    if connection.dialect.name != "postgresql":
        return []
    theirs = connection.exec_driver_sql("SELECT EXTRACT(EPOCH FROM clock_timestamp())").scalar_one()
    skew = now - round(theirs * SECOND)
    seen = f"this machine is {round(skew / SECOND):+d} s from the database's"
    if abs(skew) <= _MOST_SKEW:
        return [Finding(OK, "clock", seen)]
    return [
        Finding(WARN, "clock", seen, "set both by NTP: machines of different times take each other's work")
    ]


async def secrets(opened: Database, vault: Vault) -> list[Finding]:
    """Whether the key opens what it must, and what an older key still seals."""
    counts = await opened.read(sealed.count)
    current = counts.pop(sealed.name_of(vault), 0)
    try:
        await opened.read(integrations.every, vault)
    except SecretUnreadable as error:
        return [Finding(FAIL, "encryption key", str(error), "restore the key; see docs/operations.md")]
    if counts:
        seen = f"{sum(counts.values())} secrets are sealed with {len(counts)} older keys"
        return [Finding(WARN, "encryption key", seen, "run: clarion keys rotate-encryption")]
    return [Finding(OK, "encryption key", f"seals {current} secrets")]


async def journal(settings: Settings, opened: Database) -> list[Finding]:
    """Whether it answers, and whether somebody works on it."""
    try:
        async with app.opened_journal(settings, opened, None, system_clock) as found:
            summary = await summary_of(found)
    except ClarionError as error:
        advice = "are the servers running, and right in CLARION_JOURNAL_URL?"
        return [Finding(FAIL, "journal", str(error), advice)]
    waiting = sum(lane.records for lane in summary.lanes)
    oldest = max((lane.oldest or 0 for lane in summary.lanes if lane.due), default=0)
    findings = [Finding(OK, "journal", f"{waiting} records wait")]
    if oldest > _LATE:
        seen = f"what is due waits for {oldest // MINUTE} minutes"
        findings = [
            Finding(WARN, "journal", seen, "is a worker running? see its log, and clarion journal list")
        ]
    if summary.parked:
        seen = f"{summary.parked} records were set aside"
        findings.append(Finding(WARN, "parked", seen, "see why: clarion journal parked"))
    return findings


_ADVICE_UNPROVEN = {
    Outcome.THROTTLED: "run the doctor again in a minute",
    Outcome.UNAVAILABLE: "see the provider's page of its status, and run the doctor again later",
    Outcome.UNKNOWN: "does a proxy stand in between? clarion send shows the whole answer",
}


class Outside:
    """What providers say, each asked once, as a message to them would go."""

    def __init__(self, settings: Settings, client: HttpClient, clock: Clock) -> None:
        self._urls = settings.provider_urls
        self._client = client
        self._clock = clock

    async def findings(self, configured: Sequence[Integration]) -> AsyncIterator[Finding]:
        """Of each active integration: the way to its provider, the clock, and the credentials."""
        for item in configured:
            if not item.active or item.provider_id not in PROVIDERS or item.provider_id == "sandbox":
                continue
            what = f"{item.provider_id} ({item.identifier})"
            origin = self._origin(item)
            if origin is None:
                yield Finding(OK, what, "each device names its own service; none is asked")
                continue
            async for finding in self._asked(item, what, origin):
                yield finding

    async def _asked(self, item: Integration, what: str, origin: str) -> AsyncIterator[Finding]:
        request = HttpRequest("GET", f"{origin}/", (), b"")
        guarded = item.provider_id not in self._urls
        try:
            reply = await self._client.send(request, timeout=_PATIENCE, guarded=guarded)
        except TransportError as error:
            advice = "let the firewall pass it, or set CLARION_CA_FILE or CLARION_EGRESS_ALLOW"
            yield Finding(FAIL, what, f"{origin}: {error}", advice)
            return
        yield Finding(OK, what, f"{origin} answers")
        skew = _skew(reply, self._clock())
        if skew is not None and abs(skew) > _MOST_SKEW:
            seen = f"this machine is {round(skew / SECOND):+d} s from {origin}"
            yield Finding(FAIL, "clock", seen, "set it by NTP: providers refuse tokens of another time")
        yield await self._credentials(item, what)

    async def _credentials(self, item: Integration, what: str) -> Finding:
        token = NOBODYS_TOKEN.get(item.provider_id)
        if token is None:
            return Finding(OK, what, "credentials not tried: it has no dry run; clarion send tries them")
        message = PushMessage("Clarion doctor", "This reaches no device.", {}, {}, {}, {})
        tried = await Trial(PROVIDERS, self._exchange, self._clock).send(item, message, token)
        verdict = tried.verdict
        said = f"{verdict.code} {verdict.explanation}".strip()
        if verdict.outcome is Outcome.CREDENTIALS_REJECTED:
            return Finding(
                FAIL, what, f"credentials refused: {said}", "correct the integration's credentials"
            )
        if verdict.outcome.retryable:
            return Finding(WARN, what, f"credentials not proven: {said}", _ADVICE_UNPROVEN[verdict.outcome])
        return Finding(OK, what, "credentials accepted")

    def _exchange(self, item: Integration) -> Exchange:
        return Exchange(self._client, self._urls.get(item.provider_id), item.id)

    def _origin(self, item: Integration) -> str | None:
        """Where messages go; None where each device names its own."""
        if item.provider_id in self._urls:
            return self._urls[item.provider_id].rstrip("/")
        provider: Any = PROVIDERS[item.provider_id]
        message = PushMessage("", "", {}, {}, {}, {})
        target = Target("0" * 32, NOBODYS_TOKEN.get(item.provider_id, "none"), self._clock())
        try:
            built = provider.build(provider.credentials(item.credentials), message, target, "none")
        except (ClarionError, ValueError):
            return None
        return origin_of(built.url)


def _skew(reply: HttpReply, now: Millis) -> Millis | None:
    """How far this machine's clock is from the peer's, which tells whole seconds."""
    try:
        theirs = parsedate_to_datetime(reply.headers["date"])
    except (KeyError, ValueError):
        return None
    return now - round(theirs.timestamp() * SECOND)
