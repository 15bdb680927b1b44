"""What a dry run foretells, and how a trigger is explained afterwards."""

from typing import Any

import pytest

from calling import PUSH, Api, Caller, Json, data, error
from clarion.journal.port import accepted_lane
from clarion.model.http import HttpReply
from clarion.store.tables import devices, notifications, subscribers, triggers
from pipeline import Worker, device_of
from pushing import ScriptedSender

TRIGGER, EXPLAIN = "/v1/events/trigger", "/v1/explain"
CHANNEL = {"providerId": "push-webhook", "credentials": {"deviceTokens": ["phone"]}}
CLOSED = {"isEnabled": True, "weeklySchedule": {"monday": {"isEnabled": False, "hours": []}}}


@pytest.fixture(autouse=True)
async def ready(dev: Caller) -> None:
    """A workflow and somebody with two devices."""
    await dev.integration()
    await dev.workflow()
    await dev.subscriber("ada", firstName="Ada")
    for name in ("one", "two"):
        await device(dev, "ada", name)


async def device(dev: Caller, person: str, name: str) -> None:
    given = {"id": name, "providerId": "push-webhook", "token": f"token-{name}"}
    assert (await dev.post(f"/v1/subscribers/{person}/devices", given)).status_code == 201


async def dry(dev: Caller, to: object = "ada", path: str = TRIGGER, **more: Any) -> Json:
    given = {"name": "welcome", "to": to, "payload": {"text": "Hi"}, "dryRun": True, **more}
    answer: Json = data(await dev.post(path, given), 201)
    assert (answer["acknowledged"], answer["status"]) == (True, "processed")
    found: Json = answer["dryRun"]
    assert found["transactionId"] == answer["transactionId"]
    return found


async def sent(api: Api, to: object = "ada", **more: Any) -> str:
    given = {"name": "welcome", "to": to, "payload": {"text": "Hi"}, **more}
    found: Json = data(await api.development.post(TRIGGER, given), 201)
    await api.deliver()
    return str(found["transactionId"])


async def drained(api: Api, sender: ScriptedSender) -> None:
    """Let everything go out, what has to be tried again too."""
    services = api.services
    worker = Worker(services.database, services.vault, services.clock, sender)
    while lanes := await worker.journal.lanes(""):
        for lane in sorted(lanes):
            for batch in await worker.journal.claim(lane, 100):
                await worker.work_of(lane)(batch)


def events(told: Json) -> list[str]:
    return [decision["event"] for decision in told.get("decisions", [])]


async def rows(api: Api) -> dict[str, int]:
    """How much is stored of what a trigger can write."""

    def count(connection: Any) -> dict[str, int]:
        tables = (subscribers, devices, notifications, triggers)
        return {table.name: len(connection.execute(table.select()).all()) for table in tables}

    found: dict[str, int] = await api.services.database.read(count)
    return found


async def test_a_dry_run_tells_what_each_device_would_be_sent(dev: Caller) -> None:
    (ada,) = (await dry(dev, overrides={"push": {"ttl": 60, "sound": "ping"}}))["recipients"]
    (step,) = ada["steps"]
    assert (ada["subscriberId"], step["stepId"], events(step)) == ("ada", "push", ["step_wanted"])
    assert step["decisions"][0]["reason"] == {"decidedBy": "workflow"}
    first, second = step["devices"]
    assert [item["deviceId"] for item in (first, second)] == ["one", "two"]
    assert (first["state"], first["title"], first["body"]) == ("would be sent", "Hello Ada", "Hi")
    assert (first["token"], first["integrationIdentifier"]) == ("token-one", "hook")
    assert first["presentation"] == {"ttl": 60, "sound": "ping"}
    assert first["payload"] == {"text": "Hi"}
    assert first["sendAt"] < first["triedUntil"]


async def test_a_dry_run_tells_what_the_step_overrides_below_the_trigger(dev: Caller) -> None:
    own = {"push-webhook": {"who": "{{subscriber.firstName}}", "text": "{{payload.text}}", "lower": 1}}
    step = {**PUSH, "controlValues": {**PUSH["controlValues"], "providers": own}}
    await dev.workflow(workflowId="overriding", steps=[step])
    given = {"providers": {"push-webhook": {"lower": 2}}}
    (ada,) = (await dry(dev, name="overriding", overrides=given))["recipients"]
    told = [device["overrides"]["providers"] for device in ada["steps"][0]["devices"]]
    assert told == [{"who": "Ada", "text": "Hi", "lower": 2}] * 2


async def test_a_dry_run_stores_and_sends_nothing(api: Api) -> None:
    before = await rows(api)
    people = [{"subscriberId": "new", "firstName": "Nia", "channels": [CHANNEL]}, "ada"]
    found = await dry(api.development, people, transactionId="mine")
    new, _ = found["recipients"]
    (push,) = new["steps"][0]["devices"]
    assert (new["subscriberId"], push["title"], push["token"]) == ("new", "Hello Nia", "phone")
    assert "deviceId" not in push
    assert await api.services.journal.lanes("") == set()
    assert await rows(api) == before
    error(await api.development.get(EXPLAIN, transactionId="mine"), 404)


async def test_a_dry_run_under_an_idempotency_key_leaves_the_key_free(api: Api) -> None:
    body: Json = {"name": "welcome", "to": "ada", "transactionId": "mine"}
    headers = {"idempotency-key": "k"}
    for _ in range(2):
        response = await api.development.post(TRIGGER, {**body, "dryRun": True}, headers=headers)
        assert "dryRun" in data(response, 201)
        assert "idempotency-replay" not in response.headers
    assert "dryRun" not in data(await api.development.post(TRIGGER, body, headers=headers), 201)


async def test_a_dry_run_says_why_somebody_gets_nothing(dev: Caller) -> None:
    await dev.subscriber("bob")
    await dev.subscriber("eve")
    await device(dev, "eve", "three")
    choice = {"channels": {"push": False}}
    data(await dev.patch("/v2/subscribers/eve/preferences", choice))
    too_many = {
        "subscriberId": "joe",
        "channels": [{**CHANNEL, "credentials": {"deviceTokens": list(map(str, range(101)))}}],
    }
    bob, eve, joe = (await dry(dev, ["bob", "eve", too_many]))["recipients"]
    assert events(bob["steps"][0]) == ["step_wanted", "subscriber_channel_missing"]
    assert events(eve["steps"][0]) == ["step_filtered_by_subscriber"]
    assert (events(joe), joe["steps"]) == (["subscriber_channels_refused"], [])


async def test_conditions_and_schedules_show_in_a_dry_run(dev: Caller) -> None:
    rule = {"==": [{"var": "payload.kind"}, "news"]}
    step: Json = {**PUSH, "controlValues": {"subject": "Hi", "body": "there", "skip": rule}}
    await dev.workflow("news", steps=[step])
    (skipped,) = (await dry(dev, name="news"))["recipients"]
    assert events(skipped["steps"][0]) == ["step_wanted", "step_skipped_by_conditions"]
    data(await dev.patch("/v2/subscribers/ada/preferences", {"schedule": CLOSED}))
    (told,) = (await dry(dev, name="news", payload={"kind": "news"}))["recipients"]
    (step,) = told["steps"]
    assert events(step) == ["step_wanted", "step_condition_held"]
    assert [(item["state"], events(item)) for item in step["devices"]] == [
        ("skipped", ["step_skipped_outside_of_the_schedule"])
    ] * 2
    assert {item["deviceId"] for item in step["devices"]} == {"one", "two"}


async def test_a_dry_run_of_a_broadcast_tells_of_the_first_and_that_there_are_more(
    dev: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    await dev.subscriber("bob")
    found = await dry(dev, path=f"{TRIGGER}/broadcast")
    assert [item["subscriberId"] for item in found["recipients"]] == ["ada", "bob"]
    assert "hasMore" not in found
    monkeypatch.setattr("clarion.address.rehearsal.MOST_REHEARSED", 1)
    found = await dry(dev, path=f"{TRIGGER}/broadcast")
    assert ([item["subscriberId"] for item in found["recipients"]], found["hasMore"]) == (["ada"], True)
    topic = {"subscriptions": ["ada", "bob"]}
    assert (await dev.post("/v2/topics/news/subscriptions", topic)).status_code == 201
    found = await dry(dev, ["eve", {"type": "Topic", "topicKey": "news"}])
    assert ([item["subscriberId"] for item in found["recipients"]], found["hasMore"]) == (["eve"], True)


async def test_a_dry_run_sees_the_data_of_contexts(dev: Caller) -> None:
    words = {"subject": "{{context.tenant.data.name}}", "body": "{{context.app.id}}{{context.app.data.x}}"}
    await dev.workflow("news", steps=[{**PUSH, "controlValues": words}])
    tenant = {"type": "tenant", "id": "acme", "data": {"name": "Acme"}}
    data(await dev.post("/v2/contexts", tenant), 201)
    (ada,) = (await dry(dev, name="news", context={"tenant": "acme", "app": "crm"}))["recipients"]
    push = ada["steps"][0]["devices"][0]
    assert (push["title"], push["body"]) == ("Acme", "crm")
    error(await dev.get("/v2/contexts/app/crm"), 404)


async def test_a_dry_run_of_a_known_transaction_would_do_nothing(api: Api) -> None:
    transaction = await sent(api)
    found = await dry(api.development, transactionId=transaction)
    assert (events(found), found["recipients"]) == (["transaction_known"], [])


async def test_a_dry_run_is_refused_where_a_trigger_would_be(dev: Caller) -> None:
    event = {"name": "welcome", "to": "ada", "dryRun": True}
    (answer,) = data(await dev.post(f"{TRIGGER}/bulk", {"events": [event]}), 201)
    assert (answer["status"], answer["error"]) == (
        "error",
        ["dryRun can't be one of many: use /v1/events/trigger"],
    )
    error(await dev.post(TRIGGER, {**event, "name": "unknown"}), 422)
    await dev.workflow("off", active=False)
    answer = data(await dev.post(TRIGGER, {**event, "name": "off"}), 201)
    assert (answer["status"], "dryRun" in answer) == ("trigger_not_active", False)


async def test_what_was_sent_is_explained_device_by_device_and_try_by_try(api: Api) -> None:
    dev = api.development
    given = {"name": "welcome", "to": "ada", "payload": {"text": "Hi"}, "transactionId": "mine"}
    data(await dev.post(TRIGGER, given), 201)
    sender = ScriptedSender(device_of)
    sender.scripts = {
        "token-one": [HttpReply(503, body=b"overloaded"), HttpReply(200)],
        "token-two": [HttpReply(410, body=b'{"code": "token_invalid"}')],
    }
    await drained(api, sender)
    found = data(await dev.get(EXPLAIN, transactionId="mine", subscriberId="ada"))
    assert (found["transactionId"], found["workflowId"]) == ("mine", "welcome")
    (ada,) = found["recipients"]
    (step,) = ada["steps"]
    by_device = {item["deviceId"]: item for item in step["devices"]}
    first, second = by_device["one"], by_device["two"]
    assert (first["state"], first["title"], first["body"]) == ("delivered", "Hello Ada", "Hi")
    tries = [(attempt["number"], attempt["outcome"]) for attempt in first["attempts"]]
    assert tries == [(1, "unavailable"), (2, "accepted")]
    assert first["attempts"][0]["response"] == "overloaded"
    times = [attempt["at"] for attempt in first["attempts"]]
    assert times == sorted(times)
    (only,) = second["attempts"]
    assert (second["state"], only["outcome"], only["code"]) == ("failed", "token_dead", "http_410")


async def test_recipients_come_a_page_at_a_time_in_their_order(api: Api) -> None:
    names = [f"p{n}" for n in range(5)]
    transaction = await sent(api, names)
    await sent(api, "ada")
    seen: list[str] = []
    query: dict[str, Any] = {"transactionId": transaction, "limit": 2}
    while True:
        found = data(await api.development.get(EXPLAIN, **query))
        seen += [item["subscriberId"] for item in found["recipients"]]
        if "next" not in found:
            break
        query["after"] = found["next"]
    assert seen == names


async def test_who_got_nothing_is_told_why(api: Api) -> None:
    transaction = await sent(api, ["bob", "ada"])
    _, bob = data(await api.development.get(EXPLAIN, transactionId=transaction))["recipients"]
    assert [events(step) for step in bob["steps"]] == [["subscriber_channel_missing"]]
    await api.development.subscriber("eve")
    found = data(await api.development.get(EXPLAIN, transactionId=transaction, subscriberId="eve"))
    assert (events(found), found["recipients"]) == (["recipient_not_addressed"], [])


async def test_what_is_not_tried_yet_is_told_as_it_will_be(api: Api) -> None:
    dev = api.development
    given = {"name": "welcome", "to": "ada", "transactionId": "mine", "payload": {"text": "Hi"}}
    data(await dev.post(TRIGGER, given), 201)
    error(await dev.get(EXPLAIN, transactionId="mine"), 404)
    services = api.services
    worker = Worker(services.database, services.vault, services.clock, ScriptedSender(device_of))
    for batch in await worker.journal.claim(accepted_lane(await api.environment_id()), 1):
        await worker.address.accepted(batch)
    (ada,) = data(await dev.get(EXPLAIN, transactionId="mine"))["recipients"]
    assert ada["waiting"] == 2
    (step,) = ada["steps"]
    told = [(device["state"], device["deviceId"], device["body"]) for device in step["devices"]]
    assert told == [("waiting", "one", "Hi"), ("waiting", "two", "Hi")]


async def test_only_the_own_environment_is_explained(api: Api) -> None:
    transaction = await sent(api)
    error(await api.production.get(EXPLAIN, transactionId=transaction), 404)
    error(await api.development.get(EXPLAIN, transactionId=transaction, subscriberId="nobody"), 404)
    assert "transactionId" in error(await api.development.get(EXPLAIN), 422)["errors"]
