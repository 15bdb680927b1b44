"""A push as values: what is said, to which device, through which integration."""

from typing import Any

import msgspec

from clarion.model.clock import Millis

Json = dict[str, Any]


class PushMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a step says, the same for every device it goes to.

    `payload` is the trigger's. `legacy` is `overrides.<provider>`; `override` is the merge of
    `overrides.providers.<provider>` and `overrides.steps.<step>.providers.<provider>`, without
    `passthrough`, its raw `_passthrough` part ({body, headers, query}).
    `subscriber` and `step` are there for providers that hand them on (the push webhook).
    """

    title: str
    body: str
    payload: Json = {}
    legacy: Json = {}
    override: Json = {}
    passthrough: Json = {}
    subscriber: Json = {}
    step: Json = {}


class Target(msgspec.Struct, frozen=True):
    """One device: its token under an integration, and the id its message travels under."""

    message_id: str
    token: str


class Send(msgspec.Struct, omit_defaults=True):
    """One message to one device. `content` indexes `Delivery.contents`; `attempt` counts tries made."""

    message_id: str
    notification_id: str
    trigger_id: str
    step_id: str
    subscriber_pk: int
    device_id: int
    token: str
    content: int
    attempt: int = 0


class Delivery(msgspec.Struct, omit_defaults=True):
    """A journal record of the deliver stage: sends of one integration, contents said once.

    `expires_at`: no try starts after it.
    """

    environment_id: str
    integration_id: str
    expires_at: Millis
    contents: list[PushMessage]
    sends: list[Send]
