"""How integrations stand: whether they are asked, why not, and what they did before."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.store.tables import integration_changes, integration_health

MOST_CHANGES = 20
"""Changes that are shown of an integration."""


class Health(NamedTuple):
    """How an integration stands. `state` is closed, open or paused; `proven` that a message was accepted.

    `configured_at` is the version of the integration that it is about: a changed one begins anew.
    """

    integration_id: str
    environment_id: str
    state: str
    since: Millis
    code: str
    explanation: str
    proven: bool
    configured_at: Millis


class HealthChange(NamedTuple):
    """When an integration opened, paused or recovered."""

    id: int
    environment_id: str
    integration_id: str
    state: str
    code: str
    explanation: str
    at: Millis


def of(connection: Connection, integration_id: str) -> Health | None:
    """How one stands; None: nothing is known yet."""
    c = integration_health.c
    columns = [c[name] for name in Health._fields]
    row = connection.execute(sa.select(*columns).where(c.integration_id == integration_id)).first()
    return Health(*row) if row else None


def every(connection: Connection) -> list[Health]:
    """How all stand."""
    c = integration_health.c
    query = sa.select(*(c[name] for name in Health._fields))
    return [Health(*row) for row in connection.execute(query)]


def keep(connection: Connection, health: Health) -> None:
    """Write how one stands; it becomes part of its history."""
    entry = integration_health.c.integration_id == health.integration_id
    values = health._asdict()
    if not connection.execute(integration_health.update().where(entry).values(values)).rowcount:
        connection.execute(integration_health.insert().values(values))
    told = {name: getattr(health, name) for name in HealthChange._fields[1:6]}
    connection.execute(integration_changes.insert().values(told | {"at": health.since}))


def prove(connection: Connection, health: Health) -> None:
    """Note that an integration had a message accepted."""
    entry = integration_health.c.integration_id == health.integration_id
    if not connection.execute(integration_health.update().where(entry).values(proven=True)).rowcount:
        connection.execute(integration_health.insert().values(health._asdict()))


def changes(connection: Connection, integration_id: str) -> list[HealthChange]:
    """What one did, newest first."""
    c = integration_changes.c
    query = sa.select(*(c[name] for name in HealthChange._fields)).where(c.integration_id == integration_id)
    rows = connection.execute(query.order_by(c.id.desc()).limit(MOST_CHANGES))
    return [HealthChange(*row) for row in rows]


def forget(connection: Connection, integration_id: str) -> None:
    """Everything about an integration that goes."""
    for table in (integration_health, integration_changes):
        connection.execute(table.delete().where(table.c.integration_id == integration_id))
