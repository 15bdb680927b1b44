import asyncio
import os
import signal

import pytest

from clarion.cli.stopping import until_stopped


async def test_work_that_ends_was_not_stopped() -> None:
    async def work() -> None:
        await asyncio.sleep(0)

    assert await until_stopped(work()) is False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_work_in_order(number: signal.Signals) -> None:
    cleaned = []

    async def work() -> None:
        try:
            asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    assert await until_stopped(work()) is True
    assert cleaned


async def test_an_error_of_the_work_comes_out() -> None:
    async def work() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await until_stopped(work())
