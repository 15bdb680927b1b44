"""Where sealed secrets stand in the database, to seal them anew with another key."""

from collections.abc import Callable
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.security.vault import Vault, key_id_of
from clarion.store import (
    catalog,
    channel_connections,
    channel_endpoints,
    environment_variables,
    installation,
    integrations,
    tables,
    webhooks,
)

_HEADER = 9
_KEY_ID = 8


class Column(NamedTuple):
    """A column of sealed secrets; `place` is what the vault binds one to, by the id of its row."""

    sealed: sa.Column[bytes]
    place: Callable[[str], str]


COLUMNS = (
    Column(tables.api_keys.c.sealed, installation.place_of_key),
    Column(tables.integrations.c.sealed_credentials, integrations.place),
    Column(tables.environment_variables.c.sealed_values, environment_variables.place),
    Column(tables.webhook_endpoints.c.sealed, webhooks.place),
    Column(tables.channel_connections.c.sealed, channel_connections.place),
    Column(tables.channel_endpoints.c.sealed, channel_endpoints.place),
)


def count(connection: Connection) -> dict[str, int]:
    """How many secrets each key sealed, by the hexadecimal name of the key."""
    found: dict[str, int] = {}
    for column in COLUMNS:
        name = sa.func.substr(column.sealed, 2, _KEY_ID, type_=sa.LargeBinary)
        for header, number in connection.execute(sa.select(name, sa.func.count()).group_by(name)):
            found[bytes(header).hex()] = found.get(bytes(header).hex(), 0) + number
    return found


def reseal(connection: Connection, vault: Vault, most: int) -> int:
    """Seal some secrets anew that an older key sealed; how many. 0: the current key sealed all there are.

    A secret that is changed meanwhile stays as it was changed.
    """
    done = 0
    for column in COLUMNS:
        done += _reseal(connection, vault, column, most - done)
        if done == most:
            break
    if done:
        catalog.count(connection)
    return done


def _reseal(connection: Connection, vault: Vault, column: Column, most: int) -> int:
    identity: sa.Column[str] = column.sealed.table.c.id
    begins = sa.func.substr(column.sealed, 1, _HEADER, type_=sa.LargeBinary)
    older = sa.select(identity, column.sealed).where(begins != vault.header).order_by(identity).limit(most)
    rows = connection.execute(older).all()
    for row_id, sealed in rows:
        place = column.place(row_id)
        anew = vault.seal(vault.open(bytes(sealed), place), place)
        same = (identity == row_id) & (column.sealed == sealed)
        change = sa.update(column.sealed.table).where(same)
        connection.execute(change.values({column.sealed.name: anew}))
    return len(rows)


def name_of(vault: Vault) -> str:
    """The hexadecimal name of the key that a vault seals with."""
    return key_id_of(vault.header).hex()
