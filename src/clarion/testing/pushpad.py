"""A strict stand-in of Pushpad: sending a notification, and its statistics.

https://pushpad.xyz/docs/rest_api
"""

import re
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from clarion.model.clock import DAY, Clock, Millis, system_clock
from clarion.model.push import Json
from clarion.testing.emulator import Emulator
from clarion.testing.exchange import Answer, Reply, Request, json_reply
from clarion.testing.faults import Faults, Word, by_code, spelled

PREFIX = "/api/v1/"
MOST_AHEAD: Millis = 5 * DAY
MOST_METRICS = 3

_SEND = re.compile(r"/api/v1/projects/([^/]+)/notifications")
_READ = re.compile(r"/api/v1/notifications/([0-9]+)")
_AUTHORIZATION = re.compile(r'Bearer (\S+)|Token token="([^"]+)"')
_FIRST_ID = 1000


def _refused(field: str, text: str) -> Reply:
    return json_reply(422, {"errors": {field: [text]}})


_DOWN = json_reply(503, {"error": "unavailable"})

CODES = by_code({}, lambda status: json_reply(status, {"error": f"error {status}"}))
"""What a uid can ask for by `code`: statuses, for Pushpad has no codes."""

REFUSALS: dict[Word, Reply] = {
    Word.MALFORMED: _refused("uids", "is invalid"),
    Word.OTHERSENDER: Reply(403),
    Word.IOSNOKEY: Reply(402),
    Word.THROTTLED: Reply(429, (("retry-after", "1"),)),
    Word.FLAKY: _DOWN,
    Word.DOWN: _DOWN,
    Word.HTML: Reply(502, (("content-type", "text/html"),), b"<html><title>Error 502</title></html>"),
}
"""The fault words that Pushpad answers with an error. A `dead` uid is left out of the answer's `uids`."""


class AcceptedNotification(msgspec.Struct, frozen=True):
    """A notification Pushpad took. `tokens` are the uids asked for, `message` its content as sent."""

    tokens: tuple[str, ...]
    message: Json
    at: Millis
    id: str


class PushpadEmulator(Emulator[AcceptedNotification]):
    """One Pushpad account with one project; every uid has one browser, unless its text says `dead`.

    What would have gone to everybody is refused and counted in `broadcasts`. Fault words are looked for
    in the first uid that has one.
    """

    def __init__(
        self,
        project_id: str = "8123",
        auth_token: str | None = None,
        *,
        unavailable_retry_after: int | None = None,
        clock: Clock = system_clock,
    ) -> None:
        super().__init__(Faults(REFUSALS, unavailable_retry_after, CODES), clock)
        self.project_id = project_id
        self.auth_token = auth_token or secrets.token_hex(16)
        self.other_projects: set[str] = set()
        self.broadcasts = 0

    def credentials(self) -> dict[str, str]:
        """What an integration needs to send through this emulator."""
        return {"applicationId": self.project_id, "apiKey": self.auth_token}

    def reset(self) -> None:
        """Forget notifications, attempts, broadcasts and used-up faults."""
        super().reset()
        self.broadcasts = 0

    async def handle(self, request: Request) -> Answer:
        """Answer a send, or a question about a notification."""
        if request.method == "GET":
            return self._not_authorized(request) or self._statistics(request)
        uids, answer = self._answer(request)
        self._note(_decisive(uids), answer)
        return answer

    def _answer(self, request: Request) -> tuple[list[str], Answer]:
        """Whom it is for, as far as that is known, and the answer."""
        refusal = self._not_authorized(request) or self._not_found(request)
        if refusal is not None:
            return [], refusal
        body = _parsed(request)
        if body is None:
            return [], _NO_OBJECT
        uids = _listed(body.get("uids"))
        if not uids and not _listed(body.get("tags")):
            self.broadcasts += 1
            return [], _refused("uids", "are missing: this would go to everybody")
        problem = next(_problems(body, self._clock()), None)
        return uids, problem or self._take(uids, body)

    def _not_authorized(self, request: Request) -> Reply | None:
        given = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        return None if given and self.auth_token in given.groups() else Reply(401)

    def _not_found(self, request: Request) -> Reply | None:
        place = _SEND.fullmatch(request.route)
        if place is None or request.method != "POST":
            return Reply(404)
        if place[1] in self.other_projects:
            return Reply(403)
        return None if place[1] == self.project_id else Reply(404)

    def _take(self, uids: list[str], body: Json) -> Answer:
        token = _decisive(uids)
        fault = spelled(token)
        if fault and fault.word is Word.DEAD:
            return self._accept(uids, body)
        return self._faults.answer(token, lambda: self._accept(uids, body))

    def _accept(self, uids: list[str], body: Json) -> Reply:
        identity = _FIRST_ID + len(self.record.entries)
        self.record.add(AcceptedNotification(tuple(uids), body, self._clock(), str(identity)))
        if "send_at" in body:
            return json_reply(201, {"id": identity, "send_at": body["send_at"]})
        reached = [uid for uid in uids if not _dead(uid)]
        return json_reply(201, {"id": identity, "scheduled": len(reached), "uids": reached})

    def _statistics(self, request: Request) -> Reply:
        place = _READ.fullmatch(request.route)
        found = next((entry for entry in self.messages if place and entry.id == place[1]), None)
        if found is None:
            return Reply(404)
        reached = sum(1 for uid in found.tokens if not _dead(uid))
        counts = {"scheduled_count": reached, "successfully_sent_count": reached, "opened_count": 0}
        return json_reply(200, {"id": int(found.id), **counts})


_NO_OBJECT = json_reply(400, {"error": "the body is no JSON object"})


def _parsed(request: Request) -> Json | None:
    """The content with its uids and tags, from either form of body; None when there is none."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return None
    try:
        body = msgspec.json.decode(request.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict):
        return None
    wrapped = body.get("notification")
    if not isinstance(wrapped, dict):
        return body
    return wrapped | {name: body[name] for name in ("uids", "tags") if name in body}


def _decisive(uids: list[str]) -> str:
    return next((uid for uid in uids if spelled(uid)), uids[0] if uids else "")


def _dead(uid: str) -> bool:
    fault = spelled(uid)
    return fault is not None and fault.word is Word.DEAD


def _listed(value: Any) -> list[str]:
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) and entry for entry in value)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _url(value: Any) -> bool:
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
    except ValueError:
        return False
    return parts is not None and parts.scheme in ("http", "https") and bool(parts.netloc)


def _seconds(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _actions(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) and _action(entry) for entry in value)


def _action(entry: Json) -> bool:
    named = {"title", "target_url", "icon", "action"}
    return _text(entry.get("title")) and set(entry) <= named and all(map(_text, entry.values()))


FIELDS: dict[str, Callable[[Any], bool]] = {
    "body": lambda value: isinstance(value, str) and bool(value.strip()),
    "title": _text,
    **dict.fromkeys(("target_url", "icon_url", "badge_url", "image_url"), _url),
    "ttl": _seconds,
    **dict.fromkeys(("require_interaction", "silent", "urgent", "starred"), _flag),
    "custom_data": _text,
    "actions": _actions,
    "send_at": _text,
    "custom_metrics": lambda value: _texts(value) and len(value) <= MOST_METRICS,
    "uids": _texts,
    "tags": _texts,
}
"""Every field of a notification and what it may hold."""


def _problems(body: Json, now: Millis) -> Iterator[Reply]:
    if "body" not in body:
        yield _refused("body", "can't be blank")
    for name, value in body.items():
        if name not in FIELDS:
            yield _refused(name, "is unknown")
        elif not FIELDS[name](value):
            yield _refused(name, "is invalid")
        elif name == "send_at" and not _soon(value, now):
            yield _refused(name, "must be ISO 8601 and at most 5 days ahead")


def _soon(value: str, now: Millis) -> bool:
    try:
        return datetime.fromisoformat(value).timestamp() * 1000 <= now + MOST_AHEAD
    except ValueError:
        return False
