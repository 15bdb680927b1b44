"""Notifications: one trigger for one subscriber, and the notable lines of its trace."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.trace import Detail
from clarion.store import hours
from clarion.store.dialect import listed, run, run_rows, sql, storable


class NewNotification(msgspec.Struct, frozen=True):
    """A notification as planned: how many messages it is made of, and what already went otherwise.
    `through` are the ways of `model.ways` by which topics led to the recipient."""

    environment_id: str
    id: str
    trigger_id: str
    subscriber_pk: int
    planned: int
    details: list[Detail]
    created_at: Millis
    through: str | None = None


def add(connection: Connection, notifications: Sequence[NewNotification]) -> None:
    """Write notifications; one that is there already stays."""
    run_rows(connection, _ADD, [_row(item) for item in notifications])
    now = notifications[-1].created_at if notifications else 0
    hours.count_again(connection, ((item.environment_id, item.id) for item in notifications), now)


def gone(connection: Connection, environment_id: str, ids: Iterable[str]) -> set[str]:
    """Those that are not there, or not any more: their person was removed."""
    asked = set(ids)
    if not asked:
        return asked
    return asked - set(run(connection, _THERE, environment_id, listed(asked)).scalars())


def _row(item: NewNotification) -> tuple[object, ...]:
    details = storable(msgspec.json.encode(item.details).decode())
    names = (item.environment_id, item.id, item.trigger_id, item.subscriber_pk)
    return (*names, item.planned, details, item.created_at, item.through)


_ADD = sql("""
INSERT INTO notifications
  (environment_id, id, trigger_id, subscriber_pk, planned, details, created_at, through)
{rows text text text bigint bigint text bigint text}
ON CONFLICT (environment_id, id) DO NOTHING
""")
_THERE = sql("SELECT n.id FROM notifications n WHERE n.environment_id = ? AND {n.id in texts}")
