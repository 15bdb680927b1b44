"""Asynchronous work from where a loop may run already: in a thread with a loop of its own."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run_aside(work: Coroutine[Any, Any, T]) -> T:
    """What the work comes to, once it is done."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
