"""Conditions on steps: a step runs where its condition holds."""

from calling import PUSH, Api, Caller, Json, data, error

GOLD = {"==": [{"var": "subscriber.data.tier"}, "gold"]}
URGENT = {"contains": [{"var": "payload.tags"}, "urgent"]}


def step(name: str, rule: object) -> Json:
    controls = {"subject": name, "body": "{{payload.text}}", "skip": rule}
    return {**PUSH, "stepId": name, "name": name, "controlValues": controls}


async def test_a_step_runs_where_its_condition_holds(api: Api, dev: Caller) -> None:
    await dev.integration()
    flow = await dev.workflow(steps=[step("gold", GOLD), step("urgent", URGENT)])
    assert flow["steps"][0]["controlValues"]["skip"] == GOLD
    for name, tier in (("ada", "gold"), ("bob", "tin")):
        channel = {"providerId": "push-webhook", "credentials": {"deviceTokens": [f"{name}-phone"]}}
        await dev.subscriber(name, data={"tier": tier}, channels=[channel])
    event = {"name": "welcome", "to": ["ada", "bob"], "payload": {"text": "x", "tags": ["urgent"]}}
    data(await dev.post("/v1/events/trigger", {**event, "transactionId": "first"}), 201)
    data(await dev.post("/v1/events/trigger", {**event, "payload": {}, "transactionId": "second"}), 201)
    await api.deliver()
    rows = (await dev.get("/v1/messages")).json()["data"]
    sent = sorted((row["transactionId"], row["deviceTokens"][0], row["stepId"]) for row in rows)
    assert sent == [
        ("first", "ada-phone", "gold"),
        ("first", "ada-phone", "urgent"),
        ("first", "bob-phone", "urgent"),
        ("second", "ada-phone", "gold"),
    ]
    found = (await dev.get("/v1/notifications", transactionId="second", subscriberIds="bob")).json()["data"]
    jobs = [job for row in found if row["subscriber"]["subscriberId"] == "bob" for job in row["jobs"]]
    assert [job["status"] for job in jobs] == ["completed", "skipped", "skipped"]
    assert "Step was filtered based on steps filters" in str(jobs[1]["executionDetails"])


async def test_what_is_no_condition_is_refused_by_name(dev: Caller) -> None:
    rules: list[object] = ["yes", {"nope": [1]}, {"and": [], "or": []}]
    for rule in rules:
        body = {"name": "W", "workflowId": "w", "steps": [step("a", rule)]}
        refused = error(await dev.post("/v2/workflows", body), 422)
        assert set(refused["errors"]) == {"steps.0.controlValues.skip"}
