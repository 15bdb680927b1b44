"""Puts triggers on disk in groups: what arrived while the last group was written is the next one."""

import asyncio
from collections.abc import Iterator, Sequence

import msgspec

from clarion.errors import Overloaded
from clarion.journal.port import ACCEPTED_LANE, Journal, Record
from clarion.model.trigger import Trigger

MOST_WAITING = 20_000
"""Triggers not yet on disk; beyond it callers are asked to come back."""

MOST_BYTES = 512 * 1024
"""Size at which a record is closed; one trigger may be larger."""

MOST_RECIPIENTS = 500
"""Named recipients at which a record is closed."""


class Intake:
    """The way into the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: list[Trigger] = []
        self._commit: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None

    async def put(self, triggers: Sequence[Trigger]) -> None:
        """Return once the triggers are on disk; `Overloaded` when too many wait already."""
        if len(self._waiting) >= MOST_WAITING:
            raise Overloaded(
                "Too many triggers are being accepted at once; try again in a second",
                headers={"Retry-After": "1"},
            )
        self._waiting.extend(triggers)
        if self._commit is None:
            self._commit = asyncio.get_running_loop().create_future()
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        await asyncio.shield(self._commit)

    async def _write(self) -> None:
        while self._waiting and (commit := self._commit) is not None:
            triggers, self._waiting, self._commit = self._waiting, [], None
            try:
                await self._journal.append(list(_records(triggers)))
            except Exception as error:
                commit.set_exception(error)
            else:
                commit.set_result(None)
        self._writer = None


def _records(triggers: Sequence[Trigger]) -> Iterator[Record]:
    """Records of bounded size; each trigger is encoded once."""
    lot: list[msgspec.Raw] = []
    size = recipients = 0
    for trigger in triggers:
        body = msgspec.msgpack.encode(trigger)
        lot.append(msgspec.Raw(body))
        size += len(body)
        recipients += len(trigger.people)
        if size >= MOST_BYTES or recipients >= MOST_RECIPIENTS:
            yield _record(lot)
            lot, size, recipients = [], 0, 0
    if lot:
        yield _record(lot)


def _record(lot: Sequence[msgspec.Raw]) -> Record:
    return Record(ACCEPTED_LANE, msgspec.msgpack.encode({"triggers": lot}))
