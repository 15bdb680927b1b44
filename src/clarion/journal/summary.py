"""What an operator sees of the journal: how much waits in each lane, and for how long already."""

from typing import NamedTuple, Protocol

import msgspec

from clarion.journal.port import Journal
from clarion.model.clock import Millis
from clarion.model.ids import time_of

MOST_COUNTED = 100_000
"""Records of one lane, and records looked through for parked ones: a look stays cheap with millions."""


class LaneSummary(NamedTuple):
    """One lane. `due` may be claimed now, `leased` is being worked on, the rest waits for its time.

    `oldest`: milliseconds since the trigger of the record that is next in line was accepted; None
    when the record doesn't tell.
    """

    lane: str
    records: int
    due: int
    leased: int
    oldest: Millis | None


class JournalSummary(NamedTuple):
    """Lanes that hold something, by name, and how many records are parked."""

    lanes: list[LaneSummary]
    parked: int


class SummarizedJournal(Journal, Protocol):
    """A journal that can tell how it stands."""

    async def summary(self) -> JournalSummary:
        """How it stands; numbers end at `MOST_COUNTED`."""
        ...


class _Trigger(msgspec.Struct):
    id: str


class _Send(msgspec.Struct):
    trigger_id: str


class _Origin(msgspec.Struct):
    """The triggers of a record, whichever stage it is for."""

    triggers: list[_Trigger] = []
    trigger_id: str | None = None
    sends: list[_Send] = []


def accepted_at(body: bytes) -> Millis | None:
    """When the first trigger of a record was accepted; None when the record doesn't tell."""
    try:
        origin = msgspec.msgpack.decode(body, type=_Origin)
        return time_of(_first(origin)) or None
    except (msgspec.DecodeError, ValueError):
        return None


def _first(origin: _Origin) -> str:
    if origin.triggers:
        return origin.triggers[0].id
    return origin.trigger_id or (origin.sends[0].trigger_id if origin.sends else "0")
