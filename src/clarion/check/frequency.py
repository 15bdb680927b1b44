"""How often somebody, or one of their devices, is pushed to in a time, across all workflows."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from clarion.model.clock import DAY, HOUR, MINUTE, Millis

SUBSCRIBER, DEVICE = "subscriber", "device"
UNITS = {"minutes": MINUTE, "hours": HOUR, "days": DAY}

EVERY_DEVICE = 0
"""Stands for the device where a push is counted for its subscriber."""


class Cap(msgspec.Struct, frozen=True):
    """At most so many pushes in a window; those of a severity that `passes` count and are never held back."""

    scope: str
    most: int
    amount: int
    unit: str
    passes: list[str] = []

    @property
    def window(self) -> Millis:
        """How long a push counts."""
        return self.amount * UNITS[self.unit]


class Use(NamedTuple):
    """A push that counts: a step of a notification, for its subscriber or for a device."""

    subscriber_pk: int
    device_id: int
    notification_id: str
    step_id: str
    at: Millis


class Spent(NamedTuple):
    """A cap that has no room, and how much of it was used."""

    cap: Cap
    used: int


def longest(caps: Iterable[Cap]) -> Millis:
    """How far back anything counts."""
    return max((cap.window for cap in caps), default=0)


class Usage:
    """What was pushed of late. A push is never counted against itself, so that a decision that is made again
    comes out the same."""

    def __init__(self, uses: Iterable[Use] = ()) -> None:
        self._uses: dict[tuple[int, int], list[Use]] = defaultdict(list)
        for use in uses:
            self._uses[use[:2]].append(use)

    def note(self, use: Use) -> None:
        """Count a push."""
        self._uses[use.subscriber_pk, use.device_id].append(use)

    def spent(self, caps: Sequence[Cap], use: Use, severity: str) -> Spent | None:
        """The first cap that has no room for a push.

        What is put off until later counts as well: it was promised the room.
        """
        scope = SUBSCRIBER if use.device_id == EVERY_DEVICE else DEVICE
        others = self._uses.get(use[:2])
        if not others:
            return None
        for cap in caps:
            if cap.scope != scope or len(others) < cap.most or severity in cap.passes:
                continue
            used = _used(others, use, use.at - cap.window)
            if used >= cap.most:
                return Spent(cap, used)
        return None


def _used(others: Iterable[Use], use: Use, since: Millis) -> int:
    """How many others than the push itself count since then."""
    own = (use.notification_id, use.step_id)
    return sum(1 for other in others if other.at > since and other[2:4] != own)
