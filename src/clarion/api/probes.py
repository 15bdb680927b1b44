"""GET /livez and /readyz, for whoever starts and stops processes; with /metrics on a port of their own."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from clarion.api.health import ready
from clarion.api.metrics import metrics_route
from clarion.api.route import Services
from clarion.errors import RequestError


def probe_routes(services: Services) -> list[Route]:
    """Not part of the contract, so they stand outside the table."""

    async def live(_: Request) -> Response:
        """Whether the process works at all: it does when it answers. Restart it when it doesn't."""
        return PlainTextResponse("ok\n")

    async def is_ready(_: Request) -> Response:
        """Whether it can work now. Send it no calls while it can't, and don't restart it."""
        try:
            await ready(services)
        except RequestError as error:
            return PlainTextResponse(f"{error.message}\n", error.status)
        return PlainTextResponse("ok\n")

    return [
        Route("/livez", live, methods=["GET"]),
        Route("/readyz", is_ready, methods=["GET"]),
        metrics_route(services),
    ]


def probes(services: Services) -> ASGIApp:
    """What a process tells of itself on a port of its own."""
    return Starlette(routes=probe_routes(services))
