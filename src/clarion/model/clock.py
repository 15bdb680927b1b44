"""Time as a value: milliseconds since 1970 in UTC, handed in by whoever calls."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

Millis = int
Clock = Callable[[], Millis]

SECOND: Millis = 1000
MINUTE: Millis = 60 * SECOND
HOUR: Millis = 60 * MINUTE
DAY: Millis = 24 * HOUR


def system_clock() -> Millis:
    """The machine's wall clock."""
    return time.time_ns() // 1_000_000


def iso(at: Millis) -> str:
    """ISO 8601 in UTC with milliseconds, the form of every date on the wire."""
    return f"{_second(at // SECOND)}.{at % SECOND:03d}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    """Writing it is most of a date's cost, and the dates of a page share their seconds."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
