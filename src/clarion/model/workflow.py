"""Workflows as stored: steps with their controls, and the state a trigger finds them in."""

from typing import Any

import msgspec

from clarion.model.clock import Millis

STEP_TYPES = frozenset(
    [
        "in_app",
        "email",
        "sms",
        "chat",
        "push",
        "tool",
        "digest",
        "trigger",
        "delay",
        "throttle",
        "custom",
        "http_request",
    ]
)
PUSH_STEP = "push"
DELAY, DIGEST, THROTTLE, HTTP_REQUEST, CUSTOM = "delay", "digest", "throttle", "http_request", "custom"
RUNNABLE_STEP_TYPES = frozenset({PUSH_STEP, DELAY, DIGEST, THROTTLE, HTTP_REQUEST, CUSTOM})

SEVERITIES = ("high", "medium", "low", "none")

DEFER, SKIP, SEND = "defer", "skip", "send"
"""What a workflow does with a push outside of its recipient's schedule: wait for it to open, leave it out, or
send all the same."""


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step. `controls` are its editable values, other ones for each type."""

    id: str
    step_id: str
    name: str
    type: str
    controls: dict[str, Any] = {}


class Workflow(msgspec.Struct, frozen=True, omit_defaults=True):
    """A workflow of one environment."""

    id: str
    environment_id: str
    workflow_id: str
    name: str
    created_at: Millis
    updated_at: Millis
    steps: list[Step] = []
    description: str = ""
    tags: list[str] = []
    active: bool = False
    validate_payload: bool = False
    payload_schema: dict[str, Any] | None = None
    is_translation_enabled: bool = False
    preferences: dict[str, Any] = {}
    severity: str = "none"
    origin: str = "novu-cloud"
    outside_schedule: str = DEFER
