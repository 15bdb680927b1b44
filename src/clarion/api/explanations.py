"""Why a push went out or didn't: what was decided for each recipient, step and device, in order, and each try
with the provider's answer."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.explained import Explanation, decision, headed
from clarion.api.history import History
from clarion.api.route import Call, Category, Route
from clarion.api.untried import Untried, untried
from clarion.compose.notification import id_of
from clarion.errors import NotFound, Unprocessable
from clarion.model.clock import iso
from clarion.model.member import Role
from clarion.model.trace import Detail, Event
from clarion.model.trigger import Trigger
from clarion.store import activity, registry, subscribers, triggers
from clarion.store.activity import NotificationRow


class ExplainQuery(msgspec.Struct, rename="camel", frozen=True):
    """Which trigger, and whom of its recipients; without a subscriber they come a page at a time."""

    transaction_id: str | None = None
    subscriber_id: str | None = None
    after: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


async def explain(call: Call[None, ExplainQuery]) -> Explanation:
    """What was decided for each recipient of a trigger, each step and each device, and why; then each try.

    Name the transaction, and a subscriber for one recipient alone.
    """
    if not call.query.transaction_id:
        raise Unprocessable.field("transactionId", "must be given: name the trigger to explain")
    found = await call.services.database.read(_explained, call, call.query.transaction_id)
    if not found.waiting:
        return found.told()
    waiting = await _untried(call, found)
    pks = {item.send.device_id for item in waiting} - {0}
    ids = await call.services.database.read(registry.ids_of, pks)
    history = found.history._replace(device_ids={**found.history.device_ids, **ids})
    return found._replace(untried=waiting, history=history).told()


class _Found(NamedTuple):
    """What is known of a trigger, and of the recipients that are told of."""

    head: Explanation
    trigger: Trigger
    rows: list[NotificationRow]
    history: History
    untried: Sequence[Untried] = ()

    @property
    def waiting(self) -> set[str]:
        """The notifications with messages that may not have been tried yet."""
        return {row.id for row in self.rows if row.planned > len(row.messages)}

    def told(self) -> Explanation:
        """All of it."""
        by_recipient: dict[str, list[Untried]] = {}
        for item in self.untried:
            by_recipient.setdefault(item.send.notification_id, []).append(item)
        self.head.recipients = [
            self.history.recipient(row, by_recipient.get(row.id, ())) for row in self.rows
        ]
        return self.head


async def _untried(call: Call[None, ExplainQuery], found: _Found) -> list[Untried]:
    """What was tried between the two looks is told as tried."""
    known = {message.id for row in found.rows for message in row.messages}
    integration_ids = [item.id for item in call.snapshot.integrations_of(call.environment_id)]
    waiting = await untried(call.services.journal, integration_ids, found.trigger.id, found.waiting)
    return [item for item in waiting if item.send.message_id not in known]


def _explained(connection: Connection, call: Call[None, ExplainQuery], transaction_id: str) -> _Found:
    found = triggers.progress(connection, call.environment_id, transaction_id)
    admission = triggers.get(connection, found.trigger_id) if found else None
    if found is None or admission is None:
        raise NotFound(f"Transaction {transaction_id} is not known, or not worked on yet")
    told = headed(call.snapshot, admission.trigger)
    told.cancelled_at = iso(found.cancelled_at) if found.cancelled_at else None
    told.paused_at = iso(found.paused_at) if found.paused_at else None
    if call.query.subscriber_id:
        rows = _of_subscriber(connection, call, admission.trigger, call.query.subscriber_id)
        if not rows:
            told.decisions = [decision(Detail(Event.NOT_ADDRESSED.code, call.services.clock()))]
    else:
        rows = _page(connection, call, admission.trigger)
    shown = rows[: call.query.limit]
    if len(rows) > len(shown):
        told.next, told.has_more = shown[-1].id, True
    return _Found(told, admission.trigger, shown, History.of(connection, call.snapshot, shown))


def _of_subscriber(
    connection: Connection, call: Call[None, ExplainQuery], trigger: Trigger, name: str
) -> list[NotificationRow]:
    subscriber = subscribers.get(connection, call.environment_id, name)
    if subscriber is None:
        raise NotFound(f"Subscriber {name} was not found")
    found = activity.notification(connection, call.environment_id, id_of(trigger, subscriber))
    return [found] if found else []


def _page(connection: Connection, call: Call[None, ExplainQuery], trigger: Trigger) -> list[NotificationRow]:
    after = call.query.after or ""
    return activity.of_trigger(connection, call.environment_id, trigger.id, after, call.query.limit + 1)


ROUTES = (
    Route(
        "GET",
        "/v1/explain",
        explain,
        "Why a trigger's pushes went out or didn't",
        "Events",
        Role.VIEWER,
        query=ExplainQuery,
        answer=Explanation,
        category=Category.TRIGGER,
    ),
)
