"""Runs of workflows that take time, and what counts for their throttles and digests."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.outcome import MessageStatus
from clarion.model.run import OPEN, Run, RunState, StepResult
from clarion.model.trace import Detail
from clarion.model.trigger import Trigger
from clarion.store.dialect import Sql, listed, run, run_many, sql, storable

MOST_EVENTS = 1000
"""Events of a digest that templates are given, the first ones; all are counted."""


class Kept(NamedTuple):
    """A run with what its notification says so far."""

    run: Run
    details: list[Detail]


class Written(NamedTuple):
    """A run after a turn: `planned` messages more, and the lines that its notification now has."""

    run: Run
    planned: int
    details: Sequence[Detail]


class Tally(NamedTuple):
    """What became of the messages of one step of a notification."""

    delivered: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def settled(self) -> int:
        """Those with a final outcome."""
        return self.delivered + self.failed + self.cancelled


def begin(connection: Connection, runs: Sequence[Run], *, bulk: bool) -> None:
    """Write runs that begin; one that is there already stays."""
    rows = [
        (
            item.environment_id,
            item.id,
            item.trigger_id,
            item.subscriber_pk,
            item.state,
            bulk,
            item.created_at,
            place,
        )
        for place, item in enumerate(runs)
    ]
    run_many(connection, _BEGIN, rows)


def belonging(connection: Connection, environment_id: str, ids: Iterable[str]) -> list[tuple[int, str]]:
    """The subscriber, by row, and the trigger of each of these runs."""
    return [(row[0], row[1]) for row in run(connection, _BELONGING, listed(ids), environment_id)]


def held(connection: Connection, environment_id: str, ids: Iterable[str]) -> list[Kept]:
    """Runs as they are, by their ids; nobody else changes them until the transaction ends."""
    return _read_of(connection, _HELD, environment_id, listed(ids))


def looked_at(connection: Connection, environment_id: str, ids: Iterable[str]) -> list[Kept]:
    """Runs as they are, which others may change."""
    return _read_of(connection, _LOOKED_AT, environment_id, listed(ids))


def of_notifications(connection: Connection, names: Sequence[tuple[str, str]]) -> dict[str, Kept]:
    """The runs of notifications, each named by its environment and its id, with what these say so far: both
    as of one moment."""
    by_environment: dict[str, list[str]] = {}
    for environment_id, identity in names:
        by_environment.setdefault(environment_id, []).append(identity)
    found: dict[str, Kept] = {}
    for environment_id, ids in by_environment.items():
        found |= {kept.run.id: kept for kept in looked_at(connection, environment_id, ids)}
    return found


def write(connection: Connection, written: Sequence[Written]) -> None:
    """Write runs after a turn, and what that adds to their notifications."""
    run_many(connection, _WRITE, [_changed(item.run) for item in written])
    grown = [
        (
            item.planned,
            storable(msgspec.json.encode(list(item.details)).decode()),
            item.run.environment_id,
            item.run.id,
        )
        for item in written
    ]
    run_many(connection, _GROW, grown)


def digesting(connection: Connection, environment_id: str, digest_key: str) -> str | None:
    """The run into which others of a key are merged."""
    found: str | None = run(connection, _DIGESTING, environment_id, digest_key).scalar()
    return found


def merged_into(connection: Connection, environment_id: str, main: str) -> list[str]:
    """The runs that were merged into one."""
    return list(run(connection, _MERGED, environment_id, main).scalars())


def hand_over(connection: Connection, environment_id: str, old: str, new: str) -> None:
    """Let what was merged into one run be merged into another."""
    run(connection, _HAND_OVER, new, environment_id, old)


def events(connection: Connection, environment_id: str, main: str) -> list[Trigger]:
    """The triggers of a digest's first events, its own among them, in their order."""
    bodies = run(connection, _EVENTS, environment_id, main, main, MOST_EVENTS).scalars()
    return [msgspec.msgpack.decode(body, type=Trigger) for body in bodies]


def tallies(connection: Connection, environment_id: str, ids: Iterable[str]) -> dict[tuple[str, str], Tally]:
    """What became of the messages of notifications, by notification and step."""
    counted: dict[tuple[str, str], dict[str, int]] = {}
    for notification_id, step_id, status, count in run(connection, _TALLIES, environment_id, listed(ids)):
        counted.setdefault((notification_id, step_id), {})[status] = count
    return {
        place: Tally(
            found.get(MessageStatus.DELIVERED, 0),
            found.get(MessageStatus.FAILED, 0),
            found.get(MessageStatus.CANCELLED, 0),
        )
        for place, found in counted.items()
    }


def uses(connection: Connection, subscriber_pk: int, key: str, since: Millis, but: str) -> int:
    """How many of a subscriber's runs but one passed a step under a key since then."""
    found: int = run(connection, _USES, subscriber_pk, key, since, but).scalar_one()
    return found


def use(connection: Connection, subscriber_pk: int, key: str, run_id: str, at: Millis, since: Millis) -> None:
    """Note that a run passed a step under a key, and forget what counts no more."""
    run(connection, _FORGET, subscriber_pk, key, since)
    run(connection, _USE, subscriber_pk, key, run_id, at)


def of_trigger(connection: Connection, recall_of: tuple[str, str], after: str, most: int) -> list[str]:
    """Runs of a trigger (environment, id) that may still do something, behind one."""
    environment_id, trigger_id = recall_of
    return list(run(connection, _OF_TRIGGER, environment_id, trigger_id, after, most).scalars())


def _read_of(connection: Connection, statement: Sql, environment_id: str, ids: str) -> list[Kept]:
    rows = run(connection, statement, ids, environment_id, ids)
    return [Kept(_read(row[:-1]), msgspec.json.decode(row[-1], type=list[Detail])) for row in rows]


def _read(row: Sequence[Any]) -> Run:
    found = dict(zip(_FIELDS, row, strict=True))
    found["state"] = RunState(found["state"])
    found["results"] = msgspec.json.decode(found["results"], type=dict[str, StepResult])
    found["bulk"] = bool(found["bulk"])
    return Run(**found)


def _changed(item: Run) -> tuple[object, ...]:
    results = storable(msgspec.json.encode(item.results).decode())
    place = (item.turn, item.state.value, item.state in OPEN, item.step_id, item.position, item.extensions)
    waits = (item.wake_at, item.digest_key, item.merged_into, results)
    return (*place, *waits, item.environment_id, item.id)


_FIELDS = Run.__struct_fields__
_COLUMNS = ", ".join(f"r.{name}" for name in _FIELDS)

_IN_ORDER = "substr(r.id, 1, 12), r.created_at, r.place, r.id"
"""The order in which triggers were accepted: by the time that ids begin with, then as they came together."""

_BEGIN = sql("""
INSERT INTO runs (environment_id, id, trigger_id, subscriber_pk, turn, state, open, step_id, position,
  extensions, results, bulk, created_at, place)
VALUES (?, ?, ?, ?, 0, ?, TRUE, '', 0, 0, '{}', ?, ?, ?) ON CONFLICT (environment_id, id) DO NOTHING
""")
_BELONGING = sql("""
SELECT r.subscriber_pk, r.trigger_id FROM {texts} JOIN runs r ON r.environment_id = ? AND r.id = j.value
""")

# Reads runs with their notifications' lines; on PostgreSQL they are locked, in one order for all.
_SELECT = f"""
SELECT {_COLUMNS}, n.details FROM runs r
JOIN notifications n ON n.environment_id = r.environment_id AND n.id = r.id AND {{n.id in texts}}
WHERE r.environment_id = ? AND {{r.id in texts}}
ORDER BY r.id
"""  # noqa: S608
_LOOKED_AT = sql(_SELECT)
_HELD = sql(_SELECT, postgresql=_SELECT + "FOR UPDATE OF r")
_WRITE = sql("""
UPDATE runs SET turn = ?, state = ?, open = ?, step_id = ?, position = ?, extensions = ?, wake_at = ?,
  digest_key = ?, merged_into = ?, results = ?
WHERE environment_id = ? AND id = ?
""")
_GROW = sql("""
UPDATE notifications SET planned = planned + ?, details = ? WHERE environment_id = ? AND id = ?
""")
_DIGESTING = sql("SELECT id FROM runs WHERE environment_id = ? AND digest_key = ?")
_MERGED = sql("SELECT id FROM runs WHERE environment_id = ? AND merged_into = ?")
_HAND_OVER = sql("UPDATE runs SET merged_into = ? WHERE environment_id = ? AND merged_into = ?")
_EVENTS = sql(
    "SELECT t.body FROM runs r JOIN triggers t ON t.id = r.trigger_id"  # noqa: S608
    " WHERE r.environment_id = ? AND (r.id = ? OR r.merged_into = ?)"
    f" ORDER BY {_IN_ORDER} LIMIT ?"
)
_TALLIES = sql("""
SELECT m.notification_id, m.step_id, m.status, COUNT(*) FROM messages m
WHERE m.environment_id = ? AND {m.notification_id in texts} AND m.status <> 'pending'
GROUP BY m.notification_id, m.step_id, m.status
""")
_USES = sql("""
SELECT COUNT(*) FROM step_uses WHERE subscriber_pk = ? AND use_key = ? AND at > ? AND run_id <> ?
""")
_FORGET = sql("DELETE FROM step_uses WHERE subscriber_pk = ? AND use_key = ? AND at <= ?")
_USE = sql("""
INSERT INTO step_uses (subscriber_pk, use_key, run_id, at) VALUES (?, ?, ?, ?)
ON CONFLICT (subscriber_pk, use_key, run_id) DO NOTHING
""")
_OF_TRIGGER = sql("""
SELECT r.id FROM runs r
LEFT JOIN runs main ON main.environment_id = r.environment_id AND main.id = r.merged_into
WHERE r.environment_id = ? AND r.trigger_id = ? AND r.id > ?
  AND (r.open OR (main.id IS NOT NULL AND main.digest_key IS NOT NULL))
ORDER BY r.id LIMIT ?
""")
