"""Workflows: created, replaced, patched, listed; what can't run is refused by name."""

from typing import Any

import pytest

from calling import PUSH, Api, Caller, Json, data, error

PATH = "/v2/workflows"
FULL: Json = {
    "name": "Order shipped",
    "workflowId": "order-shipped",
    "description": "Tells that it is on its way",
    "tags": ["shop", "orders"],
    "active": True,
    "validatePayload": True,
    "payloadSchema": {"type": "object", "properties": {"order": {"type": "string"}}},
    "isTranslationEnabled": False,
    "severity": "high",
    "steps": [PUSH],
    "__source": "editor",
}


async def made(dev: Caller, **fields: Any) -> Json:
    found: Json = data(await dev.post(PATH, {**FULL, **fields}), 201)
    return found


async def listed(dev: Caller, **query: Any) -> Json:
    found: Json = data(await dev.get(PATH, **query))
    return found


def names(found: Json) -> str:
    return " ".join(item["workflowId"] for item in found["workflows"])


def steps(count: int) -> list[Json]:
    return [{**PUSH, "stepId": f"push-{number}"} for number in range(count)]


async def refused(dev: Caller, **fields: Any) -> set[str]:
    """The fields that a creation is refused for; nothing is there afterwards."""
    body = error(await dev.post(PATH, {**FULL, **fields}), 422)
    assert (await listed(dev))["totalCount"] == 0
    return set(body["errors"])


async def test_a_created_workflow_has_what_the_sdks_demand(dev: Caller) -> None:
    found = await made(dev)
    shown = FULL.keys() - {"steps", "__source"}
    assert {name: found[name] for name in shown} == {name: FULL[name] for name in shown}
    assert (found["status"], found["origin"]) == ("ACTIVE", "novu-cloud")
    assert found["slug"] == f"order-shipped_wf_{found['_id']}"
    (step,) = found["steps"]
    assert (step["stepId"], step["name"], step["type"]) == ("push", "Push", "push")
    assert step["controlValues"] == step["controls"]["values"] == PUSH["controlValues"]
    assert (step["workflowId"], step["workflowDatabaseId"]) == ("order-shipped", found["_id"])
    assert step["slug"] == f"push_st_{step['_id']}"


async def test_the_least_workflow_is_inactive_and_wanted_by_everybody(dev: Caller) -> None:
    found = data(await dev.post(PATH, {"name": "W", "workflowId": "w", "steps": []}), 201)
    assert (found["active"], found["status"], found["severity"]) == (False, "INACTIVE", "none")
    assert found["preferences"]["default"]["all"] == {"enabled": True, "readOnly": False}
    assert found["preferences"]["default"]["channels"]["push"] == {"enabled": True}
    assert found["preferences"]["user"] is None


async def test_what_becomes_of_a_push_outside_of_a_schedule_stays_where_it_is_left_out(dev: Caller) -> None:
    assert (await made(dev))["outsideSchedule"] == "defer"
    path = f"{PATH}/order-shipped"
    assert data(await dev.put(path, {**FULL, "outsideSchedule": "skip"}))["outsideSchedule"] == "skip"
    assert data(await dev.put(path, FULL))["outsideSchedule"] == "skip"
    assert data(await dev.patch(path, {"outsideSchedule": "send"}))["outsideSchedule"] == "send"
    wrong = error(await dev.patch(path, {"outsideSchedule": "drop"}), 422)
    assert set(wrong["errors"]) == {"outsideSchedule"}
    assert data(await dev.get(path))["outsideSchedule"] == "send"


async def test_a_workflow_is_found_by_identifier_id_and_slug(dev: Caller) -> None:
    await made(dev, workflowId="other")
    found = await made(dev)
    for name in (found["workflowId"], found["_id"], found["slug"], f"renamed_wf_{found['_id']}"):
        path = f"{PATH}/{name}"
        assert data(await dev.get(path)) == found
        assert data(await dev.patch(path, {"active": True}))["_id"] == found["_id"]
        found = data(await dev.put(path, FULL))
    assert (await dev.delete(f"{PATH}/{found['slug']}")).status_code == 204
    error(await dev.get(f"{PATH}/{found['_id']}"), 404)
    assert names(await listed(dev)) == "other"


async def test_what_is_not_there_is_404(dev: Caller) -> None:
    for response in (
        await dev.get(f"{PATH}/gone"),
        await dev.put(f"{PATH}/gone", FULL),
        await dev.patch(f"{PATH}/gone", {}),
        await dev.delete(f"{PATH}/gone"),
    ):
        assert "gone" in error(response, 404)["message"]


async def test_a_removal_answers_204_without_a_body(dev: Caller) -> None:
    await made(dev)
    response = await dev.delete(f"{PATH}/order-shipped")
    assert (response.status_code, response.content) == (204, b"")


async def test_an_identifier_is_taken_once_and_422_not_409(dev: Caller) -> None:
    await made(dev)
    await made(dev, workflowId="other")
    for response in (
        await dev.post(PATH, FULL),
        await dev.put(f"{PATH}/other", {**FULL, "workflowId": "order-shipped"}),
    ):
        assert set(error(response, 422)["errors"]) == {"workflowId"}
    assert names(await listed(dev)) == "other order-shipped"


@pytest.mark.parametrize("workflow_id", ["", " ", "x" * 513])
async def test_an_identifier_that_can_be_none_is_refused(dev: Caller, workflow_id: str) -> None:
    assert await refused(dev, workflowId=workflow_id) == {"workflowId"}


async def test_20_steps_are_the_most(dev: Caller) -> None:
    body = error(await dev.post(PATH, {**FULL, "steps": steps(21)}), 400)
    assert (body["currentCount"], body["limit"]) == (21, 20)
    found = await made(dev, steps=steps(20))
    assert [step["stepId"] for step in found["steps"]] == [f"push-{number}" for number in range(20)]
    assert len({step["_id"] for step in found["steps"]}) == 20
    error(await dev.put(f"{PATH}/order-shipped", {**FULL, "steps": steps(21)}), 400)


async def test_a_step_id_stands_once(dev: Caller) -> None:
    assert await refused(dev, steps=[PUSH, PUSH]) == {"steps.1.stepId"}


@pytest.mark.parametrize("name", ["subject", "body"])
@pytest.mark.parametrize("source", ["{{", "{% if x %}", "{% for %}", "{% unknown %}", "{% if a %}" * 300])
async def test_an_invalid_template_is_refused_with_its_field(dev: Caller, name: str, source: str) -> None:
    step = {**PUSH, "controlValues": {"subject": "fine", name: source}}
    first = {**PUSH, "stepId": "first"}
    assert await refused(dev, steps=[first, step]) == {f"steps.1.controlValues.{name}"}
    await made(dev)
    response = await dev.put(f"{PATH}/order-shipped", {**FULL, "steps": [step]})
    assert set(error(response, 422)["errors"]) == {f"steps.0.controlValues.{name}"}


@pytest.mark.parametrize("kind", ["email", "sms", "chat", "in_app", "tool", "trigger"])
async def test_a_step_that_cannot_run_is_refused_clearly(dev: Caller, kind: str) -> None:
    body = error(await dev.post(PATH, {**FULL, "steps": [{"name": "s", "type": kind}]}), 422)
    assert set(body["errors"]) == {"steps.0.type"}
    assert kind in body["message"]
    assert "push" in body["message"]


async def test_an_unknown_kind_of_step_and_a_condition_are_refused(dev: Caller) -> None:
    assert await refused(dev, steps=[{"name": "s", "type": "pigeon"}]) == {"steps.0.type"}
    skip = {**PUSH, "controlValues": {"skip": {"nope": [1]}}}
    assert await refused(dev, steps=[skip]) == {"steps.0.controlValues.skip"}
    assert await refused(dev, steps=[{**PUSH, "controlValues": {"body": 5}}]) == {
        "steps.0.controlValues.body"
    }


async def test_control_values_that_are_null_are_left_out(dev: Caller) -> None:
    found = await made(dev, steps=[{**PUSH, "controlValues": {"subject": "s", "body": None, "skip": None}}])
    assert found["steps"][0]["controlValues"] == {"subject": "s"}


async def test_a_put_without_active_switches_the_workflow_off_and_what_is_left_out_to_its_default(
    dev: Caller,
) -> None:
    first = await made(dev)
    found = data(await dev.put(f"{PATH}/order-shipped", {"name": "New", "steps": [PUSH]}))
    assert (found["active"], found["status"]) == (False, "INACTIVE")
    assert (found["name"], found["workflowId"]) == ("New", "order-shipped")
    assert (found["description"], found["tags"], found["severity"]) == ("", [], "none")
    assert (found["validatePayload"], found["payloadSchema"]) == (False, None)
    assert found["updatedAt"] > first["updatedAt"]
    assert found["createdAt"] == first["createdAt"]


async def test_a_put_may_rename_the_identifier(dev: Caller) -> None:
    first = await made(dev)
    assert data(await dev.put(f"{PATH}/order-shipped", {**FULL, "workflowId": "sent"}))["_id"] == first["_id"]
    assert data(await dev.get(f"{PATH}/sent"))["workflowId"] == "sent"
    error(await dev.get(f"{PATH}/order-shipped"), 404)


async def test_a_step_sent_back_by_its_id_keeps_its_step_id(dev: Caller) -> None:
    step = (await made(dev, steps=[{"name": "Push", "type": "push"}]))["steps"][0]
    assert step["stepId"].startswith("push-")
    changed = {"_id": step["_id"], "name": "Renamed", "type": "push"}
    found = data(await dev.put(f"{PATH}/order-shipped", {**FULL, "steps": [changed]}))
    (kept,) = found["steps"]
    assert (kept["_id"], kept["stepId"], kept["name"]) == (step["_id"], step["stepId"], "Renamed")


async def test_a_patch_changes_what_is_given_alone(dev: Caller) -> None:
    first = await made(dev)
    found = data(await dev.patch(f"{PATH}/order-shipped", {"active": False, "tags": ["new"]}))
    changed = {"active": False, "status": "INACTIVE", "tags": ["new"], "updatedAt": found["updatedAt"]}
    assert found == first | changed
    assert data(await dev.patch(f"{PATH}/order-shipped", {"payloadSchema": None}))["payloadSchema"] is None
    assert data(await dev.get(f"{PATH}/order-shipped"))["tags"] == ["new"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": None}, "name"),
        ({"tags": ["t"] * 17}, "tags"),
        ({"payloadSchema": {"type": "nonsense"}}, "payloadSchema"),
        ({"payloadSchema": {"pattern": "["}}, "payloadSchema"),
        ({"payloadSchema": {"$schema": 5}}, "payloadSchema"),
        ({"payloadSchema": {"pattern": "(" * 600 + ")" * 600}}, "payloadSchema"),
        ({"payloadSchema": {"pattern": "((a{999}){999}){999}"}}, "payloadSchema"),
        ({"payloadSchema": []}, "payloadSchema"),
        ({"active": "yes"}, "active"),
    ],
)
async def test_what_is_wrong_is_refused_alike_by_post_put_and_patch(
    dev: Caller, change: Json, field: str
) -> None:
    await made(dev)
    for response in (
        await dev.post(PATH, {**FULL, "workflowId": "new", **change}),
        await dev.put(f"{PATH}/order-shipped", {**FULL, **change}),
        await dev.patch(f"{PATH}/order-shipped", change),
    ):
        assert set(error(response, 422)["errors"]) == {field}


async def test_severity_is_of_a_closed_list(dev: Caller) -> None:
    assert await refused(dev, severity="urgent") == {"severity"}


async def test_preferences_come_back_whole_in_the_form_the_sdks_demand(dev: Caller) -> None:
    wanted = {"all": {"readOnly": True}, "channels": {"push": {"enabled": False}, "email": {}}}
    found = await made(dev, preferences={"workflow": wanted, "user": {"all": {}, "channels": {}}})
    assert found["preferences"]["default"] == {
        "all": {"enabled": True, "readOnly": True},
        "channels": {"push": {"enabled": False}, "email": {"enabled": True}},
    }
    assert found["preferences"]["user"] == {"all": {"enabled": True, "readOnly": False}, "channels": {}}
    assert data(await dev.get(f"{PATH}/order-shipped"))["preferences"] == found["preferences"]


@pytest.mark.parametrize("preferences", [{"all": {}}, {"x": 1}, {"all": {"enabled": 1}, "channels": {}}])
async def test_preferences_in_another_form_are_refused(dev: Caller, preferences: Json) -> None:
    (field,) = await refused(dev, preferences={"workflow": preferences})
    assert field.startswith("preferences.workflow")


async def test_the_list_is_filtered_ordered_and_cut(dev: Caller) -> None:
    await made(dev, workflowId="a", name="Zebra", tags=["x"])
    await made(dev, workflowId="b", name="apple", tags=["x", "y"], active=False)
    await made(dev, workflowId="c", name="Mango", tags=[])
    data(await dev.patch(f"{PATH}/a", {"description": "changed"}))
    for query, expected in (
        ({}, "c b a"),
        ({"orderDirection": "ASC"}, "a b c"),
        ({"orderBy": "name", "orderDirection": "ASC"}, "b c a"),
        ({"orderBy": "updatedAt"}, "a c b"),
        ({"limit": 2}, "c b"),
        ({"limit": "2.0", "offset": "1.0"}, "b a"),
        ({"offset": 3}, ""),
        ({"query": "AN"}, "c"),
        ({"query": "b"}, "b a"),
        ({"tags": "x"}, "b a"),
        ({"tags": ["y", "none"]}, "b"),
        ({"status": "ACTIVE"}, "c a"),
        ({"status": ["ACTIVE", "INACTIVE"]}, "c b a"),
        ({"status": "ERROR"}, ""),
        ({"tags": "x", "status": "ACTIVE", "query": "zeb"}, "a"),
    ):
        assert names(await listed(dev, **query)) == expected, query
    assert (await listed(dev, limit=1, tags="x"))["totalCount"] == 2


async def test_the_list_tells_each_workflow_in_short(dev: Caller) -> None:
    await made(dev)
    (found,) = (await listed(dev))["workflows"]
    assert found["stepTypeOverviews"] == ["push"]
    assert found["steps"][0]["type"] == "push"
    assert (found["status"], found["tags"]) == ("ACTIVE", ["shop", "orders"])


@pytest.mark.parametrize(
    "query",
    [{"limit": 101}, {"limit": 0}, {"offset": -1}, {"orderBy": "steps"}, {"status": "GREEN"}],
)
async def test_a_query_out_of_bounds_is_refused(dev: Caller, query: dict[str, Any]) -> None:
    (field,) = error(await dev.get(PATH, **query), 422)["errors"]
    assert field.partition(".")[0] == next(iter(query))


async def test_a_workflow_tells_when_it_was_last_triggered(api: Api, dev: Caller) -> None:
    for name in ("first", "second", "third"):
        await dev.workflow(name)
    await dev.subscriber()
    assert data(await dev.get("/v2/workflows/first"))["lastTriggeredAt"] is None
    for name in ("second", "first"):
        data(await dev.post("/v1/events/trigger", {"name": name, "to": "ada"}), 201)
        await api.deliver()
    listed = data(await dev.get("/v2/workflows", orderBy="lastTriggeredAt"))["workflows"]
    assert [item["workflowId"] for item in listed] == ["first", "second", "third"]
    times = [item["lastTriggeredAt"] for item in listed]
    assert times[0] > times[1]
    assert times[2] is None
    patched = data(await dev.patch("/v2/workflows/first", {"name": "Renamed"}))
    assert (
        patched["lastTriggeredAt"]
        == data(await dev.get("/v2/workflows/first"))["lastTriggeredAt"]
        == times[0]
    )
    rising = data(await dev.get("/v2/workflows", orderBy="lastTriggeredAt", orderDirection="ASC"))
    assert [item["workflowId"] for item in rising["workflows"]] == ["third", "second", "first"]


async def test_variables_that_are_nothing_are_told_and_the_workflow_is_saved(dev: Caller) -> None:
    words = {
        "subject": "Hi {{subscriber.firstname}}",
        "body": "{{payload.oder}} {{env.HOST}} {{payload.order}}",
    }
    found = await made(dev, steps=[{**PUSH, "controlValues": words}])
    issues = found["steps"][0]["issues"]["controls"]
    told = {
        control: [(issue["issueType"], issue["variableName"]) for issue in listed]
        for control, listed in issues.items()
    }
    illegal = "ILLEGAL_VARIABLE_IN_CONTROL_VALUE"
    assert told == {
        "subject": [(illegal, "subscriber.firstname")],
        "body": [(illegal, "env.HOST"), (illegal, "payload.oder")],
    }
    step = f"{PATH}/order-shipped/step/push/preview"
    preview = data(await dev.post(step, {}), 201)
    assert preview["issues"]["controls"].keys() == {"subject", "body"}
    data(await dev.post("/v1/environment-variables", {"key": "HOST", "type": "string"}))
    left = data(await dev.get(f"{PATH}/order-shipped"))["steps"][0]["issues"]["controls"]["body"]
    assert {issue["variableName"] for issue in left} <= {"payload.oder", "env.HOST"}


OVERRIDES: Json = {
    "fcm": {"android": {"priority": "high", "notification": {"tag": "{{payload.text}}"}}},
    "apns": {"_passthrough": {"headers": {"apns-priority": "5"}}},
}


def overriding(providers: object) -> Json:
    return {**PUSH, "controlValues": {**PUSH["controlValues"], "providers": providers}}


def nested(depth: int) -> Json:
    return {"a": nested(depth - 1)} if depth else {}


async def test_a_push_keeps_overrides_of_providers_and_shows_what_comes_of_them(dev: Caller) -> None:
    found = await made(dev, steps=[overriding(OVERRIDES)], payloadSchema=None)
    assert found["steps"][0]["controls"]["values"]["providers"] == OVERRIDES
    assert found["steps"][0]["issues"] == {"controls": {}}
    given = {"previewPayload": {"payload": {"text": "now"}}}
    shown = data(await dev.post(f"{PATH}/order-shipped/step/push/preview", given), 201)
    told = shown["result"]["preview"]["providers"]
    assert told["fcm"]["android"] == {"priority": "high", "notification": {"tag": "now"}}
    assert told["apns"] == OVERRIDES["apns"]


@pytest.mark.parametrize(
    ("providers", "field"),
    [
        ("fcm", ""),
        ([], ""),
        ({"gcm": {}}, ".gcm"),
        ({"fcm": "high"}, ".fcm"),
        ({"fcm": {"a": ["{{ payload.text"]}}, ".fcm"),
        ({"fcm": {"_passthrough": []}}, ".fcm._passthrough"),
        ({"fcm": {"_passthrough": {"cookies": {}}}}, ".fcm._passthrough"),
        ({"fcm": {"_passthrough": {"headers": "x"}}}, ".fcm._passthrough"),
        ({"push-webhook": {"hmacSecretKey": "secret"}}, ".push-webhook"),
        ({"fcm": {"topic": "everybody"}}, ".fcm"),
        ({"fcm": {"_passthrough": {"body": {"token": "a"}}}}, ".fcm._passthrough"),
        ({"one-signal": {"includedSegments": ["All"]}}, ".one-signal"),
        ({"one-signal": {"included_segments": ["All"]}}, ".one-signal"),
        ({"expo": {"to": "a"}}, ".expo"),
        ({"pusher-beams": {"users": ["a"]}}, ".pusher-beams"),
        ({"pushpad": {"uids": ["a"]}}, ".pushpad"),
        ({"huawei": {"topic": "everybody"}}, ".huawei"),
        (
            {"push-webhook": {"_passthrough": {"headers": {"Authorization": "x"}}}},
            ".push-webhook._passthrough",
        ),
        ({"fcm": nested(30)}, ".fcm"),
    ],
)
async def test_overrides_that_can_be_none_are_refused_with_their_field(
    dev: Caller, providers: object, field: str
) -> None:
    fields = await refused(dev, steps=[overriding(providers)])
    assert fields == {f"steps.0.controlValues.providers{field}"}


async def test_a_variable_in_overrides_that_is_nothing_is_told(dev: Caller) -> None:
    found = await made(dev, steps=[overriding({"fcm": {"a": "{{subscriber.nickname}}"}})])
    issues = found["steps"][0]["issues"]["controls"]["providers"]
    assert [issue["variableName"] for issue in issues] == ["subscriber.nickname"]
