"""Deliveries to webhook endpoints: what was sent, what was answered, and what is still to be tried."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.webhook import Try
from clarion.store.dialect import listed, run, run_many, sql, storable
from clarion.store.listing import Order, Place, in_order
from clarion.store.tables import webhook_deliveries as table

MOST_TRIES_KEPT = 10


class Status(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    """It is tried again at `next_try_at`."""
    DELIVERED = "delivered"
    """The endpoint took it."""
    FAILED = "failed"
    """It is not tried again unless somebody asks for it."""


class Delivery(msgspec.Struct, frozen=True):
    """One event to one endpoint. `attempts` counts since it was last asked for; `tries` are the last ones."""

    id: str
    environment_id: str
    endpoint_id: str
    event_id: str
    type: str
    body: str
    status: str
    attempts: int
    next_try_at: Millis | None
    happened_at: Millis
    updated_at: Millis
    tries: list[Try] = []
    pk: int = 0


class Wanted(NamedTuple):
    """Which deliveries of an endpoint; None for any."""

    endpoint_id: str
    status: str | None = None
    type: str | None = None


_PLAIN = Delivery.__struct_fields__[:-2]


def keep(connection: Connection, written: Sequence[Delivery]) -> None:
    """Write how deliveries stand. One that was removed while it was tried once more stays removed."""
    run_many(connection, _KEEP, [_row(item) for item in written if not item.pk])
    run_many(connection, _CHANGE, [(*_state(item), item.id) for item in written if item.pk])


def of(connection: Connection, endpoint_id: str, ids: Iterable[str]) -> list[Delivery]:
    """Those of the deliveries that are there, oldest first."""
    rows = run(connection, _OF, listed(ids), endpoint_id)
    return sorted((_read(row) for row in rows), key=lambda item: item.pk)


def by_id(connection: Connection, endpoint_id: str, identity: str) -> Delivery | None:
    """The delivery of that id."""
    return next(iter(of(connection, endpoint_id, [identity])), None)


def search(connection: Connection, wanted: Wanted, anchor: Place | None, order: Order) -> list[Delivery]:
    """Deliveries in the order they were first tried in."""
    query = sa.select(*(table.c[name] for name in Delivery.__struct_fields__)).where(
        table.c.endpoint_id == wanted.endpoint_id
    )
    for name in ("status", "type"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(table.c[name] == value)
    found = connection.execute(in_order(query, [table.c.pk], anchor.numbers if anchor else None, order))
    return [_read(tuple(row)) for row in found]


def recall(
    connection: Connection,
    endpoint_id: str,
    since: Millis,
    until: Millis,
    status: str | None,
    most: int,
) -> list[tuple[str, Millis]]:
    """The ids and moments of what happened in a time and stands so, oldest first; what is pending is left."""
    query = (
        sa.select(table.c.id, table.c.happened_at)
        .where(table.c.endpoint_id == endpoint_id, table.c.happened_at.between(since, until))
        .where(table.c.status == status if status else table.c.status != Status.PENDING.value)
        .order_by(table.c.happened_at, table.c.pk)
        .limit(most)
    )
    return [(row.id, row.happened_at) for row in connection.execute(query)]


def ask_again(connection: Connection, ids: Sequence[str], now: Millis) -> None:
    """Let deliveries stand as if they had never been tried."""
    run(connection, _ASK_AGAIN, Status.PENDING.value, now, now, listed(ids))


def empty(connection: Connection, endpoint_id: str, most: int) -> bool:
    """Remove some of an endpoint's deliveries; whether there may be more."""
    return run(connection, _EMPTY, endpoint_id, most).rowcount == most


def sweep(connection: Connection, before: Millis, most: int) -> bool:
    """Forget what came to its end before; whether there may be more."""
    return run(connection, _SWEEP, before, Status.PENDING.value, most).rowcount == most


def _row(item: Delivery) -> tuple[object, ...]:
    return (*(getattr(item, name) for name in _PLAIN), _tries(item))


def _state(item: Delivery) -> tuple[object, ...]:
    return item.status, item.attempts, item.next_try_at, item.updated_at, _tries(item)


def _tries(item: Delivery) -> str:
    return storable(msgspec.json.encode(item.tries[-MOST_TRIES_KEPT:]).decode())


def _read(row: Sequence[object]) -> Delivery:
    *plain, tries, pk = row
    kept = msgspec.json.decode(str(tries), type=list[Try])
    return msgspec.convert(dict(zip(_PLAIN, plain, strict=True)) | {"tries": kept, "pk": pk}, Delivery)


_COLUMNS = ", ".join((*_PLAIN, "tries"))

# What runs a second time says the same of what was tried once more.
_KEEP = sql(f"""
INSERT INTO webhook_deliveries ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET status = excluded.status, attempts = excluded.attempts,
  next_try_at = excluded.next_try_at, updated_at = excluded.updated_at, tries = excluded.tries
""")  # noqa: S608
_CHANGE = sql("""
UPDATE webhook_deliveries SET status = ?, attempts = ?, next_try_at = ?, updated_at = ?, tries = ?
WHERE id = ?
""")
_OF = sql(f"""
SELECT {", ".join(f"d.{name}" for name in (*_PLAIN, "tries", "pk"))}
FROM {{texts}} JOIN webhook_deliveries d ON d.id = j.value
WHERE d.endpoint_id = ?
""")  # noqa: S608
_ASK_AGAIN = sql("""
UPDATE webhook_deliveries SET status = ?, attempts = 0, next_try_at = ?, updated_at = ?
WHERE id IN (SELECT j.value FROM {texts})
""")
_EMPTY = sql("""
DELETE FROM webhook_deliveries WHERE pk IN (
  SELECT pk FROM webhook_deliveries WHERE endpoint_id = ? LIMIT ?)
""")
_SWEEP = sql("""
DELETE FROM webhook_deliveries WHERE pk IN (
  SELECT pk FROM webhook_deliveries WHERE updated_at < ? AND status <> ? ORDER BY updated_at LIMIT ?)
""")
