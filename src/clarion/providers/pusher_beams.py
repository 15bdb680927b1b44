"""Pusher Beams: one user id reaches all devices of that user.

https://pusher.com/docs/beams/reference/publish-api/
https://pusher.com/docs/beams/reference/publish-payloads/
https://pusher.com/docs/beams/concepts/webhooks
https://pusher.com/docs/beams/reference/webhooks
"""

import hmac
from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec

from clarion.errors import CredentialsInvalid
from clarion.model.callback import Told
from clarion.model.clock import Millis
from clarion.model.http import HttpReply, HttpRequest, Received
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PLAIN, Json, Presentation, PushMessage, Target, stated
from clarion.providers.port import (
    WEIGHED,
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
    snake,
    wait_of,
    with_passed_query,
)

HOST = "pushnotifications.pusher.com"
"""Every instance has its own name below it."""
MOST_BYTES = 4096
"""What APNs, FCM and browsers' services take at most, as UTF-8 JSON."""

BY_ERROR: dict[tuple[int, str], tuple[Outcome, str]] = {
    (400, "Incomplete Request"): (
        Outcome.CREDENTIALS_REJECTED,
        "Beams misses the instance id or the secret key; check both in the integration.",
    ),
    (400, "Invalid content type"): (Outcome.PAYLOAD_REJECTED, "Beams takes JSON only; see passthrough."),
}
"""Status and the answer's `error` → what it means, where the status alone doesn't tell."""

BY_STATUS: dict[int, tuple[Outcome, str]] = {
    400: (Outcome.PAYLOAD_REJECTED, "The request is too large for Beams or no JSON object."),
    401: (Outcome.CREDENTIALS_REJECTED, "Beams refused the secret key; copy it again from its dashboard."),
    402: (Outcome.CREDENTIALS_REJECTED, "The limits of the Pusher plan are exceeded; upgrade it."),
    404: (Outcome.CREDENTIALS_REJECTED, "Beams knows no such instance; check the instance id."),
    422: (Outcome.PAYLOAD_REJECTED, "Beams refused the message; see the answer for the field."),
    429: (Outcome.THROTTLED, "The instance sends more than 100 requests a second."),
    500: (Outcome.UNAVAILABLE, "Beams had an internal error."),
    502: (Outcome.UNAVAILABLE, "A front end of Beams had trouble."),
    503: (Outcome.UNAVAILABLE, "Beams is unavailable."),
    504: (Outcome.UNAVAILABLE, "A front end of Beams had trouble."),
}
"""HTTP status → what it means. Beams never says that a user has no devices."""

BY_LIST: dict[str, tuple[Outcome, str]] = {
    "users_no_devices": (
        Outcome.PAYLOAD_REJECTED,
        "Beams knows no device of this user; the app is to sign in.",
    ),
    "users_gateway_failed": (Outcome.UNAVAILABLE, "FCM, APNs or the browsers' services refused it of Beams."),
}
"""List of users in a callback of v1.PublishToUsersAttempt → what it means. The user may come back, so the
user id stays."""

ATTEMPT = "v1.PublishToUsersAttempt"
ENGAGED: dict[str, Literal["delivered", "opened"]] = {
    "v1.UserNotificationAcknowledgement": "delivered",
    "v1.UserNotificationOpen": "opened",
}
"""Callback → what the user's phone did."""

_VERBATIM = frozenset({"apns", "data"})
"""What has names of its own: Apple's and the app's."""
_FCM_RESERVED = ("google", "gcm")


class BeamsCredentials(Credentials, frozen=True):
    """One Beams instance, its primary key, and what signs its callbacks if not that key."""

    instance_id: str
    secret_key: str
    callback_secret: str = ""

    public = ("instance_id",)


class Attempt(msgspec.Struct, frozen=True):
    """The payload of a callback: of one user, or of all of a publish."""

    publish_id: str = ""
    user_id: str = ""
    users_delivered_to_gateway: tuple[str, ...] = ()
    users_no_devices: tuple[str, ...] = ()
    users_gateway_failed: tuple[str, ...] = ()


class Metadata(msgspec.Struct, frozen=True):
    """What kind of callback it is."""

    event_type: str = ""


class BeamsCallback(msgspec.Struct, frozen=True):
    """A callback's body."""

    payload: Attempt
    metadata: Metadata


class PusherBeams(Defaults):
    """Pusher Beams."""

    id = "pusher-beams"
    of_triggers = frozenset({"users"})
    name = "Pusher Beams"
    most_bytes: int | None = MOST_BYTES
    docs = "https://pusher.com/docs/beams/"
    addressed_by = "user id that the app signed in with"
    fields = (
        Field("instanceId", "Instance ID", "Pusher dashboard → Beams → the instance → Keys; a UUID."),
        Field("secretKey", "Primary key", "On the same page.", "secret"),
        Field(
            "callbackSecret",
            "Webhook secret",
            "The secret of the webhook that tells Clarion what became of pushes. Without it the primary key.",
            "secret",
            False,
        ),
    )
    callback = Callback(
        "callbackSecret",
        "Pusher dashboard → Beams → the instance → Settings → Add a webhook: this address, all three events,"
        " and a secret of your own, which goes into the integration too.",
        calls_again=True,
    )
    callback_body = BeamsCallback
    rate = Rate(100, 100, of_requests=True)
    most_per_request = 1000
    shares_body = True
    tells_dead = False

    def credentials(self, stored: Json) -> BeamsCredentials:
        secret = str(stored.get("secretKey") or "").strip()
        if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
            raise CredentialsInvalid("secretKey", "paste the primary key of the Beams instance")
        try:
            instance = UUID(str(stored.get("instanceId") or "").strip())
        except ValueError:
            raise CredentialsInvalid("instanceId", "paste the id of the Beams instance, a UUID") from None
        return BeamsCredentials(str(instance), secret, str(stored.get("callbackSecret") or "").strip())

    def build(
        self, credentials: BeamsCredentials, message: PushMessage, target: Target, token: str
    ) -> HttpRequest:
        content = _content(message, target.message_id, {"__nvMessageId": target.message_id})
        return _request(credentials, message, {"users": [target.token], **content})

    def weight(self, message: PushMessage) -> int:
        """That of the heaviest of the platforms' blocks: each goes out alone."""
        identity = {"__nvMessageId": WEIGHED.message_id}
        return max(len(_encoded(block)) for block in _content(message, WEIGHED.message_id, identity).values())

    def read(self, reply: HttpReply, message: PushMessage) -> Verdict:
        answer = decoded(reply.body)
        if reply.status == 200:
            return Verdict(Outcome.ACCEPTED, provider_message_id=str(answer.get("publishId", "")))
        outcome, explanation = _classified(reply.status, str(answer.get("error", "")))
        return Verdict(
            outcome,
            f"http_{reply.status}",
            explanation,
            retry_after=wait_of(reply, outcome),
            raw=raw_of(reply),
        )

    def batchable(self, credentials: BeamsCredentials, message: PushMessage) -> bool:
        """Not what overrides send to other users."""
        return "users" not in message.override and "users" not in message.passthrough.get("body", {})

    def build_many(
        self, credentials: BeamsCredentials, messages: Sequence[tuple[PushMessage, Target]], token: str
    ) -> HttpRequest:
        message, first = messages[0]
        users = [target.token for _, target in messages]
        return _request(credentials, message, {"users": users, **_content(message, first.group, {})})

    def read_many(self, reply: HttpReply, messages: Sequence[tuple[PushMessage, Target]]) -> list[Verdict]:
        """Beams tells of the request as a whole."""
        return [self.read(reply, message) for message, _ in messages[:1]] * len(messages)

    def signed(self, credentials: BeamsCredentials, call: Received, now: Millis) -> bool:
        """By the hexadecimal HMAC-SHA1 of the body."""
        secret = credentials.callback_secret or credentials.secret_key
        mac = hmac.digest(secret.encode(), call.body, "sha1").hex()
        return same(mac, call.headers.get("webhook-signature", ""))

    def told(self, credentials: BeamsCredentials, said: BeamsCallback) -> list[Told]:
        """Of several devices of a user one is enough: who got it somewhere did get it."""
        payload = said.payload
        engaged = ENGAGED.get(said.metadata.event_type)
        if engaged:
            return [Told(payload.user_id, payload.publish_id, engaged=engaged)]
        return _missed(payload) if said.metadata.event_type == ATTEMPT else []


def _missed(payload: Attempt) -> list[Told]:
    """Those whom a publish did not reach anywhere."""
    reached = frozenset(payload.users_delivered_to_gateway)
    lists = {
        "users_no_devices": payload.users_no_devices,
        "users_gateway_failed": payload.users_gateway_failed,
    }
    return [
        Told(user, payload.publish_id, verdict=Verdict(outcome, name, explanation))
        for name, (outcome, explanation) in BY_LIST.items()
        for user in lists[name]
        if user not in reached
    ]


def _request(credentials: BeamsCredentials, message: PushMessage, said: Json) -> HttpRequest:
    body = merge(merge(said, _routed(message.override)), message.passthrough.get("body", {}))
    headers = {
        "authorization": f"Bearer {credentials.secret_key}",
        "content-type": "application/json",
        "accept": "application/json",
    }
    headers |= passed_headers(message)
    return HttpRequest("POST", _url(credentials, message), tuple(headers.items()), _encoded(body))


def _url(credentials: BeamsCredentials, message: PushMessage) -> str:
    instance = credentials.instance_id
    url = f"https://{instance}.{HOST}/publish_api/v1/instances/{instance}/publishes/users"
    return with_passed_query(url, message)


def _content(message: PushMessage, message_id: str, identity: Json) -> Json:
    """The message as Novu maps it, and the payload on every platform where it fits."""
    said = {"title": message.title, "body": message.body}
    own = message.legacy
    payload = {key: value for key, value in message.payload.items() if key != "pusher"} | identity
    look = message.presentation
    message_id = look.collapse_id or message_id
    payload |= stated(url=look.url)
    lasting = stated(time_to_live=look.ttl) | _given(own, {"ttl": "time_to_live"})
    apns: Json = {"aps": {"alert": said, **_given(own, _APS)}}
    fcm: Json = {"notification": {"tag": message_id, **said, **_given(own, _ANDROID)}, **lasting}
    web: Json = {"notification": {**said, **_given(own, {"icon": "icon"})}, **lasting}
    if look is not PLAIN:
        apns, fcm, web = map(merge, _shown(look), (apns, fcm, web))
    if look.silent:
        del apns["aps"]["alert"], fcm["notification"], web["notification"]
    return {
        "apns": _with_data(apns, payload, identity),
        "fcm": _with_data(fcm, _texts(payload), identity),
        "web": _with_data(web, payload, identity),
    }


def _shown(look: Presentation) -> tuple[Json, Json, Json]:
    """How it looks on each platform."""
    aps: Json = {
        "sound": look.sound,
        "badge": look.badge,
        "category": look.category,
        "thread-id": look.thread,
    }
    aps |= {"mutable-content": 1 if look.mutable else None, "content-available": 1 if look.silent else None}
    android = stated(icon=look.icon, sound=look.sound, image=look.image, android_channel_id=look.channel_id)
    fcm = stated(notification=android, priority=look.priority, collapse_key=look.collapse_id)
    web = stated(notification=stated(icon=look.icon, deep_link=look.url))
    return stated(aps=stated(**aps), image=look.image), fcm, web


_APS = {"badge": "badge", "categoryId": "category", "sound": "sound"}
# A collapse key would show a repeat once too, but FCM keeps only four of them for a phone that is away.
_ANDROID = {"channelId": "android_channel_id", "clickAction": "click_action"} | {
    name: name for name in ("color", "icon", "sound", "tag")
}


def _given(overrides: Json, names: dict[str, str]) -> Json:
    return {wire: overrides[name] for name, wire in names.items() if overrides.get(name) is not None}


def _with_data(block: Json, data: Json, identity: Json) -> Json:
    full = block | {"data": data}
    return full if len(_encoded(full)) <= MOST_BYTES else block | {"data": identity}


def _texts(values: Json) -> dict[str, str]:
    """FCM data: text to text. Nulls go, and so do the keys that FCM reserves."""
    return {key: _text(value) for key, value in values.items() if value is not None and not _reserved(key)}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _encoded(value).decode()


def _reserved(key: str) -> bool:
    return key in ("from", "message_type") or key.startswith(_FCM_RESERVED)


def _routed(overrides: Json) -> Json:
    """An override under the names on the wire, its FCM data as the texts that FCM takes."""
    routed: Json = snake(overrides, _VERBATIM)
    fcm = routed.get("fcm")
    if not isinstance(fcm, dict) or not isinstance(fcm.get("data"), dict):
        return routed
    return routed | {"fcm": fcm | {"data": _texts(fcm["data"])}}


def _encoded(value: Any) -> bytes:
    return msgspec.json.encode(value)


def _classified(status: int, error: str) -> tuple[Outcome, str]:
    known = BY_ERROR.get((status, error)) or BY_STATUS.get(status)
    if known:
        return known
    if 400 <= status < 500:
        return Outcome.PAYLOAD_REJECTED, f"Beams refused the message with {status}."
    return Outcome.UNKNOWN, f"Beams answered {status}, which its documentation doesn't list."
