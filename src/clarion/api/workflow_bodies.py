"""What is sent of a workflow, and the workflow that it makes."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from clarion.api.people import checked_id
from clarion.api.slugs import short_id, slug
from clarion.api.step_controls import check_answer_schema, check_controls
from clarion.check.schema import check_schema
from clarion.errors import LimitExceeded, Unprocessable
from clarion.model.clock import Millis
from clarion.model.ids import new_id
from clarion.model.workflow import RUNNABLE_STEP_TYPES, STEP_TYPES, Step, Workflow

MOST_STEPS = 20
MOST_TAGS = 16

_RUNNABLE = ", ".join(sorted(RUNNABLE_STEP_TYPES))

Severity = Literal["high", "medium", "low", "none"]
OutsideSchedule = Literal["defer", "skip", "send"]
Json = dict[str, Any]


class StepIn(msgspec.Struct, rename="camel", kw_only=True):
    """PushStepUpsertDto and its kin."""

    name: str
    type: str
    id: str | None = msgspec.field(name="_id", default=None)
    step_id: str | None = None
    control_values: Json | None = None


class AllPreference(msgspec.Struct, rename="camel"):
    """WorkflowPreferenceDto."""

    enabled: bool = True
    read_only: bool = False


class ChannelPreference(msgspec.Struct):
    """ChannelPreferenceDto."""

    enabled: bool = True


class WorkflowPreferences(msgspec.Struct):
    """WorkflowPreferencesDto."""

    all: AllPreference
    channels: dict[str, ChannelPreference]


class PreferencesIn(msgspec.Struct):
    """PreferencesRequestDto."""

    user: WorkflowPreferences | None = None
    workflow: WorkflowPreferences | None = None


class WorkflowIn(msgspec.Struct, rename="camel", kw_only=True):
    """CreateWorkflowDto and UpdateWorkflowDto, and what becomes of a push outside of a recipient's schedule.
    The SDKs don't know that last one: where it is left out it stays as it was."""

    name: str
    steps: list[StepIn]
    workflow_id: str | None = None
    description: str | None = None
    tags: list[str] | None = None
    active: bool | None = None
    validate_payload: bool | None = None
    payload_schema: Json | None = None
    is_translation_enabled: bool | None = None
    preferences: PreferencesIn | None = None
    severity: Severity | None = None
    outside_schedule: OutsideSchedule | None = None


class NewWorkflow(WorkflowIn, kw_only=True, rename="camel"):
    """CreateWorkflowDto."""

    workflow_id: str


class WorkflowPatch(msgspec.Struct, rename="camel"):
    """PatchWorkflowDto: absent keeps."""

    active: bool | UnsetType = UNSET
    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    payload_schema: Json | None | UnsetType = UNSET
    validate_payload: bool | UnsetType = UNSET
    is_translation_enabled: bool | UnsetType = UNSET
    outside_schedule: OutsideSchedule | UnsetType = UNSET


def check_schemas(given: WorkflowIn) -> None:
    """By themselves, since it may take a second."""
    check_schema(given.payload_schema or {})
    for position, step in enumerate(given.steps[:MOST_STEPS]):
        check_answer_schema(step.control_values or {}, f"steps.{position}")


def filled(base: Workflow, given: WorkflowIn) -> Workflow:
    """The workflow with what is given; what is left out takes its default, as the contract has it."""
    check_name(given.name, "name")
    checked_id(base.workflow_id, "workflowId")
    check_tags(given.tags or ())
    wanted = given.preferences or PreferencesIn()
    return msgspec.structs.replace(
        base,
        name=given.name,
        steps=_steps(given.steps, base),
        description=given.description or "",
        tags=given.tags or [],
        active=bool(given.active),
        validate_payload=bool(given.validate_payload),
        payload_schema=given.payload_schema,
        is_translation_enabled=bool(given.is_translation_enabled),
        preferences=msgspec.to_builtins(wanted),
        severity=given.severity or "none",
        outside_schedule=given.outside_schedule or base.outside_schedule,
    )


def _steps(given: Sequence[StepIn], base: Workflow) -> list[Step]:
    """A step that is sent back by its `_id` keeps the stepId it has."""
    if len(given) > MOST_STEPS:
        raise LimitExceeded(
            f"Workflow steps limit exceeded. Maximum allowed steps is {MOST_STEPS},"
            f" but got {len(given)} steps.",
            current=len(given),
            limit=MOST_STEPS,
        )
    kept = {step.id: step.step_id for step in base.steps}
    steps = [_step(item, position, base.created_at, kept) for position, item in enumerate(given)]
    names = [step.step_id for step in steps]
    for position, name in enumerate(names):
        if name in names[:position]:
            raise _wrong(f"steps.{position}.stepId", f"{name} stands twice: give each step its own stepId")
    return steps


def _step(given: StepIn, position: int, now: Millis, kept: Mapping[str, str]) -> Step:
    place = f"steps.{position}"
    if given.type not in STEP_TYPES:
        raise _wrong(f"{place}.type", f"must be one of: {', '.join(sorted(STEP_TYPES))}")
    if given.type not in RUNNABLE_STEP_TYPES:
        raise _wrong(f"{place}.type", f"{given.type} steps are not for push; use {_RUNNABLE}")
    controls = said_controls(given.control_values or {})
    check_controls(given.type, controls, place)
    return Step(
        given.id or new_id(now),
        given.step_id or kept.get(given.id or "") or f"{slug(given.name)}-{short_id(4)}",
        given.name,
        given.type,
        controls,
    )


def said_controls(given: Json) -> Json:
    """The controls that say something."""
    return {name: value for name, value in given.items() if value is not None}


def check_name(name: str, field: str) -> None:
    """A name says something."""
    if not name.strip():
        raise _wrong(field, "must not be empty")


def check_tags(tags: Sequence[str]) -> None:
    """There are only so many tags."""
    if len(tags) > MOST_TAGS:
        raise _wrong("tags", f"must not be more than {MOST_TAGS}")


def _wrong(field: str, message: str) -> Unprocessable:
    return Unprocessable(f"{field}: {message}", {field: [message]})
