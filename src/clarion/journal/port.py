"""The port of the journal: lanes of records, each a batch that one stage works on under a lease.

A stage claims a batch, works, and settles it: its own changes, the records it hands on and the end
of the batch become true together. Who dies in between loses the lease, and somebody else does
the work again.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import msgspec
from sqlalchemy.engine import Connection

from clarion.errors import ClarionError, Overloaded
from clarion.model.clock import Millis

ACCEPTED_PREFIX = "accepted:"
PAGE_PREFIX = "page:"
CHUNK_PREFIX = "chunk:"
DELIVER_PREFIX = "deliver:"
BULK_PREFIX = "bulk:"
WAITING_PREFIX = "waiting:"
RECEIPTS_PREFIX = "receipts:"
WEBHOOK_PREFIX = "webhook:"
REPEAT_PREFIX = "webhook-again:"
RUN_PREFIX = "run:"
BULK_RUN_PREFIX = "bulk-run:"
RECALL_PREFIX = "recall:"
REQUEST_PREFIX = "request:"
CROSSING_PREFIX = "crossing:"
CROSSING_LANE = CROSSING_PREFIX + "all"

IN_TURN = (WEBHOOK_PREFIX, REPEAT_PREFIX)
"""Lanes whose records are worked on one at a time, whatever the number of processes: in order, and with no
more under way than the endpoint takes. They are in the database on every footing."""


def accepted_lane(environment_id: str) -> str:
    """The lane of an environment's triggers, so that a flood in one holds up no other."""
    return ACCEPTED_PREFIX + environment_id


def page_lane(environment_id: str) -> str:
    """The lane of an environment's broadcasts, each to be cut into chunks."""
    return PAGE_PREFIX + environment_id


def chunk_lane(environment_id: str) -> str:
    """The lane of the chunks of an environment's broadcasts: those that wait for a provider that is away
    keep only their own environment's from being cut."""
    return CHUNK_PREFIX + environment_id


def deliver_lane(integration_id: str) -> str:
    """The lane of one integration, so that a slow provider holds up nobody else."""
    return DELIVER_PREFIX + integration_id


def bulk_lane(integration_id: str) -> str:
    """The lane of what broadcasts send through an integration, so that single triggers overtake it."""
    return BULK_PREFIX + integration_id


def waiting_lane(integration_id: str) -> str:
    """The lane of what waits for its recipient's schedule: it may be hours, and is no sign of congestion."""
    return WAITING_PREFIX + integration_id


def receipts_lane(integration_id: str) -> str:
    """The lane of receipts that an integration's provider gives later."""
    return RECEIPTS_PREFIX + integration_id


def webhook_lane(endpoint_id: str) -> str:
    """The lane of what one webhook endpoint is told, so that a slow one holds up nobody else."""
    return WEBHOOK_PREFIX + endpoint_id


def repeat_lane(endpoint_id: str) -> str:
    """The lane of what a webhook endpoint did not take, so that it holds up nothing that is new."""
    return REPEAT_PREFIX + endpoint_id


def run_lane(environment_id: str, *, bulk: bool) -> str:
    """The lane of the turns of an environment's runs; those of its broadcasts have one of their own."""
    return (BULK_RUN_PREFIX if bulk else RUN_PREFIX) + environment_id


def recall_lane(environment_id: str) -> str:
    """The lane of an environment's cancelled triggers, whose runs are to end."""
    return RECALL_PREFIX + environment_id


def request_lane(environment_id: str) -> str:
    """The lane of the HTTP requests of an environment's runs."""
    return REQUEST_PREFIX + environment_id


class Record(NamedTuple):
    """Something to be done: `body` is MessagePack, not before `not_before`."""

    lane: str
    body: bytes
    not_before: Millis = 0


class Batch(msgspec.Struct, frozen=True):
    """A claimed record. `claims` counts how often it was handed out, this time included."""

    id: int
    lane: str
    body: bytes
    claims: int
    lease: str


class Parked(msgspec.Struct, frozen=True):
    """A record that failed for a reason of its own too often."""

    id: int
    lane: str
    error: str
    claims: int
    parked_at: Millis

    @property
    def kind(self) -> str:
        """The kind of the error: what it begins with, up to its colon."""
        return self.error.partition(":")[0]


class ParkedFilter(NamedTuple):
    """Which parked records: those of a lane, with an error of a kind; empty for any."""

    lane: str = ""
    kind: str = ""

    def fits(self, one: Parked) -> bool:
        """Whether a record is one of them."""
        return self.lane in ("", one.lane) and self.kind in ("", one.kind)


ALL_PARKED = ParkedFilter()


class LeaseLost(ClarionError):
    """The batch took longer than its lease and belongs to somebody else now."""


class JournalUnavailable(Overloaded):
    """The journal's servers can't be reached for the moment, or don't confirm."""

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"Retry-After": "1"})


MOST_PARKED = 1000
"""Records that are listed at a time."""

Change = Callable[[Connection], Sequence[Record]]
"""What settles a batch: writes on the connection, and the records it hands on."""


class Journal(Protocol):
    """The durable queue."""

    transactional: bool
    """Whether it stands in the database, so that records and other changes share a commit."""

    async def append(self, records: Sequence[Record]) -> None:
        """Add records; durable when it returns."""
        ...

    async def append_with(self, change: Change) -> None:
        """Make `change` true and add the records it returns, as one; where `transactional`."""
        ...

    async def lanes(self, prefix: str) -> set[str]:
        """Lanes that hold records and begin with `prefix`."""
        ...

    async def claim(self, lane: str, most: int) -> list[Batch]:
        """Lease up to `most` due batches, oldest first."""
        ...

    async def renew(self, *batches: Batch) -> None:
        """Begin the leases anew; `LeaseLost` when one is somebody else's."""
        ...

    async def settle(self, batch: Batch, change: Change) -> None:
        """Make `change` true and end the batch, durably; `LeaseLost` changes nothing."""
        ...

    async def settle_all(self, batches: Sequence[Batch], change: Change) -> None:
        """The same for batches of one lane that were worked on together, where `transactional`."""
        ...

    async def put_back(self, batch: Batch, error: str, not_before: Millis) -> None:
        """Give the batch up until `not_before`."""
        ...

    async def park(self, batch: Batch, error: str) -> None:
        """Set the batch aside with its error, out of everybody's way."""
        ...

    async def parked(
        self, after: int = 0, most: int = MOST_PARKED, wanted: ParkedFilter = ALL_PARKED
    ) -> list[Parked]:
        """What was set aside behind the id `after`, by id, at most so many."""
        ...

    async def replay(self, parked_id: int) -> bool:
        """Put what was set aside back into its lane, as if it were new; False when it is not there."""
        ...

    async def depth(self, lane: str, most: int) -> int:
        """Records of the lane, due or not, counted up to `most`."""
        ...

    async def matching(self, lane: str, text: str) -> list[bytes]:
        """Bodies of the lane's records that hold the text, at most 1,000."""
        ...

    async def wait(self, lane: str) -> None:
        """Return when the lane may have something due, or a lane of that prefix may be new."""
        ...
