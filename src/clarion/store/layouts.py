"""Layouts. The oldest one of an environment is its default."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from clarion.errors import Conflict
from clarion.model.layout import Layout
from clarion.store import translations
from clarion.store.tables import layouts as table

_FIELDS = Layout.__struct_fields__


def create(connection: Connection, layout: Layout) -> None:
    """Add a layout; `Conflict` when its identifier is taken in the environment."""
    row = {name: getattr(layout, name) for name in _FIELDS}
    try:
        connection.execute(table.insert().values(row))
    except IntegrityError as error:
        raise Conflict(f"Layout {layout.layout_id} already exists: choose another layoutId") from error


def replace(connection: Connection, layout: Layout) -> None:
    """Write a layout anew."""
    row = {name: getattr(layout, name) for name in _FIELDS}
    connection.execute(table.update().where(table.c.id == layout.id).values(row))


def delete(connection: Connection, identity: str) -> None:
    """Remove a layout with its translations."""
    translations.forget(connection, identity)
    connection.execute(table.delete().where(table.c.id == identity))


def named(connection: Connection, environment_id: str, name: str) -> Layout | None:
    """The layout of that identifier, else of that row id."""
    fits = (table.c.layout_id == name) | (table.c.id == name)
    query = sa.select(table).where(table.c.environment_id == environment_id, fits)
    row = connection.execute(query.order_by(table.c.layout_id != name).limit(1)).mappings().first()
    return _read(row) if row else None


def default_of(connection: Connection, environment_id: str) -> str | None:
    """The row id of the environment's default layout."""
    query = sa.select(table.c.id).where(table.c.environment_id == environment_id)
    return connection.scalar(query.order_by(table.c.created_at, table.c.id).limit(1))


def every(connection: Connection, environment_id: str) -> list[Layout]:
    """The layouts of an environment, oldest first."""
    query = sa.select(table).where(table.c.environment_id == environment_id)
    rows = connection.execute(query.order_by(table.c.created_at, table.c.id)).mappings()
    return [_read(row) for row in rows]


def _read(row: Any) -> Layout:
    return Layout(**{name: row[name] for name in _FIELDS})
