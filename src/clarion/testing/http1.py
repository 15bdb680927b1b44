"""The server side of one HTTP/1.1 connection (RFC 9112) on the `httptools` parser."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from http import HTTPStatus
from typing import NamedTuple

import httptools
import structlog

from clarion.testing.connection import MOST_BODY_BYTES, Connection
from clarion.testing.exchange import GoAway, Handler, RefuseStream, Reply, Request, Reset, json_reply, settle

log = structlog.get_logger(__name__)


class _Whole(NamedTuple):
    """A request that has arrived whole, and whether the connection stays open after it."""

    request: Request
    keep_alive: bool


class Http1Connection(Connection):
    """Answers requests one after another in the order they came, pipelined ones included."""

    def __init__(self, number: int, handle: Handler, on_lost: Callable[[Connection], None]) -> None:
        super().__init__(number, handle, on_lost)
        self._parser = httptools.HttpRequestParser(self)
        self._arrived: deque[_Whole] = deque()
        self._serving: asyncio.Task[None] | None = None
        self._refusing = False
        self._begin()

    def data_received(self, data: bytes) -> None:
        if self._refusing:
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            log.warning("http1_peer_broke_the_protocol", connection=self.number, reason=type(error).__name__)
            self._refuse(400, "This is not an HTTP/1.1 request.")

    def on_message_begin(self) -> None:
        self._begin()

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        if self._headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > MOST_BODY_BYTES:
            self._refuse(413, "The body is too large.")

    def on_message_complete(self) -> None:
        if self._refusing:
            return
        method, path = self._parser.get_method().decode(), self._path.decode("latin-1")
        request = Request(method, path, self._headers, bytes(self._body), self.number)
        self._arrived.append(_Whole(request, self._parser.should_keep_alive()))
        if self._serving is None:
            self._serving = self.spawn(self._serve())

    def _begin(self) -> None:
        self._path = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def _refuse(self, status: int, words: str) -> None:
        """Answer, and read nothing more."""
        if not self._refusing:
            self._refusing = True
            body = json_reply(status, {"error": words})
            self.spawn(self._send("POST", body, keep_alive=False))

    async def _serve(self) -> None:
        while self._arrived:
            request, keep_alive = self._arrived.popleft()
            await self._answer(request, keep_alive)
        self._serving = None

    async def _answer(self, request: Request, keep_alive: bool) -> None:
        match await settle(self._handle, request):
            case Reply() as reply:
                await self._send(request.method, reply, keep_alive)
            case GoAway(then=reply):
                await self._send(request.method, reply, keep_alive=False)
            case RefuseStream():
                self._transport.close()
            case Reset():
                self.reset()

    async def _send(self, method: str, reply: Reply, keep_alive: bool) -> None:
        self._transport.write(_head(reply, keep_alive))
        if isinstance(reply.body, bytes):
            if method != "HEAD":
                self._transport.write(reply.body)
        else:
            await self._send_stream(reply.body)
        await self._writable.wait()
        if not keep_alive:
            self._arrived.clear()
            self._refusing = True
            self._transport.close()

    async def _send_stream(self, chunks: AsyncGenerator[bytes, None]) -> None:
        async with aclosing(chunks):
            async for chunk in chunks:
                self._transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunk else b"")
                await self._writable.wait()
        self._transport.write(b"0\r\n\r\n")


def _head(reply: Reply, keep_alive: bool) -> bytes:
    """Status line and headers, with the length or the encoding of the body."""
    lines = [f"HTTP/1.1 {reply.status} {_phrase(reply.status)}"]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    if not isinstance(reply.body, bytes):
        lines.append("transfer-encoding: chunked")
    elif reply.status not in (204, 304):
        lines.append(f"content-length: {len(reply.body)}")
    if not keep_alive:
        lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
