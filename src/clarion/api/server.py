"""The ASGI application: finds the route, lets the caller in, decodes, calls, encodes, words every error."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import perf_counter
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import msgspec
import structlog
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Router
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from clarion.accept.gate import check_size
from clarion.accept.once import Repeatable, mark_of
from clarion.api.admission import Visit, admitted, keyless
from clarion.api.auditing import Auditor
from clarion.api.bodies import MOST_BODY, check_unpacked, decode_body
from clarion.api.forms import decode_form
from clarion.api.limits import Limits
from clarion.api.problems import problem_for, unexpected
from clarion.api.query import decode_query
from clarion.api.route import Access, Answer, Call, Caller, Client, NoQuery, Route, Services
from clarion.api.site import Site
from clarion.errors import (
    Conflict,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    RequestError,
    TooLarge,
)
from clarion.model.http import Received
from clarion.model.member import Role
from clarion.ops.instruments import api
from clarion.store.catalog import Snapshot
from clarion.store.dialect import storable
from clarion.store.idempotency import Answer as KeptAnswer

log = structlog.get_logger(__name__)

MOST_SIGNED = 1024 * 1024
"""Of a request whose signature is looked at once all of it is here."""

JSON = b"application/json"
Headers = list[tuple[bytes, bytes]]


class _Segment(StringConvertor):
    """One raw path segment. Routing sees the path undecoded, so that an id may hold an encoded slash."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return storable(unquote_to_bytes(value.encode("latin-1")).decode(errors="replace"))


register_url_convertor("segment", _Segment())


class Api:
    """Serves a table of routes. `quick` maps raw (method, path) to applications that need no routing."""

    def __init__(
        self,
        services: Services,
        routes: Sequence[Route],
        limits: Limits,
        quick: Mapping[tuple[str, bytes], ASGIApp],
        also: Sequence[StarletteRoute] = (),
        site: Site | None = None,
    ) -> None:
        self._services = services
        self._site = site
        self._limits = limits
        self._quick = quick
        self._auditor = Auditor(routes)
        self._table = [*map(self._endpoint, routes), *also]
        self._router = Router(self._table, default=self._nowhere, redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route on the raw path."""
        if scope["type"] != "http":
            return
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        quick = self._quick.get((scope["method"], raw))
        if quick:
            await quick(scope, receive, send)
            return
        routed = {**scope, "path": raw.partition(b"?")[0].decode("latin-1"), "app": self}
        try:
            await self._router(routed, receive, send)
        except HTTPException as error:
            await self._refused(error, Request(routed))(routed, receive, send)

    def _endpoint(self, route: Route) -> StarletteRoute:
        async def respond(request: Request) -> Response:
            return await self._respond(route, request)

        path = route.path.replace("}", ":segment}")
        return StarletteRoute(path, respond, methods=[route.method])

    async def _respond(self, route: Route, request: Request) -> Response:
        headers: Headers = _echoed(request)
        began = perf_counter()
        answer = await self._worded(route, request, headers, lambda: self._answered(route, request, headers))
        api(route.operation_id, str(answer.status_code)).observe(perf_counter() - began)
        return answer

    async def _worded(
        self, route: Route, request: Request, headers: Headers, work: Callable[[], Awaitable[Response]]
    ) -> Response:
        """The response that the work comes to, an error's too."""
        try:
            return await work()
        except RequestError as error:
            of_trigger = route.payload_errors
            body = problem_for(error, _path(request), self._services.clock(), of_trigger=of_trigger)
            headers += _advice(error)
            return encoded(body, error.status, headers)
        except Exception:
            problem = unexpected(_path(request), self._services.clock())
            log.exception("request failed", operation=route.operation_id, error_id=problem.error_id)
            return encoded(problem, 500, headers)

    async def _answered(self, route: Route, request: Request, headers: Headers) -> Response:
        visit = _visit(route, request)
        if route.signed and keyless(visit):
            return encoded(await route.signed(await self._received(request, visit)), route.status, headers)
        caller = await admitted(route, visit, self._services)
        if caller:
            await self._limits.take(caller.environment_id, route.category, route.cost, headers)
            _check_own(route, request, caller)
        raw = await _body(request) if route.body is not None else b""
        if route.one_trigger:
            check_size(len(raw))
        repeatable = self._repeatable(route, request, caller, raw)
        if repeatable is None:
            return await self._handled(route, request, caller, raw, headers)
        try:
            return await self._answered_once(
                repeatable,
                lambda: self._worded(
                    route, request, headers, lambda: self._handled(route, request, caller, raw, headers)
                ),
                headers,
            )
        except Conflict as running:
            if route.at_stake:
                running.resource = await route.at_stake(await self._call(route, request, caller, raw))
            raise

    def _repeatable(
        self, route: Route, request: Request, caller: Caller | None, raw: bytes
    ) -> Repeatable | None:
        if caller is None or not route.repeatable:
            return None
        key = request.headers.get("idempotency-key")
        once, path = self._services.once, _path(request)
        return once.repeatable(caller.environment_id, key, lambda: mark_of(route.method, path, raw))

    async def _answered_once(
        self, call: Repeatable, respond: Callable[[], Awaitable[Response]], headers: Headers
    ) -> Response:
        """The response, or that of the first such call."""
        made: list[Response] = []

        async def work() -> KeptAnswer:
            made.append(await respond())
            return KeptAnswer(made[0].status_code, bytes(made[0].body))

        replay = await self._services.once.answered(call, work)
        return made[0] if made else replayed_response(replay.answer, headers)

    async def _handled(
        self, route: Route, request: Request, caller: Caller | None, raw: bytes, headers: Headers
    ) -> Response:
        call = await self._call(route, request, caller, raw)
        if route.secret:
            headers.append(_KEPT_BY_NOBODY)
        found = await self._auditor.told(route, call, _resource(request))
        if isinstance(found, Response):
            found.raw_headers.extend(headers)
            return found
        value, status, more = found if isinstance(found, Answer) else Answer(found, route.status)
        headers += more
        if status == 204 or route.answer is None:
            return Response(status_code=status, headers=_text(headers))
        return encoded(value if route.bare else {"data": value}, status, headers)

    async def _call(
        self, route: Route, request: Request, caller: Caller | None, raw: bytes
    ) -> Call[Any, Any]:
        return Call(
            self._services,
            await self._snapshot(caller),
            caller or _NOBODY,
            request.path_params,
            _decoded(route, request, raw),
            decode_query(_query(request), route.query),
            _client(Visit.of(request), self._services.accounts.public_url),
        )

    async def _received(self, request: Request, visit: Visit) -> Call[Received, NoQuery]:
        """A call that proves itself by its signature."""
        services = self._services
        received = Received(request.headers, await _body(request, MOST_SIGNED))
        client = _client(visit, services.accounts.public_url)
        snapshot = services.catalog.snapshot
        return Call(services, snapshot, _NOBODY, request.path_params, received, NoQuery(), client)

    async def _snapshot(self, caller: Caller | None) -> Snapshot:
        """Public routes do without the database, so that they can tell when it isn't there."""
        catalog = self._services.catalog
        return await catalog.current() if caller else catalog.snapshot

    async def _nowhere(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = self._site.answer(Request(scope)) if self._site else None
        if page is None:
            raise HTTPException(404)
        await page(scope, receive, send)

    def _refused(self, error: HTTPException, request: Request) -> Response:
        """The router found no such path, or the path without the method."""
        where = f"{request.method} {_path(request)}"
        refusal: RequestError = NotFound(f"There is no {where}; see /openapi.json for what there is")
        if error.status_code == 405:
            allowed = self._methods(request.scope)
            refusal = MethodNotAllowed(f"{where} is not possible; use {allowed}", headers={"Allow": allowed})
        body = problem_for(refusal, _path(request), self._services.clock(), of_trigger=False)
        return encoded(body, refusal.status, _echoed(request) + _advice(refusal))

    def _methods(self, scope: Scope) -> str:
        """All that a path can be called with; the router names those of the first route that fits."""
        fitting = [route for route in self._table if route.matches(scope)[0] is not Match.NONE]
        return ", ".join(sorted({method for route in fitting for method in route.methods or ()}))


def _check_own(route: Route, request: Request, caller: Caller) -> None:
    if route.access is Access.OWN and request.path_params["environmentId"] != caller.environment_id:
        header = "name the environment in the header Clarion-Environment, too"
        key = "use a key of the environment that the path names"
        raise Forbidden(f"This is not your environment: {header if caller.member else key}")


def _visit(route: Route, request: Request) -> Visit:
    """A browser can't set headers where it listens to a stream; the environment is in the query there."""
    return Visit.of(request, request.query_params.get("environmentId", "") if route.stream else "")


def _client(visit: Visit, public_url: str | None) -> Client:
    return Client(
        visit.address,
        visit.headers.get("user-agent", "")[:_MOST_USER_AGENT],
        visit.origin(public_url),
        visit.secure(public_url),
        visit.local,
    )


_MOST_USER_AGENT = 300
_NOBODY = Caller("", Role.VIEWER, "")
_KEPT_BY_NOBODY = (b"cache-control", b"no-store")
_AGAIN_IN_A_SECOND = (b"retry-after", b"1")


def replayed_response(answer: KeptAnswer, headers: Headers) -> Response:
    """What a repeated call is answered with. The SDKs try a 409 again, so they are told when."""
    also = [(b"idempotency-replay", b"true"), *([_AGAIN_IN_A_SECOND] if answer.status == 409 else [])]
    kind = JSON.decode() if answer.body else None
    return Response(answer.body, answer.status, headers=_text([*headers, *also]), media_type=kind)


def encoded(body: Any, status: int, headers: Headers) -> Response:
    """A JSON response."""
    return Response(msgspec.json.encode(body), status, headers=_text(headers), media_type="application/json")


def _decoded(route: Route, request: Request, raw: bytes) -> Any:
    if route.body is None:
        return None
    if route.multipart:
        return decode_form(raw, request.headers.get("content-type", ""), route.body)
    return decode_body(raw, route.body, payload_errors=route.payload_errors)


async def _body(request: Request, most: int = MOST_BODY) -> bytes:
    check_unpacked(request.headers.get("content-encoding"))
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise TooLarge(f"The body exceeds {most} bytes: send less at a time")
        parts.append(part)
    return b"".join(parts)


def _path(request: Request) -> str:
    path: str = request.scope["path"]
    return path.encode("latin-1").decode(errors="replace")


def _resource(request: Request) -> str:
    """What a call is about, in the audit log: its path without the version, as its parameters read."""
    return storable("/".join(unquote(_path(request)).split("/")[2:]))


def _query(request: Request) -> str:
    query: bytes = request.scope["query_string"]
    return query.decode(errors="replace")


def _advice(error: RequestError) -> Headers:
    """What the error says in headers. The SDKs try a 409 again, so they are told when."""
    told = ({"retry-after": "1"} if error.status == 409 else {}) | error.headers
    return [(name.lower().encode(), value.encode()) for name, value in told.items()]


def _echoed(request: Request) -> Headers:
    key = request.headers.get("idempotency-key")
    return [(b"idempotency-key", key.encode("latin-1"))] if key else []


def _text(headers: Headers) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
