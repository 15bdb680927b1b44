"""Contexts of an environment, with the data that templates and conditions see."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from clarion.errors import Conflict
from clarion.model.clock import Millis
from clarion.model.context import Reference
from clarion.model.ids import new_id
from clarion.model.push import Json
from clarion.store.dialect import listed, run, run_many, sql, storable
from clarion.store.listing import Order, Place, capped, in_order
from clarion.store.tables import contexts as table


class Context(msgspec.Struct, frozen=True):
    """One context; `key` is `type:id`, while `id` names the row in cursors."""

    pk: int
    id: str
    environment_id: str
    key: str
    data: Json
    created_at: Millis
    updated_at: Millis


def create(connection: Connection, environment_id: str, wanted: Reference, now: Millis) -> Context:
    """Add a context; `Conflict` when it is there already."""
    row = {"id": new_id(now), "environment_id": environment_id, "key": wanted.key, "data": wanted.data or {}}
    try:
        connection.execute(table.insert().values(**row, created_at=now, updated_at=now))
    except IntegrityError as error:
        told = f"Context {wanted.key} already exists: change its data instead"
        raise Conflict(told, headers={"Retry-After": "1"}) from error
    made = get(connection, environment_id, wanted.key)
    assert made is not None
    return made


def get(connection: Connection, environment_id: str, key: str) -> Context | None:
    """The context of that key."""
    return _one(connection, (table.c.environment_id == environment_id) & (table.c.key == key))


def by_id(connection: Connection, environment_id: str, identity: str) -> Context | None:
    """The context of that row."""
    return _one(connection, (table.c.environment_id == environment_id) & (table.c.id == identity))


def update(connection: Connection, found: Context, data: Json, now: Millis) -> Context:
    """Put other data in place of a context's."""
    connection.execute(table.update().where(table.c.pk == found.pk).values(data=data, updated_at=now))
    return msgspec.structs.replace(found, data=data, updated_at=now)


def delete(connection: Connection, found: Context) -> None:
    """Remove a context. What was scoped by it keeps its key."""
    connection.execute(table.delete().where(table.c.pk == found.pk))


class Wanted(NamedTuple):
    """Which contexts: of an id, or with a text anywhere in their key."""

    environment_id: str
    id: str | None = None
    search: str | None = None


def search(connection: Connection, wanted: Wanted, anchor: Place | None, order: Order) -> list[Context]:
    """Contexts in the order of their creation."""
    query = in_order(_matching(wanted), [table.c.pk], anchor and anchor.numbers, order)
    return [Context(*row) for row in connection.execute(query)]


def count(connection: Connection, wanted: Wanted) -> tuple[int, bool]:
    """How many contexts match, and whether counting stopped."""
    return capped(connection, _matching(wanted))


def data_of(connection: Connection, environment_id: str, keys: Iterable[str]) -> dict[str, Json]:
    """The data of contexts by key; those that nobody made are left out."""
    rows = run(connection, _FIND, listed(sorted(set(keys))), environment_id)
    return {key: msgspec.json.decode(data) for key, data in rows}


def ensure(
    connection: Connection, environment_id: str, wanted: Sequence[Reference], now: Millis
) -> Mapping[str, Json]:
    """The data of the contexts by key: made where missing, changed where a reference brings other data.

    Of several references to one the last has the word. Only what changes is written, and always in the same
    order, so that triggers at once that share a context don't wait for each other in a circle.
    """
    if not wanted:
        return {}
    last = {one.key: one for one in wanted if one.data is None} | {
        one.key: one for one in wanted if one.data is not None
    }
    found = data_of(connection, environment_id, last)
    changed = [
        last[key]
        for key in sorted(last)
        if key not in found or (last[key].data is not None and last[key].data != found[key])
    ]
    for one in changed:
        put = _ADD if one.data is None else _PUT
        data = storable(msgspec.json.encode(one.data or {}).decode())
        run_many(connection, put, [(new_id(now), environment_id, one.key, data, now, now)])
    return data_of(connection, environment_id, last) if changed else found


_FIELDS = tuple(table.c[name] for name in Context.__struct_fields__)


def _one(connection: Connection, entry: sa.ColumnElement[bool]) -> Context | None:
    row = connection.execute(sa.select(*_FIELDS).where(entry)).first()
    return Context(*row) if row else None


def _matching(wanted: Wanted) -> sa.Select[*tuple[Any, ...]]:
    query = sa.select(*_FIELDS).where(table.c.environment_id == wanted.environment_id)
    if wanted.id is not None:
        query = query.where(table.c.key.endswith(f":{wanted.id}", autoescape=True))
    if wanted.search:
        query = query.where(table.c.key.contains(wanted.search, autoescape=True))
    return query


_FIND = sql("SELECT c.key, c.data FROM {texts} JOIN contexts c ON c.environment_id = ? AND c.key = j.value")

# Makes a context that is not there.
_ADD = sql("""
INSERT INTO contexts (id, environment_id, key, data, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (environment_id, key) DO NOTHING
""")

# Makes a context, or puts other data in place of its own.
_PUT = sql("""
INSERT INTO contexts (id, environment_id, key, data, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (environment_id, key) DO UPDATE SET data = excluded.data, updated_at = excluded.updated_at
""")
