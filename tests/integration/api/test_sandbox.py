"""Sandbox phones: a push is seen without any provider."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from calling import Api, Caller, Json, data, error
from clarion.api.assembly import assembled
from clarion.app import foundation, services, worker
from clarion.settings import Settings

PATH = "/v1/sandbox"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """The API with a worker behind it."""
    settings = Settings(data_dir=tmp_path)
    async with foundation(settings) as base, services(base) as parts, worker(base):
        assert base.first_start is not None
        app = assembled(parts)
        keys = {"dev": base.first_start.development_key, "prod": base.first_start.production_key}
        development, production = (Caller(app, f"ApiKey {key}") for key in keys.values())
        yield Api(app, parts, development, production, keys)


async def phone(dev: Caller, **fields: Any) -> Json:
    found: Json = data(await dev.post(f"{PATH}/phones", {"subscriberId": "ada", **fields}), 201)
    return found


async def shown(dev: Caller) -> list[Json]:
    found: list[Json] = data(await dev.get(PATH))["phones"]
    return found


async def push(dev: Caller, text: str = "hi") -> Json:
    """Trigger a push to Ada's phones; the message that came of it."""
    given = {"name": "welcome", "to": "ada", "payload": {"text": text}}
    transaction = data(await dev.post("/v1/events/trigger", given), 201)["transactionId"]
    async with asyncio.timeout(20):
        while not (found := (await dev.get("/v1/messages", transactionId=transaction)).json()["data"]):
            await asyncio.sleep(0.02)
    (message,) = found
    return dict(message)


async def test_a_push_shows_on_the_phone(dev: Caller) -> None:
    await dev.workflow()
    before = data(await dev.get(PATH))
    assert before == {"available": True, "integrationIdentifier": None, "phones": []}
    made = await phone(dev, name="Ada's", platform="android")
    await dev.patch("/v2/subscribers/ada", {"firstName": "Ada"})
    message = await push(dev)
    (found,) = await shown(dev)
    (got,) = found.pop("pushes")
    assert found == {name: made[name] for name in found}
    assert (got["title"], got["body"]) == ("Hello Ada", "hi")
    assert (message["_id"], message["providerId"]) == (got["messageId"], "sandbox")
    assert got["content"]["data"]["__nvMessageId"] == got["messageId"]
    assert data(await dev.get("/v2/subscribers/ada"))["channels"] == []


async def test_a_removed_phone_shows_how_a_dead_token_goes(dev: Caller) -> None:
    await dev.workflow()
    made = await phone(dev)
    assert (await dev.delete(f"{PATH}/phones/{made['id']}")).status_code == 204
    assert error(await dev.delete(f"{PATH}/phones/{made['id']}"), 404)
    assert await shown(dev) == []
    await push(dev)
    (device,) = data(await dev.get("/v1/subscribers/ada/devices"))
    assert (device["id"], device["status"]) == (made["id"], "retired")
    assert device["retiredReason"] == "PHONE_REMOVED"


async def test_a_phone_keeps_the_newest_pushes(dev: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clarion.store.sandbox.MOST_KEPT", 2)
    await dev.workflow()
    await phone(dev)
    for text in ("one", "two", "three"):
        await push(dev, text)
    (found,) = await shown(dev)
    assert [item["body"] for item in found["pushes"]] == ["three", "two"]


async def test_production_has_no_sandbox(dev: Caller, prod: Caller) -> None:
    await phone(dev)
    assert data(await prod.get(PATH)) == {"available": False, "integrationIdentifier": None, "phones": []}
    refused = error(await prod.post(f"{PATH}/phones", {"subscriberId": "ada"}), 400)
    assert "Development" in refused["message"]


async def test_wrong_phones_are_refused(dev: Caller) -> None:
    assert (
        "platform"
        in error(await dev.post(f"{PATH}/phones", {"subscriberId": "ada", "platform": "fax"}), 422)["errors"]
    )
    assert (
        "name"
        in error(await dev.post(f"{PATH}/phones", {"subscriberId": "ada", "name": "x" * 65}), 422)["errors"]
    )
    for _ in range(12):
        await phone(dev)
    assert error(await dev.post(f"{PATH}/phones", {"subscriberId": "ada"}), 400)["limit"] == 12
