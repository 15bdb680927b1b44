"""Servers on real sockets with real TLS, obedient or faulty as a test wants them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
import trustme
import uvloop
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, PingReceived, RequestReceived, StreamReset, WindowUpdated
from h2.exceptions import StreamClosedError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame

from clarion.net.tls import client_context


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every test here runs on both event loops; their transports differ."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


Serve = Callable[..., Awaitable["H2Server"]]
ServeHttp1 = Callable[..., Awaitable["Http1Server"]]


@dataclass
class Incoming:
    """A request as a server read it."""

    headers: dict[str, str]
    body: bytearray = field(default_factory=bytearray)


@dataclass
class H2Server:
    """Answers by path (see `H2Session.answer`); a connection's `goaway_every`th request is its last."""

    goaway_every: int = 0
    most_streams: int = 100
    refusals: int = 0
    greets: bool = True
    deaf_to_pings: bool = False
    port: int = 0
    connections: int = 0
    most_open: int = 0
    pings: int = 0
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    resets: list[int] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    live: set["H2Session"] = field(default_factory=set)

    @property
    def origin(self) -> str:
        return f"https://localhost:{self.port}"


class H2Session(asyncio.Protocol):
    """One connection of the server."""

    def __init__(self, server: H2Server) -> None:
        self.server = server
        self.wire = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.requests: dict[int, Incoming] = {}
        self.unsent: dict[int, bytes] = {}
        self.count = 0
        self.last = 0
        self.deaf = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.server.connections += 1
        self.server.live.add(self)
        if self.server.greets:
            settings = {SettingCodes.MAX_CONCURRENT_STREAMS: self.server.most_streams}
            self.wire.local_settings = Settings(client=False, initial_values=settings)
            self.wire.initiate_connection()
            self.transport.write(self.wire.data_to_send())

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.live.discard(self)

    def data_received(self, data: bytes) -> None:
        if not self.server.greets or self.deaf:
            return
        for event in self.wire.receive_data(data):
            self.hear(event)
        out = self.wire.data_to_send()
        if not self.deaf:
            self.transport.write(out)

    def hear(self, event: Event) -> None:
        match event:
            case RequestReceived():
                headers = {str(name): str(value) for name, value in event.headers}
                self.begin(event.stream_id, Incoming(headers))
                if event.stream_ended is not None:
                    self.answer(event.stream_id)
            case DataReceived():
                self.wire.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if event.stream_id in self.requests:
                    self.requests[event.stream_id].body += event.data
                    if event.stream_ended is not None:
                        self.answer(event.stream_id)
            case StreamReset():
                self.requests.pop(event.stream_id, None)
                self.server.resets.append(int(event.error_code))
            case WindowUpdated():
                self.feed()
            case PingReceived():
                self.server.pings += 1
                self.deaf = self.server.deaf_to_pings

    def begin(self, stream: int, request: Incoming) -> None:
        if self.last:
            return  # after its GOAWAY a server ignores what is above the last stream
        self.count += 1
        self.requests[stream] = request
        self.server.most_open = max(self.server.most_open, len(self.requests))
        path = request.headers[":path"]
        self.server.paths.append(path)
        self.server.headers.append(request.headers)
        self.server.arrived.set()
        if path == "/early":
            self.reply(stream, 413, b"too large")
        if self.count == self.server.goaway_every:
            self.go_away(stream)

    def go_away(self, last: int) -> None:
        self.last = last
        self.transport.write(self.wire.data_to_send())
        self.transport.write(GoAwayFrame(0, last_stream_id=last).serialize())

    def answer(self, stream: int) -> None:
        request = self.requests.get(stream)
        if request is None:
            return
        match request.headers[":path"].split("?")[0]:
            case "/silent" | "/early":
                return
            case "/reset":
                self.wire.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)
            case "/cut":
                self.wire.send_headers(stream, [(":status", "200")])
                self.wire.send_data(stream, b"half of")
                self.transport.write(self.wire.data_to_send())
                self.transport.close()
            case "/refuse" if self.server.refusals:
                self.server.refusals -= 1
                self.wire.reset_stream(stream, ErrorCodes.REFUSED_STREAM)
            case "/big":
                self.reply(stream, 200, b"x" * int(request.headers[":path"].split("?")[1]))
            case _:
                self.reply(stream, 200, bytes(request.body), request.headers.get("x-request-id", ""))
        self.requests.pop(stream, None)

    def reply(self, stream: int, status: int, body: bytes, identity: str = "") -> None:
        try:
            self.wire.send_headers(stream, [(":status", str(status)), ("x-request-id", identity)])
        except StreamClosedError:
            return  # reset in the same read
        self.unsent[stream] = body
        self.feed()

    def feed(self) -> None:
        for stream, body in list(self.unsent.items()):
            try:
                self.unsent[stream] = self.fed(stream, body)
            except StreamClosedError:
                self.unsent[stream] = b""
            if not self.unsent[stream]:
                del self.unsent[stream]

    def fed(self, stream: int, body: bytes) -> bytes:
        while body:
            room = min(self.wire.local_flow_control_window(stream), self.wire.max_outbound_frame_size)
            if room <= 0:
                return body
            self.wire.send_data(stream, body[:room])
            body = body[room:]
        self.wire.end_stream(stream)
        return b""


@dataclass
class Http1Server:
    """Answers every request with `reply`, or never; keeps the heads it read."""

    reply: bytes | None = b"HTTP/1.1 200 OK\r\nX-Seen: Yes\r\nContent-Length: 2\r\n\r\nok"
    cut: bool = False
    scheme: str = "http"
    port: int = 0
    connections: int = 0
    heads: list[str] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"{self.scheme}://localhost:{self.port}"

    async def attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.heads.append(head)
                if self.cut:
                    break
                if self.reply is not None:
                    writer.write(self.reply)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def context(ca_file: Path) -> ssl.SSLContext:
    return client_context(ca_file)


def server_context(authority: trustme.CA, protocol: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    context.set_alpn_protocols([protocol])
    return context


@pytest.fixture
async def serve(authority: trustme.CA) -> AsyncIterator[Serve]:
    """Starts HTTP/2 servers on 127.0.0.1; ends them and their connections after the test."""
    context = server_context(authority, "h2")
    started: list[tuple[H2Server, asyncio.Server]] = []

    async def start(**script: int) -> H2Server:
        server = H2Server(**script)  # type: ignore[arg-type]
        listening = await asyncio.get_running_loop().create_server(
            lambda: H2Session(server), "127.0.0.1", 0, ssl=context
        )
        server.port = listening.sockets[0].getsockname()[1]
        started.append((server, listening))
        return server

    yield start
    for server, listening in started:
        listening.close()
        for session in tuple(server.live):
            session.transport.abort()
        await listening.wait_closed()
    await asyncio.sleep(0)


@pytest.fixture
def http1() -> type[Http1Server]:
    """What to give `serve_http1`; a test can't import a conftest."""
    return Http1Server


@pytest.fixture
async def serve_http1(authority: trustme.CA) -> AsyncIterator[ServeHttp1]:
    """Starts HTTP/1.1 servers on 127.0.0.1."""
    context = server_context(authority, "http/1.1")
    started: list[asyncio.Server] = []

    async def start(server: Http1Server, *, tls: bool = False) -> Http1Server:
        listening = await asyncio.start_server(server.attend, "127.0.0.1", 0, ssl=context if tls else None)
        server.port = listening.sockets[0].getsockname()[1]
        server.scheme = "https" if tls else "http"
        started.append(listening)
        return server

    yield start
    for listening in started:
        listening.close()
        await listening.wait_closed()
