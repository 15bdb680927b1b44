"""How fast a transaction goes now, and how long it still takes at that."""

from collections import deque

from clarion.api.transactions import TransactionOut

_WINDOW_SECONDS = 5.0


class Pace:
    """Made of looks at a transaction; the API's own rate is the average since it was accepted."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int]] = deque()
        self._left: float | None = None

    def note(self, at: float, seen: TransactionOut) -> None:
        """Take a look, at a moment in seconds of any clock that only goes forward."""
        self._looks.append((at, settled(seen)))
        while len(self._looks) > 2 and at - self._looks[1][0] >= _WINDOW_SECONDS:
            self._looks.popleft()
        self._left = left(seen)

    @property
    def rate(self) -> float:
        """Messages a second over the last five seconds; 0 before the second look."""
        (began, before), (ended, after) = self._looks[0], self._looks[-1]
        return (after - before) / (ended - began) if ended > began else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Until what is left has gone out at this rate; None while that can't be told."""
        return self._left / self.rate if self._left is not None and self.rate > 0 else None


def settled(seen: TransactionOut) -> int:
    """Messages that have their outcome."""
    return seen.delivered + seen.failed + seen.cancelled


def people(seen: TransactionOut) -> int:
    """Recipients in all, as far as they are known."""
    return max(seen.audience or 0, seen.addressed)


def left(seen: TransactionOut) -> float | None:
    """Messages without an outcome, if everybody has as many devices as those addressed so far."""
    if not seen.addressed:
        return None
    return max(people(seen) * seen.messages / seen.addressed - settled(seen), 0.0)
