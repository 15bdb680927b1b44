"""Expo Push Service: it hands on to APNs and FCM and tells in receipts, later, how that went.

https://docs.expo.dev/push-notifications/sending-notifications/
https://github.com/expo/expo-server-sdk-node
"""

import gzip
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from clarion.errors import CredentialsInvalid
from clarion.model.clock import HOUR, MINUTE, Millis
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PLAIN, Json, Presentation, PushMessage, Target, stated
from clarion.providers.port import (
    MOST_RAW,
    WEIGHED,
    Credentials,
    Defaults,
    Field,
    Rate,
    decoded,
    merge,
    passed_headers,
    raw_of,
    wait_of,
    with_passed_query,
)

ORIGIN = "https://exp.host"
SEND_PATH = "/--/api/v2/push/send"
RECEIPTS_PATH = "/--/api/v2/push/getReceipts"
MOST_BYTES = 4096
"""Of one notification."""

MOST_RECEIPTS = 1000
"""Ticket ids of one receipts request."""
RECEIPT_CHECKS: tuple[Millis, ...] = (15 * MINUTE, 30 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR)
"""How long after sending to ask for receipts that are not there yet."""
RECEIPTS_KEPT: Millis = 24 * HOUR
"""After this Expo has forgotten the receipt; nobody will learn more."""

BY_CODE: dict[str, tuple[Outcome, str]] = {
    "PUSH_TOO_MANY_EXPERIENCE_IDS": (
        Outcome.PAYLOAD_REJECTED,
        "The tokens of one request belong to several Expo projects; give each project its own integration.",
    ),
    "PUSH_TOO_MANY_NOTIFICATIONS": (
        Outcome.PAYLOAD_REJECTED,
        "One request had more than 100 recipients; shorten `to` in the overrides.",
    ),
    "PUSH_TOO_MANY_RECEIPTS": (Outcome.PAYLOAD_REJECTED, "One request asked for more than 1000 receipts."),
    "VALIDATION_ERROR": (Outcome.PAYLOAD_REJECTED, "Expo refused a field; see the answer for which."),
    "API_ERROR": (Outcome.PAYLOAD_REJECTED, "Expo refused the message; see the answer for why."),
    "invalid_token": (
        Outcome.CREDENTIALS_REJECTED,
        "Expo doesn't know the access token; create one in the Expo dashboard and store it as apiKey.",
    ),
    "UNAUTHORIZED": (
        Outcome.CREDENTIALS_REJECTED,
        "The access token is missing or of another account; check which one the integration holds.",
    ),
    "TOO_MANY_REQUESTS": (Outcome.THROTTLED, "The project sends more than 600 notifications a second."),
    "INTERNAL_SERVER_ERROR": (Outcome.UNAVAILABLE, "Expo had an internal error."),
}
"""Code of a request that failed as a whole → what it means."""

BY_STATUS: dict[int, tuple[Outcome, str]] = {
    401: (Outcome.CREDENTIALS_REJECTED, "Expo refused the access token; check the integration's apiKey."),
    429: (Outcome.THROTTLED, "The project sends more than 600 notifications a second."),
    500: (Outcome.UNAVAILABLE, "Expo had an internal error."),
    502: (Outcome.UNAVAILABLE, "A front end of Expo had trouble."),
    503: (Outcome.UNAVAILABLE, "Expo is unavailable."),
    504: (Outcome.UNAVAILABLE, "A front end of Expo had trouble."),
}
"""HTTP status → what it means where no known code says more."""

BY_DETAIL: dict[str, tuple[Outcome, str]] = {
    "DeviceNotRegistered": (Outcome.TOKEN_DEAD, "The app was removed or may no longer notify."),
    "MessageTooBig": (Outcome.PAYLOAD_REJECTED, "The notification has more than 4096 bytes; shorten it."),
    "MessageRateExceeded": (Outcome.THROTTLED, "The device gets notifications too fast."),
    "MismatchSenderId": (
        Outcome.CREDENTIALS_REJECTED,
        "The FCM credentials stored at Expo are not the app's; upload the right ones with `eas credentials`.",
    ),
    "InvalidCredentials": (
        Outcome.CREDENTIALS_REJECTED,
        "Expo lacks valid APNs or FCM credentials for this app; upload them with `eas credentials`.",
    ),
    "InvalidProviderToken": (
        Outcome.CREDENTIALS_REJECTED,
        "The APNs key stored at Expo is not valid for this app; upload another with `eas credentials`.",
    ),
    "DeveloperError": (Outcome.PAYLOAD_REJECTED, "Expo calls the request misuse; see the answer."),
    "ExpoError": (Outcome.UNAVAILABLE, "Expo had an internal error."),
    "ProviderError": (Outcome.UNAVAILABLE, "APNs or FCM had trouble behind Expo."),
}
"""`details.error` of a ticket or a receipt → what it means."""

_TOKEN = re.compile(r"Expo(nent)?PushToken\[[^\s\]]+\]|[a-z0-9]{8}(-[a-z0-9]{4}){3}-[a-z0-9]{12}", re.I)
_NOT_SENT = frozenset({"deviceTokens"})
"""Legacy overrides that choose the devices; Expo has no such field."""
_DEVICE = "the device's own token"
"""Stands for it where a reply is read: `read` isn't told the token."""


class ExpoCredentials(Credentials, frozen=True):
    """An access token; empty where the project doesn't ask for one."""

    access_token: str


class Expo(Defaults):
    """Expo Push."""

    id = "expo"
    of_triggers = frozenset({"to"})
    name = "Expo Push"
    most_bytes: int | None = MOST_BYTES
    docs = "https://docs.expo.dev/push-notifications/sending-notifications/"
    addressed_by = "Expo push token, ExponentPushToken[…]"
    fields = (
        Field(
            "apiKey",
            "Access token",
            "expo.dev → Account settings → Access tokens. Needed where the project has enhanced security.",
            "secret",
            False,
        ),
    )
    rate = Rate(600, 600)
    device_codes = frozenset({"MessageRateExceeded"})
    most_per_request = 100
    shares_body = False
    receipt_checks = RECEIPT_CHECKS
    most_receipts = MOST_RECEIPTS

    def credentials(self, stored: Json) -> ExpoCredentials:
        given = stored.get("apiKey")
        if given is not None and not isinstance(given, str):
            raise CredentialsInvalid("apiKey", "must be text: an access token from the Expo dashboard")
        token = _without_scheme(_on_one_line(given or ""))
        if not _VISIBLE.fullmatch(token):
            raise CredentialsInvalid("apiKey", "paste one Expo access token: no spaces, no other letters")
        return ExpoCredentials(token)

    def refuse(self, credentials: ExpoCredentials, target: Target) -> Verdict | None:
        """Why there is no need to ask Expo; None when there is."""
        if _TOKEN.fullmatch(target.token):
            return None
        return Verdict(Outcome.TOKEN_DEAD, "malformed", "This is no Expo push token; no device has it.")

    def build(
        self, credentials: ExpoCredentials, message: PushMessage, target: Target, token: str
    ) -> HttpRequest:
        body = msgspec.json.encode([_composed(message, target)])
        headers = _headers(credentials) | passed_headers(message)
        return HttpRequest(
            "POST", with_passed_query(ORIGIN + SEND_PATH, message), tuple(headers.items()), body
        )

    def weight(self, message: PushMessage) -> int:
        return len(msgspec.json.encode(_composed(message, WEIGHED)))

    def read(self, reply: HttpReply, message: PushMessage) -> Verdict:
        answer = decoded(reply.body)
        return _refusal(reply, answer) or _own(_tickets(answer), _recipients(message), reply)

    def batchable(self, credentials: ExpoCredentials, message: PushMessage) -> bool:
        """Not what goes to others than the device, nor what asks for a request of its own."""
        return _recipients(message) == [_DEVICE] and not {"headers", "query"} & message.passthrough.keys()

    def build_many(
        self, credentials: ExpoCredentials, messages: Sequence[tuple[PushMessage, Target]], token: str
    ) -> HttpRequest:
        """Compressed, as Expo asks for."""
        body = msgspec.json.encode([_composed(message, target) for message, target in messages])
        headers = _headers(credentials) | {"content-encoding": "gzip"}
        return HttpRequest(
            "POST", ORIGIN + SEND_PATH, tuple(headers.items()), gzip.compress(body, 1, mtime=0)
        )

    def read_many(self, reply: HttpReply, messages: Sequence[tuple[PushMessage, Target]]) -> list[Verdict]:
        answer = decoded(reply.body)
        refusal = _refusal(reply, answer)
        if refusal:
            return [refusal] * len(messages)
        tickets = _tickets(answer)
        if len(tickets) != len(messages):
            lost = f"Expo gave {len(tickets)} tickets for {len(messages)} messages."
            return [_unknown(reply, lost)] * len(messages)
        return [_of_ticket(ticket) for ticket in tickets]

    def receipts_request(self, credentials: ExpoCredentials, ticket_ids: Collection[str]) -> HttpRequest:
        return receipts_request(credentials, ticket_ids)

    def read_receipts(self, reply: HttpReply, sent: Mapping[str, Millis]) -> dict[str, Verdict] | Verdict:
        return read_receipts(reply, sent)


def receipts_request(credentials: ExpoCredentials, ticket_ids: Collection[str]) -> HttpRequest:
    """Asks what became of accepted messages, by `Verdict.provider_message_id`.

    Ask for what `RECEIPT_CHECKS` says is due, at most `MOST_RECEIPTS` at once (`ValueError` beyond), with
    the credentials of the integration that sent them. Tickets of several messages may be mixed.
    """
    if not 0 < len(ticket_ids) <= MOST_RECEIPTS:
        raise ValueError(f"ask for 1 to {MOST_RECEIPTS} receipts at once, not {len(ticket_ids)}")
    body = msgspec.json.encode({"ids": list(ticket_ids)})
    return HttpRequest("POST", ORIGIN + RECEIPTS_PATH, tuple(_headers(credentials).items()), body)


def read_receipts(reply: HttpReply, sent: Mapping[str, Millis]) -> dict[str, Verdict] | Verdict:
    """Ticket id → what became of it, or why the request as a whole failed.

    `sent` says when each ticket's message was sent. A ticket that isn't in the result has no receipt yet:
    ask again until `RECEIPTS_KEPT` is over. ACCEPTED means that APNs or FCM took the message. TOKEN_DEAD
    has `died_at` set to the time of sending, so that a token registered again since then stays.
    """
    answer = decoded(reply.body)
    refusal = _refusal(reply, answer)
    if refusal:
        return refusal
    receipts = answer["data"]
    if not isinstance(receipts, dict):
        return _unknown(reply, "Expo's answer has no receipts by ticket.")
    return {
        ticket: _receipt(receipts[ticket], ticket, at) for ticket, at in sent.items() if ticket in receipts
    }


def _on_one_line(pasted: str) -> str:
    """What a terminal or a mail has wrapped, whole again: no token has a line break."""
    return re.sub(r"\s*[\r\n]\s*", "", pasted.strip())


def _without_scheme(pasted: str) -> str:
    return re.sub(r"^bearer\s+", "", pasted, flags=re.IGNORECASE)


_VISIBLE = re.compile(r"[!-~]*")


def _headers(credentials: ExpoCredentials) -> dict[str, str]:
    headers = {"accept": "application/json", "content-type": "application/json"}
    if credentials.access_token:
        headers["authorization"] = f"Bearer {credentials.access_token}"
    return headers


def _composed(message: PushMessage, target: Target) -> Json:
    """The message as Novu maps it, plus what that loses: the id, and a way to show repeats once."""
    look = message.presentation
    body = {"to": [target.token], **_said(message), **_shown_once(look.collapse_id or target.message_id)}
    if look is not PLAIN:
        body |= _shown(look, body["data"])
    if look.silent:
        del body["title"], body["body"]
    body |= {key: value for key, value in message.legacy.items() if key not in _NOT_SENT}
    if not isinstance(body["sound"], str | dict):
        body["sound"] = None
    if isinstance(body["data"], dict):
        body["data"] = body["data"] | {"__nvMessageId": target.message_id}
    body = merge(body, {_camel(key): value for key, value in message.override.items()})
    whole: Json = merge(body, message.passthrough.get("body", {}))
    return whole


def _said(message: PushMessage) -> Json:
    return {"title": message.title, "body": message.body, "data": message.payload, "sound": None}


def _shown(look: Presentation, data: Any) -> Json:
    """How it looks and travels; a silent message says nothing. An address to open has no field of its own."""
    shown = stated(
        sound=look.sound,
        badge=look.badge,
        ttl=look.ttl,
        priority=look.priority,
        icon=look.icon,
        categoryId=look.category,
        channelId=look.channel_id,
        richContent=stated(image=look.image),
    )
    if look.mutable or look.image:
        shown["mutableContent"] = True
    if look.silent:
        shown["_contentAvailable"] = True
    beside = stated(url=look.url, threadId=look.thread)
    return shown | {"data": beside | data} if beside and isinstance(data, dict) else shown


def _shown_once(message_id: str) -> Json:
    """iOS goes by the one, Android by the other."""
    return {"collapseId": message_id, "tag": message_id}


def _camel(name: str) -> str:
    """Novu's casing of top level names, except that it takes `_contentAvailable`'s underscore away."""
    hidden = "_" if name.startswith("_") else ""
    first, *others = [word for word in _GAPS.split(_HUMPS.sub(" ", name)) if word] or [name]
    return hidden + first.lower() + "".join(_capital(word) for word in others)


_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_GAPS = re.compile(r"[\W_]+")


def _capital(word: str) -> str:
    """A digit stays apart from the word before it."""
    return f"_{word.lower()}" if word[0].isdigit() else word.capitalize()


def _recipients(message: PushMessage) -> list[Any]:
    """To whom a message goes, in the order of the tickets; overrides may add others or replace the device."""
    if not (message.legacy or message.override or message.passthrough):
        return [_DEVICE]
    to = _composed(message, Target("", _DEVICE))["to"]
    return to if isinstance(to, list) else [to]


def _tickets(answer: Json) -> list[Any]:
    """One ticket per recipient; a single message to a single recipient gets it without the list."""
    data = answer["data"]
    return data if isinstance(data, list) else [data]


def _own(tickets: list[Any], recipients: list[Any], reply: HttpReply) -> Verdict:
    """The device's own ticket. With too many or too few, nobody knows whose is whose."""
    if len(tickets) != len(recipients):
        return _unknown(reply, f"Expo gave {len(tickets)} tickets for {len(recipients)} recipients.")
    if _DEVICE in recipients:
        return _of_ticket(tickets[recipients.index(_DEVICE)])
    return _of_others(_of_ticket(tickets[0]))


def _of_others(verdict: Verdict) -> Verdict:
    """`to` of the overrides sent the message elsewhere: what it says is not about this device."""
    if verdict.outcome is not Outcome.TOKEN_DEAD:
        return verdict
    explanation = "The token that the overrides give as `to` is not registered."
    return msgspec.structs.replace(verdict, outcome=Outcome.PAYLOAD_REJECTED, explanation=explanation)


def _of_ticket(ticket: Any) -> Verdict:
    if isinstance(ticket, dict) and ticket.get("status") == "ok":
        return Verdict(Outcome.ACCEPTED, provider_message_id=str(ticket.get("id", "")))
    return _of_error(ticket)


def _receipt(receipt: Any, ticket_id: str, sent_at: Millis) -> Verdict:
    if isinstance(receipt, dict) and receipt.get("status") == "ok":
        return Verdict(Outcome.ACCEPTED, provider_message_id=ticket_id)
    verdict = _of_error(receipt)
    died_at = sent_at if verdict.outcome is Outcome.TOKEN_DEAD else None
    return msgspec.structs.replace(verdict, provider_message_id=ticket_id, died_at=died_at)


def _of_error(entry: Any) -> Verdict:
    """A ticket or a receipt that isn't ok."""
    details = entry.get("details") if isinstance(entry, dict) else None
    code = _text(details.get("error")) if isinstance(details, dict) else ""
    otherwise = (Outcome.UNKNOWN, f"Expo reports {code or 'an error'}, which its documentation doesn't list.")
    outcome, explanation = BY_DETAIL.get(code, otherwise)
    raw = msgspec.json.encode(entry).decode()[:MOST_RAW]
    return Verdict(outcome, code or "no_code", explanation, raw=raw)


def _refusal(reply: HttpReply, answer: Json) -> Verdict | None:
    """Why the request failed as a whole; errors count even under 200, and before any data."""
    errors = answer.get("errors")
    if reply.status == 200 and not errors and answer.get("data") is not None:
        return None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    code = _text(first.get("code")) or _text(answer.get("error")) or f"http_{reply.status}"
    outcome, explanation = _classified(code, reply.status, transient=first.get("isTransient") is True)
    wait = wait_of(reply, outcome)
    return Verdict(outcome, code, explanation, retry_after=wait, raw=raw_of(reply))


def _classified(code: str, status: int, *, transient: bool) -> tuple[Outcome, str]:
    known = BY_CODE.get(code) or BY_STATUS.get(status)
    if known:
        return known
    if transient:
        return Outcome.UNAVAILABLE, "Expo calls its trouble transient."
    return Outcome.UNKNOWN, f"Expo answered {status} with {code}, which its documentation doesn't list."


def _unknown(reply: HttpReply, explanation: str) -> Verdict:
    return Verdict(Outcome.UNKNOWN, "unattributable", explanation, raw=raw_of(reply))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
