"""Through which topics a trigger reached somebody, as one short text of the log.

Each way is the place of the topic among those of the trigger, and the row of the subscription.
"""

from collections.abc import Iterable
from typing import NamedTuple

AROUND_PLACE = ("% ", ":%")
"""What stands around the place of a topic where LIKE looks for the ways through it."""


class Way(NamedTuple):
    """One subscription that somebody was reached through."""

    place: int
    subscription: int


def written(ways: Iterable[Way]) -> str:
    """The ways as a text; whoever was named needs none."""
    return "".join(f" {way.place}:{way.subscription}" for way in sorted(ways)) + " "


def read(text: str | None) -> list[Way]:
    """The ways of a text."""
    return [Way(*map(int, way.split(":"))) for way in (text or "").split()]


def by_subscription(subscription: int) -> str:
    """What LIKE finds the ways through a subscription with."""
    return f"%:{subscription} %"
