"""A strict stand-in of Pusher Beams: publishing to users and to interests.

https://pusher.com/docs/beams/reference/publish-api/
https://pusher.com/docs/beams/reference/webhooks
"""

import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import msgspec

from clarion.model.clock import Clock, Millis, iso, system_clock
from clarion.model.http import Received
from clarion.model.push import Json
from clarion.testing.callbacks import json_call
from clarion.testing.emulator import Emulator
from clarion.testing.exchange import Answer, Reply, Request, json_reply
from clarion.testing.faults import Faults, Word, by_code, spelled

PREFIX = "/publish_api/"
DOMAIN = ".pushnotifications.pusher.com"
MOST_USERS, MOST_INTERESTS = 1000, 100
MOST_LENGTH = 164
"""Bytes of a user id, characters of an interest."""
MOST_BYTES = {"users": 200 * 1024, "interests": 10 * 1024}
MOST_WEB_SECONDS = 2_419_200

_PUBLISH = re.compile(r"/publish_api/v1/instances/([^/]+)/publishes/(users|interests)")
_INTEREST = re.compile(r"[A-Za-z0-9_\-=@,.;]{1,164}")
_URL = re.compile(r"https?://[^\s/]+\S*")


def _error(
    status: int, title: str, description: str = "", headers: tuple[tuple[str, str], ...] = ()
) -> Reply:
    return json_reply(status, {"error": title, "description": description or title}, *headers)


_UNAUTHORIZED = _error(401, "Unauthorized", "Incorrect API Key")
_DOWN = _error(503, "Service Unavailable")

CODES = by_code({}, lambda status: _error(status, f"Error {status}"))
"""What a user id can ask for by `code`: statuses, for Beams has no codes."""

REFUSALS: dict[Word, Reply] = {
    Word.MALFORMED: _error(422, "Unprocessable Entity", "users.0: is not valid"),
    Word.OTHERSENDER: _UNAUTHORIZED,
    Word.IOSNOKEY: _error(402, "Payment Required", "The limits of the plan are exceeded"),
    Word.THROTTLED: _error(429, "Rate Limited", headers=(("retry-after", "1"),)),
    Word.FLAKY: _DOWN,
    Word.DOWN: _DOWN,
    Word.HTML: Reply(502, (("content-type", "text/html"),), b"<html><title>Error 502</title></html>"),
}
"""The fault words that Beams answers with an error. It takes a `dead` user, for it never says who has no
device."""


class AcceptedPublish(msgspec.Struct, frozen=True):
    """A publish Beams took: its users or interests, and the body as sent."""

    tokens: tuple[str, ...]
    message: Json
    at: Millis
    id: str


class BeamsEmulator(Emulator[AcceptedPublish]):
    """One Beams instance. Fault words are looked for in the first user or interest that has one."""

    def __init__(
        self,
        instance_id: str | None = None,
        secret_key: str | None = None,
        *,
        unavailable_retry_after: int | None = None,
        clock: Clock = system_clock,
    ) -> None:
        super().__init__(Faults(REFUSALS, unavailable_retry_after, CODES), clock)
        self.instance_id = instance_id or str(uuid4())
        self.secret_key = secret_key or secrets.token_hex(32).upper()
        self.callback_secret = secrets.token_hex(16)

    def credentials(self) -> dict[str, str]:
        """What an integration needs to send through this emulator."""
        return {"instanceId": self.instance_id, "secretKey": self.secret_key}

    def callback_credentials(self) -> dict[str, str]:
        """What an integration needs besides to believe this emulator's webhook."""
        return {"callbackSecret": self.callback_secret}

    def attempt(
        self, publish: AcceptedPublish, no_devices: Sequence[str] = (), failed: Sequence[str] = ()
    ) -> Received:
        """The call that sums up a publish; users who aren't named were reached."""
        missed = {*no_devices, *failed}
        reached = [user for user in publish.tokens if user not in missed]
        lists = {"users_delivered_to_gateway": reached, "users_no_devices": list(no_devices)}
        lists |= {"users_gateway_failed": list(failed)}
        return self._call("v1.PublishToUsersAttempt", publish, lists)

    def acknowledged(self, publish: AcceptedPublish, user: str) -> Received:
        """The call that tells that a push reached a user's phone."""
        return self._call("v1.UserNotificationAcknowledgement", publish, {"user_id": user})

    def opened(self, publish: AcceptedPublish, user: str) -> Received:
        """The call that tells that a user opened a push."""
        return self._call("v1.UserNotificationOpen", publish, {"user_id": user})

    def _call(self, event: str, publish: AcceptedPublish, said: Json) -> Received:
        names = {"created_at": iso(self._clock()), "event_type": event, "event_id": str(uuid4())}
        body = {
            "payload": {"instance_id": self.instance_id, "publish_id": publish.id, **said},
            "metadata": {**names, "product": "beams"},
            "custom_data": {},
        }
        call = json_call(body, {"user-agent": "pusher-webhooks", "webhook-event-type": event})
        mac = hmac.digest(self.callback_secret.encode(), call.body, "sha1").hex()
        headers = {"webhook-request-id-uuid": str(uuid4()), "webhook-signature": mac}
        return Received({**call.headers, **headers}, call.body)

    async def handle(self, request: Request) -> Answer:
        """Answer a publish."""
        tokens, answer = self._answer(request)
        self._note(_decisive(tokens), answer)
        return answer

    def _answer(self, request: Request) -> tuple[list[str], Answer]:
        """Whom it is for, as far as that is known, and the answer."""
        place = _PUBLISH.fullmatch(request.route)
        if place is None or request.method != "POST":
            return [], _error(404, "Not found", "There is no such endpoint")
        instance, kind = place.groups()
        body = _read(request, instance, kind)
        if isinstance(body, Reply):
            return [], body
        tokens = _texts(body, kind)
        refusal = self._not_allowed(request, instance) or _unprocessable(body, kind)
        return tokens, refusal or self._take(tokens, body)

    def _not_allowed(self, request: Request, instance: str) -> Reply | None:
        if request.headers["authorization"] != f"Bearer {self.secret_key}":
            return _UNAUTHORIZED
        host = request.headers.get("host", "")
        if instance != self.instance_id or (host.endswith(DOMAIN) and host != instance + DOMAIN):
            return _error(404, "Instance not found")
        return None

    def _take(self, tokens: list[str], body: Json) -> Answer:
        def accept() -> Reply:
            identity = f"pubid-{uuid4()}"
            self.record.add(AcceptedPublish(tuple(tokens), body, self._clock(), identity))
            return json_reply(200, {"publishId": identity})

        token = _decisive(tokens)
        fault = spelled(token)
        return accept() if fault and fault.word is Word.DEAD else self._faults.answer(token, accept)


def _read(request: Request, instance: str, kind: str) -> Json | Reply:
    """The body as an object, or what Beams says before it looks at the key."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return _error(400, "Invalid content type", "Content-Type must be application/json")
    if not instance or not request.headers.get("authorization"):
        return _error(400, "Incomplete Request", "Instance id or Authorization header is missing")
    if len(request.body) > MOST_BYTES[kind]:
        return _error(400, "Bad request", "Body size too large")
    try:
        body = msgspec.json.decode(request.body)
    except (ValueError, RecursionError):
        body = None
    return body if isinstance(body, dict) else _error(400, "Bad request", "Body is not a JSON object")


def _decisive(tokens: list[str]) -> str:
    return next((token for token in tokens if spelled(token)), tokens[0] if tokens else "")


def _texts(body: Json, kind: str) -> list[str]:
    listed = body.get(kind)
    return [entry for entry in listed if isinstance(entry, str)] if isinstance(listed, list) else []


def _unprocessable(body: Json, kind: str) -> Reply | None:
    problems = _problems(body, kind)
    return _error(422, "Unprocessable Entity", "; ".join(problems)) if problems else None


Check = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _url(value: Any) -> bool:
    return isinstance(value, str) and _URL.fullmatch(value) is not None


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _seconds(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_WEB_SECONDS


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _data(value: Any) -> bool:
    return isinstance(value, dict) and "pusher" not in value


def _text_data(value: Any) -> bool:
    return _data(value) and all(isinstance(entry, str) for entry in value.values())


def _alert(value: Any) -> bool:
    return isinstance(value, str | dict)


_FCM_NOTIFICATION = dict.fromkeys(
    ("title", "body", "android_channel_id", "click_action", "color", "icon", "sound", "tag", "image"), _text
)
_WEB_NOTIFICATION: dict[str, Check] = {
    "title": _text,
    "body": _text,
    "icon": _url,
    "deep_link": _url,
    "hide_notification_if_site_has_focus": _flag,
}
FIELDS: dict[str, dict[str, Check]] = {
    "fcm": {
        "notification": _object,
        "data": _text_data,
        "time_to_live": _seconds,
        "priority": lambda value: value in ("high", "normal"),
        "collapse_key": _text,
    },
    "fcm.notification": {**_FCM_NOTIFICATION},
    "web": {"notification": _object, "data": _data, "time_to_live": _seconds},
    "web.notification": _WEB_NOTIFICATION,
}
"""Every field of a block and what it may hold; `apns` is the app's own but for `aps`."""


def _problems(body: Json, kind: str) -> list[str]:
    problems = [
        f"{name}: Additional property is not allowed" for name in body if name not in (kind, *_BLOCKS)
    ]
    problems += _targets(body.get(kind), kind)
    blocks = {name: body[name] for name in _BLOCKS if name in body}
    problems += [f"{name}: must be an object" for name, block in blocks.items() if not _object(block)]
    if not blocks:
        problems.append("(root): at least one of apns, fcm and web is required")
    for path in FIELDS:
        problems += _wrong(path, _at(body, path))
    return problems + _apns(body.get("apns"))


_BLOCKS = ("apns", "fcm", "web")


def _targets(listed: Any, kind: str) -> list[str]:
    most, right = (MOST_USERS, _user) if kind == "users" else (MOST_INTERESTS, _interest)
    if not isinstance(listed, list) or not 1 <= len(listed) <= most:
        return [f"{kind}: must be a list of 1 to {most}"]
    return [f"{kind}.{place}: is not valid" for place, entry in enumerate(listed) if not right(entry)]


def _user(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.encode()) <= MOST_LENGTH


def _interest(value: Any) -> bool:
    return isinstance(value, str) and _INTEREST.fullmatch(value) is not None


def _at(body: Json, path: str) -> Json:
    value: Any = body
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _wrong(path: str, block: Json) -> list[str]:
    known = FIELDS[path]
    return [f"{path}.{name}: is not valid" for name, value in block.items() if not _right(known, name, value)]


def _right(known: dict[str, Check], name: str, value: Any) -> bool:
    return name in known and known[name](value)


def _apns(block: Any) -> list[str]:
    if not isinstance(block, dict):
        return []
    aps = block.get("aps", {})
    problems = [] if isinstance(aps, dict) else ["apns.aps: must be an object"]
    if isinstance(aps, dict) and not _alert(aps.get("alert", "")):
        problems.append("apns.aps.alert: is not valid")
    return problems
