"""The audit log: who changed what. An entry is written in the transaction of the change that it tells of."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.people import Subscriber
from clarion.store.database import Database
from clarion.store.listing import Order, Place, in_order
from clarion.store.tables import audit_log as table

P = ParamSpec("P")
T = TypeVar("T")

MOST_BYTES = 64 * 1024
"""Of what was there before, or after."""


class Actor(msgspec.Struct, frozen=True):
    """Who did it: `key`, `member`, `cli` (a person at the server) or `nobody`, who is not let in yet."""

    type: str
    id: str
    name: str


class Entry(msgspec.Struct):
    """One change. `action` is the name of the operation, `resource` its path without version; `environment`
    is empty for what is the installation's. `status` is that of the answer. `over`: what is still written by
    tasks that were begun on the way doesn't belong to it."""

    id: str
    at: Millis
    environment: str
    actor: Actor
    action: str
    resource: str
    address: str = ""
    status: int = 200
    before: Any = None
    after: Any = None
    written: bool = False
    over: bool = False


class Row(msgspec.Struct, frozen=True):
    """An entry as read; `pk` is its place in the log."""

    pk: int
    id: str
    at: Millis
    environment: str
    actor_type: str
    actor_id: str
    actor_name: str
    action: str
    resource: str
    address: str
    status: int
    before: Any
    after: Any


class Wanted(msgspec.Struct, frozen=True):
    """Which entries are looked for. `environments` None: of all; an empty one is the installation."""

    environments: tuple[str, ...] | None
    actor: str | None = None
    action: str | None = None
    resource: str | None = None
    since: Millis | None = None
    until: Millis | None = None


_current: ContextVar[Entry | None] = ContextVar("audited", default=None)


@contextmanager
def audited(entry: Entry) -> Iterator[Entry]:
    """What is written while the context is open is what the entry tells of."""
    token = _current.set(entry)
    try:
        yield entry
    finally:
        entry.over = True
        _current.reset(token)


def acting(actor: Actor) -> None:
    """Say who it is that acts, where that comes out on the way."""
    entry = _current.get()
    if entry is not None:
        entry.actor = actor


class AuditedDatabase:
    """A database that writes the entry of what is under way together with the first change that belongs to
    it."""

    def __init__(self, inner: Database) -> None:
        self._inner = inner
        self.read = inner.read
        self.write_alone = inner.write_alone
        self.close = inner.close

    def write(
        self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, T]:
        """As every database does; without an entry nothing is added to it."""
        entry = _current.get()
        if entry is None or entry.written or entry.over:
            return self._inner.write(change, *args, **kwargs)
        entry.written = True
        return self._write(entry, lambda connection: change(connection, *args, **kwargs))

    async def _write(self, entry: Entry, change: Callable[[Connection], T]) -> T:
        def both(connection: Connection) -> T:
            result = change(connection)
            add(connection, entry)
            return result

        try:
            return await self._inner.write(both)
        except BaseException:
            entry.written = False
            raise


def add(connection: Connection, entry: Entry) -> None:
    """Keep an entry."""
    connection.execute(table.insert().values({"id": entry.id, "at": entry.at, **_values(entry)}))


def complete(connection: Connection, entry: Entry) -> None:
    """Write what came of it over what was known before."""
    connection.execute(table.update().where(table.c.id == entry.id).values(_values(entry)))


def drop(connection: Connection, entry: Entry) -> None:
    """Take an entry back: what it tells of was refused after all."""
    connection.execute(table.delete().where(table.c.id == entry.id))


def search(connection: Connection, wanted: Wanted, anchor: Place | None, order: Order) -> list[Row]:
    """Entries in order."""
    c = table.c
    query = sa.select(*(c[name] for name in Row.__struct_fields__))
    if wanted.environments is not None:
        query = query.where(c.environment.in_(wanted.environments))
    if wanted.actor is not None:
        query = query.where((c.actor_id == wanted.actor) | (c.actor_name == wanted.actor))
    if wanted.action is not None:
        query = query.where(c.action == wanted.action)
    if wanted.resource is not None:
        below = c.resource.startswith(wanted.resource + "/", autoescape=True)
        query = query.where((c.resource == wanted.resource) | below)
    if wanted.since is not None:
        query = query.where(c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(c.at <= wanted.until)
    rows = connection.execute(in_order(query, (c.pk,), anchor.numbers if anchor else None, order))
    return [Row(*row) for row in rows]


def by_id(connection: Connection, wanted: Wanted, identity: str) -> Row | None:
    """The entry of that id, of those that may be seen."""
    query = sa.select(*(table.c[name] for name in Row.__struct_fields__)).where(table.c.id == identity)
    if wanted.environments is not None:
        query = query.where(table.c.environment.in_(wanted.environments))
    row = connection.execute(query).first()
    return Row(*row) if row else None


def forget(connection: Connection, person: Subscriber, after: int, most: int) -> int | None:
    """Look through some entries behind row `after` and take out what there was before and after of those that
    tell of a person; the last row, None at the end."""
    c = table.c
    query = sa.select(c.pk, c.resource, c.before, c.after).where(c.environment == person.environment_id)
    rows = connection.execute(query.where(c.pk > after).order_by(c.pk).limit(most)).all()
    telling = [pk for pk, resource, *documents in rows if _tells_of(person, resource, documents)]
    connection.execute(table.update().where(c.pk.in_(telling)).values(before=None, after=None))
    return rows[-1].pk if len(rows) == most else None


def _tells_of(person: Subscriber, resource: str, documents: list[Any]) -> bool:
    if resource.split("/")[:2] in (["subscribers", person.subscriber_id], ["people", person.subscriber_id]):
        return True
    whole = msgspec.json.encode(documents).decode()
    names = (msgspec.json.encode(name).decode() for name in (person.subscriber_id, person.id))
    return any(f'"subscriberId":{name}' in whole for name in names)


def sweep(connection: Connection, before: Millis, most: int) -> bool:
    """Forget some of what is too old; whether there may be more."""
    old = sa.select(table.c.pk).where(table.c.at < before).limit(most)
    return connection.execute(table.delete().where(table.c.pk.in_(old))).rowcount == most


def _values(entry: Entry) -> dict[str, Any]:
    return {
        "environment": entry.environment,
        "actor_type": entry.actor.type,
        "actor_id": entry.actor.id,
        "actor_name": entry.actor.name,
        "action": entry.action,
        "resource": entry.resource,
        "address": entry.address,
        "status": entry.status,
        "before": _bounded(entry.before),
        "after": _bounded(entry.after),
    }


def _bounded(document: Any) -> Any:
    size = len(msgspec.json.encode(document))
    return document if size <= MOST_BYTES else {"leftOut": f"{size} bytes"}
