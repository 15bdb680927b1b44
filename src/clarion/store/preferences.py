"""What subscribers chose: channels for each workflow or for everything, and when they may be disturbed."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.preference import EVERYTHING
from clarion.store.dialect import listed, run, sql


class Preference(msgspec.Struct, frozen=True):
    """One choice as kept; `workflow_id` is `EVERYTHING` where it holds for all."""

    workflow_id: str
    channels: dict[str, bool]
    schedule: dict[str, Any] | None
    updated_at: Millis


def of(connection: Connection, subscriber_pk: int) -> dict[str, Preference]:
    """All choices of a subscriber, by workflow id."""
    rows = run(connection, _OF, subscriber_pk).all()
    return {row[0]: Preference(row[0], _decoded(row[1]), _schedule(row[2]), row[3]) for row in rows}


class Wishes(NamedTuple):
    """What a subscriber chose: channels, by workflow and for everything, and when they may be disturbed."""

    channels: dict[str, dict[str, bool]]
    schedule: dict[str, Any] | None


def wishes(
    connection: Connection, subscriber_pks: Iterable[int], workflow_ids: Iterable[str]
) -> dict[int, Wishes]:
    """What subscribers chose for workflows and for everything; who chose nothing is left out."""
    found: dict[int, Wishes] = {}
    names = listed([EVERYTHING, *workflow_ids])
    for pk, workflow_id, channels, schedule in run(connection, _CHOSEN, listed(subscriber_pks), names):
        known = found.get(pk) or Wishes({}, None)
        own = _schedule(schedule) if workflow_id == EVERYTHING else known.schedule
        found[pk] = Wishes(known.channels | {workflow_id: _decoded(channels)}, own)
    return found


def choose(
    connection: Connection, subscriber_pk: int, workflow_id: str, channels: Mapping[str, bool], now: Millis
) -> None:
    """Set channels; those not given stay as they were chosen."""
    given = msgspec.json.encode(channels).decode()
    run(connection, _CHOOSE, subscriber_pk, workflow_id, given, now)


def set_schedule(
    connection: Connection, subscriber_pk: int, schedule: Mapping[str, Any], now: Millis
) -> None:
    """Say when a subscriber may be disturbed."""
    given = msgspec.json.encode(schedule).decode()
    run(connection, _SET_SCHEDULE, subscriber_pk, EVERYTHING, given, now)


def forget_workflow(connection: Connection, workflow_id: str) -> None:
    """Drop the choices for a workflow that goes."""
    run(connection, _FORGET, workflow_id)


def _decoded(channels: str) -> dict[str, bool]:
    return msgspec.json.decode(channels, type=dict[str, bool])


def _schedule(stored: str | None) -> dict[str, Any] | None:
    return None if stored is None else msgspec.json.decode(stored, type=dict[str, Any])


_OF = sql("""
SELECT workflow_id, channels, schedule, updated_at FROM preferences WHERE subscriber_pk = ?
""")
_CHOSEN = sql("""
SELECT subscriber_pk, workflow_id, channels, schedule FROM preferences
WHERE subscriber_pk IN (SELECT j.value FROM {numbers}) AND workflow_id IN (SELECT j.value FROM {texts})
""")
_CHOOSE = sql(
    """
INSERT INTO preferences (subscriber_pk, workflow_id, channels, updated_at) VALUES (?, ?, ?, ?)
ON CONFLICT (subscriber_pk, workflow_id) DO UPDATE SET
  channels = json_patch(preferences.channels, excluded.channels), updated_at = excluded.updated_at
""",
    postgresql="""
INSERT INTO preferences (subscriber_pk, workflow_id, channels, updated_at) VALUES (?, ?, ?, ?)
ON CONFLICT (subscriber_pk, workflow_id) DO UPDATE SET
  channels = CAST(CAST(preferences.channels AS jsonb) || CAST(excluded.channels AS jsonb) AS text),
  updated_at = excluded.updated_at
""",
)
_SET_SCHEDULE = sql("""
INSERT INTO preferences (subscriber_pk, workflow_id, channels, schedule, updated_at) VALUES (?, ?, '{}', ?, ?)
ON CONFLICT (subscriber_pk, workflow_id) DO UPDATE SET
  schedule = excluded.schedule, updated_at = excluded.updated_at
""")
_FORGET = sql("DELETE FROM preferences WHERE workflow_id = ?")
