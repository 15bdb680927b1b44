"""What phones reported of the messages they got: each kind of event once, with its first time."""

from collections.abc import Iterable

from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.store.dialect import listed, run, sql


def add(
    connection: Connection,
    environment_id: str,
    message_id: str,
    integration_id: str,
    status: str,
    now: Millis,
) -> bool:
    """Note an event, which may be known; the message may be written later than its phone reports."""
    found = run(connection, _ADD, environment_id, message_id, status, integration_id, now)
    return found.rowcount > 0


def of(
    connection: Connection, environment_id: str, message_ids: Iterable[str]
) -> dict[str, dict[str, Millis]]:
    """When each kind of event of the messages was first reported, by message."""
    found: dict[str, dict[str, Millis]] = {}
    for message_id, status, at in run(connection, _OF, environment_id, listed(message_ids)):
        found.setdefault(message_id, {})[status] = at
    return found


_ADD = sql("""
INSERT INTO engagements (environment_id, message_id, status, integration_id, at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (environment_id, message_id, status) DO NOTHING
""")
_OF = sql("""
SELECT message_id, status, at FROM engagements
WHERE environment_id = ? AND {message_id in texts}
""")
