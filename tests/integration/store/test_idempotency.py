"""Answers under keys, on either database."""

from clarion.model.clock import DAY, SECOND
from clarion.store import idempotency
from clarion.store.database import Database
from clarion.store.idempotency import ABANDONED, Answer, Kept, Keyed

NOW = 10 * DAY
SINCE = NOW - DAY
ANSWER = Answer(201, b'{"data":1}')


async def claimed(
    database: Database, key: str, mark: str, now: int = NOW, since: int = SINCE, environment_id: str = "e"
) -> Kept | None:
    found = await database.write(idempotency.claim, environment_id, [Keyed(key, mark)], now, since)
    return found.get(key)


async def test_a_call_is_claimed_once_and_keeps_its_answer(database: Database) -> None:
    assert await claimed(database, "k", "m") is None
    assert await claimed(database, "k", "other") == Kept("m", None)
    assert await claimed(database, "k", "m", environment_id="f") is None
    await database.write(idempotency.keep, "e", "k", ANSWER)
    assert await claimed(database, "k", "m") == Kept("m", ANSWER)
    await database.write(idempotency.release, "e", "k")
    assert await claimed(database, "k", "m") is None


async def test_many_are_claimed_with_their_answers(database: Database) -> None:
    await claimed(database, "k1", "m1")
    calls = [Keyed(f"k{n}", f"n{n}", ANSWER) for n in range(4)]
    assert await database.write(idempotency.claim, "e", calls, NOW, SINCE) == {"k1": Kept("m1", None)}
    found = await database.write(idempotency.claim, "e", calls, NOW, SINCE)
    assert found == {f"k{n}": Kept(f"n{n}", ANSWER) for n in (0, 2, 3)} | {"k1": Kept("m1", None)}


async def test_what_is_old_or_abandoned_holds_no_more(database: Database) -> None:
    begun = NOW - ABANDONED
    for key, at in (("old", SINCE), ("abandoned", begun), ("running", begun + SECOND)):
        await claimed(database, key, "m", at, at - DAY)
    await database.write(idempotency.keep, "e", "old", ANSWER)
    found = [await claimed(database, key, "m") for key in ("old", "abandoned")]
    assert found == [None, None]
    assert await claimed(database, "running", "m") == Kept("m", None)


async def test_old_answers_are_swept(database: Database) -> None:
    calls = [Keyed(f"k{n}", "m", ANSWER) for n in range(5001)]
    await database.write(idempotency.claim, "e", calls, SINCE, SINCE - DAY)
    await database.write(idempotency.claim, "e", [Keyed("new", "m", ANSWER)], NOW, SINCE)
    assert await database.write(idempotency.sweep, SINCE)
    assert not await database.write(idempotency.sweep, SINCE)
    assert await claimed(database, "new", "m") == Kept("m", ANSWER)
    assert await claimed(database, "k7", "m") is None
