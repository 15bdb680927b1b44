"""Connections of integrations to workspaces: a subscriber's, or shared in a context. Tokens are sealed."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from clarion.errors import Conflict
from clarion.model.push import Json
from clarion.security.vault import Vault
from clarion.store.channels import Channel, Shelf
from clarion.store.tables import channel_connections as table
from clarion.store.tables import subscribers as people


class ChannelConnection(Channel, frozen=True, kw_only=True):
    """One connection. Without a subscriber it is shared by whoever is in its contexts."""

    workspace: Json = {}
    auth: Json = {}


def place(identity: str) -> str:
    """What the vault binds the sealed part to."""
    return f"channel-connection:{identity}"


CONNECTIONS = Shelf(
    ChannelConnection,
    table,
    sa.select(table, people.c.subscriber_id).select_from(
        table.outerjoin(people, people.c.pk == table.c.subscriber_pk)
    ),
    place,
    lambda made: {"workspace": made.workspace, "auth": made.auth},
    lambda opened: opened,
)


def create(connection: Connection, vault: Vault, made: ChannelConnection) -> ChannelConnection:
    """Add a connection; `Conflict` when its identifier, or its place, is taken."""
    taken = CONNECTIONS.by_identifier(connection, vault, made.environment_id, made.identifier)
    if taken is not None:
        raise _conflict(f"A channel connection {made.identifier} already exists: choose another identifier")
    theirs = (table.c.integration_id == made.integration_id) & (table.c.scope == made.scope)
    place = theirs & table.c.subscriber_pk.is_not_distinct_from(made.subscriber_pk)
    twin = CONNECTIONS.one(connection, vault, made.environment_id, place)
    if twin is not None:
        told = "has a connection for this subscriber and these contexts already: change"
        raise _conflict(f"The integration {told} {twin.identifier}, or remove it first")
    try:
        return CONNECTIONS.add(connection, vault, made)
    except IntegrityError as error:  # made by somebody else in this moment
        raise _conflict("This channel connection already exists: read it, and change it") from error


def _conflict(message: str) -> Conflict:
    return Conflict(message, headers={"Retry-After": "1"})
