import asyncio
from collections.abc import Sequence
from typing import Any, cast

import msgspec
import pytest

from clarion.accept import intake
from clarion.accept.intake import Intake
from clarion.accept.once import Once
from clarion.errors import Overloaded, PayloadInvalid
from clarion.journal.port import Journal, Record, accepted_lane
from clarion.model.trigger import Accepted, Trigger
from clarion.store.database import Database
from pushing import trigger

NOTHING_KEPT = Once(cast("Database", None), lambda: 0, 0)


class HeldJournal:
    """Appends when told to, or fails as told."""

    def __init__(self) -> None:
        self.appends: list[Sequence[Record]] = []
        self.failures: list[Exception] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def append(self, records: Sequence[Record]) -> None:
        self.appends.append(records)
        number = len(self.appends)
        await self.gate.wait()
        if number <= len(self.failures):
            raise self.failures[number - 1]

    @property
    def groups(self) -> list[list[str]]:
        """The triggers of each append."""
        return [[item.id for record in records for item in triggers_in(record)] for records in self.appends]


def triggers_in(record: Record) -> list[Trigger]:
    return msgspec.msgpack.decode(record.body, type=Accepted).triggers


@pytest.fixture
def journal() -> HeldJournal:
    return HeldJournal()


@pytest.fixture
def taken(journal: HeldJournal) -> Intake:
    return Intake(cast("Journal", journal), NOTHING_KEPT)


def numbered(number: int, **fields: Any) -> Trigger:
    return trigger(id=f"{number:032x}", **fields)


def ids(*numbers: int) -> list[str]:
    return [f"{number:032x}" for number in numbers]


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_was_put_stands_in_the_journal_as_it_was(journal: HeldJournal, taken: Intake) -> None:
    given = trigger("ada", payload={"text": "Hi", "n": [1, {"a": None}]}, overrides={"fcm": {"x": 1}})
    await taken.put((given,))
    ((record,),) = journal.appends
    assert record.lane == accepted_lane(given.environment_id)
    assert triggers_in(record) == [given]


async def test_what_arrives_during_an_append_is_the_next_group(journal: HeldJournal, taken: Intake) -> None:
    journal.gate.clear()
    puts = [asyncio.create_task(taken.put((numbered(1),)))]
    await settle()
    puts += [asyncio.create_task(taken.put((numbered(n),))) for n in (2, 3)]
    puts += [asyncio.create_task(taken.put((numbered(4), numbered(5))))]
    await settle()
    assert journal.groups == [ids(1)]
    assert not any(put.done() for put in puts)
    journal.gate.set()
    await asyncio.gather(*puts)
    assert journal.groups == [ids(1), ids(2, 3, 4, 5)]


async def test_each_environment_has_its_own_records(journal: HeldJournal, taken: Intake) -> None:
    journal.gate.clear()
    first = asyncio.create_task(taken.put((numbered(1),)))
    await settle()
    others = (
        numbered(2, environment_id="a"),
        numbered(3, environment_id="b"),
        numbered(4, environment_id="a"),
    )
    rest = [asyncio.create_task(taken.put((item,))) for item in others]
    await settle()
    journal.gate.set()
    await asyncio.gather(first, *rest)
    records = journal.appends[1]
    assert {record.lane: [item.id for item in triggers_in(record)] for record in records} == {
        accepted_lane("a"): ids(2, 4),
        accepted_lane("b"): ids(3),
    }


async def test_a_failed_append_reaches_everybody_of_its_group_and_nobody_else(
    journal: HeldJournal, taken: Intake
) -> None:
    journal.failures = [ValueError("disk full")]
    journal.gate.clear()
    first = [asyncio.create_task(taken.put((numbered(n),))) for n in (1, 2)]
    await settle()
    second = [asyncio.create_task(taken.put((numbered(n),))) for n in (3, 4)]
    await settle()
    journal.gate.set()
    answers = await asyncio.gather(*first, *second, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["disk full", "disk full", "None", "None"]
    await taken.put((numbered(5),))
    assert journal.groups == [ids(1, 2), ids(3, 4), ids(5)]


async def test_a_caller_that_gives_up_takes_nobody_with_it(journal: HeldJournal, taken: Intake) -> None:
    journal.gate.clear()
    gone, stays = (asyncio.create_task(taken.put((numbered(n),))) for n in (1, 2))
    await settle()
    gone.cancel()
    await settle()
    journal.gate.set()
    await stays
    assert journal.groups == [ids(1, 2)]


async def test_nothing_to_put_is_done_at_once(journal: HeldJournal, taken: Intake) -> None:
    async with asyncio.timeout(1):
        await taken.put(())
    await taken.put((numbered(1),))
    assert journal.groups == [ids(1)]


async def test_a_trigger_that_can_not_be_written_is_its_callers_trouble_alone(
    journal: HeldJournal, taken: Intake
) -> None:
    good = asyncio.create_task(taken.put((numbered(1),)))
    with pytest.raises(PayloadInvalid, match="64 bits"):
        await taken.put((numbered(2), numbered(3, payload={"n": 2**70})))
    await good
    assert journal.groups == [ids(1)]


async def test_a_record_is_closed_by_its_bytes(
    journal: HeldJournal, taken: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_BYTES", 10_000)
    await taken.put([numbered(n, payload={"text": "x" * 3000}) for n in range(7)] + [numbered(7)])
    (records,) = journal.appends
    assert [[int(item.id, 16) for item in triggers_in(record)] for record in records] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
    ]
    assert all(len(record.body) < 10_000 + 3_500 for record in records)


async def test_a_record_is_closed_by_its_recipients(journal: HeldJournal, taken: Intake) -> None:
    crowds = [trigger(*(f"p{n}" for n in range(200))) for _ in range(4)]
    await taken.put(crowds)
    (records,) = journal.appends
    assert [len(triggers_in(record)) for record in records] == [3, 1]


async def test_who_comes_when_too_many_wait_is_asked_to_come_back(
    journal: HeldJournal, taken: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_WAITING", 2)
    journal.gate.clear()
    puts = [asyncio.create_task(taken.put((numbered(1),)))]
    await settle()
    puts.append(asyncio.create_task(taken.put((numbered(2), numbered(3)))))
    await settle()
    with pytest.raises(Overloaded) as refused:
        await taken.put((numbered(4),))
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "1"})
    journal.gate.set()
    await asyncio.gather(*puts)
    await taken.put((numbered(5),))
    assert journal.groups == [ids(1), ids(2, 3), ids(5)]
