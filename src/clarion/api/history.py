"""Explains what was sent, each try with the provider's answer."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy.engine import Connection

from clarion.api.explained import (
    Attempt,
    Details,
    DeviceExplained,
    DeviceState,
    RecipientExplained,
    look_of,
    recipient_of,
    skipped,
)
from clarion.api.untried import Untried
from clarion.model.clock import Millis, iso
from clarion.model.outcome import MessageStatus, Outcome
from clarion.store import messages, registry
from clarion.store.activity import NotificationRow
from clarion.store.catalog import Snapshot
from clarion.store.message_log import MessageRow


class History(NamedTuple):
    """Explains what was sent."""

    snapshot: Snapshot
    device_ids: Mapping[int, str]

    @classmethod
    def of(cls, connection: Connection, snapshot: Snapshot, rows: Iterable[NotificationRow]) -> "History":
        """With the names of all devices that are told of."""
        pks = {message.device_id for row in rows for message in row.messages}
        pks |= {detail.device_id for row in rows for detail in row.details}
        return cls(snapshot, registry.ids_of(connection, pks - {0}))

    def recipient(self, row: NotificationRow, waiting: Sequence[Untried] = ()) -> RecipientExplained:
        """One recipient."""
        details = Details(row.details)
        devices = [(message.step_id, self._device(message, details)) for message in row.messages]
        devices += [(item.send.step_id, self._waiting(item, details)) for item in waiting]
        named = {device.message_id for _, device in devices}
        devices += skipped(self.device_ids, details, named)
        workflow = self.snapshot.workflows.get(row.trigger.workflow_id)
        told = recipient_of(row.subscriber.subscriber_id, row.id, workflow, details, devices)
        told.waiting = max(row.planned - len(row.messages), 0)
        if row.run is not None:
            told.state = row.run.state.value
            told.goes_on_at = iso(row.run.wake_at) if row.run.wake_at else None
        return told

    def _waiting(self, item: Untried, details: Details) -> DeviceExplained:
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
            presentation=look_of(item.message.presentation),
            tried_until=iso(item.ends_at),
            decisions=details.of_message(item.send.message_id),
        )

    def _device(self, message: MessageRow, details: Details) -> DeviceExplained:
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
