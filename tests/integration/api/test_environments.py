"""Environments and the keys that they show."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from calling import Api, Caller, Json, data, error
from clarion.store import live
from clarion.store.tables import metadata
from furnishing import BODIES

PATH = "/v1/environments"


async def listed(api: Api, kind: str) -> dict[str, Json]:
    """Environments by type, as a key of one sees them."""
    caller = api.development if kind == "dev" else api.production
    found = data(await caller.get("/v1/environments"))
    return {item["type"]: item for item in found}


async def test_both_environments_are_listed_with_what_the_sdks_demand(api: Api) -> None:
    found = await listed(api, "dev")
    assert {kind: item["name"] for kind, item in found.items()} == {
        "dev": "Development",
        "prod": "Production",
    }
    assert "_parentId" not in found["dev"]
    assert found["prod"]["_parentId"] == found["dev"]["_id"]
    assert found["dev"]["_organizationId"] == found["prod"]["_organizationId"]
    assert found["dev"]["identifier"] != found["prod"]["identifier"]


async def test_a_key_shows_the_keys_of_its_environment_whole_and_others_masked(api: Api) -> None:
    for kind, other in (("dev", "prod"), ("prod", "dev")):
        found = await listed(api, kind)
        assert [key["key"] for key in found[kind]["apiKeys"]] == [api.keys[kind]]
        assert api.keys[other] not in str(found)
        (masked,) = found[other]["apiKeys"]
        assert masked["key"]
        assert masked["_userId"]


async def test_a_further_key_is_listed_too(api: Api) -> None:
    key = await api.new_key(await api.environment_id("prod"))
    assert {item["key"] for item in (await listed(api, "prod"))["prod"]["apiKeys"]} == {api.keys["prod"], key}
    assert key not in str(await listed(api, "dev"))


RED = "#c0392b"


async def added(dev: Caller, name: str = "Staging", **fields: Any) -> Json:
    found: Json = data(await dev.post(PATH, {"name": name, "color": RED, **fields}), 201)
    return found


async def test_a_new_environment_comes_with_a_key_that_opens_it(api: Api, dev: Caller) -> None:
    parent = await api.environment_id()
    made = await added(dev, parentId=parent)
    assert (made["name"], made["color"], made["_parentId"]) == ("Staging", RED, parent)
    assert made["slug"] == f"staging_env_{made['_id']}"
    staging = api.caller(f"ApiKey {made['apiKeys'][0]['key']}")
    await staging.workflow()
    assert (await staging.subscriber())["_environmentId"] == made["_id"]
    assert data(await dev.get("/v2/workflows"))["totalCount"] == 0
    assert made["apiKeys"][0]["key"] not in (await dev.get(PATH)).text


async def test_whole_keys_are_kept_by_nobody_on_the_way(api: Api, dev: Caller) -> None:
    own = await api.environment_id()
    answers = [
        await dev.get(PATH),
        await dev.post(PATH, {"name": "Staging", "color": RED}, headers={"idempotency-key": "k"}),
        await dev.post(f"{PATH}/{own}/keys", None, headers={"idempotency-key": "k"}),
    ]
    assert [answer.headers["cache-control"] for answer in answers] == ["no-store"] * 3
    kept = await api.services.database.read(lambda c: c.exec_driver_sql("SELECT 1 FROM idempotency").all())
    assert kept == []


async def test_an_environment_is_changed(api: Api, dev: Caller) -> None:
    made = await added(dev)
    changed = data(await dev.put(f"{PATH}/{made['_id']}", {"name": "QA team", "identifier": "qa"}))
    assert (changed["name"], changed["identifier"], changed["color"]) == ("QA team", "qa", RED)
    assert changed["slug"] == f"qa-team_env_{made['_id']}"
    assert changed["apiKeys"][0]["key"] != made["apiKeys"][0]["key"], "another environment's key is masked"
    other = await added(dev, "Other")
    assert set(error(await dev.put(f"{PATH}/{other['_id']}", {"identifier": "qa"}), 422)["errors"]) == {
        "identifier"
    }


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "Production"}, "name"),
        ({"color": "red"}, "color"),
        ({"parentId": "0" * 32}, "parentId"),
    ],
)
async def test_what_an_environment_cannot_be_is_refused_by_name(dev: Caller, given: Json, field: str) -> None:
    made = await added(dev)
    for answer in (
        await dev.post(PATH, {"name": "New", "color": RED, **given}),
        await dev.put(f"{PATH}/{made['_id']}", given),
    ):
        assert set(error(answer, 422)["errors"]) == {field}


async def test_a_removed_environment_leaves_nothing(api: Api, dev: Caller) -> None:
    made = await added(dev)
    staging = api.caller(f"ApiKey {made['apiKeys'][0]['key']}")
    await staging.integration()
    await staging.workflow()
    channel = {"providerId": "push-webhook", "credentials": {"deviceTokens": ["phone"]}}
    await staging.subscriber(channels=[channel])
    await staging.post("/v2/topics/news/subscriptions", {"subscriptions": ["ada"]})
    for kind in ("connection", "endpoint"):
        data(await staging.post(f"/v1/channel-{kind}s", BODIES[f"create_channel_{kind}"]), 201)
    await staging.post(
        "/v1/events/trigger",
        {"name": "welcome", "to": "ada", "context": {"tenant": "acme"}},
        headers={"idempotency-key": "k"},
    )
    for heard in (made["_id"], live.in_full(made["_id"])):
        await api.services.database.write(live.watch, heard, 1)
        await api.services.database.write(live.add, heard, "changed", {}, 1)
    busy = error(await dev.delete(f"{PATH}/{made['_id']}"), 400)
    assert "under way" in busy["message"]
    await api.deliver()
    child = await added(dev, "Child", parentId=made["_id"])
    assert (await dev.delete(f"{PATH}/{made['_id']}")).status_code == 200
    error(await staging.get("/v2/subscribers"), 401)
    found = {item["_id"]: item for item in data(await dev.get(PATH))}
    assert made["_id"] not in found
    assert "_parentId" not in found[child["_id"]]
    for heard in (made["_id"], live.in_full(made["_id"])):
        assert await api.services.database.read(_tables_holding, heard) == []
    error(await dev.delete(f"{PATH}/{made['_id']}"), 404)


def _tables_holding(connection: Connection, environment_id: str) -> list[str]:
    """The audit log outlives what it tells of, and calls the column by another name."""
    tables = [table for table in metadata.sorted_tables if "environment_id" in table.c]
    assert len(tables) > 10
    return [
        table.name
        for table in tables
        if connection.execute(sa.select(table).where(table.c.environment_id == environment_id)).first()
    ]


async def test_what_every_installation_has_stays_and_nobody_removes_where_they_stand(
    api: Api, dev: Caller
) -> None:
    for kind in ("dev", "prod"):
        assert (
            "can't be removed"
            in error(await dev.delete(f"{PATH}/{await api.environment_id(kind)}"), 400)["message"]
        )
    made = await added(dev)
    staging = api.caller(f"ApiKey {made['apiKeys'][0]['key']}")
    assert "itself" in error(await staging.delete(f"{PATH}/{made['_id']}"), 400)["message"]


async def test_keys_are_changed_without_a_gap(api: Api, dev: Caller) -> None:
    keys = f"{PATH}/{await api.environment_id()}/keys"
    (first,) = data(await dev.get(keys))
    assert (first["current"], api.keys["dev"] in first["key"]) == (True, False)
    assert "only key" in error(await dev.delete(f"{keys}/{first['_id']}"), 400)["message"]
    made = data(await dev.post(keys, None), 201)
    fresh = api.caller(f"ApiKey {made['key']}")
    await dev.subscriber()
    await fresh.subscriber("bob")
    assert (await fresh.delete(f"{keys}/{first['_id']}")).status_code == 204
    error(await dev.get("/v2/subscribers"), 401)
    (left,) = data(await fresh.get(keys))
    assert (left["_id"], left["current"], made["key"] in str(left)) == (made["_id"], True, False)
    error(await fresh.delete(f"{keys}/{first['_id']}"), 404)


async def test_tags_of_workflows_are_listed_once(api: Api, dev: Caller, prod: Caller) -> None:
    for name, tags in (("a", ["shop", "news"]), ("b", ["news"])):
        await dev.workflow(name, tags=tags)
    await prod.workflow(tags=["elsewhere"])
    path = f"/v2/environments/{await api.environment_id()}/tags"
    assert data(await prod.get(path)) == [{"name": "news"}, {"name": "shop"}]
    error(await dev.get("/v2/environments/nowhere/tags"), 404)
