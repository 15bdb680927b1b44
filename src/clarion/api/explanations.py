"""Why a push went out or didn't: what was decided for each recipient, step and device, in order, and each try
with the provider's answer. Of what was sent, and of what would be."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Literal, NamedTuple

import msgspec
from sqlalchemy.engine import Connection

from clarion.address.rehearsal import Due, Rehearsed
from clarion.api.route import Call, Category, Route
from clarion.api.untried import Untried, untried
from clarion.compose.notification import id_of
from clarion.errors import NotFound, Unprocessable
from clarion.model.clock import Millis, iso
from clarion.model.member import Role
from clarion.model.outcome import MessageStatus, Outcome
from clarion.model.push import CONTROLS, Json, Presentation, stated, with_own
from clarion.model.trace import EVENTS, Detail, Event
from clarion.model.trigger import Trigger
from clarion.model.workflow import Workflow
from clarion.store import activity, messages, registry, subscribers, triggers
from clarion.store.activity import NotificationRow
from clarion.store.catalog import Snapshot
from clarion.store.message_log import MessageRow
from clarion.workflow.plan import Decided

DeviceState = Literal["would be sent", "waiting", "pending", "delivered", "failed", "cancelled", "skipped"]


class ExplainQuery(msgspec.Struct, rename="camel", frozen=True):
    """Which trigger, and whom of its recipients; without a subscriber they come a page at a time."""

    transaction_id: str | None = None
    subscriber_id: str | None = None
    after: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


class Decision(msgspec.Struct, rename="camel", omit_defaults=True):
    """What was decided, as an event of the trace, and what helps to understand it."""

    event: str
    text: str
    at: str
    provider_id: str | None = None
    reason: Json | None = None


class Attempt(msgspec.Struct, rename="camel", omit_defaults=True):
    """One try and the provider's answer; `number` is missing where the provider wasn't asked."""

    at: str
    outcome: str
    number: int | None = None
    code: str = ""
    explanation: str = ""
    response: str = ""
    provider_message_id: str = ""


class DeviceExplained(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """One message to one device. `deviceId` is missing for a token that only the trigger names."""

    state: DeviceState
    message_id: str
    device_id: str | None = None
    token: str | None = None
    provider_id: str | None = None
    integration_identifier: str | None = None
    title: str | None = None
    body: str | None = None
    presentation: Json = {}
    payload: Json = {}
    overrides: Json = {}
    send_at: str | None = None
    tried_until: str | None = None
    decisions: list[Decision] = []
    attempts: list[Attempt] = []


class StepExplained(msgspec.Struct, rename="camel"):
    """One step of the workflow for one recipient."""

    step_id: str
    decisions: list[Decision]
    devices: list[DeviceExplained]


class RecipientExplained(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """One recipient. `waiting` counts messages that are made and not tried yet; `state` is how the run of a
    workflow that takes time stands, `goesOnAt` when it goes on by itself."""

    subscriber_id: str
    notification_id: str
    waiting: int = 0
    state: str | None = None
    goes_on_at: str | None = None
    decisions: list[Decision] = []
    steps: list[StepExplained]


class Explanation(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A trigger, explained. `next` is there when it has further recipients: give it as `after`; a dry run
    tells with `hasMore` that there would be more."""

    transaction_id: str
    workflow_id: str | None = None
    accepted_at: str
    cancelled_at: str | None = None
    paused_at: str | None = None
    decisions: list[Decision] = []
    recipients: list[RecipientExplained]
    next: str | None = None
    has_more: bool = False


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
    history: "_History"
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
    told = _headed(call.snapshot, admission.trigger)
    told.cancelled_at = iso(found.cancelled_at) if found.cancelled_at else None
    told.paused_at = iso(found.paused_at) if found.paused_at else None
    if call.query.subscriber_id:
        rows = _of_subscriber(connection, call, admission.trigger, call.query.subscriber_id)
        if not rows:
            told.decisions = [_decision(Detail(Event.NOT_ADDRESSED.code, call.services.clock()))]
    else:
        rows = _page(connection, call, admission.trigger)
    shown = rows[: call.query.limit]
    if len(rows) > len(shown):
        told.next, told.has_more = shown[-1].id, True
    return _Found(told, admission.trigger, shown, _History.of(connection, call.snapshot, shown))


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


def foretold(snapshot: Snapshot, trigger: Trigger, found: Rehearsed) -> Explanation:
    """What a trigger would come to, for the answer of a dry run."""
    told = _headed(snapshot, trigger)
    told.has_more = found.more
    if found.known:
        told.decisions = [_decision(Detail(Event.TRANSACTION_KNOWN.code, trigger.accepted_at))]
    told.recipients = [_foretold_recipient(snapshot, found, item) for item in found.decided]
    return told


def _headed(snapshot: Snapshot, trigger: Trigger) -> Explanation:
    workflow = snapshot.workflows.get(trigger.workflow_id)
    return Explanation(
        transaction_id=trigger.transaction_id,
        workflow_id=workflow.workflow_id if workflow else None,
        accepted_at=iso(trigger.accepted_at),
        recipients=[],
    )


def _foretold_recipient(snapshot: Snapshot, found: Rehearsed, decided: Decided) -> RecipientExplained:
    composed = decided.composed
    details = _Details(composed.details)
    devices = [
        _foretold_device(snapshot, found, found.due[item.message_id], details) for item in composed.planned
    ]
    devices += _skipped(found.device_ids, details, {device.message_id for _, device in devices})
    workflow = snapshot.workflows.get(decided.trigger.workflow_id)
    return _recipient(decided.subscriber.subscriber_id, composed.id, workflow, details, devices)


def _foretold_device(
    snapshot: Snapshot, found: Rehearsed, due: Due, details: "_Details"
) -> tuple[str, DeviceExplained]:
    planned = due.planned
    message = with_own(planned.content, planned.personal)
    integration = snapshot.integrations[planned.integration_id]
    return planned.step_id, DeviceExplained(
        state="would be sent",
        message_id=planned.message_id,
        device_id=found.device_ids.get(planned.device_id),
        token=planned.token,
        provider_id=integration.provider_id,
        integration_identifier=integration.identifier,
        title=message.title,
        body=message.body,
        presentation=_shown(message.presentation),
        payload=message.payload,
        overrides=stated(
            provider=message.legacy, providers=message.override, passthrough=message.passthrough
        ),
        send_at=iso(due.at),
        tried_until=iso(due.ends_at),
        decisions=details.of_message(planned.message_id),
    )


def _shown(look: Presentation) -> Json:
    given = {control: getattr(look, field) for control, field in CONTROLS.items()}
    return {control: value for control, value in given.items() if value not in (None, False)}


class _Details:
    """The lines of a trace by what they are about."""

    def __init__(self, details: Sequence[Detail]) -> None:
        self._details = details

    def of_recipient(self) -> list[Decision]:
        """About the recipient as a whole."""
        return [_decision(item) for item in self._details if not item.step_id]

    def of_step(self, step_id: str) -> list[Decision]:
        """About a step, and none of its messages."""
        mine = (item for item in self._details if item.step_id == step_id and not item.message_id)
        return [_decision(item) for item in mine]

    def of_message(self, message_id: str) -> list[Decision]:
        """About one message."""
        return [_decision(item) for item in self._details if item.message_id == message_id]

    def steps(self) -> Iterator[str]:
        """Every step that is told of."""
        return (item.step_id for item in self._details if item.step_id)

    def messages(self) -> dict[str, Detail]:
        """The last line of each message."""
        return {item.message_id: item for item in self._details if item.message_id}


def _decision(detail: Detail) -> Decision:
    event = EVENTS[detail.event]
    return Decision(event.code, event.text, iso(detail.at), detail.provider_id or None, detail.raw)


_Placed = tuple[str, DeviceExplained]
"""A device with the step it is a part of."""


def _recipient(
    subscriber_id: str,
    notification_id: str,
    workflow: Workflow | None,
    details: _Details,
    devices: Sequence[_Placed],
) -> RecipientExplained:
    known = [step.step_id for step in workflow.steps] if workflow else []
    told = [*details.steps(), *(step_id for step_id, _ in devices)]
    names = sorted(dict.fromkeys(told), key=lambda name: known.index(name) if name in known else len(known))
    return RecipientExplained(
        subscriber_id=subscriber_id,
        notification_id=notification_id,
        decisions=details.of_recipient(),
        steps=[
            StepExplained(
                name, details.of_step(name), [device for step_id, device in devices if step_id == name]
            )
            for name in names
        ],
    )


def _skipped(device_ids: Mapping[int, str], details: _Details, sent: set[str]) -> list[_Placed]:
    """Devices that are told of and have no message: what is put off waits, the others are left out."""
    return [
        (
            detail.step_id,
            DeviceExplained(
                state="waiting" if detail.event == Event.DEFERRED_TO_SCHEDULE.code else "skipped",
                message_id=message_id,
                device_id=device_ids.get(detail.device_id),
                token=(detail.raw or {}).get("deviceToken"),
                decisions=details.of_message(message_id),
            ),
        )
        for message_id, detail in details.messages().items()
        if message_id not in sent
    ]


class _History(NamedTuple):
    """Explains what was sent."""

    snapshot: Snapshot
    device_ids: Mapping[int, str]

    @classmethod
    def of(cls, connection: Connection, snapshot: Snapshot, rows: Iterable[NotificationRow]) -> "_History":
        """With the names of all devices that are told of."""
        pks = {message.device_id for row in rows for message in row.messages}
        pks |= {detail.device_id for row in rows for detail in row.details}
        return cls(snapshot, registry.ids_of(connection, pks - {0}))

    def recipient(self, row: NotificationRow, waiting: Sequence[Untried] = ()) -> RecipientExplained:
        """One recipient."""
        details = _Details(row.details)
        devices = [(message.step_id, self._device(message, details)) for message in row.messages]
        devices += [(item.send.step_id, self._waiting(item, details)) for item in waiting]
        named = {device.message_id for _, device in devices}
        devices += _skipped(self.device_ids, details, named)
        workflow = self.snapshot.workflows.get(row.trigger.workflow_id)
        told = _recipient(row.subscriber.subscriber_id, row.id, workflow, details, devices)
        told.waiting = max(row.planned - len(row.messages), 0)
        if row.run is not None:
            told.state = row.run.state.value
            told.goes_on_at = iso(row.run.wake_at) if row.run.wake_at else None
        return told

    def _waiting(self, item: Untried, details: _Details) -> DeviceExplained:
        integration = self.snapshot.integrations.get(item.integration_id)
        return DeviceExplained(
            state="waiting",
            message_id=item.send.message_id,
            device_id=self.device_ids.get(item.send.device_id),
            token=item.send.token,
            provider_id=integration.provider_id if integration else None,
            integration_identifier=integration.identifier if integration else None,
            title=item.message.title,
            body=item.message.body,
            presentation=_shown(item.message.presentation),
            tried_until=iso(item.ends_at),
            decisions=details.of_message(item.send.message_id),
        )

    def _device(self, message: MessageRow, details: _Details) -> DeviceExplained:
        integration = self.snapshot.integrations.get(message.integration_id)
        return DeviceExplained(
            state=_STATES[MessageStatus(message.status)],
            message_id=message.id,
            device_id=self.device_ids.get(message.device_id),
            token=message.token,
            provider_id=integration.provider_id if integration else None,
            integration_identifier=integration.identifier if integration else None,
            title=message.title,
            body=message.content,
            decisions=details.of_message(message.id),
            attempts=_attempts(message),
        )


_STATES: dict[MessageStatus, DeviceState] = {
    MessageStatus.PENDING: "pending",
    MessageStatus.DELIVERED: "delivered",
    MessageStatus.FAILED: "failed",
    MessageStatus.CANCELLED: "cancelled",
}


def _attempts(message: MessageRow) -> list[Attempt]:
    """All tries; the last one of a message that is tried again stands in its history already."""
    found = [
        _attempt(
            item.at,
            item.outcome,
            item.number,
            item.code,
            item.explanation,
            item.raw,
            item.provider_message_id,
        )
        for item in messages.tries(message.history)
    ]
    if message.status == MessageStatus.PENDING:
        return found
    asked = message.attempts if message.outcome != Outcome.NOT_SENT else 0
    said = (message.code, message.explanation, message.raw, message.provider_message_id)
    return [*found, _attempt(message.updated_at, message.outcome, asked, *said)]


def _attempt(
    at: Millis, outcome: str, number: int, code: str, explanation: str, raw: str, provider_message_id: str
) -> Attempt:
    return Attempt(iso(at), outcome, number or None, code, explanation, raw, provider_message_id)


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
