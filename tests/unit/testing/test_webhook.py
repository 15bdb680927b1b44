import hmac
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from clarion.model.http import HttpReply
from clarion.model.outcome import Outcome
from clarion.model.push import PushMessage, Target
from clarion.providers.push_webhook import PushWebhook
from clarion.testing.exchange import Reply, Request
from clarion.testing.webhook import WebhookReceiver

SECRET = "clarion-demo-hmac-key"
STEP = {"digest": False, "events": [], "total_count": 0}
PAYLOAD = {"orderId": "1042", "subscriber": {"subscriberId": "user-42"}, "step": STEP}
BODY = {"target": ["phone-1"], "title": "Hi", "content": "there", "overrides": {}, "payload": PAYLOAD}
PUSH = PushMessage("Hi", "there", subscriber={"subscriberId": "user-42"}, step=STEP)


def signature(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, sha256).hexdigest()


async def post(receiver: WebhookReceiver, document: Any, method: str = "POST", **headers: str) -> Reply:
    body = document if isinstance(document, bytes) else msgspec.json.encode(document)
    named = {"content-type": "application/json", "x-novu-signature": signature(body)}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await receiver.handle(Request(method, "/webhook", named, body, 1))
    assert isinstance(answer, Reply)
    return answer


async def test_what_our_provider_builds_is_taken() -> None:
    receiver = WebhookReceiver(SECRET)
    provider = PushWebhook()
    credentials = provider.credentials({"webhookUrl": "https://hooks.example/webhook", "secretKey": SECRET})
    request = provider.build(credentials, PUSH, Target("m" * 32, "phone-1"), "")
    answer = await receiver.handle(Request("POST", "/webhook", dict(request.headers), request.body, 1))
    assert isinstance(answer, Reply)
    assert answer.status == 200
    delivery = receiver.deliveries[0]
    assert (delivery.targets, delivery.title, delivery.idempotency_key) == (("phone-1",), "Hi", "m" * 32)


async def test_the_documented_example_verifies() -> None:
    body = (
        b'{"target":["device-token-1"],"title":"Order shipped","content":"Your order #1042 is on its way",'
        b'"overrides":{},"payload":{"orderId":"1042","subscriber":{"subscriberId":"user-42"},'
        b'"step":{"digest":false,"events":[],"total_count":0}}}'
    )
    signed = "d65344a908e0c8a35cd36e7f2c98dfe30b842e1364b14ec73376115cf9085856"
    assert (await post(WebhookReceiver(SECRET), body, x_novu_signature=signed)).status == 200


@pytest.mark.parametrize(
    "given",
    [
        "",
        signature(msgspec.json.encode(BODY), "another"),
        signature(msgspec.json.encode(BODY)).upper(),
        "sha256=" + signature(msgspec.json.encode(BODY)),
        "é" * 64,
    ],
)
async def test_a_wrong_signature_is_refused(given: str) -> None:
    receiver = WebhookReceiver(SECRET)
    assert (await post(receiver, BODY, x_novu_signature=given)).status == 401
    assert (receiver.deliveries, [attempt.status for attempt in receiver.attempts]) == ([], [401])


async def test_without_a_secret_nothing_needs_a_signature() -> None:
    assert (await post(WebhookReceiver(), BODY, x_novu_signature="")).status == 200


@pytest.mark.parametrize(
    ("document", "headers", "status"),
    [
        (BODY | {"target": []}, {}, 422),
        (BODY | {"target": "phone-1"}, {}, 422),
        (BODY | {"title": None}, {}, 422),
        (BODY | {"payload": {"step": STEP}}, {}, 422),
        (BODY | {"payload": PAYLOAD | {"step": {"digest": False, "events": []}}}, {}, 422),
        (BODY | {"payload": PAYLOAD | {"subscriber": {}}}, {}, 422),
        (b"[" * 5000, {}, 422),
        (b'{"target":["\xff"]}', {}, 422),
        (BODY, {"method": "PUT"}, 405),
        (BODY, {"content_type": "text/plain"}, 415),
    ],
)
async def test_what_is_not_a_push_is_refused(document: Any, headers: dict[str, str], status: int) -> None:
    assert (await post(WebhookReceiver(SECRET), document, **headers)).status == status


async def test_a_repeated_idempotency_key_is_answered_alike_and_counted() -> None:
    receiver = WebhookReceiver(SECRET)
    first, again = [await post(receiver, BODY, idempotency_key="m1") for _ in range(2)]
    assert first == again
    assert (len(receiver.deliveries), dict(receiver.repeats)) == (1, {"m1": 1})


async def test_requests_without_a_key_are_never_repeats() -> None:
    receiver = WebhookReceiver(SECRET)
    await post(receiver, BODY)
    await post(receiver, BODY)
    assert (len(receiver.deliveries), dict(receiver.repeats)) == (2, {})


@pytest.mark.parametrize(
    ("token", "outcome"),
    [
        ("dead", Outcome.TOKEN_DEAD),
        ("malformed", Outcome.PAYLOAD_REJECTED),
        ("othersender", Outcome.CREDENTIALS_REJECTED),
        ("throttled", Outcome.THROTTLED),
        ("flaky", Outcome.UNAVAILABLE),
        ("html", Outcome.UNAVAILABLE),
    ],
)
async def test_a_fault_word_gets_the_answer_that_our_provider_reads_right(
    token: str, outcome: Outcome
) -> None:
    receiver = WebhookReceiver(SECRET)
    answer = await post(receiver, BODY | {"target": [token]})
    assert isinstance(answer.body, bytes)
    reply = HttpReply(answer.status, dict(answer.headers), answer.body)
    assert PushWebhook().read(reply, PUSH).outcome is outcome
    assert receiver.deliveries == []


async def test_reset_forgets_keys_too() -> None:
    receiver = WebhookReceiver(SECRET)
    await post(receiver, BODY, idempotency_key="m1")
    receiver.reset()
    await post(receiver, BODY, idempotency_key="m1")
    assert (len(receiver.deliveries), dict(receiver.repeats)) == (1, {})
