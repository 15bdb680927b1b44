from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest

from clarion.errors import CredentialsInvalid
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PushMessage, Target
from clarion.providers.huawei import BY_CODE, BY_STATUS, MOST_BYTES, Huawei, HuaweiCredentials, partial
from clarion.providers.port import AccessToken, AuthorizingProvider

NOW = 1_796_000_000_000
HUAWEI: AuthorizingProvider[HuaweiCredentials] = Huawei()
STORED = {"applicationId": "104872311", "secretKey": "s3cret&more"}
TARGET = Target("m" * 32, "IQAAAACyDemoTokenA")
PLAIN = PushMessage("Hi", "there")


def request(message: PushMessage = PLAIN) -> HttpRequest:
    return HUAWEI.build(HUAWEI.credentials(STORED), message, TARGET, "DQEB/x+y==")


def built(message: PushMessage = PLAIN) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(request(message).body)["message"]
    return body


def data(message: PushMessage) -> Any:
    return msgspec.json.decode(built(message)["data"])


def reply(code: str, status: int = 200, msg: str = "words", **headers: str) -> HttpReply:
    body = msgspec.json.encode({"code": code, "msg": msg, "requestId": "r1"})
    return HttpReply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def told(success: int, *illegal: str) -> str:
    answer = {"success": success, "failure": len(illegal), "illegal_tokens": illegal}
    return msgspec.json.encode(answer).decode()


def test_the_request_is_version_ones() -> None:
    sent = request()
    assert (sent.method, sent.url) == (
        "POST",
        "https://push-api.cloud.huawei.com/v1/104872311/messages:send",
    )
    assert dict(sent.headers) == {
        "authorization": "Bearer DQEB/x+y==",
        "content-type": "application/json;charset=UTF-8",
    }
    assert msgspec.json.decode(sent.body)["validate_only"] is False


def test_a_notification_opens_the_app_and_carries_the_payload_and_its_message_id() -> None:
    message = PushMessage("Hi", "there", payload={"orderId": "1042", "n": 1})
    body = built(message)
    assert body["token"] == ["IQAAAACyDemoTokenA"]
    assert body["android"] == {
        "notification": {"title": "Hi", "body": "there", "tag": "m" * 32, "click_action": {"type": 3}}
    }
    assert data(message) == {"orderId": "1042", "n": 1, "__nvMessageId": "m" * 32}


def test_type_data_is_silent_and_carries_everything_as_data() -> None:
    for message in (
        PushMessage("Hi", "there", payload={"n": 1}, legacy={"type": "data"}),
        PushMessage("Hi", "there", payload={"n": 1}, override={"type": "data"}),
    ):
        assert set(built(message)) == {"token", "data"}
        assert data(message) == {"n": 1, "title": "Hi", "body": "there", "__nvMessageId": "m" * 32}


def test_a_payload_that_would_not_fit_stays_behind_rather_than_the_message() -> None:
    message = PushMessage("Hi", "there", payload={"big": "x" * MOST_BYTES})
    assert data(message) == {"__nvMessageId": "m" * 32}


def test_overrides_win_over_the_mapping_and_passthrough_over_both() -> None:
    message = PushMessage(
        "Hi",
        "there",
        legacy={"android": {"urgency": "HIGH", "ttl": "5s"}, "data": {"a": 1}},
        override={"android": {"urgency": "NORMAL"}, "data": {"b": 2}},
        passthrough={
            "body": {"validate_only": True, "message": {"android": {"ttl": "9s"}}},
            "headers": {"X-A": "1"},
            "query": {"q": "1"},
        },
    )
    body, sent = built(message), request(message)
    assert body["android"]["urgency"] == "NORMAL"
    assert body["android"]["ttl"] == "9s"
    assert body["android"]["notification"]["title"] == "Hi"
    assert data(message) == {"a": 1, "b": 2, "__nvMessageId": "m" * 32}
    assert msgspec.json.decode(sent.body)["validate_only"] is True
    assert dict(sent.headers)["x-a"] == "1"
    assert sent.url.endswith("messages:send?q=1")


def test_data_given_as_text_goes_as_it_is() -> None:
    assert built(PushMessage("Hi", "there", payload={"n": 1}, override={"data": "mine"}))["data"] == "mine"


def test_a_repeat_is_the_same_request() -> None:
    assert request() == request()


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("80300007", Outcome.TOKEN_DEAD),
        ("80100001", Outcome.PAYLOAD_REJECTED),
        ("80100003", Outcome.PAYLOAD_REJECTED),
        ("80100004", Outcome.PAYLOAD_REJECTED),
        ("80100013", Outcome.PAYLOAD_REJECTED),
        ("80100016", Outcome.PAYLOAD_REJECTED),
        ("80100017", Outcome.THROTTLED),
        ("80100018", Outcome.PAYLOAD_REJECTED),
        ("80200001", Outcome.CREDENTIALS_REJECTED),
        ("80200003", Outcome.CREDENTIALS_REJECTED),
        ("80200005", Outcome.CREDENTIALS_REJECTED),
        ("80300002", Outcome.CREDENTIALS_REJECTED),
        ("80300008", Outcome.PAYLOAD_REJECTED),
        ("80300010", Outcome.PAYLOAD_REJECTED),
        ("80300011", Outcome.PAYLOAD_REJECTED),
        ("80300013", Outcome.CREDENTIALS_REJECTED),
        ("80600003", Outcome.UNAVAILABLE),
        ("81000001", Outcome.UNAVAILABLE),
        ("99999999", Outcome.UNKNOWN),
    ],
)
def test_the_code_decides_whatever_the_status(code: str, outcome: Outcome) -> None:
    for status in (200, 400, 401):
        verdict = HUAWEI.read(reply(code, status), PLAIN)
        assert (verdict.outcome, verdict.code) == (outcome, code)
        assert verdict.explanation
    assert code in BY_CODE or outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, Outcome.PAYLOAD_REJECTED),
        (401, Outcome.CREDENTIALS_REJECTED),
        (404, Outcome.CREDENTIALS_REJECTED),
        (500, Outcome.UNAVAILABLE),
        (502, Outcome.UNAVAILABLE),
        (503, Outcome.THROTTLED),
        (200, Outcome.UNKNOWN),
        (418, Outcome.UNKNOWN),
    ],
)
def test_without_a_code_the_status_decides(status: int, outcome: Outcome) -> None:
    verdict = HUAWEI.read(HttpReply(status, {}, b"<html>"), PLAIN)
    assert (verdict.outcome, verdict.code, verdict.raw) == (outcome, f"http_{status}", "<html>")
    assert status in BY_STATUS or outcome is Outcome.UNKNOWN


def test_trouble_with_a_code_nobody_documented_is_tried_again_like_trouble() -> None:
    assert HUAWEI.read(reply("99999999", 503), PLAIN).outcome is Outcome.THROTTLED


def test_success_carries_the_request_id() -> None:
    verdict = HUAWEI.read(reply("80000000"), PLAIN)
    assert verdict == Verdict(Outcome.ACCEPTED, provider_message_id="r1")


@pytest.mark.parametrize(
    ("msg", "outcome"),
    [
        (told(0, "IQAAAACyDemoTokenA"), Outcome.TOKEN_DEAD),
        (told(1, "IQAAAACyDemoTokenB"), Outcome.ACCEPTED),
        (told(0), Outcome.UNKNOWN),
        ("[]", Outcome.UNKNOWN),
        ("words", Outcome.UNKNOWN),
    ],
)
def test_a_partial_success_is_split(msg: str, outcome: Outcome) -> None:
    verdict = HUAWEI.read(reply("80100000", 200, msg), PLAIN)
    assert (verdict.outcome, verdict.provider_message_id) == (outcome, "r1")
    assert "DemoToken" not in verdict.raw


def test_a_partial_success_names_the_tokens() -> None:
    assert partial({"msg": told(3, "a", "b")}).illegal_tokens == ("a", "b")


@pytest.mark.parametrize("answer", [reply("80200001", 401), reply("80200003"), HttpReply(401)])
def test_only_a_refused_access_token_is_worth_a_fresh_one(answer: HttpReply) -> None:
    assert HUAWEI.read(answer, PLAIN).stale_authorization
    assert not HUAWEI.read(reply("80300002", 401), PLAIN).stale_authorization


def test_the_providers_wait_is_honoured() -> None:
    assert HUAWEI.read(HttpReply(503, {"retry-after": "7"}), PLAIN).retry_after == 7000
    assert HUAWEI.read(reply("80300002", 400, retry_after="7"), PLAIN).retry_after is None


def test_a_long_answer_is_cut() -> None:
    assert len(HUAWEI.read(HttpReply(500, {}, b"x" * 9000), PLAIN).raw) == 2000


def test_the_grant_is_client_credentials() -> None:
    asked = HUAWEI.authorize(HUAWEI.credentials(STORED), NOW)
    assert (asked.method, asked.url) == ("POST", "https://oauth-login.cloud.huawei.com/oauth2/v3/token")
    assert parse_qs(asked.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["104872311"],
        "client_secret": ["s3cret&more"],
    }


def test_an_access_token_knows_when_it_ends_and_does_not_show_itself() -> None:
    body = b'{"access_token":"DQEB\\/secret+x==","expires_in":3600,"token_type":"Bearer"}'
    token = HUAWEI.read_authorization(HttpReply(200, {}, body), NOW)
    assert token == AccessToken("DQEB/secret+x==", NOW + 3_600_000)
    assert "secret" not in repr(token)


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        (HttpReply(400, {}, b'{"error":1101,"sub_error":12304}'), Outcome.CREDENTIALS_REJECTED, "12304"),
        (HttpReply(400, {}, b'{"error":1101,"sub_error":20002}'), Outcome.CREDENTIALS_REJECTED, "20002"),
        (HttpReply(400, {}, b'{"error":1101,"sub_error":20003}'), Outcome.CREDENTIALS_REJECTED, "20003"),
        (HttpReply(400, {}, b'{"error":1101,"sub_error":20171}'), Outcome.CREDENTIALS_REJECTED, "20171"),
        (HttpReply(400, {}, b'{"error":1101,"sub_error":1}'), Outcome.CREDENTIALS_REJECTED, "1"),
        (HttpReply(403), Outcome.CREDENTIALS_REJECTED, "http_403"),
        (HttpReply(500), Outcome.UNAVAILABLE, "http_500"),
        (HttpReply(502), Outcome.UNAVAILABLE, "http_502"),
        (HttpReply(503), Outcome.THROTTLED, "http_503"),
        (HttpReply(504), Outcome.UNAVAILABLE, "http_504"),
        (HttpReply(590), Outcome.UNAVAILABLE, "http_590"),
        (HttpReply(200), Outcome.UNKNOWN, "http_200"),
    ],
)
def test_a_refused_grant_is_told_from_huaweis_trouble(answer: HttpReply, outcome: Outcome, code: str) -> None:
    verdict = HUAWEI.read_authorization(answer, NOW)
    assert isinstance(verdict, Verdict)
    assert (verdict.outcome, verdict.code) == (outcome, code)
    assert verdict.explanation


@pytest.mark.parametrize(
    ("stored", "field"),
    [
        ({}, "applicationId"),
        (STORED | {"applicationId": "abc"}, "applicationId"),
        (STORED | {"applicationId": "1" * 65}, "applicationId"),
        (STORED | {"secretKey": " "}, "secretKey"),
    ],
)
def test_credentials_that_cannot_work_name_the_field(stored: dict[str, Any], field: str) -> None:
    with pytest.raises(CredentialsInvalid) as refused:
        HUAWEI.credentials(stored)
    assert refused.value.field == field


def test_a_client_id_may_be_a_number_and_white_space_goes() -> None:
    stored = {"applicationId": 104872311, "secretKey": " s\n"}
    assert HUAWEI.credentials(stored) == HuaweiCredentials("104872311", "s")


def test_credentials_do_not_show_the_secret() -> None:
    assert "s3cret" not in repr(HUAWEI.credentials(STORED))


def test_whom_overrides_name_takes_the_devices_place() -> None:
    to_topic = built(PushMessage("Hi", "there", override={"condition": "c", "topic": "news"}))
    assert (to_topic["topic"], "token" in to_topic, "condition" in to_topic) == ("news", False, False)
    passed = {"body": {"message": {"condition": "'a' in topics"}}}
    to_some = built(PushMessage("Hi", "there", override={"topic": "news"}, passthrough=passed))
    assert (to_some["condition"], "topic" in to_some) == ("'a' in topics", False)
