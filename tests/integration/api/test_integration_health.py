"""How an integration stands, over the API."""

from sqlalchemy.engine import Connection

from calling import Api, Caller, Json, data, error
from clarion.model.http import HttpReply
from clarion.store import health
from clarion.store.health import Health


async def paused(api: Api, integration: Json) -> None:
    """Let a worker note that the integration is paused."""
    stored = (await api.services.catalog.current()).integrations[integration["_id"]]

    def write(connection: Connection) -> None:
        row = Health(
            stored.id, stored.environment_id, "paused", 5000, "http_401", "No.", True, stored.updated_at
        )
        health.keep(connection, row)

    await api.services.database.write(write)


async def test_an_integration_that_never_sent_stands_well(dev: Caller) -> None:
    hook = await dev.integration()
    found = data(await dev.get(f"/v1/integrations/{hook['_id']}/health"))
    assert (found["state"], found["proven"], found["changes"]) == ("closed", False, [])
    assert found["identifier"] == "hook"


async def test_one_that_is_off_is_not_said_to_send(dev: Caller) -> None:
    hook = await dev.integration()
    path = f"/v1/integrations/{hook['_id']}"
    assert "messages go out" in data(await dev.get(f"{path}/health"))["advice"]
    data(await dev.put(path, {"active": False}))
    assert data(await dev.get(f"{path}/health"))["advice"].startswith("Switch the integration on")


async def test_a_paused_one_says_why_and_what_to_do(api: Api, dev: Caller) -> None:
    hook = await dev.integration()
    await paused(api, hook)
    found = data(await dev.get(f"/v1/integrations/{hook['_id']}/health"))
    assert (found["state"], found["code"], found["explanation"]) == ("paused", "http_401", "No.")
    assert "credentials" in found["advice"]
    assert [change["state"] for change in found["changes"]] == ["paused"]
    metrics = (await dev.get("/metrics")).text
    assert 'clarion_integration_breaker{integration="hook"} 2' in metrics


async def test_resuming_and_changing_it_begin_anew(api: Api, dev: Caller) -> None:
    hook = await dev.integration()
    path = f"/v1/integrations/{hook['_id']}"
    for act in ("resume", "change"):
        await paused(api, hook)
        if act == "resume":
            assert data(await dev.call("POST", f"{path}/resume"))["_id"] == hook["_id"]
        else:
            data(await dev.put(path, {"name": "Corrected"}))
        found = data(await dev.get(f"{path}/health"))
        assert (found["state"], found["proven"]) == ("closed", True)


async def test_the_last_refusal_is_told_with_its_code_and_where_it_happened(api: Api, dev: Caller) -> None:
    hook, other = await dev.integration(), await dev.integration(identifier="other", name="Other")
    await dev.workflow()
    await dev.subscriber("ada")
    body = {"providerId": "push-webhook", "integrationIdentifier": "hook", "deviceTokens": ["ada-1"]}
    data(await dev.put("/v1/subscribers/ada/credentials", body))

    async def told(integration: Json) -> Json | None:
        found: Json = data(await dev.get(f"/v1/integrations/{integration['_id']}/health"))
        return found.get("lastRefusal")

    async def sent(reply: HttpReply) -> None:
        body = {"name": "welcome", "to": "ada", "payload": {"text": "Hi"}}
        data(await dev.post("/v1/events/trigger", body), 201)
        await api.deliver(**{"ada-1": reply})

    await sent(HttpReply(200))
    assert await told(hook) is None
    await sent(HttpReply(400, body=b"no"))
    refusal = await told(hook)
    assert refusal
    assert (refusal["outcome"], refusal["code"]) == ("payload_rejected", "http_400")
    assert refusal["explanation"]
    feed = (await dev.get("/v1/notifications", status="error")).json()["data"]
    assert [one["_id"] for one in feed] == [refusal["notificationId"]]
    await sent(HttpReply(200))
    assert await told(hook) == refusal
    await sent(HttpReply(410, body=b'{"code": "token_invalid"}'))
    later = await told(hook)
    assert later
    assert (later["code"], later["at"] >= refusal["at"]) == ("http_410", True)
    assert await told(other) is None


async def test_it_is_the_callers_own(dev: Caller, prod: Caller) -> None:
    hook = await dev.integration()
    path = f"/v1/integrations/{hook['_id']}"
    assert error(await prod.get(f"{path}/health"), 404)
    assert error(await prod.call("POST", f"{path}/resume"), 404)


async def test_configurations_that_clarion_goes_by_are_checked(dev: Caller) -> None:
    hook = await dev.integration()
    for name, wrong in (("inboundWebhookEnabled", "yes"), ("ratePerSecond", 0), ("ratePerSecond", True)):
        refused = error(
            await dev.put(f"/v1/integrations/{hook['_id']}", {"configurations": {name: wrong}}), 422
        )
        assert f"configurations.{name}" in refused["errors"]
