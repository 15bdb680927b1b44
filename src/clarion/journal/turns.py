"""The turns of runs as journal records."""

from collections.abc import Sequence

import msgspec

from clarion.journal.port import Record, run_lane
from clarion.model.clock import Millis
from clarion.model.run import Turn, Turns

MOST_TURNS = 500
"""In one record."""


def turn_records(
    environment_id: str, turns: Sequence[Turn], *, bulk: bool = False, at: Millis = 0
) -> list[Record]:
    """Records by which runs of an environment take these turns at a time; `bulk`: they are of a broadcast."""
    lane = run_lane(environment_id, bulk=bulk)
    parts = (list(turns[start : start + MOST_TURNS]) for start in range(0, len(turns), MOST_TURNS))
    return [Record(lane, msgspec.msgpack.encode(Turns(environment_id, part)), at) for part in parts]
