"""The emulators' HTTP/2 side against another implementation of the protocol (nghttp2), over TLS."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self, cast
from urllib.parse import urlsplit

import msgspec
import ngh2

from clarion.model.clock import system_clock
from clarion.model.http import HttpReply
from clarion.providers.fcm import Fcm
from clarion.providers.port import AccessToken
from clarion.testing import (
    Authority,
    Delay,
    Emulators,
    EmulatorServer,
    FcmEmulator,
    GoAway,
    RefuseStream,
    Reply,
    Request,
    Reset,
)
from clarion.testing.exchange import Answer

REFUSED_STREAM = 7


class Received(msgspec.Struct):
    """What came back on one stream; `error_code` is that of a RST_STREAM, -1 when the connection ended."""

    status: int = 0
    headers: dict[str, str] = {}
    body: bytes = b""
    error_code: int = 0


class Client(asyncio.Protocol):
    """One connection, as many requests at a time as are asked for."""

    def __init__(self) -> None:
        self.answers: dict[int, tuple[Received, asyncio.Future[Received]]] = {}
        self.goaway: int | None = None
        self.lost = asyncio.Event()
        self.error: Exception | None = None
        self.h2 = ngh2.Connection(ngh2.Role.CLIENT)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.h2.initiate_connection()
        self.flush()

    def data_received(self, data: bytes) -> None:
        self.h2.receive_data(data)
        self.flush()
        for event in self.h2.events():
            self.take(event)

    def take(self, event: ngh2.Event) -> None:
        match event:
            case ngh2.ResponseReceived(stream_id, headers, _):
                received = self.answers[stream_id][0]
                received.headers = {n.decode(): v.decode() for n, v in headers}
                received.status = int(received.headers.pop(":status"))
            case ngh2.DataReceived(stream_id, data, _):
                self.answers[stream_id][0].body += data
            case ngh2.StreamClosed(stream_id, error_code, _) if stream_id in self.answers:
                received, future = self.answers.pop(stream_id)
                received.error_code = error_code
                future.set_result(received)
            case ngh2.GoAwayReceived(last_stream_id, _, _):
                self.goaway = last_stream_id

    def connection_lost(self, exc: Exception | None) -> None:
        self.error = exc
        self.lost.set()
        for received, future in self.answers.values():
            received.error_code = -1
            future.set_result(received)
        self.answers.clear()

    def flush(self) -> None:
        data = self.h2.data_to_send()
        if data and not self.transport.is_closing():
            self.transport.write(data)

    def start(
        self, path: str, body: bytes = b"", method: str = "POST", **headers: str
    ) -> asyncio.Future[Received]:
        pseudo = [(":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path)]
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        lines = [(name.encode(), value.encode()) for name, value in pseudo + named]
        stream_id = self.h2.send_request(lines, end_stream=not body)
        if body:
            self.h2.send_data(stream_id, body, end_stream=True)
        future: asyncio.Future[Received] = asyncio.get_running_loop().create_future()
        self.answers[stream_id] = (Received(), future)
        self.flush()
        return future

    async def ask(self, path: str, body: bytes = b"", method: str = "POST", **headers: str) -> Received:
        return await asyncio.wait_for(self.start(path, body, method, **headers), 10)


async def until(true: Callable[[], bool]) -> None:
    """Wait for what the loop is about to do."""
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def connected(url: str, ca_file: Path) -> AsyncIterator[Client]:
    context = Authority.kept_in(ca_file.parent).client_context("h2")
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_connection(
        Client, parts.hostname or "", parts.port or 443, ssl=context, server_hostname="localhost"
    )
    try:
        yield client
    finally:
        transport.abort()
        await client.lost.wait()


class Site:
    """A server with a handler that answers by path, and a client connected to it."""

    def __init__(self, directory: Path, streams: int = 100) -> None:
        self.directory = directory
        self.streams = streams
        self.requests: list[Request] = []
        self.gate = asyncio.Event()

    async def __aenter__(self) -> Self:
        authority = Authority.kept_in(self.directory)
        context = authority.server_context()
        self.server = EmulatorServer(self.handle, context, max_concurrent_streams=self.streams)
        await self.server.__aenter__()
        self._connected = connected(self.server.url, authority.ca_file)
        self.client = await self._connected.__aenter__()
        return self

    async def __aexit__(self, *ending: object) -> None:
        await self._connected.__aexit__(None, None, None)
        await self.server.__aexit__(None, None, None)

    async def handle(self, request: Request) -> Answer:
        self.requests.append(request)
        match request.route:
            case "/echo":
                return Reply(200, (("x-path", request.path),), request.body)
            case "/gate":
                await self.gate.wait()
                return Reply(200, (), b"open")
            case "/goaway":
                return GoAway(Reply(200, (), b"bye"))
            case "/refuse":
                return RefuseStream()
            case "/reset":
                return Reset()
            case "/late":
                return Delay(0.05, Reply(200, (), b"late"))
            case "/stream":
                return Reply(200, (), self.lines())
            case "/empty":
                return Reply(204)
        raise LookupError(request.route)

    async def lines(self) -> AsyncGenerator[bytes, None]:
        yield b"one\n"
        await self.gate.wait()
        yield b"two\n"


async def test_a_request_arrives_as_it_was_sent(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        answer = await site.client.ask("/echo?a=1:x", b"body", x_mine="yes")
        assert (answer.status, answer.body, answer.headers["x-path"]) == (200, b"body", "/echo?a=1:x")
        request = site.requests[0]
        assert (request.method, request.headers["host"], request.connection_id) == ("POST", "localhost", 1)
        assert (request.headers["x-mine"], request.query) == ("yes", {"a": "1:x"})
        assert (site.server.connections_opened, site.server.connections_open) == (1, 1)


async def test_bodies_far_beyond_the_windows_pass_both_ways(tmp_path: Path) -> None:
    body = bytes(range(256)) * 4096 * 2
    async with Site(tmp_path) as site:
        answers = await asyncio.gather(*(site.client.ask("/echo", body) for _ in range(3)))
        assert [answer.body == body for answer in answers] == [True] * 3


async def test_a_body_beyond_the_bound_is_refused_and_the_connection_lives(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        assert (await site.client.ask("/echo", b"x" * (4 * 1024 * 1024 + 1))).status == 413
        assert (await site.client.ask("/echo", b"x")).status == 200


async def test_answers_come_as_they_are_ready(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        waiting = site.client.start("/gate")
        assert (await site.client.ask("/echo", b"x")).status == 200
        assert not waiting.done()
        site.gate.set()
        assert (await waiting).body == b"open"


async def test_the_announced_number_of_streams_is_kept(tmp_path: Path) -> None:
    async with Site(tmp_path, streams=2) as site:
        await site.client.ask("/echo", b"x")
        assert site.client.h2.remote_settings[3] == 2


async def test_streams_opened_before_the_limit_was_known_are_refused_alone(tmp_path: Path) -> None:
    async with Site(tmp_path, streams=2) as site:
        futures = [site.client.start("/gate") for _ in range(5)]
        await until(lambda: sum(future.done() for future in futures) == 3)
        site.gate.set()
        answers = await asyncio.gather(*futures)
        assert [(answer.status, answer.error_code) for answer in answers] == [
            *[(200, 0)] * 2,
            *[(0, REFUSED_STREAM)] * 3,
        ]


async def test_a_refused_stream_leaves_the_connection_usable(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        refused = await site.client.ask("/refuse")
        assert (refused.status, refused.error_code) == (0, REFUSED_STREAM)
        assert (await site.client.ask("/echo", b"x")).status == 200


async def test_goaway_answers_what_was_taken_and_names_the_last_of_it(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        before = site.client.start("/gate")
        leaving = site.client.start("/goaway")
        assert (await leaving).body == b"bye"
        site.gate.set()
        assert ((await before).body, site.client.goaway) == (b"open", 3)
        await asyncio.wait_for(site.client.lost.wait(), 5)


async def test_requests_that_cross_a_goaway_are_not_handled(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        await site.client.ask("/echo", b"x")
        site.client.transport.pause_reading()
        leaving = site.client.start("/goaway")
        await until(lambda: len(site.requests) == 2)
        await asyncio.sleep(0.05)
        crossing = site.client.start("/echo", b"x")
        await asyncio.sleep(0.05)
        site.client.transport.resume_reading()
        assert (await leaving).body == b"bye"
        assert (await crossing).status == 0
        assert [request.route for request in site.requests] == ["/echo", "/goaway"]


async def test_a_reset_is_a_reset_of_tcp(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        other = site.client.start("/gate")
        assert (await site.client.ask("/reset")).error_code == -1
        assert (await other).error_code == -1
        assert isinstance(site.client.error, ConnectionResetError)


async def test_a_delay_holds_back_one_answer(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        started = time.monotonic()
        assert (await site.client.ask("/late")).body == b"late"
        assert time.monotonic() - started >= 0.05


async def test_a_stream_of_chunks_arrives_chunk_by_chunk(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        future = site.client.start("/stream", method="GET")
        await until(lambda: [r.body for r, _ in site.client.answers.values()] == [b"one\n"])
        site.gate.set()
        assert (await future).body == b"one\ntwo\n"


async def test_an_answer_without_body_ends_at_once(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        answer = await site.client.ask("/empty")
        assert (answer.status, answer.body, "content-length" in answer.headers) == (204, b"", False)
        assert (await site.client.ask("/echo", b"x", method="HEAD")).body == b""


async def test_a_handler_that_raises_answers_500(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        assert (await site.client.ask("/nowhere")).status == 500
        assert (await site.client.ask("/echo", b"x")).status == 200


async def test_a_cancelled_request_frees_its_stream(tmp_path: Path) -> None:
    async with Site(tmp_path, streams=1) as site:
        await site.client.ask("/echo", b"x")
        held = site.client.start("/gate")
        stream_id = next(iter(site.client.answers))
        site.client.h2.reset_stream(stream_id, 8)
        site.client.flush()
        assert (await site.client.ask("/echo", b"x")).status == 200
        assert (await held).error_code == 8


async def test_leaving_the_server_ends_open_connections(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        waiting = site.client.start("/gate")
        await site.client.ask("/echo", b"x")
        await site.server.__aexit__(None, None, None)
        assert (await waiting).error_code == -1
        assert site.server.connections_open == 0


async def test_our_provider_sends_through_the_emulator(tmp_path: Path) -> None:
    fcm, provider = FcmEmulator(), Fcm()
    credentials = provider.credentials({"serviceAccount": fcm.service_account()})
    async with (
        Emulators.running(tmp_path, fcm=fcm) as emulators,
        connected(emulators.url, emulators.ca_file) as client,
    ):
        asked = provider.authorize(credentials, system_clock())
        got = await client.ask("/token", asked.body, content_type="application/x-www-form-urlencoded")
        token = provider.read_authorization(HttpReply(got.status, got.headers, got.body), 0)
        assert isinstance(token, AccessToken)
        body = b'{"message":{"token":"phone-1"}}'
        path = "/v1/projects/demo-app/messages:send"
        sent = await client.ask(path, body, authorization=f"Bearer {token.value}")
        assert (sent.status, fcm.mints) == (200, 1)
        assert (await fcm.next_message()).token == "phone-1"
