"""Addresses of subscribers outside of push, and what each type of them is made of. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from clarion.model.push import Json

MOST_TEXT = 4096
"""Characters of one part of an address."""

_REGIONS = ("us", "eu")


class Shape(NamedTuple):
    """What an address of a type is made of: texts, `headers` aside; `exactly_one` of those is there."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    exactly_one: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = {}

    @property
    def parts(self) -> tuple[str, ...]:
        """Everything that it can have."""
        return (*self.required, *self.optional, *self.exactly_one)


SHAPES: Mapping[str, Shape] = {
    "slack_channel": Shape(("channelId",)),
    "slack_user": Shape(("userId",)),
    "webhook": Shape(("url",), ("channel",)),
    "phone": Shape(("phoneNumber",)),
    "ms_teams_channel": Shape(("teamId", "channelId")),
    "ms_teams_user": Shape(("userId",)),
    "telegram_chat": Shape(("chatId",)),
    "webex_room": Shape(("roomId",), ("parentId",)),
    "webex_person": Shape(exactly_one=("personId", "personEmail")),
    "line_user": Shape(("userId",)),
    "pagerduty_service": Shape(("routingKey", "region"), choices={"region": _REGIONS}),
    "opsgenie_integration": Shape(("apiKey", "region"), choices={"region": _REGIONS}),
    "grafana_oncall_integration": Shape(("url",), ("authToken",)),
    "tool_webhook": Shape(("url",), ("headers", "method"), choices={"method": ("POST", "PUT", "PATCH")}),
}

SECRETS = frozenset({"routingKey", "apiKey", "authToken"})
"""Parts that are never shown in full, beside the values of `headers`."""


class Fault(NamedTuple):
    """What is wrong with a part of an address, the whole of it without one."""

    part: str
    message: str


def fault_of(kind: str, address: Mapping[str, Any]) -> Fault | None:
    """Why no address of a type can be made of it."""
    shape = SHAPES[kind]
    for part in shape.required:
        if address.get(part) is None:
            return Fault(part, f"is required for {kind}")
    given = [part for part in shape.exactly_one if address.get(part) is not None]
    if shape.exactly_one and len(given) != 1:
        return Fault("", f"must have exactly one of: {', '.join(shape.exactly_one)}")
    for part in shape.parts:
        message = _wrong(shape, part, address.get(part))
        if message:
            return Fault(part, message)
    return None


def made_of(kind: str, address: Mapping[str, Any]) -> Json:
    """The parts that an address of a type has; others are nothing to it."""
    return {part: address[part] for part in SHAPES[kind].parts if address.get(part) is not None}


def _wrong(shape: Shape, part: str, value: Any) -> str:
    if value is None:
        return ""
    texts = [value]
    if part == "headers":
        if not isinstance(value, dict):
            return "must map names to texts"
        texts = list(value.values())
    if not all(isinstance(text, str) and 0 < len(text) <= MOST_TEXT for text in texts):
        return f"must be text of 1 to {MOST_TEXT} characters"
    choices = shape.choices.get(part)
    return f"must be one of: {', '.join(choices)}" if choices and value not in choices else ""
