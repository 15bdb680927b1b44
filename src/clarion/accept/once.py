"""Calls under an idempotency key: made once, and answered the same way however often they are repeated."""

from collections.abc import Awaitable, Callable, Iterable
from hashlib import blake2b
from typing import NamedTuple

import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from clarion.errors import BadInput, Conflict, Unprocessable
from clarion.model.clock import SECOND, Clock, Millis
from clarion.store import idempotency
from clarion.store.database import Database
from clarion.store.idempotency import Answer, Kept, Keyed
from clarion.store.sweeping import sweeping

log = structlog.get_logger(__name__)

LONGEST_KEY = 255
_TOO_MANY = 429
SERVER_ERROR = 500


class Repeatable(NamedTuple):
    """A call that its caller may repeat: the key, and a mark of what was asked."""

    environment_id: str
    key: str
    mark: str

    @property
    def name(self) -> tuple[str, str]:
        """What it is told from others by."""
        return self.environment_id, self.key


class Replay(NamedTuple):
    """An answer, and whether it is that of an earlier call."""

    answer: Answer
    repeated: bool


def mark_of(method: str, path: str, body: bytes) -> str:
    """What tells one call from another under the same key."""
    return blake2b(b"\0".join((method.encode(), path.encode(), body)), digest_size=16).hexdigest()


class Once:
    """Keeps answers for `window` ms; 0 keeps none."""

    def __init__(self, database: Database, clock: Clock, window: Millis) -> None:
        self._database = database
        self._clock = clock
        self.window = window

    def repeatable(self, environment_id: str, key: str | None, mark: Callable[[], str]) -> Repeatable | None:
        """The call as one that may be repeated, None without a key; `BadInput` for a key that is too long."""
        if not key or not self.window:
            return None
        if len(key) > LONGEST_KEY:
            raise BadInput(f"The idempotency key is longer than {LONGEST_KEY} characters: send a shorter one")
        return Repeatable(environment_id, key, mark())

    async def answered(self, call: Repeatable, work: Callable[[], Awaitable[Answer]]) -> Replay:
        """The answer of the first call, which is made by `work` when it is this one.

        What failed on our side, or came too often, is not kept. `Conflict` while the first call is running,
        `Unprocessable` when the key was used for another.
        """
        kept = await self._claimed(call)
        if kept is not None:
            return Replay(replayed(call, kept), True)
        try:
            answer = await work()
        except Exception:
            await self._release(call)
            raise
        if answer.status == _TOO_MANY or answer.status >= SERVER_ERROR:
            await self._release(call)
        else:
            await self._keep(call, answer)
        return Replay(answer, False)

    def made_before(
        self, connection: Connection, calls: Iterable[tuple[Repeatable, Answer]]
    ) -> dict[Repeatable, Kept]:
        """Begin and end calls in a transaction of the caller's; what holds for those made before."""
        by_environment: dict[str, list[tuple[Repeatable, Answer]]] = {}
        for call, answer in calls:
            by_environment.setdefault(call.environment_id, []).append((call, answer))
        now, since = self._clock(), self._since()
        found: dict[Repeatable, Kept] = {}
        for environment_id, own in by_environment.items():
            keyed = [Keyed(call.key, call.mark, answer) for call, answer in own]
            kept = idempotency.claim(connection, environment_id, keyed, now, since)
            found |= {call: kept[call.key] for call, _ in own if call.key in kept}
        return found

    async def sweep(self) -> None:
        """Forget what is older than the window, every minute until cancelled."""
        await sweeping("answers", lambda: self._database.write(idempotency.sweep, self._since()))

    def _since(self) -> Millis:
        return self._clock() - self.window

    async def _claimed(self, call: Repeatable) -> Kept | None:
        own = [Keyed(call.key, call.mark)]
        times = (self._clock(), self._since())
        try:
            found = await self._database.write(idempotency.claim, call.environment_id, own, *times)
            return found.get(call.key)
        except IntegrityError:  # another process began the same call in this moment
            raise still_running() from None

    async def _release(self, call: Repeatable) -> None:
        await self._database.write(idempotency.release, call.environment_id, call.key)

    async def _keep(self, call: Repeatable, answer: Answer) -> None:
        await self._database.write(idempotency.keep, call.environment_id, call.key, answer)


def replayed(call: Repeatable, kept: Kept) -> Answer:
    """What a repeated call is answered with."""
    if kept.mark != call.mark:
        raise Unprocessable(
            "This idempotency key was used for a call with another body or path: use a new key for a new call"
        )
    if kept.answer is None:
        raise still_running()
    return kept.answer


def still_running() -> Conflict:
    """What a repeated call is told while the first one runs."""
    return Conflict(
        "The first call under this idempotency key is still running; try again in a second",
        headers={"Retry-After": str(SECOND // 1000)},
    )
