"""What became of everything an environment was asked to send: Clarion's own call."""

import msgspec

from clarion.api.dates import date
from clarion.api.route import Call, Route
from clarion.model.member import Role
from clarion.store.ledger import ledger


class LedgerQuery(msgspec.Struct, rename="camel", frozen=True):
    """Which triggers are counted. `after` and `before` are dates of their acceptance; none counts all."""

    after: str | None = None
    before: str | None = None


class LedgerOut(msgspec.Struct, rename="camel"):
    """A ledger. `addressed` recipients, of which `skipped` have no message; the others came to `messages`,
    which are delivered, failed, cancelled or still in flight: it balances. `waiting` recipients are
    those whose workflow goes on later."""

    addressed: int
    skipped: int
    messages: int
    delivered: int
    failed: int
    cancelled: int
    in_flight: int
    waiting: int


async def retrieve_ledger(call: Call[None, LedgerQuery]) -> LedgerOut:
    """The ledger of the environment. Counting millions of messages takes seconds: name a time then."""
    after, before = date(call.query.after, "after"), date(call.query.before, "before")
    found = await call.services.database.read(ledger, call.environment_id, after, before)
    return LedgerOut(
        addressed=found.addressed,
        skipped=found.skipped,
        messages=found.planned,
        delivered=found.delivered,
        failed=found.failed,
        cancelled=found.cancelled,
        in_flight=found.in_flight,
        waiting=found.waiting,
    )


ROUTES = (
    Route(
        "GET",
        "/v1/ledger",
        retrieve_ledger,
        "The ledger of an environment",
        "Events",
        Role.VIEWER,
        query=LedgerQuery,
        answer=LedgerOut,
    ),
)
