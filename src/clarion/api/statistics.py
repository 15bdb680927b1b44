"""What became of pushes over time: Clarion's own call, for charts."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from clarion.api.dates import date
from clarion.api.route import Call, Route
from clarion.errors import Unprocessable
from clarion.model.clock import DAY, HOUR, MINUTE, Millis, iso
from clarion.model.member import Role
from clarion.model.outcome import MessageStatus
from clarion.store import hours
from clarion.store.catalog import Snapshot
from clarion.store.statistics import Counted, Stretch

MOST_STEPS = 200
_STEPS = {"minute": MINUTE, "hour": HOUR, "day": DAY}


class StatisticsQuery(msgspec.Struct, frozen=True):
    """The time that is counted, the last day unless it is given, and how long a step of it is."""

    after: str | None = None
    before: str | None = None
    step: Literal["minute", "hour", "day"] = "hour"


class OutcomesOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """Messages of one step of time, one integration and one workflow.

    `averageLatency` and `slowest` are milliseconds from the trigger's acceptance to the provider's yes, over
    those delivered. Without an integration it counts what is of a workflow alone: `skipped` recipients, who
    got no message, and messages that were `opened`. `deadTokens` of the failed found a token that is no more.
    """

    at: str
    integration_identifier: str | None = None
    provider_id: str | None = None
    workflow_id: str | None = None
    delivered: int = 0
    failed: int = 0
    cancelled: int = 0
    pending: int = 0
    dead_tokens: int = 0
    skipped: int = 0
    opened: int = 0
    average_latency: int | None = None
    slowest: int | None = None


class StatisticsOut(msgspec.Struct, rename="camel"):
    """Counts in the order of time; a step in which nothing happened is missing. `step` is in milliseconds."""

    after: str
    before: str
    step: int
    outcomes: list[OutcomesOut]


async def retrieve_statistics(call: Call[None, StatisticsQuery]) -> StatisticsOut:
    """What became of the pushes of an environment over time.

    Hours that are over are counted once and kept. What was still under way in one of them, or is opened
    later, is counted again from time to time: it shows up within a twelfth of the hour's age. Steps of a
    minute are counted at each call.
    """
    now = call.services.clock()
    time = _time(call.query, now)
    database = call.services.database
    await hours.bring_up(database, call.environment_id, hours.whole_hours(time, now), now)
    found = await database.read(hours.told, call.environment_id, time, now)
    return StatisticsOut(iso(time.after), iso(time.before), time.step, _rows(call.snapshot, found))


def _time(query: StatisticsQuery, now: Millis) -> Stretch:
    step = _STEPS[query.step]
    before = date(query.before, "before") or now
    after = date(query.after, "after") or before - DAY
    if not 0 < before - after <= MOST_STEPS * step:
        message = f"must lie before the end, and at most {MOST_STEPS} {query.step}s: take a longer step"
        raise Unprocessable(f"after {message}", {"after": [message]})
    return Stretch(after, before, step)


def _rows(snapshot: Snapshot, found: Iterable[Counted]) -> list[OutcomesOut]:
    rows: dict[tuple[Millis, str, str], OutcomesOut] = {}
    for one in found:
        integration = snapshot.integrations.get(one.integration_id)
        row = rows.setdefault(
            (one.at, one.integration_id, one.workflow_id),
            OutcomesOut(
                at=iso(one.at),
                integration_identifier=integration.identifier if integration else None,
                provider_id=integration.provider_id if integration else None,
                workflow_id=_workflow(snapshot, one.workflow_id),
            ),
        )
        setattr(row, one.status, one.number)
        row.dead_tokens += one.dead
        if one.status == MessageStatus.DELIVERED:
            row.average_latency, row.slowest = one.took // one.number, one.slowest
    return sorted(rows.values(), key=lambda row: row.at)


def _workflow(snapshot: Snapshot, identity: str) -> str | None:
    found = snapshot.workflows.get(identity)
    return found.workflow_id if found else None


ROUTES = (
    Route(
        "GET",
        "/v1/statistics",
        retrieve_statistics,
        "What became of pushes over time",
        "Events",
        Role.VIEWER,
        query=StatisticsQuery,
        answer=StatisticsOut,
    ),
)
