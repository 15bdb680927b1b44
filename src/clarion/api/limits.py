"""Rate limits as token buckets, one per environment and category; shown in the headers of every answer.

Where limits are set, the bucket is in the database and shared by all processes: each borrows a quarter of a
second's tokens at a time, so that a call in a hundred pays for it. Where none is set, Novu's largest are
shown and nothing is refused: the installation is its owner's.
"""

from collections.abc import Mapping
from math import ceil

from clarion.api.route import Category
from clarion.errors import TooManyRequests
from clarion.model.clock import SECOND, Clock, Millis
from clarion.store import loans
from clarion.store.database import Database
from clarion.store.loans import Loan, Loans

WINDOW_SECONDS = 5
BULK_COST = 100
"""Of a bulk call; every bucket has room for one."""

LONGEST_PAUSE = 30

SHOWN: Mapping[Category, int] = {
    Category.TRIGGER: 6000,
    Category.CONFIGURATION: 2000,
    Category.GLOBAL: 3000,
}
"""Tokens a second, where none are set."""

Headers = list[tuple[bytes, bytes]]


class Bucket:
    """Fills with time up to its capacity."""

    def __init__(self, rate: int, now: Millis) -> None:
        self.rate = rate
        self.capacity = float(capacity_of(rate))
        self.tokens = self.capacity
        self._at = now

    def take(self, cost: int, now: Millis) -> None:
        """Take tokens, down to none."""
        gained = (now - self._at) * self.rate / SECOND
        self.tokens = max(min(self.tokens + gained, self.capacity) - cost, 0)
        self._at = now


class Limits:
    """The buckets of all environments. `enforced`: tokens a second, for the categories that have a limit."""

    def __init__(self, database: Database, clock: Clock, enforced: Mapping[str, int]) -> None:
        self._clock = clock
        self._enforced = {category: rate for category in Category if (rate := enforced.get(category.value))}
        self._buckets: dict[tuple[str, Category], Bucket] = {}
        self._loans = Loans(database, clock)
        self._policies = {
            (category, bulk): _policy(category, self._enforced.get(category), bulk=bulk)
            for category in Category
            for bulk in (False, True)
        }

    async def take(self, environment_id: str, category: Category, cost: int, headers: Headers) -> None:
        """Count a call, and add the headers that tell how its bucket stands.

        `TooManyRequests` where that is over a limit.
        """
        rate = self._enforced.get(category)
        if rate is None:
            self._show(environment_id, category, cost, headers)
            return
        bucket = loans.Bucket(environment_id, category.value, rate, float(capacity_of(rate)))
        granted = await self._loans.take(bucket, cost)
        loan = self._loans.of(bucket)
        headers += self._told(category, cost, bucket.capacity, loan.remaining, rate)
        if not granted:
            raise _too_many(category, cost, loan)

    def _show(self, environment_id: str, category: Category, cost: int, headers: Headers) -> None:
        now = self._clock()
        bucket = self._buckets.get((environment_id, category))
        if bucket is None:
            bucket = self._buckets[environment_id, category] = Bucket(SHOWN[category], now)
        bucket.take(cost, now)
        headers += self._told(category, cost, bucket.capacity, bucket.tokens, bucket.rate)

    def _told(self, category: Category, cost: int, capacity: float, remaining: float, rate: int) -> Headers:
        reset = ceil((capacity - remaining) / rate)
        return [
            (b"ratelimit-limit", b"%d" % capacity),
            (b"ratelimit-remaining", b"%d" % remaining),
            (b"ratelimit-reset", b"%d" % reset),
            (b"ratelimit-policy", self._policies[category, cost > 1]),
        ]


def capacity_of(rate: int) -> int:
    """Tokens in a full bucket."""
    return max(rate * WINDOW_SECONDS, BULK_COST)


def _too_many(category: Category, cost: int, loan: Loan) -> TooManyRequests:
    rate = loan.bucket.rate
    pause = min(max(ceil((cost - loan.remaining) / rate), 1), LONGEST_PAUSE)
    return TooManyRequests(
        f"More than {rate} {category.value} calls a second: try again in {pause} s, or have"
        " CLARION_RATE_LIMITS raised",
        headers={"Retry-After": str(pause)},
    )


def _policy(category: Category, enforced: int | None, *, bulk: bool) -> bytes:
    limit = capacity_of(enforced or SHOWN[category])
    cost = "bulk" if bulk else "single"
    level = "limited" if enforced else "self-hosted"
    return (
        f'{limit};w={WINDOW_SECONDS};burst={limit};comment="token bucket";category="{category.value}"'
        f';cost="{cost}";serviceLevel="{level}"'
    ).encode()
