"""Topics with the official Python SDK: members are reached once, however many ways lead to them."""

import secrets
from typing import Any

import pytest
from novu_py import Novu, models

from clarion.testing.kit import EmulatorThread
from running import ClarionProcess, wait_for


@pytest.fixture
def topic() -> str:
    return f"orders-{secrets.token_hex(4)}"


@pytest.fixture
def members(clarion: ClarionProcess, topic: str) -> dict[str, str]:
    """Five subscribers, each with one device: id → token."""
    people = {f"{topic}-{n}": f"phone-{secrets.token_hex(8)}" for n in range(5)}
    entries = [
        {
            "subscriberId": name,
            "channels": [{"providerId": "fcm", "credentials": {"deviceTokens": [token]}}],
        }
        for name, token in people.items()
    ]
    with clarion.client as client:
        client.post("/v1/subscribers/bulk", json={"subscribers": entries}).raise_for_status()
    return people


def subscribe(novu: Novu, topic: str, names: list[str]) -> Any:
    body: Any = {"subscriptions": names}
    call = novu.topics.subscriptions.create
    return call(topic_key=topic, create_topic_subscriptions_request_dto=body).result


def received(emulators: EmulatorThread, token: str) -> int:
    return [message.token for message in emulators.messages()].count(token)


def test_everybody_in_two_topics_and_by_name_is_reached_once(
    novu: Novu, topic: str, members: dict[str, str], emulators: EmulatorThread
) -> None:
    first, second, third, fourth, fifth = members
    other = f"{topic}-other"
    subscribe(novu, topic, [first, second, third, fourth])
    subscribe(novu, other, [second, third, fifth])
    request: Any = {
        "workflow_id": "welcome",
        "to": [
            first,
            {"type": "Topic", "topic_key": topic, "exclude": [third]},
            {"type": "Topic", "topic_key": other, "exclude": [third]},
            {"type": "Topic", "topic_key": "nobody-made-this"},
        ],
        "actor": fifth,
        "payload": {"text": "news"},
        "transaction_id": f"txn-{topic}",
    }
    assert novu.trigger(trigger_event_request_dto=request).result.status == "processed"
    reached = (first, second, fourth)
    wait_for(lambda: all(received(emulators, members[name]) for name in reached) or None, 15)

    def done() -> Any:
        rows = novu.notifications.list(request={"transaction_id": f"txn-{topic}", "limit": 50}).result.data
        ended = [row for row in rows if row.jobs and row.jobs[-1].status == "completed"]
        return rows if len(ended) == 3 else None

    assert {row.to["subscriberId"] for row in wait_for(done, 15)} == set(reached)
    assert {name: received(emulators, token) for name, token in members.items()} == {
        first: 1,
        second: 1,
        third: 0,
        fourth: 1,
        fifth: 0,
    }


def test_subscriptions_are_listed_told_apart_and_ended(
    novu: Novu, topic: str, members: dict[str, str]
) -> None:
    first, second, *_ = members
    made = subscribe(novu, topic, [first, second, "a stranger"])
    assert (made.meta.successful, made.meta.failed) == (2, 1)
    assert made.errors[0].subscriber_id == "a stranger"
    again = subscribe(novu, topic, [first])
    assert again.data[0].id == made.data[0].id
    page = novu.topics.subscriptions.list(request={"topic_key": topic, "limit": 1}).result
    assert (len(page.data), page.total_count) == (1, 2)
    rest: Any = {"topic_key": topic, "limit": 5, "after": page.next}
    names = {
        item.subscriber.subscriber_id for item in novu.topics.subscriptions.list(request=rest).result.data
    }
    assert names | {page.data[0].subscriber.subscriber_id} == {first, second}
    theirs = novu.subscribers.topics.list(request={"subscriber_id": first}).result
    assert [item.topic.key for item in theirs.data] == [topic]
    ended = novu.topics.subscriptions.delete(
        topic_key=topic, delete_topic_subscriptions_request_dto={"subscriptions": [first]}
    ).result
    assert (ended.meta.successful, ended.meta.failed) == (1, 0)
    member = novu.topics.subscribers.retrieve(topic_key=topic, external_subscriber_id=second).result
    assert member.external_subscriber_id == second
    with pytest.raises(models.ErrorDto):
        novu.topics.subscribers.retrieve(topic_key=topic, external_subscriber_id=first)


def test_a_topic_is_made_renamed_and_removed(novu: Novu, topic: str) -> None:
    made = novu.topics.create(create_update_topic_request_dto={"key": topic, "name": "Orders"}).result
    assert (made.key, made.name) == (topic, "Orders")
    renamed = novu.topics.create(create_update_topic_request_dto={"key": topic, "name": "All"}).result
    assert (renamed.id, renamed.name) == (made.id, "All")
    changed = novu.topics.update(topic_key=topic, update_topic_request_dto={"name": "Every"}).result
    assert changed.name == "Every"
    assert [item.key for item in novu.topics.list(request={"key": topic}).result.data] == [topic]
    assert novu.topics.delete(topic_key=topic).result.acknowledged
    with pytest.raises(models.ErrorDto) as gone:
        novu.topics.get(topic_key=topic)
    assert gone.value.data.status_code == 404
