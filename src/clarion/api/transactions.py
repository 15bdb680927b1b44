"""How far a trigger is: Clarion's own calls, beside the contract's cancel."""

from typing import Literal

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.pages import CursorPage, CursorQuery, cursor_page
from clarion.api.route import Call, Category, Group, NoQuery
from clarion.api.workflows import named_workflow
from clarion.errors import NotFound
from clarion.model.clock import SECOND, Millis, iso
from clarion.model.member import Role
from clarion.store import triggers
from clarion.store.catalog import Snapshot
from clarion.store.ledger import Ledger, trigger_ledger
from clarion.store.triggers import Audience, AudiencesWanted, Progress

State = Literal["expanding", "delivering", "paused", "completed", "cancelled"]


class TransactionOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A trigger's ledger. `waiting` counts recipients whose workflow goes on later. `audience` and
    `expectedEnd` are known of broadcasts; `ratePerSecond` is the average since the trigger was accepted."""

    transaction_id: str
    workflow_id: str | None = None
    state: State
    accepted_at: str
    audience: int | None = None
    addressed: int
    skipped: int
    messages: int
    delivered: int
    failed: int
    cancelled: int
    in_flight: int
    waiting: int = 0
    rate_per_second: float
    expected_end: str | None = None


class AudienceOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A trigger to everybody or to topics. `audience` is how many subscribers it was for when it began,
    `expanded` whether all of them are addressed; its ledger is told one by one."""

    transaction_id: str
    workflow_id: str | None = None
    accepted_at: str
    audience: int
    expanded: bool
    cancelled_at: str | None = None
    paused_at: str | None = None


class BroadcastsQuery(CursorQuery, rename="camel", frozen=True, kw_only=True):
    """Query of the triggers to many: of a workflow, of a transaction, and how they stand; `started` are those
    that are neither paused nor cancelled."""

    workflow_id: str | None = None
    transaction_id: str | None = None
    state: Literal["started", "paused", "cancelled"] | None = None


class AudiencePage(msgspec.Struct):
    """Triggers to many, and the cursors to what is before and after."""

    data: list[AudienceOut]
    next: str | None
    previous: str | None


async def list_broadcasts(call: Call[None, BroadcastsQuery]) -> AudiencePage:
    """Triggers to everybody or to topics, newest first."""
    wanted = _wanted(call)
    if wanted is None:
        return AudiencePage([], None, None)

    def read(connection: Connection) -> CursorPage[Audience]:
        return cursor_page(
            lambda anchor, order: triggers.to_many(connection, wanted, anchor, order),
            lambda identity: None,
            lambda row: (),
            call.query,
            width=0,
        )

    page = await call.services.database.read(read)
    return AudiencePage([_audience(call.snapshot, row) for row in page.rows], page.next, page.previous)


def _wanted(call: Call[None, BroadcastsQuery]) -> AudiencesWanted | None:
    """What is looked for; None where nothing can be found."""
    query, workflow = call.query, None
    if query.workflow_id is not None:
        workflow = named_workflow(call.snapshot, call.environment_id, query.workflow_id)
        if workflow is None:
            return None
    cancelled = None if query.state is None else query.state == "cancelled"
    paused = None if query.state in (None, "cancelled") else query.state == "paused"
    named = (workflow.id if workflow else None, query.transaction_id)
    return AudiencesWanted(call.environment_id, *named, paused=paused, cancelled=cancelled)


def _audience(snapshot: Snapshot, row: Audience) -> AudienceOut:
    workflow = snapshot.workflows.get(row.workflow_id)
    return AudienceOut(
        transaction_id=row.transaction_id,
        workflow_id=workflow.workflow_id if workflow else None,
        accepted_at=iso(row.accepted_at),
        audience=row.audience,
        expanded=bool(row.expanded),
        cancelled_at=iso(row.cancelled_at) if row.cancelled_at else None,
        paused_at=iso(row.paused_at) if row.paused_at else None,
    )


async def retrieve_transaction(call: Call[None, NoQuery]) -> TransactionOut:
    """The ledger of a trigger, and how fast it goes."""
    return await call.services.database.read(_read, call)


async def pause_transaction(call: Call[None, NoQuery]) -> TransactionOut:
    """Send nothing more of a trigger until it is resumed."""
    return await _set_paused(call, call.services.clock())


async def resume_transaction(call: Call[None, NoQuery]) -> TransactionOut:
    """Go on with a paused trigger."""
    return await _set_paused(call, None)


async def _set_paused(call: Call[None, NoQuery], at: Millis | None) -> TransactionOut:
    def write(connection: Connection) -> TransactionOut:
        triggers.pause(connection, call.environment_id, call.path["transactionId"], at)
        return _read(connection, call)

    return await call.services.database.write(write)


def _read(connection: Connection, call: Call[None, NoQuery]) -> TransactionOut:
    now = call.services.clock()
    return transaction_out(connection, call.snapshot, call.environment_id, call.path["transactionId"], now)


def transaction_out(
    connection: Connection, snapshot: Snapshot, environment_id: str, transaction_id: str, now: Millis
) -> TransactionOut:
    """How far a trigger is; `NotFound` for one that isn't known."""
    found = triggers.progress(connection, environment_id, transaction_id)
    if found is None:
        raise NotFound(f"Transaction {transaction_id} is not known, or not worked on yet")
    counted = trigger_ledger(connection, found.trigger_id)
    done = counted.delivered + counted.failed + counted.cancelled
    rate = done * SECOND / max(now - found.accepted_at, 1)
    workflow = snapshot.workflows.get(found.workflow_id)
    state = _state(found, counted)
    return TransactionOut(
        transaction_id=transaction_id,
        workflow_id=workflow.workflow_id if workflow else None,
        state=state,
        accepted_at=iso(found.accepted_at),
        audience=found.audience,
        addressed=counted.addressed,
        skipped=counted.skipped,
        messages=counted.planned,
        delivered=counted.delivered,
        failed=counted.failed,
        cancelled=counted.cancelled,
        in_flight=counted.in_flight,
        waiting=counted.waiting,
        rate_per_second=round(rate, 1),
        expected_end=_expected_end(found, counted, rate, now) if state in UNDER_WAY else None,
    )


UNDER_WAY = ("expanding", "delivering")


def _state(found: Progress, counted: Ledger) -> State:
    if found.cancelled_at is not None:
        return "cancelled"
    if found.expanded and counted.in_flight == 0 and counted.waiting == 0:
        return "completed"
    if found.paused_at is not None:
        return "paused"
    return "delivering" if found.expanded else "expanding"


def _expected_end(found: Progress, counted: Ledger, rate: float, now: Millis) -> str | None:
    """When what is left has gone out at this rate, if everybody has as many devices as those so far."""
    if rate <= 0 or not counted.addressed:
        return None
    people = max(found.audience or 0, counted.addressed)
    left = people * counted.planned / counted.addressed - (counted.planned - counted.in_flight)
    return iso(now + round(left / rate * SECOND))


_ONE = "/v1/transactions/{transactionId}"
_GROUP = Group("Events", Category.TRIGGER)

ROUTES = (
    _GROUP.route(
        "GET",
        "/v1/broadcasts",
        list_broadcasts,
        "List triggers to everybody or to topics",
        Role.VIEWER,
        query=BroadcastsQuery,
        answer=AudiencePage,
        bare=True,
    ),
    _GROUP.route(
        "GET",
        _ONE,
        retrieve_transaction,
        "How far a trigger is",
        Role.VIEWER,
        answer=TransactionOut,
    ),
    _GROUP.route(
        "POST",
        _ONE + "/pause",
        pause_transaction,
        "Pause a trigger",
        Role.EDITOR,
        answer=TransactionOut,
    ),
    _GROUP.route(
        "POST",
        _ONE + "/resume",
        resume_transaction,
        "Resume a trigger",
        Role.EDITOR,
        answer=TransactionOut,
    ),
)
