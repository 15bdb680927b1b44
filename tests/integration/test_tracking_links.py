"""A push carries a link by which its device tells what became of it, without a key."""

import time
from pathlib import Path

import httpx
import pytest

from calling import check_error
from clarion.testing.kit import EmulatorThread
from news import connect_fcm, make_news
from running import ClarionProcess, wait_for

PUBLIC = "https://push.example.com"


def trigger(client: httpx.Client, device: str, body: str) -> None:
    channel = {"providerId": "fcm", "credentials": {"deviceTokens": [device]}}
    to = {"subscriberId": "ada", "channels": [channel]}
    given = {"name": "news", "to": to, "payload": {"text": body[:100]}, "overrides": {"push": {}}}
    client.post("/v1/events/trigger", json=given).raise_for_status()


def test_a_device_tells_by_the_link_in_its_push(tmp_path: Path) -> None:
    with EmulatorThread(tmp_path) as emulators:
        process = ClarionProcess(tmp_path, emulators, tracking_links="true", public_url=PUBLIC).start()
        with process.client as client:
            integration = connect_fcm(client, emulators)
            make_news(client)
            trigger(client, "before", "hi")
            (untracked,) = emulators.wait_for_messages(1, 15)
            assert "__clarionTrack" not in untracked.message["data"]
            client.post(f"/v1/integrations/{integration}/auto-configure").raise_for_status()
            trigger(client, "phone", "hi")
            emulators.wait_for_messages(3, 15)
            arrived = next(item for item in emulators.messages() if item.token == "phone")
            link = arrived.message["data"]["__clarionTrack"]
            assert link.startswith(f"{PUBLIC}/v1/track/")
            report(process.url, link.removeprefix(PUBLIC))
            identity = arrived.message["data"]["__nvMessageId"]
            wait_for(lambda: read(client, identity) or None, 10)
            report_too_often(process.url, link.removeprefix(PUBLIC))
            assert client.get("/v1/messages").status_code == 200
        process.settled()
        assert process.stop() == 0
        assert link.rpartition("/")[2] not in process.log


def report(url: str, path: str) -> None:
    with httpx.Client(base_url=url) as device:
        assert device.post(path, params={"event": "opened"}).status_code == 204
        assert device.post(path, params={"event": "opened"}).status_code == 204
        assert device.post(path, params={"event": "eaten"}).status_code == 422
        assert device.post(path).status_code == 422
        assert device.post(path[:-2] + "__", params={"event": "opened"}).status_code == 404
        assert device.get(path).status_code in (404, 405)


def report_too_often(url: str, path: str) -> None:
    """More than an address may; after the second that the answer names, it may again."""
    with httpx.Client(base_url=url) as device:
        statuses = [device.post(path, params={"event": "clicked"}).status_code for _ in range(3)]
        assert statuses == [204] * 3
        refused = wait_for(lambda: refusal(device, path), 20)
        check_error(429, path, refused.json())
        assert "try again in a second" in refused.json()["message"]
        assert refused.headers["retry-after"] == "1"
        time.sleep(1)
        assert device.post(path, params={"event": "clicked"}).status_code == 204


def refusal(device: httpx.Client, path: str) -> httpx.Response | None:
    answer = device.post(path, params={"event": "clicked"})
    return None if answer.status_code == 204 else answer


def read(client: httpx.Client, identity: str) -> bool:
    found = client.get("/v1/messages", params={"subscriberId": "ada"}).json()["data"]
    return any(item["read"] and item["seen"] for item in found if item["_id"] == identity)


def test_links_need_an_address_to_begin_with(tmp_path: Path) -> None:
    process = ClarionProcess(tmp_path, tracking_links="true")
    with pytest.raises(AssertionError, match="CLARION_PUBLIC_URL"):
        process.start()
    process.stop()
