"""Firebase Cloud Messaging, HTTP v1.

https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
"""

import json
import re
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from clarion.errors import CredentialsInvalid
from clarion.model.clock import MINUTE, SECOND, Millis
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PLAIN, Json, Presentation, PushMessage, Target, stated
from clarion.providers.key_files import NOT_READABLE
from clarion.providers.port import (
    WEIGHED,
    AccessToken,
    Credentials,
    Defaults,
    Field,
    Rate,
    aimed,
    decoded,
    merge,
    passed_headers,
    raw_of,
    wait_of,
    with_passed_query,
)

ORIGIN = "https://fcm.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
MOST_BYTES = 4096
"""What FCM forwards at most: notification, data and platform block, as UTF-8 JSON."""

_ASSERTION_SECONDS = 3600
_GRANT = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="
_RESERVED = ("google", "gcm")
_AIMS = frozenset({"token", "fid", "topic", "condition"})
_ROUTED = frozenset({"deviceTokens", "type", "data", "android", "apns", "fcmOptions", "webPush"})

BY_ERROR_CODE: dict[str, tuple[Outcome, str]] = {
    "UNREGISTERED": (Outcome.TOKEN_DEAD, "The app was uninstalled or its token expired."),
    "SENDER_ID_MISMATCH": (
        Outcome.TOKEN_DEAD,
        "The token belongs to another Firebase project; check which service account the integration holds.",
    ),
    "THIRD_PARTY_AUTH_ERROR": (
        Outcome.CREDENTIALS_REJECTED,
        "Firebase lacks a valid APNs key or web push key for this app; upload one in the Firebase console.",
    ),
    "APNS_AUTH_ERROR": (
        Outcome.CREDENTIALS_REJECTED,
        "Firebase lacks a valid APNs key for this app; upload one in the Firebase console.",
    ),
    "QUOTA_EXCEEDED": (
        Outcome.THROTTLED,
        "A message quota of the Firebase project or the device is used up.",
    ),
    "UNAVAILABLE": (Outcome.UNAVAILABLE, "FCM is overloaded."),
    "INTERNAL": (Outcome.UNAVAILABLE, "FCM had an internal error."),
    "UNSPECIFIED_ERROR": (
        Outcome.UNKNOWN,
        "FCM doesn't say why; it is tried again. If it stays, look at the project in the Firebase console.",
    ),
}
"""FcmError.errorCode → what it means. INVALID_ARGUMENT depends on the field it names."""

BY_STATUS: dict[int, tuple[Outcome, str]] = {
    400: (Outcome.PAYLOAD_REJECTED, "FCM refused the message; see the answer for the field."),
    401: (Outcome.CREDENTIALS_REJECTED, "FCM refused the access token of the service account."),
    403: (
        Outcome.CREDENTIALS_REJECTED,
        "The service account may not send for this project; enable the FCM API and grant the messaging role.",
    ),
    404: (Outcome.CREDENTIALS_REJECTED, "FCM knows no such project; check the service account's project_id."),
    429: (Outcome.THROTTLED, "A request quota of the Firebase project is used up."),
    500: (Outcome.UNAVAILABLE, "FCM had an internal error."),
    502: (Outcome.UNAVAILABLE, "A front end of FCM had trouble."),
    503: (Outcome.UNAVAILABLE, "FCM is overloaded."),
    504: (Outcome.UNAVAILABLE, "A front end of FCM had trouble."),
}
"""HTTP status → what it means when no FcmError says more."""

WAITS: dict[Outcome, Millis] = {Outcome.THROTTLED: MINUTE, Outcome.UNAVAILABLE: 10 * SECOND}
"""FCM's own advice where the answer doesn't say."""


class ServiceAccount(Credentials, frozen=True):
    """The fields of a Google service account document that sending needs."""

    project_id: str
    client_email: str
    private_key: str
    private_key_id: str = ""
    token_uri: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    type: str = ""

    public = ("project_id", "client_email")


class Fcm(Defaults):
    """Firebase Cloud Messaging."""

    id = "fcm"
    of_triggers = _AIMS
    rate = Rate(10_000, 10_000)
    first_retry = 10 * SECOND
    most_bytes: int | None = MOST_BYTES
    name = "Firebase Cloud Messaging"
    docs = "https://firebase.google.com/docs/cloud-messaging"
    addressed_by = "FCM registration token, or fid: and a Firebase installation id"
    fields = (
        Field(
            "serviceAccount",
            "Service account (JSON)",
            "Firebase console → Project settings → Service accounts → Generate new private key: the file.",
            "file",
            example='{"type": "service_account", …}',
        ),
    )
    setup_codes = frozenset({"SENDER_ID_MISMATCH"})

    def credentials(self, stored: Json) -> ServiceAccount:
        document = stored.get("serviceAccount") or stored.get("user")
        if not isinstance(document, str) or not document.strip():
            raise CredentialsInvalid("serviceAccount", "paste the whole service account JSON from Firebase")
        return _checked(_account(document))

    def authorize(self, credentials: ServiceAccount, now: Millis) -> HttpRequest:
        """A JWT bearer grant (RFC 7523)."""
        issued = now // SECOND
        claims: dict[str, str | int] = {
            "iss": credentials.client_email,
            "scope": SCOPE,
            "aud": credentials.token_uri,
        }
        claims |= {"iat": issued, "exp": issued + _ASSERTION_SECONDS}
        assertion = jwt.encode(
            claims, credentials.private_key, "RS256", headers={"kid": credentials.private_key_id}
        )
        headers = (("content-type", "application/x-www-form-urlencoded"),)
        return HttpRequest("POST", credentials.token_uri, headers, (_GRANT + assertion).encode())

    def read_authorization(self, reply: HttpReply, now: Millis) -> AccessToken | Verdict:
        answer = decoded(reply.body)
        token, lifetime = answer.get("access_token"), answer.get("expires_in")
        if reply.status == 200 and isinstance(token, str) and isinstance(lifetime, int):
            return AccessToken(token, now + lifetime * SECOND)
        code = str(answer.get("error") or f"http_{reply.status}")
        if reply.status in _GOOGLE_SIDE or code in _GOOGLE_TROUBLE:
            return Verdict(Outcome.UNAVAILABLE, code, "Google's token endpoint had trouble.")
        return Verdict(
            Outcome.CREDENTIALS_REJECTED,
            code,
            "Google refused the service account: its key may be revoked or this machine's clock wrong.",
        )

    def build(
        self, credentials: ServiceAccount, message: PushMessage, target: Target, token: str
    ) -> HttpRequest:
        plain = _plain(credentials, message, target, token)
        if plain is not None:
            return plain
        body = _whole(message, target)
        headers = dict(_headers(token))
        url = _url(credentials)
        if message.override or message.passthrough or message.legacy:
            headers |= passed_headers(message)
            url = with_passed_query(url, message)
        return HttpRequest("POST", url, tuple(headers.items()), msgspec.json.encode({"message": body}))

    def weight(self, message: PushMessage) -> int:
        return _size(_whole(message, WEIGHED))

    def read(self, reply: HttpReply, message: PushMessage) -> Verdict:
        answer = decoded(reply.body)
        if reply.status == 200:
            return Verdict(Outcome.ACCEPTED, provider_message_id=str(answer.get("name", "")))
        raw = raw_of(reply)
        error = answer.get("error")
        details = _details(error if isinstance(error, dict) else {})
        code = str(details.get("FcmError", {}).get("errorCode", ""))
        outcome, explanation = _classified(reply.status, code, details, message)
        return Verdict(
            outcome,
            code or f"http_{reply.status}",
            explanation,
            retry_after=None if outcome is Outcome.UNKNOWN else wait_of(reply, outcome, WAITS),
            stale_authorization=reply.status == 401 and not code,
            raw=raw,
        )


_GOOGLE_SIDE = frozenset({408, 429, 500, 502, 503, 504})
_GOOGLE_TROUBLE = frozenset({"internal_failure", "server_error", "temporarily_unavailable"})


def _account(document: str) -> ServiceAccount:
    """The document, also when its line breaks became real ones inside of texts."""
    try:
        whole = json.loads(document, strict=False)
        return msgspec.convert(whole, ServiceAccount)
    except (ValueError, RecursionError) as error:  # msgspec's validation errors are ValueErrors
        raise CredentialsInvalid("serviceAccount", f"not a service account document: {error}") from None


def _mended(pem: str) -> str:
    """A key whose line breaks were escaped twice, or lost, whole again."""
    text = pem.replace("\\r", "").replace("\\n", "\n").strip()
    framed = _FRAMED.fullmatch(text)
    if framed is None:
        return text
    inner = "".join(framed[2].split())
    lines = [inner[start : start + 64] for start in range(0, len(inner), 64)]
    return "\n".join([f"-----BEGIN {framed[1]}-----", *lines, f"-----END {framed[1]}-----", ""])


_FRAMED = re.compile("-----BEGIN ([A-Z ]+)-----(.*)-----END \\1-----", re.DOTALL)


def _checked(account: ServiceAccount) -> ServiceAccount:
    if account.type != "service_account":
        raise CredentialsInvalid("serviceAccount", 'its "type" must be "service_account"')
    for field in ("project_id", "client_email", "private_key", "token_uri"):
        if not getattr(account, field).strip():
            raise CredentialsInvalid("serviceAccount", f'its "{field}" is empty')
    repaired = _mended(account.private_key)
    try:
        key = load_pem_private_key(repaired.encode(), None)
    except NOT_READABLE:
        raise CredentialsInvalid("serviceAccount", 'its "private_key" is not a PEM key') from None
    if not isinstance(key, RSAPrivateKey):
        raise CredentialsInvalid("serviceAccount", 'its "private_key" is not an RSA key')
    return msgspec.structs.replace(account, private_key=repaired)


def _plain(
    credentials: ServiceAccount, message: PushMessage, target: Target, token: str
) -> HttpRequest | None:
    """What the whole way comes to for a message of words and data alone that fits, as nearly all do."""
    if message.override or message.legacy or message.passthrough or message.presentation is not PLAIN:
        return None
    body = {
        **_aim(target.token),
        "notification": {"title": message.title, "body": message.body},
        **_shown_once(target.message_id),
        "data": _texts(message.payload) | {"__nvMessageId": target.message_id},
    }
    encoded = msgspec.json.encode({"message": body})
    if len(encoded) > MOST_BYTES:
        return None
    return HttpRequest("POST", _url(credentials), _headers(token), encoded)


def _headers(token: str) -> tuple[tuple[str, str], ...]:
    return (
        ("authorization", f"Bearer {token}"),
        ("content-type", "application/json; charset=UTF-8"),
        ("x-goog-api-format-version", "2"),
    )


def _url(credentials: ServiceAccount) -> str:
    return f"{ORIGIN}/v1/projects/{credentials.project_id}/messages:send"


def _whole(message: PushMessage, target: Target) -> Json:
    """The message with what overrides say."""
    body = _composed(message, target)
    if not (message.override or message.passthrough or message.legacy):
        return body
    passed = message.passthrough.get("body", {})
    body = merge(merge(body, _routed(message.override)), passed)
    return aimed(body, _AIMS, message.legacy, message.override, passed)


def _composed(message: PushMessage, target: Target) -> Json:
    """The message as Novu maps it, plus what that loses: the payload, and a way to show repeats once."""
    look = message.presentation
    body: Json = _aim(target.token)
    identity = {"__nvMessageId": target.message_id}
    if look.url is not None:
        identity["url"] = look.url
    if message.legacy.get("type") == "data" or look.silent:
        said = {"title": message.title, "body": message.body, "message": message.body}
        silent: Json = body | {"data": _texts(message.payload) | said | identity}
        whole: Json = merge(silent | _delivered(look, target), _routed(message.legacy, ()))
        return whole
    extra = {_NOTIFICATION.get(k, k): v for k, v in message.legacy.items() if k not in _ROUTED}
    image = {} if look.image is None else {"image": look.image}
    body["notification"] = {"title": message.title, "body": message.body, **image, **extra}
    body |= _shown_once(look.collapse_id or target.message_id)
    if look is not PLAIN:
        body = merge(merge(body, _shown(look)), _delivered(look, target))
    own = _texts(message.legacy.get("data") or {}) | identity
    if message.legacy:
        body = merge(body, _routed(message.legacy, ()))
    full = body | {"data": _texts(message.payload) | own}
    return full if _size(full) <= MOST_BYTES else body | {"data": own}


_NOTIFICATION = {"imageUrl": "image"}


def _routed(
    overrides: Json, also: tuple[str, ...] = ("data", "notification", "token", "fid", "topic", "condition")
) -> Json:
    """The parts of an override that have a place of their own, under their names on the wire."""
    names = {"android": "android", "apns": "apns", "fcmOptions": "fcm_options", "webPush": "webpush"}
    names |= {"webpush": "webpush", **{name: name for name in also}}
    routed = {names[key]: value for key, value in overrides.items() if key in names}
    if isinstance(routed.get("data"), dict):
        routed["data"] = _texts(routed["data"])
    return routed


_FID = "fid:"
"""How a device token says that it is a Firebase installation id."""


def _aim(token: str) -> Json:
    return {"fid": token.removeprefix(_FID)} if token.startswith(_FID) else {"token": token}


def _shown(look: Presentation) -> Json:
    """How it looks, platform by platform."""
    android = stated(icon=look.icon, sound=look.sound, channel_id=look.channel_id, click_action=look.category)
    android |= stated(notification_count=look.badge)
    aps = {"thread-id": look.thread, "mutable-content": 1 if look.mutable else None}
    aps |= {"sound": look.sound, "badge": look.badge, "category": look.category}
    apns = stated(payload=stated(aps=stated(**aps)), fcm_options=stated(image=look.image))
    link = look.url if look.url and look.url.startswith("https://") else None
    web = stated(notification=stated(icon=look.icon, image=look.image), fcm_options=stated(link=link))
    return stated(android=stated(notification=android), apns=apns, webpush=web)


def _delivered(look: Presentation, target: Target) -> Json:
    """How it travels, platform by platform."""
    high, silent = look.high, look.silent
    priority = None if high is None else "HIGH" if high else "NORMAL"
    ttl = None if look.ttl is None else f"{look.ttl}s"
    android = stated(priority=priority, ttl=ttl, collapse_key=look.collapse_id)
    headers: Json = {}
    if look.ttl is not None:
        headers["apns-expiration"] = str(target.at // SECOND + look.ttl)
    if silent:
        headers |= {"apns-push-type": "background", "apns-priority": "5"}
    elif high is not None:
        headers["apns-priority"] = "10" if high else "5"
    payload: Json = {"aps": {"content-available": 1}} if silent else {}
    urgency = None if high is None else "high" if high else "normal"
    web = stated(TTL=None if look.ttl is None else str(look.ttl), Urgency=urgency)
    apns = stated(headers=headers, payload=payload)
    return stated(android=android, apns=apns, webpush=stated(headers=web))


def _shown_once(message_id: str) -> Json:
    """What makes a repeat replace the first one on every kind of device."""
    return {
        "android": {"collapse_key": message_id, "notification": {"tag": message_id}},
        "apns": {"headers": {"apns-collapse-id": message_id}},
        "webpush": {"headers": {"Topic": message_id}},
    }


def _texts(values: Json) -> dict[str, str]:
    """FCM data: text to text. Nulls go, reserved keys can't be sent."""
    return {key: _text(value) for key, value in values.items() if value is not None and not _reserved(key)}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _reserved(key: str) -> bool:
    return key in ("from", "message_type") or key.startswith(_RESERVED)


def _size(body: Json) -> int:
    return len(msgspec.json.encode({key: value for key, value in body.items() if key != "token"}))


def _details(error: Json) -> dict[str, Json]:
    listed = error.get("details")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return {str(entry.get("@type", "")).rpartition(".")[2]: entry for entry in entries}


def _classified(
    status: int, code: str, details: dict[str, Json], message: PushMessage
) -> tuple[Outcome, str]:
    if code in BY_ERROR_CODE:
        return BY_ERROR_CODE[code]
    if status == 400 and _blames_token(code, details, message):
        return Outcome.TOKEN_DEAD, "The token is malformed; no device has it."
    return BY_STATUS.get(
        status, (Outcome.UNKNOWN, f"FCM answered {status}, which its documentation doesn't list.")
    )


def _blames_token(code: str, details: dict[str, Json], message: PushMessage) -> bool:
    """A named field decides. Where none is named, only the token is left if the message is wholly ours."""
    violations = details.get("BadRequest", {}).get("fieldViolations")
    if isinstance(violations, list) and violations:
        return all(isinstance(entry, dict) and entry.get("field") == "message.token" for entry in violations)
    return code == "INVALID_ARGUMENT" and not (message.legacy or message.override or message.passthrough)
