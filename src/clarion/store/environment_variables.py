"""Variables that templates name as `env.NAME`: a value for each environment, sealed like every secret."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from clarion.errors import Conflict
from clarion.model.clock import Millis
from clarion.security.vault import Vault
from clarion.store.tables import environment_variables as table


class Variable(msgspec.Struct, frozen=True):
    """A variable; `values` by environment. One that `is_secret` is never shown whole again."""

    id: str
    key: str
    type: str
    is_secret: bool
    created_at: Millis
    updated_at: Millis
    values: dict[str, str] = {}


_PLAIN = tuple(name for name in Variable.__struct_fields__ if name != "values")


def create(connection: Connection, vault: Vault, variable: Variable) -> None:
    """Add a variable; `Conflict` when the key is taken."""
    try:
        connection.execute(table.insert().values(_row(vault, variable)))
    except IntegrityError as error:
        raise _taken(variable) from error


def replace(connection: Connection, vault: Vault, variable: Variable) -> None:
    """Write a variable anew; `Conflict` when its new key is taken."""
    try:
        connection.execute(table.update().where(table.c.id == variable.id).values(_row(vault, variable)))
    except IntegrityError as error:
        raise _taken(variable) from error


def delete(connection: Connection, identity: str) -> None:
    """Remove a variable."""
    connection.execute(table.delete().where(table.c.id == identity))


def every(connection: Connection, vault: Vault) -> list[Variable]:
    """All variables, by key."""
    rows = connection.execute(sa.select(table).order_by(table.c.key)).mappings()
    return [_read(vault, row) for row in rows]


def _row(vault: Vault, variable: Variable) -> dict[str, Any]:
    sealed = vault.seal(msgspec.json.encode(variable.values), place(variable.id))
    return {name: getattr(variable, name) for name in _PLAIN} | {"sealed_values": sealed}


def _read(vault: Vault, row: Any) -> Variable:
    values = msgspec.json.decode(vault.open(row["sealed_values"], place(row["id"])), type=dict[str, str])
    return Variable(**{name: row[name] for name in _PLAIN}, values=values)


def place(identity: str) -> str:
    """What the vault binds the sealed values to."""
    return f"environment-variable:{identity}"


def _taken(variable: Variable) -> Conflict:
    return Conflict(f"There is a variable {variable.key} already: choose another key, or change that one")
