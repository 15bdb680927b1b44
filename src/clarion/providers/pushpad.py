"""Pushpad: one uid reaches all browsers that are subscribed under it.

https://pushpad.xyz/docs/rest_api
"""

from collections.abc import Sequence

import msgspec

from clarion.errors import CredentialsInvalid
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PLAIN, Json, Presentation, PushMessage, Target, stated
from clarion.providers.port import (
    WEIGHED,
    Credentials,
    Defaults,
    Field,
    decoded,
    merge,
    passed_headers,
    raw_of,
    snake,
    wait_of,
    with_passed_query,
)

ORIGIN = "https://pushpad.xyz"
MOST_BYTES = 3993
"""What fits into one encrypted web push, as UTF-8 JSON."""

BY_STATUS: dict[int, tuple[Outcome, str]] = {
    400: (Outcome.PAYLOAD_REJECTED, "Pushpad can't read the request; check the overrides."),
    401: (Outcome.CREDENTIALS_REJECTED, "Pushpad refused the auth token; copy it again from its dashboard."),
    402: (Outcome.CREDENTIALS_REJECTED, "Pushpad has trouble with billing or the plan's limits are reached."),
    403: (Outcome.CREDENTIALS_REJECTED, "The auth token may not use this Pushpad project."),
    404: (Outcome.CREDENTIALS_REJECTED, "Pushpad knows no such project; check the project id."),
    422: (Outcome.PAYLOAD_REJECTED, "Pushpad refused the message; see the answer for the field."),
    429: (Outcome.THROTTLED, "Pushpad asks to slow down."),
    500: (Outcome.UNAVAILABLE, "Pushpad had an internal error."),
    502: (Outcome.UNAVAILABLE, "A front end of Pushpad had trouble."),
    503: (Outcome.UNAVAILABLE, "Pushpad is unavailable."),
    504: (Outcome.UNAVAILABLE, "A front end of Pushpad had trouble."),
}
"""HTTP status → what it means. The bodies of errors are not documented."""

_VERBATIM = frozenset({"customData", "custom_data"})
"""What has names of its own: the app's."""

_NOT_SUBSCRIBED = Verdict(
    Outcome.PAYLOAD_REJECTED,
    "not_subscribed",
    "No browser is subscribed under this uid. It stays registered, for the person may subscribe later.",
)


class PushpadCredentials(Credentials, frozen=True):
    """One Pushpad project and the account's token."""

    project_id: str
    auth_token: str

    public = ("project_id",)


class Pushpad(Defaults):
    """Pushpad."""

    id = "pushpad"
    of_triggers = frozenset({"uids"})
    name = "Pushpad"
    most_bytes: int | None = MOST_BYTES
    docs = "https://pushpad.xyz/docs"
    addressed_by = "uid that the site subscribed with"
    fields = (
        Field("applicationId", "Project ID", "Pushpad → the project's settings; a number."),
        Field("apiKey", "Auth token", "Pushpad → Account settings → Access tokens.", "secret"),
    )
    most_per_request = 1000
    shares_body = True
    tells_dead = False

    def credentials(self, stored: Json) -> PushpadCredentials:
        auth_token = str(stored.get("apiKey") or "").strip()
        if not auth_token or not auth_token.isascii() or not auth_token.isprintable() or " " in auth_token:
            raise CredentialsInvalid("apiKey", "paste an auth token of the Pushpad account")
        project = str(stored.get("applicationId") or "").strip()
        if not project.isascii() or not project.isdecimal():
            raise CredentialsInvalid("applicationId", "give the id of the Pushpad project, a number")
        return PushpadCredentials(project, auth_token)

    def build(
        self, credentials: PushpadCredentials, message: PushMessage, target: Target, token: str
    ) -> HttpRequest:
        said = _composed(message, [target.token], {"__nvMessageId": target.message_id})
        return _request(credentials, message, said)

    def weight(self, message: PushMessage) -> int:
        return len(msgspec.json.encode(_composed(message, [], {"__nvMessageId": WEIGHED.message_id})))

    def read(self, reply: HttpReply, message: PushMessage) -> Verdict:
        answer = decoded(reply.body)
        if reply.status == 201:
            return _taken(answer)
        outcome, explanation = BY_STATUS.get(
            reply.status,
            (Outcome.UNKNOWN, f"Pushpad answered {reply.status}, which its documentation doesn't list."),
        )
        return Verdict(
            outcome,
            f"http_{reply.status}",
            explanation,
            retry_after=wait_of(reply, outcome),
            raw=raw_of(reply),
        )

    def batchable(self, credentials: PushpadCredentials, message: PushMessage) -> bool:
        """Not what overrides send to other users."""
        others = (message.legacy, message.override, message.passthrough.get("body", {}))
        return not any("uids" in given for given in others)

    def build_many(
        self, credentials: PushpadCredentials, messages: Sequence[tuple[PushMessage, Target]], token: str
    ) -> HttpRequest:
        uids = [target.token for _, target in messages]
        return _request(credentials, messages[0][0], _composed(messages[0][0], uids, {}))

    def read_many(self, reply: HttpReply, messages: Sequence[tuple[PushMessage, Target]]) -> list[Verdict]:
        """Pushpad lists those of the uids that have a subscription, where it lists any."""
        whole = self.read(reply, messages[0][0])
        subscribed = decoded(reply.body).get("uids")
        if whole.outcome is not Outcome.ACCEPTED or not isinstance(subscribed, list):
            return [whole] * len(messages)
        missing = msgspec.structs.replace(_NOT_SUBSCRIBED, provider_message_id=whole.provider_message_id)
        return [whole if target.token in subscribed else missing for _, target in messages]


def _request(credentials: PushpadCredentials, message: PushMessage, said: Json) -> HttpRequest:
    body = merge(said, message.passthrough.get("body", {}))
    headers = {
        "authorization": f"Bearer {credentials.auth_token}",
        "content-type": "application/json",
        "accept": "application/json",
    }
    headers |= passed_headers(message)
    encoded = msgspec.json.encode(_addressed(body))
    return HttpRequest("POST", _url(credentials, message), tuple(headers.items()), encoded)


def _url(credentials: PushpadCredentials, message: PushMessage) -> str:
    url = f"{ORIGIN}/api/v1/projects/{credentials.project_id}/notifications"
    return with_passed_query(url, message)


def _composed(message: PushMessage, uids: Sequence[str], identity: Json) -> Json:
    """The message as Novu maps it, and the payload where it fits."""
    body: Json = {"uids": list(uids), "title": message.title, "body": message.body}
    body |= {} if message.presentation is PLAIN else _shown(message.presentation)
    body = merge(merge(body, snake(message.legacy, _VERBATIM)), snake(message.override, _VERBATIM))
    own = body.pop("custom_data", {})
    if not isinstance(own, dict):
        return body | {"custom_data": own}
    own = own | identity
    full = body | {"custom_data": _text(message.payload | own)}
    fits = len(msgspec.json.encode(full)) <= MOST_BYTES
    return full if fits else body | {"custom_data": _text(own)}


def _shown(look: Presentation) -> Json:
    """How it looks and travels; Pushpad has no message that shows nothing."""
    return stated(
        image_url=look.image,
        icon_url=look.icon,
        target_url=look.url,
        ttl=look.ttl,
        urgent=look.high,
        silent=True if look.silent else None,
    )


def _addressed(body: Json) -> Json:
    """Without uids Pushpad sends to everybody; a passthrough must not get there by taking them away."""
    uids = body.get("uids")
    if not isinstance(uids, list) or not uids or not all(isinstance(uid, str) and uid for uid in uids):
        raise ValueError("uids must be texts that are not empty: without them Pushpad sends to everybody")
    return body


def _text(value: Json) -> str:
    return msgspec.json.encode(value).decode()


def _taken(answer: Json) -> Verdict:
    """Pushpad leaves out those of the uids that have no subscription, without an error."""
    identity = str(answer.get("id", ""))
    if answer.get("uids") == []:
        return msgspec.structs.replace(_NOT_SUBSCRIBED, provider_message_id=identity)
    return Verdict(Outcome.ACCEPTED, provider_message_id=identity)
