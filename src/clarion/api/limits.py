"""Rate limits as token buckets, one per environment and category; shown in the headers of every answer."""

from typing import NamedTuple

from clarion.api.route import Category
from clarion.model.clock import SECOND, Millis

_WINDOW_SECONDS = 5

RATES: dict[Category, int] = {
    Category.TRIGGER: 6000,
    Category.CONFIGURATION: 2000,
    Category.GLOBAL: 3000,
}
"""Tokens a second. Shown, not enforced: the installation is its owner's."""


class Standing(NamedTuple):
    """How a bucket stands after a call."""

    limit: int
    remaining: int
    reset_seconds: int


class Bucket:
    """Fills with time up to its capacity."""

    def __init__(self, rate: int, now: Millis) -> None:
        self._rate = rate
        self._capacity = float(rate * _WINDOW_SECONDS)
        self._tokens = self._capacity
        self._at = now

    def take(self, cost: int, now: Millis) -> Standing:
        """Take tokens, down to none."""
        gained = (now - self._at) * self._rate / SECOND
        self._tokens = max(min(self._tokens + gained, self._capacity) - cost, 0)
        self._at = now
        missing = self._capacity - self._tokens
        return Standing(int(self._capacity), int(self._tokens), -int(-missing // self._rate))


class Limits:
    """The buckets of all environments."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, Category], Bucket] = {}

    def take(
        self, environment_id: str, category: Category, cost: int, now: Millis
    ) -> list[tuple[bytes, bytes]]:
        """Count a call; the headers that tell how the bucket stands."""
        bucket = self._buckets.get((environment_id, category))
        if bucket is None:
            bucket = self._buckets[environment_id, category] = Bucket(RATES[category], now)
        standing = bucket.take(cost, now)
        return [
            (b"ratelimit-limit", b"%d" % standing.limit),
            (b"ratelimit-remaining", b"%d" % standing.remaining),
            (b"ratelimit-reset", b"%d" % standing.reset_seconds),
            (b"ratelimit-policy", _POLICIES[category, cost > 1]),
        ]


def _policy(category: Category, bulk: bool) -> bytes:
    limit = RATES[category] * _WINDOW_SECONDS
    cost = "bulk" if bulk else "single"
    return (
        f'{limit};w={_WINDOW_SECONDS};burst={limit};comment="token bucket";category="{category.value}"'
        f';cost="{cost}";serviceLevel="self-hosted"'
    ).encode()


_POLICIES = {(category, bulk): _policy(category, bulk) for category in Category for bulk in (False, True)}
