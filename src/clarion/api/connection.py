"""HTTP/1.1 connections that a slow or wordy client can't hold on to.

uvicorn reads heads of any size and waits for the rest of a request for ever. A request that comes in one
piece costs no timer here.
"""

from asyncio import BaseTransport, TimerHandle
from enum import Enum, auto
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from clarion.api.problems import Problem
from clarion.model.clock import iso, system_clock

MOST_HEAD = 64 * 1024
"""Bytes of a request's line and headers; four times what SDKs and proxies send at most."""

HEAD_SECONDS = 15.0
"""For a request's line and headers, from the connection or from their first byte."""

BODY_SECONDS = 300.0
"""For the rest of a request; the largest takes that long at 2 Mbit/s."""

WRITE_SECONDS = 60.0
"""That a client may leave an answer unread."""


class _Phase(Enum):
    IDLE = auto()
    HEAD = auto()
    BODY = auto()


class _HeadTooLarge(Exception):
    """Ends the reading of a request."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection. Who takes too long is answered 408, whose head is too large 431; both are closed."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._phase = _Phase.IDLE
        self._head = 0
        self._timer: TimerHandle | None = None
        self._timed = _Phase.IDLE
        self._unread: TimerHandle | None = None
        self._refusal = (400, "This is no HTTP/1.1 request: correct the client")

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        began_in_head = self._phase is not _Phase.BODY
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._phase is _Phase.HEAD and began_in_head:
            self._head += len(data)
            if self._head > MOST_HEAD:
                self._refuse_head()
                self.send_400_response("")
                return
        self._watch()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._phase, self._head = _Phase.HEAD, 0

    def on_headers_complete(self) -> None:
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > MOST_HEAD:
            self._refuse_head()
            raise _HeadTooLarge
        self._phase = _Phase.BODY
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._phase = _Phase.IDLE
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Say in the contract's shape why the connection ends."""
        status, message = self._refusal
        self._unwatch()
        body = msgspec.json.encode(Problem(status, iso(system_clock()), "", message))
        head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head.encode() + body)
        self.transport.close()

    def _watch(self) -> None:
        """Time what the client owes: the rest of a request, or a request where none is worked on."""
        answered = self.cycle is None or self.cycle.response_complete
        if self._phase is _Phase.IDLE and (not answered or self.timeout_keep_alive_task is not None):
            self._unwatch()
            return
        if self._timer is not None and (self._timed is _Phase.BODY) == (self._phase is _Phase.BODY):
            return
        self._unwatch()
        self._timed = self._phase
        seconds = BODY_SECONDS if self._phase is _Phase.BODY else HEAD_SECONDS
        self._timer = self.loop.call_later(seconds, self._late)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self._phase is _Phase.BODY and self.cycle.response_started:
            self.transport.close()
            return
        self._refusal = (408, "The request took too long to arrive: send it faster, or in parts")
        self.send_400_response("")

    def _refuse_head(self) -> None:
        self._refusal = (
            431,
            f"The request's line and headers exceed {MOST_HEAD} bytes: shorten them",
        )
