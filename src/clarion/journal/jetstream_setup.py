"""A connection to NATS servers that have the journal's streams: it makes them, or says why it can't."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import structlog
from nats.aio.client import Client

from clarion.errors import SettingsError
from clarion.journal.jetstream_access import ADDRESS_ONLY, Access, credentials
from clarion.journal.jetstream_link import STREAM_NOT_FOUND, Link, Refused
from clarion.journal.jetstream_names import Names
from clarion.journal.port import JournalUnavailable

log = structlog.get_logger(__name__)

_MOST_PAYLOAD = 4 * 1024 * 1024
_OLDEST_SERVER = (2, 12)


async def connect(
    urls: str | Sequence[str],
    *,
    replicas: int,
    prefix: str = "clarion",
    access: Access = ADDRESS_ONLY,
    seconds: float = 10,
) -> Client:
    """A connection that is made again for ever, to servers that have the journal's streams.

    `SettingsError` when nobody answers within `seconds`, or the servers can't hold the journal.
    """
    client = await _connected(urls.split(",") if isinstance(urls, str) else list(urls), access, seconds)
    try:
        _check(client)
        await _prepare(Link(client, seconds), Names(prefix), replicas)
    except BaseException:
        await client.close()
        raise
    return client


async def _connected(urls: list[str], access: Access, seconds: float) -> Client:
    client = Client()
    user = credentials(access.credentials) if access.credentials else None
    try:
        async with asyncio.timeout(seconds):
            await client.connect(
                [url.strip() for url in urls],
                name="clarion",
                tls=access.tls,
                user_jwt_cb=user.token if user else None,
                signature_cb=user.sign if user else None,
                connect_timeout=2,
                reconnect_time_wait=1,
                max_reconnect_attempts=-1,
                ping_interval=3,
                error_cb=_failed,
                disconnected_cb=partial(_disconnected, client),
                reconnected_cb=_reconnected,
            )
    except TimeoutError:
        await client.close()
        raise SettingsError(
            f"no NATS server of CLARION_JOURNAL_URL let Clarion in within {seconds:g} s"
            f" ({client.last_error or 'no answer'}): start one, or correct the address"
        ) from client.last_error
    return client


def _check(client: Client) -> None:
    version = client.connected_server_version
    if (version.major, version.minor) < _OLDEST_SERVER:
        raise SettingsError(f"CLARION_JOURNAL_URL: NATS server {version} is too old: use 2.12 or later")
    if client.max_payload < _MOST_PAYLOAD:
        raise SettingsError(
            f"CLARION_JOURNAL_URL: the NATS server takes messages of {client.max_payload} bytes only:"
            " set max_payload: 8MB in its configuration"
        )


async def _prepare(link: Link, names: Names, replicas: int) -> None:
    """Make the streams, or add to them what this version needs."""
    try:
        for stream in names.streams(replicas):
            await link.insist(partial(_ensure_stream, link, stream))
    except JournalUnavailable as error:
        raise SettingsError(
            f"CLARION_JOURNAL_URL: the NATS servers can't hold the journal ({error.__cause__}): switch on"
            f" JetStream in their configuration, and run at least CLARION_JOURNAL_REPLICAS={replicas} of them"
        ) from error


async def _ensure_stream(link: Link, wanted: dict[str, Any]) -> None:
    name = wanted["name"]
    try:
        present = (await link.call(f"STREAM.INFO.{name}"))["config"]
    except Refused as refused:
        if refused.code != STREAM_NOT_FOUND:
            raise
        await link.call(f"STREAM.CREATE.{name}", wanted)
        return
    subjects = [*present["subjects"], *(new for new in wanted["subjects"] if new not in present["subjects"])]
    config = {**present, **wanted, "subjects": subjects}
    if config != present:
        await link.call(f"STREAM.UPDATE.{name}", config)


async def _failed(error: Exception) -> None:
    log.debug("NATS connection", error=str(error) or type(error).__name__)


async def _disconnected(client: Client) -> None:
    if not client.is_closed:
        log.warning("journal disconnected, connecting again")


async def _reconnected() -> None:
    log.info("journal connected again")
