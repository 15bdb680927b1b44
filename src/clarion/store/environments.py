"""Environments and the keys that open them."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from clarion.errors import Conflict
from clarion.model.clock import Millis
from clarion.model.people import Environment
from clarion.store.dialect import Sql, run, sql
from clarion.store.live import in_full
from clarion.store.tables import (
    api_keys,
    environments,
    frequency_policies,
    integration_changes,
    integration_health,
    integrations,
    layouts,
    live_events,
    live_watchers,
    organizations,
    rate_buckets,
    translations,
    webhook_endpoints,
    workflows,
)

_MOST_AT_ONCE = 2000
_COLUMNS = tuple(environments.c[name] for name in Environment.__struct_fields__)


class StoredKey(NamedTuple):
    """A key as kept: found by `hash`, readable only with the vault."""

    id: str
    environment_id: str
    hash: str
    sealed: bytes
    user_id: str
    name: str = ""
    expires_at: Millis | None = None

    def opens(self, now: Millis) -> bool:
        """Whether it is still good."""
        return self.expires_at is None or self.expires_at > now


def organization_id(connection: Connection) -> str | None:
    """The one organization of this installation, None before the first start."""
    return connection.scalar(sa.select(organizations.c.id).limit(1))


def create_organization(connection: Connection, identity: str, name: str, now: Millis) -> None:
    """Begin the installation."""
    connection.execute(organizations.insert().values(id=identity, name=name, created_at=now))


def named(connection: Connection, name: str) -> str | None:
    """The id of the environment with that id, identifier or name; the oldest of several."""
    c = environments.c
    fits = (c.id == name) | (c.identifier == name) | (c.name == name)
    return connection.scalar(sa.select(c.id).where(fits).order_by(c.created_at).limit(1))


def create(connection: Connection, environment: Environment) -> None:
    """Add an environment."""
    row = {name: getattr(environment, name) for name in Environment.__struct_fields__}
    connection.execute(environments.insert().values(row))


def replace(connection: Connection, environment: Environment) -> None:
    """Write an environment anew; `Conflict` when its identifier is taken."""
    row = {name: getattr(environment, name) for name in Environment.__struct_fields__}
    try:
        connection.execute(environments.update().where(environments.c.id == environment.id).values(row))
    except IntegrityError as error:
        raise Conflict(f"{environment.identifier} is taken: choose another") from error


def shut(connection: Connection, identity: str) -> None:
    """Let nobody in any more and send nothing more: the beginning of a removal."""
    connection.execute(api_keys.delete().where(api_keys.c.environment_id == identity))
    off = integrations.update().where(integrations.c.environment_id == identity)
    connection.execute(off.values(active=False))
    connection.execute(workflows.delete().where(workflows.c.environment_id == identity))
    deaf = webhook_endpoints.update().where(webhook_endpoints.c.environment_id == identity)
    connection.execute(deaf.values(active=False))


def empty(connection: Connection, identity: str) -> bool:
    """Remove some of what an environment that is shut holds; says whether there may be more."""
    for statement in _EMPTY:
        if run(connection, statement, identity, _MOST_AT_ONCE).rowcount == _MOST_AT_ONCE:
            return True
    return False


def delete(connection: Connection, identity: str) -> None:
    """Remove an environment that is empty."""
    owned = (integration_health, integration_changes, integrations, rate_buckets, frequency_policies)
    for table in (*owned, webhook_endpoints, layouts, translations):
        connection.execute(table.delete().where(table.c.environment_id == identity))
    for table in (live_events, live_watchers):
        connection.execute(table.delete().where(table.c.environment_id.in_((identity, in_full(identity)))))
    orphans = environments.update().where(environments.c.parent_id == identity)
    connection.execute(orphans.values(parent_id=None))
    connection.execute(environments.delete().where(environments.c.id == identity))


def every(connection: Connection) -> list[Environment]:
    """All environments, oldest first."""
    query = sa.select(*_COLUMNS).order_by(environments.c.created_at, environments.c.id)
    return [Environment(*row) for row in connection.execute(query)]


def add_key(connection: Connection, key: StoredKey, now: Millis) -> None:
    """Let a key open its environment."""
    connection.execute(api_keys.insert().values(**key._asdict(), created_at=now))


def revoke_key(connection: Connection, identity: str, now: Millis) -> None:
    """Let a key open nothing any more."""
    connection.execute(api_keys.update().where(api_keys.c.id == identity).values(revoked_at=now))


def expire_key(connection: Connection, identity: str, at: Millis) -> None:
    """Let a key open its environment until then and no longer."""
    connection.execute(api_keys.update().where(api_keys.c.id == identity).values(expires_at=at))


def keys(connection: Connection) -> list[StoredKey]:
    """Every key that was not revoked."""
    columns = [api_keys.c[name] for name in StoredKey._fields]
    query = sa.select(*columns).where(api_keys.c.revoked_at.is_(None)).order_by(api_keys.c.created_at)
    return [StoredKey(*row) for row in connection.execute(query)]


def _some_of(table: str, *key: str) -> Sql:
    """Removes up to so many rows of an environment; what hangs on them goes with them."""
    columns = ", ".join(key)
    return sql(
        f"DELETE FROM {table} WHERE ({columns}) IN ("  # noqa: S608
        f"SELECT {columns} FROM {table} WHERE environment_id = ? LIMIT ?)"
    )


_EMPTY = (
    _some_of("messages", "environment_id", "id"),
    _some_of("runs", "environment_id", "id"),
    _some_of("notifications", "environment_id", "id"),
    _some_of("engagements", "environment_id", "message_id", "status"),
    _some_of("counted_hours", "environment_id", "hour"),
    _some_of("hourly_counts", "environment_id", "hour", "at", "integration_id", "workflow_id", "status"),
    _some_of("idempotency", "environment_id", "idempotency_key"),
    _some_of("webhook_deliveries", "pk"),
    _some_of("triggers", "id"),
    _some_of("topics", "id"),
    _some_of("channel_endpoints", "pk"),
    _some_of("channel_connections", "pk"),
    _some_of("subscribers", "pk"),
    _some_of("contexts", "pk"),
    _some_of("sandbox_phones", "id"),
)
"""Tables that may hold millions of an environment's rows."""
