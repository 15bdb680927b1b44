"""A pool of HTTP/2 connections to one origin.

A call goes to the first connection with a free stream. Where none is free it waits its turn, and a
further connection is dialed. What the peer certainly did not act on (a refused stream, one above the
GOAWAY's last, one never written) is sent again elsewhere without the caller noticing.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

import structlog

from clarion.errors import ConnectFailed, ConnectionLost, TimedOut, TransportError
from clarion.model.http import HttpReply, HttpRequest
from clarion.net.engines import MakeEngine, best_engine
from clarion.net.fields import USER_AGENT, field_name, field_value
from clarion.net.multiplexed import Call, Connection, Patience

log = structlog.get_logger(__name__)

Dial = Callable[[asyncio.Protocol], Awaitable[None]]
"""Opens a connection and attaches the protocol to it. Raises TransportError."""

MOST_TRIES = 5
_AGENT = (b"user-agent", USER_AGENT.encode())
_USUAL_STREAMS = 100
"""Streams a peer is thought to grant when the pool counts the connections it lacks."""


class PeerSpeaksHttp1(ConnectFailed):
    """The peer did not choose HTTP/2."""


class Http2Pool:
    """Connections to one origin, such as `https://fcm.googleapis.com`."""

    def __init__(
        self,
        origin: str,
        dial: Dial,
        *,
        most_connections: int = 20,
        make_engine: MakeEngine | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._origin = origin
        self._after_origin = len(origin)
        self._common = _common_fields(origin)
        self._dial = dial
        self._most = most_connections
        self._make_engine = make_engine or best_engine()
        self._patience = patience or Patience()
        self._loop = asyncio.get_running_loop()
        self._connections: list[Connection] = []
        self._waiting: deque[Call] = deque()
        self._dials: set[asyncio.Task[None]] = set()
        self._rest_until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._dozing = True
        self._closed = False

    @property
    def idle(self) -> bool:
        """Whether it holds no connection and no call."""
        return not (self._connections or self._waiting or self._dials)

    @property
    def connections(self) -> int:
        """Connections that are open."""
        return len(self._connections)

    @property
    def in_flight(self) -> int:
        """Calls under way or waiting."""
        return len(self._waiting) + sum(len(connection.calls) for connection in self._connections)

    async def send(self, request: HttpRequest, deadline: float) -> HttpReply:
        """The answer, by `deadline` (loop time). Raises TransportError."""
        call = Call(self._fields(request), request.body, deadline, self._loop.create_future())
        if self._dozing:
            self._wake()
        if self._waiting or not self._place(call):
            self._queue(call)
        try:
            return await call.future
        except asyncio.CancelledError:
            if call.connection is not None:
                call.connection.cancel(call)
            raise

    async def close(self) -> None:
        """End every connection; open calls fail."""
        self._closed = True
        for task in self._dials:
            task.cancel()
        self._fail_waiting(_client_closed())
        connections = tuple(self._connections)
        for connection in connections:
            connection.close()
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.gather(*self._dials, *map(_ended, connections), return_exceptions=True)

    def _fields(self, request: HttpRequest) -> list[tuple[bytes, bytes]]:
        """The request's header block: pseudo-header fields, then the request's own in lower case."""
        path = request.url[self._after_origin :]
        fields = [(b":method", request.method.encode()), *self._common, (b":path", _path(path))]
        for name, value in request.headers:
            wire = field_name(name)
            if wire:
                fields.append((wire, field_value(name, value)))
        if not any(name == b"user-agent" for name, _ in fields):
            fields.append(_AGENT)
        if request.body:
            fields.append((b"content-length", b"%d" % len(request.body)))
        return fields

    # Which call goes where.

    def _place(self, call: Call) -> bool:
        for connection in self._connections:
            if (
                len(connection.calls) < connection.limit
                and connection is not call.avoid
                and connection.take(call)
            ):
                return True
        return False

    def _queue(self, call: Call) -> None:
        if self._closed:
            raise _client_closed()
        self._waiting.append(call)
        self.room()
        if self._waiting:
            self._reinforce()

    def room(self) -> None:
        waiting = self._waiting
        while waiting and (waiting[0].future.done() or self._place(waiting[0])):
            waiting.popleft()

    def resend(self, calls: list[Call]) -> None:
        again = [call for call in calls if self._may_repeat(call)]
        self._waiting.extendleft(reversed(again))
        self.room()
        if self._waiting:
            self._reinforce()
        if not self._dials:
            self._avoid_nothing()

    def gone(self, connection: Connection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
        if self._waiting:
            self._reinforce()

    def _may_repeat(self, call: Call) -> bool:
        """Whether a refused call is worth sending again; a connection that did some work makes it so."""
        call.avoid, call.connection = call.connection, None
        call.reply, call.content = (), b""
        if call.avoid is None or call.avoid.open or not call.avoid.proven:
            call.tries += 1
        if call.tries < MOST_TRIES and not self._closed:
            return not call.future.done()
        call.fail(ConnectionLost(f"{self._origin} refused the request {call.tries} times", unprocessed=True))
        return False

    # How many connections there are.

    def _usable(self) -> list[Connection]:
        return [connection for connection in self._connections if connection.open]

    def _reinforce(self) -> None:
        """Dial as many connections as the waiting calls fill, as far as allowed."""
        resting = self._loop.time() < self._rest_until and (self._dials or self._usable())
        if self._closed or resting:
            return
        for _ in range(self._lacking() - len(self._dials)):
            task = self._loop.create_task(self._open())
            self._dials.add(task)
            task.add_done_callback(self._opened)

    def _lacking(self) -> int:
        usable = self._usable()
        if not usable:
            return 1  # many at once only where one came through
        each = max(_USUAL_STREAMS, *(connection.limit for connection in usable))
        return min(-(-len(self._waiting) // each), self._most - len(usable))

    async def _open(self) -> None:
        connection = Connection(self._origin, self, self._make_engine, self._patience)
        try:
            await self._greet(connection)
        except BaseException:
            connection.abort()
            raise
        self._connections.append(connection)

    async def _greet(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(self._patience.dial):
                await self._dial(connection)
                connection.start()
                await connection.greeted.wait()
        except TimeoutError as error:
            raise ConnectFailed(f"{self._origin} can't be reached in time", unprocessed=True) from error
        if not connection.open:
            raise ConnectFailed(f"{self._origin} closed the connection at once", unprocessed=True)

    def _opened(self, task: "asyncio.Task[None]") -> None:
        self._dials.discard(task)
        if task.cancelled() or self._closed:
            return
        error = task.exception()
        if error is not None:
            self._not_opened(error)
        self.room()
        if self._waiting:
            self._reinforce()

    def _not_opened(self, error: BaseException) -> None:
        if not isinstance(error, TransportError):
            log.error("connection not made", origin=self._origin, exc_info=error)
            error = ConnectFailed(f"{self._origin} can't be reached: {type(error).__name__}")
        self._rest_until = self._loop.time() + self._patience.rest
        self._avoid_nothing()
        if self._usable() or self._dials:
            log.warning("further connection not made", origin=self._origin, error=str(error))
        else:
            self._fail_waiting(error)

    def _avoid_nothing(self) -> None:
        for call in self._waiting:
            call.avoid = None

    def _fail_waiting(self, error: TransportError) -> None:
        waiting, self._waiting = self._waiting, deque()
        for call in waiting:
            call.fail(type(error)(str(error), unprocessed=True))

    # Time.

    def _wake(self) -> None:
        self._dozing = False
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(self._patience.sweep, self._sweep)

    def _sweep(self) -> None:
        now = self._loop.time()
        for connection in tuple(self._connections):
            connection.sweep(now)
        self._expire(now)
        if self._waiting:
            self.room()
            self._reinforce()
        self._timer = self._next_sweep()

    def _next_sweep(self) -> asyncio.TimerHandle | None:
        self._dozing = not self._waiting and not any(connection.calls for connection in self._connections)
        if not self._dozing:
            return self._loop.call_later(self._patience.sweep, self._sweep)
        if self._connections:
            return self._loop.call_later(self._patience.idle / 5, self._sweep)
        return None

    def _expire(self, now: float) -> None:
        for call in self._waiting:
            if call.deadline <= now:
                call.fail(TimedOut(f"no connection to {self._origin} was free in time", unprocessed=True))
        self._waiting = deque(call for call in self._waiting if not call.future.done())


def _client_closed() -> TransportError:
    return ConnectionLost("the HTTP client was closed", unprocessed=True)


async def _ended(connection: Connection) -> None:
    """Wait for the goodbye, not for long: a peer that is gone never says it."""
    try:
        async with asyncio.timeout(1):
            await connection.over.wait()
    except TimeoutError:
        connection.abort()
        await connection.over.wait()


def _common_fields(origin: str) -> Iterable[tuple[bytes, bytes]]:
    scheme, _, authority = origin.partition("://")
    return ((b":scheme", scheme.encode()), (b":authority", authority.encode()))


def _path(path: str) -> bytes:
    """Path and query exactly as given; only what HTTP needs is added."""
    if "#" in path:
        path = path[: path.index("#")]
    if not path.startswith("/"):
        path = "/" + path
    return path.encode()
