"""Outbound webhooks as values: endpoints, the events they hear of, and when a delivery is tried again."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import msgspec

from clarion.model.clock import DAY, HOUR, MINUTE, SECOND, Millis
from clarion.model.ids import derived_id

Json = dict[str, Any]

MESSAGE_SENT = "message.sent"
MESSAGE_FAILED = "message.failed"
MESSAGE_DELIVERED = "message.delivered"
MESSAGE_SEEN = "message.seen"
MESSAGE_READ = "message.read"
PREFERENCE_UPDATED = "preference.updated"
WORKFLOW_CREATED = "workflow.created"
WORKFLOW_UPDATED = "workflow.updated"
WORKFLOW_DELETED = "workflow.deleted"
WORKFLOW_PUBLISHED = "workflow.published"
INTEGRATION_DEGRADED = "integration.degraded"
INTEGRATION_RECOVERED = "integration.recovered"
DEVICE_RETIRED = "device.retired"
WEBHOOK_DISABLED = "webhook.disabled"
PING = "webhook.ping"
"""Sent when a person asks for it, to the endpoint they ask for; nobody chooses it."""

EVENTS: Mapping[str, str] = {
    MESSAGE_SENT: "The provider accepted a push.",
    MESSAGE_FAILED: "A push failed and is not tried again.",
    MESSAGE_DELIVERED: "The app reported that a push arrived.",
    MESSAGE_SEEN: "The app reported that somebody saw a push.",
    MESSAGE_READ: "The app reported that somebody opened a push.",
    PREFERENCE_UPDATED: "A subscriber's preferences changed.",
    WORKFLOW_CREATED: "A workflow was made.",
    WORKFLOW_UPDATED: "A workflow changed.",
    WORKFLOW_DELETED: "A workflow was removed.",
    WORKFLOW_PUBLISHED: "A workflow came from another environment.",
    INTEGRATION_DEGRADED: "An integration's provider is away, or refuses its set-up.",
    INTEGRATION_RECOVERED: "An integration sends again.",
    DEVICE_RETIRED: "A device's token was called dead by its provider.",
    WEBHOOK_DISABLED: "Another webhook endpoint was switched off.",
}
"""What an endpoint may choose to hear of."""

LONGEST_SILENCE: Millis = 5 * DAY
"""Of nothing but failures, after which an endpoint is switched off."""

_SCHEDULE: tuple[Millis, ...] = (
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    10 * HOUR,
)
"""Pauses between the tries of a delivery."""

_SLOWED = frozenset({429, 502, 504})
_SLOWED_FOR: Millis = MINUTE


class Secret(msgspec.Struct, frozen=True, omit_defaults=True):
    """What signs deliveries (`whsec_…`). `until` is when one that was replaced stops; None for the newest."""

    text: str
    until: Millis | None = None


class Endpoint(msgspec.Struct, frozen=True):
    """A customer's receiver of one environment's events. Secrets and headers are in clear; never log them.

    `events` are the types it wants, empty for all. `concurrency` is how many deliveries may be under way at a
    time: one keeps them in the order of time. `rate_limit` is how many begin in a second at most, None for
    any number. `disabled_reason` says why Clarion switched it off by itself.
    """

    id: str
    environment_id: str
    url: str
    description: str
    events: list[str]
    concurrency: int
    rate_limit: int | None
    active: bool
    disabled_reason: str
    created_at: Millis
    updated_at: Millis
    headers: dict[str, str] = {}
    secrets: list[Secret] = []

    def wants(self, kind: str) -> bool:
        """Whether it hears of that type."""
        return self.active and (not self.events or kind in self.events)

    def signing(self, now: Millis) -> list[str]:
        """The secrets that sign now, the newest first."""
        return [secret.text for secret in self.secrets if secret.until is None or secret.until > now]

    def __repr__(self) -> str:
        return f"Endpoint({self.id!r}, {self.url!r})"


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that happened. `data` is its body's; what is about a message says so by `message_id`, and its
    body is read from the log when it goes out."""

    id: str
    type: str
    at: Millis
    message_id: str = ""
    data: Json = {}


class Dispatch(msgspec.Struct, frozen=True, omit_defaults=True):
    """A journal record: what one endpoint is to be sent, events that happened or deliveries once more."""

    environment_id: str
    endpoint_id: str
    events: list[Event] = []
    again: list[str] = []


class Try(msgspec.Struct, frozen=True, omit_defaults=True):
    """One attempt: the answer's status, 0 without one, and the beginning of what it said, or why there was
    none. `code` is empty where it was taken. `url` and `headers` are what was sent, the endpoint's own values
    masked; empty where nothing was."""

    at: Millis
    took: Millis
    status: int = 0
    code: str = ""
    answer: str = ""
    retry_after: Millis | None = None
    url: str = ""
    headers: dict[str, str] = {}

    @property
    def taken(self) -> bool:
        """Whether the endpoint took it."""
        return not self.code


def event_id(kind: str, root: str, *parts: str) -> str:
    """The id of an event: the same however often it is told, with the time of its root."""
    return "evt_" + derived_id(root, kind, *parts)


def about(kind: str, message_id: str, at: Millis) -> Event:
    """What happened to a message."""
    return Event(event_id(kind, message_id), kind, at, message_id)


def happened(kind: str, shown: Json, root: str, at: Millis, **more: Any) -> Event:
    """A change of something else than a message, which is shown as it is now; `root` is its id."""
    identity = f"{at:012x}" + event_id(kind, root, str(at), *map(str, more.values()))[16:]
    return Event("evt_" + identity, kind, at, data={"object": shown, **more})


def delivery_id(endpoint: Endpoint, event: str) -> str:
    """The id under which an endpoint gets an event."""
    return derived_id(event.removeprefix("evt_"), endpoint.id)


def next_attempt(tries: int, last: Try, jitter: float) -> Millis | None:
    """When to try again after `tries` tries that failed, None when there is no further.

    The schedule is Novu's: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h. What the answer asks for counts between
    that pause and twice as much, and who is overloaded has a minute at least. `jitter` in [0, 1) adds up to a
    tenth, so that what failed together doesn't return together.
    """
    if last.code in FINAL or tries > len(_SCHEDULE):
        return None
    pause = _SCHEDULE[tries - 1]
    if last.status in _SLOWED:
        pause = max(pause, _SLOWED_FOR)
    if last.retry_after is not None:
        pause = min(max(pause, last.retry_after), 2 * pause)
    return last.at + last.took + round(pause * (1 + jitter / 10))


GONE = "http_410"
OFF = "endpoint_off"
FINAL = frozenset({"egress_refused", "not_sendable", GONE, OFF})
"""What no repetition makes better."""

_SCHEMES = ("https", "http")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
_MOST_URL = 2048


def url_fault(url: str) -> str:
    """Why a URL can't be an endpoint's; empty when it can. Where its name leads is looked at when it is
    called."""
    if len(url) > _MOST_URL:
        return f"must not be longer than {_MOST_URL} characters"
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        return "holds characters that must be percent-encoded"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is no URL: its host or port is wrong"
    if parts.scheme not in _SCHEMES or "//" not in url:
        return "must begin with https:// or http:// and name a host"
    if "@" in parts.netloc or parts.fragment:
        return "must have no user name and no fragment"
    if not host or port == 0 or not _is_host(host):
        return "must name a host"
    return ""


def _is_host(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return all(_LABEL.fullmatch(label) for label in host.removesuffix(".").split("."))
    return True
