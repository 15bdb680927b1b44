"""Subscribers, their devices, and the integrations devices belong to."""

from typing import Any

import msgspec

from clarion.model.clock import Millis

PUSH_PROVIDERS = frozenset(
    {"fcm", "apns", "expo", "one-signal", "pushpad", "push-webhook", "pusher-beams", "appio"}
)
"""Provider ids that Novu's SDKs accept in `channels[]`."""

OWN_PROVIDERS = frozenset({"web-push", "huawei", "sandbox"})
"""Provider ids that Novu's SDKs don't know; their devices never show in `channels[]`."""

DEVICE_PROVIDERS = PUSH_PROVIDERS | OWN_PROVIDERS
"""Provider ids that devices can be registered under."""

CHAT_PROVIDERS = frozenset(
    [
        "slack",
        "discord",
        "msteams",
        "webex-messaging",
        "mattermost",
        "ryver",
        "zulip",
        "grafana-on-call",
        "getstream",
        "rocket-chat",
        "whatsapp-business",
        "line",
        "chat-webhook",
        "novu-slack",
        "telegram",
        "sendblue",
        "novu-web-chat",
    ]
)

MAX_DEVICE_TOKENS = 100
"""Tokens per subscriber and integration, counted after duplicates are removed."""


OWNERSHIP = "deviceOwnership"
"""Configuration of an integration: what happens to a token that another subscriber registers."""
OWNERSHIP_MOVES = "move"
OWNERSHIPS = frozenset({OWNERSHIP_MOVES, "share"})

ISSUED_PREFIX = "dev_"
"""How the ids of devices begin whose app chose none."""


def issued_id(pk: int) -> str:
    """The id of a device whose app chose none."""
    return f"{ISSUED_PREFIX}{pk}"


class Subscriber(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person who can be reached; `pk` is the row, `subscriber_id` the caller's name for them."""

    pk: int
    id: str
    environment_id: str
    subscriber_id: str
    created_at: Millis
    updated_at: Millis
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    avatar: str | None = None
    locale: str | None = None
    timezone: str | None = None
    data: dict[str, Any] | None = None
    is_online: bool | None = None
    last_online_at: Millis | None = None


class Device(msgspec.Struct, frozen=True):
    """A live token of a subscriber under an integration, and what its app told of itself.

    `locale` and `timezone` (IANA) win over the subscriber's for this device.
    """

    pk: int
    subscriber_pk: int
    integration_id: str
    token: str
    chosen_id: str | None = None
    locale: str | None = None
    timezone: str | None = None

    @property
    def id(self) -> str:
        """What the API calls it: the id that the app chose, else one of Clarion's."""
        return self.chosen_id or issued_id(self.pk)


class Channel(msgspec.Struct, frozen=True):
    """What a subscriber has under one integration: live devices in order, and further credentials."""

    subscriber_pk: int
    provider_id: str
    integration_id: str
    integration_identifier: str
    devices: list[Device] = []
    webhook_url: str | None = None


class Integration(msgspec.Struct, frozen=True, omit_defaults=True):
    """One configured provider of one environment. `credentials` are in clear; never log them."""

    id: str
    environment_id: str
    identifier: str
    name: str
    provider_id: str
    channel: str
    created_at: Millis
    updated_at: Millis
    credentials: dict[str, Any] = {}
    configurations: dict[str, Any] = {}
    conditions: list[Any] = []
    active: bool = False

    def moves_devices(self, *, otherwise: bool) -> bool:
        """Whether a token belongs to who registered it last; `otherwise` unless it is configured."""
        ownership = self.configurations.get(OWNERSHIP)
        return otherwise if ownership is None else ownership == OWNERSHIP_MOVES


class Environment(msgspec.Struct, frozen=True, omit_defaults=True):
    """An isolated world of subscribers, integrations, workflows and keys."""

    id: str
    name: str
    identifier: str
    type: str | None
    created_at: Millis
    color: str | None = None
    parent_id: str | None = None
