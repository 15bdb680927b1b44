"""The server side of one HTTP/2 connection (RFC 9113) on the `h2` package."""

import asyncio
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import structlog
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from clarion.testing.connection import MOST_BODY_BYTES, Connection
from clarion.testing.exchange import (
    GoAway,
    Handler,
    RefuseStream,
    Reply,
    Request,
    Reset,
    Settled,
    json_reply,
    settle,
)

log = structlog.get_logger(__name__)

_CONFIG = H2Configuration(
    client_side=False, validate_outbound_headers=False, normalize_outbound_headers=False
)
_GOAWAY = 7


class _Stream:
    """A request as far as it has arrived, then the task that answers it."""

    __slots__ = ("body", "ended", "headers", "task")

    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        self.headers = headers
        self.body = bytearray()
        self.ended = False
        self.task: asyncio.Task[None] | None = None


class _Announced(Settings):
    """Announces the limit and leaves it to us: h2 would end the whole connection over one stream too many."""

    @property
    def max_concurrent_streams(self) -> int:
        return 2**31 - 1

    @max_concurrent_streams.setter
    def max_concurrent_streams(self, value: int) -> None:
        self[SettingCodes.MAX_CONCURRENT_STREAMS] = value


class Http2Connection(Connection):
    """Answers streams as their handlers finish, within both flow control windows."""

    def __init__(
        self, number: int, handle: Handler, on_lost: Callable[[Connection], None], most_streams: int
    ) -> None:
        super().__init__(number, handle, on_lost)
        self._most_streams = most_streams
        self._streams: dict[int, _Stream] = {}
        self._last_taken = 0
        self._leaving = False
        self._flush_planned = False
        self._room = asyncio.Event()
        self._h2 = H2Connection(_CONFIG)
        limits = {SettingCodes.MAX_CONCURRENT_STREAMS: most_streams, SettingCodes.MAX_HEADER_LIST_SIZE: 65536}
        self._h2.local_settings = _Announced(client=False, initial_values=limits)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._h2.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._flush()
        try:
            events = self._h2.receive_data(data)
        except ProtocolError as error:
            log.warning("http2_peer_broke_the_protocol", connection=self.number, reason=str(error))
            self._flush()
            self._transport.close()
            return
        for event in events:
            react = _REACTIONS.get(type(event))
            if react is not None:
                react(self, event)
        self._flush()

    def _requested(self, event: RequestReceived) -> None:
        stream_id = event.stream_id
        if self._leaving:
            return
        if len(self._streams) >= self._most_streams:
            self._h2.reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)
            return
        self._last_taken = stream_id
        self._streams[stream_id] = _Stream(event.headers)

    def _received(self, event: DataReceived) -> None:
        self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        stream = self._streams.get(event.stream_id)
        if stream is None or stream.task is not None:
            return
        stream.body += event.data
        if len(stream.body) > MOST_BODY_BYTES:
            stream.task = self.spawn(self._refuse_body(event.stream_id, stream))

    def _ended(self, event: StreamEnded) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is None:
            return
        stream.ended = True
        if stream.task is None:
            stream.task = self.spawn(self._serve(event.stream_id, self._request(stream)))

    def _was_reset(self, event: StreamReset) -> None:
        stream = self._streams.pop(event.stream_id, None)
        if stream is not None and stream.task is not None:
            stream.task.cancel()

    def _has_room(self, event: WindowUpdated | RemoteSettingsChanged) -> None:
        self._room.set()

    def _terminated(self, event: ConnectionTerminated) -> None:
        self._transport.close()

    def _request(self, stream: _Stream) -> Request:
        headers: dict[str, str] = {}
        for raw, value in stream.headers:
            name, text = raw.decode("latin-1"), value.decode("latin-1")
            headers[name] = f"{headers[name]}, {text}" if name in headers else text
        method, path = headers.pop(":method"), headers.pop(":path", "*")
        headers.pop(":scheme", None)
        if ":authority" in headers:
            headers["host"] = headers.pop(":authority")
        return Request(method, path, headers, bytes(stream.body), self.number, self.peer)

    async def _serve(self, stream_id: int, request: Request) -> None:
        try:
            await self._answer(stream_id, request.method, await settle(self._handle, request))
        finally:
            self._finished(stream_id)

    async def _refuse_body(self, stream_id: int, stream: _Stream) -> None:
        """Answer early, then ask the peer to stop sending (RFC 9113, 8.1)."""
        try:
            await self._send(stream_id, "POST", json_reply(413, {"error": "The body is too large."}))
            if not stream.ended:
                self._h2.reset_stream(stream_id, ErrorCodes.NO_ERROR)
                self._flush_soon()
        finally:
            self._finished(stream_id)

    def _finished(self, stream_id: int) -> None:
        self._streams.pop(stream_id, None)
        if self._leaving and not self._streams:
            self.close_soon()

    async def _answer(self, stream_id: int, method: str, answer: Settled) -> None:
        match answer:
            case Reply():
                await self._send(stream_id, method, answer)
            case GoAway():
                await self._send(stream_id, method, answer.then)
                self._go_away()
            case RefuseStream():
                self._h2.reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)
                self._flush_soon()
            case Reset():
                self.reset()

    async def _send(self, stream_id: int, method: str, reply: Reply) -> None:
        body = reply.body
        headers = [(":status", str(reply.status)), *reply.headers]
        if isinstance(body, bytes) and reply.status not in (204, 304):
            headers.append(("content-length", str(len(body))))
        empty = not body or method == "HEAD"
        self._h2.send_headers(stream_id, headers, end_stream=empty)
        self._flush_soon()
        if isinstance(body, bytes):
            if not empty:
                await self._send_data(stream_id, body, last=True)
        elif not empty:
            await self._send_stream(stream_id, body)

    async def _send_stream(self, stream_id: int, chunks: AsyncGenerator[bytes, None]) -> None:
        async with aclosing(chunks):
            async for chunk in chunks:
                await self._send_data(stream_id, chunk, last=False)
        self._h2.end_stream(stream_id)
        self._flush_soon()

    async def _send_data(self, stream_id: int, data: bytes, *, last: bool) -> None:
        """In pieces of what the peer's windows and frame size allow."""
        start = 0
        while start < len(data):
            room = await self._wait_for_room(stream_id)
            piece = data[start : start + room]
            start += len(piece)
            self._h2.send_data(stream_id, piece, end_stream=last and start == len(data))
            self._flush_soon()

    async def _wait_for_room(self, stream_id: int) -> int:
        while True:
            await self._writable.wait()
            window = self._h2.local_flow_control_window(stream_id)
            if window > 0:
                return min(window, self._h2.max_outbound_frame_size)
            self._room.clear()
            await self._room.wait()

    def _go_away(self) -> None:
        """h2's own way ends the connection, so the frame is ours: streams taken are still answered."""
        if self._leaving:
            return
        self._leaving = True
        self._flush()
        frame = struct.pack(">HBBBIII", 0, 8, _GOAWAY, 0, 0, self._last_taken, ErrorCodes.NO_ERROR)
        self._transport.write(frame)

    def _flush_soon(self) -> None:
        """Write once for all that is answered in this turn of the loop."""
        if not self._flush_planned:
            self._flush_planned = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_planned = False
        data = self._h2.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)


_REACTIONS: dict[type, Callable[[Http2Connection, Any], None]] = {
    RequestReceived: Http2Connection._requested,
    DataReceived: Http2Connection._received,
    StreamEnded: Http2Connection._ended,
    StreamReset: Http2Connection._was_reset,
    WindowUpdated: Http2Connection._has_room,
    RemoteSettingsChanged: Http2Connection._has_room,
    ConnectionTerminated: Http2Connection._terminated,
}
