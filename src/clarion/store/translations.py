"""Translations of workflows and layouts."""

from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.ids import new_id
from clarion.model.translation import Json, Translation
from clarion.store.dialect import run, sql
from clarion.store.tables import translations as table

_FIELDS = Translation.__struct_fields__
_MOST_AT_ONCE = 500


def put(connection: Connection, translation: Translation) -> Translation:
    """Write a translation in place of the one its resource has in that locale; as it stands then."""
    content = msgspec.json.encode(translation.content).decode()
    row = [getattr(translation, name) for name in _FIELDS if name != "content"]
    created_at: Millis = run(connection, _PUT, *row, content).scalar_one()
    return msgspec.structs.replace(translation, created_at=created_at)


def find(connection: Connection, resource_id: str, locale: str) -> Translation | None:
    """The translation of a resource into a locale."""
    query = sa.select(table).where(table.c.resource_id == resource_id, table.c.locale == locale)
    row = connection.execute(query).mappings().first()
    return _read(row) if row else None


def of_resource(connection: Connection, resource_id: str) -> list[Translation]:
    """All translations of a resource, by locale."""
    query = sa.select(table).where(table.c.resource_id == resource_id).order_by(table.c.locale)
    return [_read(row) for row in connection.execute(query).mappings()]


def of_locale(connection: Connection, environment_id: str, locale: str) -> list[Translation]:
    """What an environment's resources have in a locale."""
    query = sa.select(table).where(table.c.environment_id == environment_id, table.c.locale == locale)
    return [_read(row) for row in connection.execute(query).mappings()]


def contents(connection: Connection, environment_id: str) -> dict[str, dict[str, Json]]:
    """What everything in an environment says, by row id and locale."""
    query = sa.select(table.c.resource_id, table.c.locale, table.c.content)
    found: dict[str, dict[str, Json]] = {}
    for row in connection.execute(query.where(table.c.environment_id == environment_id)):
        found.setdefault(row.resource_id, {})[row.locale] = row.content
    return found


def of_workflows(connection: Connection, known: Mapping[str, Translation]) -> list[Translation]:
    """All translations of workflows, by locale; the content of those that are known is not read again."""
    query = sa.select(table.c.id).where(table.c.resource_type == "workflow").order_by(table.c.locale)
    ids = list(connection.scalars(query))
    fresh = [identity for identity in ids if identity not in known]
    found = dict(known)
    for start in range(0, len(fresh), _MOST_AT_ONCE):
        some = sa.select(table).where(table.c.id.in_(fresh[start : start + _MOST_AT_ONCE]))
        found |= {row["id"]: _read(row) for row in connection.execute(some).mappings()}
    # What was replaced between the two reads comes with the next snapshot.
    return [found[identity] for identity in ids if identity in found]


def remove(connection: Connection, resource_id: str, locale: str) -> bool:
    """Remove one translation; whether it was there."""
    one = table.delete().where(table.c.resource_id == resource_id, table.c.locale == locale)
    return connection.execute(one).rowcount > 0


def forget(connection: Connection, resource_id: str) -> bool:
    """Remove all translations of a resource; whether there were any."""
    return connection.execute(table.delete().where(table.c.resource_id == resource_id)).rowcount > 0


def copy(connection: Connection, source_id: str, environment_id: str, resource_id: str, now: Millis) -> None:
    """Give a resource the translations of another one, and no others."""
    source = of_resource(connection, source_id)
    kept = [item.locale for item in source]
    gone = table.delete().where(table.c.resource_id == resource_id, table.c.locale.not_in(kept))
    connection.execute(gone)
    for item in source:
        own = {"id": new_id(now), "environment_id": environment_id, "resource_id": resource_id}
        put(connection, msgspec.structs.replace(item, **own, created_at=now, updated_at=now))


def _read(row: Any) -> Translation:
    return Translation(**{name: row[name] for name in _FIELDS})


# Two at once are one after the other; created_at stays that of the first.
_PUT = sql("""
INSERT INTO translations (id, environment_id, resource_type, resource_id, locale, created_at, updated_at,
  content)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (resource_id, locale) DO UPDATE
SET id = excluded.id, content = excluded.content, updated_at = excluded.updated_at
RETURNING created_at
""")
