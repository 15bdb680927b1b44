"""What subscribers chose: channels for each workflow or for everything, and when they may be disturbed.

A choice holds in every context, or, with a scope, in exactly its contexts; there it goes over the other.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.context import NO_SCOPE
from clarion.model.preference import EVERYTHING
from clarion.store.dialect import listed, run, sql


class Preference(msgspec.Struct, frozen=True):
    """One choice as kept; `workflow_id` is `EVERYTHING` where it holds for all."""

    workflow_id: str
    channels: dict[str, bool]
    schedule: dict[str, Any] | None
    updated_at: Millis

    def over(self, below: "Preference") -> "Preference":
        """This choice, with what it doesn't say as the one below it has it."""
        return Preference(
            self.workflow_id,
            below.channels | self.channels,
            below.schedule if self.schedule is None else self.schedule,
            max(self.updated_at, below.updated_at),
        )


def of(connection: Connection, subscriber_pk: int, scope: str = NO_SCOPE) -> dict[str, Preference]:
    """All choices of a subscriber as they stand in a scope, by workflow id."""
    found = _read(run(connection, _OF, subscriber_pk))
    own = _read(run(connection, _OF_SCOPE, subscriber_pk, scope)) if scope else {}
    return found | {name: one.over(found[name]) if name in found else one for name, one in own.items()}


class Wishes(NamedTuple):
    """What a subscriber chose: channels, by workflow and for everything, and when they may be disturbed."""

    channels: dict[str, dict[str, bool]] = {}
    schedule: dict[str, Any] | None = None

    def over(self, below: "Wishes") -> "Wishes":
        """These wishes, with what they don't say as the ones below them have it."""
        channels = {name: below.channels.get(name, {}) | own for name, own in self.channels.items()}
        schedule = below.schedule if self.schedule is None else self.schedule
        return Wishes(below.channels | channels, schedule)


class Chosen(NamedTuple):
    """The wishes of subscribers: those that hold everywhere, and those of scopes."""

    everywhere: Mapping[int, Wishes] = {}
    scoped: Mapping[tuple[int, str], Wishes] = {}

    def of(self, subscriber_pk: int, scope: str) -> Wishes | None:
        """What a subscriber chose as it stands in a scope; None when they chose nothing."""
        found, own = self.everywhere.get(subscriber_pk), self.scoped.get((subscriber_pk, scope))
        return own.over(found) if own and found else own or found


def wishes(
    connection: Connection,
    subscriber_pks: Iterable[int],
    workflow_ids: Iterable[str],
    scopes: Iterable[str] = (),
) -> Chosen:
    """What subscribers chose for workflows and for everything; who chose nothing is left out."""
    people, names = listed(subscriber_pks), listed([EVERYTHING, *workflow_ids])
    everywhere: dict[int, Wishes] = {}
    for pk, *choice in run(connection, _CHOSEN, people, names):
        everywhere[pk] = _wish(*choice).over(everywhere.get(pk, Wishes()))
    scoped: dict[tuple[int, str], Wishes] = {}
    wanted = [scope for scope in scopes if scope]
    for pk, scope, *choice in run(connection, _CHOSEN_IN, people, listed(wanted), names) if wanted else ():
        scoped[pk, scope] = _wish(*choice).over(scoped.get((pk, scope), Wishes()))
    return Chosen(everywhere, scoped)


def choose(
    connection: Connection,
    subscriber_pk: int,
    workflow_id: str,
    channels: Mapping[str, bool],
    now: Millis,
    scope: str = NO_SCOPE,
) -> None:
    """Set channels; those not given stay as they were chosen."""
    given = msgspec.json.encode(channels).decode()
    place = _place(subscriber_pk, scope, workflow_id)
    run(connection, _CHOOSE_IN if scope else _CHOOSE, *place, given, now)


def set_schedule(
    connection: Connection,
    subscriber_pk: int,
    schedule: Mapping[str, Any],
    now: Millis,
    scope: str = NO_SCOPE,
) -> None:
    """Say when a subscriber may be disturbed."""
    given = msgspec.json.encode(schedule).decode()
    place = _place(subscriber_pk, scope, EVERYTHING)
    run(connection, _SET_SCHEDULE_IN if scope else _SET_SCHEDULE, *place, given, now)


def forget_workflow(connection: Connection, workflow_id: str) -> None:
    """Drop the choices for a workflow that goes."""
    run(connection, _FORGET, workflow_id)
    run(connection, _FORGET_IN, workflow_id)


def _wish(workflow_id: str, channels: str, schedule: str | None) -> Wishes:
    return Wishes({workflow_id: _decoded(channels)}, _shared_schedule(schedule))


def _read(rows: Iterable[Any]) -> dict[str, Preference]:
    return {row[0]: Preference(row[0], _decoded(row[1]), _schedule(row[2]), row[3]) for row in rows}


def _decoded(channels: str) -> dict[str, bool]:
    return msgspec.json.decode(channels, type=dict[str, bool])


def _schedule(stored: str | None) -> dict[str, Any] | None:
    return None if stored is None else msgspec.json.decode(stored, type=dict[str, Any])


_shared_schedule = lru_cache(4096)(_schedule)
"""Many have the same hours, which are then one object, only to be read."""


def _place(subscriber_pk: int, scope: str, workflow_id: str) -> tuple[int | str, ...]:
    return (subscriber_pk, scope, workflow_id) if scope else (subscriber_pk, workflow_id)


def _keyed(text: str, *columns: str, merged: str = "") -> str:
    """A statement on the table whose key the columns are."""
    table = "scoped_preferences" if "scope" in columns else "preferences"
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    return text.format(table=table, key=names, marks=marks, merged=merged.format(table=table))


_KEY = ("subscriber_pk", "workflow_id")
_SCOPED_KEY = ("subscriber_pk", "scope", "workflow_id")
_MERGED = "json_patch({table}.channels, excluded.channels)"
_MERGED_ON_POSTGRESQL = "CAST(CAST({table}.channels AS jsonb) || CAST(excluded.channels AS jsonb) AS text)"

# Lays channels over those that are there.
_CHOOSING = """
INSERT INTO {table} ({key}, channels, updated_at) VALUES ({marks}, ?, ?)
ON CONFLICT ({key}) DO UPDATE SET channels = {merged}, updated_at = excluded.updated_at
"""
_SCHEDULING = """
INSERT INTO {table} ({key}, channels, schedule, updated_at) VALUES ({marks}, '{{}}', ?, ?)
ON CONFLICT ({key}) DO UPDATE SET schedule = excluded.schedule, updated_at = excluded.updated_at
"""

_OF = sql("SELECT workflow_id, channels, schedule, updated_at FROM preferences WHERE subscriber_pk = ?")
_OF_SCOPE = sql("""
SELECT workflow_id, channels, schedule, updated_at FROM scoped_preferences
WHERE subscriber_pk = ? AND scope = ?
""")
_CHOSEN = sql("""
SELECT subscriber_pk, workflow_id, channels, schedule FROM preferences
WHERE subscriber_pk IN (SELECT j.value FROM {numbers}) AND workflow_id IN (SELECT j.value FROM {texts})
""")
_CHOSEN_IN = sql("""
SELECT subscriber_pk, scope, workflow_id, channels, schedule FROM scoped_preferences
WHERE subscriber_pk IN (SELECT j.value FROM {numbers}) AND scope IN (SELECT j.value FROM {texts})
AND workflow_id IN (SELECT j.value FROM {texts})
""")
_CHOOSE, _CHOOSE_IN = (
    sql(
        _keyed(_CHOOSING, *key, merged=_MERGED),
        postgresql=_keyed(_CHOOSING, *key, merged=_MERGED_ON_POSTGRESQL),
    )
    for key in (_KEY, _SCOPED_KEY)
)
_SET_SCHEDULE, _SET_SCHEDULE_IN = (sql(_keyed(_SCHEDULING, *key)) for key in (_KEY, _SCOPED_KEY))
_FORGET = sql("DELETE FROM preferences WHERE workflow_id = ?")
_FORGET_IN = sql("DELETE FROM scoped_preferences WHERE workflow_id = ?")
