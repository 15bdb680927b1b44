"""One transaction over HTTP, as anybody would ask for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec

from clarion.api.transactions import TransactionOut
from clarion.errors import ClarionError

T = TypeVar("T")

UNKNOWN_SECONDS = 5.0
"""How long a transaction may not be known yet."""

AWAY_SECONDS = 15.0
"""How long the API may be away in between: long enough for a restart."""

_PAUSE_SECONDS = 0.25
_TIMEOUT = aiohttp.ClientTimeout(total=10)


class WatchFailed(ClarionError):
    """The transaction can't be seen."""


class _Answered(msgspec.Struct):
    data: TransactionOut


class _Taken(msgspec.Struct):
    data: bool


class _Problem(msgspec.Struct):
    message: str = "no reason given"


class TransactionClient:
    """`url` is where the API listens. Calls raise `WatchFailed` with what to do next."""

    def __init__(self, session: aiohttp.ClientSession, url: str, transaction_id: str) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._id = transaction_id
        self._reached = False

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, key: str, transaction_id: str) -> AsyncIterator[Self]:
        """A client with the key."""
        headers = {"authorization": f"ApiKey {key}"}
        async with aiohttp.ClientSession(headers=headers, timeout=_TIMEOUT) as session:
            yield cls(session, url, transaction_id)

    async def look(self) -> TransactionOut:
        """How far it is."""
        return await self._transaction("GET", "")

    async def pause(self) -> TransactionOut:
        """Send nothing more of it."""
        return await self._transaction("POST", "/pause")

    async def resume(self) -> TransactionOut:
        """Let it go on."""
        return await self._transaction("POST", "/resume")

    async def cancel(self) -> bool:
        """Take back what has not gone out; whether there was anything."""
        path = f"/v1/events/trigger/{quote(self._id, safe='')}"
        return _decoded(await self._ask("DELETE", path), _Taken).data

    async def _transaction(self, method: str, tail: str) -> TransactionOut:
        path = f"/v1/transactions/{quote(self._id, safe='')}{tail}"
        return _decoded(await self._ask(method, path), _Answered).data

    async def _ask(self, method: str, path: str) -> bytes:
        """The body of a success, asked for again while a success may still come."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while True:
            try:
                status, body = await self._once(method, path)
            except (aiohttp.ClientError, TimeoutError) as error:
                if not self._reached or loop.time() - begun >= AWAY_SECONDS:
                    raise self._unreachable(error) from error
            else:
                if status < 400:
                    return body
                if loop.time() - begun >= _patience(status):
                    raise self._refused(status, body)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _once(self, method: str, path: str) -> tuple[int, bytes]:
        async with self._session.request(method, self._url + path) as answer:
            self._reached = True
            return answer.status, await answer.read()

    def _unreachable(self, error: Exception) -> WatchFailed:
        reason = str(error) or type(error).__name__
        return WatchFailed(f"Clarion can't be reached at {self._url} ({reason}): correct --url or start it")

    def _refused(self, status: int, body: bytes) -> WatchFailed:
        if status == 404:
            return WatchFailed(
                f"transaction {self._id} is not known at {self._url}: check the id, that the key is of its"
                " environment, and that a worker runs"
            )
        return WatchFailed(f"{self._url} answered {status}: {_reason(body)}")


def _patience(status: int) -> float:
    """Seconds that this answer is worth asking again."""
    if status == 404:
        return UNKNOWN_SECONDS
    return AWAY_SECONDS if status >= 500 else 0.0


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise WatchFailed(f"this is no answer of Clarion's ({error}): correct --url") from error


def _reason(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Problem).message
    except msgspec.DecodeError:
        return "not in Clarion's words; correct --url"
