"""The stand-ins are honest: the vendors' and the field's own clients can't tell the difference either."""

import asyncio
import json
import secrets
import ssl
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import aioapns
import firebase_admin
import pushpad
import pytest
import pywebpush
import requests
from aioapns.connection import APNsDevelopmentClientProtocol
from exponent_server_sdk import DeviceNotRegisteredError, PushClient, PushMessage
from firebase_admin import messaging
from pusher_push_notifications import PusherAuthError, PushNotifications
from pywebpush import WebPushException, webpush

from clarion.providers.web_push import new_keys
from clarion.testing.kit import Emulators, EmulatorThread


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorThread]:
    with EmulatorThread(tmp_path_factory.mktemp("emulators")) as running:
        yield running


@pytest.fixture(autouse=True)
def rerouted(emulators: EmulatorThread, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a client of `requests` asks for, over TLS, is asked of the emulators."""
    origin = urlsplit(emulators.url)
    send = requests.adapters.HTTPAdapter.send

    def elsewhere(
        adapter: requests.adapters.HTTPAdapter, request: requests.PreparedRequest, **more: Any
    ) -> requests.Response:
        parts = urlsplit(str(request.url))
        request.url = parts._replace(scheme="https", netloc=origin.netloc).geturl()
        return send(adapter, request, **{**more, "verify": str(emulators.ca_file)})

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", elsewhere)


def taken(emulators: EmulatorThread, provider: str) -> list[Any]:
    """What an emulator accepted, newest last."""
    return emulators.ask(
        lambda running: [item for item in running.timeline.entries if item.provider == provider]
    )


@pytest.mark.filterwarnings("ignore:Message.token is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:MulticastMessage.tokens is deprecated:DeprecationWarning")
def test_firebase_admin(emulators: EmulatorThread) -> None:
    account = json.loads(emulators.service_account())
    app = firebase_admin.initialize_app(firebase_admin.credentials.Certificate(account), name="real")
    try:
        message = messaging.Message(
            token="phone-1",
            notification=messaging.Notification("Hello", "from firebase-admin", "https://p.test/i.png"),
            data={"key": "value"},
            android=messaging.AndroidConfig(priority="high", ttl=60),
            apns=messaging.APNSConfig(payload=messaging.APNSPayload(messaging.Aps(badge=3, sound="chime"))),
        )
        assert messaging.send(message, app=app).startswith("projects/")
        dead = messaging.Message(token="dead-1", notification=messaging.Notification("Hello"))
        with pytest.raises(messaging.UnregisteredError):
            messaging.send(dead, app=app)
        several = messaging.MulticastMessage(["phone-2", "dead-2"], notification=messaging.Notification("Hi"))
        answers = messaging.send_each_for_multicast(several, app=app)
        assert [answer.success for answer in answers.responses] == [True, False]
    finally:
        firebase_admin.delete_app(app)
    assert taken(emulators, "fcm")[0].message["notification"]["body"] == "from firebase-admin"


def over_http2(emulators: EmulatorThread) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(emulators.ca_file))
    context.set_alpn_protocols(["h2"])
    return context


async def test_aioapns(emulators: EmulatorThread, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = urlsplit(emulators.url)
    monkeypatch.setattr(APNsDevelopmentClientProtocol, "APNS_SERVER", origin.hostname)
    monkeypatch.setattr(APNsDevelopmentClientProtocol, "APNS_PORT", origin.port)
    stored = emulators.ask(lambda running: running.apns.credentials())
    client = aioapns.APNs(
        key=stored["secretKey"],
        key_id=stored["apiKey"],
        team_id=stored["projectName"],
        topic=stored["applicationId"],
        use_sandbox=True,
        ssl_context=over_http2(emulators),
    )

    def note(token: str) -> aioapns.NotificationRequest:
        body = {"aps": {"alert": {"title": "Hello", "body": "from aioapns"}}}
        return aioapns.NotificationRequest(device_token=token, message=body)

    tokens = [secrets.token_hex(32) for _ in range(20)]
    answers = await asyncio.gather(*(client.send_notification(note(token)) for token in tokens))
    assert all(answer.is_successful for answer in answers)
    gone = await client.send_notification(note("dead-1"))
    assert (gone.status, gone.description) == ("410", "Unregistered")
    client.pool.close()
    await asyncio.sleep(0.1)
    assert len(taken(emulators, "apns")) == 20


def test_exponent_server_sdk(emulators: EmulatorThread) -> None:
    session = requests.Session()
    token = emulators.ask(lambda running: running.expo.access_token)
    session.headers.update({"authorization": f"Bearer {token}", "content-type": "application/json"})
    client = PushClient(session=session)
    phones = [f"ExponentPushToken[{word}-{secrets.token_hex(4)}]" for word in ("phone", "phone", "dead")]
    tickets = client.publish_multiple([PushMessage(to=to, title="Hello", body="Expo") for to in phones])
    for ticket in tickets[:2]:
        ticket.validate_response()
    with pytest.raises(DeviceNotRegisteredError):
        tickets[2].validate_response()
    emulators.ask(lambda running: setattr(running.expo, "receipt_delay", 0))
    receipts = client.check_receipts_multiple(tickets[:2])
    assert [receipt.status for receipt in receipts] == ["ok", "ok"]
    with pytest.raises(requests.exceptions.HTTPError):
        client.publish(PushMessage(to="ExponentPushToken[down-1]", title="Hello", body="Expo"))


def test_pushpad(emulators: EmulatorThread) -> None:
    stored = emulators.ask(lambda running: running.pushpad.credentials())
    client = pushpad.Pushpad(stored["apiKey"], int(stored["applicationId"]))
    answer = client.notifications.create(body="Hello", title="Pushpad", uids=["person-1", "person-2"])
    assert answer.id
    wrong = pushpad.Pushpad("wrong", int(stored["applicationId"]))
    with pytest.raises(pushpad.PushpadAPIError) as refused:
        wrong.notifications.create(body="Hello", uids=["person-1"])
    assert refused.value.status_code == 401


def test_pusher_push_notifications(emulators: EmulatorThread) -> None:
    stored = emulators.ask(lambda running: running.beams.credentials())
    client = PushNotifications(stored["instanceId"], stored["secretKey"])
    said = {"title": "Hello", "body": "Beams"}
    body = {"fcm": {"notification": said}, "apns": {"aps": {"alert": said}}}
    assert client.publish_to_users(["person-1"], body)["publishId"]
    wrong = PushNotifications(stored["instanceId"], "wrong")
    with pytest.raises(PusherAuthError):
        wrong.publish_to_users(["person-1"], body)


def test_pywebpush(emulators: EmulatorThread) -> None:
    keys = new_keys()
    name = f"phone-{secrets.token_hex(4)}"
    subscription = json.loads(emulators.ask(partial(subscribed, name, keys["publicKey"])))
    claims: dict[str, str | int] = {"sub": "mailto:ada@example.com"}
    send = partial(webpush, subscription, vapid_private_key=keys["secretKey"], vapid_claims=claims, ttl=60)
    assert send(json.dumps({"title": "Hello", "body": "Web Push"})).status_code == 201
    assert taken(emulators, "web-push")[-1].message["body"] == "Web Push"
    emulators.ask(lambda running: running.web_push.unsubscribe(name))
    with pytest.raises(WebPushException) as gone:
        send("{}")
    assert gone.value.response.status_code == 410
    assert pywebpush.__name__ == "pywebpush"


def subscribed(name: str, public_key: str, running: Emulators) -> str:
    return running.web_push.subscribe(name, public_key)
