"""Writes outcomes in groups: what arrived while the last commit ran is the next one."""

import asyncio
from collections.abc import Sequence

import structlog
from sqlalchemy.engine import Connection

from clarion.errors import DatabaseUnavailable
from clarion.journal.outbox import Outbox
from clarion.model.outcome import MessageStatus
from clarion.model.result import Result
from clarion.model.webhook import DEVICE_RETIRED, MESSAGE_FAILED, MESSAGE_SENT, Event, about
from clarion.store import devices, messages
from clarion.store.database import Database

log = structlog.get_logger(__name__)

MOST_WAITING = 5000
"""Outcomes not yet on disk; beyond it whoever brings more waits."""

_MOST_PER_COMMIT = 1000
_BREATH_SECONDS = 0.25


class Recorder:
    """The only writer of outcomes in this process."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox
        self._waiting: list[Result] = []
        self._commit: asyncio.Future[None] | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._held_up = False
        self._writer: asyncio.Task[None] | None = None

    async def put(self, result: Result) -> "asyncio.Future[None]":
        """Take an outcome; the future is done once it is on disk, and carries the error when it can't be.

        While the database is away nothing more is taken, so that little is sent whose outcome isn't on disk.
        """
        while self._full():  # of those that wake together, not all find room
            await self._room.wait()
        if self._commit is None:
            self._commit = asyncio.get_running_loop().create_future()
        self._waiting.append(result)
        if self._full():
            self._room.clear()
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return self._commit

    def _full(self) -> bool:
        return self._held_up or len(self._waiting) >= MOST_WAITING

    async def _write(self) -> None:
        while self._waiting and (commit := self._commit) is not None:
            results, self._waiting, self._commit = self._waiting, [], None
            self._room.set()
            try:
                for start in range(0, len(results), _MOST_PER_COMMIT):
                    await self._record(results[start : start + _MOST_PER_COMMIT])
            except Exception as error:
                commit.set_exception(error)
            else:
                commit.set_result(None)
        self._writer = None

    async def _record(self, results: Sequence[Result]) -> None:
        """Write, again and again while the database is away: what was sent can't be unsent."""
        while True:
            try:
                await self._database.write(_record, results, self._outbox)
                self._outbox.ring()
                break
            except DatabaseUnavailable as error:
                log.warning("outcomes not written, trying again", outcomes=len(results), error=error.message)
                self._held_up = True
                self._room.clear()
                await asyncio.sleep(_BREATH_SECONDS)
        if self._held_up:
            self._held_up = False
            self._room.set()


def _record(connection: Connection, results: Sequence[Result], outbox: Outbox) -> None:
    """Write outcomes, and tell whoever hears of them."""
    messages.record(connection, results)
    _wake(connection, results, outbox)
    for environment_id in {result.environment_id for result in results}:
        if outbox.listens(environment_id):
            theirs = [result for result in results if result.environment_id == environment_id]
            outbox.put(connection, environment_id, _events(connection, environment_id, theirs))


def _wake(connection: Connection, results: Sequence[Result], outbox: Outbox) -> None:
    """Wake the runs that wait for these outcomes. A run has the id of its notification."""
    awaited: dict[str, dict[str, None]] = {}
    for result in results:
        if result.send.awaited and result.status is not MessageStatus.PENDING:
            awaited.setdefault(result.environment_id, {})[result.send.notification_id] = None
    for environment_id, run_ids in awaited.items():
        outbox.wake(connection, environment_id, list(run_ids))


def _events(connection: Connection, environment_id: str, results: Sequence[Result]) -> list[Event]:
    """What the results say for the first time: a final outcome that stood before was told then."""
    final = {result.send.message_id: result for result in results if result.status in _TOLD}
    written = {found.id: found for found in messages.settled(connection, environment_id, final)}
    died = [result.send.device_id for result in final.values() if result.token_died]
    retired = devices.retired_at(connection, died)
    events: list[Event] = []
    for message_id, result in final.items():
        found = written.get(message_id)
        if found is None or (found.status, found.at) != (result.status, result.at):
            continue
        events.append(about(_TOLD[result.status], message_id, result.at))
        if result.token_died and retired.get(result.send.device_id) == result.at:
            events.append(about(DEVICE_RETIRED, message_id, result.at))
    return events


_TOLD = {MessageStatus.DELIVERED: MESSAGE_SENT, MessageStatus.FAILED: MESSAGE_FAILED}
