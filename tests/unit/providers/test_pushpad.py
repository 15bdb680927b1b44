from typing import Any

import msgspec
import pytest

from clarion.errors import CredentialsInvalid
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PushMessage, Target
from clarion.providers.port import Provider
from clarion.providers.pushpad import BY_STATUS, MOST_BYTES, Pushpad, PushpadCredentials

PUSHPAD: Provider[PushpadCredentials] = Pushpad()
STORED = {"applicationId": "8123", "apiKey": "pushpad-demo-token"}
TARGET = Target("m" * 32, "user-42")
PLAIN = PushMessage("Hi", "there")


def request(message: PushMessage = PLAIN) -> HttpRequest:
    return PUSHPAD.build(PUSHPAD.credentials(STORED), message, TARGET, "")


def built(message: PushMessage = PLAIN) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(request(message).body)
    return body


def custom(message: PushMessage) -> Any:
    return msgspec.json.decode(built(message)["custom_data"])


def test_the_request_is_pushpads() -> None:
    sent = request()
    assert (sent.method, sent.url) == ("POST", "https://pushpad.xyz/api/v1/projects/8123/notifications")
    assert dict(sent.headers) == {
        "authorization": "Bearer pushpad-demo-token",
        "content-type": "application/json",
        "accept": "application/json",
    }
    assert built() == {
        "uids": ["user-42"],
        "title": "Hi",
        "body": "there",
        "custom_data": '{"__nvMessageId":"' + "m" * 32 + '"}',
    }


def test_the_payload_travels_as_text() -> None:
    assert custom(PushMessage("Hi", "there", payload={"n": 1})) == {"n": 1, "__nvMessageId": "m" * 32}


def test_a_payload_that_would_not_fit_stays_behind_rather_than_the_message() -> None:
    message = PushMessage("Hi", "there", payload={"big": "x" * MOST_BYTES})
    assert custom(message) == {"__nvMessageId": "m" * 32}


def test_custom_data_of_an_override_joins_the_payload_or_replaces_it_when_it_is_text() -> None:
    joined = PushMessage("Hi", "there", payload={"a": 1}, override={"customData": {"someKey": 2}})
    assert custom(joined) == {"a": 1, "someKey": 2, "__nvMessageId": "m" * 32}
    assert built(PushMessage("Hi", "there", override={"customData": "mine"}))["custom_data"] == "mine"


def test_overrides_win_over_the_mapping_and_passthrough_over_both() -> None:
    message = PushMessage(
        "Hi",
        "there",
        legacy={"targetUrl": "https://legacy.example", "ttl": 5},
        override={
            "targetUrl": "https://over.example",
            "requireInteraction": True,
            "actions": [{"title": "Track", "targetUrl": "https://a.example"}],
        },
        passthrough={
            "body": {"uids": ["user-77"], "title": "last", "futureField": 1},
            "headers": {"X-A": "1"},
            "query": {"q": "a b"},
        },
    )
    body, sent = built(message), request(message)
    assert body.pop("custom_data")
    assert body == {
        "uids": ["user-42", "user-77"],
        "title": "last",
        "body": "there",
        "target_url": "https://over.example",
        "ttl": 5,
        "require_interaction": True,
        "actions": [{"title": "Track", "target_url": "https://a.example"}],
        "futureField": 1,
    }
    assert dict(sent.headers)["x-a"] == "1"
    assert sent.url.endswith("/notifications?q=a+b")


@pytest.mark.parametrize("uids", [None, "user-1", [1], {}])
def test_nothing_goes_out_without_uids_for_it_would_reach_everybody(uids: Any) -> None:
    with pytest.raises(ValueError, match="everybody"):
        request(PushMessage("Hi", "there", passthrough={"body": {"uids": uids}}))
    with pytest.raises(ValueError, match="everybody"):
        request(PushMessage("Hi", "there", override={"uids": uids}))


def test_an_empty_uid_reaches_nobody() -> None:
    with pytest.raises(ValueError, match="everybody"):
        PUSHPAD.build(PUSHPAD.credentials(STORED), PLAIN, Target("m", ""), "")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, Outcome.PAYLOAD_REJECTED),
        (401, Outcome.CREDENTIALS_REJECTED),
        (402, Outcome.CREDENTIALS_REJECTED),
        (403, Outcome.CREDENTIALS_REJECTED),
        (404, Outcome.CREDENTIALS_REJECTED),
        (422, Outcome.PAYLOAD_REJECTED),
        (429, Outcome.THROTTLED),
        (500, Outcome.UNAVAILABLE),
        (502, Outcome.UNAVAILABLE),
        (503, Outcome.UNAVAILABLE),
        (504, Outcome.UNAVAILABLE),
        (200, Outcome.UNKNOWN),
        (302, Outcome.UNKNOWN),
        (418, Outcome.UNKNOWN),
    ],
)
def test_the_status_decides_the_outcome(status: int, outcome: Outcome) -> None:
    verdict = PUSHPAD.read(HttpReply(status, {}, b"words"), PLAIN)
    assert (verdict.outcome, verdict.code, verdict.raw) == (outcome, f"http_{status}", "words")
    assert status in BY_STATUS or outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "body", [b'{"id":1000,"scheduled":5,"uids":["user-42"]}', b'{"id":1000,"send_at":"2026-01-01T10:00:00Z"}']
)
def test_success_carries_the_providers_id_as_text(body: bytes) -> None:
    verdict = PUSHPAD.read(HttpReply(201, {}, body), PLAIN)
    assert verdict == Verdict(Outcome.ACCEPTED, provider_message_id="1000")


def test_a_uid_without_subscription_fails_and_stays() -> None:
    verdict = PUSHPAD.read(HttpReply(201, {}, b'{"id":1000,"scheduled":0,"uids":[]}'), PLAIN)
    assert (verdict.outcome, verdict.code) == (Outcome.PAYLOAD_REJECTED, "not_subscribed")
    assert verdict.provider_message_id == "1000"


def test_the_providers_wait_is_honoured() -> None:
    assert PUSHPAD.read(HttpReply(429, {"retry-after": "7"}), PLAIN).retry_after == 7000
    assert PUSHPAD.read(HttpReply(422, {"retry-after": "7"}), PLAIN).retry_after is None


def test_a_long_answer_is_cut() -> None:
    assert len(PUSHPAD.read(HttpReply(500, {}, b"x" * 9000), PLAIN).raw) == 2000


@pytest.mark.parametrize(
    ("stored", "field"),
    [
        ({}, "apiKey"),
        (STORED | {"apiKey": "two words"}, "apiKey"),
        (STORED | {"apiKey": "a\nb"}, "apiKey"),
        (STORED | {"applicationId": ""}, "applicationId"),
        (STORED | {"applicationId": "8123/../9"}, "applicationId"),
        (STORED | {"applicationId": "٣"}, "applicationId"),
    ],
)
def test_credentials_that_cannot_work_name_the_field(stored: dict[str, Any], field: str) -> None:
    with pytest.raises(CredentialsInvalid) as refused:
        PUSHPAD.credentials(stored)
    assert refused.value.field == field


def test_a_project_id_may_be_a_number_and_white_space_goes() -> None:
    stored = {"applicationId": 8123, "apiKey": " token\n"}
    assert PUSHPAD.credentials(stored) == PushpadCredentials("8123", "token")


def test_credentials_do_not_show_the_token() -> None:
    assert "pushpad-demo-token" not in repr(PUSHPAD.credentials(STORED))
