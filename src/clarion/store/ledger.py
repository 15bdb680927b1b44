"""The ledger: what was planned, and what became of it. It balances when nothing is missing."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.ids import earliest
from clarion.model.outcome import MessageStatus
from clarion.store.tables import messages, notifications, runs


class Ledger(NamedTuple):
    """Notifications addressed and the messages they came to. `in_flight` has no final outcome yet;
    `skipped` counts notifications without a message, `waiting` those whose workflow goes on later."""

    addressed: int
    planned: int
    delivered: int
    failed: int
    cancelled: int
    skipped: int
    waiting: int = 0

    @property
    def in_flight(self) -> int:
        """What is still under way; 0 once everything has its outcome, never below."""
        return self.planned - self.delivered - self.failed - self.cancelled


def ledger(
    connection: Connection, environment_id: str, after: Millis | None = None, before: Millis | None = None
) -> Ledger:
    """The ledger of an environment, or of those of its triggers that were accepted in between."""
    return _counted(
        connection,
        _within(notifications, environment_id, after, before),
        _within(messages, environment_id, after, before),
        _within(runs, environment_id, after, before),
    )


def trigger_ledger(connection: Connection, trigger_id: str) -> Ledger:
    """The ledger of one trigger."""
    return _counted(
        connection, *(table.c.trigger_id == trigger_id for table in (notifications, messages, runs))
    )


def _within(
    table: sa.Table, environment_id: str, after: Millis | None, before: Millis | None
) -> sa.ColumnElement[bool]:
    """Ids begin with the time of their trigger."""
    wanted = [table.c.environment_id == environment_id]
    wanted += [table.c.id >= earliest(after)] if after is not None else []
    wanted += [table.c.id < earliest(before)] if before is not None else []
    return sa.and_(*wanted)


def _counted(
    connection: Connection,
    planned: sa.ColumnElement[bool],
    sent: sa.ColumnElement[bool],
    running: sa.ColumnElement[bool],
) -> Ledger:
    empty = sa.case((notifications.c.planned == 0, 1), else_=0)
    sums = (sa.func.count(), sa.func.sum(notifications.c.planned), sa.func.sum(empty))
    addressed, messages_planned, skipped = connection.execute(sa.select(*sums).where(planned)).one()
    counts = sa.select(messages.c.status, sa.func.count()).where(sent).group_by(messages.c.status)
    by_status = {row[0]: row[1] for row in connection.execute(counts)}
    waiting, empty_yet = connection.execute(_open_runs(running)).one()
    return Ledger(
        addressed,
        messages_planned or 0,
        by_status.get(MessageStatus.DELIVERED, 0),
        by_status.get(MessageStatus.FAILED, 0),
        by_status.get(MessageStatus.CANCELLED, 0),
        (skipped or 0) - (empty_yet or 0),
        waiting,
    )


def _open_runs(running: sa.ColumnElement[bool]) -> sa.Select[int, int]:
    """Runs that go on later, and how many of them came to no message so far."""
    own = (notifications.c.environment_id == runs.c.environment_id) & (notifications.c.id == runs.c.id)
    empty = sa.case((notifications.c.planned == 0, 1), else_=0)
    return (
        sa.select(sa.func.count(), sa.func.sum(empty))
        .select_from(runs.join(notifications, own))
        .where(running, runs.c.open)
    )
