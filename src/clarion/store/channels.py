"""What channel connections and channel endpoints share: rows of an environment that go by an identifier,
belong to an integration and mostly to a subscriber, and have a part that is sealed."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.push import Json
from clarion.security.vault import Vault
from clarion.store.listing import Order, Place, capped, in_order
from clarion.store.tables import channel_connections
from clarion.store.tables import subscribers as people


class Wanted(NamedTuple):
    """Which connections or endpoints; None asks for nothing in particular."""

    environment_id: str
    subscriber_id: str | None = None
    integration_ids: Sequence[str] | None = None
    scope: str | None = None
    shared: bool | None = None
    connection: str | None = None


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One of them. `pk` and `subscriber_id` are known of what was read."""

    id: str
    environment_id: str
    identifier: str
    integration_id: str
    subscriber_pk: int | None
    scope: str
    created_at: Millis
    updated_at: Millis
    subscriber_id: str | None = None
    pk: int = 0


C = TypeVar("C", bound=Channel)


class Shelf(Generic[C]):
    """The table of one kind. `rows` reads it with what its rows refer to. `hidden` is what is sealed of a row
    bound to its `place`, `opened` makes fields of it again."""

    def __init__(
        self,
        kind: type[C],
        table: sa.Table,
        rows: sa.Select[*tuple[Any, ...]],
        place: Callable[[str], str],
        hidden: Callable[[C], Json],
        opened: Callable[[Json], Json],
    ) -> None:
        self._kind = kind
        self._table = table
        self._rows = rows
        self._place = place
        self._hidden = hidden
        self._opened = opened

    def add(self, connection: Connection, vault: Vault, made: C) -> C:
        """Add one; `IntegrityError` when its identifier, or its place, is taken."""
        connection.execute(self._table.insert().values(self._row(vault, made)))
        found = self.by_identifier(connection, vault, made.environment_id, made.identifier)
        assert found is not None
        return found

    def replace(self, connection: Connection, vault: Vault, changed: C) -> None:
        """Write one anew."""
        entry = self._table.c.pk == changed.pk
        connection.execute(self._table.update().where(entry).values(self._row(vault, changed)))

    def delete(self, connection: Connection, pk: int) -> None:
        """Remove one."""
        connection.execute(self._table.delete().where(self._table.c.pk == pk))

    def by_identifier(
        self, connection: Connection, vault: Vault, environment_id: str, identifier: str
    ) -> C | None:
        """The one of that identifier."""
        return self.one(connection, vault, environment_id, self._table.c.identifier == identifier)

    def by_id(self, connection: Connection, vault: Vault, environment_id: str, identity: str) -> C | None:
        """The one with that id."""
        return self.one(connection, vault, environment_id, self._table.c.id == identity)

    def one(
        self, connection: Connection, vault: Vault, environment_id: str, entry: sa.ColumnElement[bool]
    ) -> C | None:
        """The one of an environment for which that holds."""
        query = self._rows.where(self._table.c.environment_id == environment_id, entry)
        row = connection.execute(query).mappings().first()
        return self._read(vault, row) if row else None

    def search(
        self, connection: Connection, vault: Vault, wanted: Wanted, anchor: Place | None, order: Order
    ) -> list[C]:
        """Those wanted, in the order of their creation."""
        query = in_order(self._sought(wanted), [self._table.c.pk], anchor and anchor.numbers, order)
        return [self._read(vault, row) for row in connection.execute(query).mappings()]

    def count(self, connection: Connection, wanted: Wanted) -> tuple[int, bool]:
        """How many are wanted, and whether counting stopped."""
        return capped(connection, self._sought(wanted))

    def _sought(self, wanted: Wanted) -> sa.Select[*tuple[Any, ...]]:
        own = self._table.c
        conditions = [own.environment_id == wanted.environment_id]
        if wanted.subscriber_id is not None:
            conditions.append(people.c.subscriber_id == wanted.subscriber_id)
        if wanted.integration_ids is not None:
            conditions.append(own.integration_id.in_(wanted.integration_ids))
        if wanted.scope is not None:
            conditions.append(own.scope == wanted.scope)
        if wanted.shared is not None:
            nobodys = own.subscriber_pk.is_(None)
            conditions.append(nobodys if wanted.shared else ~nobodys)
        if wanted.connection is not None:
            conditions.append(channel_connections.c.identifier == wanted.connection)
        return self._rows.where(*conditions)

    def _row(self, vault: Vault, made: C) -> dict[str, Any]:
        plain = {name: value for name, value in msgspec.structs.asdict(made).items() if name in self._table.c}
        del plain["pk"]
        secret = msgspec.json.encode(self._hidden(made))
        return plain | {"sealed": vault.seal(secret, self._place(made.id))}

    def _read(self, vault: Vault, row: Any) -> C:
        secret = msgspec.json.decode(vault.open(row["sealed"], self._place(row["id"])))
        plain = {name: row[name] for name in self._kind.__struct_fields__ if name in row}
        return self._kind(**plain, **self._opened(secret))
