"""The end of a verb that a person watches."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from clarion.cli.running import stop_signal


async def until_stopped(work: Coroutine[Any, Any, None]) -> bool:
    """Run until done or asked to stop, whatever point it is at; says whether it was asked."""
    working, asked = asyncio.create_task(work), asyncio.create_task(stop_signal())
    try:
        await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped = not working.done()
        asked.cancel()
        working.cancel()
        outcomes = await asyncio.gather(working, asked, return_exceptions=True)
    _raise_unless_cancelled(outcomes[0])
    return stopped


def _raise_unless_cancelled(outcome: object) -> None:
    if isinstance(outcome, BaseException) and not isinstance(outcome, asyncio.CancelledError):
        raise outcome
