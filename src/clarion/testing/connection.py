"""What connections of either HTTP version share: their tasks, back-pressure and their end."""

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from typing import Any, cast

import structlog

from clarion.testing.exchange import Handler

log = structlog.get_logger(__name__)

MOST_BODY_BYTES = 4 * 1024 * 1024
"""A larger request body is answered 413."""

DRAIN_SECONDS = 1.0
"""How long a connection that said goodbye waits for the peer to close it."""

_LINGER_NONE = struct.pack("ii", 1, 0)


class Connection(asyncio.Protocol):
    """One accepted connection; `on_lost` is called once when it is gone."""

    def __init__(self, number: int, handle: Handler, on_lost: Callable[["Connection"], None]) -> None:
        self.number = number
        self.peer = ""
        self.tasks: set[asyncio.Task[None]] = set()
        self.lost = asyncio.Event()
        self._handle = handle
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._writable.set()
        for task in self.tasks:
            task.cancel()
        self.lost.set()
        self._on_lost(self)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run while the connection lasts."""
        task = self._loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        """A task that failed leaves its peer without an answer: end the connection, and say why."""
        self.tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("emulator_connection_failed", connection=self.number, exc_info=error)
            self._transport.abort()

    def reset(self) -> None:
        """End with a TCP reset: without lingering, close sends RST instead of FIN."""
        own = self._transport.get_extra_info("socket")
        with socket.fromfd(own.fileno(), own.family, socket.SOCK_STREAM) as handle:
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        self._transport.abort()

    def abort(self) -> None:
        """End at once; what was not sent is lost."""
        self._transport.abort()

    def close_soon(self) -> None:
        """Leave the peer time to close first: closing on unread data would destroy answers in flight."""
        self._loop.call_later(DRAIN_SECONDS, self._transport.close)
