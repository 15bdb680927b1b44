from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.model.clock import MINUTE, Millis
from clarion.model.schedule import opening

WORK = [{"start": "09:00 AM", "end": "05:00 PM"}]
NIGHT = [{"start": "10:00 PM", "end": "02:00 AM"}]
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def weekly(**days: Any) -> dict[str, Any]:
    return {
        "isEnabled": True,
        "weeklySchedule": {name: {"isEnabled": True, "hours": hours} for name, hours in days.items()},
    }


def at(text: str, zone: str = "UTC") -> Millis:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


MONDAY = weekly(monday=WORK)
LATE = weekly(friday=NIGHT)


@pytest.mark.parametrize(
    ("schedule", "now", "opens"),
    [
        (MONDAY, "2026-11-23T08:59:59", "2026-11-23T09:00:00"),
        (MONDAY, "2026-11-23T09:00:00", "2026-11-23T09:00:00"),
        (MONDAY, "2026-11-23T17:00:59", "2026-11-23T17:00:59"),
        (MONDAY, "2026-11-23T17:01:00", "2026-11-30T09:00:00"),
        (MONDAY, "2026-11-25T12:00:00", "2026-11-30T09:00:00"),
        (LATE, "2026-11-28T01:59:00", "2026-11-28T01:59:00"),
        (LATE, "2026-11-27T01:59:00", "2026-11-27T22:00:00"),
        (LATE, "2026-11-28T02:01:00", "2026-12-04T22:00:00"),
    ],
)
def test_it_opens_at_the_next_hour_of_the_week(schedule: dict[str, Any], now: str, opens: str) -> None:
    assert opening(schedule, None, at(now)) == at(opens)
    assert opening(schedule, "Nowhere/At_all", at(now)) == at(opens)
    assert opening(schedule, "Asia/Tokyo", at(now, "Asia/Tokyo")) == at(opens, "Asia/Tokyo")


@pytest.mark.parametrize(
    "schedule", [{"isEnabled": False}, {"isEnabled": True}, {**MONDAY, "isEnabled": False}]
)
def test_without_hours_it_is_always_open(schedule: dict[str, Any]) -> None:
    assert opening(schedule, None, 7) == 7


def test_what_is_closed_all_week_never_opens() -> None:
    closed = {"isEnabled": True, "weeklySchedule": {"monday": {"isEnabled": False, "hours": WORK}}}
    assert opening(closed, None, at("2026-11-23T09:00:00")) is None


@pytest.mark.parametrize(
    ("hours", "now", "opens"),
    [
        # Clocks go from 02:00 to 03:00 on 29 March 2026, and from 03:00 back to 02:00 on 25 October.
        ({"start": "02:30 AM", "end": "04:00 AM"}, "2026-03-29T00:00:00+00:00", "2026-03-29T01:00:00+00:00"),
        ({"start": "01:00 AM", "end": "02:30 AM"}, "2026-03-29T00:59:00+00:00", "2026-03-29T00:59:00+00:00"),
        ({"start": "01:00 AM", "end": "02:30 AM"}, "2026-03-29T01:00:00+00:00", "2026-04-04T23:00:00+00:00"),
        ({"start": "01:00 AM", "end": "02:30 AM"}, "2026-10-25T01:30:00+00:00", "2026-10-25T01:30:00+00:00"),
        ({"start": "02:30 AM", "end": "02:40 AM"}, "2026-10-25T00:20:00+00:00", "2026-10-25T00:30:00+00:00"),
    ],
)
def test_the_hour_that_is_missing_and_the_hour_that_comes_twice(hours: Any, now: str, opens: str) -> None:
    schedule = weekly(sunday=[hours])
    expected = round(datetime.fromisoformat(opens).timestamp() * 1000)
    assert (
        opening(schedule, "Europe/Berlin", round(datetime.fromisoformat(now).timestamp() * 1000)) == expected
    )


def _clock(minutes: int) -> str:
    return (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)).strftime("%I:%M %p")


_TURNS = [
    at("2026-03-29T00:00:00"),
    at("2026-10-25T00:00:00"),
    at("2026-03-08T06:00:00"),
    at("2026-10-03T15:00:00"),
]


@given(
    st.sampled_from(ZONES),
    st.one_of(
        st.integers(at("2026-03-01T00:00:00") // MINUTE, at("2026-11-30T00:00:00") // MINUTE),
        st.builds(lambda turn, off: turn // MINUTE + off, st.sampled_from(_TURNS), st.integers(-240, 240)),
    ),
    st.dictionaries(
        st.sampled_from(WEEKDAYS), st.tuples(st.integers(0, 1439), st.integers(0, 1439)), min_size=1
    ),
)
def test_it_opens_when_a_clock_on_the_wall_says_so(
    zone: str, minute: int, days: dict[str, tuple[int, int]]
) -> None:
    """Against the wall clock of the next minutes: open at the moment given, and at none before it."""
    hours = {day: [{"start": _clock(start), "end": _clock(end)}] for day, (start, end) in days.items()}
    now = minute * MINUTE
    opens = opening(weekly(**hours), zone, now)
    assert opens is not None
    looked = range(now, min(opens, now + 180 * MINUTE), MINUTE)
    assert not any(_open_on_the_wall(days, zone, moment) for moment in looked)


def _open_on_the_wall(days: dict[str, tuple[int, int]], zone: str, moment: Millis) -> bool:
    wall = datetime.fromtimestamp(moment / 1000, ZoneInfo(zone))
    here = wall.hour * 60 + wall.minute
    start, end = days.get(WEEKDAYS[wall.weekday()], (1, 0))
    if WEEKDAYS[wall.weekday()] in days and start <= end and start <= here <= end:
        return True
    if WEEKDAYS[wall.weekday()] in days and start > end and here >= start:
        return True
    yesterday = days.get(WEEKDAYS[wall.weekday() - 1])
    return yesterday is not None and yesterday[0] > yesterday[1] and here <= yesterday[1]
