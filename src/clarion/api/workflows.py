"""Workflows of the caller's environment."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy.engine import Connection

from clarion.api.pages import OffsetQuery
from clarion.api.people import checked_id
from clarion.api.route import Call, Category, NoQuery, Route
from clarion.api.slugs import short_id, slug
from clarion.api.step_controls import check_answer_schema, check_controls
from clarion.check.schema import check_schema
from clarion.compose.naming import misnamed
from clarion.compose.preview import Issue, preview
from clarion.errors import Conflict, LimitExceeded, NotFound, Unprocessable
from clarion.model.clock import Millis, iso
from clarion.model.ids import new_id
from clarion.model.member import Role
from clarion.model.preference import WANTED
from clarion.model.webhook import WORKFLOW_CREATED, WORKFLOW_DELETED, WORKFLOW_UPDATED, happened
from clarion.model.workflow import RUNNABLE_STEP_TYPES, STEP_TYPES, Step, Workflow
from clarion.store import workflows
from clarion.store.catalog import Snapshot

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


class ListQuery(OffsetQuery, rename="camel", frozen=True):
    """Query of the list."""

    order_by: Literal["createdAt", "updatedAt", "name", "lastTriggeredAt"] = "createdAt"
    tags: list[str] = []
    status: list[Literal["ACTIVE", "INACTIVE", "ERROR"]] = []


async def create_workflow(call: Call[NewWorkflow, NoQuery]) -> WorkflowOut:
    """Create a workflow."""
    await asyncio.to_thread(_check_schemas, call.body)
    now = call.services.clock()
    workflow = _filled(
        Workflow(new_id(now), call.environment_id, call.body.workflow_id, call.body.name, now, now), call.body
    )

    def write(connection: Connection) -> None:
        workflows.create(connection, workflow)
        tell(connection, call, WORKFLOW_CREATED, workflow)

    try:
        await call.services.catalog.change(write)
    except Conflict as error:
        raise _taken(error) from error
    return workflow_out(workflow, call.snapshot)


async def get_workflow(call: Call[None, NoQuery]) -> WorkflowOut:
    """One workflow, by identifier, `_id` or slug."""
    return await shown_workflow(call, found_workflow(call))


async def update_workflow(call: Call[WorkflowIn, NoQuery]) -> WorkflowOut:
    """Replace a workflow."""
    await asyncio.to_thread(_check_schemas, call.body)

    def write(connection: Connection) -> Workflow:
        found = current_workflow(connection, call)
        renamed = msgspec.structs.replace(found, workflow_id=call.body.workflow_id or found.workflow_id)
        changed = msgspec.structs.replace(_filled(renamed, call.body), updated_at=call.services.clock())
        workflows.replace(connection, changed)
        tell(connection, call, WORKFLOW_UPDATED, changed, found)
        return changed

    try:
        changed = await call.services.catalog.change(write)
    except Conflict as error:
        raise _taken(error) from error
    return await shown_workflow(call, changed)


async def patch_workflow(call: Call[WorkflowPatch, NoQuery]) -> WorkflowOut:
    """Change some settings of a workflow."""
    fields = WorkflowPatch.__struct_fields__
    given = {name: value for name in fields if (value := getattr(call.body, name)) is not UNSET}
    await asyncio.to_thread(check_schema, given.get("payload_schema") or {})
    _check_name(given.get("name", "kept"), "name")
    _check_tags(given.get("tags") or ())

    def write(connection: Connection) -> Workflow:
        found = current_workflow(connection, call)
        changed = msgspec.structs.replace(found, **given, updated_at=call.services.clock())
        workflows.replace(connection, changed)
        tell(connection, call, WORKFLOW_UPDATED, changed, found)
        return changed

    return await shown_workflow(call, await call.services.catalog.change(write))


async def delete_workflow(call: Call[None, NoQuery]) -> None:
    """Remove a workflow."""
    found = found_workflow(call)

    def write(connection: Connection) -> None:
        workflows.delete(connection, found.id)
        tell(connection, call, WORKFLOW_DELETED, found)

    await call.services.catalog.change(write)


async def list_workflows(call: Call[None, ListQuery]) -> WorkflowList:
    """The workflows, filtered and in order."""
    query = call.query
    found = [item for item in call.snapshot.workflows_of(call.environment_id) if _fits(item, query)]
    triggered = await call.services.database.read(workflows.last_triggered, [item.id for item in found])
    page = query.page(found, lambda item: _order(item, query.order_by, triggered))
    return WorkflowList([_overview(item, triggered.get(item.id)) for item in page], len(found))


def tell(
    connection: Connection, call: Call[Any, Any], kind: str, item: Workflow, before: Workflow | None = None
) -> None:
    """Tell who listens in a workflow's environment what became of it, as a part of that change."""
    outbox = call.services.webhooks.outbox
    if outbox.listens(item.environment_id):
        shown = msgspec.to_builtins(workflow_out(item, call.snapshot))
        more = {"previousObject": msgspec.to_builtins(workflow_out(before, call.snapshot))} if before else {}
        event = happened(kind, shown, item.id, call.services.clock(), **more)
        outbox.put(connection, item.environment_id, [event])


async def shown_workflow(call: Call[Any, Any], item: Workflow) -> WorkflowOut:
    """A workflow on the wire, with when it was last triggered."""
    triggered = await call.services.database.read(workflows.last_triggered, [item.id])
    return workflow_out(item, call.snapshot, triggered.get(item.id))


def _check_schemas(given: WorkflowIn) -> None:
    """By itself, since it may take a second."""
    check_schema(given.payload_schema or {})
    for position, step in enumerate(given.steps[:MOST_STEPS]):
        check_answer_schema(step.control_values or {}, f"steps.{position}")


def _filled(base: Workflow, given: WorkflowIn) -> Workflow:
    """The workflow with what is given; what is left out takes its default, as the contract has it."""
    _check_name(given.name, "name")
    checked_id(base.workflow_id, "workflowId")
    _check_tags(given.tags or ())
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


def _check_name(name: str, field: str) -> None:
    if not name.strip():
        raise _wrong(field, "must not be empty")


def _check_tags(tags: Sequence[str]) -> None:
    if len(tags) > MOST_TAGS:
        raise _wrong("tags", f"must not be more than {MOST_TAGS}")


def _wrong(field: str, message: str) -> Unprocessable:
    return Unprocessable(f"{field}: {message}", {field: [message]})


def _taken(error: Conflict) -> Unprocessable:
    """Not 409: the SDKs would retry that for an hour."""
    return Unprocessable(error.message, {"workflowId": [error.message]})


def named_workflow(snapshot: Snapshot, environment_id: str, name: str) -> Workflow | None:
    """The workflow of that identifier, `_id` or slug."""
    found = snapshot.workflow_named(environment_id, name)
    if found is None:
        found = snapshot.workflows.get(name.rpartition("_wf_")[2])
    return found if found and found.environment_id == environment_id else None


def found_workflow(call: Call[Any, Any]) -> Workflow:
    """The workflow that the path names."""
    name = call.path["workflowId"]
    found = named_workflow(call.snapshot, call.environment_id, name)
    if found is None:
        raise NotFound(f"Workflow {name} was not found")
    return found


def current_workflow(connection: Connection, call: Call[Any, Any]) -> Workflow:
    """The workflow as it is in this transaction."""
    current = workflows.by_id(connection, found_workflow(call).id)
    if current is None:
        raise NotFound(f"Workflow {call.path['workflowId']} was not found")
    return current


def _fits(item: Workflow, query: ListQuery) -> bool:
    text = (query.query or "").lower()
    return (
        (text in item.name.lower() or text in item.workflow_id.lower())
        and (not query.tags or bool(set(query.tags) & set(item.tags)))
        and (not query.status or _status(item) in query.status)
    )


def _order(item: Workflow, by: str, triggered: Mapping[str, Millis]) -> tuple[Any, str]:
    """What was never triggered is older than everything."""
    values = {
        "name": item.name.lower(),
        "updatedAt": item.updated_at,
        "lastTriggeredAt": triggered.get(item.id, 0),
    }
    return values.get(by, item.created_at), item.id


def _status(item: Workflow) -> str:
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
        status=_status(item),
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


def _overview(item: Workflow, triggered_at: Millis | None) -> WorkflowOverview:
    return WorkflowOverview(
        id=item.id,
        workflow_id=item.workflow_id,
        slug=workflow_slug(item),
        name=item.name,
        tags=item.tags,
        status=_status(item),
        origin=item.origin,
        is_translation_enabled=item.is_translation_enabled,
        step_type_overviews=[step.type for step in item.steps],
        steps=[StepOverview(step_slug(step), step.type) for step in item.steps],
        last_triggered_at=_date(triggered_at),
        created_at=iso(item.created_at),
        updated_at=iso(item.updated_at),
    )


_PATH = "/v2/workflows"
_ONE = "/v2/workflows/{workflowId}"
_TAG = "Workflows"
_CONFIGURATION = Category.CONFIGURATION

ROUTES = (
    Route(
        "GET",
        _PATH,
        list_workflows,
        "List workflows",
        _TAG,
        Role.VIEWER,
        query=ListQuery,
        answer=WorkflowList,
        category=_CONFIGURATION,
    ),
    Route(
        "POST",
        _PATH,
        create_workflow,
        "Create a workflow",
        _TAG,
        Role.EDITOR,
        body=NewWorkflow,
        answer=WorkflowOut,
        status=201,
        category=_CONFIGURATION,
    ),
    Route(
        "GET",
        _ONE,
        get_workflow,
        "Read a workflow",
        _TAG,
        Role.VIEWER,
        answer=WorkflowOut,
        category=_CONFIGURATION,
    ),
    Route(
        "PUT",
        _ONE,
        update_workflow,
        "Replace a workflow",
        _TAG,
        Role.EDITOR,
        body=WorkflowIn,
        answer=WorkflowOut,
        category=_CONFIGURATION,
    ),
    Route(
        "PATCH",
        _ONE,
        patch_workflow,
        "Change a workflow's settings",
        _TAG,
        Role.EDITOR,
        body=WorkflowPatch,
        answer=WorkflowOut,
        category=_CONFIGURATION,
    ),
    Route(
        "DELETE",
        _ONE,
        delete_workflow,
        "Remove a workflow",
        _TAG,
        Role.EDITOR,
        status=204,
        category=_CONFIGURATION,
    ),
)
