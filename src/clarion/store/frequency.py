"""Frequency caps of environments, and the pushes that count towards them."""

from collections.abc import Collection, Iterable, Sequence
from zlib import crc32

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.check.frequency import Cap, Use
from clarion.model.clock import Millis
from clarion.store.dialect import listed, run, run_many, sql
from clarion.store.tables import frequency_policies

_LOCKS = 16
"""Of an environment. A lock holds some of its subscribers: fewer would wait for each other more, more would
not all fit where a database keeps its locks."""


def policies(connection: Connection) -> dict[str, list[Cap]]:
    """The caps of each environment that has some."""
    rows = connection.execute(sa.select(frequency_policies.c.environment_id, frequency_policies.c.caps))
    return {environment_id: msgspec.convert(caps, list[Cap]) for environment_id, caps in rows}


def set_policy(connection: Connection, environment_id: str, caps: Sequence[Cap], now: Millis) -> None:
    """Put these caps in place of those of an environment."""
    entry = frequency_policies.c.environment_id == environment_id
    connection.execute(frequency_policies.delete().where(entry))
    if caps:
        row = {"environment_id": environment_id, "caps": msgspec.to_builtins(list(caps)), "updated_at": now}
        connection.execute(frequency_policies.insert().values(row))


def lock(connection: Connection, environment_id: str, subscriber_pks: Iterable[int]) -> None:
    """Let nobody else decide on these subscribers until the transaction ends, in one order for all."""
    buckets = sorted({pk % _LOCKS for pk in subscriber_pks})
    run(connection, _LOCK, crc32(environment_id.encode()) - (1 << 31), listed(buckets))


def uses(connection: Connection, subscriber_pks: Collection[int], since: Millis) -> list[Use]:
    """What was pushed to subscribers since then, and what is put off until later."""
    return [Use(*row) for row in run(connection, _USES, listed(subscriber_pks), since)]


def spend(connection: Connection, used: Sequence[Use], forgotten: Millis) -> None:
    """Count pushes, and forget those of the same subscribers that count no more."""
    run_many(connection, _SPEND, list(used))
    run(connection, _FORGET, listed({use.subscriber_pk for use in used}), forgotten)


# SQLite has one writer, so that whoever decides there is alone.
_LOCK = sql(
    "SELECT ?, ?",
    postgresql="SELECT pg_advisory_xact_lock(CAST(? AS int), CAST(j.value AS int)) FROM {numbers}",
)

# What counts for a chunk of recipients.
_USES = sql("""
SELECT u.subscriber_pk, u.device_id, u.notification_id, u.step_id, u.at
FROM {numbers} JOIN frequency_uses u ON u.subscriber_pk = j.value AND u.at > ?
""")

_SPEND = sql("""
INSERT INTO frequency_uses (subscriber_pk, device_id, notification_id, step_id, at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (subscriber_pk, notification_id, step_id, device_id) DO NOTHING
""")
_FORGET = sql("""
DELETE FROM frequency_uses WHERE subscriber_pk IN (SELECT j.value FROM {numbers}) AND at <= ?
""")
