"""Every URL that the API takes passes the egress rule: a real Clarion reaches no trap on its own machine."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from clarion.providers.web_push import new_keys
from clarion.testing.fcm import FcmEmulator
from clarion.testing.web_push import WebPushEmulator
from running import ClarionProcess, wait_for

PUBLIC = "https://hooks.invalid/"


class Trap:
    """Counts who connects."""

    def __init__(self) -> None:
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            caller.close()

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()


@pytest.fixture
def trap() -> Iterator[Trap]:
    """A listener that nobody should reach."""
    opened = Trap()
    yield opened
    opened.close()


def integration(client: httpx.Client, provider_id: str, **credentials: str) -> str:
    """Connect a provider; the integration's id."""
    given = {"name": provider_id, "providerId": provider_id, "active": True, "credentials": credentials}
    made = client.post("/v1/integrations", json=given).raise_for_status()
    return str(made.json()["data"]["_id"])


def tried(client: httpx.Client, identity: str, token: str, **overrides: Any) -> str:
    """The code that a test send comes to."""
    body = {"token": token, "overrides": overrides}
    answer = client.post(f"/v1/integrations/{identity}/test", json=body).raise_for_status()
    return str(answer.json()["data"]["code"])


def by_credentials(client: httpx.Client, url: str) -> str:
    return tried(client, integration(client, "push-webhook", webhookUrl=url), "phone")


def by_override(client: httpx.Client, url: str) -> str:
    hook = integration(client, "push-webhook", webhookUrl=PUBLIC)
    return tried(client, hook, "phone", providers={"push-webhook": {"webhookUrl": url}})


def by_token_uri(client: httpx.Client, url: str) -> str:
    account = msgspec.json.decode(FcmEmulator().service_account("mine"))
    account["token_uri"] = f"{url}/token"
    return tried(
        client, integration(client, "fcm", serviceAccount=msgspec.json.encode(account).decode()), "phone"
    )


def by_subscription(client: httpx.Client, url: str) -> str:
    keys = new_keys()
    service = WebPushEmulator(origin=url)
    browser = service.subscribe("browser", keys["publicKey"])
    push = integration(client, "web-push", subject="mailto:a@example.com", **keys)
    return tried(client, push, browser)


def by_subscriber(client: httpx.Client, url: str) -> str:
    """The address of one subscriber's receiver, over the whole way of a message."""
    integration(client, "push-webhook", webhookUrl=PUBLIC)
    step = {"name": "Push", "type": "push", "controlValues": {"subject": "Hello", "body": "x"}}
    flow = {"name": "News", "workflowId": "news", "active": True, "steps": [step]}
    client.post("/v2/workflows", json=flow).raise_for_status()
    client.post("/v2/subscribers", json={"subscriberId": "ada"}).raise_for_status()
    channel = {
        "providerId": "push-webhook",
        "credentials": {"webhookUrl": url, "deviceTokens": ["phone"]},
    }
    client.put("/v1/subscribers/ada/credentials", json=channel).raise_for_status()
    client.post("/v1/events/trigger", json={"name": "news", "to": "ada"}).raise_for_status()

    def code() -> str | None:
        found = client.get("/v1/messages", params={"subscriberId": "ada"}).raise_for_status().json()["data"]
        return str(found[0]["errorId"]) if found and found[0].get("errorId") else None

    return wait_for(code, 20)


def by_endpoint(client: httpx.Client, url: str) -> str:
    """An endpoint that is told of events."""
    made = client.post("/v1/webhooks", json={"url": url})
    if made.status_code == 422:
        assert "CLARION_EGRESS_ALLOW" in made.text
        return "egress_refused"
    identity = made.raise_for_status().json()["data"]["_id"]
    ping = client.post(f"/v1/webhooks/{identity}/ping", json={}).raise_for_status()
    return str(ping.json()["data"]["tries"][-1]["code"])


WAYS = [by_credentials, by_override, by_token_uri, by_subscription, by_subscriber, by_endpoint]


def test_no_url_that_is_given_over_the_api_leads_inside(tmp_path: Path, trap: Trap) -> None:
    process = ClarionProcess(tmp_path, retry_window="0").start()
    try:
        with process.client as client:
            assert {way.__name__: way(client, trap.url) for way in WAYS} == {
                way.__name__: "egress_refused" for way in WAYS
            }
            assert trap.connections == 0
    finally:
        process.stop()


@pytest.mark.parametrize("way", WAYS)
def test_each_of_them_reaches_what_is_allowed(
    tmp_path: Path, trap: Trap, way: Callable[[httpx.Client, str], str]
) -> None:
    process = ClarionProcess(tmp_path, retry_window="0", egress_allow="127.0.0.0/8").start()
    try:
        with process.client as client:
            assert way(client, trap.url) in ("connect_failed", "connection_lost", "tls_failed")
            assert trap.connections > 0
    finally:
        process.stop()
