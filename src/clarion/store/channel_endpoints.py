"""Addresses of subscribers outside of push, each under an integration. What they are made of is sealed."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from clarion.errors import Conflict
from clarion.model.push import Json
from clarion.security.vault import Vault
from clarion.store.channels import Channel, Shelf
from clarion.store.tables import channel_connections as connections
from clarion.store.tables import channel_endpoints as table
from clarion.store.tables import subscribers as people


class ChannelEndpoint(Channel, frozen=True, kw_only=True):
    """One address of a subscriber, reached through a connection where it has one."""

    connection_pk: int | None
    type: str
    endpoint: Json = {}
    connection_identifier: str | None = None


def place(identity: str) -> str:
    """What the vault binds the sealed part to."""
    return f"channel-endpoint:{identity}"


ENDPOINTS = Shelf(
    ChannelEndpoint,
    table,
    sa.select(
        table, people.c.subscriber_id, connections.c.identifier.label("connection_identifier")
    ).select_from(
        table.join(people, people.c.pk == table.c.subscriber_pk).outerjoin(
            connections, connections.c.pk == table.c.connection_pk
        )
    ),
    place,
    lambda made: made.endpoint,
    lambda opened: {"endpoint": opened},
)


def create(connection: Connection, vault: Vault, made: ChannelEndpoint) -> ChannelEndpoint:
    """Add an endpoint; `Conflict` when its identifier is taken."""
    try:
        return ENDPOINTS.add(connection, vault, made)
    except IntegrityError as error:
        told = f"A channel endpoint {made.identifier} already exists: choose another identifier"
        raise Conflict(told, headers={"Retry-After": "1"}) from error
