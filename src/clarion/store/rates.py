"""Token buckets that the processes of an installation share; each process borrows from them."""

from typing import NamedTuple

from sqlalchemy.engine import Connection

from clarion.model.clock import SECOND, Millis
from clarion.store.dialect import run, sql


class Borrowed(NamedTuple):
    """Tokens that were handed out, none where there are not enough; and those that are left."""

    granted: float
    left: float


def borrow(
    connection: Connection,
    environment_id: str,
    category: str,
    rate: float,
    capacity: float,
    need: float,
    want: float,
    now: Millis,
) -> Borrowed:
    """Take between `need` and `want` tokens of a bucket that fills at `rate` a second up to `capacity`."""
    run(connection, _ENSURE, environment_id, category, capacity, now)
    tokens, at = run(connection, _FOUND, environment_id, category).one()
    filled = min(tokens + max(now - at, 0) * rate / SECOND, capacity)
    granted = min(filled, max(need, want)) if filled >= need else 0.0
    run(connection, _KEEP, filled - granted, max(now, at), environment_id, category)
    return Borrowed(granted, filled - granted)


_ENSURE = sql("""
INSERT INTO rate_buckets (environment_id, category, tokens, at) VALUES (?, ?, ?, ?)
ON CONFLICT (environment_id, category) DO NOTHING
""")
_FOUND = sql(
    "SELECT tokens, at FROM rate_buckets WHERE environment_id = ? AND category = ?",
    postgresql="SELECT tokens, at FROM rate_buckets WHERE environment_id = ? AND category = ? FOR UPDATE",
)
_KEEP = sql("UPDATE rate_buckets SET tokens = ?, at = ? WHERE environment_id = ? AND category = ?")
