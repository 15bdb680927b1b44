"""An HTTPS server for emulators: HTTP/2 or HTTP/1.1 by ALPN, on 127.0.0.1 only."""

import asyncio
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, cast

from clarion.errors import ClarionError
from clarion.testing.connection import Connection
from clarion.testing.exchange import Handler
from clarion.testing.http1 import Http1Connection
from clarion.testing.http2 import Http2Connection

HOST = "127.0.0.1"


class PortTaken(ClarionError):
    """Another program listens on the port."""


class EmulatorServer:
    """`async with EmulatorServer(handle, context) as server:` listens at `server.url`.

    `handle` answers each request with a `Reply` or a fault. Leaving the block aborts what is open.
    """

    def __init__(
        self, handle: Handler, context: ssl.SSLContext, *, port: int = 0, max_concurrent_streams: int = 100
    ) -> None:
        self._handle = handle
        self._context = context
        self._port = port
        self._most_streams = max_concurrent_streams
        self._open: set[Connection] = set()
        self._stopped = False
        self.connections_opened = 0
        """How many connections finished their TLS handshake."""

    @property
    def connections_open(self) -> int:
        """How many connections are open now."""
        return len(self._open)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    @property
    def url(self) -> str:
        """The origin, without a path."""
        return f"https://{HOST}:{self._port}"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: _Greeting(self), HOST, self._port, ssl=self._context, backlog=1024
            )
        except OSError as error:
            raise PortTaken(
                f"Port {self._port} on {HOST} can't be listened on ({error.strerror}); "
                "choose another one, or 0 for any that is free."
            ) from None
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self._stopped = True
        connections = list(self._open)
        tasks = [task for connection in connections for task in connection.tasks]
        for connection in connections:
            connection.abort()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()
        await asyncio.gather(*(connection.lost.wait() for connection in connections))

    @property
    def stopped(self) -> bool:
        """A handshake may finish after the server has stopped."""
        return self._stopped

    def connection(self, protocol: str | None) -> Connection:
        """A connection for the protocol that ALPN chose; without ALPN, HTTP/1.1."""
        self.connections_opened += 1
        number = self.connections_opened
        connection: Connection
        if protocol == "h2":
            connection = Http2Connection(number, self._handle, self._open.discard, self._most_streams)
        else:
            connection = Http1Connection(number, self._handle, self._open.discard)
        self._open.add(connection)
        return connection


def _common_name(certificate: Mapping[str, Any]) -> str:
    subject = (pair for part in certificate.get("subject", ()) for pair in part)
    return next((value for name, value in subject if name == "commonName"), "")


class _Greeting(asyncio.Protocol):
    """Stands in until the handshake tells which protocol the peer speaks."""

    def __init__(self, server: EmulatorServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        accepted = cast("asyncio.Transport", transport)  # uvloop's transports are no subclass of it
        if self._server.stopped:
            accepted.abort()
            return
        chosen = accepted.get_extra_info("ssl_object").selected_alpn_protocol()
        connection = self._server.connection(chosen)
        connection.peer = _common_name(accepted.get_extra_info("peercert") or {})
        accepted.set_protocol(connection)
        connection.connection_made(accepted)
