"""Workflows on the wire."""

from collections.abc import Sequence
from typing import Any

import msgspec

from clarion.api.slugs import slug
from clarion.compose.naming import misnamed
from clarion.compose.preview import Issue, preview
from clarion.model.clock import Millis, iso
from clarion.model.preference import WANTED
from clarion.model.workflow import Step, Workflow
from clarion.store.catalog import Snapshot

Json = dict[str, Any]


class Controls(msgspec.Struct):
    """PushControlsMetadataResponseDto."""

    values: Json


class IssueOut(msgspec.Struct, rename="camel", omit_defaults=True):
    """StepContentIssueDto."""

    issue_type: str
    message: str
    severity: str
    variable_name: str | None = None


class IssuesOut(msgspec.Struct):
    """StepIssuesDto: by control."""

    controls: dict[str, list[IssueOut]]


class StepOut(msgspec.Struct, rename="camel", kw_only=True):
    """WorkflowStep."""

    id: str = msgspec.field(name="_id")
    step_id: str
    name: str
    slug: str
    type: str
    origin: str
    workflow_id: str
    workflow_database_id: str
    controls: Controls
    control_values: Json
    variables: Json
    issues: IssuesOut


class WorkflowOut(msgspec.Struct, rename="camel", kw_only=True):
    """WorkflowResponseDto."""

    id: str = msgspec.field(name="_id")
    workflow_id: str
    slug: str
    name: str
    description: str
    tags: list[str]
    active: bool
    validate_payload: bool
    payload_schema: Json | None
    is_translation_enabled: bool
    steps: list[StepOut]
    origin: str
    preferences: Json
    status: str
    severity: str
    last_triggered_at: str | None
    outside_schedule: str
    created_at: str
    updated_at: str


WIRE_NAMES = {field.name: field.encode_name for field in msgspec.structs.fields(WorkflowOut)}
"""What a workflow's fields are called in answers."""


class StepOverview(msgspec.Struct):
    """StepListResponseDto."""

    slug: str
    type: str


class WorkflowOverview(msgspec.Struct, rename="camel", kw_only=True):
    """WorkflowListResponseDto."""

    id: str = msgspec.field(name="_id")
    workflow_id: str
    slug: str
    name: str
    tags: list[str]
    status: str
    origin: str
    is_translation_enabled: bool
    step_type_overviews: list[str]
    steps: list[StepOverview]
    last_triggered_at: str | None
    created_at: str
    updated_at: str


class WorkflowList(msgspec.Struct, rename="camel"):
    """ListWorkflowResponse."""

    workflows: list[WorkflowOverview]
    total_count: int


def status_of(item: Workflow) -> str:
    """Whether it is triggered, as Novu words it."""
    return "ACTIVE" if item.active else "INACTIVE"


def workflow_slug(item: Workflow) -> str:
    """The name by which a dashboard's address has it."""
    return f"{slug(item.name)}_wf_{item.id}"


def step_slug(step: Step) -> str:
    """The name by which a dashboard's address has it."""
    return f"{slug(step.name)}_st_{step.id}"


def workflow_out(item: Workflow, snapshot: Snapshot, triggered_at: Millis | None = None) -> WorkflowOut:
    """A workflow on the wire."""
    return WorkflowOut(
        id=item.id,
        workflow_id=item.workflow_id,
        slug=workflow_slug(item),
        name=item.name,
        description=item.description,
        tags=item.tags,
        active=item.active,
        validate_payload=item.validate_payload,
        payload_schema=item.payload_schema,
        is_translation_enabled=item.is_translation_enabled,
        steps=[step_out(item, step, snapshot) for step in item.steps],
        origin=item.origin,
        preferences={
            "default": item.preferences.get("workflow") or WANTED,
            "user": item.preferences.get("user"),
        },
        status=status_of(item),
        severity=item.severity,
        last_triggered_at=_date(triggered_at),
        outside_schedule=item.outside_schedule,
        created_at=iso(item.created_at),
        updated_at=iso(item.updated_at),
    )


def step_out(workflow: Workflow, step: Step, snapshot: Snapshot) -> StepOut:
    """A step on the wire, with what is wrong with it; it was saved all the same."""
    env = snapshot.variables_of(workflow.environment_id)
    issues = [
        *preview(workflow, step.type, step.controls, {}, snapshot.words_of(workflow)).issues,
        *misnamed(workflow, step.controls, env),
    ]
    return StepOut(
        id=step.id,
        step_id=step.step_id,
        name=step.name,
        slug=step_slug(step),
        type=step.type,
        origin=workflow.origin,
        workflow_id=workflow.workflow_id,
        workflow_database_id=workflow.id,
        controls=Controls(step.controls),
        control_values=step.controls,
        variables={},
        issues=issues_out(issues),
    )


def issues_out(found: Sequence[Issue]) -> IssuesOut:
    """What is wrong with a step, by control."""
    by_control: dict[str, list[IssueOut]] = {}
    for issue in found:
        told = IssueOut(issue.kind, issue.message, "error", issue.variable or None)
        by_control.setdefault(issue.control, []).append(told)
    return IssuesOut(by_control)


def _date(at: Millis | None) -> str | None:
    return None if at is None else iso(at)


def overview(item: Workflow, triggered_at: Millis | None) -> WorkflowOverview:
    """A workflow as lists show it."""
    return WorkflowOverview(
        id=item.id,
        workflow_id=item.workflow_id,
        slug=workflow_slug(item),
        name=item.name,
        tags=item.tags,
        status=status_of(item),
        origin=item.origin,
        is_translation_enabled=item.is_translation_enabled,
        step_type_overviews=[step.type for step in item.steps],
        steps=[StepOverview(step_slug(step), step.type) for step in item.steps],
        last_triggered_at=_date(triggered_at),
        created_at=iso(item.created_at),
        updated_at=iso(item.updated_at),
    )
