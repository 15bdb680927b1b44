from typing import Any

import msgspec
import pytest

from clarion.errors import CredentialsInvalid
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PushMessage, Target
from clarion.providers.port import Provider
from clarion.providers.pusher_beams import BY_ERROR, BY_STATUS, MOST_BYTES, BeamsCredentials, PusherBeams

BEAMS: Provider[BeamsCredentials] = PusherBeams()
INSTANCE = "1b880590-6301-4bb5-b34f-45db1c5f5644"
STORED = {"instanceId": INSTANCE, "secretKey": "8F3A0DEMO0SECRET"}
TARGET = Target("m" * 32, "user-42")
PLAIN = PushMessage("Hi", "there")
SAID = {"title": "Hi", "body": "there"}


def request(message: PushMessage = PLAIN) -> HttpRequest:
    return BEAMS.build(BEAMS.credentials(STORED), message, TARGET, "")


def built(message: PushMessage = PLAIN) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(request(message).body)
    return body


def reply(status: int, error: str = "") -> HttpReply:
    return HttpReply(status, {}, msgspec.json.encode({"error": error, "description": "words"}))


def test_the_request_goes_to_the_host_and_the_path_of_the_instance() -> None:
    sent = request()
    path = f"/publish_api/v1/instances/{INSTANCE}/publishes/users"
    assert (sent.method, sent.url) == ("POST", f"https://{INSTANCE}.pushnotifications.pusher.com{path}")
    assert dict(sent.headers) == {
        "authorization": "Bearer 8F3A0DEMO0SECRET",
        "content-type": "application/json",
        "accept": "application/json",
    }


def test_every_platform_gets_the_words_the_payload_and_the_message_id() -> None:
    data = {"orderId": "1042", "n": 1, "__nvMessageId": "m" * 32}
    body = built(PushMessage("Hi", "there", payload={"orderId": "1042", "n": 1}))
    assert body == {
        "users": ["user-42"],
        "apns": {"aps": {"alert": SAID}, "data": data},
        "fcm": {"notification": SAID | {"tag": "m" * 32}, "data": data | {"n": "1"}},
        "web": {"notification": SAID, "data": data},
    }


def test_keys_that_beams_or_fcm_refuse_are_left_out() -> None:
    payload = {"pusher": 1, "from": "a", "google.x": "b", "gcm": "c", "z": None, "mine": {"a": True}}
    body = built(PushMessage("Hi", "there", payload=payload))
    assert body["fcm"]["data"] == {"mine": '{"a":true}', "__nvMessageId": "m" * 32}
    assert "pusher" not in body["web"]["data"]
    assert "pusher" not in body["apns"]["data"]


def test_a_payload_that_would_not_fit_stays_behind_rather_than_the_message() -> None:
    body = built(PushMessage("Hi", "there", payload={"big": "x" * MOST_BYTES}))
    assert [body[block]["data"] for block in ("apns", "fcm", "web")] == [{"__nvMessageId": "m" * 32}] * 3


def test_legacy_overrides_go_where_novu_puts_them() -> None:
    legacy = {
        "badge": 3,
        "sound": "ding",
        "categoryId": "order",
        "channelId": "orders",
        "clickAction": "OPEN",
        "color": "#112233",
        "icon": "https://shop.example/i.png",
        "tag": "own",
        "ttl": 60,
    }
    body = built(PushMessage("Hi", "there", legacy=legacy))
    assert body["apns"]["aps"] == {"alert": SAID, "badge": 3, "category": "order", "sound": "ding"}
    assert body["fcm"]["notification"] == SAID | {
        "android_channel_id": "orders",
        "click_action": "OPEN",
        "color": "#112233",
        "icon": "https://shop.example/i.png",
        "sound": "ding",
        "tag": "own",
    }
    assert body["web"]["notification"] == SAID | {"icon": "https://shop.example/i.png"}
    assert (body["fcm"]["time_to_live"], body["web"]["time_to_live"]) == (60, 60)


def test_overrides_are_snake_cased_except_for_what_the_app_and_apple_name() -> None:
    override = {
        "fcm": {"timeToLive": 60, "data": {"orderId": 7}, "notification": {"androidChannelId": "a"}},
        "apns": {"aps": {"content-available": 1}, "liveKey": 1},
        "web": {"notification": {"deepLink": "https://shop.example", "actions": [{"someKey": 1}]}},
    }
    body = built(PushMessage("Hi", "there", override=override))
    assert body["fcm"]["time_to_live"] == 60
    assert body["fcm"]["data"] == {"orderId": "7", "__nvMessageId": "m" * 32}
    assert body["fcm"]["notification"]["android_channel_id"] == "a"
    assert body["apns"]["aps"] == {"alert": SAID, "content-available": 1}
    assert body["apns"]["liveKey"] == 1
    assert body["web"]["notification"]["deep_link"] == "https://shop.example"
    assert body["web"]["notification"]["actions"] == [{"some_key": 1}]


def test_passthrough_comes_last_and_verbatim() -> None:
    message = PushMessage(
        "Hi",
        "there",
        override={"apns": {"aps": {"alert": {"title": "over"}}}},
        passthrough={
            "body": {"users": ["user-77"], "apns": {"aps": {"alert": {"title": "last"}}}, "someKey": 1},
            "headers": {"X-Pusher-Library": "clarion 1"},
            "query": {"dry": "1"},
        },
    )
    body, sent = built(message), request(message)
    assert body["users"] == ["user-42", "user-77"]
    assert body["apns"]["aps"]["alert"] == {"title": "last", "body": "there"}
    assert body["someKey"] == 1
    assert dict(sent.headers)["x-pusher-library"] == "clarion 1"
    assert sent.url.endswith("/publishes/users?dry=1")


def test_a_repeat_is_the_same_request() -> None:
    assert request() == request()


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        *((reply(status, error), outcome) for (status, error), (outcome, _) in BY_ERROR.items()),
        *((reply(status), outcome) for status, (outcome, _) in BY_STATUS.items()),
        (HttpReply(502, {}, b"<html>bad gateway</html>"), Outcome.UNAVAILABLE),
        (reply(418), Outcome.PAYLOAD_REJECTED),
        (HttpReply(302), Outcome.UNKNOWN),
        (HttpReply(204), Outcome.UNKNOWN),
    ],
)
def test_the_code_decides_the_outcome(answer: HttpReply, outcome: Outcome) -> None:
    verdict = BEAMS.read(answer, PLAIN)
    assert (verdict.outcome, verdict.code) == (outcome, f"http_{answer.status}")
    assert verdict.explanation


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        (400, "Incomplete Request", Outcome.CREDENTIALS_REJECTED),
        (400, "Invalid content type", Outcome.PAYLOAD_REJECTED),
        (400, "Bad request", Outcome.PAYLOAD_REJECTED),
        (401, "Unauthorized", Outcome.CREDENTIALS_REJECTED),
        (402, "Payment Required", Outcome.CREDENTIALS_REJECTED),
        (404, "Instance not found", Outcome.CREDENTIALS_REJECTED),
        (422, "Unprocessable Entity", Outcome.PAYLOAD_REJECTED),
        (429, "Rate Limited", Outcome.THROTTLED),
        (500, "Something went wrong", Outcome.UNAVAILABLE),
    ],
)
def test_the_documented_errors_are_read_as_documented(status: int, error: str, outcome: Outcome) -> None:
    assert BEAMS.read(reply(status, error), PLAIN).outcome is outcome


def test_success_carries_the_publish_id() -> None:
    verdict = BEAMS.read(HttpReply(200, {}, b'{"publishId":"pubid-1"}'), PLAIN)
    assert verdict == Verdict(Outcome.ACCEPTED, provider_message_id="pubid-1")


def test_the_providers_wait_is_honoured() -> None:
    assert BEAMS.read(HttpReply(429, {"retry-after": "7"}), PLAIN).retry_after == 7000
    assert BEAMS.read(HttpReply(429), PLAIN).retry_after is None
    assert BEAMS.read(HttpReply(401, {"retry-after": "7"}), PLAIN).retry_after is None


def test_a_long_answer_is_cut() -> None:
    assert len(BEAMS.read(HttpReply(500, {}, b"x" * 9000), PLAIN).raw) == 2000


@pytest.mark.parametrize(
    ("stored", "field"),
    [
        ({}, "secretKey"),
        (STORED | {"secretKey": " "}, "secretKey"),
        (STORED | {"secretKey": "two words"}, "secretKey"),
        (STORED | {"secretKey": "key\r\nx: y"}, "secretKey"),
        (STORED | {"instanceId": ""}, "instanceId"),
        (STORED | {"instanceId": "evil.example/"}, "instanceId"),
    ],
)
def test_credentials_that_cannot_work_name_the_field(stored: dict[str, Any], field: str) -> None:
    with pytest.raises(CredentialsInvalid) as refused:
        BEAMS.credentials(stored)
    assert refused.value.field == field


def test_an_instance_id_is_trimmed_and_put_into_lower_case() -> None:
    stored = {"instanceId": f" {INSTANCE.upper()}\n", "secretKey": "key\n"}
    assert BEAMS.credentials(stored) == BeamsCredentials(INSTANCE, "key")


def test_credentials_do_not_show_the_key() -> None:
    assert "8F3A0DEMO0SECRET" not in repr(BEAMS.credentials(STORED))
