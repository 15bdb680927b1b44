"""Workflows, integrations, subscriptions, messages and broadcasts with the official Python SDK."""

import secrets
from typing import Any

import pytest
from novu_py import Novu, models

from clarion.testing.kit import EmulatorThread
from running import ClarionProcess, wait_for


@pytest.fixture
def person(clarion: ClarionProcess) -> str:
    """A subscriber with two phones under FCM: `phone-` and `tablet-` before their id."""
    name = f"person-{secrets.token_hex(4)}"
    tokens = {"providerId": "fcm", "credentials": {"deviceTokens": [f"phone-{name}", f"tablet-{name}"]}}
    with clarion.client as client:
        client.post("/v2/subscribers", json={"subscriberId": name}).raise_for_status()
        client.put(f"/v1/subscribers/{name}/credentials", json=tokens).raise_for_status()
    return name


def delivered(novu: Novu, transaction_id: str, count: int) -> list[Any]:
    """The messages of a transaction once that many have arrived."""

    def look() -> list[Any] | None:
        asked: Any = {"transaction_id": [transaction_id], "limit": 50}
        found = novu.messages.retrieve(request=asked).result.data
        return found if [item.status for item in found] == ["sent"] * count else None

    return wait_for(look, 15)


def test_a_workflow_is_made_replaced_patched_and_removed(novu: Novu) -> None:
    name = f"flow-{secrets.token_hex(4)}"
    step = {"name": "Push", "step_id": "push", "type": "push", "control_values": {"body": "b"}}
    given: Any = {"name": "Flow", "workflow_id": name, "active": True, "steps": [step]}
    made = novu.workflows.create(create_workflow_dto=given).result
    assert (made.workflow_id, made.status, len(made.steps)) == (name, "ACTIVE", 1)
    change: Any = {"name": "Flow 2", "active": True, "steps": [step], "preferences": {}}
    changed = novu.workflows.update(workflow_id=name, update_workflow_dto=change).result
    assert (changed.id, changed.name) == (made.id, "Flow 2")
    patched = novu.workflows.patch(workflow_id=name, patch_workflow_dto={"active": False}).result
    assert (patched.name, patched.status) == ("Flow 2", "INACTIVE")
    novu.workflows.delete(workflow_id=name)
    with pytest.raises(models.ErrorDto) as gone:
        novu.workflows.get(workflow_id=name)
    assert gone.value.data.status_code == 404


def test_an_integration_is_made_changed_listed_and_removed(novu: Novu, emulators: EmulatorThread) -> None:
    name = f"spare-{secrets.token_hex(4)}"
    account = {"service_account": emulators.service_account()}
    plain = {"name": "Spare", "identifier": name, "provider_id": "fcm", "channel": "push"}
    given: Any = {**plain, "credentials": account, "active": False}
    made = novu.integrations.create(create_integration_request_dto=given).result
    try:
        assert (made.identifier, made.active) == (name, False)
        assert name not in [item.identifier for item in novu.integrations.list_active().result]
        change: Any = {"name": "Spare 2"}
        changed = novu.integrations.update(
            integration_id=made.id or "", update_integration_request_dto=change
        ).result
        assert (changed.id, changed.name) == (made.id, "Spare 2")
    finally:
        left = novu.integrations.delete(integration_id=made.id or "").result
    assert name not in [item.identifier for item in left]


def test_a_subscription_is_read_and_named(novu: Novu, person: str) -> None:
    topic = f"topic-{person}"
    body: Any = {"subscriptions": [person]}
    calls = novu.topics.subscriptions
    made = calls.create(topic_key=topic, create_topic_subscriptions_request_dto=body).result
    identifier = made.data[0].identifier or ""
    change: Any = {"name": "Mine"}
    calls.update(topic_key=topic, identifier=identifier, update_topic_subscription_request_dto=change)
    found = calls.get_subscription(topic_key=topic, identifier=identifier).result
    assert (found.identifier, found.name) == (identifier, "Mine")
    assert novu.topics.get(topic_key=topic).result.key == topic


def test_messages_are_removed_singly_and_by_their_transaction(novu: Novu, person: str) -> None:
    request: Any = {"workflow_id": "welcome", "to": person, "payload": {"text": "gone"}}
    transaction = novu.trigger(trigger_event_request_dto=request).result.transaction_id or ""
    first, _ = delivered(novu, transaction, 2)
    assert novu.messages.delete(message_id=first.id).result.acknowledged
    with pytest.raises(models.ErrorDto) as gone:
        novu.messages.delete(message_id=first.id)
    assert gone.value.data.status_code == 404
    novu.messages.delete_by_transaction_id(transaction_id=transaction)
    left: Any = {"transaction_id": [transaction]}
    assert novu.messages.retrieve(request=left).result.data == []


def test_a_notification_is_read_as_it_was_listed(novu: Novu, person: str) -> None:
    request: Any = {"workflow_id": "welcome", "to": person, "payload": {"text": "told"}}
    transaction = novu.trigger(trigger_event_request_dto=request).result.transaction_id or ""
    delivered(novu, transaction, 2)
    asked: Any = {"transaction_id": transaction}

    def ended() -> Any:
        (row,) = novu.notifications.list(request=asked).result.data
        return row if row.jobs and row.jobs[-1].status == "completed" else None

    listed = wait_for(ended, 15)
    assert novu.notifications.retrieve(notification_id=listed.id).result == listed


def test_a_broadcast_reaches_a_subscriber_it_does_not_name(
    novu: Novu, person: str, emulators: EmulatorThread
) -> None:
    text = f"all-{secrets.token_hex(4)}"
    request: Any = {"name": "welcome", "payload": {"text": text}}
    sent = novu.trigger_broadcast(trigger_event_to_all_request_dto=request).result
    try:
        assert (sent.acknowledged, sent.status) == (True, "processed")
        (push,) = wait_for(lambda: emulators.shown(f"phone-{person}") or None, 15)
        assert push.body == text
    finally:
        # What other tests' broken devices keep waiting must not stay behind.
        novu.cancel(transaction_id=sent.transaction_id or "")
