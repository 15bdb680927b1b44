"""Explains what a trigger would come to."""

from clarion.address.rehearsal import Due, Rehearsed
from clarion.api.explained import (
    Details,
    DeviceExplained,
    Explanation,
    RecipientExplained,
    decision,
    headed,
    look_of,
    recipient_of,
    skipped,
)
from clarion.model.clock import iso
from clarion.model.push import stated, with_own
from clarion.model.trace import Detail, Event
from clarion.model.trigger import Trigger
from clarion.store.catalog import Snapshot
from clarion.workflow.plan import Decided


def foretold(snapshot: Snapshot, trigger: Trigger, found: Rehearsed) -> Explanation:
    """What a trigger would come to, for the answer of a dry run."""
    told = headed(snapshot, trigger)
    told.has_more = found.more
    if found.known:
        told.decisions = [decision(Detail(Event.TRANSACTION_KNOWN.code, trigger.accepted_at))]
    told.recipients = [_foretold_recipient(snapshot, found, item) for item in found.decided]
    return told


def _foretold_recipient(snapshot: Snapshot, found: Rehearsed, decided: Decided) -> RecipientExplained:
    composed = decided.composed
    details = Details(composed.details)
    devices = [
        _foretold_device(snapshot, found, found.due[item.message_id], details) for item in composed.planned
    ]
    devices += skipped(found.device_ids, details, {device.message_id for _, device in devices})
    workflow = snapshot.workflows.get(decided.trigger.workflow_id)
    return recipient_of(decided.subscriber.subscriber_id, composed.id, workflow, details, devices)


def _foretold_device(
    snapshot: Snapshot, found: Rehearsed, due: Due, details: "Details"
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
        presentation=look_of(message.presentation),
        payload=message.payload,
        overrides=stated(
            provider=message.legacy, providers=message.override, passthrough=message.passthrough
        ),
        send_at=iso(due.at),
        tried_until=iso(due.ends_at),
        decisions=details.of_message(planned.message_id),
    )
