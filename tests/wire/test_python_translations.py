"""Translations and layouts with the official Python SDK."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from novu_py import Novu, models

from running import ClarionProcess

WORKFLOW: Any = "workflow"


@pytest.fixture
def workflow(clarion: ClarionProcess) -> Iterator[str]:
    """A workflow of Development that is to be translated."""
    name = f"flow-{secrets.token_hex(4)}"
    controls = {"subject": "{{t.title}}", "body": "{{ t.items | plural: payload.count }}"}
    step = {"name": "Push", "stepId": "push", "type": "push", "controlValues": controls}
    body = {"name": name, "workflowId": name, "active": True, "steps": [step], "isTranslationEnabled": True}
    with clarion.client as client:
        client.post("/v2/workflows", json=body).raise_for_status()
    yield name
    with clarion.client as client:
        client.delete(f"/v2/workflows/{name}").raise_for_status()


@pytest.fixture
def layout(novu: Novu) -> Iterator[str]:
    """A layout."""
    name = f"layout-{secrets.token_hex(4)}"
    given: Any = {"name": name, "layout_id": name}
    assert novu.layouts.create(create_layout_dto=given).result.layout_id == name
    yield name
    novu.layouts.delete(layout_id=name)


def test_a_translation_is_written_read_and_removed(novu: Novu, workflow: str) -> None:
    content = {"title": "Hallo", "items": {"one": "eins", "other": "viele"}}
    given: Any = {"resource_type": "workflow", "resource_id": workflow, "locale": "de_AT", "content": content}
    made = novu.translations.create(create_translation_request_dto=given)
    assert (made.resource_id, made.locale, made.content) == (workflow, "de_AT", content)
    one = {"resource_type": WORKFLOW, "resource_id": workflow, "locale": "de_AT"}
    assert novu.translations.retrieve(**one) == made
    group = novu.translations.groups.retrieve(resource_type=WORKFLOW, resource_id=workflow)
    assert (group.resource_name, group.locales) == (workflow, ["de_AT"])
    novu.translations.delete(**one)
    with pytest.raises(models.NovuError) as refused:
        novu.translations.retrieve(**one)
    assert refused.value.status_code == 404
    novu.translations.create(create_translation_request_dto=given)
    novu.translations.groups.delete(resource_type=WORKFLOW, resource_id=workflow)
    with pytest.raises(models.NovuError):
        novu.translations.groups.retrieve(resource_type=WORKFLOW, resource_id=workflow)


def test_the_sdk_fails_to_send_a_form_by_itself_and_plain_http_uploads(
    novu: Novu, clarion: ClarionProcess, workflow: str
) -> None:
    """It asks for the content of a request that it is yet to stream; mended, it belongs into this test."""
    content = {"file_name": "de.json", "content": b"{}"}
    form: Any = {"resource_type": "workflow", "resource_id": workflow, "files": [content]}
    master: Any = {"file": content}
    for send in (
        lambda: novu.translations.upload(request_body=form),
        lambda: novu.translations.master.upload(request_body=master),
    ):
        with pytest.raises(httpx.RequestNotRead):
            send()
    texts = (("de", "Hallo"), ("fr_FR", "Salut"), ("nonsense!", "?"))
    files = [("files", (f"{locale}.json", json.dumps({"title": text}))) for locale, text in texts]
    fields = {"resourceType": "workflow", "resourceId": workflow}
    with clarion.client as client:
        answer = client.post("/v2/translations/upload", data=fields, files=files).raise_for_status()
    found = models.UploadTranslationsResponseDto.model_validate(answer.json()["data"])
    assert (found.total_files, found.successful_uploads, found.failed_uploads) == (3, 2, 1)
    assert found.errors[0].startswith("nonsense!.json")
    group = novu.translations.groups.retrieve(resource_type=WORKFLOW, resource_id=workflow)
    assert group.locales == ["de", "fr_FR"]


def test_all_of_a_locale_is_taken_out_and_put_in_again(novu: Novu, workflow: str) -> None:
    given: Any = {"locale": "it", "master_json": {"workflows": {workflow: {"title": "Ciao"}, "gone": {}}}}
    found = novu.translations.master.import_master_json(import_master_json_request_dto=given)
    assert (found.success, found.successful, found.failed) == (True, [workflow], ["gone"])
    master = novu.translations.master.retrieve(locale="it")
    assert master.workflows[workflow] == {"title": "Ciao"}


def test_a_layout_is_changed_copied_previewed_and_listed(novu: Novu, layout: str) -> None:
    assert novu.layouts.retrieve(layout_id=layout).result.name == layout
    body = "<b>{{subscriber.firstName}}</b>{{content}}"
    change: Any = {"name": "New", "control_values": {"email": {"body": body, "editor_type": "html"}}}
    changed = novu.layouts.update(layout_id=layout, update_layout_dto=change).result
    assert changed.controls.values.email is not None
    assert (changed.name, changed.controls.values.email.body) == ("New", body)
    copy: Any = {"name": "Copy of it"}
    made = novu.layouts.duplicate(layout_id=layout, duplicate_layout_dto=copy).result
    assert made.controls == changed.controls
    listed = novu.layouts.list(request={"query": made.layout_id}).result
    assert ([item.id for item in listed.layouts], listed.total_count) == ([made.id], 1)
    novu.layouts.delete(layout_id=made.id)
    data: Any = {"preview_payload": {"subscriber": {"first_name": "Bob"}}}
    shown = novu.layouts.generate_preview(layout_id=layout, layout_preview_request_dto=data).result
    assert "<b>Bob</b>" in shown.model_dump_json()
    assert novu.layouts.usage(layout_id=layout).result.workflows == []
    with pytest.raises(models.ErrorDto) as refused:
        novu.layouts.retrieve(layout_id=made.layout_id)
    assert refused.value.data.status_code == 404
