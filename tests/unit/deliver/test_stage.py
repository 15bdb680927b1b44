import asyncio

import pytest

from clarion.deliver.stage import _Run
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


async def test_a_run_that_is_cancelled_leaves_the_commit_it_shares_with_others() -> None:
    outcomes = OneCommit()
    send = Send("m", "n", "t", "push", 1, 1, "phone", 0)
    delivery = Delivery("e", "i", NOW, [PushMessage("Title", "Body")], [send])
    run = _Run(delivery, None, Stopped(set(), set()), outcomes, lambda: NOW)
    await run.through([send], 1, urgent=True)
    waiting = asyncio.create_task(run.written())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()
    assert not outcomes.commit.done()
    outcomes.commit.set_exception(ValueError("not written"))
    with pytest.raises(ValueError, match="not written"):
        await run.written()
