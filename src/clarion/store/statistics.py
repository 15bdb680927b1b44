"""What became of pushes over time: by integration and workflow, counted in stretches of time."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.ids import earliest
from clarion.model.outcome import MessageStatus
from clarion.store.tables import engagements, messages, notifications, triggers

SKIPPED = "skipped"
OPENED = "opened"


class Stretch(NamedTuple):
    """Some time: from a moment on, before another, in steps of so many milliseconds."""

    after: Millis
    before: Millis
    step: Millis


class Counted(NamedTuple):
    """Messages of a step of time that stand alike, or what is of a workflow alone, without an integration:
    notifications that came to no message (`SKIPPED`), messages that were opened (`OPENED`).

    `took` is the sum, `slowest` the longest of milliseconds between the acceptance of their trigger and the
    provider's word; `dead` how many found a dead token."""

    at: Millis
    integration_id: str
    workflow_id: str
    status: str
    number: int
    took: int = 0
    slowest: int = 0
    dead: int = 0


def counted(
    connection: Connection, environment_id: str, time: Stretch, upto: Millis | None = None
) -> Iterator[Counted]:
    """What became of the triggers accepted in a time, by when it came about; nothing after `upto`."""
    yield from outcomes(connection, environment_id, time, upto)
    yield from skipped(connection, environment_id, time, upto)
    yield from opened(connection, environment_id, time, upto)


def merged(found: Iterable[Counted]) -> list[Counted]:
    """What stands alike counted together."""
    sums: dict[tuple[Millis, str, str, str], Counted] = {}
    for one in found:
        before = sums.get(one[:4])
        sums[one[:4]] = one if before is None else _sum(before, one)
    return list(sums.values())


def _sum(one: Counted, other: Counted) -> Counted:
    return one._replace(
        number=one.number + other.number,
        took=one.took + other.took,
        slowest=max(one.slowest, other.slowest),
        dead=one.dead + other.dead,
    )


def outcomes(
    connection: Connection, environment_id: str, time: Stretch, upto: Millis | None = None
) -> list[Counted]:
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
        .where(*_within(messages, environment_id, time, upto))
        .group_by(at, sent.integration_id, trigger.workflow_id, sent.status)
    )
    return [Counted(*row) for row in connection.execute(query)]


def skipped(
    connection: Connection, environment_id: str, time: Stretch, upto: Millis | None = None
) -> list[Counted]:
    """Notifications that came to no message."""
    entry, trigger = notifications.c, triggers.c
    at = _step(entry.created_at, time)
    query = (
        sa.select(at, trigger.workflow_id, sa.func.count())
        .join_from(notifications, triggers, trigger.id == entry.trigger_id)
        .where(*_within(notifications, environment_id, time, upto), entry.planned == 0)
        .group_by(at, trigger.workflow_id)
    )
    return [_apart(SKIPPED, *row) for row in connection.execute(query)]


def opened(
    connection: Connection, environment_id: str, time: Stretch, upto: Millis | None = None
) -> list[Counted]:
    """Messages that were opened, by when they were first tried."""
    sent, trigger, told = messages.c, triggers.c, engagements.c
    at = _step(sent.created_at, time)
    query = (
        sa.select(at, trigger.workflow_id, sa.func.count())
        .select_from(engagements)
        .join(messages, (told.environment_id == sent.environment_id) & (told.message_id == sent.id))
        .join(triggers, trigger.id == sent.trigger_id)
        .where(*_within(messages, environment_id, time, upto))
        .where(told.environment_id == environment_id, *_made(told.message_id, time), told.status == OPENED)
        .group_by(at, trigger.workflow_id)
    )
    return [_apart(OPENED, *row) for row in connection.execute(query)]


def _apart(status: str, at: Millis, workflow_id: str, number: int) -> Counted:
    return Counted(at, "", workflow_id, status, number)


def _step(column: sa.ColumnElement[Any], time: Stretch) -> sa.ColumnElement[Any]:
    """The beginning of the step that a moment is in; written out, so that it groups as it is selected."""
    return column - column % sa.literal_column(str(time.step))


def _within(
    table: sa.Table, environment_id: str, time: Stretch, upto: Millis | None
) -> list[sa.ColumnElement[bool]]:
    """Ids begin with the time of their trigger, and are what the tables are ordered by."""
    made = [table.c.environment_id == environment_id, *_made(table.c.id, time)]
    return made if upto is None else [*made, table.c.created_at < upto]


def _made(identity: sa.ColumnElement[str], time: Stretch) -> tuple[sa.ColumnElement[bool], ...]:
    return identity >= earliest(time.after), identity < earliest(time.before)
