"""Subscribers and what they hold under each integration."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from clarion.errors import Conflict
from clarion.model.clock import Millis
from clarion.model.ids import new_id
from clarion.model.people import Subscriber
from clarion.store.tables import messages, notifications, subscribers

PROFILE = ("first_name", "last_name", "email", "phone", "avatar", "locale", "timezone", "data")
_FIELDS = Subscriber.__struct_fields__
_COLUMNS = tuple(subscribers.c[name] for name in _FIELDS)
_COUNT_CAP = 50_000


def get(connection: Connection, environment_id: str, subscriber_id: str) -> Subscriber | None:
    """The subscriber of that name, if there is one."""
    row = connection.execute(sa.select(*_COLUMNS).where(_named(environment_id, subscriber_id))).first()
    return Subscriber(*row) if row else None


def by_pk(connection: Connection, pks: Iterable[int]) -> dict[int, Subscriber]:
    """Many subscribers by row number."""
    rows = connection.exec_driver_sql(_BY_PK, (msgspec.json.encode(list(pks)),))
    return {row[0]: _read(row) for row in rows}


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


def update(connection: Connection, pk: int, changes: Mapping[str, Any], now: Millis) -> None:
    """Overwrite the given profile columns; null clears."""
    connection.execute(subscribers.update().where(subscribers.c.pk == pk).values(**changes, updated_at=now))


def upsert(
    connection: Connection, environment_id: str, subscriber_id: str, profile: Mapping[str, Any], now: Millis
) -> tuple[Subscriber, bool]:
    """Create the subscriber, or overwrite the given fields of an existing one; says which."""
    found = get(connection, environment_id, subscriber_id)
    if found is None:
        return create(connection, environment_id, subscriber_id, profile, now), True
    if all(getattr(found, name) == value for name, value in profile.items()):
        return found, False
    update(connection, found.pk, profile, now)
    return msgspec.structs.replace(found, **profile, updated_at=now), False


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
    names = msgspec.json.encode(list(dict.fromkeys(subscriber_ids)))
    found = _by_name(connection, environment_id, names)
    missing = [name for name in dict.fromkeys(subscriber_ids) if name not in found]
    if not missing:
        return found
    connection.exec_driver_sql(_ADD, [(new_id(now), environment_id, name, now, now) for name in missing])
    return _by_name(connection, environment_id, names)


def page(connection: Connection, environment_id: str, after: int, most: int) -> list[Subscriber]:
    """Subscribers of an environment in row order, beginning behind row `after`."""
    rows = connection.exec_driver_sql(_PAGE, (environment_id, after, most))
    return [_read(row) for row in rows]


def _by_name(connection: Connection, environment_id: str, names: bytes) -> dict[str, Subscriber]:
    rows = connection.exec_driver_sql(_BY_NAME, (names, environment_id))
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
_BY_PK = f"SELECT {_LIST} FROM json_each(?) j JOIN subscribers s ON s.pk = j.value"  # noqa: S608

# Loads many subscribers of one environment by name.
_BY_NAME = f"""
SELECT {_LIST} FROM json_each(?) j JOIN subscribers s ON s.environment_id = ? AND s.subscriber_id = j.value
"""  # noqa: S608

# Walks an environment in row order: the pages of a broadcast.
_PAGE = f"SELECT {_LIST} FROM subscribers s WHERE s.environment_id = ? AND s.pk > ? ORDER BY s.pk LIMIT ?"  # noqa: S608

# Adds subscribers that only have a name yet; one that appeared meanwhile stays as it is.
_ADD = """
INSERT INTO subscribers (id, environment_id, subscriber_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (environment_id, subscriber_id) DO NOTHING
"""
