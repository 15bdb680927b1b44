import asyncio
from collections.abc import Sequence
from typing import cast

import pytest
from structlog.testing import capture_logs

from clarion.accept import backlog as module
from clarion.accept.backlog import Backlog
from clarion.accept.intake import Intake
from clarion.accept.once import Once
from clarion.errors import Overloaded
from clarion.journal.port import Journal, JournalUnavailable, Record, accepted_lane
from clarion.store.database import Database
from pushing import trigger

LIMIT = 3
HERE = trigger().environment_id

NOTHING_KEPT = Once(cast("Database", None), lambda: 0, 0)


class CountedJournal:
    """A lane that holds as many records as it is told, and can't be counted while `broken`."""

    def __init__(self, records: int = 0) -> None:
        self.records = records
        self.broken = False
        self.asked: list[tuple[str, int]] = []
        self.appended: list[Record] = []

    async def lanes(self, prefix: str) -> set[str]:
        return {accepted_lane(HERE)}

    async def depth(self, lane: str, most: int) -> int:
        self.asked.append((lane, most))
        if self.broken:
            raise JournalUnavailable("away")
        return min(self.records, most)

    async def append(self, records: Sequence[Record]) -> None:
        self.appended += records


def backlog_of(journal: CountedJournal) -> Backlog:
    return Backlog(cast("Journal", journal), LIMIT)


async def test_as_many_as_may_wait_are_fine() -> None:
    journal = CountedJournal(LIMIT)
    backlog = backlog_of(journal)
    await backlog.look()
    backlog.check(HERE)
    assert journal.asked == [(accepted_lane(HERE), LIMIT + 1)]


async def test_one_more_is_refused_until_there_are_fewer() -> None:
    journal = CountedJournal(LIMIT + 1)
    backlog = backlog_of(journal)
    backlog.check(HERE)
    await backlog.look()
    with pytest.raises(Overloaded) as refused:
        backlog.check(HERE)
    backlog.check("another")
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "1"})
    assert "More than 3 records" in refused.value.message
    journal.records = LIMIT
    await backlog.look()
    backlog.check(HERE)


async def test_each_turn_is_logged_once() -> None:
    journal = CountedJournal()
    backlog = backlog_of(journal)
    with capture_logs() as logs:
        for journal.records in (0, 9, 9, 0, 0):
            await backlog.look()
    assert [entry["log_level"] for entry in logs] == ["warning", "info"]


async def test_a_closed_way_in_takes_nothing() -> None:
    journal = CountedJournal(LIMIT + 1)
    backlog = backlog_of(journal)
    await backlog.look()
    intake = Intake(cast("Journal", journal), NOTHING_KEPT, backlog)
    with pytest.raises(Overloaded):
        await intake.put((trigger("ada"),))
    assert journal.appended == []
    journal.records = 0
    await backlog.look()
    await intake.put((trigger("ada"),))
    assert len(journal.appended) == 1


async def test_what_cannot_be_counted_stays_as_it_was_and_is_told_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0)
    journal = CountedJournal(LIMIT + 1)
    backlog = backlog_of(journal)
    with capture_logs() as logs:
        watching = asyncio.create_task(backlog.watch())
        await _looked(journal, 2)
        journal.broken = True
        await _looked(journal, 3)
        assert backlog.over
        journal.records, journal.broken = 0, False
        await _looked(journal, 2)
        backlog.check(HERE)
        watching.cancel()
    assert [entry["event"] for entry in logs] == [
        "backlog over its limit, triggers are refused",
        "backlog can't be counted, trying again",
        "backlog within its limit, triggers are accepted again",
    ]


async def _looked(journal: CountedJournal, times: int) -> None:
    """Until it was counted so often again, and that was taken in."""
    goal = len(journal.asked) + times
    async with asyncio.timeout(5):
        while len(journal.asked) < goal:
            await asyncio.sleep(0)
