"""The API put together: the table, the quick way in, the documents about it."""

from functools import cache

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from clarion.api.events import TRIGGER
from clarion.api.limits import Limits
from clarion.api.openapi import document, reference_page
from clarion.api.probes import probe_routes
from clarion.api.quick import PATH, QuickTrigger
from clarion.api.route import Services
from clarion.api.server import Api
from clarion.api.site import Site
from clarion.api.table import ROUTES


def assembled(services: Services) -> ASGIApp:
    """The API as an ASGI application."""
    limits = Limits(services.database, services.clock, services.rate_limits)
    quick = {(TRIGGER.method, PATH): QuickTrigger(services, limits)}
    return Api(services, ROUTES, limits, quick, [*_documents(), *probe_routes(services)], Site())


@cache
def _written() -> tuple[bytes, str]:
    """For machines and for people. They don't change while the process runs."""
    return msgspec.json.encode(document(ROUTES)), reference_page(ROUTES)


def _documents() -> list[Route]:
    machine, page = _written()

    async def openapi(_: Request) -> Response:
        return Response(machine, media_type="application/json")

    async def reference(_: Request) -> Response:
        return HTMLResponse(page, headers=_PAGE_HEADERS)

    return [Route("/openapi.json", openapi), Route("/reference", reference)]


_PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "x-content-type-options": "nosniff",
}
