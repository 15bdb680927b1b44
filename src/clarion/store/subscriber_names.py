"""Finds a part of a subscriber's name.

PostgreSQL has an index of trigrams for it that it chooses by itself (migration 0015). On SQLite it is the
table `subscriber_names`, kept by triggers (migration 0037), and asked only where nothing narrower is known.
"""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.store.dialect import run, sql, storable
from clarion.store.listing import capped
from clarion.store.tables import subscribers

_names = sa.table(
    "subscriber_names", sa.column("rowid", sa.BigInteger), sa.column("subscriber_names", sa.Text)
)

INDEXED: sa.ColumnElement[int] = _names.c.rowid
"""The subscriber's row number in the index, by which it is in order."""

_SHORTEST, _END = 3, "\x1f"
"""How many characters the index keeps together, and what it has behind a name's last: shorter parts are found
as the beginning of such."""


def indexing(connection: Connection, environment_id: str, part: str) -> str | None:
    """What to ask the index for, None where there is none to ask."""
    if connection.dialect.name != "sqlite":
        return None
    return f"name : ({_asked(connection, storable(part))}) AND environment : {_quoted(environment_id[-3:])}"


def _asked(connection: Connection, part: str) -> str:
    if len(part) >= _SHORTEST:
        return _quoted(part)
    beginning = run(connection, _BEGINNING, part.lower()).scalars().all()
    return " OR ".join(map(_quoted, beginning)) or _quoted(part.ljust(_SHORTEST, _END))


def indexed(question: str, environment_id: str) -> sa.ColumnElement[bool]:
    """Subscribers whom the index finds. It is read first, and the environment, whose end is all it knows,
    compared after it: the sign keeps SQLite from reading that by an index of its own."""
    environment: sa.ColumnElement[str] = sa.literal_column("+subscribers.environment_id", sa.Text)
    asked = _names.c.subscriber_names.op("MATCH", is_comparison=True)(question)
    return asked & (subscribers.c.pk == INDEXED) & (environment == environment_id)


def common(connection: Connection, question: str) -> bool:
    """Whether the index finds more than is worth sorting."""
    asked = _names.c.subscriber_names.op("MATCH", is_comparison=True)(question)
    return capped(connection, sa.select(INDEXED).where(asked))[1]


def compared(connection: Connection, part: str) -> sa.ColumnElement[bool]:
    """Subscribers with the part in their name, by comparing. Written with constants in place, as the index of
    PostgreSQL is."""
    c, nothing = subscribers.c, sa.literal_column("''", sa.Text)
    space = sa.literal_column("' '", sa.Text)
    full = sa.func.trim(
        sa.func.coalesce(c.first_name, nothing) + space + sa.func.coalesce(c.last_name, nothing)
    )
    named = c.first_name.is_not(None) | c.last_name.is_not(None)
    if connection.dialect.name == "sqlite":
        return named & (sa.func.instr(sa.func.folded(full), storable(part).lower()) > 0)
    return named & full.icontains(part, autoescape=True)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


# Which three characters that names have begin with a part: each looked up behind the one before.
_BEGINNING = sql("""
WITH RECURSIVE found(term) AS (
  SELECT (SELECT term FROM subscriber_name_terms WHERE term >= ?1 LIMIT 1)
  UNION ALL
  SELECT (SELECT term FROM subscriber_name_terms WHERE term >= found.term || char(1) LIMIT 1)
  FROM found WHERE found.term < ?1 || char(1114111))
SELECT term FROM found WHERE term < ?1 || char(1114111)
""")
