"""Puts parked records back into their lanes, some at a time."""

import asyncio
from typing import NamedTuple

from clarion.journal.port import ALL_PARKED, MOST_PARKED, Journal, ParkedFilter

_AT_ONCE = 100
"""Their changes share a commit where the journal stands in a database."""


class Replayed(NamedTuple):
    """How many records went back, and the id behind which there may be more, None at the end."""

    number: int
    next: int | None


async def replay_some(
    journal: Journal, after: int = 0, most: int = MOST_PARKED, wanted: ParkedFilter = ALL_PARKED
) -> Replayed:
    """Replay up to so many records behind an id. Whoever goes on behind the answer's comes to an end, also
    where a record is parked again meanwhile."""
    found = await journal.parked(after, most, wanted)
    number = 0
    for start in range(0, len(found), _AT_ONCE):
        part = found[start : start + _AT_ONCE]
        number += sum(await asyncio.gather(*(journal.replay(one.id) for one in part)))
    return Replayed(number, found[-1].id if len(found) == most else None)
