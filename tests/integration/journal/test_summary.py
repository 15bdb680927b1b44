"""What an operator sees of the journal in tables, on both databases."""

import msgspec
import pytest

from clarion.journal.port import Record, accepted_lane, deliver_lane
from clarion.journal.sql import SqlJournal
from clarion.journal.summary import JournalSummary, LaneSummary
from clarion.model.clock import SECOND, Millis
from clarion.model.ids import new_id
from clarion.model.trigger import Accepted
from clarion.store.database import Database
from pushing import NOW, HandClock, trigger

LANE = deliver_lane("i1")
ACCEPTED = accepted_lane("e1")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def journal(database: Database, clock: HandClock) -> SqlJournal:
    return SqlJournal(database, clock)


def accepted(at: Millis) -> Record:
    return Record(ACCEPTED, msgspec.msgpack.encode(Accepted([trigger("ada", id=new_id(at))])))


async def test_an_empty_journal_has_no_lanes(journal: SqlJournal) -> None:
    assert await journal.summary() == JournalSummary([], 0)


async def test_a_lane_tells_what_is_due_what_is_leased_and_how_old_it_is(
    journal: SqlJournal, clock: HandClock
) -> None:
    await journal.append([accepted(NOW), accepted(NOW + SECOND), accepted(NOW + 2 * SECOND)])
    await journal.append([Record(LANE, b"x", NOW + 60 * SECOND)])
    clock.now = NOW + 5 * SECOND
    await journal.claim(ACCEPTED, 2)
    assert await journal.summary() == JournalSummary(
        [LaneSummary(ACCEPTED, 3, 1, 2, 5 * SECOND), LaneSummary(LANE, 1, 0, 0, None)], 0
    )


async def test_what_is_parked_is_counted_and_in_no_lane(journal: SqlJournal) -> None:
    await journal.append([accepted(NOW)])
    (batch,) = await journal.claim(ACCEPTED, 1)
    await journal.park(batch, "ValueError: no")
    assert await journal.summary() == JournalSummary([], 1)


async def test_a_clock_that_is_behind_makes_no_age_below_zero(journal: SqlJournal, clock: HandClock) -> None:
    await journal.append([accepted(NOW + SECOND)])
    (lane,) = (await journal.summary()).lanes
    assert lane.oldest == 0
