"""Contexts over the API: kept, listed, named by triggers, and what was sent in them found again."""

from typing import Any

import pytest

from calling import Api, Caller, Json, data, error

STEP = {
    "name": "Push",
    "stepId": "push",
    "type": "push",
    "controlValues": {"subject": "{{context.tenant.data.name}}", "body": "{{context.tenant.id}}"},
}
ACME = {"id": "acme", "data": {"name": "Acme"}}


async def context(dev: Caller, kind: str = "tenant", identity: str = "acme", **more: Any) -> Json:
    found: Json = data(await dev.post("/v2/contexts", {"type": kind, "id": identity, **more}), 201)
    return found


@pytest.fixture
async def ada(dev: Caller) -> Caller:
    await dev.integration()
    await dev.workflow(steps=[STEP])
    channel = {"providerId": "push-webhook", "credentials": {"deviceTokens": ["phone"]}}
    await dev.subscriber(channels=[channel])
    return dev


async def triggered(dev: Caller, context: Json | None = None, **more: Any) -> Json:
    given = {"name": "welcome", "to": "ada", "context": context, **more}
    found: Json = data(await dev.post("/v1/events/trigger", given), 201)
    return found


async def test_a_context_is_made_read_changed_and_removed(dev: Caller) -> None:
    made = await context(dev, data={"name": "Acme", "deep": {"list": [1, None]}})
    assert (made["type"], made["id"], made["data"]["deep"]) == ("tenant", "acme", {"list": [1, None]})
    assert data(await dev.get("/v2/contexts/tenant/acme")) == made
    found = data(await dev.patch("/v2/contexts/tenant/acme", {"data": {"plan": "pro"}}))
    assert (found["data"], found["createdAt"]) == ({"plan": "pro"}, made["createdAt"])
    assert found["updatedAt"] > made["updatedAt"]
    assert (await dev.delete("/v2/contexts/tenant/acme")).status_code == 204
    assert "create it" in error(await dev.get("/v2/contexts/tenant/acme"), 404)["message"]


async def test_a_second_one_of_a_key_is_refused(dev: Caller) -> None:
    assert (await context(dev))["data"] == {}
    refused = await dev.post("/v2/contexts", {"type": "tenant", "id": "acme", "data": {"a": 1}})
    error(refused, 409)
    assert refused.headers["retry-after"] == "1"
    assert data(await dev.get("/v2/contexts/tenant/acme"))["data"] == {}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "tenant"}, "body"),
        ({"type": "", "id": "a"}, "type"),
        ({"type": "a:b", "id": "a"}, "type"),
        ({"type": "a", "id": "b\n"}, "id"),
        ({"type": "a", "id": "b" * 101}, "id"),
        ({"type": "a", "id": "b", "data": [1]}, "data"),
        ({"type": "a", "id": "b", "data": {"x": "x" * 65536}}, "data"),
    ],
)
async def test_what_cannot_be_a_context_is_refused_by_name(dev: Caller, body: Json, field: str) -> None:
    assert field in error(await dev.post("/v2/contexts", body), 422)["errors"]


async def test_another_environment_has_contexts_of_its_own(dev: Caller, prod: Caller) -> None:
    await context(dev)
    for answer in (
        await prod.get("/v2/contexts/tenant/acme"),
        await prod.patch("/v2/contexts/tenant/acme", {"data": {}}),
        await prod.delete("/v2/contexts/tenant/acme"),
    ):
        error(answer, 404)
    assert (await prod.get("/v2/contexts")).json()["data"] == []


async def test_the_list_is_paged_and_narrowed(dev: Caller) -> None:
    for kind in ("app", "tenant"):
        for name in ("one", "two"):
            await context(dev, kind, name)

    async def keys(**query: Any) -> tuple[list[str], Json]:
        page = (await dev.get("/v2/contexts", **query)).json()
        return [f"{item['type']}:{item['id']}" for item in page["data"]], page

    shown, page = await keys(limit=3)
    assert shown == ["tenant:two", "tenant:one", "app:two"]
    assert (page["totalCount"], page["totalCountCapped"], page["previous"]) == (4, False, None)
    assert (await keys(limit=3, after=page["next"]))[0] == ["app:one"]
    assert (await keys(limit=1, orderDirection="ASC"))[0] == ["app:one"]
    assert (await keys(id="two"))[0] == ["tenant:two", "app:two"]
    assert (await keys(search="app"))[0] == ["app:two", "app:one"]
    assert "cursor" in error(await dev.get("/v2/contexts", after="nowhere"), 422)["message"]


async def test_a_trigger_makes_its_contexts_and_templates_see_their_data(api: Api, ada: Caller) -> None:
    await triggered(ada, {"tenant": ACME, "app": "crm"})
    await triggered(ada, {"tenant": "acme"})
    await triggered(ada, {"tenant": {"id": "acme", "data": {"name": "Acme 2"}}})
    await triggered(ada)
    await api.deliver()
    shown = (await ada.get("/v1/messages")).json()["data"][::-1]
    assert [(item["title"], item["content"], item["contextKeys"]) for item in shown] == [
        ("Acme", "acme", ["app:crm", "tenant:acme"]),
        ("Acme", "acme", ["tenant:acme"]),
        ("Acme 2", "acme", ["tenant:acme"]),
        ("", "", []),
    ]
    assert data(await ada.get("/v2/contexts/tenant/acme"))["data"] == {"name": "Acme 2"}
    assert data(await ada.get("/v2/contexts/app/crm"))["data"] == {}


async def test_conditions_see_contexts(api: Api, ada: Caller) -> None:
    rule = {"==": [{"var": "context.tenant.data.plan"}, "pro"]}
    step = {**STEP, "controlValues": {**STEP["controlValues"], "skip": rule}}  # type: ignore[dict-item]
    await ada.workflow("picky", steps=[step])
    await context(ada, "tenant", "rich", data={"plan": "pro"})
    for name in ("rich", "poor"):
        await triggered(ada, {"tenant": name}, name="picky")
    await api.deliver()
    assert [item["content"] for item in (await ada.get("/v1/messages")).json()["data"]] == ["rich"]


async def test_what_was_sent_in_a_scope_is_found_by_exactly_it(api: Api, ada: Caller) -> None:
    await triggered(ada, {"tenant": "acme", "app": "crm"}, transactionId="both")
    await triggered(ada, {"tenant": "acme"}, transactionId="one")
    await triggered(ada, transactionId="none")
    await api.deliver()

    async def found(path: str, *keys: str) -> list[str]:
        listed = (await ada.get(path, contextKeys=list(keys))).json()["data"]
        return [item["transactionId"] for item in listed]

    for path in ("/v1/messages", "/v1/notifications"):
        assert await found(path, "tenant:acme", "app:crm") == ["both"]
        assert await found(path, "tenant:acme") == ["one"]
        assert await found(path, "app:crm") == []
        assert await found(path) == ["none", "one", "both"]
        assert await found(path, "") == ["none"]
    (shown,) = (await ada.get("/v1/notifications", transactionId="both")).json()["data"]
    assert shown["contextKeys"] == ["app:crm", "tenant:acme"]
    assert data(await ada.get(f"/v1/notifications/{shown['_id']}"))["contextKeys"] == shown["contextKeys"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({f"t{n}": "x" for n in range(6)}, "context"),
        ({"tenant": "a b"}, "context.tenant"),
        ({"ten:ant": "a"}, "context.ten:ant"),
        ({"tenant": {"id": ""}}, "context.tenant"),
        ({"tenant": {"data": {}}}, "context"),
        ({"tenant": 5}, "context"),
        ({"tenant": {"id": "a", "data": {"x": "x" * 65536}}}, "context.tenant.data"),
    ],
)
async def test_a_trigger_with_what_cannot_be_a_context_is_refused(
    ada: Caller, given: Json, field: str
) -> None:
    refused = await ada.post("/v1/events/trigger", {"name": "welcome", "to": "ada", "context": given})
    (fault,) = error(refused, 400)["errors"]
    assert fault["field"].startswith(field)
    assert (await ada.get("/v2/contexts")).json()["data"] == []


async def test_a_preview_shows_the_data_that_a_context_has(ada: Caller) -> None:
    await context(ada, data={"name": "Acme"})
    path = "/v2/workflows/welcome/step/push/preview"

    async def shown(given: Json) -> Any:
        found = data(await ada.post(path, {"previewPayload": {"context": given}}), 201)
        return found["result"]["preview"]["subject"]

    assert await shown({"tenant": "acme"}) == "Acme"
    assert await shown({"tenant": {"id": "acme", "data": {"name": "Sample"}}}) == "Sample"
    assert await shown({}) == "name"
    error(await ada.post(path, {"previewPayload": {"context": {"tenant": "a b"}}}), 422)
