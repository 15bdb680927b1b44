"""Notifications: one trigger for one subscriber, and the notable lines of its trace."""

from collections.abc import Sequence

import msgspec
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.trace import Detail


class NewNotification(msgspec.Struct, frozen=True):
    """A notification as planned: how many messages it is made of, and what already went otherwise."""

    environment_id: str
    id: str
    trigger_id: str
    subscriber_pk: int
    planned: int
    details: list[Detail]
    created_at: Millis


def add(connection: Connection, notifications: Sequence[NewNotification]) -> None:
    """Write notifications; one that is there already stays."""
    if notifications:
        connection.exec_driver_sql(_ADD, [_row(item) for item in notifications])


def _row(item: NewNotification) -> tuple[object, ...]:
    details = msgspec.json.encode(item.details).decode()
    names = (item.environment_id, item.id, item.trigger_id, item.subscriber_pk)
    return (*names, item.planned, details, item.created_at)


_ADD = """
INSERT INTO notifications (environment_id, id, trigger_id, subscriber_pk, planned, details, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (environment_id, id) DO NOTHING
"""
