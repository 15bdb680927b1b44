"""What a subscriber wants to be sent. Pure.

Four layers, each over the one before it: what the workflow comes with, what was set on it in the dashboard,
what the subscriber chose for everything, and what they chose for this workflow. A workflow that is switched
off as a whole sends to nobody, and a critical one, whose preferences are read-only, asks no subscriber.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple

import msgspec

from clarion.model.trace import Event
from clarion.model.workflow import Workflow

CHANNELS = ("email", "sms", "in_app", "chat", "push", "tool")
"""Clarion sends `push`; choices of the others are kept for whoever reads them."""

PUSH = "push"

EVERYTHING = ""
"""Stands for the workflow where a subscriber chooses for all of them."""

Chosen = Mapping[str, Mapping[str, bool]]
"""Of one subscriber: by workflow id, or `EVERYTHING`, the channels chosen there, on or off."""

WANTED: Mapping[str, Any] = {
    "all": {"enabled": True, "readOnly": False},
    "channels": {name: {"enabled": True} for name in CHANNELS},
}
"""The preferences of a workflow that has none."""


class SubscriptionPreference(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether a topic subscription wants a workflow; a `condition` decides that anew for each trigger."""

    workflow_id: str
    enabled: bool = True
    condition: dict[str, Any] | None = None


class Layer(Enum):
    """Who had the last word, with what is noted where that was a no."""

    WORKFLOW = Event.FILTERED_BY_WORKFLOW
    DASHBOARD = Event.FILTERED_BY_DASHBOARD
    SUBSCRIBER = Event.FILTERED_BY_SUBSCRIBER
    SUBSCRIBER_OF_WORKFLOW = Event.FILTERED_BY_SUBSCRIBER_OF_WORKFLOW

    @property
    def is_subscribers(self) -> bool:
        """Whether it was the subscriber."""
        return self in (Layer.SUBSCRIBER, Layer.SUBSCRIBER_OF_WORKFLOW)


class Standing(NamedTuple):
    """Whether a channel is wanted, and who said so."""

    wanted: bool
    layer: Layer


def is_critical(workflow: Workflow) -> bool:
    """Whether no subscriber can switch it off."""
    return bool(_of_workflow(workflow)[1]["all"].get("readOnly"))


def is_enabled(workflow: Workflow) -> bool:
    """Whether it is switched on as a whole."""
    return _switched_on(_of_workflow(workflow)[1])


def standing(workflow: Workflow, channel: str, chosen: Chosen) -> Standing:
    """How one channel of a workflow stands for a subscriber."""
    layer, own = _of_workflow(workflow)
    if not _switched_on(own):
        return Standing(False, layer)
    found = Standing(own["channels"].get(channel, {}).get("enabled", True), layer)
    if is_critical(workflow):
        return found
    for said in _said(workflow, channel, chosen):
        found = said
    return found


def _said(workflow: Workflow, channel: str, chosen: Chosen) -> Iterator[Standing]:
    """What the subscriber says of a channel, the last word last."""
    layers = {EVERYTHING: Layer.SUBSCRIBER, workflow.id: Layer.SUBSCRIBER_OF_WORKFLOW}
    for name, layer in layers.items():
        choice = chosen.get(name, {}).get(channel)
        if choice is not None:
            yield Standing(choice, layer)


def _of_workflow(workflow: Workflow) -> tuple[Layer, Mapping[str, Any]]:
    """The preferences that hold before any subscriber is asked."""
    set_by_hand = workflow.preferences.get("user")
    if set_by_hand:
        return Layer.DASHBOARD, set_by_hand
    return Layer.WORKFLOW, workflow.preferences.get("workflow") or WANTED


def _switched_on(preferences: Mapping[str, Any]) -> bool:
    return bool(preferences["all"].get("enabled", True))
