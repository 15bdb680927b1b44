"""Reads a growing table whose numbers may become visible out of order: a number is given when a row is
written, and seen when its transaction ends."""

from collections.abc import Iterable
from typing import TypeVar

from clarion.model.clock import SECOND, Millis

T = TypeVar("T")

PATIENCE: Millis = 5 * SECOND
"""How long a number that was passed over is waited for; one whose transaction failed never comes."""


class Tail:
    """`floor` is the number up to which everything was seen or is not waited for any more."""

    def __init__(self, floor: int) -> None:
        self.floor = floor
        self._ahead: dict[int, Millis] = {}

    def unseen(self, numbers: Iterable[int], now: Millis) -> set[int]:
        """Those numbers, all above the floor, that were not there before. The floor rises to the first that
        is still missing."""
        new = {number for number in numbers if number > self.floor} - self._ahead.keys()
        self._ahead |= dict.fromkeys(new, now)
        for number in sorted(self._ahead):
            if number != self.floor + 1 and now - self._ahead[number] < PATIENCE:
                break
            del self._ahead[number]
            self.floor = number
        return new
