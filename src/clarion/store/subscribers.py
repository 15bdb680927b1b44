"""Subscribers and what they hold under each integration."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from clarion.errors import Conflict
from clarion.model.clock import Millis
from clarion.model.ids import new_id
from clarion.model.people import Subscriber
from clarion.store import subscriber_names
from clarion.store.dialect import listed, run, run_many, sql
from clarion.store.listing import Order, Place, capped, in_order
from clarion.store.tables import messages, notifications, subscribers

PROFILE = ("first_name", "last_name", "email", "phone", "avatar", "locale", "timezone", "data")
_FIELDS = Subscriber.__struct_fields__
_COLUMNS = tuple(subscribers.c[name] for name in _FIELDS)


def get(connection: Connection, environment_id: str, subscriber_id: str) -> Subscriber | None:
    """The subscriber of that name, if there is one."""
    row = connection.execute(sa.select(*_COLUMNS).where(_named(environment_id, subscriber_id))).first()
    return Subscriber(*row) if row else None


def by_pk(connection: Connection, pks: Iterable[int]) -> dict[int, Subscriber]:
    """Many subscribers by row number."""
    rows = run(connection, _BY_PK, listed(pks))
    return {row[0]: _read(row) for row in rows}


def named(connection: Connection, environment_id: str, names: Iterable[str]) -> dict[str, Subscriber]:
    """Those of the names that are there."""
    return _by_name(connection, environment_id, listed(names))


def create(
    connection: Connection, environment_id: str, subscriber_id: str, profile: Mapping[str, Any], now: Millis
) -> Subscriber:
    """Add a subscriber; `Conflict` when the name is taken."""
    row: dict[str, Any] = {
        "id": new_id(now),
        "environment_id": environment_id,
        "subscriber_id": subscriber_id,
    }
    row |= {"created_at": now, "updated_at": now, **profile}
    try:
        connection.execute(subscribers.insert().values(row))
    except IntegrityError as error:
        raise Conflict(f"Subscriber {subscriber_id} already exists") from error
    created = get(connection, environment_id, subscriber_id)
    assert created is not None
    return created


def update(connection: Connection, found: Subscriber, changes: Mapping[str, Any], now: Millis) -> Subscriber:
    """Overwrite the given profile columns; null clears."""
    entry = subscribers.c.pk == found.pk
    connection.execute(subscribers.update().where(entry).values(**changes, updated_at=now))
    return msgspec.structs.replace(found, **changes, updated_at=now)


def upsert(
    connection: Connection, environment_id: str, subscriber_id: str, profile: Mapping[str, Any], now: Millis
) -> tuple[Subscriber, bool]:
    """Create the subscriber, or overwrite the given fields of an existing one; says which."""
    found = get(connection, environment_id, subscriber_id)
    if found is None:
        return create(connection, environment_id, subscriber_id, profile, now), True
    if all(getattr(found, name) == value for name, value in profile.items()):
        return found, False
    return update(connection, found, profile, now), False


def delete(connection: Connection, pk: int) -> None:
    """Remove a subscriber with everything that is about them."""
    theirs = sa.select(notifications.c.id).where(notifications.c.subscriber_pk == pk)
    connection.execute(messages.delete().where(messages.c.notification_id.in_(theirs)))
    connection.execute(notifications.delete().where(notifications.c.subscriber_pk == pk))
    connection.execute(subscribers.delete().where(subscribers.c.pk == pk))


def ensure(
    connection: Connection, environment_id: str, subscriber_ids: Sequence[str], now: Millis
) -> dict[str, Subscriber]:
    """The subscribers of those names, created where missing."""
    names = listed(dict.fromkeys(subscriber_ids))
    found = _by_name(connection, environment_id, names)
    missing = [name for name in dict.fromkeys(subscriber_ids) if name not in found]
    if not missing:
        return found
    rows = [(new_id(now), environment_id, name, now, now) for name in sorted(missing)]
    run_many(connection, _ADD, rows)
    return _by_name(connection, environment_id, names)


class Search(NamedTuple):
    """What to look for: exact e-mail, phone and id; a name is found by any part of it."""

    environment_id: str
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    subscriber_id: str | None = None


def search(
    connection: Connection, wanted: Search, order_by: str, anchor: Place | None, order: Order
) -> list[Subscriber]:
    """Subscribers behind the anchor in the order, or before it with the nearest first."""
    query = searching(connection, wanted, order_by, anchor, order)
    return [Subscriber(*row) for row in connection.execute(query)]


def searching(
    connection: Connection, wanted: Search, order_by: str, anchor: Place | None, order: Order
) -> sa.Select[Any]:
    """The query of a search. Rows are numbered as they are created, so that the number is that order. In
    another, where what an index finds would have to be sorted, a common name is met soon on the way."""
    by_change = order_by == "updatedAt"
    question = _indexing(connection, wanted)
    if question is not None and by_change and subscriber_names.common(connection, question):
        question = None
    number = subscribers.c.pk if question is None or by_change else subscriber_names.INDEXED
    columns = [subscribers.c.updated_at, number] if by_change else [number]
    query = sa.select(*_COLUMNS).where(*_matches(connection, wanted, question))
    return in_order(query, columns, anchor and anchor.numbers, order)


def count(connection: Connection, wanted: Search) -> tuple[int, bool]:
    """How many match, and whether counting stopped."""
    matches = _matches(connection, wanted, _indexing(connection, wanted))
    return capped(connection, sa.select(subscribers.c.pk).where(*matches))


def by_id(connection: Connection, environment_id: str, identity: str) -> Subscriber | None:
    """The subscriber with that id."""
    entry = (subscribers.c.environment_id == environment_id) & (subscribers.c.id == identity)
    row = connection.execute(sa.select(*_COLUMNS).where(entry)).first()
    return Subscriber(*row) if row else None


def bounds(connection: Connection, environment_id: str, after: int, size: int, most: int) -> list[int]:
    """The last row of each chunk of `size` subscribers behind row `after`, at most `most` chunks."""
    rows = run(connection, _BOUNDS, environment_id, after, size * most, size).scalars()
    return list(rows)


def total(connection: Connection, environment_id: str) -> int:
    """How many subscribers an environment has."""
    found: int = run(connection, _TOTAL, environment_id).scalar_one()
    return found


def between(connection: Connection, environment_id: str, after: int, upto: int) -> list[Subscriber]:
    """Subscribers of an environment in row order, behind row `after` up to row `upto`."""
    return [_read(row) for row in run(connection, _BETWEEN, environment_id, after, upto)]


def _indexing(connection: Connection, wanted: Search) -> str | None:
    """What to ask the index of names for, unless something else narrows the search down."""
    narrow = (wanted.email, wanted.phone, wanted.subscriber_id) != (None, None, None)
    if narrow or not wanted.name:
        return None
    return subscriber_names.indexing(connection, wanted.environment_id, wanted.name)


def _matches(connection: Connection, wanted: Search, question: str | None) -> list[sa.ColumnElement[bool]]:
    if question is not None:
        return [subscriber_names.indexed(question, wanted.environment_id)]
    c = subscribers.c
    exact = {c.email: wanted.email, c.phone: wanted.phone, c.subscriber_id: wanted.subscriber_id}
    conditions = [c.environment_id == wanted.environment_id]
    conditions += [column == value for column, value in exact.items() if value is not None]
    if wanted.name:
        conditions.append(subscriber_names.compared(connection, wanted.name))
    return conditions


def _by_name(connection: Connection, environment_id: str, names: str) -> dict[str, Subscriber]:
    rows = run(connection, _BY_NAME, names, environment_id)
    return {row[3]: _read(row) for row in rows}


def _named(environment_id: str, subscriber_id: str) -> sa.ColumnElement[bool]:
    return (subscribers.c.environment_id == environment_id) & (subscribers.c.subscriber_id == subscriber_id)


_LIST = ", ".join(f"s.{name}" for name in _FIELDS)
_DATA = _FIELDS.index("data")
_ONLINE = _FIELDS.index("is_online")


def _read(row: Sequence[Any]) -> Subscriber:
    values = list(row)
    if values[_DATA] is not None:
        values[_DATA] = msgspec.json.decode(values[_DATA])
    if values[_ONLINE] is not None:
        values[_ONLINE] = bool(values[_ONLINE])
    return Subscriber(*values)


# Loads many subscribers by row number.
_BY_PK = sql(f"SELECT {_LIST} FROM {{numbers}} JOIN subscribers s ON s.pk = j.value")  # noqa: S608

# Loads many subscribers of one environment by name.
_BY_NAME = sql(f"""
SELECT {_LIST} FROM {{texts}} JOIN subscribers s ON s.environment_id = ? AND s.subscriber_id = j.value
""")  # noqa: S608

# Cuts the rows behind one into chunks: the last row of each, the rest counting as one.
_BOUNDS = sql("""
SELECT MAX(pk) FROM (
  SELECT pk, ROW_NUMBER() OVER (ORDER BY pk) - 1 AS place FROM (
    SELECT pk FROM subscribers WHERE environment_id = ? AND pk > ? ORDER BY pk LIMIT ?) AS ahead) AS placed
GROUP BY place / ? ORDER BY 1
""")

_TOTAL = sql("SELECT COUNT(*) FROM subscribers WHERE environment_id = ?")

# Reads one chunk of an environment.
_BETWEEN = sql(f"""
SELECT {_LIST} FROM subscribers s WHERE s.environment_id = ? AND s.pk > ? AND s.pk <= ? ORDER BY s.pk
""")  # noqa: S608

# Adds subscribers that only have a name yet; one that appeared meanwhile stays as it is.
_ADD = sql("""
INSERT INTO subscribers (id, environment_id, subscriber_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (environment_id, subscriber_id) DO NOTHING
""")
