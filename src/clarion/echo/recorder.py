"""Writes outcomes in groups: what arrived while the last commit ran is the next one."""

import asyncio

from clarion.model.result import Result
from clarion.store import messages
from clarion.store.database import Database

MOST_WAITING = 5000
"""Outcomes not yet on disk; beyond it whoever brings more waits."""

_MOST_PER_COMMIT = 1000


class Recorder:
    """The only writer of outcomes in this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[Result] = []
        self._commit: asyncio.Future[None] | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._writer: asyncio.Task[None] | None = None

    async def put(self, result: Result) -> "asyncio.Future[None]":
        """Take an outcome; the future is done once it is on disk, and carries the error when it can't be."""
        while len(self._waiting) >= MOST_WAITING:  # of those that wake together, not all find room
            await self._room.wait()
        if self._commit is None:
            self._commit = asyncio.get_running_loop().create_future()
        self._waiting.append(result)
        if len(self._waiting) >= MOST_WAITING:
            self._room.clear()
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return self._commit

    async def _write(self) -> None:
        while self._waiting and (commit := self._commit) is not None:
            results, self._waiting, self._commit = self._waiting, [], None
            self._room.set()
            try:
                for start in range(0, len(results), _MOST_PER_COMMIT):
                    await self._database.write(messages.record, results[start : start + _MOST_PER_COMMIT])
            except Exception as error:
                commit.set_exception(error)
            else:
                commit.set_result(None)
        self._writer = None
