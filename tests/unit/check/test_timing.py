"""Times that steps wait for; a year of them in each zone against its clock."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.check.timing import (
    LONGEST,
    NoTime,
    duration,
    next_cron,
    next_time_of_day,
    send_time,
    wait,
    window,
)
from clarion.model.clock import DAY, HOUR, MINUTE, SECOND, Millis

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]
YEAR = st.integers(1_767_225_600_000, 1_798_761_600_000)
"""Moments of 2026."""


def at(text: str, zone: str = "UTC") -> Millis:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * SECOND)


@pytest.mark.parametrize(
    ("amount", "unit", "span"),
    [
        (1, "seconds", SECOND),
        (1.5, "minutes", 90 * SECOND),
        ("2", "hours", 2 * HOUR),
        (180, "days", LONGEST),
        (1, "weeks", 7 * DAY),
        (6, "months", 180 * DAY),
    ],
)
def test_amounts_of_units(amount: Any, unit: str, span: Millis) -> None:
    assert duration(amount, unit) == span


@pytest.mark.parametrize(
    ("amount", "unit"),
    [
        (0, "days"),
        (-1, "days"),
        (0.5, "days"),
        (181, "days"),
        (True, "days"),
        (None, "days"),
        ("x", "days"),
        (float("nan"), "days"),
        (float("inf"), "days"),
        (1, "years"),
        (1, None),
    ],
)
def test_what_is_no_span(amount: Any, unit: Any) -> None:
    with pytest.raises(NoTime):
        duration(amount, unit)


@given(now=YEAR, zone=st.sampled_from(ZONES), hour=st.integers(0, 23), minute=st.sampled_from([0, 30]))
def test_a_time_of_day_is_what_a_clock_there_shows_next(
    now: Millis, zone: str, hour: int, minute: int
) -> None:
    found = next_time_of_day(f"{hour:02}:{minute:02}", zone, now)
    assert now - MINUTE < found <= now + 25 * HOUR
    wall = datetime.fromtimestamp(found / SECOND, ZoneInfo(zone))
    if (wall.hour, wall.minute) != (hour, minute):  # skipped by the clock: it jumps there
        before = datetime.fromtimestamp((found - SECOND) / SECOND, ZoneInfo(zone))
        assert wall.utcoffset() != before.utcoffset()


@given(now=YEAR, zone=st.sampled_from(ZONES))
def test_a_cron_expression_runs_by_the_clock_of_the_zone(now: Millis, zone: str) -> None:
    found = next_cron("30 9 * * 1-5", zone, now)
    wall = datetime.fromtimestamp(found / SECOND, ZoneInfo(zone))
    assert (wall.hour, wall.minute, wall.second) == (9, 30, 0)
    assert wall.weekday() < 5
    assert now < found <= now + 4 * DAY


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        # The clock is put forward from 02:00 to 03:00.
        ("Europe/Berlin", "2026-03-29T01:00", "2026-03-29T03:00"),
        # It is put back from 03:00 to 02:00: the first 02:30 counts.
        ("Europe/Berlin", "2026-10-25T01:00", "2026-10-25T02:30"),
    ],
)
def test_where_the_clock_jumps(zone: str, now: str, expected: str) -> None:
    assert next_time_of_day("02:30", zone, at(now, zone)) == at(expected, zone)


def test_now_is_the_time_of_day_that_it_is() -> None:
    now = at("2026-05-05T09:00:30")
    assert next_time_of_day("09:00", "UTC", now) == now - 30 * SECOND


@pytest.mark.parametrize("text", ["24:00", "9", "09:60", "", None, 9, "09:00:00", "9 AM"])
def test_what_is_no_time_of_day(text: Any) -> None:
    with pytest.raises(NoTime):
        next_time_of_day(text, "UTC", 0)


@pytest.mark.parametrize("text", ["", "x", "* * *", "99 * * * *", None, 5])
def test_what_is_no_cron_expression(text: Any) -> None:
    with pytest.raises(NoTime):
        next_cron(text, "UTC", 0)


def test_a_cron_expression_may_be_too_far_away_or_never() -> None:
    with pytest.raises(NoTime) as far:
        wait({"type": "timed", "cron": "0 0 1 1 *"}, {}, "UTC", at("2026-02-01T00:00"))
    assert far.value.far


def test_a_window_may_be_named() -> None:
    now = at("2026-05-05T09:00")
    controls = {"type": "dynamic", "dynamicKey": "payload.until"}
    assert window(controls, {"payload": {"until": "2026-05-05T10:00:00"}}, now) == HOUR
    assert window(controls, {"payload": {"until": {"amount": 2, "unit": "hours"}}}, now) == 2 * HOUR
    with pytest.raises(NoTime) as over:
        window(controls, {"payload": {"until": "2026-05-05T08:00:00Z"}}, now)
    assert over.value.past
    with pytest.raises(NoTime):
        window({"amount": 5, "unit": "seconds"}, {}, now)


def test_a_send_time_is_a_date_or_a_time_of_day() -> None:
    now = at("2026-05-05T10:00")
    assert send_time("2026-05-05T12:00:00+01:00", None, now) == at("2026-05-05T11:00")
    assert send_time("09:00", "Asia/Tokyo", now) == at("2026-05-06T00:00")
    with pytest.raises(NoTime):
        send_time((datetime.fromtimestamp(now / SECOND, UTC) + timedelta(days=181)).isoformat(), None, now)
