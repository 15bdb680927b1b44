"""What an emulator took, in order, for those who look later and those who wait for what comes next."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Generic, NamedTuple, TypeVar

from clarion.model.clock import Millis

T = TypeVar("T")


class Attempt(NamedTuple):
    """A send request and its HTTP status: 0 when the connection or stream ended instead of an answer."""

    token: str
    status: int
    at: Millis


class Record(Generic[T]):
    """A list that can be waited on. Add and clear in the emulator's event loop; read from anywhere.

    `epoch` counts how often it was cleared.
    """

    def __init__(self) -> None:
        self.entries: list[T] = []
        self.epoch = 0
        self._read = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._listeners: list[Callable[[T], None]] = []

    def add(self, entry: T) -> None:
        self.entries.append(entry)
        for listener in self._listeners:
            listener(entry)
        if self._waiting:
            self._wake()

    def clear(self) -> None:
        """Forget everything; those who wait go on waiting."""
        self.entries.clear()
        self._read = 0
        self.epoch += 1

    def on_add(self, listener: Callable[[T], None]) -> None:
        """Call `listener` with every entry from now on."""
        self._listeners.append(listener)

    async def next(self, timeout: float) -> T:
        """The first entry that no earlier call returned; `TimeoutError` when none comes in `timeout` s."""
        await self._until(lambda: self._read < len(self.entries), timeout, "nothing more arrived")
        self._read += 1
        return self.entries[self._read - 1]

    async def reached(self, count: int, timeout: float) -> list[T]:
        """All entries, once there are `count`; `TimeoutError` when that takes longer than `timeout` s."""
        await self._until(lambda: len(self.entries) >= count, timeout, f"fewer than {count} arrived")
        return list(self.entries)

    async def follow(self) -> AsyncGenerator[T, None]:
        """Every entry there is and then every one that comes, without end."""
        position, epoch = 0, self.epoch
        while True:
            if epoch != self.epoch:
                position, epoch = 0, self.epoch
            if position < len(self.entries):
                position += 1
                yield self.entries[position - 1]
            else:
                await self._change()

    async def _until(self, true: Callable[[], bool], timeout: float, otherwise: str) -> None:
        try:
            async with asyncio.timeout(timeout):
                while not true():
                    await self._change()
        except TimeoutError:
            raise TimeoutError(f"{otherwise} within {timeout} s; there are {len(self.entries)}") from None

    async def _change(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)
