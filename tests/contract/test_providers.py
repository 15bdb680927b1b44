"""Every provider through a running Clarion: what is accepted arrives, and dead devices go."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from clarion.providers.registry import PROVIDERS
from clarion.providers.web_push import new_keys
from clarion.testing.fcm import FcmEmulator
from clarion.testing.kit import Emulators, EmulatorThread
from clarion.testing.onesignal import subscription_id
from clarion.testing.webhook import WebhookReceiver
from running import ClarionProcess, wait_for


class Case(NamedTuple):
    """How one provider is set up against its emulator. `token` makes a device that spells a word."""

    credentials: Callable[[Emulators], dict[str, Any]]
    token: Callable[[Emulators, str], str]
    retires: bool = True
    shown_as: Callable[[str], str] = lambda token: token


def plain(_: Emulators, word: str) -> str:
    return f"{word}-{secrets.token_hex(8)}"


def hexadecimal(_: Emulators, word: str) -> str:
    return secrets.token_hex(32) if word == "phone" else f"{word}-{secrets.token_hex(8)}"


def expo(_: Emulators, word: str) -> str:
    return f"ExponentPushToken[{word}-{secrets.token_hex(8)}]"


def onesignal(_: Emulators, word: str) -> str:
    return subscription_id(word)


def browser(emulators: Emulators, word: str) -> str:
    return str(emulators.web_push.subscribe(f"{word}-{secrets.token_hex(4)}", KEYS["publicKey"]))


KEYS: dict[str, str] = {}


def web_push_keys(_: Emulators) -> dict[str, Any]:
    KEYS.update(new_keys())
    return {**KEYS, "subject": "mailto:push@example.com"}


CASES: dict[str, Case] = {
    "fcm": Case(lambda e: {"serviceAccount": e.fcm.service_account()}, plain),
    "apns": Case(lambda e: dict(e.apns.credentials()), hexadecimal),
    "expo": Case(lambda e: {"apiKey": e.expo.access_token}, expo),
    "one-signal": Case(
        lambda e: {"applicationId": e.onesignal.app_id, "apiKey": e.onesignal.api_key}, onesignal
    ),
    "pusher-beams": Case(lambda e: dict(e.beams.credentials()), plain, retires=False),
    "pushpad": Case(lambda e: dict(e.pushpad.credentials()), plain, retires=False),
    "push-webhook": Case(lambda e: {"webhookUrl": e.webhook_url, "secretKey": "s"}, plain),
    "web-push": Case(web_push_keys, browser),
    "huawei": Case(lambda e: dict(e.huawei.credentials()), plain),
}


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorThread]:
    webhook = WebhookReceiver("s", unavailable_retry_after=1)
    fcm = FcmEmulator(unavailable_retry_after=1)
    with EmulatorThread(tmp_path_factory.mktemp("emulators"), fcm=fcm, webhook=webhook) as running:
        yield running


@pytest.fixture(scope="module")
def clarion(tmp_path_factory: pytest.TempPathFactory, emulators: EmulatorThread) -> Iterator[ClarionProcess]:
    process = ClarionProcess(tmp_path_factory.mktemp("clarion"), emulators).start()
    with process.client as client:
        push = {
            "name": "p",
            "type": "push",
            "controlValues": {"subject": "Hello", "body": "{{payload.text}}"},
        }
        workflow = {"name": "Welcome", "workflowId": "welcome", "active": True, "steps": [push]}
        client.post("/v2/workflows", json=workflow).raise_for_status()
    yield process
    assert process.settled().in_flight == 0
    assert process.stop() == 0
    assert "Traceback" not in process.log


def test_every_provider_is_tried() -> None:
    assert set(CASES) == set(PROVIDERS) - {"sandbox"}, "whose pushes stay in Clarion"


@pytest.mark.parametrize("provider", CASES)
def test_a_push_arrives_and_a_dead_device_goes(
    clarion: ClarionProcess, emulators: EmulatorThread, provider: str
) -> None:
    case = CASES[provider]
    person = f"{provider}-{secrets.token_hex(4)}"
    with clarion.client as client:
        integration = {
            "providerId": provider,
            "credentials": emulators.ask(case.credentials),
            "configurations": {"pushActivityTracking": True},
            "active": True,
        }
        made = client.post("/v1/integrations", json=integration)
        assert made.status_code == 201, made.text
        alive = emulators.ask(lambda running: case.token(running, "phone"))
        dead = emulators.ask(lambda running: case.token(running, "dead"))
        channel = {"providerId": provider, "credentials": {"deviceTokens": [alive, dead]}}
        to = {"subscriberId": person, "channels": [channel]}
        body = {"name": "welcome", "to": to, "payload": {"text": "news", "order": 7}}
        transaction = client.post("/v1/events/trigger", json=body).json()["data"]["transactionId"]

        def ended() -> list[dict[str, Any]] | None:
            rows = client.get("/v1/messages", params={"transactionId": transaction, "limit": 10}).json()[
                "data"
            ]
            done = len(rows) == 2 and all(row["status"] != "warning" for row in rows)
            return rows if done else None

        by_token = {row["deviceTokens"][0]: row for row in wait_for(ended, 15)}
        assert by_token[alive]["status"] == "sent", by_token[alive]
        stored = client.get(f"/v2/subscribers/{person}").json()["data"]
    left = stored["credentials"][provider]["deviceTokens"]
    assert alive in left
    if case.retires:
        assert by_token[dead]["status"] == "error"
        assert left == [alive]
    seen = emulators.ask(
        lambda running: [item for item in running.timeline.entries if item.provider == provider]
    )
    assert any("news" in str(item.message) for item in seen)
    assert any(by_token[alive]["_id"] in str(item.message) for item in seen) or provider in WITHOUT_ID
    listed = {channel["providerId"] for channel in stored["channels"]}
    assert listed == ({provider} if provider not in ("web-push", "huawei") else set())


WITHOUT_ID = ("pushpad",)
"""Providers that have no place for the message's id."""
