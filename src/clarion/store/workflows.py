"""Workflows."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from clarion.errors import Conflict
from clarion.model.workflow import Step, Workflow
from clarion.store import preferences
from clarion.store.tables import workflows

_FIELDS = Workflow.__struct_fields__


def create(connection: Connection, workflow: Workflow) -> None:
    """Add a workflow; `Conflict` when its identifier is taken in the environment."""
    try:
        connection.execute(workflows.insert().values(_row(workflow)))
    except IntegrityError as error:
        raise Conflict(
            f"Workflow {workflow.workflow_id} already exists: choose another workflowId"
        ) from error


def replace(connection: Connection, workflow: Workflow) -> None:
    """Write a workflow anew; `Conflict` when its new identifier is taken."""
    try:
        connection.execute(workflows.update().where(workflows.c.id == workflow.id).values(_row(workflow)))
    except IntegrityError as error:
        raise Conflict(
            f"Workflow {workflow.workflow_id} already exists: choose another workflowId"
        ) from error


def named(connection: Connection, environment_id: str, workflow_id: str) -> Workflow | None:
    """The workflow of that identifier, as it is now."""
    entry = (workflows.c.environment_id == environment_id) & (workflows.c.workflow_id == workflow_id)
    row = connection.execute(sa.select(workflows).where(entry)).mappings().first()
    return _read(row) if row else None


def delete(connection: Connection, workflow_id: str) -> None:
    """Remove a workflow by row id, with what subscribers chose for it."""
    preferences.forget_workflow(connection, workflow_id)
    connection.execute(workflows.delete().where(workflows.c.id == workflow_id))


def by_id(connection: Connection, workflow_id: str) -> Workflow | None:
    """The workflow of that row id."""
    query = sa.select(workflows).where(workflows.c.id == workflow_id)
    row = connection.execute(query).mappings().first()
    return _read(row) if row else None


def every(connection: Connection) -> list[Workflow]:
    """All workflows of all environments, oldest first."""
    query = sa.select(workflows).order_by(workflows.c.created_at, workflows.c.id)
    return [_read(row) for row in connection.execute(query).mappings()]


def _row(workflow: Workflow) -> dict[str, Any]:
    return {name: getattr(workflow, name) for name in _FIELDS}


def _read(row: Any) -> Workflow:
    fields = {name: row[name] for name in _FIELDS}
    return Workflow(**fields | {"steps": msgspec.convert(fields["steps"], list[Step])})
