"""Contexts with the official Python SDK."""

import secrets
from typing import Any

import pytest
from novu_py import Novu, models

from clarion.testing.kit import EmulatorThread
from running import ClarionProcess, wait_for

STRICT: Any = None
"""For `retries`: an error is looked at, never tried again."""


@pytest.fixture
def acme() -> str:
    return f"acme-{secrets.token_hex(4)}"


def fcm(token: str) -> Any:
    return [{"provider_id": "fcm", "credentials": {"device_tokens": [token]}}]


def test_a_context_is_made_read_changed_listed_and_removed(novu: Novu, acme: str) -> None:
    given: Any = {"type": "tenant", "id": acme, "data": {"name": "Acme"}}
    made = novu.contexts.create(create_context_request_dto=given).result
    assert (made.type, made.id, made.data) == ("tenant", acme, {"name": "Acme"})
    with pytest.raises(models.ErrorDto) as taken:
        novu.contexts.create(create_context_request_dto=given, retries=STRICT)
    assert taken.value.data.status_code == 409
    assert novu.contexts.retrieve(id=acme, type_="tenant").result == made
    change: Any = {"data": {"name": "Acme 2"}}
    changed = novu.contexts.update(id=acme, type_="tenant", update_context_request_dto=change).result
    assert changed.data == {"name": "Acme 2"}
    asked: Any = {"id": acme, "limit": 5}
    page = novu.contexts.list(request=asked).result
    assert ([item.id for item in page.data], page.total_count, page.next) == ([acme], 1, None)
    novu.contexts.delete(id=acme, type_="tenant")
    with pytest.raises(models.ErrorDto) as gone:
        novu.contexts.retrieve(id=acme, type_="tenant", retries=STRICT)
    assert gone.value.data.status_code == 404


def test_what_a_trigger_sends_in_a_context_is_found_by_it(
    novu: Novu, clarion: ClarionProcess, emulators: EmulatorThread, acme: str
) -> None:
    person, token = f"person-{acme}", f"phone-{acme}"
    request: Any = {
        "workflow_id": "welcome",
        "to": {"subscriber_id": person, "channels": fcm(token)},
        "payload": {"text": "hi"},
        "context": {"tenant": {"id": acme, "data": {"name": "Acme"}}, "app": "crm"},
    }
    novu.trigger(trigger_event_request_dto=request)
    keys = [f"tenant:{acme}", "app:crm"]

    def found() -> Any:
        asked: Any = {"context_keys": keys}
        return novu.messages.retrieve(request=asked).result.data or None

    (message,) = wait_for(found, 10)
    assert token in [arrived.token for arrived in emulators.messages()]
    assert message.context_keys == sorted(keys)
    asked: Any = {"context_keys": keys}
    (row,) = novu.notifications.list(request=asked).result.data
    assert (row.transaction_id, row.context_keys) == (message.transaction_id, sorted(keys))
    assert novu.contexts.retrieve(id=acme, type_="tenant").result.data == {"name": "Acme"}


def test_preferences_are_chosen_in_a_context(novu: Novu, acme: str) -> None:
    person = f"person-{acme}"
    given: Any = {"subscriber_id": person}
    novu.subscribers.create(create_subscriber_request_dto=given)
    change: Any = {"channels": {"push": False}, "context": {"tenant": acme}}
    changed = novu.subscribers.preferences.update(
        subscriber_id=person, patch_subscriber_preferences_dto=change
    ).result
    assert changed.global_.channels.push is False

    def push(*keys: str) -> Any:
        call = novu.subscribers.preferences.list
        return call(subscriber_id=person, context_keys=[*keys]).result.global_.channels.push

    assert (push(), push(f"tenant:{acme}"), push(f"tenant:{acme}", "app:crm")) == (True, False, True)


def test_a_subscription_of_a_context_wants_what_it_says(
    novu: Novu, clarion: ClarionProcess, emulators: EmulatorThread, acme: str
) -> None:
    person, token, topic = f"person-{acme}", f"phone-{acme}", f"topic-{acme}"
    with clarion.client as client:
        channels = [{"providerId": "fcm", "credentials": {"deviceTokens": [token]}}]
        body = {"subscriberId": person, "channels": channels}
        client.post("/v2/subscribers", json=body).raise_for_status()
    rule = {"==": [{"var": "payload.text"}, "wanted"]}
    given: Any = {
        "subscriptions": [person],
        "context": {"tenant": acme},
        "preferences": [{"workflow_id": "welcome", "condition": rule}],
    }
    create = novu.topics.subscriptions.create
    (made,) = create(topic_key=topic, create_topic_subscriptions_request_dto=given).result.data
    assert made.context_keys == [f"tenant:{acme}"]
    asked: Any = {"topic_key": topic, "context_keys": [f"tenant:{acme}"]}
    (listed,) = novu.topics.subscriptions.list(request=asked).result.data
    assert listed.identifier == made.identifier
    one: Any = novu.topics.subscriptions.get_subscription(topic_key=topic, identifier=made.identifier).result
    assert [(item.workflow.identifier, item.condition) for item in one.preferences] == [("welcome", rule)]
    for text, context in (("unwanted", {"tenant": acme}), ("wanted", {}), ("wanted", {"tenant": acme})):
        request: Any = {
            "workflow_id": "welcome",
            "to": {"type": "Topic", "topic_key": topic},
            "payload": {"text": text},
            "context": context,
        }
        novu.trigger(trigger_event_request_dto=request)

    def received() -> Any:
        return [item.message for item in emulators.messages() if item.token == token] or None

    (message,) = wait_for(received, 15)
    assert message["notification"]["body"] == "wanted"
    change: Any = {"preferences": []}
    changed = novu.topics.subscriptions.update(
        topic_key=topic, identifier=made.identifier, update_topic_subscription_request_dto=change
    ).result
    assert not changed.preferences
