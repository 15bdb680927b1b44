"""Forgets what is too old, some at a time, for as long as a process runs."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 60.0


async def sweeping(what: str, some: Callable[[], Awaitable[bool]]) -> None:
    """Every minute until cancelled; `some` forgets a part of `what`, and says whether there may be more."""
    while True:
        try:
            while await some():
                pass
        except Exception as error:
            log.warning(f"old {what} not swept, trying again", error=f"{type(error).__name__}: {error}")
        await asyncio.sleep(_EVERY_SECONDS)
