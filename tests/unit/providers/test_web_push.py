from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from clarion.errors import CredentialsInvalid
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PushMessage, Target
from clarion.providers.port import Provider
from clarion.providers.web_push import (
    BY_ERRNO,
    BY_REASON,
    BY_STATUS,
    MOST_BYTES,
    Subscription,
    WebPush,
    WebPushCredentials,
    encrypted,
    new_keys,
    subscription,
    topic,
)

NOW = 1_796_000_000_000
HOUR = 3600
WEB_PUSH: Provider[WebPushCredentials] = WebPush()
SECRET = "ovlptX3qIWMcK5EY53_EHb4TW2q1aYXcm6Fg8bIPRQU"
PUBLIC = "BI0eo8cMnNOulANvTBX3ee4jSDQELhs6f3eJA2CVq2SH0_krMgXmgxIF4o1bVn1LQC_5tiYGYYPBSmLFGMEwufE"
STORED = {"publicKey": PUBLIC, "secretKey": SECRET, "subject": "mailto:ops@example.com"}
PLAIN = PushMessage("Hi", "there")

AS_PRIVATE = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
UA_PUBLIC = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8w"
    "EqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def octets(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def private_key(scalar: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(octets(scalar)), ec.SECP256R1())


def token(endpoint: str = "https://push.example.net/wpush/v2/abc?x=1", **keys: Any) -> str:
    return msgspec.json.encode(
        {"endpoint": endpoint, "expirationTime": None, "keys": {"p256dh": UA_PUBLIC, "auth": AUTH} | keys}
    ).decode()


def request(message: PushMessage = PLAIN, to: str = "", at: int = NOW) -> HttpRequest:
    target = Target("m" * 32, to or token(), at)
    return WEB_PUSH.build(WEB_PUSH.credentials(STORED), message, target, "")


def headers(message: PushMessage = PLAIN, to: str = "", at: int = NOW) -> dict[str, str]:
    return dict(request(message, to, at).headers)


def claims(to: str = "", at: int = NOW) -> dict[str, Any]:
    signed = headers(to=to, at=at)["authorization"].removeprefix("vapid t=").partition(",")[0]
    checks: Any = {"verify_exp": False, "verify_aud": False}
    verified: dict[str, Any] = jwt.decode(signed, private_key(SECRET).public_key(), ["ES256"], options=checks)
    return verified


def shown(message: PushMessage, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The plain text of a request."""
    seen: list[bytes] = []

    def kept(plaintext: bytes, *_: object) -> bytes:
        seen.append(plaintext)
        return b""

    monkeypatch.setattr("clarion.providers.web_push.encrypted", kept)
    request(message)
    body: dict[str, Any] = msgspec.json.decode(seen[0])
    return body


def test_the_encryption_is_that_of_rfc_8291_appendix_a() -> None:
    to = Subscription("https://push.example.net/", octets(UA_PUBLIC), octets(AUTH))
    plaintext = b"When I grow up, I want to be a watermelon"
    assert encrypted(plaintext, to, private_key(AS_PRIVATE), octets(SALT)) == octets(BODY)


def test_a_record_is_never_larger_than_its_record_size() -> None:
    to = Subscription("https://push.example.net/", octets(UA_PUBLIC), octets(AUTH))
    most = encrypted(b"x" * MOST_BYTES, to, private_key(AS_PRIVATE), octets(SALT))
    assert (len(most), most[16:20]) == (4096, (4096).to_bytes(4))
    larger = encrypted(b"x" * 5000, to, private_key(AS_PRIVATE), octets(SALT))
    assert larger[16:20] == (len(larger) - 86).to_bytes(4)


def test_every_request_has_key_material_of_its_own() -> None:
    bodies = [request().body for _ in range(5)]
    assert len({body[:16] for body in bodies}) == 5
    assert len({body[21:86] for body in bodies}) == 5


def test_the_whole_endpoint_is_kept() -> None:
    assert (request().method, request().url) == ("POST", "https://push.example.net/wpush/v2/abc?x=1")


def test_the_headers_say_how_to_keep_replace_and_decrypt() -> None:
    sent = headers()
    assert sent.pop("authorization").endswith(f", k={PUBLIC}")
    assert sent == {
        "ttl": "2419200",
        "topic": topic("m" * 32),
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
    }


def test_a_topic_is_32_characters_that_only_its_key_has() -> None:
    assert len(topic("a")) == 32
    assert topic("a") == topic("a") != topic("b")


def test_the_claims_are_those_of_rfc_8292() -> None:
    said = claims()
    assert (said["aud"], said["sub"]) == ("https://push.example.net", "mailto:ops@example.com")
    assert 6 * HOUR <= said["exp"] - NOW // 1000 <= 12 * HOUR


@pytest.mark.parametrize(
    ("endpoint", "origin"),
    [
        ("https://Push.Example.net:443/a", "https://push.example.net"),
        ("https://push.example.net:8443/a", "https://push.example.net:8443"),
        ("https://[::1]:8443/a", "https://[::1]:8443"),
    ],
)
def test_the_audience_is_the_origin_of_the_endpoint(endpoint: str, origin: str) -> None:
    assert claims(token(endpoint))["aud"] == origin


def test_a_vapid_token_serves_all_of_an_origin_for_hours() -> None:
    start = NOW - NOW % (6 * HOUR * 1000)
    first = headers(at=start)["authorization"]
    other = headers(to=token("https://push.example.net/b"), at=start + 6 * HOUR * 1000 - 1)
    assert other["authorization"] == first
    assert headers(at=start + 6 * HOUR * 1000)["authorization"] != first


def test_the_service_worker_gets_words_payload_and_message_id(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(PushMessage("Hi", "there", payload={"n": 1}), monkeypatch) == {
        "title": "Hi",
        "body": "there",
        "tag": "m" * 32,
        "data": {"n": 1, "__nvMessageId": "m" * 32},
    }


def test_a_payload_that_would_not_fit_stays_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    message = PushMessage("Hi", "there", payload={"big": "x" * MOST_BYTES})
    assert shown(message, monkeypatch)["data"] == {"__nvMessageId": "m" * 32}


def test_overrides_are_sorted_into_headers_and_words(monkeypatch: pytest.MonkeyPatch) -> None:
    message = PushMessage(
        "Hi",
        "there",
        legacy={"ttl": 5, "urgency": "low", "icon": "https://legacy.example"},
        override={"ttl": 60, "topic": "order", "icon": "https://over.example", "data": {"k": 1}},
        passthrough={
            "body": {"title": "last", "actions": [{"action": "a"}]},
            "headers": {"Urgency": "high", "X-WNS-Cache-Policy": "cache"},
            "query": {"q": "1"},
        },
    )
    sent = headers(message)
    assert (sent["ttl"], sent["topic"], sent["urgency"]) == ("60", "order", "high")
    assert sent["x-wns-cache-policy"] == "cache"
    assert request(message).url.endswith("/abc?x=1&q=1")
    assert shown(message, monkeypatch) == {
        "title": "last",
        "body": "there",
        "tag": "m" * 32,
        "icon": "https://over.example",
        "actions": [{"action": "a"}],
        "data": {"k": 1, "__nvMessageId": "m" * 32},
    }


def test_data_that_is_no_object_goes_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(PushMessage("Hi", "there", override={"data": "mine"}), monkeypatch)["data"] == "mine"


def mozilla(status: int, errno: int) -> HttpReply:
    document = {"code": status, "errno": errno, "error": "words", "message": "words"}
    return HttpReply(status, {}, msgspec.json.encode(document))


def apple(status: int, reason: str) -> HttpReply:
    return HttpReply(status, {}, msgspec.json.encode({"reason": reason}))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, Outcome.PAYLOAD_REJECTED),
        (401, Outcome.CREDENTIALS_REJECTED),
        (403, Outcome.CREDENTIALS_REJECTED),
        (404, Outcome.TOKEN_DEAD),
        (406, Outcome.THROTTLED),
        (410, Outcome.TOKEN_DEAD),
        (413, Outcome.PAYLOAD_REJECTED),
        (429, Outcome.THROTTLED),
        (500, Outcome.UNAVAILABLE),
        (502, Outcome.UNAVAILABLE),
        (503, Outcome.UNAVAILABLE),
        (504, Outcome.UNAVAILABLE),
        (301, Outcome.UNKNOWN),
        (307, Outcome.UNKNOWN),
        (418, Outcome.UNKNOWN),
    ],
)
def test_the_status_decides_where_the_service_has_no_code(status: int, outcome: Outcome) -> None:
    verdict = WEB_PUSH.read(HttpReply(status, {}, b"push subscription has expired"), PLAIN)
    assert (verdict.outcome, verdict.code) == (outcome, f"http_{status}")
    assert verdict.explanation
    assert status in BY_STATUS or outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        (mozilla(400, 101), Outcome.PAYLOAD_REJECTED, "errno_101"),
        (mozilla(404, 102), Outcome.TOKEN_DEAD, "http_404"),
        (mozilla(410, 103), Outcome.TOKEN_DEAD, "http_410"),
        (mozilla(413, 104), Outcome.PAYLOAD_REJECTED, "errno_104"),
        (mozilla(410, 105), Outcome.TOKEN_DEAD, "http_410"),
        (mozilla(410, 106), Outcome.TOKEN_DEAD, "http_410"),
        (mozilla(400, 108), Outcome.PAYLOAD_REJECTED, "errno_108"),
        (mozilla(401, 109), Outcome.CREDENTIALS_REJECTED, "errno_109"),
        (mozilla(400, 110), Outcome.PAYLOAD_REJECTED, "errno_110"),
        (mozilla(400, 111), Outcome.PAYLOAD_REJECTED, "errno_111"),
        (mozilla(400, 112), Outcome.PAYLOAD_REJECTED, "errno_112"),
        (mozilla(400, 113), Outcome.PAYLOAD_REJECTED, "errno_113"),
        (mozilla(400, 114), Outcome.PAYLOAD_REJECTED, "errno_114"),
        (mozilla(503, 201), Outcome.UNAVAILABLE, "errno_201"),
        (mozilla(503, 202), Outcome.UNAVAILABLE, "errno_202"),
        *((mozilla(502, errno), Outcome.UNAVAILABLE, f"errno_{errno}") for errno in (900, 901, 902, 903)),
        (mozilla(500, 999), Outcome.UNAVAILABLE, "errno_999"),
        (mozilla(400, 12345), Outcome.PAYLOAD_REJECTED, "http_400"),
        (apple(400, "BadTtl"), Outcome.PAYLOAD_REJECTED, "BadTtl"),
        (apple(400, "BadUrgency"), Outcome.PAYLOAD_REJECTED, "BadUrgency"),
        (apple(400, "BadWebPushRequest"), Outcome.PAYLOAD_REJECTED, "BadWebPushRequest"),
        (apple(400, "BadWebPushTopic"), Outcome.PAYLOAD_REJECTED, "BadWebPushTopic"),
        (apple(400, "VapidPkHashMismatch"), Outcome.TOKEN_DEAD, "VapidPkHashMismatch"),
        (apple(403, "VapidPkHashMismatch"), Outcome.TOKEN_DEAD, "VapidPkHashMismatch"),
        (apple(403, "BadJwtToken"), Outcome.CREDENTIALS_REJECTED, "BadJwtToken"),
        (apple(403, "BadVapidPublicKey"), Outcome.CREDENTIALS_REJECTED, "BadVapidPublicKey"),
        (apple(410, "ExpiredSubscription"), Outcome.TOKEN_DEAD, "http_410"),
        (apple(413, "PayloadTooLarge"), Outcome.PAYLOAD_REJECTED, "PayloadTooLarge"),
        (apple(429, "TooManyRequests"), Outcome.THROTTLED, "TooManyRequests"),
        (HttpReply(400, {}, b"UnauthorizedRegistration\n"), Outcome.TOKEN_DEAD, "UnauthorizedRegistration"),
        (HttpReply(200, {"x-wns-status": "dropped"}), Outcome.PAYLOAD_REJECTED, "dropped"),
        (
            HttpReply(201, {"x-wns-notificationstatus": "channelThrottled"}),
            Outcome.THROTTLED,
            "channelThrottled",
        ),
    ],
)
def test_the_services_own_code_decides(answer: HttpReply, outcome: Outcome, code: str) -> None:
    verdict = WEB_PUSH.read(answer, PLAIN)
    assert (verdict.outcome, verdict.code) == (outcome, code)
    assert verdict.explanation


def test_every_documented_code_is_read_somewhere_above() -> None:
    assert set(BY_ERRNO) == {*range(101, 107), *range(108, 115), 201, 202, *range(900, 904), 999}
    assert len(BY_REASON) == 10


@pytest.mark.parametrize(
    ("status", "given", "identity"),
    [
        (201, {"location": "https://push.example.net/m/1"}, "https://push.example.net/m/1"),
        (201, {"apns-id": "a1"}, "a1"),
        (201, {"x-wns-msg-id": "w1", "x-wns-status": "received"}, "w1"),
        (202, {}, ""),
        (200, {}, ""),
    ],
)
def test_success_carries_the_services_id(status: int, given: dict[str, str], identity: str) -> None:
    verdict = WEB_PUSH.read(HttpReply(status, given), PLAIN)
    assert verdict == Verdict(Outcome.ACCEPTED, provider_message_id=identity)


def test_the_services_wait_is_honoured() -> None:
    assert WEB_PUSH.read(HttpReply(406, {"retry-after": "900"}), PLAIN).retry_after == 900_000
    assert WEB_PUSH.read(HttpReply(429), PLAIN).retry_after == 60_000
    assert WEB_PUSH.read(HttpReply(503), PLAIN).retry_after == 5000
    assert WEB_PUSH.read(HttpReply(410, {"retry-after": "9"}), PLAIN).retry_after is None


def test_a_long_answer_is_cut() -> None:
    assert len(WEB_PUSH.read(HttpReply(500, {}, b"x" * 9000), PLAIN).raw) == 2000


def standard(text: str) -> str:
    """The other alphabet of base64, padded."""
    return b64encode(octets(text)).decode()


def test_a_subscription_may_come_in_either_alphabet_of_base64() -> None:
    expected = Subscription("https://push.example.net/wpush/v2/abc?x=1", octets(UA_PUBLIC), octets(AUTH))
    assert subscription(token()) == expected
    assert subscription(token(p256dh=standard(UA_PUBLIC), auth=standard(AUTH))) == expected


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ("", "PushSubscription"),
        ("[]", "PushSubscription"),
        ('{"endpoint":"https://push.example.net/"}', "PushSubscription"),
        (token("http://push.example.net/a"), "https URL"),
        (token("https:///a"), "https URL"),
        (token("https://user@push.example.net/a"), "https URL"),
        (token("https://push.example.net:99999/a"), "https URL"),
        (token("https://[push/a"), "https URL"),
        (token("https://push.example.net/a b"), "https URL"),
        (token("https://push.example.net/é"), "https URL"),
        (token(p256dh="!"), "keys.p256dh is not base64url"),
        (token(p256dh=AUTH), "P-256"),
        (token(p256dh=UA_PUBLIC[:-4] + "AAAA"), "P-256"),
        (token(auth="AAAA"), "keys.auth 16"),
        (token(auth=None), "keys"),
    ],
)
def test_what_is_no_subscription_is_refused_without_showing_it(given: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong) as refused:
        subscription(given)
    assert UA_PUBLIC not in str(refused.value)
    assert AUTH not in str(refused.value)


def test_a_subscription_does_not_show_its_keys_or_its_path() -> None:
    assert repr(subscription(token())) == "Subscription(host='push.example.net')"


def test_new_keys_are_credentials_and_never_the_same() -> None:
    keys = new_keys()
    credentials = WEB_PUSH.credentials(keys | {"subject": "https://shop.example"})
    assert (credentials.public_key, credentials.secret_key) == (keys["publicKey"], keys["secretKey"])
    assert (len(keys["publicKey"]), len(keys["secretKey"])) == (87, 43)
    assert new_keys() != keys


PKCS8 = private_key(SECRET).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
SEC1 = (
    private_key(SECRET).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
)
DER = private_key(SECRET).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    "changes",
    [
        {"publicKey": ""},
        {"publicKey": standard(PUBLIC)},
        {"secretKey": f" {standard(SECRET)}\n"},
        {"secretKey": PKCS8},
        {"secretKey": PKCS8.replace("\n", "\\n")},
        {"secretKey": PKCS8.replace("\n", " ")},
        {"secretKey": SEC1},
        {"secretKey": urlsafe_b64encode(DER).decode()},
        {"subject": "ops@example.com"},
        {"subject": "mailto: <ops@example.com>"},
    ],
)
def test_what_is_unambiguous_is_repaired(changes: dict[str, str]) -> None:
    expected = WebPushCredentials(PUBLIC, SECRET, "mailto:ops@example.com")
    assert WEB_PUSH.credentials(STORED | changes) == expected


def other_curve() -> str:
    key = ec.generate_private_key(ec.SECP384R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def rsa_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


UNKNOWN = (
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK3VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
    "-----END PRIVATE KEY-----\n"
)
"""A key of a kind that nobody knows."""


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"secretKey": ""}, "secretKey"),
        ({"secretKey": "nonsense"}, "secretKey"),
        ({"secretKey": "A" * 43}, "secretKey"),
        ({"secretKey": other_curve()}, "secretKey"),
        ({"secretKey": rsa_key()}, "secretKey"),
        ({"secretKey": UNKNOWN}, "secretKey"),
        ({"publicKey": UA_PUBLIC}, "publicKey"),
        ({"publicKey": "!"}, "publicKey"),
        ({"subject": ""}, "subject"),
        ({"subject": "mailto:ops@localhost"}, "subject"),
        ({"subject": "http://shop.example"}, "subject"),
        ({"subject": "https://localhost/a"}, "subject"),
        ({"subject": "https://shop.example/<a>"}, "subject"),
        ({"subject": "https://[shop"}, "subject"),
    ],
)
def test_credentials_that_cannot_work_name_the_field(changes: dict[str, str], field: str) -> None:
    with pytest.raises(CredentialsInvalid) as refused:
        WEB_PUSH.credentials(STORED | changes)
    assert refused.value.field == field
    assert SECRET not in str(refused.value)


def test_credentials_do_not_show_the_secret_key() -> None:
    assert SECRET not in repr(WEB_PUSH.credentials(STORED))
