"""What became of pushes over time: by integration and workflow, counted in stretches of time."""

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.ids import earliest
from clarion.model.outcome import MessageStatus
from clarion.store.tables import engagements, messages, notifications, triggers


class Stretch(NamedTuple):
    """Some time: from a moment on, before another, in steps of so many milliseconds."""

    after: Millis
    before: Millis
    step: Millis


class Counted(NamedTuple):
    """Messages of a step of time that stand alike. `took` is the sum, `slowest` the longest of milliseconds
    between the acceptance of their trigger and the provider's word; `dead` how many found a dead token."""

    at: Millis
    integration_id: str
    workflow_id: str
    status: str
    messages: int
    took: int
    slowest: int
    dead: int


class Apart(NamedTuple):
    """Notifications of a step of time that came to no message, or messages that were opened."""

    at: Millis
    workflow_id: str
    number: int


def outcomes(connection: Connection, environment_id: str, time: Stretch) -> list[Counted]:
    """What messages came to, by when they were first tried."""
    sent, trigger = messages.c, triggers.c
    took = sent.updated_at - trigger.accepted_at
    delivered = sa.case((sent.status == MessageStatus.DELIVERED, took), else_=0)
    at = _step(sent.created_at, time)
    query = (
        sa.select(
            at,
            sent.integration_id,
            trigger.workflow_id,
            sent.status,
            sa.func.count(),
            sa.cast(sa.func.coalesce(sa.func.sum(delivered), 0), sa.BigInteger),
            sa.func.coalesce(sa.func.max(delivered), 0),
            sa.func.count(sa.case((sent.token_retired, 1))),
        )
        .join_from(messages, triggers, trigger.id == sent.trigger_id)
        .where(*_within(messages, environment_id, time))
        .group_by(at, sent.integration_id, trigger.workflow_id, sent.status)
    )
    return [Counted(*row) for row in connection.execute(query)]


def skipped(connection: Connection, environment_id: str, time: Stretch) -> list[Apart]:
    """Notifications that came to no message."""
    entry, trigger = notifications.c, triggers.c
    at = _step(entry.created_at, time)
    query = (
        sa.select(at, trigger.workflow_id, sa.func.count())
        .join_from(notifications, triggers, trigger.id == entry.trigger_id)
        .where(*_within(notifications, environment_id, time), entry.planned == 0)
        .group_by(at, trigger.workflow_id)
    )
    return [Apart(*row) for row in connection.execute(query)]


def opened(connection: Connection, environment_id: str, time: Stretch) -> list[Apart]:
    """Messages that were opened, by when they were first tried."""
    sent, trigger, told = messages.c, triggers.c, engagements.c
    at = _step(sent.created_at, time)
    query = (
        sa.select(at, trigger.workflow_id, sa.func.count())
        .join_from(messages, triggers, trigger.id == sent.trigger_id)
        .join(
            engagements,
            (told.environment_id == sent.environment_id)
            & (told.message_id == sent.id)
            & (told.status == "opened"),
        )
        .where(*_within(messages, environment_id, time))
        .group_by(at, trigger.workflow_id)
    )
    return [Apart(*row) for row in connection.execute(query)]


def _step(column: sa.ColumnElement[Any], time: Stretch) -> sa.ColumnElement[Any]:
    """The beginning of the step that a moment is in; written out, so that it groups as it is selected."""
    return column - column % sa.literal_column(str(time.step))


def _within(table: sa.Table, environment_id: str, time: Stretch) -> list[sa.ColumnElement[bool]]:
    """Ids begin with the time of their trigger, and are what the tables are ordered by."""
    made = (table.c.environment_id == environment_id, table.c.id >= earliest(time.after))
    return [*made, table.c.created_at >= time.after, table.c.created_at < time.before]
