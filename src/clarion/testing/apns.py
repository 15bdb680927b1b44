"""A strict stand-in of the Apple Push Notification service with token authentication.

https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns

Reasons that begin with `Emulator` are not Apple's: no client may ever get one.
"""

import re
import secrets
from typing import Any, NamedTuple
from urllib.parse import unquote
from uuid import uuid4

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from clarion.model.clock import MINUTE, SECOND, Clock, Millis, system_clock
from clarion.model.push import Json
from clarion.providers.apns import TOPIC_SUFFIXES
from clarion.testing.emulator import Emulator
from clarion.testing.exchange import Answer, Delay, GoAway, Reply, Request, json_reply
from clarion.testing.faults import Faults, Word, by_code, spelled
from clarion.testing.signatures import SIGNATURE_ONLY

PATH = "/3/device/"
"""Every request's path begins with it."""

MOST_BYTES = 4096
MOST_VOIP_BYTES = 5120
MOST_COLLAPSE_BYTES = 64
MOST_TOKEN_AGE: Millis = 60 * MINUTE
LEAST_TOKEN_USE: Millis = 20 * MINUTE
MOST_AHEAD: Millis = MINUTE

PUSH_TYPES = frozenset({"alert", "background", "mdm", *TOPIC_SUFFIXES})
PRIORITIES = frozenset({"1", "5", "10"})

_TOKEN = re.compile("(?:[0-9a-f]{2}){8,200}")
_TOPIC = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SECONDS = re.compile("[0-9]{1,12}")
_ONCE = ("authorization", "apns-topic", "apns-push-type", "apns-id", "apns-expiration", "apns-priority")

CERTIFICATE = "Apple Push Services: "
"""How the name of an app's certificate begins."""

STATUS: dict[str, int] = {
    "BadCertificate": 403,
    "BadCertificateEnvironment": 403,
    "BadDeviceToken": 400,
    "BadEnvironmentKeyIdInToken": 403,
    "BadEnvironmentKeyInToken": 403,
    "BadPath": 404,
    "DeviceTokenNotForTopic": 400,
    "ExpiredProviderToken": 403,
    "ExpiredToken": 410,
    "Forbidden": 403,
    "InternalServerError": 500,
    "InvalidProviderToken": 403,
    "MethodNotAllowed": 405,
    "MissingProviderToken": 403,
    "PayloadTooLarge": 413,
    "ServiceUnavailable": 503,
    "Shutdown": 503,
    "TooManyProviderTokenUpdates": 429,
    "TooManyRequests": 429,
    "UnrelatedKeyIdInToken": 403,
    "Unregistered": 410,
}
"""Reason → HTTP status where it isn't 400."""


def _refusal(reason: str, *headers: tuple[str, str]) -> Reply:
    return json_reply(STATUS.get(reason, 400), {"reason": reason}, *headers)


_BAD_REQUESTS = (
    "BadCollapseId BadExpirationDate BadMessageId BadPriority BadTopic DuplicateHeaders IdleTimeout "
    "InvalidPushType MissingDeviceToken MissingTopic PayloadEmpty TopicDisallowed"
)
CODES = by_code(
    {reason: _refusal(reason) for reason in (*STATUS, *_BAD_REQUESTS.split())}, lambda status: Reply(status)
)
"""What a token can ask for by `code`."""

REFUSALS: dict[Word, Reply] = {
    Word.MALFORMED: _refusal("BadDeviceToken"),
    Word.OTHERSENDER: _refusal("DeviceTokenNotForTopic"),
    Word.IOSNOKEY: _refusal("InvalidProviderToken"),
    Word.THROTTLED: _refusal("TooManyRequests", ("retry-after", "1")),
    Word.FLAKY: _refusal("ServiceUnavailable"),
    Word.DOWN: _refusal("ServiceUnavailable"),
    Word.HTML: Reply(502, (("content-type", "text/html"),), b"<html><title>Bad gateway</title></html>"),
}
"""The fault words that APNs answers with an error; `dead` is 410 Unregistered with the present time."""


class AcceptedPush(msgspec.Struct, frozen=True):
    """A push APNs took. Headers are as sent, empty when they were not; `id` is the apns-id."""

    token: str
    message: Json
    at: Millis
    id: str
    topic: str
    push_type: str
    priority: str
    expiration: str
    collapse_id: str


class Device(NamedTuple):
    """A registered token; `dead_at` once it is gone, with the reason APNs gives."""

    app: str
    production: bool
    dead_at: Millis | None = None
    reason: str = "Unregistered"


class SigningKey(NamedTuple):
    """A .p8 key. `production` and `apps` limit it; None doesn't."""

    id: str
    team: str
    private: ec.EllipticCurvePrivateKey
    production: bool | None
    apps: frozenset[str] | None


class _Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a provider token says; `iat` in seconds."""

    iss: str
    iat: int


class _Refused(Exception):
    """A request that gets the reason as its answer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ApnsEmulator(Emulator[AcceptedPush]):
    """One environment of APNs, the sandbox unless `production`, with one app of one team, more on demand.

    Every token that is hex digits is registered, unless `strict_registration`. Tokens with a fault word need
    not be hex. A push is accepted when its request is taken: a late answer (`slow`) doesn't mean that the
    device gets it late. `unavailable_retry_after` (seconds) goes with every 503; APNs sends none.
    """

    def __init__(
        self,
        app: str = "com.example.demo",
        *,
        production: bool = False,
        strict_registration: bool = False,
        unavailable_retry_after: int | None = None,
        clock: Clock = system_clock,
    ) -> None:
        super().__init__(Faults(REFUSALS, unavailable_retry_after, CODES), clock)
        self.app = app
        self.production = production
        self.strict_registration = strict_registration
        self._team = _identity()
        self._apps: dict[str, set[str]] = {}
        self._keys: dict[str, SigningKey] = {}
        self._devices: dict[str, Device] = {}
        self._provider_tokens: dict[int, tuple[str, Millis]] = {}
        self._own = self._made_key(self._team, app)

    def credentials(
        self,
        app: str | None = None,
        *,
        team: str | None = None,
        production: bool | None = None,
        only_apps: frozenset[str] | None = None,
    ) -> Json:
        """An integration's credentials that this emulator accepts.

        Without arguments they are always the same. Naming an app or a team makes that one known, under a new
        key; `production` and `only_apps` limit the key to an environment and to apps.
        """
        if (app, team, production, only_apps) == (None, None, None, None):
            return self._stored(self._own, self.app)
        named = app or self.app
        key = self._made_key(team or self._team, named, production, only_apps)
        return self._stored(key, named)

    def register(self, token: str, app: str | None = None, *, production: bool | None = None) -> None:
        """Make a token known, for this app and environment or for others."""
        where = self.production if production is None else production
        self._devices[token.lower()] = Device(app or self.app, where)

    def unregister(self, token: str, at: Millis | None = None, reason: str = "Unregistered") -> None:
        """Let a token be dead since `at`, now by default: 410 with that time."""
        known = self._devices.get(token.lower(), Device(self.app, self.production))
        dead_at = self._clock() if at is None else at
        self._devices[token.lower()] = known._replace(dead_at=dead_at, reason=reason)

    async def handle(self, request: Request) -> Answer:
        """Answer one push."""
        token = _token_of(request)
        apns_id = request.headers.get("apns-id") or str(uuid4())
        try:
            answer = self._judged(request, token, apns_id)
        except _Refused as refused:
            answer = _refusal(refused.reason)
        self._note(token, answer)
        return _stamped(answer, ("apns-id", apns_id))

    def _judged(self, request: Request, token: str, apns_id: str) -> Answer:
        _check_request(request, token)
        app = self._app(request)
        kind = request.headers.get("apns-push-type", "alert")
        _check_push_type(kind, request.headers["apns-topic"], app)
        _check_headers(request, kind)
        message = _checked_body(request.body, kind)
        if spelled(token) is None:
            gone = self._check_device(token, app)
            return gone or self._accept(request, token, apns_id, message)
        return self._faulty(request, token, apns_id, message)

    def _app(self, request: Request) -> str:
        """The app that is sent for, by the certificate of the connection or by the provider token."""
        topic = request.headers.get("apns-topic")
        if not request.peer or "authorization" in request.headers:
            return self._check_topic(topic, self._authenticated(request))
        app = request.peer.removeprefix(CERTIFICATE)
        if app == request.peer or app not in {name for names in self._apps.values() for name in names}:
            raise _Refused("BadCertificate")
        if topic is not None and not _is_topic_of(topic, app):
            raise _Refused("TopicDisallowed")
        return app

    def _authenticated(self, request: Request) -> SigningKey:
        """The key behind the provider token, which may not change twice in 20 minutes."""
        scheme, _, provider_token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not provider_token:
            raise _Refused("MissingProviderToken")
        key, claims = self._verified(provider_token)
        now = self._clock()
        if claims.iat * SECOND > now + MOST_AHEAD:
            raise _Refused("InvalidProviderToken")
        if claims.iat * SECOND < now - MOST_TOKEN_AGE:
            raise _Refused("ExpiredProviderToken")
        if key.production not in (None, self.production):
            raise _Refused("BadEnvironmentKeyIdInToken")
        self._check_updates(request.connection_id, provider_token, now)
        return key

    def _verified(self, provider_token: str) -> tuple[SigningKey, _Claims]:
        try:
            header = jwt.get_unverified_header(provider_token)
            key = self._keys[header["kid"]]
            said = jwt.decode(provider_token, key.private.public_key(), ["ES256"], options=SIGNATURE_ONLY)
            claims = msgspec.convert(said, _Claims)
        except (jwt.InvalidTokenError, KeyError, TypeError, msgspec.ValidationError):
            raise _Refused("InvalidProviderToken") from None
        if claims.iss != key.team:
            raise _Refused("InvalidProviderToken")
        return key, claims

    def _check_updates(self, connection: int, provider_token: str, now: Millis) -> None:
        last, since = self._provider_tokens.get(connection, ("", now - LEAST_TOKEN_USE))
        if provider_token == last:
            return
        if now - since < LEAST_TOKEN_USE:
            raise _Refused("TooManyProviderTokenUpdates")
        self._provider_tokens[connection] = provider_token, now

    def _check_topic(self, topic: str | None, key: SigningKey) -> str:
        """The app that the topic is of."""
        if not topic:
            raise _Refused("MissingTopic")
        if not _TOPIC.fullmatch(topic):
            raise _Refused("BadTopic")
        app = next((app for app in self._apps[key.team] if _is_topic_of(topic, app)), None)
        if app is None:
            raise _Refused("TopicDisallowed")
        if key.apps is not None and app not in key.apps:
            raise _Refused("UnrelatedKeyIdInToken")
        return app

    def _check_device(self, token: str, app: str) -> Reply | None:
        """The answer to a device that is gone; None when the push reaches it."""
        device = self._devices.get(token)
        unknown = device is None and self.strict_registration
        if unknown or not _TOKEN.fullmatch(token) or (device and device.production != self.production):
            raise _Refused("BadDeviceToken")
        if device is None:
            return None
        if device.app != app:
            raise _Refused("DeviceTokenNotForTopic")
        return None if device.dead_at is None else _gone(device.reason, device.dead_at)

    def _faulty(self, request: Request, token: str, apns_id: str, message: Json) -> Answer:
        asked = spelled(token)
        if asked is not None and asked.word is Word.DEAD:
            return _gone("Unregistered", self._clock())
        return self._faults.answer(token, lambda: self._accept(request, token, apns_id, message))

    def _accept(self, request: Request, token: str, apns_id: str, message: Json) -> Reply:
        headers = request.headers
        self.record.add(
            AcceptedPush(
                token=token,
                message=message,
                at=self._clock(),
                id=apns_id,
                topic=headers["apns-topic"],
                push_type=headers.get("apns-push-type", ""),
                priority=headers.get("apns-priority", ""),
                expiration=headers.get("apns-expiration", ""),
                collapse_id=headers.get("apns-collapse-id", ""),
            )
        )
        return Reply(200, () if self.production else (("apns-unique-id", str(uuid4())),))

    def _made_key(
        self,
        team: str,
        app: str,
        production: bool | None = None,
        apps: frozenset[str] | None = None,
    ) -> SigningKey:
        private = ec.generate_private_key(ec.SECP256R1())
        key = SigningKey(_identity(), team, private, production, apps)
        self._keys[key.id] = key
        self._apps.setdefault(team, set()).add(app)
        return key

    def _stored(self, key: SigningKey, app: str) -> Json:
        pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        ids = {"apiKey": key.id, "projectName": key.team, "applicationId": app}
        return {"secretKey": pem, **ids, "secure": self.production}


def _identity() -> str:
    """Ten characters, as key ids and team ids have."""
    return "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(10))


def _token_of(request: Request) -> str:
    """The path's token; the case of letters doesn't matter."""
    return unquote(request.path.removeprefix(PATH)).lower() if request.path.startswith(PATH) else ""


def _check_request(request: Request, token: str) -> None:
    if request.method != "POST":
        raise _Refused("MethodNotAllowed")
    if not request.path.startswith(PATH):
        raise _Refused("BadPath")
    if not token:
        raise _Refused("MissingDeviceToken")
    if any(", " in request.headers.get(name, "") for name in _ONCE):
        raise _Refused("DuplicateHeaders")
    if any(name != name.lower() for name in request.headers):
        raise _Refused("EmulatorHeaderCase")
    if "content-encoding" in request.headers:
        raise _Refused("EmulatorContentEncoding")


def _is_topic_of(topic: str, app: str) -> bool:
    return topic == app or topic.removeprefix(app) in TOPIC_SUFFIXES.values()


def _check_push_type(kind: str, topic: str, app: str) -> None:
    """A type of its own needs a topic of its own."""
    if kind not in PUSH_TYPES:
        raise _Refused("InvalidPushType")
    if topic != app + TOPIC_SUFFIXES.get(kind, ""):
        raise _Refused("TopicDisallowed")


def _check_headers(request: Request, kind: str) -> None:
    headers = request.headers
    priority = headers.get("apns-priority")
    if priority is not None and (priority not in PRIORITIES or (kind, priority) == ("background", "10")):
        raise _Refused("BadPriority")
    if not _SECONDS.fullmatch(headers.get("apns-expiration", "0")):
        raise _Refused("BadExpirationDate")
    if "apns-id" in headers and not _UUID.fullmatch(headers["apns-id"]):
        raise _Refused("BadMessageId")
    if len(headers.get("apns-collapse-id", "").encode()) > MOST_COLLAPSE_BYTES:
        raise _Refused("BadCollapseId")


def _checked_body(body: bytes, kind: str) -> Json:
    if not body:
        raise _Refused("PayloadEmpty")
    if len(body) > (MOST_VOIP_BYTES if kind == "voip" else MOST_BYTES):
        raise _Refused("PayloadTooLarge")
    try:
        message: Any = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        raise _Refused("EmulatorMalformedJson") from None
    if not isinstance(message, dict) or not _has_content(message, kind):
        raise _Refused("EmulatorMalformedJson")
    return message


def _has_content(message: Json, kind: str) -> bool:
    return isinstance(message.get("mdm"), str) if kind == "mdm" else isinstance(message.get("aps"), dict)


def _gone(reason: str, at: Millis) -> Reply:
    return json_reply(410, {"timestamp": at, "reason": reason})


def _stamped(answer: Answer, header: tuple[str, str]) -> Answer:
    """The answer with one more header; a connection that ends instead has none."""
    match answer:
        case Reply():
            return Reply(answer.status, (*answer.headers, header), answer.body)
        case GoAway():
            then = answer.then
            return GoAway(Reply(then.status, (*then.headers, header), then.body))
        case Delay():
            return Delay(answer.seconds, _stamped(answer.then, header))
    return answer
