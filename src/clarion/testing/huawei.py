"""A strict stand-in of Huawei Push Kit v1 and of the account server it needs.

https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197
https://developer.huawei.com/consumer/en/doc/HMSCore-References-V5/https-send-receipt-api-0000001051066120-V5/
"""

import base64
import hmac
import re
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import msgspec

from clarion.model.clock import MINUTE, SECOND, Clock, Millis, system_clock
from clarion.model.http import Received
from clarion.model.push import Json
from clarion.testing.callbacks import json_call
from clarion.testing.emulator import Emulator
from clarion.testing.exchange import Answer, Reply, Request, json_reply
from clarion.testing.faults import Faults, Word, by_code, spelled

TOKEN_PATH = "/oauth2/v3/token"  # noqa: S105 - a path
SEND_PATH = re.compile(r"/v1/([0-9]{1,64})/messages:send")
MOST_TOKENS = 1000
MOST_BYTES = 4096
MOST_SECONDS = 1_296_000
MOST_GRANTS = 1000
"""Access tokens in 5 minutes."""

_FORM = "application/x-www-form-urlencoded"
_INVALID = frozenset({Word.DEAD, Word.MALFORMED, Word.OTHERSENDER})
_TTL = re.compile(r"([0-9]{1,9})s")


def _coded(status: int, code: str, text: str, *headers: tuple[str, str]) -> Reply:
    return json_reply(status, {"code": code, "msg": text, "requestId": secrets.token_hex(12)}, *headers)


_FLOW = json_reply(503, {"error": "flow control"})

_KNOWN = (
    "80100001 80100003 80100004 80100013 80100016 80100017 80100018 80200001 80200003 80200005 80300002 "
    "80300007 80300008 80300010 80300011 80300013 80600003 81000001"
)
CODES = by_code(
    {code: _coded(400, code, "Refused") for code in _KNOWN.split()},
    lambda status: json_reply(status, {"error": f"error {status}"}),
)
"""What a token can ask for by `code`, for the whole request."""

REFUSALS: dict[Word, Reply] = {
    Word.IOSNOKEY: _coded(400, "80300002", "The app does not have the permission to send messages"),
    Word.THROTTLED: json_reply(503, {"error": "flow control"}, ("retry-after", "1")),
    Word.FLAKY: _coded(500, "81000001", "Internal error"),
    Word.DOWN: _coded(500, "81000001", "Internal error"),
    Word.HTML: Reply(502, (("content-type", "text/html"),), b"<html><title>Error 502</title></html>"),
}
"""The fault words that Huawei answers with an error for the whole request. `dead`, `malformed` and
`othersender` are invalid tokens, which it names."""


class AcceptedPush(msgspec.Struct, frozen=True):
    """A message Huawei took: the valid ones of its tokens (none for a topic), and `message` as sent."""

    tokens: tuple[str, ...]
    message: Json
    at: Millis
    id: str


class HuaweiEmulator(Emulator[AcceptedPush]):
    """One app. `grants` counts the access tokens issued; `revoke_all` makes them invalid."""

    def __init__(
        self,
        client_id: str = "104872311",
        client_secret: str | None = None,
        *,
        access_token_seconds: int = 3600,
        unavailable_retry_after: int | None = None,
        clock: Clock = system_clock,
    ) -> None:
        super().__init__(Faults(REFUSALS, unavailable_retry_after, CODES), clock)
        self.client_id = client_id
        self.client_secret = client_secret or secrets.token_hex(32)
        self.callback_user = "clarion"
        self.callback_key = secrets.token_hex(16)
        self.access_token_seconds = access_token_seconds
        self.grants = 0
        self._expiries: dict[str, Millis] = {}
        self._granted_at: deque[Millis] = deque()

    def credentials(self) -> dict[str, str]:
        """What an integration needs to send through this emulator."""
        return {"applicationId": self.client_id, "secretKey": self.client_secret}

    def callback_credentials(self) -> dict[str, str]:
        """What an integration needs besides to believe this emulator's receipts."""
        return {"callbackUser": self.callback_user, "callbackSecret": self.callback_key}

    def receipts(
        self, push: AcceptedPush, status: int = 0, *, second_version: bool = False, at: Millis | None = None
    ) -> Received:
        """The call that tells what became of a push on each of its devices."""
        now = self._clock() if at is None else at
        named = {"biTag": push.message.get("android", {}).get("bi_tag", ""), "requestId": push.id}
        said: Json = {"appid": self.client_id, "status": status, "timestamp": now}
        if second_version:
            said = {"pushType": 0, "deliveryStatus": {"result": status, "timestamp": now}}
        body = {"statuses": [{"token": token, **named, **said} for token in push.tokens]}
        return json_call(body, {"x-huawei-callback-id": self._signature(now)})

    def _signature(self, at: Millis) -> str:
        nonce = uuid4()
        text = f"{at}{nonce}{self.callback_user}"
        mac = base64.b64encode(hmac.digest(self.callback_key.encode(), text.encode(), "sha256")).decode()
        return f"timestamp={at}; nonce={nonce}; value={mac}"

    def revoke_all(self) -> None:
        """Make every access token issued so far invalid."""
        self._expiries.clear()

    async def handle(self, request: Request) -> Answer:
        """Answer a request to the token endpoint or to the send endpoint."""
        if request.route == TOKEN_PATH:
            return self._grant(request)
        tokens, answer = self._answer(request)
        self._note(_decisive(tokens), answer)
        return answer

    def _grant(self, request: Request) -> Reply:
        now = self._clock()
        while self._granted_at and self._granted_at[0] <= now - 5 * MINUTE:
            self._granted_at.popleft()
        if len(self._granted_at) >= MOST_GRANTS:
            return _FLOW
        refusal = self._not_granted(request)
        if refusal is not None:
            return refusal
        self._granted_at.append(now)
        self.grants += 1
        token = f"DQEB/{secrets.token_urlsafe(24)}+=="
        self._expiries[token] = now + self.access_token_seconds * SECOND
        answer = {"access_token": token, "expires_in": self.access_token_seconds, "token_type": "Bearer"}
        encoded = msgspec.json.encode(answer).replace(b"/", b"\\/")
        return Reply(200, (("content-type", "application/json"),), encoded)

    def _not_granted(self, request: Request) -> Reply | None:
        if request.method != "POST" or request.headers.get("content-type", "").partition(";")[0] != _FORM:
            return _no_grant(20001, "Form expected")
        form = {name: values[-1] for name, values in parse_qs(request.body.decode(errors="replace")).items()}
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        if form.get("grant_type") != "client_credentials":
            return _no_grant(20001, "grant_type expected")
        if not re.fullmatch("[0-9]{1,64}", client_id):
            return _no_grant(20002, "invalid client_id")
        if client_id != self.client_id:
            return _no_grant(20003, "unknown client_id")
        if not secret:
            return _no_grant(20171, "client_secret is missing")
        return None if secret == self.client_secret else _no_grant(12304, "invalid client_secret")

    def _answer(self, request: Request) -> tuple[list[str], Answer]:
        """Whom it is for, as far as that is known, and the answer."""
        refusal = self._not_allowed(request)
        if refusal is not None:
            return [], refusal
        body = _parsed(request)
        if isinstance(body, Reply):
            return [], body
        message = body["message"]
        tokens = message.get("token", [])
        return tokens, self._take(tokens, message, body.get("validate_only", False))

    def _not_allowed(self, request: Request) -> Reply | None:
        place = SEND_PATH.fullmatch(request.route)
        if place is None or request.method != "POST":
            return Reply(404)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        expiry = self._expiries.get(token) if scheme == "Bearer" else None
        if expiry is None or place[1] != self.client_id:
            return _coded(401, "80200001", "OAuth token is wrong")
        return None if self._clock() < expiry else _coded(401, "80200003", "OAuth token expired")

    def _take(self, tokens: list[str], message: Json, validate_only: bool) -> Answer:
        illegal = [token for token in tokens if _is_invalid(token)]
        valid = [token for token in tokens if token not in illegal]
        if tokens and not valid:
            return _coded(400, "80300007", "All the tokens are invalid")
        return self._faults.answer(
            _decisive(valid), lambda: self._accept(valid, illegal, message, validate_only)
        )

    def _accept(self, valid: list[str], illegal: list[str], message: Json, validate_only: bool) -> Reply:
        identity = f"{self._clock()}{len(self.record.entries):08d}"
        if not validate_only:
            self.record.add(AcceptedPush(tuple(valid), message, self._clock(), identity))
        told = {"success": len(valid), "failure": len(illegal), "illegal_tokens": illegal}
        code, text = ("80100000", msgspec.json.encode(told).decode()) if illegal else ("80000000", "Success")
        return json_reply(200, {"code": code, "msg": text, "requestId": identity})


def _no_grant(sub_error: int, description: str) -> Reply:
    return json_reply(400, {"error": 1101, "sub_error": sub_error, "error_description": description})


def _is_invalid(token: str) -> bool:
    fault = spelled(token)
    return fault is not None and fault.word in _INVALID


def _decisive(tokens: list[str]) -> str:
    return next((token for token in tokens if spelled(token)), tokens[0] if tokens else "")


def _parsed(request: Request) -> Json | Reply:
    """A request whose fields are right, or what Huawei says."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return _coded(400, "80100003", "Content-Type must be application/json")
    try:
        body = msgspec.json.decode(request.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("message"), dict):
        return _coded(400, "80300010", "message is missing")
    return next(_problems(body), body)


def _problems(body: Json) -> Iterator[Reply]:
    message = body["message"]
    targets = [name for name in ("token", "topic", "condition") if message.get(name) is not None]
    if len(targets) != 1:
        yield _coded(400, "80100003", "exactly one of token, topic and condition must be set")
    if "token" in targets and not _tokens(message["token"]):
        yield _coded(400, "80300010", "The number of tokens must be 1 to 1000")
    if not set(body) <= {"message", "validate_only"} or not _flag(body.get("validate_only", False)):
        yield _coded(400, "80100003", "unknown or wrong field")
    for path, known in FIELDS.items():
        yield from _wrong(path, known, _at(message, path))
    android = _at(message, "android")
    if "notification" in android and "click_action" not in _at(message, "android.notification"):
        yield _coded(400, "80100003", "android.notification.click_action is missing")
    if (
        len(msgspec.json.encode({key: value for key, value in message.items() if key != "token"}))
        > MOST_BYTES
    ):
        yield _coded(400, "80300008", "The message body is larger than 4096 bytes")


def _wrong(path: str, known: "dict[str, Check]", block: Json) -> Iterator[Reply]:
    for name, value in block.items():
        if name not in known or not known[name](value):
            place = f"{path}.{name}".lstrip(".")
            yield _coded(400, _CODES.get(place, "80100003"), f"{place} is wrong")


_CODES = {"android.ttl": "80100004", "android.collapse_key": "80100013"}


def _at(message: Json, path: str) -> Json:
    value: Any = message
    for name in path.split(".") if path else ():
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


Check = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _https(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("https://")


def _tokens(value: Any) -> bool:
    listed = isinstance(value, list) and all(isinstance(entry, str) and entry for entry in value)
    return listed and 1 <= len(value) <= MOST_TOKENS


def _between(lowest: int, highest: int) -> Check:
    def right(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest

    return right


def _one_of(*values: Any) -> Check:
    return lambda value: value in values and not isinstance(value, bool)


def _at_most(count: int) -> Check:
    return lambda value: isinstance(value, list) and len(value) <= count


def _matching(pattern: str) -> Check:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _ttl(value: Any) -> bool:
    given = _TTL.fullmatch(value) if isinstance(value, str) else None
    return given is not None and int(given[1]) <= MOST_SECONDS


def _click_action(value: Any) -> bool:
    if not isinstance(value, dict) or value.get("type") not in (1, 2, 3):
        return False
    needs = {1: value.get("intent") or value.get("action"), 2: _https(value.get("url")), 3: True}
    return bool(needs[value["type"]])


CATEGORIES = frozenset(
    {"IM", "VOIP", "SUBSCRIPTION", "TRAVEL", "HEALTH", "WORK", "ACCOUNT", "EXPRESS", "FINANCE", "MAIL"}
    | {"DEVICE_REMINDER", "MARKETING"}
)

_WORDS = dict.fromkeys(("title", "body", "tag", "channel_id", "notify_summary", "group", "ticker"), _text)
_MORE_WORDS = dict.fromkeys(("body_loc_key", "title_loc_key", "big_title", "big_body", "when"), _text)

FIELDS: dict[str, dict[str, Check]] = {
    "": {
        "token": _tokens,
        "topic": _text,
        "condition": _text,
        "data": _text,
        **dict.fromkeys(("notification", "android", "apns", "webpush"), _object),
    },
    "notification": {"title": _text, "body": _text, "image": _https},
    "android": {
        "collapse_key": _between(-1, 100),
        "urgency": _one_of("HIGH", "NORMAL"),
        "category": _one_of(*CATEGORIES),
        "ttl": _ttl,
        "bi_tag": _text,
        "fast_app_target": _one_of(1, 2),
        "data": _text,
        "receipt_id": _text,
        "target_user_type": _one_of(0, 1),
        "notification": _object,
    },
    "android.notification": {
        **_WORDS,
        **_MORE_WORDS,
        **dict.fromkeys(("icon", "sound"), _matching(r"/raw/.+")),
        "color": _matching("#[0-9a-fA-F]{6}"),
        **dict.fromkeys(
            ("default_sound", "foreground_show", "auto_clear", "use_default_vibrate", "use_default_light"),
            _flag,
        ),
        "click_action": _click_action,
        **dict.fromkeys(("body_loc_args", "title_loc_args", "vibrate_config"), _at_most(100)),
        **dict.fromkeys(("multi_lang_key", "light_settings"), _object),
        "image": _https,
        "style": _one_of(0, 1, 3),
        "inbox_content": _at_most(5),
        "buttons": _at_most(3),
        "notify_id": _between(0, 2**31 - 1),
        "badge": _object,
        "importance": _one_of("LOW", "NORMAL"),
        "visibility": _one_of("VISIBILITY_UNSPECIFIED", "PRIVATE", "PUBLIC", "SECRET"),
    },
    "android.notification.badge": {
        "add_num": _between(1, 99),
        "set_num": _between(0, 99),
        "class": _text,
    },
    "apns": {"headers": _object, "payload": _object, "hms_options": _object},
    "webpush": {"headers": _object, "notification": _object, "hms_options": _object},
}
"""Every field of a block of `message` and what it may hold."""
