"""One transaction over HTTP, as anybody would ask for it."""

import asyncio
from typing import TypeVar
from urllib.parse import quote

import msgspec

from clarion.api.transactions import TransactionOut
from clarion.cli.caller import Answered, ApiCaller, CallFailed, Unreachable

T = TypeVar("T")

UNKNOWN_SECONDS = 5.0
"""How long a transaction may not be known yet."""

AWAY_SECONDS = 15.0
"""How long the API may be away in between: long enough for a restart."""

TIMEOUT_SECONDS = 10.0
"""How long one answer may take."""

_PAUSE_SECONDS = 0.25


class _Found(msgspec.Struct):
    data: TransactionOut


class _Taken(msgspec.Struct):
    data: bool


class TransactionClient:
    """Asks again while a success may still come. `CallFailed` says what to do next."""

    def __init__(self, api: ApiCaller, transaction_id: str) -> None:
        self._api = api
        self._id = transaction_id
        self._reached = False

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
        return _decoded(await self._ask(method, path), _Found).data

    async def _ask(self, method: str, path: str) -> bytes:
        """The body of a success."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while True:
            try:
                answered = await self._api.ask(method, path)
            except Unreachable:
                if not self._reached or loop.time() - begun >= AWAY_SECONDS:
                    raise
            else:
                self._reached = True
                if answered.status < 400:
                    return answered.body
                if loop.time() - begun >= _patience(answered.status):
                    raise self._refused(answered)
            await asyncio.sleep(_PAUSE_SECONDS)

    def _refused(self, answered: Answered) -> CallFailed:
        if answered.status == 404:
            return CallFailed(
                f"transaction {self._id} is not known at {self._api.url}: check the id, that the key is of"
                " its environment, and that a worker runs"
            )
        return self._api.refusal(answered)


def _patience(status: int) -> float:
    """Seconds that this answer is worth asking again."""
    if status == 404:
        return UNKNOWN_SECONDS
    return AWAY_SECONDS if status >= 500 else 0.0


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise CallFailed(f"this is no answer of Clarion's ({error}): correct --url") from error
