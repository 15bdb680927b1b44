"""Hand-written SQL in one notation for both databases.

`?` is a parameter. `{texts}` and `{numbers}` are a table `j(value)` of a list that comes as one
parameter, made by `listed`: a batch of any size is one statement. `{rows text bigint}` are the rows of
`run_rows`, by their types.

`{m.id in texts}` looks a list up in what is partitioned on PostgreSQL: by an index, and where it is a list of
ids in the partitions of their time alone. A join may well read whole tables instead, as the planner counts in
every partition that it then leaves out.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any, NamedTuple

import msgspec
from sqlalchemy.engine import Connection, CursorResult

_PARAMETER = re.compile(r"\?|\{(\S+) in texts\}")
_ROWS = re.compile(r"\{rows ([a-z\s]+)\}")
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
    embedded = re.sub(r"\{(\S+) in texts\}", r"\1 IN (SELECT j.value FROM {texts})", text)
    embedded = _ROWS.sub(lambda rows: f"VALUES ({', '.join('?' * len(rows[1].split()))})", embedded)
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


def run_rows(connection: Connection, statement: Sql, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run a statement that is given `{rows}` for all of them. On PostgreSQL none may meet another of them."""
    if rows and connection.dialect.name == "postgresql":
        run(connection, statement, *map(list, zip(*rows, strict=True)))
    else:
        run_many(connection, statement, rows)


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
    text = _ROWS.sub(_columns, text)
    places = count(1)
    return _PARAMETER.sub(lambda found: _parameter(found[1], next(places)), text)


def _columns(rows: re.Match[str]) -> str:
    columns = ", ".join(f"CAST(? AS {kind}[])" for kind in rows[1].split())
    return f"SELECT * FROM unnest({columns})"  # noqa: S608


def _parameter(listed_in: str | None, place: int) -> str:
    if listed_in is None:
        return f"${place}"
    texts = f"json_array_elements_text(CAST(${place} AS json))"
    within = f"BETWEEN (SELECT MIN(e) FROM {texts} e) AND (SELECT MAX(e) FROM {texts} e)"  # noqa: S608
    return f"{listed_in} = ANY (ARRAY(SELECT {texts})) AND {listed_in} {within}"
