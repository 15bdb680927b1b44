"""Workflows with their translations from one environment to another: one, some or all; what would change."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.environments import environment_named
from clarion.api.route import Access, Audit, Call, Category, Group, NoQuery
from clarion.api.workflow_views import WIRE_NAMES, WorkflowOut, workflow_out
from clarion.api.workflows import current_workflow, found_workflow, shown_workflow, tell
from clarion.errors import BadInput
from clarion.model.clock import iso
from clarion.model.member import Role
from clarion.model.publishing import Change, Translated, changes, copied
from clarion.model.webhook import WORKFLOW_DELETED, WORKFLOW_PUBLISHED
from clarion.model.workflow import Step, Workflow
from clarion.store import translations, workflows

MOST_RESOURCES = 1000

Kind = Literal["REGULAR", "ECHO", "BRIDGE"]
WORKFLOW: Kind = "REGULAR"
"""What the SDKs call a workflow here."""


class SyncIn(msgspec.Struct, rename="camel"):
    """SyncWorkflowDto."""

    target_environment_id: str


class ResourceIn(msgspec.Struct, rename="camel"):
    """ResourceToPublishDto: a workflow by identifier or `_id`."""

    resource_type: Kind
    resource_id: str


class PublishIn(msgspec.Struct, rename="camel"):
    """PublishEnvironmentRequestDto; from the caller's environment unless another is named."""

    source_environment_id: str | None = None
    dry_run: bool = False
    resources: list[ResourceIn] | None = None


class DiffIn(msgspec.Struct, rename="camel"):
    """DiffEnvironmentRequestDto."""

    source_environment_id: str | None = None


class Done(msgspec.Struct, rename="camel"):
    """SyncedWorkflowDto."""

    resource_type: str
    resource_id: str
    resource_name: str
    action: str


class Failed(msgspec.Struct, rename="camel"):
    """FailedWorkflowDto."""

    resource_type: str
    resource_id: str
    resource_name: str
    error: str


class Skipped(msgspec.Struct, rename="camel"):
    """SkippedWorkflowDto."""

    resource_type: str
    resource_id: str
    resource_name: str
    reason: str


class Result(msgspec.Struct, rename="camel"):
    """SyncResultDto."""

    resource_type: str
    successful: list[Done]
    failed: list[Failed]
    skipped: list[Skipped]
    total_processed: int


class PublishSummary(msgspec.Struct):
    """PublishSummaryDto."""

    resources: int
    successful: int
    failed: int
    skipped: int


class Published(msgspec.Struct):
    """PublishEnvironmentResponseDto."""

    results: list[Result]
    summary: PublishSummary


class Ref(msgspec.Struct, rename="camel"):
    """The workflow, or the step, on one side."""

    id: str
    name: str
    updated_at: str


class ChangeOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """ResourceDiffDto."""

    resource_type: str
    action: str
    source_resource: Ref | None
    target_resource: Ref | None
    diffs: dict[str, Any] | None = None
    step_type: str | None = None
    previous_index: int | None = None
    new_index: int | None = None


class Counts(msgspec.Struct):
    """DiffSummaryDto."""

    added: int
    modified: int
    deleted: int
    unchanged: int


class ResourceDiff(msgspec.Struct, rename="camel"):
    """ResourceDiffResultDto."""

    resource_type: str
    source_resource: Ref | None
    target_resource: Ref | None
    changes: list[ChangeOut]
    summary: Counts


class DiffSummary(msgspec.Struct, rename="camel"):
    """EnvironmentDiffSummaryDto."""

    total_entities: int
    total_changes: int
    has_changes: bool


class Diff(msgspec.Struct, rename="camel"):
    """DiffEnvironmentResponseDto."""

    source_environment_id: str
    target_environment_id: str
    resources: list[ResourceDiff]
    summary: DiffSummary


Pair = tuple[Translated | None, Translated | None]
"""A workflow at the source and at the target, one of them perhaps missing."""


class _Comparison(NamedTuple):
    """What is to be published, those of it that differ, and what is not there."""

    pairs: dict[str, Pair]
    moving: dict[str, Pair]
    failed: list[Failed]


async def sync_workflow(call: Call[SyncIn, NoQuery]) -> WorkflowOut:
    """Copy a workflow with its translations into another environment; answers what is there then."""
    target_id = _other(call, call.body.target_environment_id, found_workflow(call).environment_id)

    def write(connection: Connection) -> Workflow:
        source = current_workflow(connection, call)
        present = workflows.named(connection, target_id, source.workflow_id)
        return _put(connection, call, source, target_id, present)

    return await shown_workflow(call, await call.services.catalog.change(write))


async def _at_target(call: Call[SyncIn, NoQuery]) -> WorkflowOut | None:
    """The workflow that is replaced in the other environment."""
    target_id = call.body.target_environment_id

    def read(connection: Connection) -> Workflow | None:
        return workflows.named(connection, target_id, current_workflow(connection, call).workflow_id)

    found = await call.services.database.read(read)
    return workflow_out(found, call.snapshot) if found else None


async def _replaced(call: Call[PublishIn, NoQuery]) -> dict[str, WorkflowOut]:
    """The workflows that change at the target or go from there, by identifier, as they are."""
    if call.body.dry_run:
        return {}
    pairs = await call.services.database.read(_pairs, *_sides(call, call.body.source_environment_id))
    moving = _compared(pairs, call.body.resources).moving
    return {
        name: workflow_out(target.workflow, call.snapshot) for name, (_, target) in moving.items() if target
    }


async def publish(call: Call[PublishIn, NoQuery]) -> Published:
    """Make the target's workflows what the source's are: all, also those that are gone at the source, or the
    ones that are named. All of them change, or none."""
    source_id, target_id = _sides(call, call.body.source_environment_id)

    def compare(connection: Connection) -> _Comparison:
        pairs = _pairs(connection, source_id, target_id)
        return _compared(pairs, call.body.resources)

    def write(connection: Connection) -> _Comparison:
        found = compare(connection)
        for source, target in found.moving.values():
            if source is not None:
                there = target.workflow if target else None
                _put(connection, call, source.workflow, target_id, there)
            elif target is not None:
                workflows.delete(connection, target.workflow.id)
                tell(connection, call, WORKFLOW_DELETED, target.workflow)
        return found

    found = await call.services.database.read(compare)
    if found.moving and not call.body.dry_run:
        found = await call.services.catalog.change(write)
    return _published(found)


async def diff(call: Call[DiffIn, NoQuery]) -> Diff:
    """What publishing all would change, workflow by workflow; what is alike is left out."""
    source_id, target_id = _sides(call, call.body.source_environment_id)
    pairs = await call.services.database.read(_pairs, source_id, target_id)
    differing = {name: found for name, pair in pairs.items() if (found := changes(*pair))}
    resources = [_resource_diff(*pairs[name], found) for name, found in differing.items()]
    total = sum(len(found) for found in differing.values())
    return Diff(source_id, target_id, resources, DiffSummary(len(pairs), total, total > 0))


def _sides(call: Call[Any, Any], source_id: str | None) -> tuple[str, str]:
    source = environment_named(call.snapshot, source_id or call.environment_id).id
    return source, _other(call, call.path["targetEnvironmentId"], source)


def _other(call: Call[Any, Any], target_id: str, source_id: str) -> str:
    target = environment_named(call.snapshot, target_id)
    if target.id == source_id:
        raise BadInput("Source and target are the same environment: name another target")
    return target.id


def _pairs(connection: Connection, source_id: str, target_id: str) -> dict[str, Pair]:
    source, target = _translated(connection, source_id), _translated(connection, target_id)
    return {name: (source.get(name), target.get(name)) for name in sorted({*source, *target})}


def _translated(connection: Connection, environment_id: str) -> dict[str, Translated]:
    """The workflows of an environment, by identifier."""
    contents = translations.contents(connection, environment_id)
    return {
        item.workflow_id: Translated(item, contents.get(item.id, {}))
        for item in workflows.of_environment(connection, environment_id)
    }


def _compared(pairs: dict[str, Pair], wanted: Iterable[ResourceIn] | None) -> _Comparison:
    failed: list[Failed] = []
    if wanted is not None:
        pairs, failed = _chosen(pairs, wanted)
    return _Comparison(pairs, {name: pair for name, pair in pairs.items() if changes(*pair)}, failed)


def _chosen(pairs: Mapping[str, Pair], wanted: Iterable[ResourceIn]) -> tuple[dict[str, Pair], list[Failed]]:
    """The pairs that are named by either side's identifier or id, and the names that fit none."""
    by_name = {name: name for name in pairs}
    by_name |= {item.workflow.id: name for name, pair in pairs.items() for item in pair if item}
    chosen: dict[str, Pair] = {}
    failed: list[Failed] = []
    for item in wanted:
        name = by_name.get(item.resource_id)
        if name is None or item.resource_type != WORKFLOW:
            told = f"There is no {item.resource_type} resource of that id at the source or the target"
            failed.append(Failed(item.resource_type, item.resource_id, item.resource_id, told))
        else:
            chosen[name] = pairs[name]
    return chosen, failed


def _put(
    connection: Connection,
    call: Call[Any, Any],
    source: Workflow,
    target_id: str,
    present: Workflow | None,
) -> Workflow:
    """The workflow with its translations."""
    now = call.services.clock()
    made = copied(source, target_id, present, now)
    write: Callable[[Connection, Workflow], None] = workflows.replace if present else workflows.create
    write(connection, made)
    translations.copy(connection, source.id, target_id, made.id, now)
    tell(connection, call, WORKFLOW_PUBLISHED, made, present)
    return made


def _published(found: _Comparison) -> Published:
    pairs, moving, failed = found
    done = [Done(WORKFLOW, name, _name(pair), _action(pair)) for name, pair in moving.items()]
    skipped = [
        Skipped(WORKFLOW, name, _name(pair), "No changes")
        for name, pair in pairs.items()
        if name not in moving
    ]
    result = Result(WORKFLOW, done, failed, skipped, len(pairs) + len(failed))
    summary = PublishSummary(result.total_processed, len(done), len(failed), len(skipped))
    return Published([result], summary)


def _action(pair: Pair) -> str:
    source, target = pair
    if source is None:
        return "deleted"
    return "updated" if target else "created"


def _name(pair: Pair) -> str:
    return next(item.workflow.name for item in pair if item)


def _resource_diff(source: Translated | None, target: Translated | None, found: list[Change]) -> ResourceDiff:
    counted = [change.action for change in found]
    return ResourceDiff(
        WORKFLOW,
        _ref(source),
        _ref(target),
        [_change_out(source, target, change) for change in found],
        Counts(
            counted.count("added"),
            counted.count("modified") + counted.count("moved"),
            counted.count("deleted"),
            0,
        ),
    )


def _change_out(source: Translated | None, target: Translated | None, change: Change) -> ChangeOut:
    before, after = change.places
    was, step = change.steps
    named = step or was
    return ChangeOut(
        resource_type=WORKFLOW,
        action=change.action,
        source_resource=_step_ref(source, step) if named else _ref(source),
        target_resource=_step_ref(target, was) if named else _ref(target),
        diffs={"previous": _on_the_wire(change.before), "new": _on_the_wire(change.after)},
        step_type=named.type if named else None,
        previous_index=before,
        new_index=after,
    )


def _ref(side: Translated | None) -> Ref | None:
    if side is None:
        return None
    return Ref(side.workflow.id, side.workflow.name, iso(side.workflow.updated_at))


def _step_ref(side: Translated | None, step: Step | None) -> Ref | None:
    if side is None or step is None:
        return None
    return Ref(step.id, step.name, iso(side.workflow.updated_at))


def _on_the_wire(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields by the names that a workflow has them under."""
    return {WIRE_NAMES.get(name, name): value for name, value in fields.items()}


_GROUP = Group("Environments", access=Access.INSTALLATION)
_WORKFLOWS = Group("Workflows", Category.CONFIGURATION, Access.INSTALLATION)

ROUTES = (
    _WORKFLOWS.route(
        "PUT",
        "/v2/workflows/{workflowId}/sync",
        sync_workflow,
        "Copy a workflow into another environment",
        Role.EDITOR,
        body=SyncIn,
        answer=WorkflowOut,
        before=_at_target,
    ),
    _GROUP.route(
        "POST",
        "/v2/environments/{targetEnvironmentId}/publish",
        publish,
        "Bring an environment's workflows up to date",
        Role.EDITOR,
        body=PublishIn,
        answer=Published,
        before=_replaced,
    ),
    _GROUP.route(
        "POST",
        "/v2/environments/{targetEnvironmentId}/diff",
        diff,
        "What publishing would change",
        Role.VIEWER,
        body=DiffIn,
        answer=Diff,
        audit=Audit.NOTHING,
    ),
)
