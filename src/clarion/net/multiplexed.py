"""One HTTP/2 connection: many calls at once, each with its own deadline, none waiting for another."""

import asyncio
from math import inf
from typing import Protocol, cast

import msgspec

from clarion.errors import ConnectionLost, TimedOut, TransportError
from clarion.model.http import HttpReply
from clarion.net.engines import EngineClosed, Fields, MakeEngine

MOST_BODY = 1 << 20
"""Octets of an answer that are read; no provider answers with more."""

MOST_STREAMS = 1000
"""Calls at once on one connection, when the peer allows more."""


class Patience(msgspec.Struct, frozen=True):
    """How long a connection waits for what, in seconds."""

    dial: float = 10.0
    """Name lookup, TCP, TLS and the peer's first frame together."""
    sweep: float = 0.1
    """Between two looks at the deadlines."""
    quiet: float = 30.0
    """Calls are open and nothing is heard: ask for a sign of life."""
    answer: float = 10.0
    """No sign of life came: drop the connection."""
    idle: float = 300.0
    """Nothing to do: close the connection."""
    rest: float = 1.0
    """A further connection could not be made: try again."""


class Call:
    """One request on its way, and what has come of its answer."""

    __slots__ = (
        "avoid",
        "body",
        "connection",
        "content",
        "deadline",
        "fields",
        "future",
        "reply",
        "stream",
        "tries",
    )

    def __init__(
        self, fields: Fields, body: bytes, deadline: float, future: "asyncio.Future[HttpReply]"
    ) -> None:
        self.fields = fields
        self.body = body
        self.deadline = deadline
        self.future = future
        self.reply: Fields = ()
        self.content = b""
        self.connection: Connection | None = None
        self.avoid: Connection | None = None
        self.stream = 0
        self.tries = 0

    def answer(self) -> None:
        """The whole answer is here."""
        if not self.future.done():
            fields = iter(self.reply)
            status = int(next(fields)[1])
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in fields}
            self.future.set_result(HttpReply(status, headers, self.content))

    def fail(self, error: TransportError) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Owner(Protocol):
    """The pool, as its connections see it."""

    def resend(self, calls: list[Call]) -> None:
        """Calls the peer certainly did not act on, oldest first."""

    def room(self) -> None:
        """A connection may have room for a waiting call."""

    def gone(self, connection: "Connection") -> None:
        """The connection is over."""


class Connection(asyncio.Protocol):
    """One connection; `limit` is how many calls it takes at once, 0 once it takes no new ones."""

    def __init__(self, origin: str, owner: Owner, make_engine: MakeEngine, patience: Patience) -> None:
        self._origin = origin
        self._owner = owner
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._engine = make_engine(self)
        self._transport: asyncio.Transport | None = None
        self._refused: list[Call] = []
        self._newest = self._written = 0
        self._flush_due = False
        self._holding = True
        self._heard = self._used = self._loop.time()
        self._asked: float | None = None
        self._retired = self._finished = self._lost = False
        self.calls: dict[int, Call] = {}
        self.limit = 0
        self.proven = False
        """At least one call was answered here."""
        self.greeted = asyncio.Event()
        """The peer's settings came, or the connection was lost."""
        self.over = asyncio.Event()

    @property
    def open(self) -> bool:
        """Whether it takes new calls, now or when the peer allows more."""
        return not self._retired

    def start(self) -> None:
        """Speak. Until then nothing is written, for the peer may turn out not to know HTTP/2."""
        self._holding = False
        self._schedule()

    def take(self, call: Call) -> bool:
        """Begin a call here; false when this connection can't any more."""
        try:
            stream = self._engine.post(call.fields, call.body)
        except EngineClosed:
            self.retire()
            return False
        call.connection = self
        call.stream = self._newest = stream
        self.calls[stream] = call
        if not self._flush_due:
            self._schedule()
        return True

    def cancel(self, call: Call) -> None:
        """Nobody waits for this call any more: reset its stream and leave the others alone."""
        if self.calls.get(call.stream) is not call:
            return
        call.deadline = inf
        try:
            self._engine.reset(call.stream)
        except EngineClosed:
            self.retire()
        self._schedule()

    def retire(self) -> None:
        """Take no new calls; finish the open ones."""
        self._retired = True
        self.limit = 0
        self._schedule()

    def close(self) -> None:
        """Say goodbye and end; open calls fail."""
        self.retire()
        self._finished = True
        try:
            self._engine.close()
        except EngineClosed:
            self.abort()

    def abort(self) -> None:
        """End without a goodbye; open calls fail."""
        self.retire()
        if self._transport is not None:
            self._transport.abort()

    def sweep(self, now: float) -> None:
        """Look at the deadlines, at the peer's silence, and at one's own."""
        for call in [call for call in self.calls.values() if call.deadline <= now]:
            call.fail(TimedOut(f"{self._origin} gave no answer in time"))
            self.cancel(call)
        if self.calls:
            self._used = now
            self._watch(now)
        elif now - self._used > self._patience.idle and not self._finished:
            self.close()

    def _watch(self, now: float) -> None:
        if self._asked is not None:
            if now - self._asked > self._patience.answer:
                self.abort()
        elif now - self._heard > self._patience.quiet:
            self._ask(now)

    def _ask(self, now: float) -> None:
        self._asked = now
        try:
            self._engine.ping()
        except EngineClosed:
            self.abort()
        self._schedule()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not derived from it

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        self._asked = None
        try:
            self._engine.receive(data)
        except EngineClosed:
            self._finished = True
            self.retire()
        if not self._flush_due:
            self._schedule()
        self._settle()

    def eof_received(self) -> None:
        self.retire()

    def pause_writing(self) -> None:
        self._holding = True

    def resume_writing(self) -> None:
        self.start()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self.retire()
        self.greeted.set()
        self.over.set()
        self._lose_calls()
        self._owner.gone(self)
        self._settle()

    # What the engine calls.

    def settings(self, most_streams: int) -> None:
        if not self._retired:
            self.limit = min(most_streams, MOST_STREAMS)
        self.greeted.set()

    def headers(self, stream: int, fields: Fields, ended: bool) -> None:
        call = self.calls.get(stream)
        if call is not None:
            call.reply = fields
            if ended:
                self._answer(call)

    def data(self, stream: int, data: bytes, ended: bool) -> None:
        call = self.calls.get(stream)
        if call is None:
            return
        call.content += data
        if len(call.content) > MOST_BODY:
            self._refuse_answer(call)
        elif ended:
            self._answer(call)

    def closed(self, stream: int, code: int, refused: bool) -> None:
        call = self.calls.pop(stream, None)
        if call is None or call.future.done():
            return
        if refused:
            self._refused.append(call)
        else:
            call.fail(ConnectionLost(f"{self._origin} ended the exchange with HTTP/2 error {code}"))

    def going_away(self) -> None:
        self.retire()

    def finished(self) -> None:
        self._finished = True
        self.retire()

    # What follows from it.

    def _answer(self, call: Call) -> None:
        self.proven = True
        call.answer()

    def _refuse_answer(self, call: Call) -> None:
        call.content = b""
        call.fail(TransportError(f"{self._origin} answered with more than {MOST_BODY} bytes"))
        self.cancel(call)

    def _lose_calls(self) -> None:
        """Fail what is open; what was never written goes elsewhere."""
        calls, self.calls = self.calls, {}
        for stream, call in calls.items():
            if stream > self._written:
                self._refused.append(call)
            else:
                call.fail(ConnectionLost(f"{self._origin} closed the connection before it answered"))

    def _schedule(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Write all that gathered in this turn of the loop at once."""
        self._flush_due = False
        if self._holding or self._transport is None or self._transport.is_closing():
            return
        try:
            ready = self._engine.output()
        except EngineClosed:
            self.abort()
            return
        self._written = self._newest
        if ready:
            self._transport.write(ready)
        self._settle()

    def _settle(self) -> None:
        """After the engine spoke: end what is done, hand back what was refused, use what became free."""
        if self._finished or (self._retired and not self.calls):
            self._end()
        if self._refused:
            refused, self._refused = self._refused, []
            self._owner.resend(sorted(refused, key=lambda call: call.stream))
        self._owner.room()

    def _end(self) -> None:
        if self._flush_due and not (self._holding or self._lost):
            return  # last words first; the flush comes back here
        self._lose_calls()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()
