"""The first start: an organization, its Development and Production environments, and their keys."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.ids import new_id
from clarion.model.people import Environment
from clarion.security.keys import fingerprint, new_key
from clarion.security.vault import Vault
from clarion.store import environments
from clarion.store.environments import StoredKey

_LOCK = 0x636C6173
"""Held while beginning, so that of several processes that start at once one does it."""


class FirstStart(NamedTuple):
    """The keys made, in clear: to be shown once."""

    development_key: str
    production_key: str


def begin(connection: Connection, vault: Vault, given_key: str | None, now: Millis) -> FirstStart | None:
    """Begin the installation unless it was begun before; `given_key` becomes Development's."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    if environments.organization_id(connection):
        return None
    environments.create_organization(connection, new_id(now), "Clarion", now)
    development = _environment("Development", "dev", now)
    production = _environment("Production", "prod", now + 1, parent_id=development.id)
    keys = FirstStart(given_key or new_key(), new_key())
    owner = new_id(now)
    for environment, key in zip((development, production), keys, strict=True):
        environments.create(connection, environment)
        environments.add_key(connection, sealed_key(vault, environment.id, key, owner, now), now)
    return keys


def sealed_key(
    vault: Vault, environment_id: str, key: str, user_id: str, now: Millis, name: str = ""
) -> StoredKey:
    """A key as it is kept."""
    key_id = new_id(now)
    sealed = vault.seal(key.encode(), place_of_key(key_id))
    return StoredKey(key_id, environment_id, fingerprint(key), sealed, user_id, name)


def place_of_key(key_id: str) -> str:
    """What the vault binds a sealed key to."""
    return f"api-key:{key_id}"


def _environment(name: str, kind: str, now: Millis, parent_id: str | None = None) -> Environment:
    identity = new_id(now)
    return Environment(identity, name, identity[-12:], kind, now, parent_id=parent_id)
