"""Web Push: encrypted for one browser, signed with VAPID, sent to the service the browser subscribed at.

https://www.rfc-editor.org/rfc/rfc8030 (protocol), rfc8188 and rfc8291 (encryption), rfc8292 (VAPID)
https://developer.apple.com/documentation/usernotifications/sending-web-push-notifications-in-web-apps-and-browsers
https://mozilla-push-service.readthedocs.io/en/latest/http/

The token is the text of the browser's PushSubscription: its endpoint and its keys.
"""

import re
import secrets
from base64 import b64decode, urlsafe_b64encode
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from clarion.errors import CredentialsInvalid
from clarion.model.clock import HOUR, MINUTE, SECOND, Millis
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PLAIN, Json, Presentation, PushMessage, Target, stated
from clarion.providers.key_files import NOT_READABLE
from clarion.providers.port import (
    WEIGHED,
    Credentials,
    Defaults,
    Field,
    decoded,
    merge,
    passed_headers,
    raw_of,
    wait_of,
    with_passed_query,
)

MOST_BYTES = 3993
"""Plain text that fits into the 4,096 bytes every service must take."""
TTL_SECONDS = 28 * 24 * 3600
"""How long a service keeps the message for a browser that is away, unless an override says otherwise."""

BY_STATUS: dict[int, tuple[Outcome, str]] = {
    400: (Outcome.PAYLOAD_REJECTED, "The push service refused the request; see the answer."),
    401: (
        Outcome.CREDENTIALS_REJECTED,
        "The push service refused the VAPID token; check keys and clock.",
    ),
    403: (
        Outcome.CREDENTIALS_REJECTED,
        "The push service refused the VAPID keys: the browser may have subscribed with another public key.",
    ),
    404: (Outcome.TOKEN_DEAD, "The subscription is gone."),
    406: (Outcome.THROTTLED, "The push service asks to slow down."),
    410: (Outcome.TOKEN_DEAD, "The person unsubscribed or the subscription expired."),
    413: (Outcome.PAYLOAD_REJECTED, "The message is larger than the push service takes."),
    429: (Outcome.THROTTLED, "The push service asks to slow down."),
    500: (Outcome.UNAVAILABLE, "The push service had an internal error."),
    502: (Outcome.UNAVAILABLE, "The push service had trouble."),
    503: (Outcome.UNAVAILABLE, "The push service is overloaded."),
    504: (Outcome.UNAVAILABLE, "The push service had trouble."),
}
"""HTTP status of any push service → what it means."""

BY_ERRNO: dict[int, tuple[Outcome, str]] = {
    101: (Outcome.PAYLOAD_REJECTED, "Mozilla misses the encryption."),
    102: (Outcome.TOKEN_DEAD, "Mozilla knows no such subscription."),
    103: (Outcome.TOKEN_DEAD, "The browser is gone."),
    104: (Outcome.PAYLOAD_REJECTED, "The message is larger than Mozilla takes for this browser."),
    105: (Outcome.TOKEN_DEAD, "The subscription is gone."),
    106: (Outcome.TOKEN_DEAD, "The person unsubscribed."),
    108: (Outcome.PAYLOAD_REJECTED, "Mozilla can't route the message."),
    109: (
        Outcome.CREDENTIALS_REJECTED,
        "Mozilla refused the VAPID token; check keys, subject and clock.",
    ),
    110: (Outcome.PAYLOAD_REJECTED, "Mozilla refused the encryption or its headers."),
    111: (Outcome.PAYLOAD_REJECTED, "Mozilla misses the TTL."),
    112: (Outcome.PAYLOAD_REJECTED, "The TTL is no number of seconds."),
    113: (Outcome.PAYLOAD_REJECTED, "The topic is not 1 to 32 letters, digits, - and _."),
    114: (Outcome.PAYLOAD_REJECTED, "The TTL is negative."),
    201: (Outcome.UNAVAILABLE, "Mozilla is overloaded."),
    202: (Outcome.UNAVAILABLE, "Mozilla had trouble for a moment."),
    900: (Outcome.UNAVAILABLE, "Mozilla's bridge to the browser had trouble."),
    901: (Outcome.UNAVAILABLE, "Mozilla's bridge to the browser had trouble."),
    902: (Outcome.UNAVAILABLE, "Mozilla's bridge to the browser had trouble."),
    903: (Outcome.UNAVAILABLE, "Mozilla's bridge to the browser had trouble."),
    999: (Outcome.UNAVAILABLE, "Mozilla had an internal error."),
}
"""Mozilla's `errno` → what it means."""

BY_REASON: dict[str, tuple[Outcome, str]] = {
    "BadTtl": (Outcome.PAYLOAD_REJECTED, "The TTL is no number of seconds."),
    "BadUrgency": (Outcome.PAYLOAD_REJECTED, "The urgency is none of very-low, low, normal and high."),
    "BadWebPushRequest": (Outcome.PAYLOAD_REJECTED, "Apple refused the request."),
    "BadWebPushTopic": (Outcome.PAYLOAD_REJECTED, "Apple wants a topic of 4, 8, … 32 base64url characters."),
    "VapidPkHashMismatch": (Outcome.TOKEN_DEAD, "The browser subscribed with another public key."),
    "UnauthorizedRegistration": (Outcome.TOKEN_DEAD, "The browser subscribed with keys of long ago."),
    "BadJwtToken": (Outcome.CREDENTIALS_REJECTED, "Apple refused the VAPID token; check subject and clock."),
    "BadVapidPublicKey": (Outcome.CREDENTIALS_REJECTED, "Apple refused the VAPID public key."),
    "PayloadTooLarge": (Outcome.PAYLOAD_REJECTED, "The message is larger than Apple takes."),
    "TooManyRequests": (Outcome.THROTTLED, "Apple asks to slow down."),
}
"""Apple's `reason`, or the one word that Google answers → what it means."""

WAITS: dict[Outcome, Millis] = {Outcome.THROTTLED: MINUTE, Outcome.UNAVAILABLE: 5 * SECOND}
"""How long to wait where the answer doesn't say."""

BY_WNS_STATUS: dict[str, tuple[Outcome, str]] = {
    "dropped": (Outcome.PAYLOAD_REJECTED, "Windows dropped the message: the device doesn't allow it."),
    "channelthrottled": (Outcome.THROTTLED, "Windows asks to slow down for this browser."),
}
"""What Windows says in a header of an answer that looks like success."""

_RENEW: Millis = 6 * HOUR
_RECORD_SIZE = 4096
_POINT_BYTES, _SCALAR_BYTES, _AUTH_BYTES, _SALT_BYTES, _TAG_BYTES = 65, 32, 16, 16, 16
_TAKEN = frozenset({200, 201, 202})
_HEADERS = ("ttl", "urgency", "topic")
"""Overrides that the push service reads; everything else is for the browser."""
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----(.*)-----END \1-----", re.DOTALL)
_BREAKS = re.compile(r"\\[nr]|\s")
_MAILBOX = re.compile(r"[^\s<>@:/]+@[^\s<>@:/]+\.[^\s<>@:/]+")
_WORD = re.compile("[A-Za-z]{1,64}")
_VISIBLE = re.compile(r"[!-;=?-~]+")


class WebPushCredentials(Credentials, frozen=True):
    """A VAPID key pair, both base64url: a point of 65 bytes and a scalar of 32; and whom to write to."""

    public_key: str
    secret_key: str
    subject: str

    public = ("public_key", "subject")


class Subscription(Credentials, frozen=True):
    """Where a browser is reached, its public key (65 bytes) and its secret (16 bytes)."""

    endpoint: str
    p256dh: bytes
    auth: bytes

    public = ("host",)

    @property
    def host(self) -> str | None:
        """Whose push service it is."""
        return urlsplit(self.endpoint).hostname


class WebPush(Defaults):
    """Browsers, straight through the service of each."""

    id = "web-push"
    name = "Web Push"
    most_bytes: int | None = MOST_BYTES
    docs = "https://www.rfc-editor.org/rfc/rfc8030"
    addressed_by = "the browser's PushSubscription as JSON"
    fields = (
        Field("subject", "Contact", "Whom push services may write to.", example="mailto:you@example.com"),
        Field(
            "publicKey",
            "Public key (VAPID)",
            "Left out, a pair is made; pages subscribe with it.",
            "text",
            False,
        ),
        Field("secretKey", "Private key (VAPID)", "Left out, a pair is made.", "secret", False),
    )
    roams = True
    setup_codes = frozenset({"VapidPkHashMismatch"})

    def credentials(self, stored: Json) -> WebPushCredentials:
        secret = str(stored.get("secretKey") or "").strip()
        public = str(stored.get("publicKey") or "").strip()
        if not secret:
            raise CredentialsInvalid("secretKey", "paste the VAPID private key, or leave out both keys")
        try:
            key = _private_key(secret)
        except NOT_READABLE:
            raise CredentialsInvalid("secretKey", "not a P-256 private key in base64url or PEM") from None
        point = _point(key)
        if public and not _is(public, point):
            raise CredentialsInvalid("publicKey", "it doesn't belong to the secret key; leave it out")
        return WebPushCredentials(_base64(point), _base64(_scalar(key)), _subject(stored))

    def completed(self, stored: Json) -> Json:
        """A VAPID pair where there is none; the public key belongs to it from then on."""
        missing = not stored.get("publicKey") and not stored.get("secretKey")
        return {**stored, **new_keys()} if missing else stored

    def build(
        self, credentials: WebPushCredentials, message: PushMessage, target: Target, token: str
    ) -> HttpRequest:
        to = subscription(target.token)
        own = _own(message)
        plaintext = _plaintext(message, own, target.message_id)
        headers = {
            "ttl": str(TTL_SECONDS),
            "topic": topic(target.message_id),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "authorization": _authorization(credentials, _origin(to.endpoint), _expires(target.at)),
        }
        headers |= {name: str(own[name]) for name in _HEADERS if own.get(name) is not None}
        headers |= passed_headers(message)
        body = encrypted(plaintext, to, generate_private_key(SECP256R1()), secrets.token_bytes(_SALT_BYTES))
        return HttpRequest("POST", with_passed_query(to.endpoint, message), tuple(headers.items()), body)

    def weight(self, message: PushMessage) -> int:
        return len(_plaintext(message, _own(message), WEIGHED.message_id))

    def read(self, reply: HttpReply, message: PushMessage) -> Verdict:
        code, outcome, explanation = _classified(reply)
        if outcome is Outcome.ACCEPTED:
            return Verdict(Outcome.ACCEPTED, provider_message_id=_identity(reply))
        return Verdict(
            outcome,
            code,
            explanation,
            retry_after=wait_of(reply, outcome, WAITS),
            raw=raw_of(reply),
        )


def new_keys() -> dict[str, str]:
    """A fresh VAPID key pair under the names of the integration's credentials.

    A browser's subscription is bound to the public key: changing the pair ends all of them.
    """
    key = generate_private_key(SECP256R1())
    return {"publicKey": _base64(_point(key)), "secretKey": _base64(_scalar(key))}


def subscription(token: str) -> Subscription:
    """The subscription a token is the text of. `ValueError` says what is wrong, without its values."""
    given = decoded(token.encode())
    keys = given.get("keys")
    endpoint = given.get("endpoint")
    if not isinstance(endpoint, str) or not isinstance(keys, dict):
        raise ValueError("give the browser's PushSubscription as JSON: endpoint, keys.p256dh, keys.auth")
    if not _is_https(endpoint):
        raise ValueError("endpoint is no absolute https URL")
    point, auth = _key_bytes(keys, "p256dh"), _key_bytes(keys, "auth")
    try:
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    except ValueError:
        raise ValueError("keys.p256dh is no point of P-256") from None
    if len(point) != _POINT_BYTES or len(auth) != _AUTH_BYTES:
        raise ValueError("keys.p256dh must be 65 bytes and keys.auth 16, both in base64url")
    return Subscription(endpoint, point, auth)


def encrypted(plaintext: bytes, to: Subscription, sender: EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """The body for one browser (RFC 8291 with aes128gcm, one record). Never use a sender and salt again."""
    receiver = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), to.p256dh)
    point = _point(sender)
    info = b"WebPush: info\0" + to.p256dh + point
    secret = _derived(to.auth, sender.exchange(ECDH(), receiver), info, 32)
    key = _derived(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(salt, secret, b"Content-Encoding: nonce\0", 12)
    record = AESGCM(key).encrypt(nonce, plaintext + b"\x02", None)
    size = max(_RECORD_SIZE, len(record))
    return salt + size.to_bytes(4) + bytes([len(point)]) + point + record


def topic(key: str) -> str:
    """A topic of 32 characters for a key: a message waiting under it is replaced."""
    return _base64(sha256(key.encode()).digest())[:32]


def _derived(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


def _shown(look: Presentation) -> Json:
    """How it looks and travels, in the words of a W3C notification; a browser has no sound and no thread."""
    urgency = None if look.high is None else "high" if look.high else "normal"
    shown = stated(
        image=look.image,
        icon=look.icon,
        navigate=look.url,
        app_badge=look.badge,
        tag=look.collapse_id,
        ttl=look.ttl,
        urgency=urgency,
        topic=topic(look.collapse_id) if look.collapse_id else None,
        data=stated(url=look.url),
    )
    return shown | ({"silent": True} if look.silent else {})


def _own(message: PushMessage) -> Json:
    """What the message says beside its words, the stronger over the weaker."""
    look = {} if message.presentation is PLAIN else _shown(message.presentation)
    own: Json = merge(merge(look, message.legacy), message.override)
    return own


def _plaintext(message: PushMessage, own: Json, message_id: str) -> bytes:
    """What the service worker gets: the members of a W3C notification; the payload where it fits."""
    shown = {key: value for key, value in own.items() if key not in (*_HEADERS, "data")}
    body = merge({"title": message.title, "body": message.body, "tag": message_id}, shown)
    data = own.get("data", {})
    if isinstance(data, dict):
        data = data | {"__nvMessageId": message_id}
    last = message.passthrough.get("body", {})
    bare = msgspec.json.encode(merge(body | {"data": data}, last))
    if not isinstance(data, dict):
        return bare
    full = msgspec.json.encode(merge(body | {"data": message.payload | data}, last))
    return full if len(full) <= MOST_BYTES else bare


def _expires(at: Millis) -> int:
    """Seconds since 1970: between 6 and 12 hours ahead, the same for 6 hours, so that tokens are shared."""
    return (at // _RENEW + 2) * _RENEW // SECOND


@lru_cache(maxsize=1024)
def _authorization(credentials: WebPushCredentials, origin: str, expires: int) -> str:
    claims: dict[str, str | int] = {"aud": origin, "exp": expires, "sub": credentials.subject}
    token = jwt.encode(claims, _private_key(credentials.secret_key), "ES256")
    return f"vapid t={token}, k={credentials.public_key}"


def _origin(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    port = "" if parts.port in (None, 443) else f":{parts.port}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"https://{host}{port}"


def _is_https(url: str) -> bool:
    """An absolute https URL without user name, of visible ASCII."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return whole and "@" not in parts.netloc and _VISIBLE.fullmatch(url) is not None


def _key_bytes(keys: Json, name: str) -> bytes:
    try:
        return _unbase64(str(keys.get(name, "")))
    except ValueError:
        raise ValueError(f"keys.{name} is not base64url") from None


def _private_key(text: str) -> EllipticCurvePrivateKey:
    """A scalar, PKCS #8 or SEC 1, as base64 or PEM, even when its line breaks were lost."""
    pem = _PEM.search(text)
    octets = _unbase64(_BREAKS.sub("", pem[2]) if pem else text)
    if len(octets) == _SCALAR_BYTES:
        return derive_private_key(int.from_bytes(octets), SECP256R1())
    key = load_der_private_key(octets, None)
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError("not a P-256 key")
    return key


def _point(key: EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _scalar(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_numbers().private_value.to_bytes(_SCALAR_BYTES)


def _is(text: str, octets: bytes) -> bool:
    try:
        return _unbase64(text) == octets
    except ValueError:
        return False


def _subject(stored: Json) -> str:
    """A mail address or an https URL; Apple takes no other."""
    subject = str(stored.get("subject") or "").strip()
    mailbox = subject.removeprefix("mailto:").strip(" <>")
    if _MAILBOX.fullmatch(mailbox):
        return f"mailto:{mailbox}"
    if _is_https(subject) and urlsplit(subject).hostname != "localhost":
        return subject
    raise CredentialsInvalid("subject", "give mailto:you@example.com or an https URL of yours")


def _base64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def _unbase64(text: str) -> bytes:
    """Either alphabet, padded or not. Raises ValueError."""
    standard = text.strip().rstrip("=").replace("-", "+").replace("_", "/")
    return b64decode(standard + "=" * (-len(standard) % 4), validate=True)


def _identity(reply: HttpReply) -> str:
    names = ("location", "apns-id", "x-wns-msg-id")
    return next((reply.headers[name] for name in names if reply.headers.get(name)), "")


def _classified(reply: HttpReply) -> tuple[str, Outcome, str]:
    """The service's own code where it has one, else the status."""
    if reply.status in _TAKEN:
        return _of_windows(reply)
    status = f"http_{reply.status}"
    if reply.status in (404, 410):
        return status, *BY_STATUS[reply.status]
    answer = decoded(reply.body)
    errno, reason = answer.get("errno"), answer.get("reason") or _word(reply.body)
    if isinstance(errno, int) and errno in BY_ERRNO:
        return f"errno_{errno}", *BY_ERRNO[errno]
    if isinstance(reason, str) and reason in BY_REASON:
        return reason, *BY_REASON[reason]
    unknown = (Outcome.UNKNOWN, f"The push service answered {reply.status}, which no standard lists.")
    return status, *BY_STATUS.get(reply.status, unknown)


def _of_windows(reply: HttpReply) -> tuple[str, Outcome, str]:
    said = reply.headers.get("x-wns-notificationstatus") or reply.headers.get("x-wns-status", "")
    return said, *BY_WNS_STATUS.get(said.lower(), (Outcome.ACCEPTED, ""))


def _word(body: bytes) -> Any:
    text = body[:80].decode(errors="replace").strip()
    return text if _WORD.fullmatch(text) else None
