"""The outbox: what happened, told to the webhook endpoints that want to hear of it, to the live feed, and to
the runs that wait for it.

It stands in the database whatever the journal is, so that an event is there exactly when what it tells of
is.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec
from sqlalchemy.engine import Connection

from clarion.journal.feed import Feed
from clarion.journal.port import Record, repeat_lane, webhook_lane
from clarion.journal.sql import SqlJournal, append_in
from clarion.journal.turns import turn_records
from clarion.model.clock import Millis
from clarion.model.run import ANY_TURN, Turn
from clarion.model.webhook import Dispatch, Endpoint, Event
from clarion.store import webhook_deliveries
from clarion.store.catalog import Catalog

T = TypeVar("T")

MOST_EVENTS = 100
"""In a record: so many may be sent a second time after a crash."""


class Outbox:
    """Takes events in the transaction of what they tell of."""

    def __init__(self, journal: SqlJournal, catalog: Catalog, feed: Feed | None = None) -> None:
        self.journal = journal
        self._feed = feed
        self._catalog = catalog
        self._told: deque[str] = deque()

    def listens(self, environment_id: str) -> bool:
        """Whether anybody hears of what happens in an environment."""
        if self._feed is not None and self._feed.watches(environment_id):
            return True
        return self._catalog.snapshot.listens(environment_id)

    def put(
        self, connection: Connection, environment_id: str, events: Sequence[Event], *, but: str = ""
    ) -> None:
        """Tell the endpoints that want to hear, except one: a record for each, of all that it wants."""
        if self._feed is not None:
            self._feed.tell(connection, environment_id, events)
        for endpoint in self._catalog.snapshot.webhooks_of(environment_id):
            wanted = [event for event in events if endpoint.wants(event.type) and endpoint.id != but]
            if wanted:
                append_in(connection, [_first(endpoint, part) for part in _parts(wanted)])
                self._told.append(webhook_lane(endpoint.id))

    def repeat(self, connection: Connection, endpoint: Endpoint, ids: Sequence[str], now: Millis) -> None:
        """Let an endpoint be sent deliveries once more, as if they had never been tried."""
        webhook_deliveries.ask_again(connection, ids, now)
        append_in(connection, [repeat(endpoint, part) for part in _parts(ids)])
        self._told.append(repeat_lane(endpoint.id))

    def wake(self, connection: Connection, environment_id: str, run_ids: Sequence[str]) -> None:
        """Let runs look at what became of their pushes."""
        records = turn_records(environment_id, [Turn(run_id, ANY_TURN) for run_id in run_ids])
        append_in(connection, records)
        self._told.extend(record.lane for record in records)

    def ring(self) -> None:
        """Wake who waits for what was committed; without it they see it within half a second."""
        while self._told:
            self.journal.ring(self._told.popleft())


def repeat(endpoint: Endpoint, delivery_ids: list[str], at: Millis = 0) -> Record:
    """Deliveries that are to be tried again, as a record."""
    dispatch = Dispatch(endpoint.environment_id, endpoint.id, again=delivery_ids)
    return Record(repeat_lane(endpoint.id), msgspec.msgpack.encode(dispatch), at)


def _first(endpoint: Endpoint, events: list[Event]) -> Record:
    dispatch = Dispatch(endpoint.environment_id, endpoint.id, events)
    return Record(webhook_lane(endpoint.id), msgspec.msgpack.encode(dispatch))


def _parts(items: Sequence[T]) -> Iterator[list[T]]:
    for start in range(0, len(items), MOST_EVENTS):
        yield list(items[start : start + MOST_EVENTS])
