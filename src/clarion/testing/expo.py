"""A strict stand-in of the Expo Push Service: tickets at once, receipts later.

https://docs.expo.dev/push-notifications/sending-notifications/
https://github.com/expo/expo-server-sdk-node
"""

import re
import zlib
from collections import Counter, deque
from typing import Any
from uuid import uuid4

import msgspec

from clarion.model.clock import HOUR, MINUTE, SECOND, Clock, Millis, system_clock
from clarion.model.push import Json
from clarion.testing.emulator import Emulator
from clarion.testing.exchange import Answer, Delay, GoAway, Reply, Request, json_reply
from clarion.testing.expo_fields import inner, recipients, trouble
from clarion.testing.faults import Faults, Spelled, Word, by_code, code_key, spelled

PREFIX = "/--/api/v2/push/"
MOST_NOTIFICATIONS = 100
MOST_RECEIPTS = 1000
MOST_BYTES = 4096
MOST_BODY_BYTES = 4 * 1024 * 1024
MOST_UNDER_WAY = 6
"""Requests at once that Expo asks its clients to keep to."""
RECEIPTS_KEPT: Millis = 24 * HOUR

_RECEIPT_PART = re.compile(r"(^|[-_:])receipt([-_:]|$)", re.IGNORECASE)


def _failed(status: int, code: str, message: str, *headers: tuple[str, str], **more: Any) -> Reply:
    """Expo's envelope of a request that failed as a whole."""
    error = {"code": code, "type": "USER", "message": message, "isTransient": False} | more
    return json_reply(status, {"errors": [error | {"requestId": str(uuid4())}]}, *headers)


def _page(status: int) -> Reply:
    page = f"<html><title>Error {status}</title></html>".encode()
    return Reply(status, (("content-type", "text/html; charset=UTF-8"),), page)


_TOO_FAST = _failed(
    429,
    "TOO_MANY_REQUESTS",
    "Exceeded 600 notifications per second, please try again.",
    ("retry-after", "1"),
    isTransient=True,
)
_NO_BEARER = json_reply(401, {"error": "invalid_token", "error_description": "The bearer token is invalid"})
INTERNAL = _failed(
    500, "INTERNAL_SERVER_ERROR", "An unknown error occurred.", type="SYSTEM", isTransient=True
)
"""For `ExpoEmulator.script`: Expo's own trouble."""
FAILED_WITH_200 = msgspec.structs.replace(INTERNAL, status=200)
"""For `ExpoEmulator.script`: a 200 that holds errors nevertheless."""

CODES = by_code(
    {
        code: _failed(status, code, "Refused.", isTransient=status >= 429)
        for code, status in {
            "PUSH_TOO_MANY_EXPERIENCE_IDS": 400,
            "PUSH_TOO_MANY_NOTIFICATIONS": 400,
            "PUSH_TOO_MANY_RECEIPTS": 400,
            "VALIDATION_ERROR": 400,
            "API_ERROR": 400,
            "UNAUTHORIZED": 403,
            "TOO_MANY_REQUESTS": 429,
            "INTERNAL_SERVER_ERROR": 500,
        }.items()
    },
    _page,
)
"""What a token can ask for by `code`, for the whole request."""

ENTRIES = {
    code_key(code): code
    for code in (
        "DeviceNotRegistered",
        "MessageTooBig",
        "MessageRateExceeded",
        "MismatchSenderId",
        "InvalidCredentials",
        "InvalidProviderToken",
        "DeveloperError",
        "ExpoError",
        "ProviderError",
    )
}
"""What a token can ask for by `code` in its ticket, and by `receipt-code` in its receipt."""

REFUSALS: dict[Word, Reply] = {
    Word.THROTTLED: _TOO_FAST,
    Word.FLAKY: _page(503),
    Word.DOWN: _page(503),
    Word.HTML: _page(502),
}
"""The fault words that a whole request is answered with, whichever of its tokens has one."""

RECEIPT_ERRORS: dict[Word, str] = {
    Word.DEAD: "DeviceNotRegistered",
    Word.MALFORMED: "DeveloperError",
    Word.OTHERSENDER: "MismatchSenderId",
    Word.IOSNOKEY: "InvalidCredentials",
    Word.THROTTLED: "MessageRateExceeded",
    Word.DOWN: "ProviderError",
}
"""The words that a receipt can tell: `othersender` and `iosnokey` always, the others after `receipt`."""

_ONLY_IN_RECEIPTS = frozenset({Word.OTHERSENDER, Word.IOSNOKEY})
_IN_TICKETS = frozenset({Word.DEAD, Word.MALFORMED})


class AcceptedNotification(msgspec.Struct, frozen=True):
    """A message as it was sent, for one of its tokens; `id` is the ticket's."""

    token: str
    message: Json
    at: Millis
    id: str


class _Receipt(msgspec.Struct, frozen=True):
    """What there is to tell about a ticket; `error` is empty when it went well."""

    token: str
    at: Millis
    error: str


class ExpoEmulator(Emulator[AcceptedNotification]):
    """Expo projects, each token in one of them: in `project`, unless `register` says otherwise.

    Every well-formed token is registered, unless `strict_registration`. `secured` is "enhanced security":
    requests without a bearer token are refused too; one of `foreign_access_tokens`, those of other accounts,
    always is. Fault words stand inside the brackets of a token,
    `ExponentPushToken[flaky-2]`; after `receipt` (`ExponentPushToken[receipt-dead]`) the ticket is fine and
    the receipt is not. Receipts are there `receipt_delay` after the ticket, and for 24 hours.
    `unavailable_retry_after` (seconds) goes with every 503. `most_under_way` counts requests at once, those
    that are answered late (`slow`) included; Expo asks for at most 6.
    """

    def __init__(
        self,
        project: str = "@demo/app",
        access_token: str = "demo-expo-access-token",  # noqa: S107 - made up
        *,
        secured: bool = False,
        strict_registration: bool = False,
        receipt_delay: Millis = 15 * MINUTE,
        notifications_per_second: int = 600,
        unavailable_retry_after: int | None = None,
        clock: Clock = system_clock,
    ) -> None:
        super().__init__(Faults(REFUSALS, unavailable_retry_after, CODES), clock)
        self.project = project
        self.access_token = access_token
        self.foreign_access_tokens: set[str] = set()
        self.secured = secured
        self.strict_registration = strict_registration
        self.receipt_delay = receipt_delay
        self.notifications_per_second = notifications_per_second
        self.most_under_way = 0
        self._registered: dict[str, str] = {}
        self._gone: set[str] = set()
        self._receipts: dict[str, _Receipt] = {}
        self._script: deque[Answer] = deque()
        self._sent: Counter[tuple[Millis, str]] = Counter()
        self._busy_until: list[Millis] = []

    def register(self, token: str, project: str | None = None) -> None:
        """Make a token known, for this project or for another one."""
        self._registered[token] = project or self.project
        self._gone.discard(token)

    def unregister(self, token: str) -> None:
        """Make a token unknown, as some time after the app is uninstalled."""
        self._registered.pop(token, None)
        self._gone.add(token)

    def script(self, *answers: Answer) -> None:
        """Answer the next send requests so, whatever they say; nothing of them is accepted."""
        self._script.extend(answers)

    def reset(self) -> None:
        """Forget messages, attempts, receipts, scripts and used-up faults; registrations stay."""
        super().reset()
        self._receipts.clear()
        self._script.clear()
        self._sent.clear()
        self._busy_until.clear()
        self.most_under_way = 0

    async def handle(self, request: Request) -> Answer:
        """Answer a send or a receipts request."""
        match request.route.removeprefix(PREFIX):
            case "send":
                return self._counted(request)
            case "getReceipts":
                return self._not_allowed(request) or self._told(request)
        return _failed(404, "NOT_FOUND", "There is no such address.")

    def _counted(self, request: Request) -> Answer:
        messages = _messages_in(request)
        tokens = _tokens_in(messages)
        answer = self._script.popleft() if self._script else self._judged(request, messages, tokens)
        now = self._clock()
        self._busy_until = [end for end in self._busy_until if end > now] + [now + _lateness(answer)]
        self.most_under_way = max(self.most_under_way, len(self._busy_until))
        for token in tokens or [""]:
            self._note(token, answer)
        return answer

    def _not_allowed(self, request: Request) -> Reply | None:
        if request.method != "POST":
            return _failed(405, "METHOD_NOT_ALLOWED", "Use POST.")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return _failed(400, "VALIDATION_ERROR", "The content type must be application/json.")
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        foreign = bearer in self.foreign_access_tokens
        if scheme and (scheme.lower() != "bearer" or not (foreign or bearer == self.access_token)):
            return _NO_BEARER
        if foreign or (self.secured and not scheme):
            said = f"Insufficient permissions to send push notifications to {self.project}"
            return _failed(403, "UNAUTHORIZED", said)
        return None

    def _judged(self, request: Request, messages: list[Any] | None, tokens: list[str]) -> Answer:
        """Access, number, fields, project, speed, fault words: in this order."""
        refusal = self._not_allowed(request) or _wrong(messages, len(tokens)) or self._mixed(tokens)
        if refusal is None and self._too_fast(tokens):
            refusal = _TOO_FAST
        if refusal is not None or messages is None:
            return refusal or _failed(400, "VALIDATION_ERROR", "The body is no JSON.")

        def accept() -> Reply:
            return self._accept(messages, single=_is_single(request))

        ailing = next((inner(token) or "" for token in tokens if _fails_whole(token)), None)
        return accept() if ailing is None else self._faults.answer(ailing, accept)

    def _mixed(self, tokens: list[str]) -> Reply | None:
        projects: dict[str, list[str]] = {}
        for token in tokens:
            projects.setdefault(self._registered.get(token, self.project), []).append(token)
        if len(projects) < 2:
            return None
        said = "All push notification messages in the same request must be for the same project"
        return _failed(400, "PUSH_TOO_MANY_EXPERIENCE_IDS", said, details=projects)

    def _too_fast(self, tokens: list[str]) -> bool:
        """Counts what is let through, per project and second."""
        now = self._clock() // SECOND, self._registered.get(tokens[0], self.project)
        if now not in self._sent:
            self._sent = Counter({key: count for key, count in self._sent.items() if key[0] == now[0]})
        if self._sent[now] + len(tokens) > self.notifications_per_second:
            return True
        self._sent[now] += len(tokens)
        return False

    def _accept(self, messages: list[Json], *, single: bool) -> Reply:
        tickets = [self._ticket(message, token) for message in messages for token in recipients(message)]
        return json_reply(200, {"data": tickets[0] if single else tickets})

    def _ticket(self, message: Json, token: str) -> Json:
        fault = spelled(inner(token) or "")
        later = fault is not None and _in_receipt(token)
        if inner(token) is None or (fault and fault.word is Word.MALFORMED and not later):
            return _error_entry(token, "DeviceNotRegistered", named=False)
        if (fault and fault.word is Word.DEAD and not later) or not self._known(token):
            return _error_entry(token, "DeviceNotRegistered")
        if fault and fault.code in ENTRIES and not later:
            return _error_entry(token, ENTRIES[fault.code])
        if _size(message) > MOST_BYTES:
            return _error_entry(token, "MessageTooBig")
        ticket_id = str(uuid4())
        at = self._clock()
        error = _told_later(fault) if fault and later else ""
        self._receipts[ticket_id] = _Receipt(token, at, error)
        self.record.add(AcceptedNotification(token, message, at, ticket_id))
        return {"status": "ok", "id": ticket_id}

    def _known(self, token: str) -> bool:
        if token in self._registered:
            return True
        excused = spelled(inner(token) or "") is not None
        return token not in self._gone and (excused or not self.strict_registration)

    def _told(self, request: Request) -> Reply:
        ids = _ids_in(request)
        if ids is None:
            return _failed(400, "VALIDATION_ERROR", '"ids" must be an array of strings.')
        if len(ids) > MOST_RECEIPTS:
            said = f"The number of receipts must be at most {MOST_RECEIPTS} (received {len(ids)})"
            return _failed(400, "PUSH_TOO_MANY_RECEIPTS", said)
        now = self._clock()
        there = {
            ticket_id: _receipt_entry(receipt)
            for ticket_id in ids
            if (receipt := self._receipts.get(ticket_id))
            and self.receipt_delay <= now - receipt.at < RECEIPTS_KEPT
        }
        return json_reply(200, {"data": there})


def _told_later(fault: Spelled) -> str:
    """The error in a receipt; empty for none."""
    return ENTRIES.get(fault.code, "") if fault.word is Word.CODE else RECEIPT_ERRORS.get(fault.word, "")


def _in_receipt(token: str) -> bool:
    """Whether the token's fault word is told by the receipt and not by the send request."""
    within = inner(token) or ""
    fault = spelled(within)
    return fault is not None and (fault.word in _ONLY_IN_RECEIPTS or _RECEIPT_PART.search(within) is not None)


def _fails_whole(token: str) -> bool:
    fault = spelled(inner(token) or "")
    if fault is None or fault.word in _IN_TICKETS or _in_receipt(token):
        return False
    return fault.code not in ENTRIES


def _wrong(messages: list[Any] | None, count: int) -> Reply | None:
    if messages is None:
        return _failed(400, "VALIDATION_ERROR", "The body must be a JSON object or array.")
    if not messages:
        return _failed(400, "VALIDATION_ERROR", '"value" must contain at least 1 items.')
    for place, message in enumerate(messages):
        found = trouble(message, place)
        if found:
            return _failed(400, "VALIDATION_ERROR", found)
    if count > MOST_NOTIFICATIONS:
        said = f"The number of notifications must be at most {MOST_NOTIFICATIONS} (received {count})"
        return _failed(400, "PUSH_TOO_MANY_NOTIFICATIONS", said)
    return None


def _error_entry(token: str, code: str, *, named: bool = True) -> Json:
    details: Json = {"error": code}
    if named and code == "DeviceNotRegistered":
        details["expoPushToken"] = token
    said = f'"{token}" is not a registered push notification recipient' if named else f"{code}: {token}"
    return {"status": "error", "message": said, "details": details}


def _receipt_entry(receipt: _Receipt) -> Json:
    return _error_entry(receipt.token, receipt.error) if receipt.error else {"status": "ok"}


def _size(message: Json) -> int:
    """UTF-8 bytes of what Expo forwards, as JSON."""
    return len(msgspec.json.encode({key: value for key, value in message.items() if key != "to"}))


def _unpacked(request: Request) -> bytes:
    """The body as it was before gzip; empty when it can't be had."""
    if request.headers.get("content-encoding", "").lower() != "gzip":
        return request.body
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        whole = unpacking.decompress(request.body, MOST_BODY_BYTES)
    except zlib.error:
        return b""
    return whole if unpacking.eof else b""


def _document(request: Request) -> Any:
    """The JSON of a body; None when it is none."""
    try:
        return msgspec.json.decode(_unpacked(request))
    except (ValueError, RecursionError):
        return None


def _messages_in(request: Request) -> list[Any] | None:
    document = _document(request)
    if isinstance(document, dict):
        return [document]
    return document if isinstance(document, list) else None


def _is_single(request: Request) -> bool:
    """A message outside of a list, to a text outside of a list, gets its ticket outside of a list."""
    document = _document(request)
    return isinstance(document, dict) and isinstance(document.get("to"), str)


def _tokens_in(messages: list[Any] | None) -> list[str]:
    """Every text under `to`, in the order of the tickets, whether or not the rest is right."""
    tos = [message.get("to") for message in messages or [] if isinstance(message, dict)]
    several = [token for to in tos for token in (to if isinstance(to, list) else [to])]
    return [token for token in several if isinstance(token, str)]


def _ids_in(request: Request) -> list[str] | None:
    document = _document(request)
    ids = document.get("ids") if isinstance(document, dict) else None
    return ids if isinstance(ids, list) and ids and all(isinstance(entry, str) for entry in ids) else None


def _lateness(answer: Answer) -> Millis:
    """How long the answer is held back."""
    if isinstance(answer, Delay):
        return round(answer.seconds * 1000) + _lateness(answer.then)
    return _lateness(answer.then) if isinstance(answer, GoAway) else 0
