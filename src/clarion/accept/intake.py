"""Puts triggers on disk in groups: what arrived while the last group was written is the next one."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from clarion.accept.backlog import Backlog
from clarion.accept.once import Once, Repeatable, Replay, replayed, still_running
from clarion.errors import Overloaded, PayloadInvalid
from clarion.journal.port import Journal, Record, accepted_lane
from clarion.model.trigger import Trigger
from clarion.ops import instruments
from clarion.ops.tracing import nanos, on
from clarion.store.idempotency import Answer, Kept

MOST_WAITING = 20_000
"""Triggers not yet on disk; beyond it callers are asked to come back."""

MOST_BYTES = 512 * 1024
"""Size at which a record is closed; one trigger may be larger."""

_ATTEMPTS = 5

MOST_RECIPIENTS = 500
"""Named recipients at which a record is closed."""


class _Entry(NamedTuple):
    """A trigger of an environment, encoded once."""

    environment_id: str
    body: bytes
    recipients: int
    call: Repeatable | None = None
    answer: Answer | None = None


class Intake:
    """The way into the journal; closed while the backlog, where one is given, is over its limit."""

    def __init__(self, journal: Journal, once: Once, backlog: Backlog | None = None) -> None:
        self._journal = journal
        self._once = once
        self._backlog = backlog
        self._waiting: list[_Entry] = []
        self._running: set[tuple[str, str]] = set()
        self._commit: asyncio.Future[_Known] | None = None
        self._writer: asyncio.Task[None] | None = None

    async def put(self, triggers: Sequence[Trigger]) -> None:
        """Return once the triggers are on disk.

        `Overloaded` when too many wait already, `PayloadInvalid` for a number that can't be kept.
        """
        if triggers:
            self._check_room({trigger.environment_id for trigger in triggers})
            await self._enter(_entries(triggers))
            _note(triggers)

    async def put_once(self, trigger: Trigger, call: Repeatable, answer: Answer) -> Replay:
        """The same for a call that may be repeated: its answer is on disk in the same commit.

        See `Once.answered` for what comes of a repetition. Only where the journal is in the database.
        """
        self._check_room({trigger.environment_id})
        if call.name in self._running:
            raise still_running()
        (entry,) = _entries([trigger])
        self._running.add(call.name)
        known = await self._enter([entry._replace(call=call, answer=answer)])
        if call not in known:
            _note((trigger,))
        return Replay(replayed(call, known[call]), True) if call in known else Replay(answer, False)

    def _check_room(self, environment_ids: Iterable[str]) -> None:
        if self._backlog is not None:
            for environment_id in environment_ids:
                self._backlog.check(environment_id)
        if len(self._waiting) >= MOST_WAITING:
            raise Overloaded(
                "Too many triggers are being accepted at once; try again in a second",
                headers={"Retry-After": "1"},
            )

    async def _enter(self, entries: Sequence[_Entry]) -> "_Known":
        self._waiting.extend(entries)
        if self._commit is None:
            self._commit = asyncio.get_running_loop().create_future()
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return await asyncio.shield(self._commit)

    async def _write(self) -> None:
        while self._waiting and (commit := self._commit) is not None:
            entries, self._waiting, self._commit = self._waiting, [], None
            try:
                known = await self._append(entries)
            except Exception as error:
                commit.set_exception(error)
            else:
                commit.set_result(known)
            self._running.difference_update(call.name for call, _ in _repeatable(entries))
        self._writer = None

    async def _append(self, entries: Sequence[_Entry]) -> "_Known":
        """Put entries on disk but for those that are there already, and say which those are."""
        calls = _repeatable(entries)
        if not calls:
            await self._journal.append(_records(entries))
            return {}
        known: _Known = {}

        def write(connection: Connection) -> Sequence[Record]:
            known.clear()
            known.update(self._once.made_before(connection, calls))
            return _records([entry for entry in entries if entry.call not in known])

        for attempt in range(_ATTEMPTS):
            try:
                await self._journal.append_with(write)
                break
            except IntegrityError:  # another process was told the same in this moment: now it is known
                if attempt == _ATTEMPTS - 1:
                    raise
        return known


_Known = dict[Repeatable, Kept]


def _note(triggers: Sequence[Trigger]) -> None:
    """Count what is on disk, and begin its traces."""
    instruments.ACCEPTED.inc(len(triggers))
    tracing = on()
    if tracing:
        for trigger in triggers:
            told = {"clarion.environment": trigger.environment_id, "clarion.workflow": trigger.workflow_id}
            began = nanos(trigger.accepted_at)
            tracing.root(trigger.id, began, told | {"clarion.transaction": trigger.transaction_id})


def _repeatable(entries: Sequence[_Entry]) -> list[tuple[Repeatable, Answer]]:
    return [(entry.call, entry.answer) for entry in entries if entry.call and entry.answer]


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
