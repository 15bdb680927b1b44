"""GET /metrics: figures for Prometheus, for anybody who can reach the API."""

import asyncio

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from clarion.api.route import Services
from clarion.journal.summary import summary_of
from clarion.model.clock import SECOND, Millis
from clarion.ops.instruments import counted
from clarion.ops.metrics import CONTENT_TYPE, backlog_gauges, exposition, health_gauges, journal_gauges
from clarion.store import health

log = structlog.get_logger(__name__)

_FRESH: Millis = SECOND


class Metrics:
    """The document, made at most once a second: whoever may ask may ask often."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = asyncio.Lock()
        self._text = ""
        self._until: Millis = 0

    async def respond(self, _: Request) -> Response:
        """The figures; 503 when they can't be read."""
        try:
            async with self._lock:
                text = await self._current()
        except Exception as error:
            log.warning("metrics can't be read", error=f"{type(error).__name__}: {error}")
            return PlainTextResponse("The database can't be read; the log says why\n", 503)
        return Response(text, media_type=CONTENT_TYPE)

    async def _current(self) -> str:
        now = self._services.clock()
        if now >= self._until:
            summary = await summary_of(self._services.journal)
            backlog = self._services.backlog
            states = await self._states()
            gauges = [
                *journal_gauges(summary),
                *backlog_gauges(backlog.limit, len(backlog.over)),
                *health_gauges(states),
            ]
            self._text, self._until = exposition(gauges) + counted(), now + _FRESH
        return self._text

    async def _states(self) -> list[tuple[str, str]]:
        """How each integration stands, as of its present configuration."""
        known = self._services.catalog.snapshot.integrations
        stored = {item.integration_id: item for item in await self._services.database.read(health.every)}
        return [
            (item.identifier, stored[item.id].state)
            for item in known.values()
            if item.id in stored and stored[item.id].configured_at == item.updated_at
        ]


def metrics_route(services: Services) -> Route:
    """The route; not part of the contract, so it stands outside the table."""
    return Route("/metrics", Metrics(services).respond, methods=["GET"])
