"""Apple Push Notification service, over HTTP/2 with token authentication.

https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns

`apns_keys` holds who sends, `apns_payload` what is said.
"""

import re
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from clarion.model.clock import DAY, MINUTE, SECOND, Millis
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PLAIN, Json, PushMessage, Target
from clarion.providers.apns_keys import ApnsKey, read_key, signed_token
from clarion.providers.apns_payload import (
    MESSAGE_ID,
    SHOWING,
    chosen,
    drafted,
    layers,
    part,
    passed_headers,
    whole_body,
)
from clarion.providers.port import (
    WEIGHED,
    AccessToken,
    Defaults,
    Field,
    decoded,
    raw_of,
    wait_of,
)

PRODUCTION = "https://api.push.apple.com"
SANDBOX = "https://api.sandbox.push.apple.com"
MOST_COLLAPSE_BYTES = 64
MOST_BYTES = 4096
"""Of the body; voip may have 5,120, which is not made use of."""

_WINDOW: Millis = 20 * MINUTE
_LIFETIME: Millis = 50 * MINUTE

_DEAD, _PAYLOAD = Outcome.TOKEN_DEAD, Outcome.PAYLOAD_REJECTED
_SETUP, _LATER, _DOWN = Outcome.CREDENTIALS_REJECTED, Outcome.THROTTLED, Outcome.UNAVAILABLE
_OTHER_ENVIRONMENT = (
    "The key works in the other environment only; check the Production switch of the integration."
)

BY_REASON: dict[str, tuple[Outcome, str]] = {
    "BadCollapseId": (_PAYLOAD, "apns-collapse-id is longer than 64 bytes."),
    "BadDeviceToken": (
        _DEAD,
        "The token is malformed or of the other environment; check the integration's Production switch.",
    ),
    "BadExpirationDate": (_PAYLOAD, "The expiry is no whole number of seconds since 1970."),
    "BadMessageId": (_PAYLOAD, "apns-id is not a UUID; check the override of id."),
    "BadPriority": (_PAYLOAD, "The priority must be 10, 5 or 1, and 5 for background pushes."),
    "BadTopic": (_SETUP, "The topic is malformed; check the integration's Bundle ID."),
    "DeviceTokenNotForTopic": (
        _DEAD,
        "The token belongs to another app; check the integration's Bundle ID.",
    ),
    "DuplicateHeaders": (_PAYLOAD, "A header was repeated; check the headers passed through."),
    "IdleTimeout": (_DOWN, "APNs closed a connection that had been idle for too long."),
    "InvalidPushType": (_PAYLOAD, "APNs knows no such push type; check the override of pushType."),
    "MissingDeviceToken": (_PAYLOAD, "The device token is empty."),
    "MissingTopic": (_SETUP, "The topic is missing; give the integration its Bundle ID."),
    "PayloadEmpty": (_PAYLOAD, "The body is empty."),
    "TopicDisallowed": (_SETUP, "The team may not push to this app; check Team ID and Bundle ID."),
    "BadCertificate": (_SETUP, "APNs refused the certificate; use a .p8 key."),
    "BadCertificateEnvironment": (_SETUP, "The certificate is for the other environment; use a .p8 key."),
    "ExpiredProviderToken": (_SETUP, "APNs finds the signed token too old; check this machine's clock."),
    "Forbidden": (_SETUP, "APNs forbids this; check what the key may do in Apple's developer account."),
    "InvalidProviderToken": (
        _SETUP,
        "APNs refused the signed token; check private key, Key ID, Team ID and this machine's clock.",
    ),
    "MissingProviderToken": (_SETUP, "APNs saw no bearer token; check the headers passed through."),
    "UnrelatedKeyIdInToken": (_SETUP, "The key is limited to other topics; check Key ID and Bundle ID."),
    "BadEnvironmentKeyIdInToken": (_SETUP, _OTHER_ENVIRONMENT),
    "BadEnvironmentKeyInToken": (_SETUP, _OTHER_ENVIRONMENT),
    "BadPath": (_PAYLOAD, "APNs knows no such path; the device token can't be part of one."),
    "MethodNotAllowed": (_PAYLOAD, "APNs takes POST only."),
    "ExpiredToken": (_DEAD, "The token has expired."),
    "Unregistered": (_DEAD, "The app was uninstalled, or it no longer takes pushes with this token."),
    "PayloadTooLarge": (_PAYLOAD, "The body is over 4,096 bytes, or 5,120 for voip; send less payload."),
    "TooManyProviderTokenUpdates": (_LATER, "The signed token changed too often for APNs."),
    "TooManyRequests": (_LATER, "Too many pushes went to this device."),
    "InternalServerError": (_DOWN, "APNs had an internal error."),
    "ServiceUnavailable": (_DOWN, "APNs is overloaded."),
    "Shutdown": (_DOWN, "This server of APNs is shutting down."),
}
"""The `reason` in APNs' answer → what it means."""

BY_STATUS: dict[int, tuple[Outcome, str]] = {
    410: BY_REASON["Unregistered"],
    413: BY_REASON["PayloadTooLarge"],
    429: BY_REASON["TooManyRequests"],
    500: BY_REASON["InternalServerError"],
    502: (_DOWN, "A front end of APNs had trouble."),
    503: BY_REASON["ServiceUnavailable"],
    504: (_DOWN, "A front end of APNs had trouble."),
}
"""HTTP status → what it means when the answer gives no reason that is listed."""

WAITS: dict[str, Millis] = {"TooManyProviderTokenUpdates": 20 * MINUTE, "TooManyRequests": MINUTE}
"""How long to wait where the answer doesn't say."""

TOPIC_SUFFIXES: dict[str, str] = {
    "voip": ".voip",
    "complication": ".complication",
    "fileprovider": ".pushkit.fileprovider",
    "location": ".location-query",
    "liveactivity": ".push-type.liveactivity",
    "pushtotalk": ".voip-ptt",
    "widgets": ".push-type.widgets",
    "controls": ".push-type.controls",
}
"""Push type → what its topic has after the bundle id; the others have nothing."""

_PRIORITIES = {"background": "5"}
_EXPIRATIONS = {"pushtotalk": "0"}

_TOKEN_OR_TOPIC = frozenset({"BadDeviceToken", "DeviceTokenNotForTopic"})
"""Reasons that blame the token, unless the message itself chose another topic."""


class Apns(Defaults):
    """Apple Push Notification service."""

    id = "apns"
    name = "APNs"
    most_bytes: int | None = MOST_BYTES
    docs = "https://developer.apple.com/documentation/usernotifications"
    addressed_by = "APNs device token, hexadecimal"
    fields = (
        Field(
            "secretKey",
            "Key (.p8)",
            "developer.apple.com → Certificates, Identifiers & Profiles → Keys → a key with APNs: the file.",
            "file",
            False,
            "-----BEGIN PRIVATE KEY-----",
        ),
        Field("apiKey", "Key ID", "10 characters, beside the key.", "text", False, "ABC123DEFG"),
        Field("projectName", "Team ID", "10 characters, under Membership.", "text", False, "DEF123GHIJ"),
        Field("applicationId", "Bundle ID", "The app's identifier in Xcode.", example="com.example.app"),
        Field(
            "secure", "Production", "On for TestFlight and the App Store, off for Xcode.", "boolean", False
        ),
        Field("certificate", "Certificate (.p12)", "Instead of a key: the file in base64.", "file", False),
        Field("certificatePassword", "Certificate's password", "Of the .p12 file.", "secret", False),
    )
    device_codes = frozenset({"TooManyRequests"})
    setup_codes = frozenset({"BadDeviceToken", "DeviceTokenNotForTopic"})
    locked_files = frozenset({"certificate"})

    def credentials(self, stored: Json) -> ApnsKey:
        return read_key(stored)

    def issue(self, credentials: ApnsKey, now: Millis) -> AccessToken:
        """A JWT that is the same for every process within 20 minutes, so that it can't change too often.

        Its time is that of the window's start; it is used for 50 of the 60 minutes that APNs allows. A
        certificate needs none.
        """
        if credentials.identity is not None:
            return AccessToken("", now + DAY)
        issued = now - now % _WINDOW
        return AccessToken(signed_token(credentials, issued), issued + _LIFETIME)

    def build(self, credentials: ApnsKey, message: PushMessage, target: Target, token: str) -> HttpRequest:
        if _is_plain(message):
            return _plain_request(credentials, message, target, token)
        draft = drafted(message)
        body = whole_body(message, draft, target)
        own = passed_headers(message)
        signed = {"authorization": f"bearer {token}"} if credentials.identity is None else {}
        headers = signed | {"content-type": "application/json"}
        given = _expiring(message, target) | draft.get("headers", {}) | own
        headers |= _headers(credentials, given, body, target) | own
        url = _url(credentials, target.token, part(message.passthrough, "query"))
        encoded = msgspec.json.encode(body)
        return HttpRequest("POST", url, tuple(headers.items()), encoded, credentials.identity)

    def weight(self, message: PushMessage) -> int:
        return len(msgspec.json.encode(whole_body(message, drafted(message), WEIGHED)))

    def read(self, reply: HttpReply, message: PushMessage) -> Verdict:
        identity = reply.headers.get("apns-id", "")
        if reply.status == 200:
            return Verdict(Outcome.ACCEPTED, provider_message_id=identity)
        answer = decoded(reply.body)
        reason = str(answer.get("reason") or "")
        outcome, explanation = _classified(reply.status, reason, message)
        return Verdict(
            outcome,
            reason or f"http_{reply.status}",
            explanation,
            provider_message_id=identity,
            retry_after=wait_of(reply, outcome, {_LATER: WAITS.get(reason, MINUTE)}),
            died_at=_died_at(outcome, answer),
            stale_authorization=reason == "ExpiredProviderToken",
            raw=raw_of(reply),
        )


def _url(credentials: ApnsKey, token: str, query: Json) -> str:
    """Old apps left the spaces and brackets in that a description of the token's bytes has."""
    place = token.lower()
    if not (place.isascii() and place.isalnum()):
        place = quote(re.sub(r"[\s<>]", "", place), safe="")
    path = f"{PRODUCTION if credentials.production else SANDBOX}/3/device/{place}"
    return f"{path}?{urlencode(query, doseq=True)}" if query else path


def _headers(credentials: ApnsKey, given: Json, body: Json, target: Target) -> dict[str, str]:
    """APNs' own headers; `given` are those that the trigger chose."""
    kind = str(given.get("apns-push-type") or _kind(body))
    if not given and kind == "alert":
        usual = {"apns-topic": credentials.bundle_id, "apns-push-type": kind, "apns-priority": "10"}
        own = {"apns-id": _uuid(target.message_id), "apns-collapse-id": _collapse_id(target.message_id)}
        return usual | {name: value for name, value in own.items() if value}
    said = {
        "apns-topic": _worded(given.get("apns-topic")) or _topic(credentials.bundle_id, kind),
        "apns-push-type": kind,
        "apns-id": _worded(given.get("apns-id")) or _uuid(target.message_id),
        "apns-expiration": _expiration(given.get("apns-expiration")) or _EXPIRATIONS.get(kind, ""),
        "apns-priority": _worded(given.get("apns-priority")) or _PRIORITIES.get(kind, "10"),
        "apns-collapse-id": _collapse_id(_worded(given.get("apns-collapse-id")) or target.message_id),
    }
    return {name: value for name, value in said.items() if value}


def _is_plain(message: PushMessage) -> bool:
    """Whether nothing is said of the push but its words and data, as of nearly all."""
    said = message.legacy or message.override or message.passthrough
    return not said and message.presentation is PLAIN and "aps" not in message.payload


def _plain_request(credentials: ApnsKey, message: PushMessage, target: Target, token: str) -> HttpRequest:
    """What the whole way comes to for a plain message."""
    alert = {"title": message.title, "body": message.body}
    body = {"aps": {"alert": alert}, **message.payload, MESSAGE_ID: target.message_id}
    signed = (("authorization", f"bearer {token}"),) if credentials.identity is None else ()
    headers = (
        *signed,
        ("content-type", "application/json"),
        *_headers(credentials, {}, body, target).items(),
    )
    url = _url(credentials, target.token, {})
    return HttpRequest("POST", url, headers, msgspec.json.encode(body), credentials.identity)


def _expiring(message: PushMessage, target: Target) -> Json:
    ttl = message.presentation.ttl
    return {} if ttl is None else {"apns-expiration": str(target.at // SECOND + ttl)}


def _kind(body: Json) -> str:
    """The push type that fits what is sent."""
    if "mdm" in body:
        return "mdm"
    aps = part(body, "aps")
    silent = "content-available" in aps and not any(key in aps for key in SHOWING)
    return "background" if silent else "alert"


def _topic(bundle_id: str, kind: str) -> str:
    return bundle_id.removesuffix(TOPIC_SUFFIXES.get(kind, "")) + TOPIC_SUFFIXES.get(kind, "")


def _worded(value: Any) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _expiration(value: Any) -> str:
    """Unix seconds; a number below zero says that there is none, as Novu's library has it."""
    text = _worded(value)
    return "" if text.startswith("-") else text


def _collapse_id(text: str) -> str:
    if len(text) <= MOST_COLLAPSE_BYTES and text.isascii():
        return text
    return text if len(text.encode()) <= MOST_COLLAPSE_BYTES else sha256(text.encode()).hexdigest()


_HEX = frozenset("0123456789abcdef")


def _uuid(message_id: str) -> str:
    """A message id, 32 hex digits, in the shape of a UUID; empty for any other, so that APNs makes one."""
    if len(message_id) != 32 or not _HEX.issuperset(message_id):
        return ""
    own = message_id
    return f"{own[:8]}-{own[8:12]}-{own[12:16]}-{own[16:20]}-{own[20:]}"


def _classified(status: int, reason: str, message: PushMessage) -> tuple[Outcome, str]:
    if reason in _TOKEN_OR_TOPIC and _readdressed(message):
        return _PAYLOAD, "The token isn't for the topic or push type that the overrides ask for."
    unlisted = Outcome.UNKNOWN, f"APNs answered {status}, in a way that its documentation doesn't list."
    return BY_REASON.get(reason) or BY_STATUS.get(status, unlisted)


def _readdressed(message: PushMessage) -> bool:
    """Whether the trigger chose a topic, or a push type that has a topic of its own."""
    if not (message.legacy or message.override or message.passthrough):
        return False
    legacy, override = layers(message)
    kind = str(chosen("apns-push-type", message, override, legacy))
    return bool(chosen("apns-topic", message, override, legacy)) or kind in TOPIC_SUFFIXES or kind == "mdm"


def _died_at(outcome: Outcome, answer: Json) -> Millis | None:
    """When APNs last found the token dead; it says so with 410 only."""
    timestamp = answer.get("timestamp")
    known = isinstance(timestamp, int) and not isinstance(timestamp, bool) and timestamp > 0
    return timestamp if known and outcome is _DEAD else None
