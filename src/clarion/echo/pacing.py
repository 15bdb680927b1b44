"""How many deliveries to an endpoint begin in a second: tokens of a bucket that all processes share."""

from math import ceil

from clarion.model.clock import SECOND, Clock, Millis
from clarion.model.webhook import Endpoint
from clarion.store.database import Database
from clarion.store.loans import Bucket, Loans

_BURST_SECONDS = 0.5
"""What an endpoint that rested may be sent at once, in seconds of its rate."""


class Pacer:
    """The turns that this process takes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._loans = Loans(database, clock)

    async def wait(self, endpoint: Endpoint) -> Millis:
        """Take the turn of one delivery, and 0; or how long to wait before asking again."""
        if endpoint.rate_limit is None:
            return 0
        bucket = bucket_of(endpoint, endpoint.rate_limit)
        if await self._loans.take(bucket, 1):
            return 0
        loan = self._loans.of(bucket)
        return max(ceil((max(loan.portion, 1) - loan.remaining) * SECOND / bucket.rate), 1)


def bucket_of(endpoint: Endpoint, rate: int) -> Bucket:
    """The bucket of an endpoint, named by its id."""
    return Bucket(endpoint.environment_id, endpoint.id, rate, max(rate * _BURST_SECONDS, 1.0))
