"""What an explanation is made of, whether of what was sent or of what would be."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from clarion.model.clock import iso
from clarion.model.push import CONTROLS, Json, Presentation
from clarion.model.trace import EVENTS, Detail, Event
from clarion.model.trigger import Trigger
from clarion.model.workflow import Workflow
from clarion.store.catalog import Snapshot

DeviceState = Literal["would be sent", "waiting", "pending", "delivered", "failed", "cancelled", "skipped"]


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


Placed = tuple[str, DeviceExplained]
"""A device with the step it is a part of."""


class Details:
    """The lines of a trace by what they are about."""

    def __init__(self, details: Sequence[Detail]) -> None:
        self._details = details

    def of_recipient(self) -> list[Decision]:
        """About the recipient as a whole."""
        return [decision(item) for item in self._details if not item.step_id]

    def of_step(self, step_id: str) -> list[Decision]:
        """About a step, and none of its messages."""
        mine = (item for item in self._details if item.step_id == step_id and not item.message_id)
        return [decision(item) for item in mine]

    def of_message(self, message_id: str) -> list[Decision]:
        """About one message."""
        return [decision(item) for item in self._details if item.message_id == message_id]

    def steps(self) -> Iterator[str]:
        """Every step that is told of."""
        return (item.step_id for item in self._details if item.step_id)

    def messages(self) -> dict[str, Detail]:
        """The last line of each message."""
        return {item.message_id: item for item in self._details if item.message_id}


def decision(detail: Detail) -> Decision:
    """A line of a trace."""
    event = EVENTS[detail.event]
    return Decision(event.code, event.text, iso(detail.at), detail.provider_id or None, detail.raw)


def headed(snapshot: Snapshot, trigger: Trigger) -> Explanation:
    """An explanation that tells of nobody yet."""
    workflow = snapshot.workflows.get(trigger.workflow_id)
    return Explanation(
        transaction_id=trigger.transaction_id,
        workflow_id=workflow.workflow_id if workflow else None,
        accepted_at=iso(trigger.accepted_at),
        recipients=[],
    )


def recipient_of(
    subscriber_id: str,
    notification_id: str,
    workflow: Workflow | None,
    details: Details,
    devices: Sequence[Placed],
) -> RecipientExplained:
    """One recipient, with the steps in the order of their workflow."""
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


def skipped(device_ids: Mapping[int, str], details: Details, sent: set[str]) -> list[Placed]:
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


def look_of(look: Presentation) -> Json:
    """How a push looks, by the names of a step's controls."""
    given = {control: getattr(look, field) for control, field in CONTROLS.items()}
    return {control: value for control, value in given.items() if value not in (None, False)}
