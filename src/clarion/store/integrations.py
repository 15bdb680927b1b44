"""Integrations: configured providers. Credentials are sealed on the way in and opened on the way out."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from clarion.errors import Conflict
from clarion.model.people import Integration
from clarion.security.vault import Vault
from clarion.store import health
from clarion.store.tables import channels, devices, integrations

_PLAIN = tuple(name for name in Integration.__struct_fields__ if name != "credentials")


def create(connection: Connection, vault: Vault, integration: Integration) -> None:
    """Add an integration; `Conflict` when the identifier is taken."""
    with _identifier_free(integration.identifier):
        connection.execute(integrations.insert().values(_row(vault, integration)))


def replace(connection: Connection, vault: Vault, integration: Integration) -> None:
    """Write an integration anew; `Conflict` when the identifier is taken."""
    change = integrations.update().where(integrations.c.id == integration.id)
    with _identifier_free(integration.identifier):
        connection.execute(change.values(_row(vault, integration)))


def delete(connection: Connection, integration_id: str) -> None:
    """Remove an integration with the tokens that only it can use."""
    connection.execute(devices.delete().where(devices.c.integration_id == integration_id))
    connection.execute(channels.delete().where(channels.c.integration_id == integration_id))
    health.forget(connection, integration_id)
    connection.execute(integrations.delete().where(integrations.c.id == integration_id))


def by_id(connection: Connection, vault: Vault, integration_id: str) -> Integration | None:
    """The integration of that id."""
    query = sa.select(integrations).where(integrations.c.id == integration_id)
    row = connection.execute(query).mappings().first()
    return _read(vault, row) if row else None


def every(connection: Connection, vault: Vault) -> list[Integration]:
    """All integrations of all environments, oldest first."""
    query = sa.select(integrations).order_by(integrations.c.created_at, integrations.c.id)
    return [_read(vault, row) for row in connection.execute(query).mappings()]


def _row(vault: Vault, integration: Integration) -> dict[str, Any]:
    row = {name: getattr(integration, name) for name in _PLAIN}
    secret = msgspec.json.encode(integration.credentials)
    return row | {"sealed_credentials": vault.seal(secret, place(integration.id))}


def _read(vault: Vault, row: Any) -> Integration:
    credentials = msgspec.json.decode(vault.open(row["sealed_credentials"], place(row["id"])))
    return Integration(**{name: row[name] for name in _PLAIN}, credentials=credentials)


def place(integration_id: str) -> str:
    """What the vault binds the sealed credentials to."""
    return f"integration:{integration_id}"


@contextmanager
def _identifier_free(identifier: str) -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Conflict(
            f"Integration with identifier {identifier} already exists: choose another identifier"
        ) from error
