"""Variables of environments: kept sealed, shown by rule, named in templates."""

from typing import Any

import pytest

from calling import PUSH, Api, Caller, Json, data, error

PATH = "/v1/environment-variables"
SECRET = "a-long-secret-value"


async def values(api: Api, **by_type: str) -> list[Json]:
    return [
        {"_environmentId": await api.environment_id(kind), "value": value} for kind, value in by_type.items()
    ]


async def added(api: Api, key: str = "HOST", **fields: Any) -> Json:
    found: Json = data(await api.development.post(PATH, {"key": key, **fields}))
    return found


async def test_a_variable_is_added_changed_and_removed(api: Api, dev: Caller) -> None:
    made = await added(api, values=await values(api, dev="dev.test", prod="prod.test"))
    assert (made["key"], made["isSecret"], made["type"]) == ("HOST", False, "string")
    assert data(await dev.get(f"{PATH}/HOST")) == made
    await added(api, "OTHER")
    assert [item["key"] for item in data(await dev.get(PATH))] == ["HOST", "OTHER"]
    assert [item["key"] for item in data(await dev.get(PATH, search="ho"))] == ["HOST"]
    changed = data(
        await dev.patch(f"{PATH}/HOST", {"key": "SITE", "values": await values(api, dev="new.test")})
    )
    assert [item["value"] for item in changed["values"]] == ["new.test", "prod.test"]
    error(await dev.get(f"{PATH}/HOST"), 404)
    assert (await dev.delete(f"{PATH}/SITE")).status_code == 204
    error(await dev.delete(f"{PATH}/SITE"), 404)


async def test_a_value_has_up_to_256_characters_and_so_has_a_key(api: Api, dev: Caller) -> None:
    longest = await values(api, dev="x" * 256)
    made = await added(api, "K" * 256, values=longest)
    assert made["values"] == longest
    longer = await values(api, dev="fine", prod="x" * 257)
    for refused in (
        await dev.post(PATH, {"key": "NEW", "values": longer}),
        await dev.patch(f"{PATH}/{made['key']}", {"values": longer}),
    ):
        assert set(error(refused, 422)["errors"]) == {"values.1.value"}
    assert set(error(await dev.post(PATH, {"key": "K" * 257}), 422)["errors"]) == {"key"}
    assert data(await dev.get(PATH)) == [made]


async def test_a_secret_is_masked_and_stays_one(api: Api, dev: Caller) -> None:
    made = await added(api, isSecret=True, values=await values(api, dev=SECRET))
    assert SECRET not in str(made)
    assert SECRET not in (await dev.get(PATH)).text
    assert set(error(await dev.patch(f"{PATH}/HOST", {"isSecret": False}), 422)["errors"]) == {"isSecret"}
    data(await dev.patch(f"{PATH}/HOST", {"values": made["values"]}))
    assert (await api.services.catalog.current()).variables["HOST"].values.popitem()[1] == SECRET
    raw = await api.services.database.read(
        lambda c: c.exec_driver_sql("SELECT sealed_values FROM environment_variables").scalar_one()
    )
    assert SECRET.encode() not in bytes(raw)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"key": "not a name"}, "key"),
        ({"key": "_NAME"}, "key"),
        ({"key": "TAKEN"}, "key"),
        ({"values": [{"_environmentId": "nowhere", "value": "x"}]}, "values.0._environmentId"),
        ({"type": "number"}, "type"),
    ],
)
async def test_what_a_variable_cannot_be_is_refused_by_name(
    api: Api, dev: Caller, given: Json, field: str
) -> None:
    for key in ("TAKEN", "HOST"):
        await added(api, key)
    refused = await dev.post(PATH, {"key": "NEW", **given}), await dev.patch(f"{PATH}/HOST", given)
    assert [set(error(answer, 422)["errors"]) for answer in refused] == [{field}] * 2
    assert [item["key"] for item in data(await dev.get(PATH))] == ["HOST", "TAKEN"]


async def test_templates_name_the_value_of_their_environment(api: Api, dev: Caller, prod: Caller) -> None:
    await added(api, values=await values(api, dev="dev.test", prod="prod.test"))
    await added(api, "TOKEN", isSecret=True, values=await values(api, dev=SECRET))
    controls = {"subject": "See {{env.HOST}}", "body": "{{env.TOKEN}}{{env.MISSING}}"}
    channel = {"providerId": "push-webhook", "credentials": {"deviceTokens": ["phone"]}}
    for caller in (dev, prod):
        await caller.integration(identifier=f"hook-{caller is dev}")
        await caller.workflow(steps=[{**PUSH, "controlValues": controls}])
        await caller.subscriber(channels=[channel])
        data(await caller.post("/v1/events/trigger", {"name": "welcome", "to": "ada"}), 201)
    await api.deliver()
    shown = [(await caller.get("/v1/messages")).json()["data"][0] for caller in (dev, prod)]
    assert [(item["title"], item["content"]) for item in shown] == [
        ("See dev.test", SECRET),
        ("See prod.test", ""),
    ]
    preview = await dev.post("/v2/workflows/welcome/step/push/preview", {})
    assert data(preview, 201)["result"]["preview"]["subject"] == "See dev.test"
    assert SECRET not in preview.text
    found = data(await dev.get(f"{PATH}/HOST/usage"))
    assert found == {"workflows": [{"name": "Welcome", "workflowId": "welcome"}]}
