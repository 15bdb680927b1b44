from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from clarion.errors import CredentialsInvalid
from clarion.model.http import HttpReply
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PushMessage, Target
from clarion.providers.fcm import MOST_BYTES, Fcm, ServiceAccount
from clarion.providers.port import AccessToken, AuthorizingProvider

NOW = 1_796_000_000_000
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
ACCOUNT: dict[str, str] = {
    "type": "service_account",
    "project_id": "demo-app",
    "client_email": "push@demo-app.example",
    "private_key": PEM,
    "private_key_id": "k1",
    "token_uri": "https://oauth2.googleapis.com/token",
}
TARGET = Target("m" * 32, "phone-1")
FCM: AuthorizingProvider[ServiceAccount] = Fcm()


def account(**changes: Any) -> dict[str, Any]:
    return {"serviceAccount": msgspec.json.encode(ACCOUNT | changes).decode()}


def built(message: PushMessage) -> dict[str, Any]:
    request = FCM.build(FCM.credentials(account()), message, TARGET, "ya29.x")
    body: dict[str, Any] = msgspec.json.decode(request.body)["message"]
    return body


def reply(status: int, code: str = "", field: str = "", **headers: str) -> HttpReply:
    details: list[dict[str, Any]] = []
    if code:
        details.append({"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code})
    if field:
        violation = {"field": field, "description": "wrong"}
        details.append({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]})
    body = msgspec.json.encode({"error": {"code": status, "message": "words", "details": details}})
    return HttpReply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


PLAIN = PushMessage("Hi", "there")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (reply(404, "UNREGISTERED"), Outcome.TOKEN_DEAD),
        (reply(403, "SENDER_ID_MISMATCH"), Outcome.TOKEN_DEAD),
        (reply(400, "INVALID_ARGUMENT", "message.token"), Outcome.TOKEN_DEAD),
        (reply(400, "", "message.token"), Outcome.TOKEN_DEAD),
        (reply(400, "INVALID_ARGUMENT"), Outcome.TOKEN_DEAD),
        (reply(400, "INVALID_ARGUMENT", "message.data[0].value"), Outcome.PAYLOAD_REJECTED),
        (reply(400), Outcome.PAYLOAD_REJECTED),
        (reply(401, "THIRD_PARTY_AUTH_ERROR"), Outcome.CREDENTIALS_REJECTED),
        (reply(401), Outcome.CREDENTIALS_REJECTED),
        (reply(403), Outcome.CREDENTIALS_REJECTED),
        (reply(404), Outcome.CREDENTIALS_REJECTED),
        (reply(429, "QUOTA_EXCEEDED"), Outcome.THROTTLED),
        (reply(429), Outcome.THROTTLED),
        (reply(500, "INTERNAL"), Outcome.UNAVAILABLE),
        (reply(503, "UNAVAILABLE"), Outcome.UNAVAILABLE),
        (HttpReply(502, {}, b"<html>bad gateway</html>"), Outcome.UNAVAILABLE),
        (HttpReply(418, {}, b"[]"), Outcome.UNKNOWN),
    ],
)
def test_the_code_decides_the_outcome(answer: HttpReply, outcome: Outcome) -> None:
    assert FCM.read(answer, PLAIN).outcome is outcome


def test_a_token_nobody_named_is_kept_when_the_message_may_be_to_blame() -> None:
    overridden = PushMessage("Hi", "there", override={"android": {"priority": "urgent"}})
    assert FCM.read(reply(400, "INVALID_ARGUMENT"), overridden).outcome is Outcome.PAYLOAD_REJECTED


def test_the_provider_says_how_long_to_wait() -> None:
    assert FCM.read(reply(429, "QUOTA_EXCEEDED", retry_after="30"), PLAIN).retry_after == 30_000
    assert FCM.read(reply(429, "QUOTA_EXCEEDED"), PLAIN).retry_after == 60_000
    assert FCM.read(reply(503, "UNAVAILABLE"), PLAIN).retry_after == 10_000


def test_only_our_own_stale_token_is_worth_a_fresh_one() -> None:
    assert FCM.read(reply(401), PLAIN).stale_authorization
    assert not FCM.read(reply(401, "THIRD_PARTY_AUTH_ERROR"), PLAIN).stale_authorization


def test_success_carries_the_providers_id() -> None:
    verdict = FCM.read(HttpReply(200, {}, b'{"name":"projects/p/messages/1"}'), PLAIN)
    assert verdict == Verdict(Outcome.ACCEPTED, provider_message_id="projects/p/messages/1")


def test_a_notification_carries_text_payload_and_its_message_id() -> None:
    body = built(PushMessage("Hi", "there", payload={"n": 1, "ok": True, "o": {"a": 1}, "t": "x", "z": None}))
    assert body["token"] == "phone-1"
    assert body["notification"] == {"title": "Hi", "body": "there"}
    assert body["data"] == {"n": "1", "ok": "true", "o": '{"a":1}', "t": "x", "__nvMessageId": "m" * 32}


def test_a_repeat_replaces_the_first_on_every_kind_of_device() -> None:
    body = built(PLAIN)
    assert body["android"] == {"collapse_key": "m" * 32, "notification": {"tag": "m" * 32}}
    assert body["apns"]["headers"]["apns-collapse-id"] == "m" * 32
    assert body["webpush"]["headers"]["Topic"] == "m" * 32


def test_reserved_keys_never_reach_the_provider() -> None:
    body = built(
        PushMessage("Hi", "there", payload={"from": "a", "gcm.x": "b", "google.y": "c", "mine": "d"})
    )
    assert set(body["data"]) == {"mine", "__nvMessageId"}


def test_a_payload_that_would_not_fit_stays_behind_rather_than_the_message() -> None:
    body = built(PushMessage("Hi", "there", payload={"big": "x" * MOST_BYTES}))
    assert set(body["data"]) == {"__nvMessageId"}


def test_legacy_data_mode_is_silent_and_carries_everything_as_data() -> None:
    body = built(PushMessage("Hi", "there", payload={"n": 1, "title": "lost"}, legacy={"type": "data"}))
    assert "notification" not in body
    assert body["data"] == {
        "n": "1",
        "title": "Hi",
        "body": "there",
        "message": "there",
        "__nvMessageId": "m" * 32,
    }


def test_overrides_win_over_the_mapping_and_passthrough_over_both() -> None:
    message = PushMessage(
        "Hi",
        "there",
        legacy={"imageUrl": "https://i", "android": {"priority": "normal"}, "data": {"k": 1}},
        override={"android": {"priority": "high"}},
        passthrough={"body": {"android": {"ttl": "5s"}, "fcm_options": {"analytics_label": "a"}}},
    )
    body = built(message)
    assert body["notification"]["image"] == "https://i"
    assert body["data"]["k"] == "1"
    assert (body["android"]["priority"], body["android"]["ttl"]) == ("high", "5s")
    assert body["android"]["collapse_key"] == "m" * 32
    assert body["fcm_options"] == {"analytics_label": "a"}


def test_the_assertion_is_what_google_verifies() -> None:
    request = FCM.authorize(FCM.credentials(account()), NOW)
    grant, _, assertion = request.body.decode().partition("&assertion=")
    assert grant == "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
    claims = jwt.decode(
        assertion,
        KEY.public_key(),
        ["RS256"],
        audience=ACCOUNT["token_uri"],
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["iss"] == ACCOUNT["client_email"]
    assert claims["exp"] - claims["iat"] == 3600
    assert jwt.get_unverified_header(assertion)["kid"] == "k1"


def test_an_access_token_knows_when_it_ends_and_does_not_show_itself() -> None:
    token = FCM.read_authorization(
        HttpReply(200, {}, b'{"access_token":"ya29.secret","expires_in":3599}'), NOW
    )
    assert isinstance(token, AccessToken)
    assert token.expires_at == NOW + 3_599_000
    assert "secret" not in repr(token)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (HttpReply(400, {}, b'{"error":"invalid_grant"}'), Outcome.CREDENTIALS_REJECTED),
        (HttpReply(401, {}, b'{"error":"invalid_client"}'), Outcome.CREDENTIALS_REJECTED),
        (HttpReply(503, {}, b"busy"), Outcome.UNAVAILABLE),
        (HttpReply(400, {}, b'{"error":"server_error"}'), Outcome.UNAVAILABLE),
    ],
)
def test_a_refused_assertion_is_told_from_googles_trouble(answer: HttpReply, outcome: Outcome) -> None:
    verdict = FCM.read_authorization(answer, NOW)
    assert isinstance(verdict, Verdict)
    assert verdict.outcome is outcome


def test_a_key_pasted_with_escaped_newlines_is_repaired() -> None:
    assert FCM.credentials(account(private_key=PEM.replace("\n", "\\n"))).private_key == PEM


def elliptic() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


UNKNOWN = (
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK3VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
    "-----END PRIVATE KEY-----\n"
)
"""A key of a kind that nobody knows."""


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ({}, "paste the whole"),
        ({"serviceAccount": "{"}, "not a service account"),
        (account(type="authorized_user"), '"type"'),
        (account(project_id=" "), '"project_id" is empty'),
        (account(private_key="nonsense"), "not a PEM key"),
        (account(private_key=elliptic()), "not an RSA key"),
        (account(private_key=UNKNOWN), "not a PEM key"),
    ],
)
def test_credentials_that_cannot_work_name_the_reason(stored: dict[str, Any], reason: str) -> None:
    with pytest.raises(CredentialsInvalid, match=reason) as refused:
        FCM.credentials(stored)
    assert refused.value.field == "serviceAccount"
    assert "PRIVATE" not in str(refused.value)


def test_credentials_do_not_show_the_key() -> None:
    assert "PRIVATE" not in repr(FCM.credentials(account()))


@pytest.mark.parametrize(
    "breaks",
    ["\n", r"\\n", " ", ""],
    ids=["real breaks", "escaped twice", "blanks", "lost"],
)
def test_a_service_account_with_broken_line_breaks_is_repaired(breaks: str) -> None:
    document = account()["serviceAccount"]
    pasted = document.replace(r"\n", breaks)
    assert pasted != document
    assert FCM.credentials({"serviceAccount": pasted}).private_key == PEM


@pytest.mark.parametrize(
    ("fields", "aim"),
    [
        ({"override": {"topic": "news"}}, {"topic": "news"}),
        ({"override": {"topic": "news", "token": "t"}}, {"token": "t"}),
        ({"override": {"token": "t", "topic": "news"}}, {"topic": "news"}),
        ({"legacy": {"condition": "c"}, "override": {"fid": "f"}}, {"fid": "f"}),
        ({"override": {"fid": "f"}, "passthrough": {"body": {"token": "t"}}}, {"token": "t"}),
    ],
)
def test_whom_the_last_override_names_takes_the_devices_place(
    fields: dict[str, Any], aim: dict[str, str]
) -> None:
    sent = built(PushMessage("Hi", "there", **fields))
    assert {name: sent[name] for name in ("token", "fid", "topic", "condition") if name in sent} == aim
