"""Connections of integrations to workspaces: a subscriber's, or shared in a context. Tokens are sealed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from clarion.errors import Conflict
from clarion.model.clock import Millis
from clarion.model.push import Json
from clarion.security.vault import Vault
from clarion.store.listing import Order, Place, capped, in_order
from clarion.store.tables import channel_connections as table
from clarion.store.tables import subscribers as people


class ChannelConnection(msgspec.Struct, frozen=True):
    """One connection. Without a subscriber it is shared by whoever is in its contexts."""

    id: str
    environment_id: str
    identifier: str
    integration_id: str
    subscriber_pk: int | None
    scope: str
    created_at: Millis
    updated_at: Millis
    workspace: Json = {}
    auth: Json = {}
    subscriber_id: str | None = None
    pk: int = 0


_PLAIN = ChannelConnection.__struct_fields__[:-4]


class Wanted(NamedTuple):
    """Which connections or endpoints; None asks for nothing in particular."""

    environment_id: str
    subscriber_id: str | None = None
    integration_ids: Sequence[str] | None = None
    scope: str | None = None
    shared: bool | None = None
    connection: str | None = None


def create(connection: Connection, vault: Vault, made: ChannelConnection) -> ChannelConnection:
    """Add a connection; `Conflict` when its identifier, or its place, is taken."""
    taken = by_identifier(connection, vault, made.environment_id, made.identifier)
    if taken is not None:
        raise _conflict(f"A channel connection {made.identifier} already exists: choose another identifier")
    theirs = (table.c.integration_id == made.integration_id) & (table.c.scope == made.scope)
    twin = _one(connection, vault, theirs & table.c.subscriber_pk.is_not_distinct_from(made.subscriber_pk))
    if twin is not None:
        told = "has a connection for this subscriber and these contexts already: change"
        raise _conflict(f"The integration {told} {twin.identifier}, or remove it first")
    try:
        connection.execute(table.insert().values(_row(vault, made)))
    except IntegrityError as error:  # made by somebody else in this moment
        raise _conflict("This channel connection already exists: read it, and change it") from error
    found = by_identifier(connection, vault, made.environment_id, made.identifier)
    assert found is not None
    return found


def replace(connection: Connection, vault: Vault, changed: ChannelConnection) -> None:
    """Write a connection anew."""
    connection.execute(table.update().where(table.c.pk == changed.pk).values(_row(vault, changed)))


def delete(connection: Connection, pk: int) -> None:
    """Remove a connection; endpoints that used it stay without one."""
    connection.execute(table.delete().where(table.c.pk == pk))


def by_identifier(
    connection: Connection, vault: Vault, environment_id: str, identifier: str
) -> ChannelConnection | None:
    """The connection of that identifier."""
    entry = (table.c.environment_id == environment_id) & (table.c.identifier == identifier)
    return _one(connection, vault, entry)


def by_id(
    connection: Connection, vault: Vault, environment_id: str, identity: str
) -> ChannelConnection | None:
    """The connection with that id."""
    return _one(connection, vault, (table.c.environment_id == environment_id) & (table.c.id == identity))


def search(
    connection: Connection, vault: Vault, wanted: Wanted, anchor: Place | None, order: Order
) -> list[ChannelConnection]:
    """Connections in the order of their creation."""
    query = in_order(_selected().where(*owned(table, wanted)), [table.c.pk], anchor and anchor.numbers, order)
    return [_read(vault, row) for row in connection.execute(query).mappings()]


def count(connection: Connection, wanted: Wanted) -> tuple[int, bool]:
    """How many connections match, and whether counting stopped."""
    return capped(connection, _selected().where(*owned(table, wanted)))


def owned(of: sa.Table, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    """The conditions on connections or endpoints that are joined with their subscribers."""
    conditions = [of.c.environment_id == wanted.environment_id]
    if wanted.subscriber_id is not None:
        conditions.append(people.c.subscriber_id == wanted.subscriber_id)
    if wanted.integration_ids is not None:
        conditions.append(of.c.integration_id.in_(wanted.integration_ids))
    if wanted.scope is not None:
        conditions.append(of.c.scope == wanted.scope)
    if wanted.shared is not None:
        nobodys = of.c.subscriber_pk.is_(None)
        conditions.append(nobodys if wanted.shared else ~nobodys)
    if wanted.connection is not None:
        conditions.append(table.c.identifier == wanted.connection)
    return conditions


def _one(connection: Connection, vault: Vault, entry: sa.ColumnElement[bool]) -> ChannelConnection | None:
    row = connection.execute(_selected().where(entry)).mappings().first()
    return _read(vault, row) if row else None


def _selected() -> sa.Select[*tuple[Any, ...]]:
    joined = table.outerjoin(people, people.c.pk == table.c.subscriber_pk)
    return sa.select(table, people.c.subscriber_id).select_from(joined)


def _row(vault: Vault, made: ChannelConnection) -> dict[str, Any]:
    secret = msgspec.json.encode({"workspace": made.workspace, "auth": made.auth})
    return {name: getattr(made, name) for name in _PLAIN} | {"sealed": vault.seal(secret, place(made.id))}


def _read(vault: Vault, row: Any) -> ChannelConnection:
    opened = msgspec.json.decode(vault.open(row["sealed"], place(row["id"])))
    more = {name: row[name] for name in (*_PLAIN, "subscriber_id", "pk")}
    return ChannelConnection(**opened, **more)


def place(identity: str) -> str:
    """What the vault binds the sealed credentials to."""
    return f"channel-connection:{identity}"


def _conflict(message: str) -> Conflict:
    return Conflict(message, headers={"Retry-After": "1"})
