"""What the emulators of providers have in common."""

from collections import Counter
from typing import Generic, TypeVar

from clarion.model.clock import Clock
from clarion.testing.exchange import Answer, status_of
from clarion.testing.faults import Faults
from clarion.testing.record import Attempt, Record

T = TypeVar("T")


class Emulator(Generic[T]):
    """Keeps what it took and what it was asked, and goes wrong where a token says so."""

    def __init__(self, faults: Faults, clock: Clock) -> None:
        self.record: Record[T] = Record()
        self.attempts: list[Attempt] = []
        self.requests_by_token: Counter[str] = Counter()
        self._faults = faults
        self._clock = clock

    @property
    def messages(self) -> list[T]:
        """What was accepted, in order, once for each token that has an answer of its own. The list grows
        while you look at it."""
        return self.record.entries

    async def next_message(self, timeout: float = 5.0) -> T:
        """The first of them no earlier call returned; `TimeoutError` when none comes in `timeout` s."""
        return await self.record.next(timeout)

    def reset(self) -> None:
        """Forget messages, attempts and used-up faults; credentials and registrations stay."""
        self.record.clear()
        self.attempts.clear()
        self.requests_by_token.clear()
        self._faults.clear()

    def _note(self, token: str, answer: Answer) -> None:
        """A request was answered."""
        self.requests_by_token[token] += 1
        self.attempts.append(Attempt(token, status_of(answer), self._clock()))
