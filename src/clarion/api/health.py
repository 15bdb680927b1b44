"""Whether this process can do its work."""

import asyncio

import msgspec
import structlog

import clarion
from clarion.api.route import Access, Call, NoQuery, Route, Services
from clarion.errors import DatabaseUnavailable
from clarion.journal.port import ACCEPTED_PREFIX

log = structlog.get_logger(__name__)

_PATIENCE_SECONDS = 3.0


class Health(msgspec.Struct):
    """`status` is ok; what can't work is answered with 503."""

    status: str
    version: str


async def health_check(call: Call[None, NoQuery]) -> Health:
    """200 when the database and the journal answer within 3 seconds, else 503."""
    await ready(call.services)
    return Health("ok", clarion.__version__)


async def ready(services: Services) -> None:
    """Return when database and journal answer; `DatabaseUnavailable` when one doesn't in time."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await _look(services)
    except Exception as error:
        log.warning("not ready", error=f"{type(error).__name__}: {error}")
        raise DatabaseUnavailable("The database can't be read; the log says why") from error


async def _look(services: Services) -> None:
    await services.catalog.current()
    await services.journal.lanes(ACCEPTED_PREFIX)


ROUTES = (
    Route(
        "GET",
        "/v1/health-check",
        health_check,
        "Whether this process can work",
        "Health",
        None,
        answer=Health,
        access=Access.PUBLIC,
    ),
)
