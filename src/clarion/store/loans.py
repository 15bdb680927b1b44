"""What a process borrowed of the token buckets that it shares with others: a quarter of a second's at a time,
so that one use in many pays for it."""

from typing import NamedTuple

from clarion.model.clock import SECOND, Clock, Millis
from clarion.store import rates
from clarion.store.database import Database

_BORROWED_SECONDS = 0.25
_KEPT: Millis = SECOND
"""How long borrowed tokens are good for; what isn't used meanwhile is lost."""


class Bucket(NamedTuple):
    """A shared bucket, which fills at `rate` a second up to `capacity`."""

    environment_id: str
    category: str
    rate: int
    capacity: float


class Loan:
    """What this process borrowed of one bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.tokens = 0.0
        self.left = bucket.capacity
        self._at: Millis = 0

    def take(self, cost: int, now: Millis) -> bool:
        """Take tokens; False when there are not enough, or they are too old."""
        if self.tokens < cost or now - self._at > _KEPT:
            return False
        self.tokens -= cost
        return True

    def receive(self, borrowed: rates.Borrowed, now: Millis) -> None:
        """Take up tokens; old ones have expired meanwhile."""
        kept = self.tokens if now - self._at <= _KEPT else 0.0
        self.tokens, self.left, self._at = kept + borrowed.granted, borrowed.left, now

    @property
    def remaining(self) -> float:
        """What may be left in the whole installation."""
        return self.left + self.tokens

    @property
    def portion(self) -> float:
        """What is borrowed at a time."""
        return self.bucket.rate * _BORROWED_SECONDS


class Loans:
    """The loans of a process, by bucket."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._loans: dict[tuple[str, str], Loan] = {}

    async def take(self, bucket: Bucket, cost: int) -> bool:
        """Take tokens, borrowing where need be; whether there were enough."""
        loan = self.of(bucket)
        return loan.take(cost, self._clock()) or await self._borrowed(loan, cost)

    def of(self, bucket: Bucket) -> Loan:
        """What is borrowed of a bucket; nothing once its rate is another."""
        place = (bucket.environment_id, bucket.category)
        loan = self._loans.get(place)
        if loan is None or loan.bucket != bucket:
            loan = self._loans[place] = Loan(bucket)
        return loan

    async def _borrowed(self, loan: Loan, cost: int) -> bool:
        now = self._clock()
        lent = await self._database.write(rates.borrow, *loan.bucket, cost, loan.portion, now)
        loan.receive(lent, now)
        return loan.take(cost, now)
