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


def test_what_a_device_tells_by_its_link_counts_as_what_it_is(tmp_path: Path) -> None:
    with EmulatorThread(tmp_path) as emulators:
        process = ClarionProcess(tmp_path, emulators, tracking_links="true", public_url=PUBLIC).start()
        with process.client as client, httpx.Client(base_url=process.url) as device:
            integration = connect_fcm(client, emulators)
            client.post(f"/v1/integrations/{integration}/auto-configure").raise_for_status()
            make_news(client)
            links = links_by_id(client, emulators, len(TOLD))
            for (event, _), link in zip(TOLD, links.values(), strict=True):
                assert device.post(link, params={"event": event}).status_code == 204
            assert [state(client, identity) for identity in links] == [
                seen_and_read for _, seen_and_read in TOLD
            ]
            last = list(links.values())[-1]
            assert device.post(last, params={"event": "clicked"}).status_code == 204
            assert state(client, list(links)[-1]) == (True, True)
        process.settled()
        assert process.stop() == 0


TOLD = (
    ("opened", (True, True)),
    ("clicked", (True, True)),
    ("delivered", (False, False)),
    ("dismissed", (True, False)),
)
"""What is told, and whether the message is seen and read by it."""


def links_by_id(client: httpx.Client, emulators: EmulatorThread, number: int) -> dict[str, str]:
    """The links in so many pushes, by message, without the address that they begin with."""
    trigger(client, "phone", "hi")
    for _ in range(number - 1):
        client.post(
            "/v1/events/trigger", json={"name": "news", "to": "ada", "payload": {"text": "hi"}}
        ).raise_for_status()
    data = [arrived.message["data"] for arrived in emulators.wait_for_messages(number, 15)]
    return {item["__nvMessageId"]: item["__clarionTrack"].removeprefix(PUBLIC) for item in data}


def state(client: httpx.Client, identity: str) -> tuple[bool, bool]:
    """Whether a message is seen and read."""

    def look() -> tuple[bool, bool] | None:
        found = client.get("/v1/messages", params={"subscriberId": "ada"}).json()["data"]
        return next(((item["seen"], item["read"]) for item in found if item["_id"] == identity), None)

    return wait_for(look, 10)


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
