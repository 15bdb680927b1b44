"""Addresses of subscribers outside of push, each under an integration. What they are made of is sealed."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from clarion.errors import Conflict
from clarion.model.clock import Millis
from clarion.model.push import Json
from clarion.security.vault import Vault
from clarion.store.channel_connections import Wanted, owned
from clarion.store.listing import Order, Place, capped, in_order
from clarion.store.tables import channel_connections as connections
from clarion.store.tables import channel_endpoints as table
from clarion.store.tables import subscribers as people


class ChannelEndpoint(msgspec.Struct, frozen=True):
    """One address of a subscriber, reached through a connection where it has one."""

    id: str
    environment_id: str
    identifier: str
    integration_id: str
    subscriber_pk: int
    connection_pk: int | None
    scope: str
    type: str
    created_at: Millis
    updated_at: Millis
    endpoint: Json = {}
    subscriber_id: str | None = None
    connection_identifier: str | None = None
    pk: int = 0


_PLAIN = ChannelEndpoint.__struct_fields__[:-4]


def create(connection: Connection, vault: Vault, made: ChannelEndpoint) -> ChannelEndpoint:
    """Add an endpoint; `Conflict` when its identifier is taken."""
    try:
        connection.execute(table.insert().values(_row(vault, made)))
    except IntegrityError as error:
        told = f"A channel endpoint {made.identifier} already exists: choose another identifier"
        raise Conflict(told, headers={"Retry-After": "1"}) from error
    found = by_identifier(connection, vault, made.environment_id, made.identifier)
    assert found is not None
    return found


def replace(connection: Connection, vault: Vault, changed: ChannelEndpoint) -> None:
    """Write an endpoint anew."""
    connection.execute(table.update().where(table.c.pk == changed.pk).values(_row(vault, changed)))


def delete(connection: Connection, pk: int) -> None:
    """Remove an endpoint."""
    connection.execute(table.delete().where(table.c.pk == pk))


def by_identifier(
    connection: Connection, vault: Vault, environment_id: str, identifier: str
) -> ChannelEndpoint | None:
    """The endpoint of that identifier."""
    entry = (table.c.environment_id == environment_id) & (table.c.identifier == identifier)
    return _one(connection, vault, entry)


def by_id(connection: Connection, vault: Vault, environment_id: str, identity: str) -> ChannelEndpoint | None:
    """The endpoint with that id."""
    return _one(connection, vault, (table.c.environment_id == environment_id) & (table.c.id == identity))


def search(
    connection: Connection, vault: Vault, wanted: Wanted, anchor: Place | None, order: Order
) -> list[ChannelEndpoint]:
    """Endpoints in the order of their creation."""
    query = in_order(_selected().where(*owned(table, wanted)), [table.c.pk], anchor and anchor.numbers, order)
    return [_read(vault, row) for row in connection.execute(query).mappings()]


def count(connection: Connection, wanted: Wanted) -> tuple[int, bool]:
    """How many endpoints match, and whether counting stopped."""
    return capped(connection, _selected().where(*owned(table, wanted)))


def _one(connection: Connection, vault: Vault, entry: sa.ColumnElement[bool]) -> ChannelEndpoint | None:
    row = connection.execute(_selected().where(entry)).mappings().first()
    return _read(vault, row) if row else None


def _selected() -> sa.Select[*tuple[Any, ...]]:
    joined = table.join(people, people.c.pk == table.c.subscriber_pk).outerjoin(
        connections, connections.c.pk == table.c.connection_pk
    )
    named = (people.c.subscriber_id, connections.c.identifier.label("connection_identifier"))
    return sa.select(table, *named).select_from(joined)


def _row(vault: Vault, made: ChannelEndpoint) -> dict[str, Any]:
    sealed = vault.seal(msgspec.json.encode(made.endpoint), place(made.id))
    return {name: getattr(made, name) for name in _PLAIN} | {"sealed": sealed}


def _read(vault: Vault, row: Any) -> ChannelEndpoint:
    endpoint = msgspec.json.decode(vault.open(row["sealed"], place(row["id"])))
    more = {name: row[name] for name in (*_PLAIN, "subscriber_id", "connection_identifier", "pk")}
    return ChannelEndpoint(**more, endpoint=endpoint)


def place(identity: str) -> str:
    """What the vault binds the sealed credentials to."""
    return f"channel-endpoint:{identity}"
