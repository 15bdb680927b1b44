"""What an operator sees of the journal: how much waits in each lane, and for how long already."""

from typing import NamedTuple, Protocol, runtime_checkable

import msgspec

from clarion.journal.port import Journal
from clarion.model.clock import Millis
from clarion.model.ids import time_of

MOST_COUNTED = 100_000
"""Records of one lane, and of those that are parked: a look stays cheap with millions."""


class LaneSummary(NamedTuple):
    """One lane. `due` may be claimed now, `leased` is being worked on, the rest waits for its time.

    `oldest`: milliseconds since the trigger of the record that is next in line was accepted. None is
    what the journal, or the record, doesn't tell.
    """

    lane: str
    records: int
    due: int | None = None
    leased: int | None = None
    oldest: Millis | None = None


class JournalSummary(NamedTuple):
    """Lanes that hold something, by name, and how many records are parked."""

    lanes: list[LaneSummary]
    parked: int


@runtime_checkable
class _Summarized(Protocol):
    """A journal that knows more of how it stands than the port asks for."""

    async def summary(self) -> JournalSummary:
        """How it stands; numbers end at `MOST_COUNTED`."""
        ...


async def summary_of(journal: Journal) -> JournalSummary:
    """How a journal stands, counted lane by lane where it can't tell by itself."""
    if isinstance(journal, _Summarized):
        return await journal.summary()
    lanes = [
        LaneSummary(lane, await journal.depth(lane, MOST_COUNTED)) for lane in sorted(await journal.lanes(""))
    ]
    return JournalSummary([lane for lane in lanes if lane.records], len(await journal.parked()))


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
        trigger_id = _first(msgspec.msgpack.decode(body, type=_Origin))
        return time_of(trigger_id) if trigger_id else None
    except (msgspec.DecodeError, ValueError):
        return None


def _first(origin: _Origin) -> str | None:
    if origin.triggers:
        return origin.triggers[0].id
    return origin.sends[0].trigger_id if origin.sends else origin.trigger_id
