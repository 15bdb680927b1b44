"""How an integration stands, over the API."""

from sqlalchemy.engine import Connection

from calling import Api, Caller, Json, data, error
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
