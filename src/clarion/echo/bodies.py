"""What a webhook says: the envelope that Novu's receivers know, and in it what the event is about."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from clarion.model.clock import iso
from clarion.model.context import keys_in
from clarion.model.ids import derived_id
from clarion.model.outcome import Outcome
from clarion.model.people import Subscriber
from clarion.model.webhook import (
    DEVICE_RETIRED,
    MESSAGE_DELIVERED,
    MESSAGE_FAILED,
    MESSAGE_READ,
    MESSAGE_SEEN,
    Event,
    happened,
)
from clarion.store import message_log, subscribers
from clarion.store.catalog import Snapshot
from clarion.store.message_log import MessageRow
from clarion.store.registry import Retired

Json = dict[str, Any]

TOKEN_INVALID, GENERIC = "token_invalid", "generic_error"


def bodies(
    connection: Connection, snapshot: Snapshot, environment_id: str, events: Sequence[Event]
) -> dict[str, str]:
    """The body of each event, by its id; none for one whose message is gone with its environment."""
    rows = _messages(connection, environment_id, events)
    people = subscribers.by_pk(connection, {row.subscriber_pk for row in rows.values()})
    found: dict[str, str] = {}
    for event in events:
        data = event.data
        if event.message_id:
            row = rows.get(event.message_id)
            if row is None:
                continue
            data = _data(snapshot, event, row, people.get(row.subscriber_pk))
        found[event.id] = envelope(snapshot, environment_id, event, data)
    return found


def envelope(snapshot: Snapshot, environment_id: str, event: Event, data: Json) -> str:
    """An event as it goes out, in the bytes that are signed."""
    environment = snapshot.environments.get(environment_id)
    body = {
        "id": event.id,
        "type": event.type,
        "object": event.type.partition(".")[0],
        "data": data,
        "timestamp": iso(event.at),
        "environmentId": environment.identifier if environment else environment_id,
    }
    return msgspec.json.encode(body).decode()


def _messages(
    connection: Connection, environment_id: str, events: Iterable[Event]
) -> Mapping[str, MessageRow]:
    ids = {event.message_id for event in events if event.message_id}
    return {row.id: row for row in message_log.messages_named(connection, environment_id, ids)}


def _data(snapshot: Snapshot, event: Event, row: MessageRow, person: Subscriber | None) -> Json:
    if event.type == DEVICE_RETIRED:
        return {"object": _device(snapshot, event, row, person)}
    data: Json = {"object": _message(snapshot, event, row, person)}
    if person:
        data["subscriberId"] = person.subscriber_id
    if event.type == MESSAGE_FAILED:
        reason = TOKEN_INVALID if row.outcome == Outcome.TOKEN_DEAD else GENERIC
        push = {"reason": reason, "deviceToken": row.token}
        data["error"] = {"push": push, "message": row.explanation}
    return data


def _message(snapshot: Snapshot, event: Event, row: MessageRow, person: Subscriber | None) -> Json:
    """The message as the event left it, which may be less than is known by now."""
    workflow = snapshot.workflows.get(row.workflow_id)
    integration = snapshot.integrations.get(row.integration_id)
    failed, at = event.type == MESSAGE_FAILED, iso(event.at)
    read = event.type == MESSAGE_READ
    seen = read or event.type == MESSAGE_SEEN
    shown = {
        "_id": row.id,
        "_templateId": row.workflow_id,
        "_environmentId": row.environment_id,
        "_organizationId": snapshot.organization_id,
        "_notificationId": row.notification_id,
        "_subscriberId": person.id if person else None,
        "subscriberId": person.subscriber_id if person else None,
        "templateIdentifier": workflow.workflow_id if workflow else None,
        "workflowId": workflow.workflow_id if workflow else None,
        "stepId": row.step_id,
        "transactionId": row.transaction_id,
        "channel": "push",
        "providerId": integration.provider_id if integration else None,
        "integrationIdentifier": integration.identifier if integration else None,
        "deviceToken": None if failed else row.token,
        "providerResponseId": row.provider_message_id or None,
        "status": "error" if failed else "sent",
        "errorId": row.code if failed else None,
        "errorText": row.explanation if failed else None,
        "seen": seen,
        "read": read,
        "archived": False,
        "lastSeenDate": at if seen else None,
        "lastReadDate": at if read else None,
        "deliveredAt": [at] if event.type == MESSAGE_DELIVERED else None,
        "contextKeys": keys_in(row.scope),
        "createdAt": iso(row.created_at),
        "updatedAt": at,
    }
    return {name: value for name, value in shown.items() if value is not None}


def retired_event(snapshot: Snapshot, item: Retired) -> Event:
    """That a device was retired, where it isn't a message that tells."""
    shown = _retired(snapshot, item, None)
    return happened(DEVICE_RETIRED, shown, derived_id(item.integration_id, str(item.pk)), item.at)


def _device(snapshot: Snapshot, event: Event, row: MessageRow, person: Subscriber | None) -> Json:
    name = person.subscriber_id if person else None
    item = Retired(row.device_id, row.integration_id, row.token, name, event.at, row.code)
    return _retired(snapshot, item, row.id)


def _retired(snapshot: Snapshot, item: Retired, message_id: str | None) -> Json:
    integration = snapshot.integrations.get(item.integration_id)
    shown = {
        "deviceToken": item.token,
        "subscriberId": item.subscriber_id,
        "_integrationId": item.integration_id,
        "integrationIdentifier": integration.identifier if integration else None,
        "providerId": integration.provider_id if integration else None,
        "reason": item.reason,
        "_messageId": message_id,
        "retiredAt": iso(item.at),
    }
    return {name: value for name, value in shown.items() if value is not None}
