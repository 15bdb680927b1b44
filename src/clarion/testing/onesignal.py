"""A strict stand-in of OneSignal's "create message", on its present address and on the older one.

https://documentation.onesignal.com/reference/push-notification
https://documentation.onesignal.com/docs/en/idempotent-notification-requests
https://documentation.onesignal.com/docs/en/event-streams
"""

import secrets
from collections import Counter, deque
from typing import Any
from uuid import UUID, uuid4

import msgspec
import structlog

from clarion.model.clock import DAY, SECOND, Clock, Millis, system_clock
from clarion.model.http import Received
from clarion.model.push import Json
from clarion.testing.callbacks import json_call
from clarion.testing.emulator import Emulator
from clarion.testing.exchange import Answer, Reply, Request, json_reply
from clarion.testing.faults import Faults, Word, by_code, spelled
from clarion.testing.onesignal_fields import (
    MOST_IDS,
    NO_APP_ID,
    RAW_TOKENS,
    SUBSCRIPTIONS,
    UUID_FORM,
    targets,
    trouble,
    unknown,
)

log = structlog.get_logger(__name__)

PATHS = frozenset({"/notifications", "/api/v1/notifications"})
REMEMBERED: Millis = 30 * DAY
"""How long an idempotency key is known."""

_DENIED = (
    "Access denied.  Please include an 'Authorization: ...' header with a valid API key "
    "(https://documentation.onesignal.com/docs/en/keys-and-ids#api-keys)."
)


def _refused(status: int, text: str, *headers: tuple[str, str]) -> Reply:
    return json_reply(status, {"errors": [text]}, *headers)


NOBODY = json_reply(200, {"id": "", "errors": ["All included players are not subscribed"]})
"""What a request gets whose subscriptions are all gone."""
EMPTY_ID = json_reply(200, {"id": ""})
"""For `OneSignalEmulator.script`: a 200 that sent nothing and doesn't say why."""

CODES = by_code({}, lambda status: _refused(status, f"Error {status}"))
"""What an id can ask for by `code`: statuses, for OneSignal has no codes."""

REFUSALS: dict[Word, Reply] = {
    Word.MALFORMED: _refused(400, "The id is not a valid UUID"),
    Word.THROTTLED: _refused(429, "API rate limit exceeded.", ("retry-after", "1")),
    Word.FLAKY: _refused(503, "Service temporarily unavailable"),
    Word.DOWN: _refused(503, "Service temporarily unavailable"),
    Word.HTML: Reply(502, (("content-type", "text/html"),), b"<html><title>502 Bad Gateway</title></html>"),
}
"""The fault words that a whole request is answered with. `iosnokey` is none: OneSignal accepts, and only
its dashboard tells."""

_GONE = frozenset({Word.DEAD, Word.OTHERSENDER})
_HARMLESS = frozenset({*_GONE, Word.IOSNOKEY})


def subscription_id(words: str) -> str:
    """A UUID that spells at most 16 letters, so that an id can ask for a fault: `phone-flaky-2`."""
    return str(UUID(bytes=words.encode().ljust(16, b"\0")))


def spelling(identity: str) -> str:
    """What a subscription id spells, else the id itself unless it is a UUID."""
    if not UUID_FORM.fullmatch(identity):
        return identity
    letters = UUID(identity).bytes.rstrip(b"\0")
    return letters.decode() if letters.isascii() and letters.decode().isprintable() else ""


class AcceptedPush(msgspec.Struct, frozen=True):
    """A message as it was sent, for one of its targets; `token` is empty for segments and filters."""

    token: str
    message: Json
    at: Millis
    id: str


class _User(msgspec.Struct, frozen=True):
    """How many subscriptions of a person may be notified, and how many may not."""

    live: int = 1
    opted_out: int = 0

    @property
    def missed(self) -> int:
        """How often an answer lists the person: at least once where nothing is live."""
        return self.opted_out if self.live else max(1, self.opted_out)


class OneSignalEmulator(Emulator[AcceptedPush]):
    """One app. Every subscription id and external id has a live subscription until it is told otherwise.

    Keys that begin with `os_v2_` go with the scheme Key, others with Basic. A repeated idempotency key gets
    the first answer again, is counted in `repeats` and sends nothing. Fields that OneSignal doesn't know
    and silently ignores are listed in `warnings`. `most_ids` is the number of ids of one request.
    `unavailable_retry_after` (seconds) goes with every 503.
    """

    def __init__(
        self,
        app_id: str = "3f8c1e52-7a4b-4d90-9e6f-1b2c3d4e5f60",
        api_key: str = "os_v2_app_demo0demo0demo0demo0demo0demo0",
        *,
        most_ids: int = MOST_IDS,
        unavailable_retry_after: int | None = None,
        clock: Clock = system_clock,
    ) -> None:
        super().__init__(Faults(REFUSALS, unavailable_retry_after, CODES), clock)
        self.app_id = app_id
        self.api_key = api_key
        self.callback_secret = secrets.token_hex(16)
        self.most_ids = most_ids
        self.repeats: Counter[str] = Counter()
        self.warnings: list[str] = []
        self._unsubscribed: set[str] = set()
        self._users: dict[str, _User] = {}
        self._answered: dict[str, tuple[Millis, Reply]] = {}
        self._script: deque[Answer] = deque()

    def subscribe(self, identity: str) -> None:
        """Make a subscription live again."""
        self._unsubscribed.discard(identity)

    def unsubscribe(self, identity: str) -> None:
        """Make a subscription id one that is not subscribed, as when the app is uninstalled."""
        self._unsubscribed.add(identity)

    def user(self, external_id: str, live: int, opted_out: int) -> None:
        """Say how many live and opted-out subscriptions an external id has."""
        self._users[external_id] = _User(live, opted_out)

    def script(self, *answers: Answer) -> None:
        """Answer the next requests so, whatever they say; nothing of them is accepted."""
        self._script.extend(answers)

    def callback_credentials(self) -> dict[str, str]:
        """What an integration needs besides to believe this emulator's event stream."""
        return {"callbackSecret": self.callback_secret}

    def event(self, push: AcceptedPush, kind: str) -> Received:
        """The call of an event stream that is set up as Clarion wants it, such as `message.push.clicked`."""
        aimed = "externalId" if "include_aliases" in push.message else "subscriptionId"
        ids = {"subscriptionId": str(uuid4()), "externalId": "", aimed: push.token}
        at = str(self._clock() // SECOND)
        body = {"kind": kind, "messageId": push.id, **ids, "timestamp": at}
        return json_call(body, {"authorization": f"Bearer {self.callback_secret}"})

    def reset(self) -> None:
        """Forget messages, attempts, keys, warnings, scripts and used-up faults; subscriptions stay."""
        super().reset()
        self.repeats.clear()
        self.warnings.clear()
        self._answered.clear()
        self._script.clear()

    async def handle(self, request: Request) -> Answer:
        """Answer a request to create a message."""
        message = _document(request)
        tokens = _named(message)
        answer = self._script.popleft() if self._script else self._judged(request, message, tokens)
        for token in tokens or [""]:
            self._note(token, answer)
        return answer

    def _judged(self, request: Request, message: Json, tokens: list[str]) -> Answer:
        """Address, content type, access, fields, key, fault words: in this order."""
        refusal = self._not_allowed(request, message)
        if refusal is not None:
            return refusal
        wrong = trouble(message, self.most_ids)
        if wrong:
            return _refused(400, wrong)
        self._warn(message)
        known = self._known_answer(message)
        if known is not None:
            return known
        ailing = next((spelling(token) for token in tokens if _fails_whole(token)), None)
        if ailing is None:
            return self._take(message, tokens)
        return self._faults.answer(ailing, lambda: self._take(message, tokens))

    def _not_allowed(self, request: Request, message: Json) -> Reply | None:
        if request.method != "POST" or request.route not in PATHS:
            return _refused(404, "Notification not found")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" or not message.get("app_id"):
            return _refused(400, NO_APP_ID)
        if not UUID_FORM.fullmatch(str(message["app_id"])):
            return _refused(400, "Incorrect app_id format")
        return None if self._authorized(request, message) else _refused(403, _DENIED)

    def _authorized(self, request: Request, message: Json) -> bool:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        wanted = "key" if self.api_key.startswith("os_v2_") else "basic"
        return (scheme.lower(), key, message["app_id"]) == (wanted, self.api_key, self.app_id)

    def _warn(self, message: Json) -> None:
        for name in unknown(message):
            self.warnings.append(name)
            log.warning("onesignal ignores a field", field=name)

    def _known_answer(self, message: Json) -> Reply | None:
        key = message.get("idempotency_key") or ""
        at, reply = self._answered.get(key, (0, None))
        if reply is None or self._clock() - at >= REMEMBERED:
            return None
        self.repeats[key] += 1
        return Reply(reply.status, (*reply.headers, ("idempotent-replayed", "true")), reply.body)

    def _take(self, message: Json, tokens: list[str]) -> Reply:
        """Sends to those who are subscribed and says who is not; remembered under the request's key."""
        reply = self._sent(message, tokens)
        if message.get("idempotency_key"):
            self._answered[message["idempotency_key"]] = (self._clock(), reply)
        return reply

    def _sent(self, message: Json, tokens: list[str]) -> Reply:
        reached = [token for token in tokens if self._reaches(message, token)]
        missed = self._missed(message, tokens)
        if tokens and not reached:
            return NOBODY if _by_id(message) else json_reply(200, {"id": "", "errors": missed})
        identity, at = str(uuid4()), self._clock()
        for token in reached or [""]:
            self.record.add(AcceptedPush(token, message, at, identity))
        errors = {"errors": missed} if missed else {}
        return json_reply(200, {"id": identity, "external_id": None} | errors)

    def _reaches(self, message: Json, token: str) -> bool:
        if _by_id(message):
            return token not in self._unsubscribed and not _gone(token)
        return self._user(token).live > 0

    def _missed(self, message: Json, tokens: list[str]) -> Json:
        """Subscriptions that are not subscribed; people once per subscription that is opted out."""
        if _by_id(message):
            gone = [token for token in tokens if not self._reaches(message, token)]
            return {"invalid_player_ids": gone} if gone else {}
        out = [token for token in tokens for _ in range(self._user(token).missed)]
        if not out or message.get("include_external_user_ids"):
            return {"invalid_external_user_ids": out} if out else {}
        given = {label: [i for i in out if i in ids] for label, ids in message["include_aliases"].items()}
        return {"invalid_aliases": {label: ids for label, ids in given.items() if ids}}

    def _user(self, external_id: str) -> _User:
        return self._users.get(external_id) or (_User(0, 1) if _gone(external_id) else _User())


def _by_id(message: Json) -> bool:
    """By subscription id or raw token, not by a person's name or by what people have in common."""
    return any(message.get(name) for name in (*SUBSCRIPTIONS, *RAW_TOKENS))


def _gone(token: str) -> bool:
    fault = spelled(spelling(token))
    return fault is not None and fault.word in _GONE


def _fails_whole(token: str) -> bool:
    fault = spelled(spelling(token))
    return fault is not None and fault.word not in _HARMLESS


def _document(request: Request) -> Json:
    """The JSON object of a body; empty when it is none."""
    try:
        document = msgspec.json.decode(request.body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _named(message: Json) -> list[str]:
    """The targets as far as they can be read, whether or not the message is right."""
    try:
        named: list[Any] = targets(message)
    except (TypeError, AttributeError):
        return []
    return [token for token in named if isinstance(token, str)]
