import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from clarion.echo import recorder
from clarion.echo.recorder import Recorder
from clarion.errors import DatabaseUnavailable
from clarion.journal.outbox import Outbox
from clarion.journal.sql import SqlJournal
from clarion.model.outcome import MessageStatus, Outcome, Verdict
from clarion.model.push import Send
from clarion.model.result import Result
from clarion.store.catalog import Catalog
from clarion.store.database import Database
from pushing import NOW


class HeldDatabase:
    """Writes when told to, or fails as told; keeps which results came together."""

    def __init__(self) -> None:
        self.writes: list[list[int]] = []
        self.failures: list[Exception | None] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def write(self, change: Callable[..., Any], results: Sequence[Result], outbox: Outbox) -> None:
        assert change is recorder._record
        self.writes.append([int(result.send.message_id) for result in results])
        number = len(self.writes)
        await self.gate.wait()
        error = self.failures[number - 1] if number <= len(self.failures) else None
        if error:
            raise error


def result(number: int) -> Result:
    send = Send(str(number), "n", "t", "push", 1, 1, "phone", 0)
    return Result("e", "i", send, "Title", "Body", MessageStatus.DELIVERED, Verdict(Outcome.ACCEPTED), NOW)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def database() -> HeldDatabase:
    return HeldDatabase()


@pytest.fixture
def taken(database: HeldDatabase) -> Recorder:
    return Recorder(cast("Database", database), Outbox(cast("SqlJournal", None), cast("Catalog", None)))


async def test_what_arrives_during_a_commit_is_the_next_one(database: HeldDatabase, taken: Recorder) -> None:
    database.gate.clear()
    first = await taken.put(result(1))
    await settle()
    rest = [await taken.put(result(n)) for n in (2, 3, 4)]
    await settle()
    assert database.writes == [[1]]
    assert not first.done()
    database.gate.set()
    await asyncio.gather(first, *rest)
    assert database.writes == [[1], [2, 3, 4]]


async def test_a_large_group_is_cut_and_done_when_its_last_part_is(
    database: HeldDatabase, taken: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "_MOST_PER_COMMIT", 2)
    commits = [await taken.put(result(n)) for n in range(5)]
    database.gate.clear()
    await settle()
    assert not any(commit.done() for commit in commits)
    database.gate.set()
    await asyncio.gather(*commits)
    assert database.writes == [[0, 1], [2, 3], [4]]


async def test_a_failed_commit_reaches_everybody_of_its_group_and_nobody_else(
    database: HeldDatabase, taken: Recorder
) -> None:
    database.failures = [ValueError("disk full")]
    database.gate.clear()
    first = [await taken.put(result(n)) for n in (1, 2)]
    await settle()
    second = [await taken.put(result(n)) for n in (3, 4)]
    database.gate.set()
    answers = await asyncio.gather(*first, *second, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["disk full", "disk full", "None", "None"]
    await (await taken.put(result(5)))
    assert database.writes == [[1, 2], [3, 4], [5]]


async def test_who_brings_more_than_can_wait_waits(
    database: HeldDatabase, taken: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "MOST_WAITING", 3)
    database.gate.clear()
    await taken.put(result(0))
    await settle()
    for number in (1, 2, 3):
        await taken.put(result(number))
    late = [asyncio.create_task(taken.put(result(number))) for number in range(4, 12)]
    await settle()
    assert not any(task.done() for task in late)
    database.gate.set()
    async with asyncio.timeout(1):
        for task in late:
            await (await task)
    assert max(len(group) for group in database.writes) == 3
    assert sorted(number for group in database.writes for number in group) == list(range(12))


async def test_room_is_made_after_a_failed_commit_too(
    database: HeldDatabase, taken: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "MOST_WAITING", 1)
    database.failures = [ValueError("disk full")]
    failed = await taken.put(result(1))
    async with asyncio.timeout(1):
        await (await taken.put(result(2)))
    assert isinstance(failed.exception(), ValueError)


async def test_while_the_database_is_away_outcomes_are_kept_and_no_more_are_taken(
    database: HeldDatabase, taken: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "_BREATH_SECONDS", 0)
    database.failures = [DatabaseUnavailable("away"), DatabaseUnavailable("away")]
    sent = await taken.put(result(1))
    while len(database.writes) < 2:
        await asyncio.sleep(0)
    database.gate.clear()
    more = asyncio.create_task(taken.put(result(2)))
    await settle()
    assert not more.done()
    assert not sent.done()
    database.gate.set()
    async with asyncio.timeout(1):
        await sent
        await (await more)
    assert database.writes == [[1], [1], [1], [2]]
