"""How often each address may report by tracking links, in one process."""

from collections import OrderedDict
from typing import NamedTuple

from clarion.errors import TooManyRequests
from clarion.model.clock import SECOND, Millis

PER_SECOND = 10
MOST_AT_ONCE = 50
MOST_ADDRESSES = 10_000
"""Of the latest that are remembered."""


class _Left(NamedTuple):
    tokens: float
    at: Millis


class Reporters:
    """A token bucket for each address."""

    def __init__(self) -> None:
        self._left: OrderedDict[str, _Left] = OrderedDict()

    def admit(self, address: str, now: Millis) -> None:
        """Count a report; `TooManyRequests` beyond the limit."""
        tokens, at = self._left.pop(address, _Left(MOST_AT_ONCE, now))
        tokens = min(tokens + max(now - at, 0) * PER_SECOND / SECOND, MOST_AT_ONCE)
        self._left[address] = _Left(max(tokens - 1, 0), now)
        if len(self._left) > MOST_ADDRESSES:
            self._left.popitem(last=False)
        if tokens < 1:
            raise TooManyRequests(
                "Too many reports come from this address: try again in a second",
                headers={"Retry-After": "1"},
            )
