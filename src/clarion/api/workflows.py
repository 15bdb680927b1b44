"""Workflows of the caller's environment."""

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import UNSET
from sqlalchemy.engine import Connection

from clarion.api.pages import OffsetQuery
from clarion.api.route import Call, Category, Group, NoQuery
from clarion.api.workflow_bodies import (
    NewWorkflow,
    WorkflowIn,
    WorkflowPatch,
    check_name,
    check_schemas,
    check_tags,
    filled,
)
from clarion.api.workflow_views import WorkflowList, WorkflowOut, overview, status_of, workflow_out
from clarion.check.schema import check_schema
from clarion.errors import Conflict, NotFound, Unprocessable
from clarion.model.clock import Millis
from clarion.model.ids import new_id
from clarion.model.member import Role
from clarion.model.webhook import WORKFLOW_CREATED, WORKFLOW_DELETED, WORKFLOW_UPDATED, happened
from clarion.model.workflow import Workflow
from clarion.store import workflows
from clarion.store.catalog import Snapshot


class ListQuery(OffsetQuery, rename="camel", frozen=True):
    """Query of the list."""

    order_by: Literal["createdAt", "updatedAt", "name", "lastTriggeredAt"] = "createdAt"
    tags: list[str] = []
    status: list[Literal["ACTIVE", "INACTIVE", "ERROR"]] = []


async def create_workflow(call: Call[NewWorkflow, NoQuery]) -> WorkflowOut:
    """Create a workflow."""
    await asyncio.to_thread(check_schemas, call.body)
    now = call.services.clock()
    workflow = filled(
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
    await asyncio.to_thread(check_schemas, call.body)

    def write(connection: Connection) -> Workflow:
        found = current_workflow(connection, call)
        renamed = msgspec.structs.replace(found, workflow_id=call.body.workflow_id or found.workflow_id)
        changed = msgspec.structs.replace(filled(renamed, call.body), updated_at=call.services.clock())
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
    check_name(given.get("name", "kept"), "name")
    check_tags(given.get("tags") or ())

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
    return WorkflowList([overview(item, triggered.get(item.id)) for item in page], len(found))


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
        and (not query.status or status_of(item) in query.status)
    )


def _order(item: Workflow, by: str, triggered: Mapping[str, Millis]) -> tuple[Any, str]:
    """What was never triggered is older than everything."""
    values = {
        "name": item.name.lower(),
        "updatedAt": item.updated_at,
        "lastTriggeredAt": triggered.get(item.id, 0),
    }
    return values.get(by, item.created_at), item.id


_PATH = "/v2/workflows"
_ONE = "/v2/workflows/{workflowId}"
_GROUP = Group("Workflows", Category.CONFIGURATION)

ROUTES = (
    _GROUP.route(
        "GET",
        _PATH,
        list_workflows,
        "List workflows",
        Role.VIEWER,
        query=ListQuery,
        answer=WorkflowList,
    ),
    _GROUP.route(
        "POST",
        _PATH,
        create_workflow,
        "Create a workflow",
        Role.EDITOR,
        body=NewWorkflow,
        answer=WorkflowOut,
        status=201,
    ),
    _GROUP.route(
        "GET",
        _ONE,
        get_workflow,
        "Read a workflow",
        Role.VIEWER,
        answer=WorkflowOut,
    ),
    _GROUP.route(
        "PUT",
        _ONE,
        update_workflow,
        "Replace a workflow",
        Role.EDITOR,
        body=WorkflowIn,
        answer=WorkflowOut,
    ),
    _GROUP.route(
        "PATCH",
        _ONE,
        patch_workflow,
        "Change a workflow's settings",
        Role.EDITOR,
        body=WorkflowPatch,
        answer=WorkflowOut,
    ),
    _GROUP.route(
        "DELETE",
        _ONE,
        delete_workflow,
        "Remove a workflow",
        Role.EDITOR,
        status=204,
    ),
)
