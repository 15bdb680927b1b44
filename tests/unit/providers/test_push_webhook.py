import hmac
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from clarion.errors import CredentialsInvalid
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome
from clarion.model.push import PushMessage, Target
from clarion.providers.port import Provider
from clarion.providers.push_webhook import PushWebhook, WebhookCredentials

WEBHOOK: Provider[WebhookCredentials] = PushWebhook()
STORED = {"webhookUrl": "https://hooks.shop.example/push?x=1", "secretKey": "clarion-demo-hmac-key"}
MESSAGE = PushMessage(
    "Grüße",
    "👋",
    payload={"orderId": "1042", "subscriber": "lost"},
    subscriber={"subscriberId": "user-42"},
    step={"digest": False, "events": [], "total_count": 0},
)


def built(message: PushMessage = MESSAGE, **stored: str) -> HttpRequest:
    credentials = WEBHOOK.credentials(STORED | stored)
    return WEBHOOK.build(credentials, message, Target("m1", "device-token-1"), "")


def test_the_body_is_novus() -> None:
    assert msgspec.json.decode(built().body) == {
        "target": ["device-token-1"],
        "title": "Grüße",
        "content": "👋",
        "overrides": {},
        "payload": {
            "orderId": "1042",
            "__nvMessageId": "m1",
            "subscriber": {"subscriberId": "user-42"},
            "step": {"digest": False, "events": [], "total_count": 0},
        },
    }


def test_the_signature_is_over_the_bytes_sent() -> None:
    request = built()
    expected = hmac.new(b"clarion-demo-hmac-key", request.body, sha256).hexdigest()
    assert dict(request.headers)["x-novu-signature"] == expected


def test_the_signature_matches_a_known_receiver() -> None:
    body = '{"target":["device-token-1"],"title":"Grüße","content":"👋","payload":{}}'.encode()
    known = "5bb304e29c1d3c9aea89210ced943f02e4b3935de9e33d7f217320340aba23c3"
    assert hmac.new(STORED["secretKey"].encode(), body, sha256).hexdigest() == known


def test_without_a_secret_there_is_no_signature() -> None:
    assert "x-novu-signature" not in dict(built(secretKey="").headers)


def test_a_repeat_carries_the_same_idempotency_key() -> None:
    assert dict(built().headers)["idempotency-key"] == "m1"
    assert built() == built()


def test_arrays_of_overrides_are_joined() -> None:
    message = msgspec.structs.replace(
        MESSAGE, passthrough={"body": {"target": ["x"]}, "headers": {"X-A": "1"}}
    )
    request = built(message)
    assert msgspec.json.decode(request.body)["target"] == ["device-token-1", "x"]
    assert dict(request.headers)["x-a"] == "1"


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b'{"id":"c1"}', Outcome.ACCEPTED),
        (204, b"", Outcome.ACCEPTED),
        (301, b"", Outcome.CREDENTIALS_REJECTED),
        (401, b"", Outcome.CREDENTIALS_REJECTED),
        (404, b"", Outcome.CREDENTIALS_REJECTED),
        (410, b"", Outcome.CREDENTIALS_REJECTED),
        (410, b'{"code":"token_invalid"}', Outcome.TOKEN_DEAD),
        (408, b"", Outcome.UNAVAILABLE),
        (422, b"", Outcome.PAYLOAD_REJECTED),
        (429, b"", Outcome.THROTTLED),
        (503, b"", Outcome.UNAVAILABLE),
        (101, b"", Outcome.UNKNOWN),
    ],
)
def test_the_status_decides_the_outcome(status: int, body: bytes, outcome: Outcome) -> None:
    assert WEBHOOK.read(HttpReply(status, {}, body), MESSAGE).outcome is outcome


def test_the_receivers_wait_is_honoured() -> None:
    assert WEBHOOK.read(HttpReply(503, {"retry-after": "20"}), MESSAGE).retry_after == 20_000
    assert WEBHOOK.read(HttpReply(429), MESSAGE).retry_after == 30_000


@pytest.mark.parametrize("url", ["", "hooks.example", "ftp://hooks.example", "https://u:p@hooks.example"])
def test_a_url_that_cannot_work_is_refused(url: str) -> None:
    stored: dict[str, Any] = {"webhookUrl": url}
    with pytest.raises(CredentialsInvalid, match="webhookUrl"):
        WEBHOOK.credentials(stored)


def test_the_nearest_receiver_and_key_win() -> None:
    credentials = WebhookCredentials("https://integration.example/push", "its key")
    target = Target("m", "phone")

    def built(message: PushMessage) -> HttpRequest:
        return PushWebhook().build(credentials, message, target, "")

    own = built(PushMessage("t", "b", webhook_url="https://person.example/push"))
    assert own.url == "https://person.example/push"
    routed = {"webhookUrl": "https://trigger.example/push", "hmacSecretKey": "another key", "title": "new"}
    triggered = built(PushMessage("t", "b", override=routed, webhook_url="https://person.example/push"))
    assert triggered.url == "https://trigger.example/push"
    signature = hmac.new(b"another key", triggered.body, sha256).hexdigest()
    assert dict(triggered.headers)["x-novu-signature"] == signature
    assert b"webhookUrl" not in triggered.body
    assert b"another key" not in triggered.body


@pytest.mark.parametrize(
    "url", ["", "ftp://x.example", "https://", "http://[x", "https://h:99999", "https://u@h"]
)
def test_a_url_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(CredentialsInvalid) as refused:
        PushWebhook().credentials({"webhookUrl": url})
    assert refused.value.field == "webhookUrl"
