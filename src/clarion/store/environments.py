"""Environments and the keys that open them."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.people import Environment
from clarion.store.tables import api_keys, environments, organizations

_COLUMNS = tuple(environments.c[name] for name in Environment.__struct_fields__)


class StoredKey(NamedTuple):
    """A key as kept: found by `hash`, readable only with the vault."""

    id: str
    environment_id: str
    hash: str
    sealed: bytes
    user_id: str


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


def every(connection: Connection) -> list[Environment]:
    """All environments, oldest first."""
    query = sa.select(*_COLUMNS).order_by(environments.c.created_at, environments.c.id)
    return [Environment(*row) for row in connection.execute(query)]


def add_key(connection: Connection, key: StoredKey, now: Millis) -> None:
    """Let a key open its environment."""
    connection.execute(api_keys.insert().values(**key._asdict(), created_at=now))


def keys(connection: Connection) -> list[StoredKey]:
    """Every key that was not revoked."""
    columns = [api_keys.c[name] for name in StoredKey._fields]
    query = sa.select(*columns).where(api_keys.c.revoked_at.is_(None)).order_by(api_keys.c.created_at)
    return [StoredKey(*row) for row in connection.execute(query)]
