"""Layouts of e-mails: kept, copied, previewed."""

from typing import Any

import pytest

from calling import PUSH, Caller, Json, data, error

PATH = "/v2/layouts"


async def made(dev: Caller, name: str = "frame", **fields: Any) -> Json:
    found: Json = data(await dev.post(PATH, {"layoutId": name, "name": name.title(), **fields}), 201)
    return found


def email(body: str, editor: str = "html") -> Json:
    return {"email": {"body": body, "editorType": editor}}


async def test_a_layout_is_made_changed_and_removed(dev: Caller) -> None:
    first = await made(dev)
    assert (first["isDefault"], first["isTranslationEnabled"], first["controls"]) == (
        True,
        False,
        {"values": {}},
    )
    for name in ("frame", first["_id"], first["slug"]):
        assert data(await dev.get(f"{PATH}/{name}")) == first
    change = {"name": "New", "controlValues": email("<b>{{content}}</b>"), "isTranslationEnabled": True}
    changed = data(await dev.put(f"{PATH}/frame", change))
    assert (changed["name"], changed["isTranslationEnabled"]) == ("New", True)
    kept = data(await dev.put(f"{PATH}/frame", {"name": "New"}))
    assert kept["controls"]["values"] == email("<b>{{content}}</b>")
    cleared = data(await dev.put(f"{PATH}/frame", {"name": "New", "controlValues": None}))
    assert cleared["controls"]["values"] == {}
    assert (await dev.delete(f"{PATH}/frame")).status_code == 204
    error(await dev.get(f"{PATH}/frame"), 404)
    error(await dev.delete(f"{PATH}/frame"), 404)


async def test_the_oldest_layout_is_the_default(dev: Caller) -> None:
    assert [(await made(dev, name))["isDefault"] for name in ("a", "b")] == [True, False]
    await dev.delete(f"{PATH}/a")
    assert data(await dev.get(f"{PATH}/b"))["isDefault"] is True


async def test_layouts_are_listed_in_order_and_in_parts(dev: Caller, prod: Caller) -> None:
    for name in ("beta", "alpha", "gamma"):
        await made(dev, name)
    await made(prod, "other")
    found = data(await dev.get(PATH))
    assert [item["layoutId"] for item in found["layouts"]] == ["gamma", "alpha", "beta"]
    assert [item["isDefault"] for item in found["layouts"]] == [False, False, True]
    part = data(await dev.get(PATH, orderBy="name", orderDirection="ASC", limit=1, offset=1))
    assert ([item["layoutId"] for item in part["layouts"]], part["totalCount"]) == (["beta"], 3)
    assert data(await dev.get(PATH, query="LPH"))["totalCount"] == 1
    error(await dev.get(PATH, limit=101), 422)


async def test_a_copy_has_the_body_and_a_name_of_its_own(dev: Caller) -> None:
    await made(dev)
    await dev.put(f"{PATH}/frame", {"name": "Frame", "controlValues": email("{{content}}")})
    named = data(await dev.post(f"{PATH}/frame/duplicate", {"name": "Copy", "layoutId": "copy"}), 201)
    assert (named["layoutId"], named["controls"]["values"]) == ("copy", email("{{content}}"))
    for _ in range(2):
        other = data(await dev.post(f"{PATH}/frame/duplicate", {"name": "My copy"}), 201)
        assert other["layoutId"].startswith("my-copy-")
    assert data(await dev.get(PATH))["totalCount"] == 4


@pytest.mark.parametrize("verb", ["", "/frame/duplicate"])
@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"layoutId": "frame"}, "layoutId"), ({"layoutId": " "}, "layoutId"), ({"name": " "}, "name")],
)
async def test_a_name_that_cannot_be_is_refused(dev: Caller, verb: str, wrong: Json, field: str) -> None:
    await made(dev)
    refused = error(await dev.post(PATH + verb, {"layoutId": "new", "name": "New", **wrong}), 422)
    assert set(refused["errors"]) == {field}
    assert data(await dev.get(PATH))["totalCount"] == 1


@pytest.mark.parametrize(
    "values", [email("{{ open"), email("no document", "block"), email('["{{ open"]', "block")]
)
async def test_a_body_that_cannot_be_rendered_is_refused(dev: Caller, values: Json) -> None:
    await made(dev)
    for answer in (
        await dev.put(f"{PATH}/frame", {"name": "F", "controlValues": values}),
        await dev.post(f"{PATH}/frame/preview", {"controlValues": values}),
    ):
        assert set(error(answer, 422)["errors"]) == {"controlValues.email.body"}


async def test_a_preview_shows_the_body_for_sample_data(dev: Caller) -> None:
    await made(dev)
    empty = data(await dev.post(f"{PATH}/frame/preview", {}), 201)
    assert empty["result"] == {"type": "email", "preview": {"body": ""}}
    await dev.put(
        f"{PATH}/frame", {"name": "F", "controlValues": email("{{subscriber.firstName}}: {{content}}")}
    )
    given = {"previewPayload": {"subscriber": {"firstName": "Bob"}}}
    found = data(await dev.post(f"{PATH}/frame/preview", given), 201)
    assert found["result"]["preview"]["body"].startswith("Bob: <p>")
    assert found["previewPayloadExample"]["subscriber"]["firstName"] == "Bob"
    block = email('{"type": "doc", "content": [{"text": "Hi \\"{{subscriber.firstName}}\\""}, 7]}', "block")
    other = data(await dev.post(f"{PATH}/frame/preview", {"controlValues": block}), 201)
    assert other["result"]["preview"]["body"] == '{"type":"doc","content":[{"text":"Hi \\"Ada\\""},7]}'
    failing = {"controlValues": email("{% for i in (1..100000000) %}x{% endfor %}")}
    error(await dev.post(f"{PATH}/frame/preview", failing), 422)


async def test_who_uses_a_layout_is_told(dev: Caller) -> None:
    layout = await made(dev)
    await dev.workflow("none")
    for name, value in (("by-id", layout["_id"]), ("by-name", "frame")):
        await dev.workflow(name, steps=[{**PUSH, "controlValues": {"subject": "S", "layoutId": value}}])
    found = data(await dev.get(f"{PATH}/frame/usage"))
    assert [item["workflowId"] for item in found["workflows"]] == ["by-id", "by-name"]
