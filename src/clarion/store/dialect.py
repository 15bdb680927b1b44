"""Hand-written SQL in one notation for both databases.

`?` is a parameter. `{texts}` and `{numbers}` are a table `j(value)` of a list that comes as one
parameter, made by `listed`: a batch of any size is one statement.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy.engine import Connection, CursorResult

_PARAMETER = re.compile(r"\?")
_LISTS = {
    "{texts}": "json_array_elements_text(CAST(? AS json)) AS j(value)",
    "{numbers}": "(SELECT CAST(e AS bigint) AS value FROM json_array_elements_text(CAST(? AS json)) e) AS j",
}


class Sql(NamedTuple):
    """One statement as each database reads it."""

    sqlite: str
    postgresql: str


def sql(text: str, *, postgresql: str | None = None) -> Sql:
    """A statement; `postgresql` where that one is worded differently.

    SQLite knows nothing of a list's length and would rather scan a table than look its entries up;
    CROSS JOIN keeps the list first.
    """
    embedded = text
    for name in map(re.escape, _LISTS):
        embedded = re.sub(rf"{name}(\s+)JOIN", r"json_each(?) AS j\1CROSS JOIN", embedded)
        embedded = re.sub(name, "json_each(?) AS j", embedded)
    return Sql(embedded, _numbered(text if postgresql is None else postgresql))


def run(connection: Connection, statement: Sql, *parameters: Any) -> CursorResult[*tuple[Any, ...]]:
    """Run a statement once."""
    return connection.exec_driver_sql(_worded(connection, statement), parameters)


def run_many(connection: Connection, statement: Sql, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run a statement for each row."""
    if rows:
        connection.exec_driver_sql(_worded(connection, statement), list(rows))


def listed(values: Iterable[str] | Iterable[int]) -> str:
    """A list as one parameter."""
    return msgspec.json.encode(list(values)).decode()


def storable(text: str) -> str:
    """Text that both databases take: PostgreSQL has no NUL."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}") if "\x00" in text else text


def _worded(connection: Connection, statement: Sql) -> str:
    return statement.postgresql if connection.dialect.name == "postgresql" else statement.sqlite


def _numbered(text: str) -> str:
    for name, table in _LISTS.items():
        text = text.replace(name, table)
    places = iter(range(1, text.count("?") + 1))
    return _PARAMETER.sub(lambda _: f"${next(places)}", text)
