"""Forgets what an environment was asked to send, long after it came to its end, some at a time.

A notification goes with its messages and its run, and only once all of them came to their end, so that the
ledger of what is kept always adds up. Ids begin with the time of their trigger: each step reads the oldest
end of an index, however much there is.
"""

from typing import NamedTuple

from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.ids import earliest
from clarion.store.dialect import listed, run, sql


class Step(NamedTuple):
    """What one step did: how much it forgot, and the id to go on behind; None at the end."""

    forgotten: int
    after: str | None


def notifications(connection: Connection, environment_id: str, before: Millis, after: str, most: int) -> Step:
    """Look at some notifications of triggers accepted before, and forget those that came to their end."""
    rows = run(connection, _NOTIFICATIONS, environment_id, after, earliest(before), most).all()
    ids = listed(row[0] for row in rows if row[1] == row[2] and not row[3])
    gone = listed(row[0] for row in run(connection, _MESSAGES_OF, environment_id, ids))
    run(connection, _FORGET_REPORTS, environment_id, gone)
    run(connection, _FORGET_MESSAGES, environment_id, gone)
    run(connection, _FORGET_RUNS, environment_id, ids)
    forgotten = run(connection, _FORGET_NOTIFICATIONS, environment_id, ids).rowcount
    return Step(forgotten, rows[-1][0] if len(rows) == most else None)


def strays(connection: Connection, environment_id: str, before: Millis, most: int) -> bool:
    """Forget some old runs and reports of phones whose notifications and messages are gone; whether there may
    be more. A week of these goes without its runs, and a phone may report after that."""
    runs = run(connection, _FORGET_STRAY_RUNS, environment_id, environment_id, earliest(before), most)
    reports = run(connection, _FORGET_STRAY_REPORTS, environment_id, environment_id, earliest(before), most)
    return most in (runs.rowcount, reports.rowcount)


def triggers(connection: Connection, before: Millis, after: str, most: int) -> Step:
    """Look at some triggers that were accepted before, of all environments, and forget those that are done
    and have no notification any more. Their transactions can be named again."""
    rows = run(connection, _TRIGGERS, after, earliest(before), most).all()
    forgotten = run(connection, _FORGET_TRIGGERS, listed(row[0] for row in rows)).rowcount
    return Step(forgotten, rows[-1][0] if len(rows) == most else None)


def virtual_pushes(connection: Connection, before: Millis, most: int) -> bool:
    """Forget some of what virtual phones showed before; whether there may be more."""
    return run(connection, _FORGET_VIRTUAL, most, before).rowcount == most


def health_changes(connection: Connection, before: Millis, most: int) -> bool:
    """Forget some of when integrations degraded and recovered before; whether there may be more."""
    return run(connection, _FORGET_CHANGES, most, before).rowcount == most


# Some of the oldest, each with what it is made of, how much of that came to its end, and whether its run, or
# one whose digest it is a part of, goes on.
_NOTIFICATIONS = sql("""
SELECT n.id, n.planned, (
  SELECT COUNT(*) FROM messages m
  WHERE m.notification_id = n.id AND m.environment_id = n.environment_id AND m.status <> 'pending'),
  EXISTS (SELECT 1 FROM runs r
    LEFT JOIN runs main ON main.environment_id = r.environment_id AND main.id = r.merged_into
    WHERE r.environment_id = n.environment_id AND r.id = n.id AND (r.open OR main.open))
FROM notifications n WHERE n.environment_id = ? AND n.id > ? AND n.id < ? ORDER BY n.id LIMIT ?
""")
_MESSAGES_OF = sql("""
SELECT m.id FROM messages m WHERE m.environment_id = ? AND {m.notification_id in texts}
""")
_FORGET_REPORTS = sql("""
DELETE FROM engagements WHERE environment_id = ? AND {message_id in texts}
""")
_FORGET_MESSAGES = sql("""
DELETE FROM messages WHERE environment_id = ? AND {id in texts}
""")
_FORGET_RUNS = sql("DELETE FROM runs WHERE environment_id = ? AND id IN (SELECT j.value FROM {texts})")
_FORGET_NOTIFICATIONS = sql("""
DELETE FROM notifications WHERE environment_id = ? AND {id in texts}
""")
_FORGET_STRAY_RUNS = sql("""
DELETE FROM runs WHERE environment_id = ? AND id IN (
  SELECT r.id FROM runs r
  WHERE r.environment_id = ? AND r.id < ? AND NOT r.open AND NOT EXISTS (
    SELECT 1 FROM notifications n WHERE n.environment_id = r.environment_id AND n.id = r.id)
  ORDER BY r.id LIMIT ?)
""")
_FORGET_STRAY_REPORTS = sql("""
DELETE FROM engagements WHERE environment_id = ? AND message_id IN (
  SELECT e.message_id FROM engagements e
  WHERE e.environment_id = ? AND e.message_id < ? AND NOT EXISTS (
    SELECT 1 FROM messages m WHERE m.environment_id = e.environment_id AND m.id = e.message_id)
  ORDER BY e.message_id LIMIT ?)
""")
_TRIGGERS = sql("SELECT id FROM triggers WHERE id > ? AND id < ? ORDER BY id LIMIT ?")

# One that is not addressed yet is kept, unless it was cancelled and never will be.
_FORGET_TRIGGERS = sql("""
DELETE FROM triggers WHERE id IN (SELECT j.value FROM {texts})
  AND (expanded OR cancelled_at IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM chunks c WHERE c.trigger_id = triggers.id AND NOT c.addressed)
  AND NOT EXISTS (SELECT 1 FROM notifications n WHERE n.trigger_id = triggers.id)
""")

# Row numbers grow with time, so the oldest are the first.
_FORGET_VIRTUAL = sql("""
DELETE FROM sandbox_pushes
WHERE pk IN (SELECT pk FROM sandbox_pushes WHERE pk > 0 ORDER BY pk LIMIT ?) AND received_at < ?
""")
_FORGET_CHANGES = sql("""
DELETE FROM integration_changes
WHERE id IN (SELECT id FROM integration_changes WHERE id > 0 ORDER BY id LIMIT ?) AND at < ?
""")
