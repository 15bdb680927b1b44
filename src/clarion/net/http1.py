"""HTTP/1.1 through aiohttp: no redirects, no cookies, no proxies from the environment."""

import asyncio
import socket
import ssl

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from clarion.errors import ConnectFailed, ConnectionLost, NotSendable, TimedOut, TransportError
from clarion.model.http import HttpReply, HttpRequest
from clarion.net.dialer import not_trusted
from clarion.net.egress import EgressRule
from clarion.net.fields import USER_AGENT, field_name, field_value
from clarion.net.multiplexed import MOST_BODY

_KEPT_IDLE = 60.0
_MOST_PER_HOST = 100


class Http1Client:
    """Keep-alive connections to any number of hosts; `guarded` puts them under the egress rule."""

    def __init__(self, context: ssl.SSLContext, egress: EgressRule, guarded: bool) -> None:
        self._egress = egress
        self._guarded = guarded
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=_Resolver(egress, guarded),
                ssl=context,
                limit=0,
                limit_per_host=_MOST_PER_HOST,
                keepalive_timeout=_KEPT_IDLE,
            ),
            headers={"user-agent": USER_AGENT},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(),
            trust_env=False,
        )

    async def send(self, request: HttpRequest, deadline: float) -> HttpReply:
        """The answer, by `deadline` (loop time). Raises TransportError."""
        url = _url(request.url)
        try:
            async with asyncio.timeout_at(deadline):
                await self._check_literal(url)
                return await self._exchange(request, url)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _translated(url.raw_host or "", error) from error

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def _check_literal(self, url: URL) -> None:
        # aiohttp asks its resolver for names only, and takes `127.1` or `2130706433` for no name.
        host = url.raw_host or ""
        if ":" in host or host.replace(".", "").isdigit():
            await self._egress.resolve(host, url.port or 0, self._guarded)

    async def _exchange(self, request: HttpRequest, url: URL) -> HttpReply:
        async with self._session.request(
            request.method,
            url,
            headers=_headers(request),
            skip_auto_headers=("content-type",),
            data=request.body or None,
            allow_redirects=False,
        ) as response:
            body = await _bounded(response)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return HttpReply(response.status, headers, body)


class _Resolver(AbstractResolver):
    """aiohttp's way to the egress rule: it connects to the addresses given here."""

    def __init__(self, egress: EgressRule, guarded: bool) -> None:
        self._egress = egress
        self._guarded = guarded

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = await self._egress.resolve(host, port, self._guarded)
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Holds nothing."""


def _url(text: str) -> URL:
    try:
        return URL(text, encoded=True)
    except ValueError as error:
        raise NotSendable("the URL's host or port is wrong") from error


def _headers(request: HttpRequest) -> list[tuple[str, str]]:
    return [
        (wire.decode(), field_value(name, value).decode())
        for name, value in request.headers
        if (wire := field_name(name))
    ]


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MOST_BODY:
            response.close()
            raise TransportError(f"{response.url.host} answered with more than {MOST_BODY} bytes")
    return bytes(body)


def _translated(host: str, error: Exception) -> TransportError:
    """aiohttp's errors as Clarion's, and whether the peer can have acted on the request."""
    match error:
        case aiohttp.ClientConnectorCertificateError(
            certificate_error=ssl.SSLCertVerificationError() as reason
        ):
            return not_trusted(host, reason)
        case aiohttp.ClientConnectorError():
            return ConnectFailed(f"{host}: {error}", unprocessed=True)
        case TimeoutError():
            return TimedOut(f"{host} gave no answer in time")
        case aiohttp.InvalidURL() | ValueError():
            # Not aiohttp's words: they may hold the URL, and that a secret.
            return TransportError(f"{host}: HTTP can't carry the URL or a header", unprocessed=True)
        case _:
            return ConnectionLost(f"{host}: the connection ended before the answer: {type(error).__name__}")
