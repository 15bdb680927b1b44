"""Triggers: one, many, everybody, and taking one back."""

import asyncio
from typing import Any

import pytest

from calling import Api, Caller, Json, data, error

ONE, BULK, ALL = "/v1/events/trigger", "/v1/events/trigger/bulk", "/v1/events/trigger/broadcast"
CHANNEL = {"providerId": "push-webhook", "credentials": {"deviceTokens": ["phone"]}}
SCHEMA: Json = {
    "type": "object",
    "required": ["order"],
    "properties": {
        "order": {"type": "string"},
        "style": {"default": "plain"},
        "shop": {"type": "object", "properties": {"name": {"type": "string", "default": "Main"}}},
    },
}


@pytest.fixture(autouse=True)
async def welcome(dev: Caller) -> None:
    """A workflow that is ready to be triggered."""
    await dev.workflow()


async def triggered(dev: Caller, to: object = "ada", name: str = "welcome", **more: Any) -> Json:
    answer: Json = data(await dev.post(ONE, {"name": name, "to": to, **more}), 201)
    assert answer["acknowledged"] is True
    return answer


async def fields(dev: Caller, path: str = ONE, **body: Any) -> list[str]:
    """The fields that a trigger is refused for."""
    given = {"name": "welcome", "to": "ada", "payload": {}, **body}
    refused = error(await dev.post(path, {name: value for name, value in given.items() if value != ...}), 400)
    assert refused["type"] == "PAYLOAD_VALIDATION_ERROR"
    return [issue["field"] for issue in refused["errors"]]


async def recipients(api: Api, transaction_id: str) -> list[str]:
    """Who is notified by a trigger, once it has gone out."""
    await api.deliver()
    query = {"transactionId": transaction_id, "limit": 50}
    rows = (await api.development.get("/v1/notifications", **query)).json()["data"]
    return sorted(row["subscriber"]["subscriberId"] for row in rows)


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("ada", ["ada"]),
        ({"subscriberId": "ada", "firstName": "Ada"}, ["ada"]),
        ({"subscriberId": "ada", "type": "Subscriber"}, ["ada"]),
        ({"subscriberId": "ada", "channels": [CHANNEL]}, ["ada"]),
        (["ada", "bob"], ["ada", "bob"]),
        (["ada", {"subscriberId": "bob"}], ["ada", "bob"]),
        (["ada", "ada", {"subscriberId": "ada"}], ["ada"]),
        ({"type": "Topic", "topicKey": "news"}, ["eve", "joe"]),
        ({"type": "Topic", "topicKey": "news", "exclude": ["joe"]}, ["eve"]),
        (["ada", {"type": "Topic", "topicKey": "news"}, "joe"], ["ada", "eve", "joe"]),
    ],
)
async def test_every_form_of_recipients_is_reached(api: Api, to: object, expected: list[str]) -> None:
    await api.development.integration()
    for name in ("joe", "eve"):
        await api.development.subscriber(name)
    topic = "/v2/topics/news/subscriptions"
    response = await api.development.post(topic, {"subscriptions": ["joe", "eve"]})
    assert response.status_code == 201
    answer = await triggered(api.development, to)
    assert answer["status"] == "processed"
    assert await recipients(api, answer["transactionId"]) == expected


async def test_a_recipient_is_created_and_changed_by_the_trigger(api: Api) -> None:
    dev = api.development
    await dev.integration()
    await dev.subscriber("ada", lastName="Lovelace", email="ada@example.com")
    await triggered(dev, {"subscriberId": "ada", "firstName": "Ada", "email": None, "channels": [CHANNEL]})
    await api.deliver()
    found = data(await dev.get("/v2/subscribers/ada"))
    assert (found["firstName"], found["lastName"], "email" in found) == ("Ada", "Lovelace", False)
    assert found["channels"][0]["credentials"]["deviceTokens"] == ["phone"]


async def test_the_transaction_id_is_the_callers_or_a_new_one(dev: Caller) -> None:
    assert (await triggered(dev, transactionId="mine"))["transactionId"] == "mine"
    generated = {(await triggered(dev, **given))["transactionId"] for given in ({}, {"transactionId": ""})}
    assert len(generated) == 2
    assert all(name.startswith("txn_") for name in generated)


async def test_a_transaction_id_sent_again_is_processed_again_and_does_nothing(api: Api) -> None:
    await api.development.integration()
    for to in ("ada", "bob"):
        answer = await triggered(api.development, to, transactionId="mine")
        assert (answer["status"], answer["transactionId"]) == ("processed", "mine")
    assert await recipients(api, "mine") == ["ada"]


async def test_what_cannot_start_says_why_with_201_and_a_transaction(dev: Caller) -> None:
    await dev.workflow("off", active=False)
    await dev.workflow("empty", steps=[])
    for path, name, to, status in (
        (ONE, "off", "ada", "trigger_not_active"),
        (ONE, "empty", "ada", "no_workflow_steps_defined"),
        (ONE, "welcome", [], "invalid_recipients"),
        (ALL, "off", None, "trigger_not_active"),
        (ALL, "empty", None, "no_workflow_steps_defined"),
    ):
        body: Json = {"name": name, "to": to, "payload": {}, "transactionId": "mine"}
        answer = data(await dev.post(path, body), 201)
        assert answer == {"acknowledged": True, "status": status, "transactionId": "mine"}
    assert data(await dev.delete(f"{ONE}/mine")) is False


async def test_an_unknown_workflow_is_422(dev: Caller) -> None:
    for path in (ONE, ALL):
        for name in ("unknown", ""):
            body = error(await dev.post(path, {"name": name, "to": "ada", "payload": {}}), 422)
            assert (body["message"], body["errors"]) == ("workflow_not_found", {})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"to": ""}, "to"),
        ({"to": ["ada", " "]}, "to.1"),
        ({"to": {"firstName": "Ada"}}, "to.subscriberId"),
        ({"to": ["ada", {"firstName": "Ada"}]}, "to.1.subscriberId"),
        ({"to": "x" * 513}, "to"),
        ({"to": 5}, "to"),
        ({"to": [["ada"]]}, "to.0"),
        ({"to": {"subscriberId": "ada", "firstName": 5}}, "to.firstName"),
        ({"to": {"type": "Topic"}}, "to.topicKey"),
        ({"to": {"subscriberId": "ada", "channels": [{**CHANNEL, "providerId": "x"}]}}, "to.providerId"),
        (
            {"to": {"subscriberId": "ada", "channels": [{**CHANNEL, "credentials": {"deviceTokens": [""]}}]}},
            "to.credentials.deviceTokens",
        ),
        ({"to": [f"s{number}" for number in range(101)]}, "to"),
        ({"payload": "text"}, "payload"),
        ({"overrides": []}, "overrides"),
        ({"transactionId": 5}, "transactionId"),
        ({"transactionId": "x" * 513}, "transactionId"),
        ({"actor": ""}, "actor"),
        ({"name": 5}, "name"),
        ({"to": ...}, "body"),
        ({"name": ...}, "body"),
    ],
)
async def test_a_wrong_body_is_400_and_names_the_field(dev: Caller, body: Json, field: str) -> None:
    assert await fields(dev, **body) == [field]


async def test_a_broadcast_needs_a_payload(dev: Caller) -> None:
    assert await fields(dev, ALL, payload=...) == ["body"]
    assert await fields(dev, ALL, payload=None) == ["payload"]


async def test_a_hundred_recipients_are_the_most(api: Api) -> None:
    names = [f"s{number}" for number in range(100)]
    assert (await triggered(api.development, names))["status"] == "processed"


async def test_what_the_sdks_may_send_beside_is_taken(dev: Caller) -> None:
    beside: Json = {
        "payload": None,
        "overrides": {"providers": {"fcm": {"android": {}}}, "severity": "high"},
        "actor": {"subscriberId": "bob", "firstName": "Bob"},
        "tenant": {"identifier": "t", "data": {}},
        "context": {"app": "x", "region": {"id": "r"}},
        "bridgeUrl": "https://example.com",
        "agentId": None,
        "unknown": 1,
    }
    assert (await triggered(dev, **beside))["status"] == "processed"
    assert (await triggered(dev, actor="bob", tenant="t"))["status"] == "processed"


async def test_a_broadcast_reaches_every_subscriber(api: Api) -> None:
    await api.development.integration()
    for name in ("ada", "bob"):
        await api.development.subscriber(name)
    answer = data(await api.development.post(ALL, {"name": "welcome", "payload": {}}), 201)
    assert answer["status"] == "processed"
    assert await recipients(api, answer["transactionId"]) == ["ada", "bob"]


@pytest.mark.parametrize("path", [ONE, ALL])
async def test_a_payload_that_breaks_the_schema_is_400_and_names_the_field(dev: Caller, path: str) -> None:
    data(await dev.patch("/v2/workflows/welcome", {"payloadSchema": SCHEMA, "validatePayload": True}))
    assert await fields(dev, path, payload={"order": 5}) == ["order"]
    assert await fields(dev, path, payload={"order": "1", "shop": {"name": 1}}) == ["shop.name"]
    assert await fields(dev, path, payload={}) == ["payload"]
    assert data(await dev.delete(f"{ONE}/mine")) is False


@pytest.mark.parametrize(
    ("schema", "payload"),
    [
        ({"properties": {"code": {"pattern": "^(a|aa)+$"}}}, {"code": "a" * 60 + "!"}),
        ({"patternProperties": {"^(a|aa)+$": {}}, "additionalProperties": False}, {"a" * 60 + "!": 1}),
    ],
)
async def test_a_pattern_that_would_take_for_ever_is_400_and_holds_nobody_up(
    dev: Caller, schema: Json, payload: Json
) -> None:
    data(await dev.patch("/v2/workflows/welcome", {"payloadSchema": schema, "validatePayload": True}))
    costly = asyncio.create_task(dev.post(ONE, {"name": "welcome", "to": "ada", "payload": payload}))
    besides = 0
    while not costly.done():
        assert (await dev.get("/v2/workflows/welcome")).status_code == 200
        besides += 1
    refused = error(await costly, 400)
    assert refused["type"] == "PAYLOAD_VALIDATION_ERROR"
    (issue,) = refused["errors"]
    assert issue["field"] == "payload"
    assert issue["message"] == "takes too long to match '^(a|aa)+$': simplify the pattern"
    assert besides > 3


async def test_a_bulk_goes_on_past_an_event_that_takes_too_long(dev: Caller) -> None:
    await dev.workflow(
        "slow", payloadSchema={"propertyNames": {"pattern": "^(a|aa)+$"}}, validatePayload=True
    )
    costly = {"name": "slow", "to": "ada", "payload": {"a" * 60 + "!": 1}}
    answers = data(await dev.post(BULK, {"events": [costly, {"name": "welcome", "to": "ada"}]}), 201)
    assert [answer["status"] for answer in answers] == ["error", "processed"]
    assert "simplify the pattern" in answers[0]["error"][0]


async def test_a_schema_is_not_applied_unless_asked_for(dev: Caller) -> None:
    data(await dev.patch("/v2/workflows/welcome", {"payloadSchema": SCHEMA}))
    assert (await triggered(dev, payload={"order": 5}))["status"] == "processed"


async def test_the_defaults_of_the_schema_fill_the_payload(api: Api) -> None:
    dev = api.development
    data(await dev.patch("/v2/workflows/welcome", {"payloadSchema": SCHEMA, "validatePayload": True}))
    await triggered(dev, payload={"order": "1", "shop": {}}, transactionId="mine")
    await api.deliver()
    (row,) = (await dev.get("/v1/notifications", transactionId="mine")).json()["data"]
    assert row["payload"] == {"order": "1", "style": "plain", "shop": {"name": "Main"}}


async def test_each_event_of_a_bulk_gets_its_own_answer(api: Api) -> None:
    dev = api.development
    await dev.workflow("off", active=False)
    schema = {"payloadSchema": SCHEMA, "validatePayload": True}
    await dev.workflow("strict", **schema)
    events: list[Any] = [
        {"name": "welcome", "to": "ada", "transactionId": "good"},
        {"name": "off", "to": "ada", "transactionId": "off"},
        {"name": "unknown", "to": "ada", "transactionId": "unknown"},
        {"name": "welcome", "transactionId": "nobody"},
        {"name": "welcome", "to": "", "transactionId": "blank"},
        {"name": "strict", "to": "ada", "payload": {"order": 5}, "transactionId": "strict"},
        {"name": "welcome", "to": "ada", "payload": {"n": 10**30}, "transactionId": "huge"},
        "no event",
        {"name": "welcome", "to": "bob", "transactionId": "last"},
    ]
    answers = data(await dev.post(BULK, {"events": events}), 201)
    statuses = [answer["status"] for answer in answers]
    assert statuses == ["processed", "trigger_not_active", *["error"] * 6, "processed"]
    assert [answer["transactionId"] for answer in answers if answer is not answers[7]] == [
        event["transactionId"] for event in events if isinstance(event, dict)
    ]
    reasons = [" ".join(answer["error"]) for answer in answers[2:8]]
    for reason, word in zip(
        reasons, ("workflow_not_found", "`to`", "to must", "order 5 is", "64 bits", "object"), strict=True
    ):
        assert word in reason
    assert await recipients(api, "good") == ["ada"]
    assert await recipients(api, "last") == ["bob"]


async def test_an_event_that_cannot_be_read_fails_alone(dev: Caller) -> None:
    content = (
        b'{"events":[{"name":"welcome","to":"ada","payload":{"n":1e999},"transactionId":"huge"},'
        b'{"name":"\xff","to":"ada","transactionId":"bytes"},{"name":"welcome","to":"ada"}]}'
    )
    answers = data(await dev.call("POST", BULK, content=content), 201)
    assert [answer["status"] for answer in answers] == ["error", "error", "processed"]
    assert [answer["transactionId"] for answer in answers[:2]] == ["huge", "bytes"]


async def test_a_bulk_holds_1_to_100_events(dev: Caller) -> None:
    event = {"name": "welcome", "to": "ada"}
    for count in (0, 101):
        refused = error(await dev.post(BULK, {"events": [event] * count}), 400)
        assert [issue["field"] for issue in refused["errors"]] == ["events"]
    answers = data(await dev.post(BULK, {"events": [event] * 100}), 201)
    assert len({answer["transactionId"] for answer in answers}) == 100


@pytest.mark.parametrize("body", [{}, {"events": None}, {"events": {}}, []])
async def test_a_bulk_without_a_list_is_400(dev: Caller, body: object) -> None:
    error(await dev.post(BULK, body), 400)


async def test_a_trigger_is_cancelled_once(api: Api) -> None:
    dev = api.development
    await dev.integration()
    await triggered(dev, {"subscriberId": "ada", "channels": [CHANNEL]}, transactionId="mine")
    assert data(await dev.delete(f"{ONE}/mine")) is True
    await api.deliver()
    assert data(await dev.delete(f"{ONE}/mine")) is False
    messages = (await dev.get("/v1/messages", transactionId="mine")).json()["data"]
    assert all(message["status"] != "sent" for message in messages)


async def test_what_went_out_or_never_was_is_not_cancelled(api: Api) -> None:
    dev = api.development
    await dev.integration()
    await triggered(dev, {"subscriberId": "ada", "channels": [CHANNEL]}, transactionId="mine")
    await api.deliver()
    for name in ("mine", "unknown", "x" * 513, "%2F", "a%00b"):
        assert data(await dev.delete(f"{ONE}/{name}")) is False


async def test_a_whole_number_of_more_than_64_bits_is_refused(dev: Caller) -> None:
    for path in (ONE, ALL):
        body = {"name": "welcome", "to": "ada", "payload": {"n": 2**64}}
        assert "64 bits" in error(await dev.post(path, body), 400)["message"]
