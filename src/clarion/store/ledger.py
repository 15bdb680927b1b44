"""The ledger: what was planned, and what became of it. It balances when nothing is missing."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.outcome import MessageStatus
from clarion.store.tables import messages, notifications


class Ledger(NamedTuple):
    """Messages of an environment. `in_flight` has no final outcome yet; `skipped` counts notifications
    without a message."""

    planned: int
    delivered: int
    failed: int
    cancelled: int
    skipped: int

    @property
    def in_flight(self) -> int:
        """What is still under way; 0 once everything has its outcome, never below."""
        return self.planned - self.delivered - self.failed - self.cancelled


def ledger(connection: Connection, environment_id: str) -> Ledger:
    """The ledger of an environment."""
    mine = notifications.c.environment_id == environment_id
    planned = connection.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(notifications.c.planned), 0)).where(mine)
    )
    skipped = connection.scalar(
        sa.select(sa.func.count()).select_from(notifications).where(mine, notifications.c.planned == 0)
    )
    counts = sa.select(messages.c.status, sa.func.count()).where(messages.c.environment_id == environment_id)
    rows = connection.execute(counts.group_by(messages.c.status))
    by_status = {row[0]: row[1] for row in rows}
    return Ledger(
        planned or 0,
        by_status.get(MessageStatus.DELIVERED, 0),
        by_status.get(MessageStatus.FAILED, 0),
        by_status.get(MessageStatus.CANCELLED, 0),
        skipped or 0,
    )
