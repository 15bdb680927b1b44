from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from rich.pretty import pretty_repr

from clarion.errors import CredentialsInvalid
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PushMessage, Target
from clarion.providers.expo import (
    BY_CODE,
    BY_DETAIL,
    BY_STATUS,
    MOST_RECEIPTS,
    RECEIPT_CHECKS,
    RECEIPTS_KEPT,
    Expo,
    ExpoCredentials,
    read_receipts,
    receipts_request,
)
from clarion.providers.port import Provider

EXPO: Provider[ExpoCredentials] = Expo()
TOKEN = "ExponentPushToken[AbCdEfGhIjKlMnOpQrStUv]"
TARGET = Target("m" * 32, TOKEN)
PLAIN = PushMessage("Hi", "there")
SENT = 1_796_000_000_000


def sent(message: PushMessage, **stored: str) -> HttpRequest:
    return EXPO.build(EXPO.credentials({"apiKey": "expo-secret"} | stored), message, TARGET, "")


def built(message: PushMessage) -> dict[str, Any]:
    messages: list[dict[str, Any]] = msgspec.json.decode(sent(message).body)
    assert len(messages) == 1
    return messages[0]


def reply(document: Any, status: int = 200, **headers: str) -> HttpReply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpReply(status, named, msgspec.json.encode(document))


def failed(code: str, *, transient: bool = False) -> dict[str, Any]:
    return {"errors": [{"code": code, "message": "words", "isTransient": transient}]}


def ticket(code: str | None) -> dict[str, Any]:
    details = {} if code is None else {"details": {"error": code}}
    return {"status": "error", "message": "words", **details}


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (400, "PUSH_TOO_MANY_EXPERIENCE_IDS", Outcome.PAYLOAD_REJECTED),
        (400, "PUSH_TOO_MANY_NOTIFICATIONS", Outcome.PAYLOAD_REJECTED),
        (400, "PUSH_TOO_MANY_RECEIPTS", Outcome.PAYLOAD_REJECTED),
        (400, "VALIDATION_ERROR", Outcome.PAYLOAD_REJECTED),
        (400, "API_ERROR", Outcome.PAYLOAD_REJECTED),
        (401, "UNAUTHORIZED", Outcome.CREDENTIALS_REJECTED),
        (403, "UNAUTHORIZED", Outcome.CREDENTIALS_REJECTED),
        (429, "TOO_MANY_REQUESTS", Outcome.THROTTLED),
        (500, "INTERNAL_SERVER_ERROR", Outcome.UNAVAILABLE),
        (200, "INTERNAL_SERVER_ERROR", Outcome.UNAVAILABLE),
        (400, "SOMETHING_NEW", Outcome.UNKNOWN),
    ],
)
def test_the_code_of_a_failed_request_decides(status: int, code: str, outcome: Outcome) -> None:
    verdict = EXPO.read(reply(failed(code), status), PLAIN)
    assert (verdict.outcome, verdict.code) == (outcome, code)
    assert "words" in verdict.raw


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (
            reply({"error": "invalid_token", "error_description": "The bearer token is invalid"}, 401),
            Outcome.CREDENTIALS_REJECTED,
        ),
        (HttpReply(401, {}, b""), Outcome.CREDENTIALS_REJECTED),
        (HttpReply(429, {}, b""), Outcome.THROTTLED),
        (HttpReply(500, {}, b""), Outcome.UNAVAILABLE),
        (HttpReply(502, {}, b"<html>"), Outcome.UNAVAILABLE),
        (HttpReply(503, {}, b"<html>"), Outcome.UNAVAILABLE),
        (HttpReply(504, {}, b"<html>"), Outcome.UNAVAILABLE),
        (reply(failed("SOMETHING_NEW", transient=True), 418), Outcome.UNAVAILABLE),
        (HttpReply(418, {}, b"[]"), Outcome.UNKNOWN),
        (HttpReply(200, {}, b"{}"), Outcome.UNKNOWN),
        (reply({"errors": "words"}), Outcome.UNKNOWN),
        (reply({"data": None}), Outcome.UNKNOWN),
    ],
)
def test_without_a_known_code_the_status_and_then_is_transient_decide(
    answer: HttpReply, outcome: Outcome
) -> None:
    assert EXPO.read(answer, PLAIN).outcome is outcome


def test_errors_count_before_data() -> None:
    answer = reply(failed("API_ERROR") | {"data": [{"status": "ok", "id": "t1"}]})
    assert EXPO.read(answer, PLAIN).outcome is Outcome.PAYLOAD_REJECTED


DETAILS = [
    ("DeviceNotRegistered", Outcome.TOKEN_DEAD),
    ("MessageTooBig", Outcome.PAYLOAD_REJECTED),
    ("MessageRateExceeded", Outcome.THROTTLED),
    ("MismatchSenderId", Outcome.CREDENTIALS_REJECTED),
    ("InvalidCredentials", Outcome.CREDENTIALS_REJECTED),
    ("InvalidProviderToken", Outcome.CREDENTIALS_REJECTED),
    ("DeveloperError", Outcome.PAYLOAD_REJECTED),
    ("ExpoError", Outcome.UNAVAILABLE),
    ("ProviderError", Outcome.UNAVAILABLE),
    ("SomethingNew", Outcome.UNKNOWN),
    (None, Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("code", "outcome"), DETAILS)
@pytest.mark.parametrize("shaped", [lambda entry: entry, lambda entry: [entry]], ids=["bare", "listed"])
def test_the_code_of_a_ticket_decides(
    code: str | None, outcome: Outcome, shaped: Callable[[Any], Any]
) -> None:
    verdict = EXPO.read(reply({"data": shaped(ticket(code))}), PLAIN)
    assert (verdict.outcome, verdict.code) == (outcome, code or "no_code")


def test_no_row_of_the_tables_is_untested() -> None:
    assert {code for code, _ in DETAILS} >= BY_DETAIL.keys()
    assert (len(BY_CODE), len(BY_STATUS)) == (9, 6)


def test_an_accepted_message_carries_its_ticket() -> None:
    accepted = Verdict(Outcome.ACCEPTED, provider_message_id="t1")
    assert EXPO.read(reply({"data": {"status": "ok", "id": "t1"}}), PLAIN) == accepted
    assert EXPO.read(reply({"data": [{"status": "ok", "id": "t1"}]}), PLAIN) == accepted


@pytest.mark.parametrize("data", [[], [{"status": "ok", "id": "t1"}] * 2, [None], "ok"])
def test_tickets_that_belong_to_nobody_are_unknown(data: Any) -> None:
    assert EXPO.read(reply({"data": data}), PLAIN).outcome is Outcome.UNKNOWN


def test_with_further_recipients_the_devices_own_ticket_counts() -> None:
    message = PushMessage("Hi", "there", override={"to": ["ExpoPushToken[other]"]})
    assert built(message)["to"] == [TOKEN, "ExpoPushToken[other]"]
    tickets = [{"status": "ok", "id": "t1"}, ticket("DeviceNotRegistered")]
    assert EXPO.read(reply({"data": tickets}), message).outcome is Outcome.ACCEPTED
    assert EXPO.read(reply({"data": tickets[::-1]}), message).outcome is Outcome.TOKEN_DEAD
    assert EXPO.read(reply({"data": tickets[:1]}), message).outcome is Outcome.UNKNOWN


def test_a_device_is_not_retired_for_a_token_that_overrides_put_in_its_place() -> None:
    message = PushMessage("Hi", "there", legacy={"to": "ExpoPushToken[other]"})
    assert built(message)["to"] == "ExpoPushToken[other]"
    dead = EXPO.read(reply({"data": ticket("DeviceNotRegistered")}), message)
    assert dead.outcome is Outcome.PAYLOAD_REJECTED
    assert EXPO.read(reply({"data": {"status": "ok", "id": "t"}}), message).outcome is Outcome.ACCEPTED
    assert EXPO.read(reply({"data": ticket("MessageTooBig")}), message).code == "MessageTooBig"


def test_only_what_may_be_tried_again_says_when() -> None:
    throttled = EXPO.read(reply(failed("TOO_MANY_REQUESTS"), 429, retry_after="7"), PLAIN)
    assert throttled.retry_after == 7000
    assert EXPO.read(reply(failed("TOO_MANY_REQUESTS"), 429), PLAIN).retry_after is None
    assert EXPO.read(reply(failed("API_ERROR"), 400, retry_after="7"), PLAIN).retry_after is None


def test_the_raw_answer_is_bounded() -> None:
    assert len(EXPO.read(HttpReply(504, {}, b"x" * 5000), PLAIN).raw) == 2000
    assert len(EXPO.read(reply({"data": ticket("x" * 5000)}), PLAIN).raw) == 2000


def test_a_message_is_mapped_as_novu_maps_it_and_carries_its_id() -> None:
    assert built(PushMessage("Hi", "there", payload={"orderId": 1042})) == {
        "to": [TOKEN],
        "title": "Hi",
        "body": "there",
        "data": {"orderId": 1042, "__nvMessageId": "m" * 32},
        "sound": None,
        "collapseId": "m" * 32,
        "tag": "m" * 32,
    }


def test_legacy_overrides_are_spread_over_the_message() -> None:
    legacy = {"badge": 3, "sound": "default", "subtitle": "s", "ttl": 60, "title": "New", "tag": "mine"}
    body = built(PushMessage("Hi", "there", legacy=legacy | {"deviceTokens": [TOKEN]}))
    assert {key: body[key] for key in legacy} == legacy
    assert "deviceTokens" not in body


@pytest.mark.parametrize(
    ("sound", "wire"), [("default", "default"), ({"critical": True}, {"critical": True}), (7, None)]
)
def test_a_sound_is_a_name_or_a_critical_alert(sound: Any, wire: Any) -> None:
    assert built(PushMessage("Hi", "there", legacy={"sound": sound}))["sound"] == wire


def test_the_message_id_travels_when_overrides_replace_the_data() -> None:
    body = built(PushMessage("Hi", "there", payload={"lost": 1}, legacy={"data": {"k": 1}}))
    assert body["data"] == {"k": 1, "__nvMessageId": "m" * 32}


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ("channelId", "channelId"),
        ("channel_id", "channelId"),
        ("interruption-level", "interruptionLevel"),
        ("MutableContent", "mutableContent"),
        ("_contentAvailable", "_contentAvailable"),
        ("richHTMLContent", "richHtmlContent"),
        ("level_2_name", "level_2Name"),
        ("ttl", "ttl"),
    ],
)
def test_the_names_of_provider_overrides_are_cased(given: str, wire: str) -> None:
    assert wire in built(PushMessage("Hi", "there", override={given: 1}))


def test_only_names_of_the_top_level_are_cased() -> None:
    body = built(PushMessage("Hi", "there", override={"data": {"order_id": 1}}))
    assert body["data"] == {"order_id": 1, "__nvMessageId": "m" * 32}


def test_passthrough_comes_last_and_verbatim() -> None:
    message = PushMessage(
        "Hi",
        "there",
        override={"priority": "normal", "ttl": 5},
        passthrough={
            "body": {"priority": "high", "new_field": {"a_b": 1}},
            "headers": {"X-Trace": "t1"},
            "query": {"useFcmV1": "true"},
        },
    )
    request, body = sent(message), built(message)
    assert (body["priority"], body["ttl"], body["new_field"]) == ("high", 5, {"a_b": 1})
    assert dict(request.headers)["x-trace"] == "t1"
    assert request.url == "https://exp.host/--/api/v2/push/send?useFcmV1=true"


def test_a_request_is_what_the_reference_shows() -> None:
    request = sent(PLAIN)
    assert (request.method, request.url) == ("POST", "https://exp.host/--/api/v2/push/send")
    assert dict(request.headers) == {
        "accept": "application/json",
        "content-type": "application/json",
        "authorization": "Bearer expo-secret",
    }


def test_without_an_access_token_there_is_no_authorization() -> None:
    assert "authorization" not in dict(sent(PLAIN, apiKey="").headers)


@pytest.mark.parametrize(
    "pasted", ["expo-secret", "  expo-secret\n", "Bearer expo-secret", "bearer  expo-\r\nsecret"]
)
def test_a_badly_pasted_access_token_is_repaired(pasted: str) -> None:
    assert EXPO.credentials({"apiKey": pasted}).access_token == "expo-secret"


@pytest.mark.parametrize("stored", [{}, {"apiKey": None}, {"apiKey": "  "}])
def test_an_access_token_is_optional(stored: dict[str, Any]) -> None:
    assert EXPO.credentials(stored) == ExpoCredentials("")


@pytest.mark.parametrize("pasted", ["two words", "schlüssel", "nul\0", 7, ["expo-secret"]])
def test_an_access_token_that_cannot_work_is_refused(pasted: Any) -> None:
    with pytest.raises(CredentialsInvalid) as refused:
        EXPO.credentials({"apiKey": pasted})
    assert refused.value.field == "apiKey"
    assert str(pasted) not in str(refused.value)


def test_credentials_do_not_show_the_access_token() -> None:
    credentials = EXPO.credentials({"apiKey": "expo-secret"})
    assert "secret" not in repr(credentials) + pretty_repr(credentials)


@pytest.mark.parametrize("token", [TOKEN, "ExpoPushToken[x]", "F5741A13-BCDA-434B-A316-5DC0E6FFA94F"])
def test_what_may_be_a_token_is_asked_for(token: str) -> None:
    assert Expo().refuse(ExpoCredentials(""), Target("m", token)) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        "phone-1",
        "ExpoPushToken[]",
        "ExponentPushToken[a b]",
        "ExpoPushToken[x",
        f"{TOKEN}\n",
        "z-1-1-1-z",
    ],
)
def test_a_malformed_token_is_dead(token: str) -> None:
    refused = Expo().refuse(ExpoCredentials(""), Target("m", token))
    assert refused is not None
    assert (refused.outcome, refused.code) == (Outcome.TOKEN_DEAD, "malformed")


def test_receipts_are_asked_for_by_ticket() -> None:
    request = receipts_request(ExpoCredentials("expo-secret"), ["t1", "t2"])
    assert (request.method, request.url) == ("POST", "https://exp.host/--/api/v2/push/getReceipts")
    assert dict(request.headers)["authorization"] == "Bearer expo-secret"
    assert msgspec.json.decode(request.body) == {"ids": ["t1", "t2"]}


@pytest.mark.parametrize("count", [0, MOST_RECEIPTS + 1])
def test_too_many_or_no_receipts_are_not_asked_for(count: int) -> None:
    with pytest.raises(ValueError, match=f"not {count}"):
        receipts_request(ExpoCredentials(""), [str(number) for number in range(count)])


def test_the_last_check_comes_before_receipts_are_forgotten() -> None:
    assert list(RECEIPT_CHECKS) == sorted(RECEIPT_CHECKS)
    assert RECEIPT_CHECKS[-1] < RECEIPTS_KEPT


@pytest.mark.parametrize(("code", "outcome"), DETAILS)
def test_the_code_of_a_receipt_decides(code: str | None, outcome: Outcome) -> None:
    verdicts = read_receipts(reply({"data": {"t1": ticket(code)}}), {"t1": SENT})
    assert isinstance(verdicts, dict)
    verdict = verdicts["t1"]
    assert (verdict.outcome, verdict.provider_message_id) == (outcome, "t1")
    assert verdict.died_at == (SENT if outcome is Outcome.TOKEN_DEAD else None)


def test_receipts_that_are_not_there_yet_or_not_ours_are_left_out() -> None:
    answer = reply({"data": {"t1": {"status": "ok"}, "stranger": {"status": "ok"}}})
    read = read_receipts(answer, {"t1": SENT, "t2": SENT})
    assert read == {"t1": Verdict(Outcome.ACCEPTED, provider_message_id="t1")}
    assert read_receipts(reply({"data": {}}), {"t1": SENT}) == {}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (reply(failed("PUSH_TOO_MANY_RECEIPTS"), 400), Outcome.PAYLOAD_REJECTED),
        (reply({"error": "invalid_token"}, 401), Outcome.CREDENTIALS_REJECTED),
        (HttpReply(504, {}, b"<html>"), Outcome.UNAVAILABLE),
        (reply({"data": []}), Outcome.UNKNOWN),
        (reply({}), Outcome.UNKNOWN),
    ],
)
def test_a_failed_receipts_request_says_why(answer: HttpReply, outcome: Outcome) -> None:
    verdict = read_receipts(answer, {"t1": SENT})
    assert isinstance(verdict, Verdict)
    assert verdict.outcome is outcome
