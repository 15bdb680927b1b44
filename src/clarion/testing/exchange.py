"""One exchange with an emulator as values: what came in, what goes out, what goes wrong on purpose."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qs

import msgspec
import structlog

from clarion.model.http import Headers

log = structlog.get_logger(__name__)

JSON = ("content-type", "application/json; charset=UTF-8")


class Request(msgspec.Struct, frozen=True):
    """`path` includes the query; header names are lower case; connections are numbered from 1."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection_id: int
    peer: str = ""
    """The common name of the certificate that the client showed."""

    @property
    def route(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The query's values; the last of a repeated name wins."""
        return {name: values[-1] for name, values in parse_qs(self.path.partition("?")[2]).items()}


class Reply(msgspec.Struct, frozen=True):
    """An answer. A body that is a generator is sent as it comes and ends the answer when it ends."""

    status: int
    headers: Headers = ()
    body: bytes | AsyncGenerator[bytes, None] = b""


class Reset(msgspec.Struct, frozen=True):
    """Abort the TCP connection, with everything in flight on it."""


class RefuseStream(msgspec.Struct, frozen=True):
    """HTTP/2: RST_STREAM with REFUSED_STREAM. HTTP/1.1: close without an answer."""


class GoAway(msgspec.Struct, frozen=True):
    """Answer with `then` and take no further requests on this connection.

    HTTP/2: a GOAWAY names the last stream taken; those taken are still answered.
    HTTP/1.1: `connection: close`.
    """

    then: Reply


class Delay(msgspec.Struct, frozen=True):
    """Wait, then go on with `then`."""

    seconds: float
    then: "Answer"


Settled: TypeAlias = Reply | Reset | RefuseStream | GoAway
Fault: TypeAlias = Delay | Reset | RefuseStream | GoAway
Answer: TypeAlias = Reply | Fault
Handler: TypeAlias = Callable[[Request], Awaitable[Answer]]


def json_reply(status: int, document: Any, *headers: tuple[str, str]) -> Reply:
    """An answer with a JSON body."""
    return Reply(status, (JSON, *headers), msgspec.json.encode(document))


def status_of(answer: Answer) -> int:
    """The HTTP status the peer sees in the end; 0 when it gets no answer."""
    if isinstance(answer, Delay | GoAway):
        return status_of(answer.then)
    return answer.status if isinstance(answer, Reply) else 0


async def settle(handle: Handler, request: Request) -> Settled:
    """The handler's answer after its delays; a handler that raises is logged and answers 500."""
    try:
        answer = await handle(request)
    except Exception:
        log.exception("emulator_handler_failed", method=request.method, route=request.route)
        answer = json_reply(500, {"error": "The emulator's handler raised; its log says where."})
    while isinstance(answer, Delay):
        await asyncio.sleep(answer.seconds)
        answer = answer.then
    return answer
