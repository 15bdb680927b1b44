"""Test sends through an integration."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from calling import WEBHOOK, Api, Caller, Json, data, error, running_api
from clarion.errors import ConnectFailed
from clarion.model.http import HttpReply
from pipeline import device_of
from pushing import Answer, ScriptedSender


@pytest.fixture
def sender() -> ScriptedSender:
    """What the providers answer."""
    return ScriptedSender(device_of)


@pytest.fixture
async def api(tmp_path: Path, sender: ScriptedSender) -> AsyncIterator[Api]:
    """The API, whose own requests go to `sender`."""
    async with running_api(tmp_path, sender) as running:
        yield running


async def tried(dev: Caller, token: str = "phone", **fields: object) -> Json:
    hook = await dev.integration()
    found: Json = data(await dev.post(f"/v1/integrations/{hook['_id']}/test", {"token": token, **fields}))
    return found


async def test_a_test_shows_the_request_the_answer_and_what_it_means(
    dev: Caller, sender: ScriptedSender
) -> None:
    sender.scripts["phone"] = [HttpReply(200, {"x-kind": "receiver"}, b'{"ok": true}')]
    found = await tried(dev, title="Hello", body="World", payload={"key": "value"})
    assert (found["outcome"], found["code"]) == ("accepted", "accepted")
    assert found["reply"] == {"status": 200, "headers": {"x-kind": "receiver"}, "body": '{"ok": true}'}
    assert found["request"]["method"] == "POST"
    assert found["request"]["url"] == WEBHOOK["webhookUrl"]
    assert all(text in found["request"]["body"] for text in ("Hello", "World", "phone", "value"))
    assert "…" in found["request"]["headers"]["x-novu-signature"]
    (sent,) = sender.requests["phone"]
    assert dict(sent.headers)["x-novu-signature"] not in str(found)
    assert WEBHOOK["secretKey"] not in str(found)


async def test_overrides_reach_the_provider(dev: Caller) -> None:
    passed = {"_passthrough": {"body": {"extra": "field"}, "headers": {"x-more": "header"}}}
    found = await tried(dev, overrides={"providers": {"push-webhook": passed}})
    assert '"extra":"field"' in found["request"]["body"]
    assert found["request"]["headers"]["x-more"] == "header"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (HttpReply(410, body=b'{"code": "token_invalid"}'), "token_dead"),
        (HttpReply(503), "unavailable"),
        (HttpReply(429), "throttled"),
        (ConnectFailed("no route"), "unavailable"),
    ],
)
async def test_every_outcome_says_what_to_do(
    dev: Caller, sender: ScriptedSender, answer: Answer, outcome: str
) -> None:
    sender.scripts["phone"] = [answer]
    found = await tried(dev)
    assert found["outcome"] == outcome
    assert found["explanation"]
    assert found["advice"]
    assert ("reply" in found) == isinstance(answer, HttpReply)


async def test_incomplete_credentials_are_told_and_nothing_is_sent(
    dev: Caller, sender: ScriptedSender
) -> None:
    made = await dev.integration(active=False, credentials={})
    found = data(await dev.post(f"/v1/integrations/{made['_id']}/test", {"token": "phone"}))
    assert found["outcome"] == "credentials_rejected"
    assert "webhookUrl" in found["explanation"]
    assert "request" not in found
    assert not sender.requests


async def test_nothing_is_stored(dev: Caller) -> None:
    await tried(dev)
    assert (await dev.get("/v1/messages")).json()["data"] == []
    assert (await dev.get("/v1/notifications")).json()["data"] == []


async def test_a_token_is_needed_and_the_integration_must_be_the_callers(dev: Caller, prod: Caller) -> None:
    hook = await dev.integration()
    path = f"/v1/integrations/{hook['_id']}/test"
    assert "token" in error(await dev.post(path, {}), 422)["errors"]
    assert error(await prod.post(path, {"token": "phone"}), 404)


async def test_a_test_push_reaches_a_device_by_its_id(dev: Caller, sender: ScriptedSender) -> None:
    sender.scripts["phone-token"] = [HttpReply(410, body=b'{"code": "token_invalid"}')]
    await dev.integration()
    device = {"providerId": "push-webhook", "token": "phone-token", "id": "phone"}
    data(await dev.post("/v1/subscribers/ada/devices", device), 201)
    path = "/v1/subscribers/ada/devices/phone/test"
    found = data(await dev.post(path, {"title": "Hello"}))
    assert (found["outcome"], found["request"]["method"]) == ("token_dead", "POST")
    assert "Hello" in found["request"]["body"]
    assert data(await dev.get("/v1/subscribers/ada/devices/phone"))["status"] == "active"
    error(await dev.post("/v1/subscribers/ada/devices/other/test", {}), 404)
