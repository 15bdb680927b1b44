"""A push carries a link by which its device tells what became of it, without a key."""

from pathlib import Path

import httpx
import pytest

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


def read(client: httpx.Client, identity: str) -> bool:
    found = client.get("/v1/messages", params={"subscriberId": "ada"}).json()["data"]
    return any(item["read"] and item["seen"] for item in found if item["_id"] == identity)


def test_links_need_an_address_to_begin_with(tmp_path: Path) -> None:
    process = ClarionProcess(tmp_path, tracking_links="true")
    with pytest.raises(AssertionError, match="CLARION_PUBLIC_URL"):
        process.start()
    process.stop()
