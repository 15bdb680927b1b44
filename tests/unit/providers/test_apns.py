import base64
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from clarion.errors import CredentialsInvalid
from clarion.model.clock import MINUTE
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PushMessage, Target
from clarion.providers.apns import BY_REASON, BY_STATUS, Apns
from clarion.providers.apns_keys import ApnsKey
from clarion.providers.port import IssuingProvider

WINDOW = 20 * MINUTE
NOW = 1_796_000_000_000 // WINDOW * WINDOW
KEY = ec.generate_private_key(ec.SECP256R1())
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
STORED = {
    "secretKey": PEM,
    "apiKey": "ABC123DEFG",
    "projectName": "DEF123GHIJ",
    "applicationId": "com.example.shop",
}
MESSAGE_ID = "0123456789abcdef" * 2
TOKEN = "8f0c4a7be2d94c61b35a7f10c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5"
PLAIN = PushMessage("Hi", "there")
APNS: IssuingProvider[ApnsKey] = Apns()


def key(**changes: Any) -> ApnsKey:
    return APNS.credentials(STORED | changes)


def request(message: PushMessage = PLAIN, token: str = TOKEN, **stored: Any) -> HttpRequest:
    return APNS.build(key(**stored), message, Target(MESSAGE_ID, token, NOW), "signed")


def body(message: PushMessage) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.json.decode(request(message).body)
    return document


def headers(message: PushMessage = PLAIN, **stored: Any) -> dict[str, str]:
    built = request(message, **stored).headers
    assert len(dict(built)) == len(built)
    return dict(built)


def legacy(**overrides: Any) -> PushMessage:
    return PushMessage("Hi", "there", payload={"order": 7}, legacy=overrides)


def override(**overrides: Any) -> PushMessage:
    return PushMessage("Hi", "there", payload={"order": 7}, override=overrides)


def refusal(status: int, reason: str, **more: Any) -> HttpReply:
    return HttpReply(status, {"apns-id": "a1"}, msgspec.json.encode({"reason": reason, **more}))


DEAD, PAYLOAD, SETUP = Outcome.TOKEN_DEAD, Outcome.PAYLOAD_REJECTED, Outcome.CREDENTIALS_REJECTED
LATER, DOWN = Outcome.THROTTLED, Outcome.UNAVAILABLE
DOCUMENTED = [
    (400, "BadCollapseId", PAYLOAD),
    (400, "BadDeviceToken", DEAD),
    (400, "BadExpirationDate", PAYLOAD),
    (400, "BadMessageId", PAYLOAD),
    (400, "BadPriority", PAYLOAD),
    (400, "BadTopic", SETUP),
    (400, "DeviceTokenNotForTopic", DEAD),
    (400, "DuplicateHeaders", PAYLOAD),
    (400, "IdleTimeout", DOWN),
    (400, "InvalidPushType", PAYLOAD),
    (400, "MissingDeviceToken", PAYLOAD),
    (400, "MissingTopic", SETUP),
    (400, "PayloadEmpty", PAYLOAD),
    (400, "TopicDisallowed", SETUP),
    (403, "BadCertificate", SETUP),
    (403, "BadCertificateEnvironment", SETUP),
    (403, "ExpiredProviderToken", SETUP),
    (403, "Forbidden", SETUP),
    (403, "InvalidProviderToken", SETUP),
    (403, "MissingProviderToken", SETUP),
    (403, "UnrelatedKeyIdInToken", SETUP),
    (403, "BadEnvironmentKeyIdInToken", SETUP),
    (403, "BadEnvironmentKeyInToken", SETUP),
    (404, "BadPath", PAYLOAD),
    (405, "MethodNotAllowed", PAYLOAD),
    (410, "ExpiredToken", DEAD),
    (410, "Unregistered", DEAD),
    (413, "PayloadTooLarge", PAYLOAD),
    (429, "TooManyProviderTokenUpdates", LATER),
    (429, "TooManyRequests", LATER),
    (500, "InternalServerError", DOWN),
    (503, "ServiceUnavailable", DOWN),
    (503, "Shutdown", DOWN),
]


@pytest.mark.parametrize(("status", "reason", "outcome"), DOCUMENTED)
def test_the_reason_decides_the_outcome(status: int, reason: str, outcome: Outcome) -> None:
    verdict = APNS.read(refusal(status, reason), PLAIN)
    assert (verdict.outcome, verdict.code) == (outcome, reason)
    assert verdict.explanation == BY_REASON[reason][1]


def test_no_reason_is_forgotten_here() -> None:
    assert {reason for _, reason, _ in DOCUMENTED} == set(BY_REASON)


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        (HttpReply(410), DEAD, "http_410"),
        (HttpReply(413), PAYLOAD, "http_413"),
        (HttpReply(429), LATER, "http_429"),
        (HttpReply(500), DOWN, "http_500"),
        (HttpReply(502, {}, b"<html>Unregistered</html>"), DOWN, "http_502"),
        (HttpReply(503, {}, b"[]"), DOWN, "http_503"),
        (HttpReply(504), DOWN, "http_504"),
        (HttpReply(418), Outcome.UNKNOWN, "http_418"),
        (refusal(400, "NewReason"), Outcome.UNKNOWN, "NewReason"),
        (HttpReply(400, {}, b'{"reason": 5}'), Outcome.UNKNOWN, "5"),
    ],
)
def test_without_a_listed_reason_the_status_decides(answer: HttpReply, outcome: Outcome, code: str) -> None:
    verdict = APNS.read(answer, PLAIN)
    assert (verdict.outcome, verdict.code) == (outcome, code)
    assert (answer.status in BY_STATUS) is (outcome is not Outcome.UNKNOWN)


def test_success_carries_apples_id() -> None:
    answer = HttpReply(200, {"apns-id": "5b1d7c3e-9a40-4f5e-8e1b-6c2f0d9a7b34"})
    assert APNS.read(answer, PLAIN) == Verdict(
        Outcome.ACCEPTED, provider_message_id="5b1d7c3e-9a40-4f5e-8e1b-6c2f0d9a7b34"
    )


@pytest.mark.parametrize("reason", ["Unregistered", "ExpiredToken"])
def test_a_dead_token_says_when_it_died(reason: str) -> None:
    verdict = APNS.read(refusal(410, reason, timestamp=1_767_139_200_000), PLAIN)
    assert verdict.died_at == 1_767_139_200_000
    assert APNS.read(refusal(410, reason), PLAIN).died_at is None
    assert APNS.read(refusal(410, reason, timestamp="soon"), PLAIN).died_at is None


@pytest.mark.parametrize("reason", ["BadDeviceToken", "DeviceTokenNotForTopic"])
@pytest.mark.parametrize(
    "message",
    [
        legacy(topic="com.example.other"),
        override(pushType="liveactivity"),
        PushMessage("Hi", "there", passthrough={"headers": {"APNS-Topic": "com.example.other"}}),
    ],
)
def test_a_token_is_kept_when_the_message_chose_another_topic(reason: str, message: PushMessage) -> None:
    assert APNS.read(refusal(400, reason), message).outcome is PAYLOAD
    assert APNS.read(refusal(400, reason), legacy(pushType="alert", badge=1)).outcome is DEAD
    assert APNS.read(refusal(410, "Unregistered"), message).outcome is DEAD


def test_apns_says_how_long_to_wait() -> None:
    def wait(status: int, reason: str, **said: str) -> int | None:
        named = {name.replace("_", "-"): value for name, value in said.items()}
        answer = msgspec.structs.replace(refusal(status, reason), headers=named)
        return APNS.read(answer, PLAIN).retry_after

    assert wait(429, "TooManyRequests") == MINUTE
    assert wait(429, "TooManyProviderTokenUpdates") == 20 * MINUTE
    assert wait(429, "TooManyRequests", retry_after="7") == 7_000
    assert wait(503, "ServiceUnavailable") is None
    assert wait(503, "ServiceUnavailable", retry_after="30") == 30_000
    assert wait(410, "Unregistered", retry_after="30") is None


def test_only_an_expired_provider_token_is_worth_a_fresh_one() -> None:
    stale = {
        reason for _, reason, _ in DOCUMENTED if APNS.read(refusal(403, reason), PLAIN).stale_authorization
    }
    assert stale == {"ExpiredProviderToken"}


def test_the_raw_answer_is_kept_up_to_its_bound() -> None:
    assert APNS.read(refusal(400, "BadTopic"), PLAIN).raw == '{"reason":"BadTopic"}'
    assert len(APNS.read(HttpReply(500, {}, b"x" * 5000), PLAIN).raw) == 2000


def claims(token: str) -> dict[str, Any]:
    verified: dict[str, Any] = jwt.decode(token, KEY.public_key(), ["ES256"], options={"verify_iat": False})
    return verified


def test_the_provider_token_is_what_apple_verifies() -> None:
    token = APNS.issue(key(), NOW + 5 * MINUTE)
    assert jwt.get_unverified_header(token.value) == {"alg": "ES256", "kid": "ABC123DEFG"}
    assert claims(token.value) == {"iss": "DEF123GHIJ", "iat": NOW // 1000}
    assert token.value not in repr(token)


def test_the_provider_token_has_the_documented_head_and_claims() -> None:
    known = (
        "eyJhbGciOiJFUzI1NiIsImtpZCI6IkFCQzEyM0RFRkcifQ.eyJpc3MiOiJERUYxMjNHSElKIiwiaWF0IjoxNzY3MjI1NjAwfQ."
    )
    assert APNS.issue(key(), 1_767_225_600_000).value.startswith(known)


def test_the_provider_token_changes_after_twenty_minutes_and_no_sooner() -> None:
    first = APNS.issue(key(), NOW)
    assert APNS.issue(key(), NOW + 20 * MINUTE - 1) == first
    assert APNS.issue(key(), NOW + 20 * MINUTE) != first


@pytest.mark.parametrize("late", [0, 10 * MINUTE, 20 * MINUTE - 1])
def test_the_provider_token_ends_within_the_hour_apple_allows(late: int) -> None:
    token = APNS.issue(key(), NOW + late)
    assert token.expires_at == claims(token.value)["iat"] * 1000 + 50 * MINUTE
    assert token.expires_at - (NOW + late) > 30 * MINUTE


def test_a_push_goes_to_the_sandbox_unless_it_is_for_production() -> None:
    assert request().url == f"https://api.sandbox.push.apple.com/3/device/{TOKEN}"
    assert request(secure=False).url.startswith("https://api.sandbox.push.apple.com/")
    assert request(secure=True).url == f"https://api.push.apple.com/3/device/{TOKEN}"
    assert request(secure="true").url.startswith("https://api.push.apple.com/")


@pytest.mark.parametrize(
    ("token", "path"),
    [
        ("<8F0C4A7B E2D94C61>", "8f0c4a7be2d94c61"),
        ("../../x?y#z", "..%2F..%2Fx%3Fy%23z"),
    ],
)
def test_a_token_is_one_part_of_the_path(token: str, path: str) -> None:
    assert request(token=token).url == f"https://api.sandbox.push.apple.com/3/device/{path}"


def test_a_push_has_apples_headers() -> None:
    assert headers() == {
        "authorization": "bearer signed",
        "content-type": "application/json",
        "apns-topic": "com.example.shop",
        "apns-push-type": "alert",
        "apns-id": "01234567-89ab-cdef-0123-456789abcdef",
        "apns-priority": "10",
        "apns-collapse-id": MESSAGE_ID,
    }


def test_a_message_id_of_another_form_leaves_the_id_to_apns() -> None:
    built = APNS.build(key(), PLAIN, Target("m1", TOKEN), "signed")
    assert "apns-id" not in dict(built.headers)
    assert dict(built.headers)["apns-collapse-id"] == "m1"


def test_a_repeat_is_the_same_request() -> None:
    assert request() == request()


def test_the_payload_stands_beside_aps() -> None:
    message = PushMessage("Größe", "👋", payload={"order": 7, "list": [1, None], "__nvMessageId": "mine"})
    assert body(message) == {
        "aps": {"alert": {"title": "Größe", "body": "👋"}},
        "order": 7,
        "list": [1, None],
        "__nvMessageId": MESSAGE_ID,
    }
    assert "Größe".encode() in request(message).body


@pytest.mark.parametrize(
    ("payload", "nested"),
    [
        ({"aps": {"badge": 1}}, {"payload": {"aps": {"badge": 1}}}),
        ({"aps": 1, "payload": {"k": 2}}, {"payload": {"aps": 1, "k": 2}}),
        ({"aps": 1, "payload": "taken"}, {"payload": "taken"}),
    ],
)
def test_a_payload_never_replaces_aps(payload: dict[str, Any], nested: dict[str, Any]) -> None:
    alert = {"alert": {"title": "Hi", "body": "there"}}
    expected = {"aps": alert, "__nvMessageId": MESSAGE_ID, **nested}
    assert body(PushMessage("Hi", "there", payload=payload)) == expected


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("badge", 0, {"badge": 0}),
        ("sound", "default", {"sound": "default"}),
        (
            "sound",
            {"critical": 1, "name": "a", "volume": 0.5},
            {"sound": {"critical": 1, "name": "a", "volume": 0.5}},
        ),
        ("category", "ORDER", {"category": "ORDER"}),
        ("threadId", "orders", {"thread-id": "orders"}),
        ("thread_id", "orders", {"thread-id": "orders"}),
        ("contentAvailable", True, {"content-available": 1}),
        ("content-available", 1, {"content-available": 1}),
        ("contentAvailable", False, {}),
        ("mutableContent", 1, {"mutable-content": 1}),
        ("targetContentIdentifier", "w", {"target-content-id": "w"}),
        ("interruptionLevel", "time-sensitive", {"interruption-level": "time-sensitive"}),
        ("relevanceScore", 0.5, {"relevance-score": 0.5}),
        ("filterCriteria", "f", {"filter-criteria": "f"}),
        ("urlArgs", ["a"], {"url-args": ["a"]}),
    ],
)
@pytest.mark.parametrize("layer", [legacy, override])
def test_a_known_name_goes_into_aps(layer: Any, name: str, value: Any, place: dict[str, Any]) -> None:
    alert = {"title": "Hi", "body": "there"}
    assert body(layer(**{name: value}))["aps"] == {"alert": alert, **place}


@pytest.mark.parametrize("layer", [legacy, override])
def test_parts_of_the_alert_join_the_text(layer: Any) -> None:
    alert = body(layer(subtitle="S", launchImage="i", titleLocKey="K", locArgs=["1"], title="Other"))["aps"][
        "alert"
    ]
    assert alert == {
        "title": "Other",
        "body": "there",
        "subtitle": "S",
        "launch-image": "i",
        "title-loc-key": "K",
        "loc-args": ["1"],
    }


def test_a_null_takes_away_what_the_mapping_says() -> None:
    assert body(override(title=None))["aps"] == {"alert": {"body": "there"}}
    assert body(override(alert=None, badge=3))["aps"] == {"badge": 3}


def test_a_legacy_alert_or_aps_stands_alone() -> None:
    assert body(legacy(alert="only this"))["aps"] == {"alert": {"body": "only this"}}
    assert body(legacy(alert={"titleLocKey": "K"}))["aps"] == {"alert": {"title-loc-key": "K"}}
    assert body(legacy(aps={"badge": 1}, sound="x"))["aps"] == {"badge": 1, "sound": "x"}


def test_a_newer_alert_or_aps_is_merged() -> None:
    assert body(override(alert="only this"))["aps"] == {"alert": {"body": "only this"}}
    assert body(override(aps={"threadId": "t", "alert": {"subtitle": "S"}}))["aps"] == {
        "alert": {"title": "Hi", "body": "there", "subtitle": "S"},
        "thread-id": "t",
    }


def test_a_legacy_payload_replaces_the_triggers_and_a_newer_one_joins_it() -> None:
    assert body(legacy(payload={"k": 1})).keys() == {"aps", "k", "__nvMessageId"}
    assert body(override(payload={"k": 1})).keys() == {"aps", "order", "k", "__nvMessageId"}


@pytest.mark.parametrize("layer", [legacy, override])
def test_aps_inside_an_overridden_payload_reaches_aps(layer: Any) -> None:
    document = body(layer(payload={"aps": {"badge": 4}, "k": 1}))
    assert document["aps"] == {"alert": {"title": "Hi", "body": "there"}, "badge": 4}
    assert document["k"] == 1


def test_the_layers_win_in_their_order() -> None:
    message = PushMessage(
        "Hi",
        "there",
        legacy={"badge": 1, "sound": "one", "category": "one", "titleLocArgs": ["1"]},
        override={"sound": "two", "category": "two", "titleLocArgs": ["2"]},
        passthrough={"body": {"aps": {"category": "three", "newField": True}, "k": 1}},
    )
    document = body(message)
    aps = document["aps"]
    assert (aps["badge"], aps["sound"], aps["category"], aps["newField"]) == (1, "two", "three", True)
    assert aps["alert"]["title-loc-args"] == ["1", "2"]
    assert document["k"] == 1


def test_passthrough_headers_and_query_are_sent_as_they_are() -> None:
    message = PushMessage(
        "Hi",
        "there",
        override={"priority": 5},
        passthrough={"headers": {"Apns-Priority": "1", "X-New": "n"}, "query": {"a": "b c"}},
    )
    assert (headers(message)["apns-priority"], headers(message)["x-new"]) == ("1", "n")
    assert request(message).url.endswith(f"/{TOKEN}?a=b+c")


@pytest.mark.parametrize("layer", [legacy, override])
def test_overridden_headers_are_sent(layer: Any) -> None:
    chosen = headers(layer(topic="com.example.x", id="i", expiry=1767229200.0, priority=5, collapseId="c"))
    assert chosen["apns-topic"] == "com.example.x"
    assert chosen["apns-id"] == "i"
    assert chosen["apns-expiration"] == "1767229200"
    assert chosen["apns-priority"] == "5"
    assert chosen["apns-collapse-id"] == "c"


@pytest.mark.parametrize(("expiry", "sent"), [(0, "0"), ("60", "60"), (-1, None), (None, None)])
def test_an_expiry_below_zero_is_none(expiry: Any, sent: str | None) -> None:
    assert headers(override(expiry=expiry)).get("apns-expiration") == sent


def test_a_collapse_id_keeps_to_64_bytes() -> None:
    assert headers(legacy(collapseId="é" * 32))["apns-collapse-id"] == "é" * 32
    hashed = headers(legacy(collapseId="é" * 33))["apns-collapse-id"]
    assert len(hashed) == 64
    assert headers(legacy(collapseId="ü" * 33))["apns-collapse-id"] != hashed
    assert headers(legacy(collapseId=""))["apns-collapse-id"] == MESSAGE_ID


@pytest.mark.parametrize(
    ("kind", "topic", "priority", "expiration"),
    [
        ("alert", "com.example.shop", "10", None),
        ("background", "com.example.shop", "5", None),
        ("voip", "com.example.shop.voip", "10", None),
        ("complication", "com.example.shop.complication", "10", None),
        ("fileprovider", "com.example.shop.pushkit.fileprovider", "10", None),
        ("mdm", "com.example.shop", "10", None),
        ("location", "com.example.shop.location-query", "10", None),
        ("liveactivity", "com.example.shop.push-type.liveactivity", "10", None),
        ("pushtotalk", "com.example.shop.voip-ptt", "10", "0"),
        ("widgets", "com.example.shop.push-type.widgets", "10", None),
        ("controls", "com.example.shop.push-type.controls", "10", None),
        ("brandnew", "com.example.shop", "10", None),
    ],
)
@pytest.mark.parametrize("layer", [legacy, override])
def test_a_push_type_has_its_own_headers(
    layer: Any, kind: str, topic: str, priority: str, expiration: str | None
) -> None:
    chosen = headers(layer(pushType=kind))
    assert (chosen["apns-push-type"], chosen["apns-topic"]) == (kind, topic)
    assert (chosen["apns-priority"], chosen.get("apns-expiration")) == (priority, expiration)


def test_a_push_type_passed_through_chooses_the_topic_too() -> None:
    message = PushMessage("Hi", "there", passthrough={"headers": {"apns-push-type": "voip"}})
    assert headers(message)["apns-topic"] == "com.example.shop.voip"


def test_a_bundle_id_that_has_the_suffix_gets_no_second() -> None:
    chosen = headers(override(pushType="voip"), applicationId="com.example.shop.voip")
    assert chosen["apns-topic"] == "com.example.shop.voip"


def test_a_background_push_shows_nothing() -> None:
    asked = body(override(pushType="background", contentAvailable=True))
    assert asked == {"aps": {"content-available": 1}, "order": 7, "__nvMessageId": MESSAGE_ID}


def test_a_push_that_shows_nothing_is_a_background_push() -> None:
    chosen = headers(legacy(aps={"content-available": 1}))
    assert (chosen["apns-push-type"], chosen["apns-priority"]) == ("background", "5")
    assert headers(legacy(aps={"content-available": 1, "badge": 2}))["apns-push-type"] == "alert"
    assert headers(legacy(contentAvailable=True))["apns-push-type"] == "alert"


def test_a_live_activity_passes_through() -> None:
    state = {"minutesLeft": 4, "content-available": "untouched"}
    message = override(
        pushType="liveactivity", event="update", timestamp=1, staleDate=2, contentState=state, alert=None
    )
    expected = {"event": "update", "timestamp": 1, "stale-date": 2, "content-state": state}
    assert body(message)["aps"] == expected


def test_a_raw_payload_is_sent_as_it_is() -> None:
    raw = {"aps": {"content-available": 1}, "k": None}
    assert body(legacy(rawPayload=raw, badge=1)) == raw
    assert headers(legacy(rawPayload=raw))["apns-push-type"] == "background"


def test_device_management_sends_its_magic_only() -> None:
    assert body(legacy(mdm="magic")) == {"mdm": "magic"}
    assert headers(legacy(mdm="magic"))["apns-push-type"] == "mdm"


def test_what_novus_library_takes_out_is_not_sent() -> None:
    message = legacy(notificationIdentifiers=["x"], deviceTokens=["y"])
    assert body(message) == body(PushMessage("Hi", "there", payload={"order": 7}))


BASE64 = "".join(PEM.splitlines()[1:-1])


@pytest.mark.parametrize(
    "pasted",
    [
        PEM,
        PEM.replace("\n", "\r\n"),
        PEM.replace("\n", "\\n"),
        PEM.replace("\n", "\\\\n"),
        PEM.replace("\n", "\\r\\n"),
        PEM.replace("\n", " "),
        PEM.replace("\n", ""),
        f'  "{PEM.strip()}"  ',
        BASE64,
        KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode(),
    ],
)
def test_a_key_with_broken_lines_is_repaired(pasted: str) -> None:
    assert key(secretKey=pasted).private_key == PEM


def pem_of(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes = b"") -> str:
    sealed = BestAvailableEncryption(password) if password else NoEncryption()
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed).decode()


def bundle() -> str:
    sealed = pkcs12.serialize_key_and_certificates(b"push", KEY, None, None, BestAvailableEncryption(b"p"))
    return base64.b64encode(sealed).decode()


@pytest.mark.parametrize(
    ("pasted", "reason"),
    [
        (None, "paste the whole .p8 file"),
        ("  ", "paste the whole .p8 file"),
        (7, "paste the whole .p8 file"),
        ("nonsense", "not a private key"),
        (PEM[:150], "incomplete or changed"),
        (PEM.replace("-----END", "----END"), "incomplete or changed"),
        (PEM.replace("PRIVATE KEY", "PUBLIC KEY"), "incomplete or changed"),
        (PEM.replace(BASE64[8:24], "*" * 16), "incomplete or changed"),
        (PEM.replace(BASE64[8:24], "A" * 16), "not a private key"),
        (pem_of(rsa.generate_private_key(65537, 2048)), "elliptic curve key on P-256"),
        (pem_of(ec.generate_private_key(ec.SECP384R1())), "elliptic curve key on P-256"),
        (pem_of(KEY, b"password"), "the key is encrypted"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "give it as certificate"),
        (bundle(), "give it as certificate"),
    ],
)
def test_a_key_that_cannot_work_says_why(pasted: Any, reason: str) -> None:
    with pytest.raises(CredentialsInvalid, match=reason) as refused:
        key(secretKey=pasted)
    assert refused.value.field == "secretKey"
    assert BASE64[:20] not in str(refused.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("apiKey", None),
        ("apiKey", ""),
        ("apiKey", "abc123defg"),
        ("apiKey", "ABC123DEF"),
        ("apiKey", 1234567890),
        ("projectName", "DEF123GHIJK"),
        ("applicationId", " "),
        ("applicationId", "com.example.shop\r\nx: y"),
        ("secure", "yes"),
        ("secure", 1),
        ("secure", []),
    ],
)
def test_a_field_that_cannot_work_is_named(field: str, value: Any) -> None:
    with pytest.raises(CredentialsInvalid) as refused:
        key(**{field: value})
    assert refused.value.field == field
    assert len(refused.value.reason) > 10


def test_ids_are_taken_without_the_blanks_around_them() -> None:
    credentials = key(apiKey=" ABC123DEFG\n", applicationId="com.example.shop ")
    assert (credentials.key_id, credentials.bundle_id) == ("ABC123DEFG", "com.example.shop")


def test_credentials_do_not_show_the_key() -> None:
    credentials = key()
    assert isinstance(
        load_pem_private_key(credentials.private_key.encode(), None), ec.EllipticCurvePrivateKey
    )
    assert "PRIVATE" not in repr(credentials)
    assert BASE64[:20] not in repr(credentials)
    assert "ABC123DEFG" in repr(credentials)
