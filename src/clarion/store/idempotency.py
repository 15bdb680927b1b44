"""Answers kept under the idempotency keys that callers gave, for those who ask again."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy.engine import Connection

from clarion.model.clock import MINUTE, Millis
from clarion.store.dialect import listed, run, run_many, sql

ABANDONED: Millis = 5 * MINUTE
"""After so long without an answer the process that ran the call is taken for dead."""

_MOST_SWEPT = 5000


class Answer(NamedTuple):
    """What a call was answered with."""

    status: int
    body: bytes


class Kept(NamedTuple):
    """A call that was made before: a mark of what was asked, and its answer once there is one."""

    mark: str
    answer: Answer | None


class Keyed(NamedTuple):
    """A call under a key, with the answer it gets if it is the first and that is known already."""

    key: str
    mark: str
    answer: Answer | None = None


def claim(
    connection: Connection, environment_id: str, calls: Sequence[Keyed], now: Millis, since: Millis
) -> dict[str, Kept]:
    """Begin calls, and end those that have their answer. What is there of those that were begun before, after
    `since` and not abandoned, is told by key and not touched."""
    found = _present(connection, environment_id, [call.key for call in calls], now, since)
    rows = [
        (environment_id, call.key, call.mark, *(call.answer or (None, None)), now)
        for call in calls
        if call.key not in found
    ]
    run_many(connection, _ADD, rows)
    return found


def keep(connection: Connection, environment_id: str, key: str, answer: Answer) -> None:
    """Keep the answer of a call that was begun."""
    run(connection, _KEEP, answer.status, answer.body, environment_id, key)


def release(connection: Connection, environment_id: str, key: str) -> None:
    """Forget a call that came to nothing, so that it can be made again."""
    run(connection, _RELEASE, environment_id, key)


def sweep(connection: Connection, since: Millis) -> bool:
    """Forget some of what is older than `since`; says whether there may be more."""
    return run(connection, _SWEEP, since, _MOST_SWEPT).rowcount == _MOST_SWEPT


def _present(
    connection: Connection, environment_id: str, keys: Sequence[str], now: Millis, since: Millis
) -> dict[str, Kept]:
    """What holds under the keys; what doesn't any more is dropped."""
    found: dict[str, Kept] = {}
    for key, mark, status, body, created_at in run(connection, _FIND, environment_id, listed(keys)).all():
        if created_at <= since or (status is None and created_at <= now - ABANDONED):
            release(connection, environment_id, key)
        else:
            found[key] = Kept(mark, None if status is None else Answer(status, bytes(body)))
    return found


_FIND = sql("""
SELECT idempotency_key, mark, status, body, created_at FROM idempotency
WHERE environment_id = ? AND idempotency_key IN (SELECT j.value FROM {texts})
""")
_ADD = sql("""
INSERT INTO idempotency (environment_id, idempotency_key, mark, status, body, created_at)
VALUES (?, ?, ?, ?, ?, ?)
""")
_KEEP = sql("""
UPDATE idempotency SET status = ?, body = ? WHERE environment_id = ? AND idempotency_key = ?
""")
_RELEASE = sql("DELETE FROM idempotency WHERE environment_id = ? AND idempotency_key = ?")
_SWEEP = sql("""
DELETE FROM idempotency WHERE (environment_id, idempotency_key) IN (
  SELECT environment_id, idempotency_key FROM idempotency WHERE created_at <= ? ORDER BY created_at LIMIT ?)
""")
