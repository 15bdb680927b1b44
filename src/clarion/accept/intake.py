"""Puts triggers on disk in groups: what arrived while the last group was written is the next one."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from clarion.accept.backlog import Backlog
from clarion.errors import Overloaded, PayloadInvalid
from clarion.journal.port import Journal, Record, accepted_lane
from clarion.model.trigger import Trigger

MOST_WAITING = 20_000
"""Triggers not yet on disk; beyond it callers are asked to come back."""

MOST_BYTES = 512 * 1024
"""Size at which a record is closed; one trigger may be larger."""

MOST_RECIPIENTS = 500
"""Named recipients at which a record is closed."""


class _Entry(NamedTuple):
    """A trigger of an environment, encoded once."""

    environment_id: str
    body: bytes
    recipients: int


class Intake:
    """The way into the journal; closed while the backlog, where one is given, is over its limit."""

    def __init__(self, journal: Journal, backlog: Backlog | None = None) -> None:
        self._journal = journal
        self._backlog = backlog
        self._waiting: list[_Entry] = []
        self._commit: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None

    async def put(self, triggers: Sequence[Trigger]) -> None:
        """Return once the triggers are on disk.

        `Overloaded` when too many wait already, `PayloadInvalid` for a number that can't be kept.
        """
        if not triggers:
            return
        if self._backlog is not None:
            for environment_id in {trigger.environment_id for trigger in triggers}:
                self._backlog.check(environment_id)
        if len(self._waiting) >= MOST_WAITING:
            raise Overloaded(
                "Too many triggers are being accepted at once; try again in a second",
                headers={"Retry-After": "1"},
            )
        self._waiting.extend(_entries(triggers))
        if self._commit is None:
            self._commit = asyncio.get_running_loop().create_future()
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        await asyncio.shield(self._commit)

    async def _write(self) -> None:
        while self._waiting and (commit := self._commit) is not None:
            entries, self._waiting, self._commit = self._waiting, [], None
            try:
                await self._journal.append(_records(entries))
            except Exception as error:
                commit.set_exception(error)
            else:
                commit.set_result(None)
        self._writer = None


def _entries(triggers: Sequence[Trigger]) -> list[_Entry]:
    """Encoded while their caller listens: what can't be written is the trouble of that call alone."""
    try:
        return [
            _Entry(trigger.environment_id, msgspec.msgpack.encode(trigger), len(trigger.people))
            for trigger in triggers
        ]
    except OverflowError as error:
        raise PayloadInvalid(
            "The trigger holds a whole number of more than 64 bits; send it as a string"
        ) from error


def _records(entries: Sequence[_Entry]) -> list[Record]:
    """Records of bounded size, each of one environment."""
    by_environment: dict[str, list[_Entry]] = {}
    for entry in entries:
        by_environment.setdefault(entry.environment_id, []).append(entry)
    return [
        Record(accepted_lane(environment_id), body)
        for environment_id, own in by_environment.items()
        for body in _bodies(own)
    ]


def _bodies(entries: Sequence[_Entry]) -> Iterator[bytes]:
    lot: list[msgspec.Raw] = []
    size = recipients = 0
    for entry in entries:
        lot.append(msgspec.Raw(entry.body))
        size += len(entry.body)
        recipients += entry.recipients
        if size >= MOST_BYTES or recipients >= MOST_RECIPIENTS:
            yield msgspec.msgpack.encode({"triggers": lot})
            lot, size, recipients = [], 0, 0
    if lot:
        yield msgspec.msgpack.encode({"triggers": lot})
