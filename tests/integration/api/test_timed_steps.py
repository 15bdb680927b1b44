"""Steps that take time, as they are made, refused, previewed, shown and explained."""

from typing import Any

import pytest

from calling import PUSH, Api, Caller, Json, data, error
from pipeline import Worker, device_of
from pushing import ScriptedSender

PATH = "/v2/workflows"
WAIT: Json = {
    "name": "Wait",
    "stepId": "wait",
    "type": "delay",
    "controlValues": {"type": "regular", "amount": 1, "unit": "hours"},
}
GATHER: Json = {
    "name": "Gather",
    "stepId": "gather",
    "type": "digest",
    "controlValues": {"type": "regular", "amount": 5, "unit": "minutes", "digestKey": "payload.post"},
}
LIMIT: Json = {
    "name": "Cap",
    "stepId": "cap",
    "type": "throttle",
    "controlValues": {"type": "fixed", "amount": 1, "unit": "hours", "threshold": 1},
}
OWN: Json = {
    "name": "Own",
    "stepId": "own",
    "type": "custom",
    "controlValues": {"custom": {"a": "{{payload.text}}"}},
}
CALL: Json = {
    "name": "Call",
    "stepId": "call",
    "type": "http_request",
    "controlValues": {"method": "POST", "url": "https://api.test/{{payload.text}}", "body": "{}"},
}
EVERY = [WAIT, GATHER, LIMIT, OWN, CALL]


async def made(dev: Caller, *steps: Json) -> Json:
    return await dev.workflow(steps=[*steps, PUSH])


async def test_every_kind_of_step_comes_back_as_it_was_made(dev: Caller) -> None:
    found = await made(dev, *EVERY)
    assert [step["type"] for step in found["steps"]] == [*(step["type"] for step in EVERY), "push"]
    assert [step["controlValues"] for step in found["steps"][:-1]] == [
        step["controlValues"] for step in EVERY
    ]
    assert all(step["issues"] == {"controls": {}} for step in found["steps"])
    for step in EVERY:
        detail = data(await dev.get(f"{PATH}/welcome/steps/{step['stepId']}"))
        assert set(step["controlValues"]) <= detail["controls"]["dataSchema"]["properties"].keys()
        shown = data(await dev.post(f"{PATH}/welcome/step/{step['stepId']}/preview", {}), 201)
        assert shown["result"]["type"] == step["type"]
    called = {"previewPayload": {"payload": {"text": "orders"}}}
    shown = data(await dev.post(f"{PATH}/welcome/step/call/preview", called), 201)
    assert shown["result"]["preview"]["url"] == "https://api.test/orders"


@pytest.mark.parametrize(
    ("step", "controls", "field"),
    [
        (WAIT, {"amount": 0}, "amount"),
        (WAIT, {"amount": 181, "unit": "days"}, "amount"),
        (WAIT, {"amount": "many"}, "amount"),
        (WAIT, {"unit": "years"}, "unit"),
        (WAIT, {"type": "someday"}, "type"),
        (WAIT, {"type": "timed"}, "cron"),
        (WAIT, {"type": "timed", "cron": "99 * * * *"}, "cron"),
        (WAIT, {"type": "timed", "time": "25:00"}, "cron"),
        (WAIT, {"type": "dynamic"}, "dynamicKey"),
        (WAIT, {"extendToSchedule": "yes"}, "extendToSchedule"),
        (WAIT, {"skip": {"no such operator": []}}, "skip"),
        (GATHER, {"type": "dynamic"}, "type"),
        (GATHER, {"digestKey": 1}, "digestKey"),
        (GATHER, {"lookBackWindow": {"amount": 0, "unit": "hours"}}, "lookBackWindow"),
        (GATHER, {"lookBackWindow": 5}, "lookBackWindow"),
        (LIMIT, {"threshold": 0}, "threshold"),
        (LIMIT, {"unit": "seconds"}, "unit"),
        (LIMIT, {"type": "dynamic"}, "dynamicKey"),
        (OWN, {"custom": [1]}, "custom"),
        (OWN, {"custom": {"a": "{% if %}"}}, "custom"),
        (CALL, {"method": "BREW"}, "method"),
        (CALL, {"url": ""}, "url"),
        (CALL, {"url": "file:///etc/passwd"}, "url"),
        (CALL, {"url": "gopher://{{payload.host}}/"}, "url"),
        (CALL, {"url": "https:///orders"}, "url"),
        (CALL, {"url": "orders.example.com/{{payload.id}}"}, "url"),
        (CALL, {"headers": [{"key": "a"}]}, "headers"),
        (CALL, {"headers": "a: b"}, "headers"),
        (CALL, {"body": "{{"}, "body"),
        (CALL, {"responseBodySchema": {"type": 5}}, "responseBodySchema"),
        (PUSH, {"integrations": "fcm"}, "integrations"),
        (PUSH, {"integrations": ["fcm", "fcm"]}, "integrations"),
    ],
)
async def test_what_can_not_be_is_refused_by_its_name(
    dev: Caller, step: Json, controls: Json, field: str
) -> None:
    given = {**step, "controlValues": {**step["controlValues"], **controls}}
    body = error(await dev.post(PATH, {"name": "W", "workflowId": "w", "steps": [given]}), 422)
    assert set(body["errors"]) == {f"steps.0.controlValues.{field}"}


@pytest.mark.parametrize(
    "url", ["HTTPS://api.test/", "{{payload.base}}/orders", "https://{{payload.host}}/", "http{{payload.a}}"]
)
async def test_an_address_may_be_a_template_from_any_place_on(dev: Caller, url: str) -> None:
    await dev.workflow(steps=[{**CALL, "controlValues": {"method": "GET", "url": url}}])


async def test_a_step_that_names_no_step_says_so(dev: Caller) -> None:
    said = {**PUSH, "controlValues": {"subject": "{{steps.nobody.x}}", "body": "{{steps.own.a}}"}}
    found = await dev.workflow(steps=[OWN, said])
    (issue,) = found["steps"][1]["issues"]["controls"]["subject"]
    assert issue["variableName"] == "steps.nobody.x"
    assert set(found["steps"][1]["issues"]["controls"]) == {"subject"}


async def ready(dev: Caller, *steps: Json) -> None:
    await dev.integration()
    await made(dev, *steps)
    await dev.subscriber("ada")
    given = {"id": "one", "providerId": "push-webhook", "token": "phone"}
    assert (await dev.post("/v1/subscribers/ada/devices", given)).status_code == 201


async def triggered(dev: Caller, **more: Any) -> str:
    given = {"name": "welcome", "to": "ada", "payload": {"text": "Hi", "post": 1}, **more}
    return str(data(await dev.post("/v1/events/trigger", given), 201)["transactionId"])


async def jobs_of(dev: Caller, transaction: str) -> list[Json]:
    feed = (await dev.get("/v1/notifications", transactionId=transaction)).json()["data"]
    found: list[Json] = data(await dev.get(f"/v1/notifications/{feed[0]['_id']}"))["jobs"]
    return found[1:]


async def worked(api: Api) -> None:
    """Let everything that is due be done."""
    services = api.services
    worker = Worker(services.database, services.vault, services.clock, ScriptedSender(device_of))
    busy = True
    while busy:
        busy = False
        for lane in sorted(await worker.journal.lanes("")):
            for batch in await worker.journal.claim(lane, 100):
                busy = True
                await worker.work_of(lane)(batch)


async def test_jobs_tell_how_far_a_run_is(api: Api, dev: Caller) -> None:
    await ready(dev, OWN, WAIT)
    transaction = await triggered(dev)
    await worked(api)
    jobs = await jobs_of(dev, transaction)
    assert [(job["type"], job["status"]) for job in jobs] == [
        ("custom", "completed"),
        ("delay", "delayed"),
        ("push", "pending"),
    ]
    texts = [detail["detail"] for detail in jobs[1]["executionDetails"]]
    assert texts == ["Step created", "Step queued", "Step delayed"]
    told = data(await dev.get("/v1/explain", transactionId=transaction))["recipients"][0]
    assert told["state"] == "delayed"
    assert told["goesOnAt"] > told["steps"][1]["decisions"][0]["at"]
    ledger = data(await dev.get("/v1/ledger"))
    assert (ledger["addressed"], ledger["waiting"], ledger["skipped"]) == (1, 1, 0)
    state = data(await dev.get(f"/v1/transactions/{transaction}"))
    assert (state["state"], state["waiting"]) == ("delivering", 1)
    assert data(await dev.delete(f"/v1/events/trigger/{transaction}")) is True
    await worked(api)
    assert [job["status"] for job in await jobs_of(dev, transaction)] == ["completed", "canceled", "canceled"]
    assert data(await dev.get(f"/v1/transactions/{transaction}"))["state"] == "cancelled"
    assert data(await dev.delete(f"/v1/events/trigger/{transaction}")) is False


async def test_a_merged_event_is_told_as_one(api: Api, dev: Caller) -> None:
    await ready(dev, GATHER)
    first, second = [await triggered(dev) for _ in range(2)]
    await worked(api)
    (digest, _) = await jobs_of(dev, first)
    assert (digest["status"], digest["digest"]["type"]) == ("delayed", "regular")
    assert [job["status"] for job in await jobs_of(dev, second)] == ["merged", "merged"]
    for transaction in (first, second):
        assert data(await dev.delete(f"/v1/events/trigger/{transaction}")) is True
    await worked(api)


async def test_a_throttled_run_says_what_it_left_out(api: Api, dev: Caller) -> None:
    await ready(dev, LIMIT)
    await triggered(dev)
    second = await triggered(dev)
    await worked(api)
    assert [job["status"] for job in await jobs_of(dev, second)] == ["skipped", "skipped"]


async def test_a_dry_run_goes_through_every_step_and_leaves_nothing(api: Api, dev: Caller) -> None:
    await ready(dev, *EVERY)
    answer = await dev.post(
        "/v1/events/trigger",
        {"name": "welcome", "to": "ada", "payload": {"text": "Hi", "post": 1}, "dryRun": True},
    )
    (told,) = data(answer, 201)["dryRun"]["recipients"]
    events = {step["stepId"]: [item["event"] for item in step["decisions"]] for step in told["steps"]}
    assert events["wait"] == ["step_delayed"]
    assert events["gather"] == ["digest_started"]
    assert events["cap"] == ["throttle_passed"]
    assert events["own"] == ["custom_step_completed"]
    assert events["call"] == ["http_request_not_rehearsed"]
    (device,) = told["steps"][-1]["devices"]
    assert (device["state"], device["body"]) == ("would be sent", "Hi")
    await worked(api)
    assert data(await dev.get("/v1/ledger"))["addressed"] == 0
    first = await triggered(dev)
    await worked(api)
    assert (await jobs_of(dev, first))[0]["status"] == "delayed"
    await dev.delete(f"/v1/events/trigger/{first}")
    await worked(api)


@pytest.mark.parametrize("way", ["sendAt", "overrides", "push"])
async def test_a_trigger_may_begin_later(api: Api, dev: Caller, way: str) -> None:
    await ready(dev)
    at = "2026-12-24T18:00:00Z"
    said = {"sendAt": at}
    ways: dict[str, Json] = {
        "sendAt": said,
        "overrides": {"overrides": said},
        "push": {"overrides": {"push": said}},
    }
    transaction = await triggered(dev, **ways[way])
    await worked(api)
    told = data(await dev.get("/v1/explain", transactionId=transaction))["recipients"][0]
    assert (told["state"], told["goesOnAt"]) == ("delayed", "2026-12-24T18:00:00.000Z")
    await dev.delete(f"/v1/events/trigger/{transaction}")
    await worked(api)


@pytest.mark.parametrize("at", ["soon", "2001-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "25:00"])
async def test_a_time_that_can_not_be_is_refused(dev: Caller, at: str) -> None:
    await dev.workflow()
    given = {"name": "welcome", "to": "ada", "payload": {}, "sendAt": at}
    body = error(await dev.post("/v1/events/trigger", given), 400)
    assert body["errors"][0]["field"] == "sendAt"
    (answer,) = data(await dev.post("/v1/events/trigger/bulk", {"events": [given]}), 201)
    assert answer["status"] == "error"
