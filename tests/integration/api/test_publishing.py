"""Workflows go from one environment to another."""

from typing import Any

import msgspec
import pytest

from calling import PUSH, Api, Caller, Json, data, error
from clarion.store import workflows


@pytest.fixture
async def target(api: Api) -> str:
    return await api.environment_id("prod")


def step(name: str, **controls: str) -> Json:
    return {**PUSH, "stepId": name, "name": name, "controlValues": {"subject": "S", "body": "B", **controls}}


async def published(dev: Caller, target: str, **given: Any) -> Json:
    found: Json = data(await dev.post(f"/v2/environments/{target}/publish", given))
    return found


async def differing(dev: Caller, target: str, **given: Any) -> Json:
    found: Json = data(await dev.post(f"/v2/environments/{target}/diff", given))
    return found


def actions(found: Json) -> dict[str, str]:
    return {item["resourceId"]: item["action"] for item in found["results"][0]["successful"]}


async def test_a_workflow_is_copied_and_then_kept_up(dev: Caller, prod: Caller, target: str) -> None:
    own = {"fcm": {"android": {"priority": "high"}}}
    push = {**PUSH, "controlValues": {**PUSH["controlValues"], "providers": own}}
    made = await dev.workflow(tags=["shop"], severity="high", steps=[push])
    copy = data(await dev.put("/v2/workflows/welcome/sync", {"targetEnvironmentId": target}))
    assert data(await prod.get("/v2/workflows/welcome")) == copy
    assert copy["steps"][0]["controls"]["values"]["providers"] == own
    assert (copy["_id"] != made["_id"], copy["tags"], copy["severity"]) == (True, ["shop"], "high")
    await dev.patch("/v2/workflows/welcome", {"name": "Hello again"})
    again = data(await dev.put(f"/v2/workflows/{made['slug']}/sync", {"targetEnvironmentId": target}))
    assert (again["_id"], again["name"]) == (copy["_id"], "Hello again")
    assert [item["_id"] for item in again["steps"]] == [item["_id"] for item in copy["steps"]]


async def test_translations_go_along(dev: Caller, prod: Caller, target: str) -> None:
    words = {"resourceType": "workflow", "resourceId": "welcome"}
    for caller, name in ((dev, "welcome"), (dev, "same")):
        await caller.workflow(name, name=name, isTranslationEnabled=True)
        given = {**words, "resourceId": name, "locale": "de", "content": {"a": "A"}}
        data(await caller.post("/v2/translations", given))
    assert actions(await published(dev, target)) == {"same": "created", "welcome": "created"}
    assert data(await prod.get("/v2/translations/workflow/welcome/de"))["content"] == {"a": "A"}
    assert actions(await published(dev, target)) == {}
    data(await dev.post("/v2/translations", {**words, "locale": "de", "content": {"a": "B"}}))
    data(await prod.post("/v2/translations", {**words, "locale": "fr", "content": {"a": "F"}}))
    (changed,) = (await differing(dev, target))["resources"]
    assert changed["changes"][0]["diffs"] == {
        "previous": {"translations": {"de": {"a": "A"}, "fr": {"a": "F"}}},
        "new": {"translations": {"de": {"a": "B"}}},
    }
    data(await dev.put("/v2/workflows/welcome/sync", {"targetEnvironmentId": target}))
    assert data(await prod.get("/v2/translations/group/workflow/welcome"))["locales"] == ["de"]
    assert (await differing(dev, target))["summary"]["hasChanges"] is False
    await dev.delete("/v2/workflows/welcome")
    assert actions(await published(dev, target)) == {"welcome": "deleted"}
    left = data(await prod.get("/v2/translations/master-json", locale="de"))
    assert left["workflows"] == {"same": {"a": "A"}}


async def test_where_it_cannot_go_is_told(api: Api, dev: Caller, prod: Caller, target: str) -> None:
    await dev.workflow()
    sync = "/v2/workflows/welcome/sync"
    assert (
        "same"
        in error(await dev.put(sync, {"targetEnvironmentId": await api.environment_id()}), 400)["message"]
    )
    error(await dev.put(sync, {"targetEnvironmentId": "nowhere"}), 404)
    error(await prod.put(sync, {"targetEnvironmentId": await api.environment_id()}), 404)
    for verb in ("publish", "diff"):
        error(await dev.post(f"/v2/environments/nowhere/{verb}", {}), 404)
        error(await prod.post(f"/v2/environments/{target}/{verb}", {}), 400)
        error(await dev.post(f"/v2/environments/{target}/{verb}", {"sourceEnvironmentId": "nowhere"}), 404)


async def test_everything_is_published_and_what_is_gone_goes(dev: Caller, prod: Caller, target: str) -> None:
    for name in ("new", "changed", "same"):
        await dev.workflow(name, name=name)
    for name in ("changed", "same"):
        await dev.put(f"/v2/workflows/{name}/sync", {"targetEnvironmentId": target})
    await prod.workflow("gone", name="gone")
    await dev.patch("/v2/workflows/changed", {"description": "better"})
    wanted = {"new": "created", "changed": "updated", "gone": "deleted"}
    tried = await published(dev, target, dryRun=True)
    assert actions(tried) == wanted
    assert data(await prod.get("/v2/workflows"))["totalCount"] == 3
    found = await published(dev, target)
    assert found == tried
    assert found["summary"] == {"resources": 4, "successful": 3, "failed": 0, "skipped": 1}
    names = {item["workflowId"] for item in data(await prod.get("/v2/workflows"))["workflows"]}
    assert names == {"new", "changed", "same"}
    assert actions(await published(dev, target)) == {}
    assert (await differing(dev, target))["summary"] == {
        "totalEntities": 3,
        "totalChanges": 0,
        "hasChanges": False,
    }


async def test_some_are_published_by_either_name(dev: Caller, prod: Caller, target: str) -> None:
    first = await dev.workflow("first")
    for name in ("second", "third"):
        await dev.workflow(name)
    await prod.workflow("gone")
    wanted = [{"resourceType": "REGULAR", "resourceId": name} for name in (first["_id"], "second", "nothing")]
    found = await published(dev, target, resources=wanted)
    assert actions(found) == {"first": "created", "second": "created"}
    (failed,) = found["results"][0]["failed"]
    assert (failed["resourceId"], found["summary"]["failed"]) == ("nothing", 1)
    names = {item["workflowId"] for item in data(await prod.get("/v2/workflows"))["workflows"]}
    assert names == {"first", "second", "gone"}


async def test_a_difference_names_what_changes_and_where(
    api: Api, dev: Caller, prod: Caller, target: str
) -> None:
    await dev.workflow("flow", name="Flow", steps=[step("a"), step("b"), step("c")])
    await dev.put("/v2/workflows/flow/sync", {"targetEnvironmentId": target})
    steps = [step("c"), step("a", subject="T"), step("d")]
    await dev.put("/v2/workflows/flow", {"name": "River", "steps": steps, "active": True, "preferences": {}})
    await dev.workflow("new")
    found = await differing(dev, target, sourceEnvironmentId=await api.environment_id())
    by_name = {
        (item["sourceResource"] or item["targetResource"])["name"]: item for item in found["resources"]
    }
    changed = by_name["River"]
    assert changed["targetResource"]["name"] == "Flow"
    told = [(item["action"], item.get("stepType"), item.get("newIndex")) for item in changed["changes"]]
    assert told == [
        ("modified", None, None),
        ("deleted", "push", None),
        ("moved", "push", 0),
        ("modified", "push", 1),
        ("added", "push", 2),
    ]
    assert changed["changes"][0]["diffs"] == {"previous": {"name": "Flow"}, "new": {"name": "River"}}
    assert changed["changes"][3]["diffs"]["new"]["controls"]["subject"] == "T"
    sides = [(item["sourceResource"], item["targetResource"]) for item in changed["changes"][1:]]
    assert [(new and new["name"], old and old["name"]) for new, old in sides] == [
        (None, "b"),
        ("c", "c"),
        ("a", "a"),
        ("d", None),
    ]
    assert changed["summary"] == {"added": 1, "modified": 3, "deleted": 1, "unchanged": 0}
    assert by_name["Welcome"]["targetResource"] is None
    (added,) = by_name["Welcome"]["changes"]
    assert added["diffs"]["previous"] == {}
    assert added["diffs"]["new"].keys() <= data(await dev.get("/v2/workflows/new")).keys() | {"translations"}
    assert [item["type"] for item in added["diffs"]["new"]["steps"]] == ["push"]
    assert found["summary"] == {"totalEntities": 2, "totalChanges": 6, "hasChanges": True}
    assert [
        item["action"]
        for item in (await differing(prod, await api.environment_id()))["resources"][1]["changes"]
    ] == ["deleted"]


async def test_what_is_compared_is_what_is_there_and_not_what_was_read_before(
    api: Api, dev: Caller, prod: Caller, target: str
) -> None:
    await dev.workflow()
    copy = data(await dev.put("/v2/workflows/welcome/sync", {"targetEnvironmentId": target}))
    there = api.services.catalog.snapshot.workflows[copy["_id"]]
    changed = msgspec.structs.replace(there, description="changed by another process")
    await api.services.database.write(workflows.replace, changed)
    assert actions(await published(dev, target)) == {"welcome": "updated"}
    assert data(await prod.get("/v2/workflows/welcome"))["description"] == ""
