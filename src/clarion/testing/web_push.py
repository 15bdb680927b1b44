"""A strict stand-in of a web push service and of the browsers behind it: it decrypts what it takes.

https://www.rfc-editor.org/rfc/rfc8030, rfc8188, rfc8291, rfc8292
"""

import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from enum import StrEnum
from typing import Any, NamedTuple

import jwt
import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from clarion.model.clock import SECOND, Clock, Millis, system_clock
from clarion.model.push import Json
from clarion.testing.emulator import Emulator
from clarion.testing.exchange import Answer, Reply, Request, json_reply
from clarion.testing.faults import Faults, Word, by_code
from clarion.testing.signatures import SIGNATURE_ONLY

PREFIX = "/web-push/"
ORIGIN = "https://push.example.net"
MOST_BYTES = 4096
MOST_TOKEN_SECONDS = 24 * 3600

_HEADER_BYTES, _POINT_BYTES, _SALT_BYTES = 86, 65, 16
_LEAST_RECORD = 18
_URGENCIES = frozenset({"very-low", "low", "normal", "high"})
_KEPT = frozenset({"ttl", "urgency", "topic"})
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
_PARAMETER = re.compile(r'^\s*([a-z]+)\s*=\s*"?([A-Za-z0-9_.=-]+)"?\s*$')
_SUBJECT = re.compile(r"mailto:[^\s<>@]+@[^\s<>@]+|https://[^\s<>]+")


class Mode(StrEnum):
    """Whose statuses and bodies the emulator answers with."""

    GENERIC = "generic"
    MOZILLA = "mozilla"
    GOOGLE = "google"
    APPLE = "apple"
    WINDOWS = "windows"


class Wrong(StrEnum):
    """What a push service can find wrong, in the order it looks."""

    UNKNOWN = "unknown"
    GONE = "gone"
    TTL_MISSING = "ttl_missing"
    TTL = "ttl"
    TTL_NEGATIVE = "ttl_negative"
    URGENCY = "urgency"
    TOPIC = "topic"
    NO_VAPID = "no_vapid"
    VAPID = "vapid"
    OTHER_KEY = "other_key"
    ENCODING = "encoding"
    TOO_LARGE = "too_large"
    ENCRYPTION = "encryption"
    TOO_MANY = "too_many"
    DOWN = "down"
    BRIDGE = "bridge"


STATUSES: dict[Wrong, int] = {
    Wrong.UNKNOWN: 404,
    Wrong.GONE: 410,
    **dict.fromkeys((Wrong.TTL_MISSING, Wrong.TTL, Wrong.TTL_NEGATIVE, Wrong.URGENCY, Wrong.TOPIC), 400),
    Wrong.NO_VAPID: 401,
    Wrong.VAPID: 401,
    Wrong.OTHER_KEY: 403,
    Wrong.ENCODING: 400,
    Wrong.TOO_LARGE: 413,
    Wrong.ENCRYPTION: 400,
    Wrong.TOO_MANY: 429,
    Wrong.DOWN: 503,
    Wrong.BRIDGE: 502,
}

ERRNOS: dict[Wrong, int] = {
    Wrong.UNKNOWN: 102,
    Wrong.GONE: 106,
    Wrong.TTL_MISSING: 111,
    Wrong.TTL: 112,
    Wrong.TTL_NEGATIVE: 114,
    Wrong.URGENCY: 110,
    Wrong.TOPIC: 113,
    Wrong.NO_VAPID: 109,
    Wrong.VAPID: 109,
    Wrong.OTHER_KEY: 109,
    Wrong.ENCODING: 110,
    Wrong.TOO_LARGE: 104,
    Wrong.ENCRYPTION: 110,
    Wrong.DOWN: 201,
    Wrong.BRIDGE: 900,
}
"""Mozilla's numbers."""

REASONS: dict[Wrong, tuple[int, str]] = {
    Wrong.UNKNOWN: (404, "Unregistered"),
    Wrong.GONE: (410, "ExpiredSubscription"),
    **dict.fromkeys((Wrong.TTL_MISSING, Wrong.TTL, Wrong.TTL_NEGATIVE), (400, "BadTtl")),
    Wrong.URGENCY: (400, "BadUrgency"),
    Wrong.TOPIC: (400, "BadWebPushTopic"),
    Wrong.NO_VAPID: (403, "BadJwtToken"),
    Wrong.VAPID: (403, "BadJwtToken"),
    Wrong.OTHER_KEY: (400, "VapidPkHashMismatch"),
    Wrong.ENCODING: (400, "BadWebPushRequest"),
    Wrong.TOO_LARGE: (413, "PayloadTooLarge"),
    Wrong.ENCRYPTION: (400, "BadWebPushRequest"),
    Wrong.TOO_MANY: (429, "TooManyRequests"),
    Wrong.DOWN: (503, "ServiceUnavailable"),
    Wrong.BRIDGE: (500, "InternalServerError"),
}
"""Apple's statuses and reasons."""

TEXTS: dict[Wrong, tuple[int, str]] = {
    Wrong.GONE: (410, "push subscription has unsubscribed or expired.\n"),
    Wrong.NO_VAPID: (401, "authorization header must be specified.\n"),
    Wrong.VAPID: (403, "invalid JWT provided\n"),
    Wrong.OTHER_KEY: (
        403,
        "the VAPID credentials in the authorization header do not correspond to the credentials used to"
        " create the subscriptions.\n",
    ),
}
"""Google's."""

WORDS: dict[Word, Wrong] = {
    Word.DEAD: Wrong.GONE,
    Word.MALFORMED: Wrong.UNKNOWN,
    Word.OTHERSENDER: Wrong.OTHER_KEY,
    Word.IOSNOKEY: Wrong.VAPID,
    Word.THROTTLED: Wrong.TOO_MANY,
    Word.FLAKY: Wrong.DOWN,
    Word.DOWN: Wrong.DOWN,
}
"""The fault words that a push service answers with an error; `html` is a front end's page."""


class Browser(NamedTuple):
    """A subscription as the browser holds it; `public_key` is the sender's it is bound to."""

    private_key: EllipticCurvePrivateKey
    auth: bytes
    public_key: str


class AcceptedWebPush(msgspec.Struct, frozen=True):
    """A message as the service worker gets it. `token` is the name of the browser, `text` the plain text
    and `message` its JSON object, empty when it is none; `headers` hold TTL, Urgency and Topic."""

    token: str
    text: bytes
    message: Json
    headers: dict[str, str]
    at: Millis
    id: str


class WebPushEmulator(Emulator[AcceptedWebPush]):
    """A push service whose browsers are made by `subscribe`. Fault words are looked for in their names.

    `origin` is what subscriptions name; it is the audience that VAPID tokens must be for.
    """

    def __init__(
        self,
        mode: Mode = Mode.GENERIC,
        *,
        origin: str = ORIGIN,
        unavailable_retry_after: int | None = None,
        clock: Clock = system_clock,
    ) -> None:
        refusals = {word: refusal(mode, wrong) for word, wrong in WORDS.items()}
        answers = {**refusals, Word.HTML: _HTML}
        super().__init__(Faults(answers, unavailable_retry_after, codes_of(mode)), clock)
        self.mode = mode
        self.origin = origin
        self._browsers: dict[str, Browser] = {}
        self._gone: set[str] = set()
        self._used: set[bytes] = set()

    def subscribe(self, name: str, public_key: str) -> str:
        """A browser's subscription for the sender with this VAPID public key: the device token's text."""
        browser = Browser(generate_private_key(SECP256R1()), secrets.token_bytes(16), public_key)
        self._browsers[name] = browser
        self._gone.discard(name)
        keys = {"p256dh": _base64(_point(browser.private_key)), "auth": _base64(browser.auth)}
        endpoint = f"{self.origin}{PREFIX}{name}"
        return msgspec.json.encode({"endpoint": endpoint, "expirationTime": None, "keys": keys}).decode()

    def unsubscribe(self, name: str) -> None:
        """Make a subscription expire: 410 from now on."""
        self._gone.add(name)

    async def handle(self, request: Request) -> Answer:
        """Answer one push."""
        name = request.route.removeprefix(PREFIX)
        answer = self._answer(request, name)
        self._note(name, answer)
        return answer

    def _answer(self, request: Request, name: str) -> Answer:
        if request.method != "POST":
            return Reply(405, (("allow", "POST"),))
        browser = self._browsers.get(name)
        if browser is None or not request.route.startswith(PREFIX):
            return refusal(self.mode, Wrong.UNKNOWN)
        if name in self._gone:
            return refusal(self.mode, Wrong.GONE)
        text = self._judged(request, browser)
        if isinstance(text, Wrong):
            return refusal(self.mode, text)
        return self._faults.answer(name, lambda: self._accept(request, name, text))

    def _judged(self, request: Request, browser: Browser) -> bytes | Wrong:
        """The plain text, or the first thing that is wrong."""
        wrong = _wrong_header(request, self.mode) or self._wrong_sender(request, browser)
        if wrong:
            return wrong
        if request.headers.get("content-encoding", "aes128gcm" if not request.body else "") != "aes128gcm":
            return Wrong.ENCODING
        if len(request.body) > MOST_BYTES:
            return Wrong.TOO_LARGE
        if not request.body:
            return b""
        text = None if _material(request) in self._used else decrypted(request.body, browser)
        return Wrong.ENCRYPTION if text is None else text

    def _wrong_sender(self, request: Request, browser: Browser) -> Wrong | None:
        scheme, _, parameters = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "vapid":
            return Wrong.NO_VAPID
        given = {name: value for part in parameters.split(",") for name, value in _PARAMETER.findall(part)}
        if not self._signed(given.get("t", ""), given.get("k", "")):
            return Wrong.VAPID
        return None if given["k"].rstrip("=") == browser.public_key else Wrong.OTHER_KEY

    def _signed(self, token: str, key: str) -> bool:
        try:
            point = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), _unbase64(key))
            claims = jwt.decode(token, point, ["ES256"], options=SIGNATURE_ONLY)
        except (ValueError, jwt.InvalidTokenError):
            return False
        return self._claimed(claims)

    def _claimed(self, claims: dict[str, Any]) -> bool:
        """RFC 8292, section 2."""
        now, expiry, subject = self._clock() // SECOND, claims.get("exp"), claims.get("sub")
        lasting = isinstance(expiry, int) and now < expiry <= now + MOST_TOKEN_SECONDS
        named = isinstance(subject, str) and _SUBJECT.fullmatch(subject) is not None
        return lasting and named and claims.get("aud") == self.origin

    def _accept(self, request: Request, name: str, text: bytes) -> Reply:
        if request.body:
            self._used.add(_material(request))
        identity = f"{self.origin}/m/{secrets.token_hex(8)}"
        kept = {field: value for field, value in request.headers.items() if field in _KEPT}
        self.record.add(AcceptedWebPush(name, text, _object(text), kept, self._clock(), identity))
        headers = [("location", identity), ("ttl", request.headers["ttl"])]
        if self.mode is Mode.WINDOWS:
            headers += [("x-wns-status", "received"), ("x-wns-msg-id", identity.rpartition("/")[2])]
        return Reply(201, tuple(headers))


_HTML = Reply(502, (("content-type", "text/html"),), b"<html><title>Error 502</title></html>")


ALL_ERRNOS = {
    **dict.fromkeys(("101", "108", "110", "111", "112", "113", "114"), 400),
    "109": 401,
    "102": 404,
    **dict.fromkeys(("103", "105", "106"), 410),
    "104": 413,
    "999": 500,
    **dict.fromkeys(("900", "901", "902", "903"), 502),
    **dict.fromkeys(("201", "202"), 503),
}
"""Every number of Mozilla's → HTTP status."""

ALL_REASONS = {
    **dict.fromkeys(
        (
            "BadTtl",
            "BadUrgency",
            "BadWebPushRequest",
            "BadWebPushTopic",
            "VapidPkHashMismatch",
            "UnauthorizedRegistration",
        ),
        400,
    ),
    **dict.fromkeys(("BadJwtToken", "BadVapidPublicKey"), 403),
    "PayloadTooLarge": 413,
    "TooManyRequests": 429,
}
"""Every reason of Apple's → HTTP status."""


def codes_of(mode: Mode) -> dict[str, Reply]:
    """What a browser's name can ask for by `code`: statuses, Mozilla's numbers, Apple's reasons."""
    known: dict[str, Reply] = {}
    if mode is Mode.MOZILLA:
        known = {
            number: json_reply(status, {"code": status, "errno": int(number), "message": "Refused"})
            for number, status in ALL_ERRNOS.items()
        }
    if mode is Mode.APPLE:
        known = {reason: json_reply(status, {"reason": reason}) for reason, status in ALL_REASONS.items()}
    return by_code(known, lambda status: Reply(status))


def refusal(mode: Mode, wrong: Wrong) -> Reply:
    """The answer to what is wrong, as the service says it."""
    headers = (("retry-after", "1"),) if wrong is Wrong.TOO_MANY else ()
    if mode is Mode.APPLE:
        status, reason = REASONS[wrong]
        return json_reply(status, {"reason": reason}, *headers)
    if mode is Mode.MOZILLA and wrong in ERRNOS:
        status = 401 if wrong is Wrong.OTHER_KEY else STATUSES[wrong]
        return json_reply(status, {"code": status, "errno": ERRNOS[wrong], "message": wrong.value})
    if mode is Mode.WINDOWS and wrong is Wrong.TOO_MANY:
        return Reply(406, headers)
    status, text = STATUSES[wrong], ""
    if mode is Mode.GOOGLE:
        status, text = TEXTS.get(wrong, (status, text))
    return Reply(status, (("content-type", "text/plain; charset=utf-8"), *headers), text.encode())


def decrypted(body: bytes, browser: Browser) -> bytes | None:
    """The plain text of one record (RFC 8291); None when it is not for this browser or malformed."""
    salt, size, point = body[:_SALT_BYTES], int.from_bytes(body[16:20]), body[21:_HEADER_BYTES]
    record = body[_HEADER_BYTES:]
    if body[20:21] != bytes([_POINT_BYTES]) or size < _LEAST_RECORD or not record or len(record) > size:
        return None
    try:
        sender = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
        shared = browser.private_key.exchange(ECDH(), sender)
        info = b"WebPush: info\0" + _point(browser.private_key) + point
        secret = _derived(browser.auth, shared, info, 32)
        key = _derived(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derived(salt, secret, b"Content-Encoding: nonce\0", 12)
        padded = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0")
    except (ValueError, InvalidTag):
        return None
    return padded[:-1] if padded.endswith(b"\x02") else None


def _material(request: Request) -> bytes:
    """The salt and the sender's key: together they may be used once."""
    return request.body[:_SALT_BYTES] + request.body[21:_HEADER_BYTES]


def _wrong_header(request: Request, mode: Mode) -> Wrong | None:
    ttl = request.headers.get("ttl")
    if ttl is None:
        return Wrong.TTL_MISSING
    if not re.fullmatch("-?[0-9]{1,10}", ttl):
        return Wrong.TTL
    if int(ttl) < 0:
        return Wrong.TTL_NEGATIVE
    if request.headers.get("urgency", "normal") not in _URGENCIES:
        return Wrong.URGENCY
    topic = request.headers.get("topic", "AAAA")
    if not _TOPIC.fullmatch(topic) or (mode is Mode.APPLE and len(topic) % 4):
        return Wrong.TOPIC
    return None


def _derived(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


def _object(text: bytes) -> Json:
    try:
        document = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _point(key: EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _base64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def _unbase64(text: str) -> bytes:
    return urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
