"""Apple Push Notification service, over HTTP/2 with token authentication.

https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns
https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification
"""

import base64
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

from clarion.errors import CredentialsInvalid
from clarion.model.clock import DAY, MINUTE, SECOND, Millis
from clarion.model.http import ClientIdentity, HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PLAIN, Json, Presentation, PushMessage, Target, stated
from clarion.providers.key_files import NOT_READABLE
from clarion.providers.port import (
    WEIGHED,
    AccessToken,
    Credentials,
    Defaults,
    Field,
    decoded,
    merge,
    raw_of,
    retry_after,
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


class ApnsKey(Credentials, frozen=True):
    """A .p8 key (PEM, EC P-256) and whose it is, or a certificate; the app and environment it sends for."""

    private_key: str
    key_id: str
    team_id: str
    bundle_id: str
    production: bool
    identity: ClientIdentity | None = None

    public = ("key_id", "team_id", "bundle_id", "production")


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
        if stored.get("certificate"):
            return _by_certificate(stored)
        return ApnsKey(
            private_key=_private_key(stored.get("secretKey")),
            key_id=_text(stored, "apiKey", _ID, "give the Key ID: 10 capital letters and digits"),
            team_id=_text(stored, "projectName", _ID, "give the Team ID: 10 capital letters and digits"),
            bundle_id=_text(stored, "applicationId", _BUNDLE, "give the app's Bundle ID, com.example.app"),
            production=_switch(stored.get("secure")),
        )

    def issue(self, credentials: ApnsKey, now: Millis) -> AccessToken:
        """A JWT that is the same for every process within 20 minutes, so that it can't change too often.

        Its time is that of the window's start and its signature deterministic (RFC 6979); it is used for
        50 of the 60 minutes that APNs allows. A certificate needs none.
        """
        if credentials.identity is not None:
            return AccessToken("", now + DAY)
        issued = now - now % _WINDOW
        head = _encoded({"alg": "ES256", "kid": credentials.key_id})
        claims = _encoded({"iss": credentials.team_id, "iat": issued // SECOND})
        signature = _signature(credentials, f"{head}.{claims}".encode())
        return AccessToken(f"{head}.{claims}.{signature}", issued + _LIFETIME)

    def build(self, credentials: ApnsKey, message: PushMessage, target: Target, token: str) -> HttpRequest:
        if _is_plain(message):
            return _plain_request(credentials, message, target, token)
        draft = _drafted(message)
        body = _whole_body(message, draft, target)
        own = _passed_headers(message)
        signed = {"authorization": f"bearer {token}"} if credentials.identity is None else {}
        headers = signed | {"content-type": "application/json"}
        given = _expiring(message, target) | draft.get("headers", {}) | own
        headers |= _headers(credentials, given, body, target) | own
        url = _url(credentials, target.token, _part(message.passthrough, "query"))
        encoded = msgspec.json.encode(body)
        return HttpRequest("POST", url, tuple(headers.items()), encoded, credentials.identity)

    def weight(self, message: PushMessage) -> int:
        return len(msgspec.json.encode(_whole_body(message, _drafted(message), WEIGHED)))

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
            retry_after=_wait(outcome, reason, reply),
            died_at=_died_at(outcome, answer),
            stale_authorization=reason == "ExpiredProviderToken",
            raw=raw_of(reply),
        )


_ID = re.compile("[A-Z0-9]{10}")
_BUNDLE = re.compile("[A-Za-z0-9._-]+")
_LABEL = re.compile("-----BEGIN ([A-Z0-9 ]+)-----")
_FRAMED = re.compile("-----BEGIN ((?:EC )?PRIVATE KEY)-----(.*)-----END \\1-----", re.DOTALL)
_ESCAPED = re.compile(r"\\+[rn]")
_AROUND = " \t\r\n\"'"
_PKCS12 = b"\x02\x01\x03\x30"
"""How a PKCS #12 file goes on after its outer length: version 3, then a sequence (RFC 7292, 4)."""

_PASTE = "paste the whole .p8 file from Apple, its BEGIN line to its END line"
_NO_CERTIFICATE = (
    "this is a certificate: give it as certificate, the .p12 file in base64, or make a .p8 key instead"
)


def _text(stored: Json, key: str, form: re.Pattern[str], reason: str) -> str:
    value = stored.get(key)
    text = value.strip() if isinstance(value, str) else ""
    if not form.fullmatch(text):
        raise CredentialsInvalid(key, reason)
    return text


def _by_certificate(stored: Json) -> ApnsKey:
    """Credentials that are a certificate: the .p12 file in base64, and its password."""
    return ApnsKey(
        private_key="",
        key_id="",
        team_id="",
        bundle_id=_text(stored, "applicationId", _BUNDLE, "give the app's Bundle ID, com.example.app"),
        production=_switch(stored.get("secure")),
        identity=_identity(stored.get("certificate"), str(stored.get("certificatePassword") or "")),
    )


def _identity(value: Any, password: str) -> ClientIdentity:
    try:
        der = base64.b64decode("".join(value.split()) if isinstance(value, str) else "", validate=True)
    except ValueError:
        raise CredentialsInvalid("certificate", "paste the .p12 file in base64") from None
    try:
        key, certificate, others = load_key_and_certificates(der, password.encode() or None)
    except NOT_READABLE as error:
        wrong = "certificatePassword" if "password" in str(error).lower() else "certificate"
        reason = "it doesn't open the .p12 file" if wrong == "certificatePassword" else "it is no .p12 file"
        raise CredentialsInvalid(wrong, reason) from None
    if key is None or certificate is None:
        raise CredentialsInvalid("certificate", "export the certificate together with its private key")
    chain = b"".join(item.public_bytes(Encoding.PEM) for item in (certificate, *others))
    own = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return ClientIdentity(certificate.fingerprint(hashes.SHA256()).hex(), chain + own)


def _switch(value: Any) -> bool:
    known = {None: False, "": False, "false": False, "true": True}
    if isinstance(value, bool):
        return value
    if not isinstance(value, str | None) or value not in known:
        raise CredentialsInvalid("secure", "give true for production or false for the sandbox")
    return known[value]


def _private_key(value: Any) -> str:
    """The key as PEM, mended where only its line breaks are broken."""
    text = _ESCAPED.sub("\n", value).strip(_AROUND) if isinstance(value, str) else ""
    if not text:
        raise CredentialsInvalid("secretKey", _PASTE)
    der = _der(text)
    try:
        key = load_der_private_key(der, None)
    except NOT_READABLE:
        raise CredentialsInvalid("secretKey", f"it is not a private key: {_PASTE}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CredentialsInvalid(
            "secretKey", "it is not an APNs key, which is an elliptic curve key on P-256"
        )
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _der(text: str) -> bytes:
    """What stands between the frame's lines. Without any frame there is no doubt either."""
    label = _LABEL.search(text)
    if "CERTIFICATE" in text:
        raise CredentialsInvalid("secretKey", _NO_CERTIFICATE)
    if label and label[1].startswith("ENCRYPTED"):
        raise CredentialsInvalid("secretKey", "the key is encrypted: paste the .p8 file as Apple gave it")
    framed = _FRAMED.fullmatch(text)
    inner = framed[2] if framed else text
    try:
        der = base64.b64decode("".join(inner.split()), validate=True)
    except ValueError:
        raise CredentialsInvalid("secretKey", f"it is incomplete or changed: {_PASTE}") from None
    if _PKCS12 in der[:10]:
        raise CredentialsInvalid("secretKey", _NO_CERTIFICATE)
    return der


def _encoded(document: Json) -> str:
    return _base64url(msgspec.json.encode(document))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _signature(credentials: ApnsKey, signed: bytes) -> str:
    """ES256 (RFC 7518, 3.4): r and s, 32 bytes each."""
    key = load_pem_private_key(credentials.private_key.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    der = key.sign(signed, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    return _base64url(b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(der)))


MESSAGE_ID = "__nvMessageId"

_APS = (
    "badge sound category thread-id content-available mutable-content target-content-id interruption-level "
    "relevance-score filter-criteria stale-date content-state timestamp event dismissal-date attributes-type "
    "attributes url-args"
)
_ALERT = (
    "title subtitle body launch-image title-loc-key title-loc-args subtitle-loc-key subtitle-loc-args "
    "loc-key loc-args action action-loc-key"
)


def _plain(name: str) -> str:
    """A name without its casing: `threadId`, `thread-id` and `thread_id` are one."""
    return name.replace("-", "").replace("_", "").lower()


_APS_NAMES = {_plain(name): name for name in _APS.split()} | {"targetcontentidentifier": "target-content-id"}
_ALERT_NAMES = {_plain(name): name for name in _ALERT.split()}
_HEADER_NAMES = {
    "topic": "apns-topic",
    "id": "apns-id",
    "expiry": "apns-expiration",
    "expiration": "apns-expiration",
    "priority": "apns-priority",
    "collapseid": "apns-collapse-id",
    "pushtype": "apns-push-type",
}
_SHOWING = ("alert", "badge", "sound")
_FLAGS = frozenset({"content-available", "mutable-content"})


def _drafted(message: PushMessage) -> Json:
    """The mapping and both kinds of override, sorted into `headers`, `aps`, `payload`, `raw` and `mdm`."""
    legacy, override = _layers(message)
    chosen = _chosen("apns-push-type", message, override, legacy)
    draft: Json = {"payload": {} if "payload" in message.legacy else _beside(message.payload)}
    if chosen != "background" and not {"aps", "alert"} & message.legacy.keys():
        draft["aps"] = {"alert": {"title": message.title, "body": message.body}}
    merged: Json = merge(merge(draft, legacy), override)
    return merged


def _layers(message: PushMessage) -> tuple[Json, Json]:
    """How it looks under the older kind of override, and the newer kind."""
    legacy = _sorted(message.legacy)
    look = message.presentation
    return (legacy if look is PLAIN else merge(_sorted(_shown(look)), legacy)), _sorted(message.override)


def _shown(look: Presentation) -> Json:
    """How it looks and travels as an override would say it; what APNs has no name for goes to the app."""
    beside = stated(image=look.image, url=look.url)
    known = stated(sound=look.sound, badge=look.badge, category=look.category, threadId=look.thread)
    known |= stated(collapseId=look.collapse_id, payload=beside)
    if look.mutable:
        known["mutableContent"] = 1
    if look.silent:
        return stated(payload=beside) | {"pushType": "background", "priority": "5", "contentAvailable": 1}
    if look.high is not None:
        known["priority"] = "10" if look.high else "5"
    return known


def _chosen(header: str, message: PushMessage, override: Json, legacy: Json) -> Any:
    """What the trigger says about a header, the strongest first; None when it says nothing."""
    layers = (_passed_headers(message), override.get("headers", {}), legacy.get("headers", {}))
    return next((layer[header] for layer in layers if layer.get(header)), None)


def _sorted(overrides: Json) -> Json:
    """An override's parts, each under its name on the wire; what has no place there is left out."""
    if not overrides:
        return {}
    payload = overrides.get("payload")
    parts: Json = {"headers": _known(overrides, _HEADER_NAMES), "aps": _aps(overrides)}
    if isinstance(payload, dict):
        parts["payload"] = {key: value for key, value in payload.items() if key != "aps"}
    if isinstance(overrides.get("rawPayload"), dict):
        parts["raw"] = overrides["rawPayload"]
    if isinstance(overrides.get("mdm"), str):
        parts["mdm"] = overrides["mdm"]
    return parts


def _aps(overrides: Json) -> Json:
    """What an override says about `aps`: in its payload, in its own `aps`, by single names."""
    given = merge(_part(_part(overrides, "payload"), "aps"), _part(overrides, "aps"))
    aps = _renamed(given, _APS_NAMES) | _known(overrides, _APS_NAMES)
    _add_alert(aps, overrides)
    return aps


def _add_alert(aps: Json, overrides: Json) -> None:
    """The alert of `alert` or `aps`, with the fields that stand beside it; null takes it away."""
    alert = overrides.get("alert", aps.get("alert"))
    fields = _known(overrides, _ALERT_NAMES)
    if fields or isinstance(alert, str | dict):
        aps["alert"] = _whole(alert) | fields
    elif "alert" in overrides:
        aps["alert"] = None


def _whole(alert: Any) -> Json:
    """An alert as an object. One that is only text has no title, whatever a lower layer says."""
    if isinstance(alert, str):
        return {"title": None, "body": alert}
    return _renamed(alert, _ALERT_NAMES) if isinstance(alert, dict) else {}


def _known(overrides: Json, names: Mapping[str, str]) -> Json:
    return {names[plain]: value for key, value in overrides.items() if (plain := _plain(key)) in names}


def _renamed(values: Json, names: Mapping[str, str]) -> Json:
    return {names.get(_plain(key), key): value for key, value in values.items()}


def _beside(payload: Json) -> Json:
    """The trigger's payload as keys beside `aps`; a key of that name goes one level down."""
    if "aps" not in payload:
        return payload
    rest = {key: value for key, value in payload.items() if key != "aps"}
    nested: Json = merge({"payload": {"aps": payload["aps"]}}, rest)
    return nested


def _whole_body(message: PushMessage, draft: Json, target: Target) -> Json:
    whole: Json = merge(_body(draft, target), _part(message.passthrough, "body"))
    return whole


def _body(draft: Json, target: Target) -> Json:
    if "raw" in draft:
        raw: Json = draft["raw"]
        return raw
    if "mdm" in draft:
        return {"mdm": draft["mdm"]}
    return {"aps": _cleaned(draft.get("aps", {})), **draft["payload"], MESSAGE_ID: target.message_id}


def _cleaned(aps: Json) -> Json:
    """Without what a null took away; flags as APNs wants them, 1 or absent."""
    kept = _without_nulls(aps)
    for flag in _FLAGS & kept.keys():
        if kept[flag] is True:
            kept[flag] = 1
        elif kept[flag] is False:
            del kept[flag]
    if isinstance(kept.get("alert"), dict):
        kept["alert"] = _without_nulls(kept["alert"])
    return kept


def _without_nulls(values: Json) -> Json:
    return {key: value for key, value in values.items() if value is not None}


def _part(values: Json, key: str) -> Json:
    part = values.get(key)
    return part if isinstance(part, dict) else {}


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


def _passed_headers(message: PushMessage) -> dict[str, str]:
    return {str(key).lower(): str(value) for key, value in _part(message.passthrough, "headers").items()}


def _kind(body: Json) -> str:
    """The push type that fits what is sent."""
    if "mdm" in body:
        return "mdm"
    aps = _part(body, "aps")
    silent = "content-available" in aps and not any(key in aps for key in _SHOWING)
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
    legacy, override = _layers(message)
    kind = str(_chosen("apns-push-type", message, override, legacy))
    return bool(_chosen("apns-topic", message, override, legacy)) or kind in TOPIC_SUFFIXES or kind == "mdm"


def _wait(outcome: Outcome, reason: str, reply: HttpReply) -> Millis | None:
    """As told, else what APNs' documentation asks for."""
    if not outcome.retryable:
        return None
    asked = retry_after(reply)
    return (WAITS.get(reason, MINUTE) if outcome is _LATER else None) if asked is None else asked


def _died_at(outcome: Outcome, answer: Json) -> Millis | None:
    """When APNs last found the token dead; it says so with 410 only."""
    timestamp = answer.get("timestamp")
    known = isinstance(timestamp, int) and not isinstance(timestamp, bool) and timestamp > 0
    return timestamp if known and outcome is _DEAD else None
