import asyncio
from typing import Any

import pytest

from clarion.deliver import stage
from clarion.deliver.parcels import Item
from clarion.deliver.stage import DeliverStage, _Run
from clarion.errors import DatabaseUnavailable
from clarion.model.ids import new_id
from clarion.model.push import Delivery, PushMessage, Send
from clarion.model.result import Result
from clarion.store.triggers import Stopped
from pushing import NOW


class OneCommit:
    """Every outcome shares one commit."""

    def __init__(self) -> None:
        self.commit: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def put(self, result: Result) -> "asyncio.Future[None]":
        return self.commit


class AwayAtFirst:
    """Can't be reached once; then a trigger is cancelled."""

    def __init__(self) -> None:
        self.reads = 0

    async def read(self, *_: object) -> Stopped:
        self.reads += 1
        if self.reads == 1:
            raise DatabaseUnavailable("away")
        return Stopped({"t"}, set())


def run_of(outcomes: Any, *sends: Send) -> _Run:
    delivery = Delivery("e", "i", NOW, [PushMessage("Title", "Body")], list(sends))
    items = [Item(delivery, send, delivery.contents[0]) for send in sends]
    return _Run(delivery, items, None, Stopped(set(), set()), outcomes, lambda: NOW)


async def test_a_cancellation_is_seen_after_the_database_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "_LOOK_SECONDS", 0)
    nothing: Any = None
    database: Any = AwayAtFirst()
    deliver = DeliverStage(database, nothing, nothing, nothing, nothing, nothing)
    run = run_of(nothing)
    async with asyncio.timeout(1), deliver._watched(run):
        while not run.stopped.cancelled:
            await asyncio.sleep(0)
    assert database.reads >= 2


async def test_a_run_that_is_cancelled_leaves_the_commit_it_shares_with_others() -> None:
    outcomes = OneCommit()
    send = Send("m", "n", new_id(NOW), "push", 1, 1, "phone", 0)
    run = run_of(outcomes, send)
    await run.through(1, urgent=True)
    waiting = asyncio.create_task(run.written())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()
    assert not outcomes.commit.done()
    outcomes.commit.set_exception(ValueError("not written"))
    with pytest.raises(ValueError, match="not written"):
        await run.written()
