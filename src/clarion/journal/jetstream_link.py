"""Talks to JetStream over one NATS connection; what is asked for outlasts an outage of a few seconds.

Protocol: https://docs.nats.io/reference/reference-protocols/nats_api_reference and, for atomic batches,
https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-50.md
"""

import asyncio
import base64
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from clarion.errors import ClarionError, TooLarge
from clarion.journal.port import JournalUnavailable

T = TypeVar("T")

ACK, NAK, TERM, PROGRESS = b"+ACK", b"-NAK", b"+TERM", b"+WPI"

MESSAGE_ID = "Nats-Msg-Id"
MOST_AT_ONCE = 1000
"""Messages of one atomic batch, the server's bound."""

STREAM_NOT_FOUND = 10059
_NO_MESSAGE = 10037
_DUPLICATE_IN_BATCH = 10201

_ANSWER_TIME = 2.0
_PULL_ANSWER_TIME = 1.0
_PAUSE = 0.1
_HEADER_ROOM = 4096
_NO_RESPONDERS = 503
_NOTHING_THERE = (404, 408)


class Refused(ClarionError):
    """JetStream answered with an error; `code` is its own where there is one, else like HTTP's."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"JetStream refused with {code}: {description}")
        self.code = code


class Gone(ClarionError):
    """Nobody answers for the consumer: it has no leader for the moment, or it is not there."""


class _Away(ClarionError):
    """The connection is being made again."""


_PASSING = (nats.errors.Error, Refused, Gone, _Away)


class Message(NamedTuple):
    """Something to publish; the id among its headers makes publishing it again harmless."""

    subject: str
    body: bytes
    headers: dict[str, str]


class Stored(NamedTuple):
    """A message as it lies in a stream."""

    sequence: int
    body: bytes
    headers: dict[str, str]


class Link:
    """Requests over one connection. `patience` is how many seconds a passing failure is tried again."""

    def __init__(self, client: Client, patience: float) -> None:
        self._client = client
        self._patience = patience

    @property
    def client(self) -> Client:
        """The connection."""
        return self._client

    async def insist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until it works; `JournalUnavailable` once patience ends, with what was in the way last."""
        last: Exception | None = None
        try:
            async with asyncio.timeout(self._patience):
                while True:
                    try:
                        return await attempt()
                    except _PASSING as error:
                        last = error
                    await asyncio.sleep(_PAUSE)
        except TimeoutError:
            raise JournalUnavailable(
                f"The NATS servers of the journal did not confirm in time ({last or 'no answer'}); try again"
            ) from last

    async def call(self, action: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """One request to JetStream's API; `Refused` with its error."""
        payload = msgspec.json.encode(body) if body is not None else b""
        return _answered(await self._request(f"$JS.API.{action}", payload))

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publish all or nothing, at most 1,000; returns when the servers have confirmed.

        Messages whose ids the server knows are there already, all of them: they came in one batch then too.
        """
        for message in messages:
            self._check_size(len(message.body))
        await self.insist(lambda: self._publish(messages))

    async def answer(self, reply: str, word: bytes) -> None:
        """Say what became of a delivered message, and wait until the server has noted it."""
        await self.insist(lambda: self._request(reply, word))

    async def pull(self, stream: str, consumer: str, most: int, seconds: float = 0) -> list[Msg]:
        """What is due, at most `most`; when nothing is, wait up to `seconds` for the first.

        `Gone` when nobody answers for the consumer, `Refused` when it gives out no more for now.
        """
        self._check_connected()
        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox)
        try:
            patience = {"expires": int(seconds * 1e9)} if seconds else {"no_wait": True}
            request = msgspec.json.encode({"batch": most, **patience})
            await self._client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}", request, reply=inbox)
            return await _collected(subscription, most, seconds + _PULL_ANSWER_TIME)
        finally:
            if not self._client.is_closed:
                await subscription.unsubscribe()

    async def scan(
        self, stream: str, subject: str, most: int, sequence: int = 0
    ) -> AsyncGenerator[Stored, None]:
        """The oldest messages of a subject behind `sequence`, as the stream's leader has them: one request
        each."""
        for _ in range(most):
            stored = await self._next(stream, {"seq": sequence + 1, "next_by_subj": subject})
            if stored is None:
                return
            sequence = stored.sequence
            yield stored

    async def get(self, stream: str, sequence: int) -> Stored | None:
        """One message of a stream."""
        return await self._next(stream, {"seq": sequence})

    async def first(self, stream: str, subject: str) -> Stored | None:
        """The oldest message of a subject."""
        return await self._next(stream, {"seq": 1, "next_by_subj": subject})

    async def _next(self, stream: str, which: Mapping[str, object]) -> Stored | None:
        async def ask() -> Stored | None:
            try:
                return _stored((await self.call(f"STREAM.MSG.GET.{stream}", which))["message"])
            except Refused as refused:
                if refused.code == _NO_MESSAGE:
                    return None
                raise

        return await self.insist(ask)

    async def _publish(self, messages: Sequence[Message]) -> None:
        batch = secrets.token_hex(8)
        marked = [_in_batch(message, batch, place) for place, message in enumerate(messages, 1)]
        *others, last = marked if len(messages) > 1 else messages
        commit = {"Nats-Batch-Commit": "1"} if others else {}
        self._check_connected()
        for message in others:
            await self._client.publish(message.subject, message.body, headers=message.headers)
        answer = await self._request(last.subject, last.body, {**last.headers, **commit})
        try:
            _answered(answer)
        except Refused as refused:
            if refused.code != _DUPLICATE_IN_BATCH:
                raise

    async def _request(self, subject: str, body: bytes, headers: dict[str, str] | None = None) -> Msg:
        self._check_connected()
        return await self._client.request(subject, body, timeout=_ANSWER_TIME, headers=headers)

    def _check_connected(self) -> None:
        """The client would keep what it is given for later, when the caller may have been told it failed."""
        if not self._client.is_connected:
            raise _Away("no server is connected")

    def _check_size(self, size: int) -> None:
        if size + _HEADER_ROOM > self._client.max_payload:
            raise TooLarge(
                f"A record of {size} bytes does not fit into a message of the NATS server:"
                f" raise its max_payload, now {self._client.max_payload}"
            )


def _in_batch(message: Message, batch: str, place: int) -> Message:
    headers = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(place)}
    return message._replace(headers={**message.headers, **headers})


def _answered(message: Msg) -> dict[str, Any]:
    answer: dict[str, Any] = msgspec.json.decode(message.data, type=dict[str, Any])
    error = answer.get("error")
    if error:
        raise Refused(
            error.get("err_code") or error.get("code", 0), error.get("description", "no reason given")
        )
    return answer


async def _collected(subscription: Subscription, most: int, seconds: float) -> list[Msg]:
    """Messages up to `most` or until the server says that there are no more."""
    found: list[Msg] = []
    while len(found) < most:
        try:
            message = await subscription.next_msg(seconds)
        except nats.errors.TimeoutError:
            if found:
                return found
            raise
        headers = message.headers or {}
        status = int(headers.get("Status", 0))
        if not status:
            found.append(message)
        elif found or status in _NOTHING_THERE:
            return found
        elif status == _NO_RESPONDERS:
            raise Gone("the consumer has no leader")
        else:
            raise Refused(status, headers.get("Description", "no reason given"))
    return found


def _stored(message: Mapping[str, Any]) -> Stored:
    lines = base64.b64decode(message.get("hdrs", "")).decode().split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip(): value.strip() for name, _, value in pairs}
    return Stored(message["seq"], base64.b64decode(message.get("data", "")), headers)
