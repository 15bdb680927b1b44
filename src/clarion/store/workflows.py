"""Workflows."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from clarion.errors import Conflict
from clarion.model.clock import Millis
from clarion.model.workflow import Step, Workflow
from clarion.store import preferences, translations
from clarion.store.dialect import listed, run, run_many, sql
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
    """Remove a workflow by row id, with its translations and what subscribers chose for it."""
    preferences.forget_workflow(connection, workflow_id)
    translations.forget(connection, workflow_id)
    connection.execute(workflows.delete().where(workflows.c.id == workflow_id))


def note_triggered(connection: Connection, times: Mapping[str, Millis]) -> None:
    """Workflows were triggered. A later time that is noted stays; one that is gone has none."""
    run_many(connection, _TRIGGERED, [(times[name], name) for name in sorted(times)])


def last_triggered(connection: Connection, workflow_ids: Iterable[str]) -> dict[str, Millis]:
    """When workflows were last triggered, to the second; those that never were are left out."""
    return {row[0]: row[1] for row in run(connection, _LAST_TRIGGERED, listed(workflow_ids))}


def by_id(connection: Connection, workflow_id: str) -> Workflow | None:
    """The workflow of that row id."""
    query = sa.select(workflows).where(workflows.c.id == workflow_id)
    row = connection.execute(query).mappings().first()
    return _read(row) if row else None


def of_environment(connection: Connection, environment_id: str) -> list[Workflow]:
    """The workflows of an environment as they are now, oldest first."""
    query = sa.select(workflows).where(workflows.c.environment_id == environment_id)
    ordered = query.order_by(workflows.c.created_at, workflows.c.id)
    return [_read(row) for row in connection.execute(ordered).mappings()]


def every(connection: Connection) -> list[Workflow]:
    """All workflows of all environments, oldest first."""
    query = sa.select(workflows).order_by(workflows.c.created_at, workflows.c.id)
    return [_read(row) for row in connection.execute(query).mappings()]


def _row(workflow: Workflow) -> dict[str, Any]:
    return {name: getattr(workflow, name) for name in _FIELDS}


def _read(row: Any) -> Workflow:
    fields = {name: row[name] for name in _FIELDS}
    return Workflow(**fields | {"steps": msgspec.convert(fields["steps"], list[Step])})


_TRIGGERED = sql("""
INSERT INTO workflow_activity (workflow_id, last_triggered_at)
SELECT w.id, CAST(? AS bigint) FROM workflows w WHERE w.id = ?
ON CONFLICT (workflow_id) DO UPDATE SET last_triggered_at = excluded.last_triggered_at
WHERE workflow_activity.last_triggered_at < excluded.last_triggered_at
""")
_LAST_TRIGGERED = sql("""
SELECT a.workflow_id, a.last_triggered_at
FROM {texts} JOIN workflow_activity a ON a.workflow_id = j.value
""")
