"""What became of pushes over time."""

from calling import Api, Caller, Json, data, error
from clarion.model.clock import DAY, HOUR, iso
from clarion.model.http import HttpReply
from pushing import NOW


def devices(*tokens: str) -> Json:
    return {"providerId": "push-webhook", "credentials": {"deviceTokens": list(tokens)}}


async def told(caller: Caller, **query: str) -> Json:
    bounds = {"after": iso(NOW - HOUR), "before": iso(NOW + HOUR)}
    found: Json = data(await caller.get("/v1/statistics", **bounds | query))
    return found


async def test_outcomes_are_counted_by_integration_and_workflow(api: Api, dev: Caller, prod: Caller) -> None:
    hook = await dev.integration()
    await dev.workflow()
    await dev.subscriber("bob")
    await dev.subscriber("ada", channels=[devices("phone", "gone")])
    to = {"name": "welcome", "to": ["ada", "bob"], "payload": {"text": "x"}}
    data(await dev.post("/v1/events/trigger", to), 201)
    await api.deliver(gone=HttpReply(410, body=b'{"code": "token_invalid"}'))
    message = next(one for one in (await dev.get("/v1/messages")).json()["data"] if one["status"] == "sent")
    path = f"/v2/inbound-webhooks/delivery-providers/{await api.environment_id()}/{hook['_id']}"
    await dev.post(path, {"eventType": "opened", "eventId": message["_id"]})
    rows = (await told(dev))["outcomes"]
    sent = [row for row in rows if "integrationIdentifier" in row]
    (one,) = sent
    assert (one["integrationIdentifier"], one["providerId"]) == ("hook", "push-webhook")
    assert (one["workflowId"], one["delivered"], one["failed"]) == ("welcome", 1, 1)
    assert one["deadTokens"] == 1
    assert 0 < one["averageLatency"] <= one["slowest"] < HOUR
    apart = [row for row in rows if "integrationIdentifier" not in row]
    assert sum(row.get("skipped", 0) for row in apart) == 1
    assert sum(row.get("opened", 0) for row in apart) == 1
    assert (await told(prod))["outcomes"] == []


async def test_a_step_begins_at_a_round_moment(api: Api, dev: Caller) -> None:
    await dev.integration()
    await dev.workflow()
    await dev.subscriber("ada", channels=[devices("phone")])
    data(await dev.post("/v1/events/trigger", {"name": "welcome", "to": "ada"}), 201)
    await api.deliver()
    for step, length in (("hour", HOUR), ("day", DAY)):
        found = await told(dev, step=step)
        assert found["step"] == length
        assert [row["at"] for row in found["outcomes"]] == [iso(NOW - NOW % length)]


async def test_a_time_that_is_too_long_for_its_step_is_refused(dev: Caller) -> None:
    refused = error(await dev.get("/v1/statistics", after="2020-01-01", before="2021-01-01"), 422)
    assert "take a longer step" in refused["errors"]["after"]["messages"][0]
    error(await dev.get("/v1/statistics", after="2021-01-01", before="2020-01-01"), 422)
    error(await dev.get("/v1/statistics", step="week"), 422)
