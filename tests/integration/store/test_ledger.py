"""The ledger, and that what closes the books of every test can fail."""

from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from balance import balances
from clarion.store.dialect import run, sql
from clarion.store.sqlite import SqliteDatabase
from embedded_files import put_embedded

_ENVIRONMENT = sql("""
INSERT INTO environments (id, name, type, identifier, created_at) VALUES ('e', 'Development', 'dev', 'x', 1)
""")
_TRIGGER = sql("""
INSERT INTO triggers (id, environment_id, transaction_id, workflow_id, body, expanded, accepted_at)
VALUES ('t', 'e', 'one', 'w', ?, TRUE, 1)
""")
_NOTIFICATION = sql("""
INSERT INTO notifications (id, environment_id, trigger_id, subscriber_pk, planned, details, created_at)
VALUES ('n', 'e', 't', 1, 1, ?, 1)
""")
_WAITING = sql("""
INSERT INTO journal (lane, not_before, leased_until, lease, claims, body) VALUES ('x', 0, 0, '', 0, ?)
""")


def lost(connection: Connection) -> None:
    """A message that was planned and that nothing is left of."""
    run(connection, _ENVIRONMENT)
    run(connection, _TRIGGER, b"")
    run(connection, _NOTIFICATION, b"")


async def test_a_message_that_is_gone_is_noticed_once_nothing_waits(tmp_path: Path) -> None:
    database = SqliteDatabase(put_embedded(tmp_path / "unbalanced.db"))
    await database.write(lost)
    with pytest.raises(AssertionError):
        await database.read(balances)
    await database.write(lambda connection: run(connection, _WAITING, b""))
    await database.read(balances)
    await database.close()
