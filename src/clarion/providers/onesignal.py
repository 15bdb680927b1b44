"""OneSignal, by subscription id (once called player id) or by the app's own user id.

https://documentation.onesignal.com/reference/push-notification
https://documentation.onesignal.com/docs/en/keys-and-ids
https://documentation.onesignal.com/docs/en/event-streams
https://documentation.onesignal.com/docs/en/event-streams-data

`onesignal_payload` holds what is said.
"""

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import cycle
from typing import Any, Literal

import msgspec

from clarion.errors import CredentialsInvalid
from clarion.model.callback import Told
from clarion.model.clock import DAY, SECOND, Millis
from clarion.model.http import HttpReply, HttpRequest, Received
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import Json, PushMessage, Target
from clarion.providers.onesignal_payload import TARGETS, idempotency_key, named, one_aim, own_aims, said
from clarion.providers.port import (
    AccessToken,
    Callback,
    Credentials,
    Defaults,
    Field,
    Rate,
    decoded,
    merge,
    passed_headers,
    raw_of,
    same,
    wait_of,
    with_passed_query,
)

ORIGIN = "https://api.onesignal.com"
PATH = "/notifications"

BY_STATUS: dict[int, tuple[Outcome, str]] = {
    400: (
        Outcome.PAYLOAD_REJECTED,
        "OneSignal refused the message; see the answer. If it names app_id, check the applicationId.",
    ),
    401: (
        Outcome.CREDENTIALS_REJECTED,
        "OneSignal refused the API key; check that it is an App API key of this app.",
    ),
    403: (
        Outcome.CREDENTIALS_REJECTED,
        "The API key may not send for this app; check the key, the applicationId and its IP allow-list.",
    ),
    404: (Outcome.PAYLOAD_REJECTED, "OneSignal knows no such address; check `query` of the passthrough."),
    409: (Outcome.UNAVAILABLE, "OneSignal is still busy with the same message."),
    429: (Outcome.THROTTLED, "The app sends faster than its OneSignal plan allows."),
    500: (Outcome.UNAVAILABLE, "OneSignal had an internal error."),
    502: (Outcome.UNAVAILABLE, "A front end of OneSignal had trouble."),
    503: (Outcome.UNAVAILABLE, "OneSignal is unavailable."),
    504: (Outcome.UNAVAILABLE, "A front end of OneSignal had trouble."),
}
"""HTTP status → what it means. OneSignal's errors are sentences without a code. Repeats are safe, for
every request carries an idempotency key."""

BY_LIST: dict[str, str] = {
    "invalid_player_ids": "The subscription is not subscribed: the app was removed or may not notify.",
    "invalid_aliases": "The user has no subscription that may be notified.",
    "invalid_external_user_ids": "The user has no subscription that may be notified.",
}
"""Key of `errors` in a 200 without `id`, listing whom it did not reach → TOKEN_DEAD with this sentence."""

ENGAGED: dict[str, Literal["delivered", "clicked"]] = {
    "message.push.received": "delivered",
    "message.push.clicked": "clicked",
}
"""Kind of event → what the device did."""

BY_EVENT: dict[str, tuple[Outcome, str]] = {
    "message.push.failed": (Outcome.UNKNOWN, "OneSignal could not hand it on; its report there says why."),
    "message.push.unsubscribed": (Outcome.TOKEN_DEAD, "The person switched the app's pushes off."),
}
"""Kind of event → what it means for the message, the latter for its device alone."""

NOT_SUBSCRIBED = "OneSignal reached nobody: the device is not subscribed."
"""A 200 with an empty `id` and a list of sentences: every target is dead."""

_MODELS = {None: False, "": False, "playerModel": False, "externalId": True}
_FOREVER: Millis = 36_500 * DAY


class OneSignalCredentials(Credentials, frozen=True):
    """One app, its key, and whether tokens are the app's own user ids.

    `schemes` is the order in which authorization schemes are tried, round and round. It is the memory of
    one integration: who holds these credentials moves on when OneSignal refuses the key.
    """

    app_id: str
    api_key: str
    external_ids: bool
    schemes: Iterator[str]
    callback_secret: str = ""

    public = ("app_id", "external_ids")


class Event(msgspec.Struct, frozen=True, rename="camel"):
    """The body that an event stream is set up with; what an event has nothing for is empty text."""

    kind: str
    message_id: str
    subscription_id: str = ""
    external_id: str = ""
    timestamp: int | str = ""


STREAM_BODY = """{
  "kind": "{{ event.kind }}",
  "messageId": "{{ message.id }}",
  "subscriptionId": "{{ event.subscription_id }}",
  "externalId": "{{ event.external_id }}",
  "timestamp": "{{ event.timestamp }}"
}"""


class OneSignal(Defaults):
    """OneSignal."""

    id = "one-signal"
    of_triggers = TARGETS
    name = "OneSignal"
    docs = "https://documentation.onesignal.com/reference/push-notification"
    addressed_by = "subscription id, or your own user id with the externalId model"
    fields = (
        Field("applicationId", "App ID", "OneSignal → Settings → Keys & IDs; a UUID."),
        Field("apiKey", "App API key", "OneSignal → Settings → Keys & IDs.", "secret"),
        Field(
            "apiVersion",
            "Addressing",
            "externalId when device tokens are your own user ids, playerModel for subscription ids.",
            "choice",
            False,
            choices=("playerModel", "externalId"),
        ),
        Field(
            "callbackSecret",
            "Event stream token",
            "A secret of your own that the event stream sends as Authorization: Bearer. Only with a stream.",
            "secret",
            False,
        ),
    )
    callback = Callback(
        "callbackSecret",
        "OneSignal → Data → Event Streams → New Event Stream: the push events received, clicked, failed and"
        " unsubscribed, POST to this address, the header Authorization with Bearer and a secret of your own,"
        " which goes into the integration too, and this body.",
        STREAM_BODY,
    )
    callback_body = Event
    rate = Rate(150, 150, of_requests=True)
    most_per_request = 2000
    shares_body = True

    def credentials(self, stored: Json) -> OneSignalCredentials:
        app_id = _uuid(_pasted(stored, "applicationId"))
        if not app_id:
            raise CredentialsInvalid("applicationId", "paste the OneSignal App ID, a UUID")
        key = _checked_key(_pasted(stored, "apiKey"))
        model = stored.get("apiVersion")
        if not isinstance(model, str | None) or model not in _MODELS:
            raise CredentialsInvalid("apiVersion", "must be playerModel or externalId")
        # Only a new key tells by its shape; of the others some are taken under the older scheme alone.
        schemes = ("Key",) if key.startswith("os_v2_") else ("Key", "Basic")
        secret = _pasted(stored, "callbackSecret")
        return OneSignalCredentials(app_id, key, _MODELS[model], cycle(schemes), secret)

    def issue(self, credentials: OneSignalCredentials, now: Millis) -> AccessToken:
        """The authorization to use until it is refused: the key under its next scheme."""
        return AccessToken(f"{next(credentials.schemes)} {credentials.api_key}", now + _FOREVER)

    def refuse(self, credentials: OneSignalCredentials, target: Target) -> Verdict | None:
        """Why there is no need to ask OneSignal; None when there is."""
        if target.token if credentials.external_ids else _uuid(target.token):
            return None
        return Verdict(Outcome.TOKEN_DEAD, "malformed", "This is no subscription id; no device has it.")

    def build(
        self, credentials: OneSignalCredentials, message: PushMessage, target: Target, token: str
    ) -> HttpRequest:
        identity = {"__nvMessageId": target.message_id}
        body = _aimed(credentials, [target.token]) | said(message, target.message_id, identity)
        return _request(credentials, message, body, token)

    def read(self, reply: HttpReply, message: PushMessage) -> Verdict:
        answer = decoded(reply.body)
        if reply.status == 200:
            return _answered(answer, reply, elsewhere=bool(own_aims(message)))
        outcome, explanation = BY_STATUS.get(
            reply.status,
            (Outcome.UNKNOWN, f"OneSignal answered {reply.status}, which its documentation doesn't list."),
        )
        return Verdict(
            outcome,
            _code(answer) or f"http_{reply.status}",
            explanation,
            retry_after=wait_of(reply, outcome),
            stale_authorization=reply.status in (401, 403),
            raw=raw_of(reply),
        )

    def batchable(self, credentials: OneSignalCredentials, message: PushMessage) -> bool:
        """Not what overrides send to others."""
        return not own_aims(message)

    def build_many(
        self, credentials: OneSignalCredentials, messages: Sequence[tuple[PushMessage, Target]], token: str
    ) -> HttpRequest:
        """One body for all; a repetition for the same devices has the same idempotency key."""
        message, first = messages[0]
        tokens = [target.token for _, target in messages]
        body = _aimed(credentials, tokens) | said(message, first.group, {})
        devices = blake2b("\x1f".join(sorted(tokens)).encode(), digest_size=16).hexdigest()
        body["idempotency_key"] = idempotency_key(f"{first.group}:{devices}")
        return _request(credentials, message, body, token)

    def read_many(self, reply: HttpReply, messages: Sequence[tuple[PushMessage, Target]]) -> list[Verdict]:
        """Those listed as unreachable are dead, the others share what the answer says."""
        whole = self.read(reply, messages[0][0])
        if reply.status != 200:
            return [whole] * len(messages)
        answer = decoded(reply.body)
        dead = _unreachable(answer.get("errors"))
        identity = str(answer.get("id") or "")
        if not dead:
            return [whole] * len(messages)
        taken = Verdict(Outcome.ACCEPTED, provider_message_id=identity)
        if not identity:
            taken = Verdict(Outcome.UNKNOWN, "not_sent", "OneSignal sent nothing and doesn't say why.")
        gone = {name: Verdict(Outcome.TOKEN_DEAD, name, BY_LIST[name]) for name in BY_LIST}
        return [gone.get(dead.get(target.token, ""), taken) for _, target in messages]

    def signed(self, credentials: OneSignalCredentials, call: Received, now: Millis) -> bool:
        """By the secret itself: OneSignal signs nothing, and sends the headers that it is given."""
        scheme, _, shown = call.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and same(credentials.callback_secret, shown.strip())

    def told(self, credentials: OneSignalCredentials, said: Event) -> list[Told]:
        """A user may have other devices: what one of them missed says nothing of the message to the user."""
        token = said.external_id if credentials.external_ids else said.subscription_id
        told = Told(token, said.message_id, at=_at(said.timestamp))
        if said.kind in ENGAGED:
            return [msgspec.structs.replace(told, engaged=ENGAGED[said.kind])]
        if said.kind not in BY_EVENT or credentials.external_ids:
            return []
        outcome, explanation = BY_EVENT[said.kind]
        verdict = Verdict(outcome, said.kind, explanation)
        return [msgspec.structs.replace(told, verdict=verdict, of_device=outcome is Outcome.TOKEN_DEAD)]


def _at(seconds: int | str) -> Millis:
    """The time of an event; 0 for none."""
    text = str(seconds)
    return int(text) * SECOND if text.isascii() and text.isdecimal() and len(text) <= 11 else 0


def _request(credentials: OneSignalCredentials, message: PushMessage, body: Json, token: str) -> HttpRequest:
    body = merge(body, named(message.override))
    body = merge(body, message.passthrough.get("body", {}))
    body = one_aim(body, own_aims(message), external_ids=credentials.external_ids)
    headers = {
        "authorization": token,
        "accept": "application/json",
        "content-type": "application/json; charset=utf-8",
    }
    headers |= passed_headers(message)
    sent = {key: value for key, value in body.items() if value is not None}
    return HttpRequest(
        "POST", with_passed_query(ORIGIN + PATH, message), tuple(headers.items()), msgspec.json.encode(sent)
    )


def _unreachable(errors: Any) -> dict[str, str]:
    """Target → the list it stands in."""
    if not isinstance(errors, dict):
        return {}
    found: dict[str, str] = {}
    for name in BY_LIST:
        listed = errors.get(name)
        if isinstance(listed, dict):  # aliases by their kind
            listed = [item for group in listed.values() if isinstance(group, list) for item in group]
        if isinstance(listed, list):
            found |= {str(item): name for item in listed}
    return found


def _pasted(stored: Json, key: str) -> str:
    """A credential without what a terminal or a mail has wrapped around it or into it."""
    value = stored.get(key)
    return re.sub(r"\s*[\r\n]\s*", "", value.strip()) if isinstance(value, str) else ""


def _checked_key(pasted: str) -> str:
    key = re.sub(r"^(key|basic)\s+", "", pasted, flags=re.IGNORECASE)
    if not _VISIBLE.fullmatch(key):
        raise CredentialsInvalid("apiKey", "paste an App API key from OneSignal's Keys & IDs page")
    if key.startswith("os_v2_org_"):
        raise CredentialsInvalid("apiKey", "this is an organization's key; paste an App API key")
    return key


_VISIBLE = re.compile(r"[!-~]+")


def _uuid(text: str) -> str:
    """In its usual form; empty when it is none."""
    return text.lower() if _UUID.fullmatch(text) else ""


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def _aimed(credentials: OneSignalCredentials, tokens: Sequence[str]) -> Json:
    if credentials.external_ids:
        aim: Json = {"include_aliases": {"external_id": list(tokens)}, "target_channel": "push"}
    else:
        aim = {"include_subscription_ids": list(tokens)}
    return {"app_id": credentials.app_id} | aim


def _answered(answer: Json, reply: HttpReply, *, elsewhere: bool) -> Verdict:
    """A 200 says by `id` whether anybody was reached, and under `errors` who was not."""
    identity = answer.get("id")
    errors = answer.get("errors")
    listed = _listed(errors)
    sent = isinstance(identity, str) and identity
    if sent and (elsewhere or listed != "invalid_player_ids"):
        raw = raw_of(reply) if errors or "warnings" in answer else ""
        return Verdict(Outcome.ACCEPTED, provider_message_id=str(identity), raw=raw)
    if listed:
        return _dead(listed, BY_LIST[listed], reply, elsewhere=elsewhere)
    if identity == "" and _sentences(errors):
        return _dead("not_subscribed", NOT_SUBSCRIBED, reply, elsewhere=elsewhere)
    return Verdict(
        Outcome.UNKNOWN, "not_sent", "OneSignal sent nothing and doesn't say why.", raw=raw_of(reply)
    )


def _dead(code: str, explanation: str, reply: HttpReply, *, elsewhere: bool) -> Verdict:
    if elsewhere:
        explanation = "Nobody of those whom the overrides name is subscribed."
        return Verdict(Outcome.PAYLOAD_REJECTED, code, explanation, raw=raw_of(reply))
    return Verdict(Outcome.TOKEN_DEAD, code, explanation, raw=raw_of(reply))


def _listed(errors: Any) -> str:
    """The key under which unreachable targets are listed; empty when none are."""
    if not isinstance(errors, dict):
        return ""
    return next((key for key in BY_LIST if errors.get(key)), "")


def _sentences(errors: Any) -> bool:
    return isinstance(errors, list) and bool(errors) and all(isinstance(entry, str) for entry in errors)


def _code(answer: Json) -> str:
    """The code of the one envelope that has any: `{"errors": [{"code", "title"}]}`."""
    errors = answer.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    return str(first.get("code") or "") if isinstance(first, dict) else ""
