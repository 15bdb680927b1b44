"""The one way out: every request to a provider or a webhook goes through here."""

import asyncio
import re
import ssl
from functools import partial
from urllib.parse import urlsplit

from clarion.errors import ConnectionLost, NotSendable
from clarion.model.http import ClientIdentity, HttpReply, HttpRequest
from clarion.net.dialer import Dialer
from clarion.net.egress import EgressRule
from clarion.net.http1 import Http1Client
from clarion.net.http2 import Http2Pool, PeerSpeaksHttp1
from clarion.net.tls import identified

_HTTP1_REMEMBERED = 300.0
"""Seconds until an origin that chose HTTP/1.1 is asked again."""

_MOST_ROUTES = 512
"""Origins remembered before those without a connection are forgotten."""

_ORIGIN = re.compile(r"(https?)://[^/?#]+")


class _Route:
    """How to reach one origin."""

    __slots__ = ("http1_until", "pool")

    def __init__(self, pool: Http2Pool | None) -> None:
        self.pool = pool
        self.http1_until = 0.0


class HttpClient:
    """HTTP/2 where the peer offers it, HTTP/1.1 otherwise; `guarded` requests obey the egress rule.

    Requests of one `scope` share HTTP/2 connections with each other and with nobody else: a provider may
    tie a connection to the credentials it saw first, as APNs does.
    """

    def __init__(self, context: ssl.SSLContext, egress: EgressRule) -> None:
        self._context = context
        self._egress = egress
        self._dialer = Dialer(context, egress)
        self._routes: dict[tuple[bool, str], dict[str, _Route]] = {}
        self._http1: dict[bool, Http1Client] = {}

    async def send(
        self, request: HttpRequest, *, timeout: float = 10.0, guarded: bool = False, scope: str = ""
    ) -> HttpReply:
        """The answer, whatever its status, within `timeout` seconds in all. Raises TransportError."""
        now = asyncio.get_running_loop().time()
        route = self._route(request, guarded, scope)
        deadline = now + timeout
        if route.pool is None or route.http1_until > now:
            return await self._send_http1(request, route, deadline, guarded)
        try:
            return await route.pool.send(request, deadline)
        except PeerSpeaksHttp1:
            if request.identity is not None:
                raise
            route.http1_until = asyncio.get_running_loop().time() + _HTTP1_REMEMBERED
            return await self._send_http1(request, route, deadline, guarded)

    @property
    def connections(self) -> int:
        """HTTP/2 connections that are open."""
        return sum(pool.connections for pool in self._pools())

    @property
    def in_flight(self) -> int:
        """Requests under way or waiting on HTTP/2 connections."""
        return sum(pool.in_flight for pool in self._pools())

    async def close(self) -> None:
        """Close every connection; requests under way fail."""
        await asyncio.gather(*(pool.close() for pool in self._pools()))
        await asyncio.gather(*(client.close() for client in self._http1.values()))

    def _pools(self) -> list[Http2Pool]:
        return [route.pool for routes in self._routes.values() for route in routes.values() if route.pool]

    async def _send_http1(
        self, request: HttpRequest, route: _Route, deadline: float, guarded: bool
    ) -> HttpReply:
        client = self._http1.get(guarded)
        if client is None:
            client = self._http1[guarded] = Http1Client(self._context, self._egress, guarded)
        try:
            return await client.send(request, deadline)
        except ConnectionLost:
            # A peer that has learned HTTP/2 since ends an HTTP/1.1 connection like this.
            route.http1_until = 0.0
            raise

    def _route(self, request: HttpRequest, guarded: bool, scope: str) -> _Route:
        url, identity = request.url, request.identity
        if not (url.isascii() and url.isprintable()) or " " in url:
            raise NotSendable("the URL holds characters that must be percent-encoded")
        shared = scope if identity is None else f"{scope} {identity.fingerprint}"
        routes = self._routes.setdefault((guarded, shared), {})
        end = url.find("/", 8)
        return routes.get(url[:end] if end > 0 else url) or self._new_route(url, guarded, routes, identity)

    def _new_route(
        self, url: str, guarded: bool, routes: dict[str, _Route], identity: ClientIdentity | None
    ) -> _Route:
        match = _ORIGIN.match(url)
        if match is None:
            raise NotSendable("the URL must begin with https:// or http:// and a host")
        origin = match[0]
        if origin not in routes:
            _forget_idle(routes)
            routes[origin] = _Route(self._pool(origin, guarded, self._dialer_for(identity)))
        return routes[origin]

    def _dialer_for(self, identity: ClientIdentity | None) -> Dialer:
        """Shows the certificate, over HTTP/2 alone: no provider that knows clients by it speaks HTTP/1.1."""
        if identity is None:
            return self._dialer
        try:
            return Dialer(identified(self._context, identity.pem), self._egress)
        except ValueError as error:
            raise NotSendable(str(error)) from error

    def _pool(self, origin: str, guarded: bool, dialer: Dialer) -> Http2Pool | None:
        host, port = _endpoint(origin)
        if origin.startswith("http://"):
            return None
        return Http2Pool(origin, partial(dialer.dial, host, port, guarded))


def _endpoint(origin: str) -> tuple[str, int]:
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError as error:
        raise NotSendable(f"the URL's host or port is wrong: {error}") from error
    if not parts.hostname or parts.username is not None:
        raise NotSendable("the URL must name a host and no user")
    return parts.hostname, port if port is not None else 443


def _forget_idle(routes: dict[str, _Route]) -> None:
    if len(routes) < _MOST_ROUTES:
        return
    for origin in [origin for origin, route in routes.items() if route.pool is None or route.pool.idle]:
        del routes[origin]
