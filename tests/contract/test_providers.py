"""Every provider through a running Clarion: what is accepted arrives, and dead devices go."""

import secrets
from collections.abc import Callable, Iterator
from functools import partial
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
    assert set(CASES) == set(PROVIDERS) - {"sandbox", "appio"}, "these send nothing anywhere"


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
            "configurations": {"inboundWebhookEnabled": True},
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


RICH = {
    "image": "https://pictures.test/cat.png",
    "icon": "https://pictures.test/icon.png",
    "sound": "chime",
    "badge": "{{payload.count}}",
    "url": "https://shop.test/orders/7",
    "ttl": 600,
    "priority": "high",
    "collapseId": "orders",
    "thread": "orders",
    "category": "ORDER",
    "channelId": "orders",
    "mutable": True,
}
"""Everything a push step can say of how its push looks and travels."""

LOOKS: dict[str, dict[str, Any]] = {
    "rich": RICH,
    "silent": {"silent": True, "url": "https://shop.test/", "priority": "normal"},
    "plain": {},
}


def token_of(case: Case, word: str, running: Emulators) -> str:
    return case.token(running, word)


@pytest.fixture(scope="module")
def everybody(clarion: ClarionProcess, emulators: EmulatorThread) -> Callable[[str], dict[str, list[str]]]:
    """Makes a person with a living and a dead device on all nine: their tokens by provider."""
    with clarion.client as client:
        known = {item["providerId"] for item in client.get("/v1/integrations").json()["data"]}
        for provider in CASES.keys() - known:
            given = {"providerId": provider, "credentials": emulators.ask(CASES[provider].credentials)}
            made = client.post("/v1/integrations", json={**given, "active": True})
            assert made.status_code == 201, made.text
        for name, look in LOOKS.items():
            controls = {"subject": "Order {{payload.count}}", "body": "{{payload.text}}", **look}
            steps = [{"name": "p", "type": "push", "stepId": "push", "controlValues": controls}]
            workflow = {"name": name, "workflowId": name, "active": True, "steps": steps}
            assert client.post("/v2/workflows", json=workflow).status_code == 201

    def make(person: str) -> dict[str, list[str]]:
        tokens = {
            provider: [emulators.ask(partial(token_of, case, word)) for word in ("phone", "dead")]
            for provider, case in CASES.items()
        }
        channels = [
            {"providerId": provider, "credentials": {"deviceTokens": held}}
            for provider, held in tokens.items()
        ]
        body = {"subscriberId": person, "channels": channels}
        with clarion.client as client:
            assert client.post("/v2/subscribers", json=body).status_code == 201
        return tokens

    return make


@pytest.mark.parametrize("look", LOOKS)
def test_one_trigger_reaches_all_nine_at_once_and_dead_devices_of_each_kind_go(
    clarion: ClarionProcess, everybody: Callable[[str], dict[str, list[str]]], look: str
) -> None:
    person = f"everybody-{secrets.token_hex(4)}"
    tokens = everybody(person)
    overrides: dict[str, Any] = {"providers": {provider: {} for provider in CASES}}
    if look == "rich":  # resource names instead of addresses, where a platform has those
        overrides["providers"]["huawei"] = {
            "android": {"notification": {"icon": "/raw/icon", "sound": "/raw/chime"}}
        }
    with clarion.client as client:
        body = {
            "name": look,
            "to": person,
            "payload": {"text": "news", "count": 3},
            "overrides": overrides,
        }
        transaction = client.post("/v1/events/trigger", json=body).json()["data"]["transactionId"]

        def ended() -> list[dict[str, Any]] | None:
            query = {"transactionId": transaction, "limit": 50}
            rows: list[dict[str, Any]] = client.get("/v1/messages", params=query).json()["data"]
            done = len(rows) == 18 and all(row["status"] != "warning" for row in rows)
            return rows if done else None

        rows = {row["deviceTokens"][0]: row for row in wait_for(ended, 20)}
        held = client.get(f"/v2/subscribers/{person}").json()["data"]["credentials"]
    for provider, (alive, dead) in tokens.items():
        assert rows[alive]["status"] == "sent", (provider, rows[alive])
        assert rows[alive]["providerId"] == provider
        if CASES[provider].retires:
            assert rows[dead]["status"] == "error", (provider, rows[dead])
            assert held[provider]["deviceTokens"] == [alive]


def tried(clarion: ClarionProcess, credentials: dict[str, Any], token: str) -> dict[str, Any]:
    """A test send through an APNs integration of these credentials."""
    with clarion.client as client:
        given = {"providerId": "apns", "credentials": credentials, "active": True}
        made = client.post("/v1/integrations", json=given)
        assert made.status_code == 201, made.text
        path = f"/v1/integrations/{made.json()['data']['_id']}"
        found: dict[str, Any] = client.post(f"{path}/test", json={"token": token}).json()["data"]
        client.delete(path)
    return found


def test_apns_takes_a_certificate_in_place_of_a_key(
    clarion: ClarionProcess, emulators: EmulatorThread
) -> None:
    app = str(emulators.ask(lambda running: running.apns.credentials())["applicationId"])
    own, foreign = (emulators.ask(partial(certificate_of, name)) for name in (app, "com.example.unknown"))
    base = {"applicationId": app, "certificatePassword": "open sesame"}
    found = tried(clarion, {**base, "certificate": own}, secrets.token_hex(32))
    assert found["outcome"] == "accepted", found
    assert "authorization" not in found["request"]["headers"]
    refused = tried(clarion, {**base, "certificate": foreign}, secrets.token_hex(32))
    assert (refused["outcome"], refused["code"]) == ("credentials_rejected", "BadCertificate")


def test_a_certificate_that_does_not_open_is_told(clarion: ClarionProcess, emulators: EmulatorThread) -> None:
    certificate = emulators.ask(partial(certificate_of, "com.example.app"))
    wrong = {
        "certificatePassword": {"certificate": certificate, "certificatePassword": "wrong"},
        "certificate": {"certificate": "bm90IGEgcDEy"},
        "applicationId": {"certificate": certificate, "applicationId": ""},
    }
    for field, given in wrong.items():
        credentials = {"applicationId": "com.example.app", **given}
        body = {"providerId": "apns", "credentials": credentials, "active": True}
        with clarion.client as client:
            answer = client.post("/v1/integrations", json=body)
        assert answer.status_code == 422, answer.text
        assert list(answer.json()["errors"]) == [f"credentials.{field}"]


def certificate_of(app: str, running: Emulators) -> str:
    return running.apns_certificate(app, "open sesame")


WITHOUT_ID = ("pushpad",)
"""Providers that have no place for the message's id."""
