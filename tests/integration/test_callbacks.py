"""Emulators of providers call a running Clarion back, which tells whoever listens."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from clarion.model.http import Received
from clarion.testing import Emulators, call_back
from clarion.testing.kit import EmulatorThread
from clarion.testing.onesignal import subscription_id
from news import make_news
from running import ClarionProcess

TOKEN = subscription_id("phone")


def credentials(provider_id: str, emulators: Emulators) -> dict[str, str]:
    if provider_id == "one-signal":
        one = emulators.onesignal
        return {"applicationId": one.app_id, "apiKey": one.api_key, **one.callback_credentials()}
    emulator = emulators.huawei if provider_id == "huawei" else emulators.beams
    return {**emulator.credentials(), **emulator.callback_credentials()}


def callback(provider_id: str, emulators: Emulators) -> Received:
    """That the latest push arrived."""
    if provider_id == "one-signal":
        return emulators.onesignal.event(emulators.onesignal.messages[-1], "message.push.received")
    if provider_id == "huawei":
        return emulators.huawei.receipts(emulators.huawei.messages[-1])
    return emulators.beams.acknowledged(emulators.beams.messages[-1], TOKEN)


def connect(client: httpx.Client, provider_id: str, emulators: EmulatorThread) -> str:
    """An integration with a device; the path of its callbacks."""
    secrets = emulators.ask(lambda found: credentials(provider_id, found))
    given = {"name": provider_id, "providerId": provider_id, "credentials": secrets, "active": True}
    made = client.post("/v1/integrations", json=given).raise_for_status().json()["data"]
    channel = {"providerId": provider_id, "credentials": {"deviceTokens": [TOKEN]}}
    person = {"subscriberId": provider_id, "channels": [channel]}
    client.post("/v2/subscribers", json=person).raise_for_status()
    return f"/v2/inbound-webhooks/delivery-providers/{made['_environmentId']}/{made['_id']}"


def heard(lines: Iterator[str], kind: str) -> Any:
    """The next message that the live feed tells something of this kind about."""
    for line in lines:
        found = json.loads(line.removeprefix("data: ")) if line.startswith("data: {") else {}
        for message in found.get("messages", ()):
            if message["event"] == kind:
                return message
    raise AssertionError(f"the feed ended without {kind}")


@pytest.mark.parametrize("provider_id", ["huawei", "pusher-beams", "one-signal"])
def test_a_provider_tells_by_itself_what_became_of_a_push(tmp_path: Path, provider_id: str) -> None:
    with EmulatorThread(tmp_path) as emulators:
        process = ClarionProcess(tmp_path, emulators).start()
        with process.client as client, client.stream("GET", "/v1/live", timeout=30) as feed:
            lines = feed.iter_lines()
            path = connect(client, provider_id, emulators)
            make_news(client)
            trigger = {"name": "news", "to": provider_id, "payload": {"text": "hi"}}
            client.post("/v1/events/trigger", json=trigger).raise_for_status()
            heard(lines, "message.sent")
            call = emulators.ask(lambda found: callback(provider_id, found))
            answer = asyncio.run(call_back(process.url + path, call))
            assert (answer.status, json.loads(answer.body)["data"]) == (200, [])
            told = heard(lines, "message.delivered")
            (message,) = client.get("/v1/messages", params={"subscriberId": provider_id}).json()["data"]
            assert told["messageId"] == message["_id"]
            forged = Received({"content-type": "application/json"}, call.body)
            assert asyncio.run(call_back(process.url + path, forged)).status == 401
        process.settled()
        assert process.stop() == 0
        assert "callback refused" in process.log
        secret = emulators.ask(lambda found: credentials(provider_id, found))["callbackSecret"]
        assert secret not in process.log
