"""Translations: one by one, as files, or all of a locale at once."""

import json
from typing import Any

import pytest

from calling import PUSH, Api, Caller, Json, data, error
from clarion.api import translation_imports, translations
from clarion.api.bodies import decode_body
from clarion.api.forms import MOST_PARTS

PATH = "/v2/translations"
WELCOME = {"resourceType": "workflow", "resourceId": "welcome"}


async def translated(caller: Caller, locale: str, content: Json, **fields: Any) -> Json:
    given = {**WELCOME, "locale": locale, "content": content, **fields}
    found: Json = data(await caller.post(PATH, given))
    return found


async def uploaded(caller: Caller, *files: tuple[str, object], field: str = "files", **fields: str) -> Any:
    parts = [
        (field, (name, text if isinstance(text, str) else json.dumps(text), "application/json"))
        for name, text in files
    ]
    return await caller.call("POST", f"{PATH}/upload", data={**WELCOME, **fields}, files=parts)


async def test_a_translation_is_written_read_replaced_and_removed(dev: Caller) -> None:
    flow = await dev.workflow()
    made = await translated(dev, "de-at", {"title": "Servus"})
    assert (made["locale"], made["resourceId"], made["content"]) == ("de_AT", "welcome", {"title": "Servus"})
    again = await translated(dev, "de_AT", {"title": "Grüß Gott"}, resourceId=flow["slug"])
    assert again["createdAt"] == made["createdAt"] < again["updatedAt"]
    for name in ("welcome", flow["_id"], flow["slug"]):
        for locale in ("de_AT", "de-AT"):
            assert data(await dev.get(f"{PATH}/workflow/{name}/{locale}")) == again
    assert (await dev.delete(f"{PATH}/workflow/welcome/de_AT")).status_code == 204
    for call in (dev.get, dev.delete):
        error(await call(f"{PATH}/workflow/welcome/de_AT"), 404)


async def test_a_group_tells_its_locales_and_those_that_lack_a_key(dev: Caller) -> None:
    await dev.workflow(name="Welcome!")
    group = f"{PATH}/group/workflow/welcome"
    error(await dev.get(group), 404)
    await translated(dev, "en_US", {"title": "Hi", "body": {"one": "1", "other": "n"}})
    await translated(dev, "fr_FR", {"title": "Salut", "body.one": "1", "body.other": "n"})
    found = data(await dev.get(group))
    assert (found["locales"], "outdatedLocales" in found) == (["en_US", "fr_FR"], False)
    await translated(dev, "de", {"title": "Hallo"})
    found = data(await dev.get(group))
    assert (found["resourceName"], found["outdatedLocales"]) == ("Welcome!", ["de"])
    assert (await dev.delete(f"{PATH}/workflow/welcome")).status_code == 204
    for answer in (await dev.get(group), await dev.delete(f"{PATH}/workflow/welcome")):
        error(answer, 404)


async def test_a_layout_is_translated_too_and_takes_its_words_along(dev: Caller) -> None:
    layout = data(await dev.post("/v2/layouts", {"layoutId": "frame", "name": "Frame"}), 201)
    frame = {"resourceType": "layout", "resourceId": layout["slug"]}
    made = await translated(dev, "de", {"title": "Hallo"}, **frame)
    assert (made["resourceType"], made["resourceId"]) == ("layout", "frame")
    copy = {"name": "Copy", "layoutId": "copy", "isTranslationEnabled": True}
    data(await dev.post("/v2/layouts/frame/duplicate", copy), 201)
    assert data(await dev.get(f"{PATH}/layout/copy/de"))["content"] == {"title": "Hallo"}
    await dev.delete("/v2/layouts/frame")
    assert data(await dev.get(f"{PATH}/master-json", locale="de"))["layouts"] == {"copy": {"title": "Hallo"}}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"locale": "klingon"}, "locale"),
        ({"locale": ""}, "locale"),
        ({"content": {"title": 1}}, "content.title"),
        ({"content": {"a": "x", "a.b": "y"}}, "content.a.b"),
        ({"content": {"title": "{{ open"}}, "content.title"),
        ({"content": {"title": "x" * translations.MOST_BYTES}}, "content"),
        ({"resourceType": "topic"}, "resourceType"),
    ],
)
async def test_what_is_no_translation_is_refused_by_name(dev: Caller, wrong: Json, field: str) -> None:
    await dev.workflow()
    refused = error(await dev.post(PATH, {**WELCOME, "locale": "de", "content": {"a": "b"}, **wrong}), 422)
    assert set(refused["errors"]) == {field}
    error(await dev.get(f"{PATH}/group/workflow/welcome"), 404)


async def test_what_is_not_there_has_no_translation(dev: Caller) -> None:
    given = {**WELCOME, "locale": "de", "content": {}}
    error(await dev.post(PATH, given), 404)
    error(await uploaded(dev, ("de.json", {})), 404)
    for path in ("workflow/welcome", "layout/welcome", "topic/welcome"):
        error(await dev.get(f"{PATH}/group/{path}"), 404)
        error(await dev.get(f"{PATH}/{path}/de"), 404)


async def test_a_resource_has_so_many_locales(dev: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translations, "MOST_LOCALES", 2)
    await dev.workflow()
    for locale in ("de", "fr", "de"):
        await translated(dev, locale, {"title": "x"})
    refused = error(await dev.post(PATH, {**WELCOME, "locale": "it", "content": {}}), 400)
    assert (refused["currentCount"], refused["limit"]) == (2, 2)
    assert data(await dev.get(f"{PATH}/group/workflow/welcome"))["locales"] == ["de", "fr"]


@pytest.mark.parametrize("field", ["files", "files[]"])
async def test_files_are_uploaded_and_what_is_wrong_with_one_is_told(dev: Caller, field: str) -> None:
    await dev.workflow()
    found = data(
        await uploaded(
            dev,
            ("de_AT.json", {"title": "Servus"}),
            ("fr-FR.json", {"title": "Salut \N{GRINNING FACE}"}),
            ("es-ES.json", "{"),
            ("notes.json", {"title": "x"}),
            ("it.json", {"title": 7}),
            field=field,
        )
    )
    assert (found["totalFiles"], found["successfulUploads"], found["failedUploads"]) == (5, 2, 3)
    assert [told.partition(":")[0] for told in found["errors"]] == ["es-ES.json", "notes.json", "it.json"]
    assert data(await dev.get(f"{PATH}/workflow/welcome/fr_FR"))["content"]["title"].startswith("Salut")
    assert data(await dev.get(f"{PATH}/group/workflow/welcome"))["locales"] == ["de_AT", "fr_FR"]


FORM = {"content-type": "multipart/form-data; boundary=b"}


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"content-type": "application/json"}, b"{}", 400),
        ({}, b"", 400),
        ({"content-type": "multipart/form-data"}, b"--b--\r\n", 400),
        ({"content-type": f"multipart/form-data; boundary={'b' * 500}"}, b"--b--\r\n", 400),
        (FORM, b"", 400),
        (FORM, b"nonsense", 400),
        (FORM, b'--b\r\ncontent-disposition: form-data; name="resourceId"\r\n\r\nwelcome', 400),
        (FORM, b"--b\r\n\r\nx\r\n" * (MOST_PARTS + 1) + b"--b--\r\n", 400),
        (FORM, b'--b\r\ncontent-disposition: form-data; name="resourceId"\r\n\r\nwelcome\r\n--b--\r\n', 422),
        (FORM, b"\xff" * (17 * 1024 * 1024), 413),
    ],
)
async def test_what_is_no_form_is_refused(
    dev: Caller, headers: dict[str, str], content: bytes, status: int
) -> None:
    await dev.workflow()
    for path in ("upload", "master-json/upload"):
        error(await dev.call("POST", f"{PATH}/{path}", content=content, headers=headers), status)


async def test_a_locale_is_taken_out_and_put_in_again(dev: Caller, prod: Caller) -> None:
    for caller in (dev, prod):
        await caller.workflow()
        data(await caller.post("/v2/layouts", {"layoutId": "frame", "name": "Frame"}), 201)
    await translated(dev, "en_US", {"title": "Hi"})
    await translated(dev, "de", {"title": "Hallo"})
    await translated(dev, "de", {"title": "Rahmen"}, resourceType="layout", resourceId="frame")
    master = data(await dev.get(f"{PATH}/master-json", locale="de"))
    assert master == {"workflows": {"welcome": {"title": "Hallo"}}, "layouts": {"frame": {"title": "Rahmen"}}}
    assert data(await dev.get(f"{PATH}/master-json"))["workflows"] == {"welcome": {"title": "Hi"}}
    error(await dev.get(f"{PATH}/master-json", locale="klingon"), 422)
    found = data(await prod.post(f"{PATH}/master-json", {"locale": "de", "masterJson": master}))
    assert found == {
        "success": True,
        "message": "Successfully imported translations for 2 resources: welcome, frame",
        "successful": ["welcome", "frame"],
        "failed": [],
    }
    assert data(await prod.get(f"{PATH}/master-json", locale="de")) == master
    file = ("file", ("fr_FR.json", json.dumps(master), "application/json"))
    assert data(await prod.call("POST", f"{PATH}/master-json/upload", files=[file]))["success"]
    assert data(await prod.get(f"{PATH}/master-json", locale="fr_FR")) == master


async def test_texts_that_come_in_files_are_decoded_once(
    dev: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    await dev.workflow()
    decoded: list[bytes] = []

    def decode(raw: bytes, kind: Any) -> Any:
        decoded.append(raw)
        return decode_body(raw, kind)

    monkeypatch.setattr(translation_imports, "decode_body", decode)
    data(await uploaded(dev, ("de.json", {"title": "Hallo"}), ("fr.json", {"title": "Salut"})))
    master = ("file", ("it.json", '{"workflows": {"welcome": {"title": "Ciao"}}}', "application/json"))
    data(await dev.call("POST", f"{PATH}/master-json/upload", files=[master]))
    assert len(decoded) == len(set(decoded)) == 3


async def test_an_import_says_what_it_could_not_use(dev: Caller) -> None:
    await dev.workflow()
    master = {"workflows": {"welcome": {"title": "Hallo"}, "gone": {"title": "x"}}, "layouts": {"no": {}}}
    found = data(await dev.post(f"{PATH}/master-json", {"locale": "de", "masterJson": master}))
    assert (found["success"], found["successful"], found["failed"]) == (True, ["welcome"], ["gone", "no"])
    assert "Workflow gone was not found" in found["message"]
    nothing = {"locale": "de", "masterJson": {"workflows": {"gone": {}}}}
    assert data(await dev.post(f"{PATH}/master-json", nothing))["success"] is False
    wrongs: list[Json] = [{}, {"workflows": []}, {"workflows": {"welcome": "x"}}]
    for wrong in wrongs:
        error(await dev.post(f"{PATH}/master-json", {"locale": "de", "masterJson": wrong}), 422)


async def test_a_removed_workflow_leaves_no_translations_to_its_successor(api: Api, dev: Caller) -> None:
    await dev.workflow()
    await translated(dev, "de", {"title": "Hallo"})
    assert len((await api.services.catalog.current()).translations) == 1
    await dev.delete("/v2/workflows/welcome")
    await dev.workflow()
    error(await dev.get(f"{PATH}/group/workflow/welcome"), 404)
    assert (await api.services.catalog.current()).translations == {}


async def test_pushes_previews_and_issues_speak_the_recipients_language(api: Api, dev: Caller) -> None:
    controls = {"subject": "{{t.title}}", "body": "{{ t.items | plural: payload.count }}{{t.gone}}"}
    flow = await dev.workflow(isTranslationEnabled=True, steps=[{**PUSH, "controlValues": controls}])
    await translated(dev, "en_US", {"title": "Hi", "items": {"one": "one", "other": "{{count}} items"}})
    await translated(dev, "de", {"title": "Hallo {{subscriber.firstName}}"})
    await dev.integration()
    await dev.subscriber(firstName="Ada", locale="de_CH")
    for token, locale in (("phone", None), ("tablet", "fr-FR")):
        device = {"providerId": "push-webhook", "token": token, "locale": locale}
        data(await dev.post("/v1/subscribers/ada/devices", device), 201)
    trigger = {"name": "welcome", "to": "ada", "payload": {"count": 3}}
    data(await dev.post("/v1/events/trigger", trigger), 201)
    await api.deliver()
    shown = (await dev.get("/v1/messages")).json()["data"]
    assert sorted((item["title"], item["content"]) for item in shown) == [
        ("Hallo Ada", "3 items"),
        ("Hi", "3 items"),
    ]
    step = data(await dev.get(f"/v2/workflows/{flow['_id']}/steps/push"))
    assert "t" in step["variables"]["properties"]
    (issue,) = step["issues"]["controls"]["body"]
    assert issue["message"].startswith("t.gone is not translated into en_US")
    sampled = data(await dev.post("/v2/workflows/welcome/step/push/preview", {}), 201)
    assert sampled["previewPayloadExample"]["payload"]["count"] == "count"
    assert sampled["result"]["preview"]["body"] == "count items"
    given = {"previewPayload": {"payload": {"count": 1}, "subscriber": {"locale": "de", "firstName": "Bob"}}}
    found = data(await dev.post("/v2/workflows/welcome/step/push/preview", given), 201)
    assert found["result"]["preview"] == {"subject": "Hallo Bob", "body": "one"}
    assert "t" not in found["previewPayloadExample"]["payload"]
    data(await dev.patch("/v2/workflows/welcome", {"isTranslationEnabled": False}))
    off = data(await dev.post("/v2/workflows/welcome/step/push/preview", given), 201)
    assert off["result"]["preview"]["subject"] == "title"
