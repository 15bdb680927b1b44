"""A push as values: what is said, to which device, through which integration."""

from collections.abc import Mapping
from typing import Any

import msgspec

from clarion.model.clock import Millis

Json = dict[str, Any]


class Presentation(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a push looks and behaves, in no provider's words; None says nothing.

    `image`, `icon` and `url` (where a tap leads) are addresses, or names of resources where a platform has
    those; `ttl` is seconds after acceptance, `priority` high or normal, `badge` the number on the app's
    icon. `collapse_id` makes a later push replace an earlier one. A `silent` push wakes the app and shows
    nothing; with `mutable` an extension of the app may change it first.
    """

    image: str | None = None
    icon: str | None = None
    sound: str | None = None
    badge: int | None = None
    url: str | None = None
    ttl: int | None = None
    priority: str | None = None
    collapse_id: str | None = None
    thread: str | None = None
    category: str | None = None
    channel_id: str | None = None
    silent: bool = False
    mutable: bool = False

    @property
    def high(self) -> bool | None:
        """Whether it is urgent; None: the platform's own default."""
        return None if self.priority is None else self.priority == HIGH


CONTROLS: Mapping[str, str] = {
    "image": "image",
    "icon": "icon",
    "sound": "sound",
    "badge": "badge",
    "url": "url",
    "ttl": "ttl",
    "priority": "priority",
    "collapseId": "collapse_id",
    "thread": "thread",
    "category": "category",
    "channelId": "channel_id",
    "silent": "silent",
    "mutable": "mutable",
}
"""Controls of a push step, and keys of a trigger's `overrides.push` → fields of a `Presentation`."""

HIGH = "high"
PRIORITIES = frozenset({HIGH, "normal"})
PLAIN = Presentation()
"""Says nothing of how it looks."""


def stated(**fields: Any) -> Json:
    """Those of the fields that say something; an object with nothing in it says nothing."""
    return {name: value for name, value in fields.items() if value is not None and value != {}}


class PushMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a step says to one recipient.

    `payload` is the trigger's. `legacy` is `overrides.<provider>`; `override` is the merge of
    what the step's own `providers` say of it, `overrides.providers.<provider>` and
    `overrides.steps.<step>.providers.<provider>`, without `passthrough`, its raw `_passthrough` part
    ({body, headers, query}).
    `subscriber` and `step` are there for providers that hand them on (the push webhook), and
    `webhook_url` is the recipient's own receiver, empty for the integration's.
    """

    title: str
    body: str
    payload: Json = {}
    legacy: Json = {}
    override: Json = {}
    passthrough: Json = {}
    subscriber: Json = {}
    step: Json = {}
    webhook_url: str = ""
    presentation: Presentation = PLAIN


class Target(msgspec.Struct, frozen=True):
    """One device: its token under an integration, the id its message travels under, and when it is tried.

    `group` is the id that all share whom the same step of the same trigger tells the same: what a body for
    several devices travels under.
    """

    message_id: str
    token: str
    at: Millis = 0
    group: str = ""


class Personal(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a message differs from the content it shares with others; None and empty: it doesn't."""

    title: str | None = None
    body: str | None = None
    subscriber: Json = {}
    webhook_url: str = ""
    presentation: Presentation | None = None
    step: Json = {}
    override: Json | None = None
    passthrough: Json | None = None


class Send(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message to one device. `content` indexes `Delivery.contents`; `attempt` counts tries made.

    `device_id` is 0 for a token that only the trigger names. `held` counts how often it had to wait without
    being tried. `grouped`: it was sent in a body shared with others, and travels like that again. `awaited`:
    a run waits for its outcome.
    """

    message_id: str
    notification_id: str
    trigger_id: str
    step_id: str
    subscriber_pk: int
    device_id: int
    token: str
    content: int
    personal: Personal | None = None
    attempt: int = 0
    held: int = 0
    grouped: bool = False
    awaited: bool = False


class Delivery(msgspec.Struct, frozen=True, omit_defaults=True):
    """A journal record of the deliver stage: sends of one integration, contents said once.

    `expires_at`: nothing is tried again after it.
    """

    environment_id: str
    integration_id: str
    expires_at: Millis
    contents: list[PushMessage]
    sends: list[Send]


class Ticket(msgspec.Struct, frozen=True):
    """An accepted message whose provider tells later what became of it."""

    ticket: str
    message_id: str
    device_id: int
    sent_at: Millis


class Receipts(msgspec.Struct, frozen=True, omit_defaults=True):
    """A journal record: tickets of one integration to ask about; `check` counts how often they were."""

    environment_id: str
    integration_id: str
    tickets: list[Ticket]
    check: int = 0


def message_of(delivery: Delivery, send: Send) -> PushMessage:
    """What a send says: its content, with what is its own."""
    return with_own(delivery.contents[send.content], send.personal)


def with_own(shared: PushMessage, own: Personal | None) -> PushMessage:
    """A content with what one recipient has of their own."""
    if own is None:
        return shared
    return msgspec.structs.replace(
        shared,
        title=shared.title if own.title is None else own.title,
        body=shared.body if own.body is None else own.body,
        subscriber=own.subscriber,
        webhook_url=own.webhook_url,
        presentation=own.presentation or shared.presentation,
        step=own.step or shared.step,
        override=shared.override if own.override is None else own.override,
        passthrough=shared.passthrough if own.passthrough is None else own.passthrough,
    )
