"""When a subscriber may be disturbed: hours of each weekday, in a time zone. Pure."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from clarion.model.clock import MINUTE, SECOND, Millis

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):[0-5]\d")
_LOOKED_AHEAD = 8
"""Days; beyond a week everything comes again."""

Schedule = Mapping[str, Any]
"""ScheduleDto: `isEnabled`, and `weeklySchedule` with `isEnabled` and `hours` of each day."""


def opening(schedule: Schedule, zone: str | None, now: Millis) -> Millis | None:
    """The first moment from `now` on at which the subscriber may be disturbed, None when that never comes.

    `zone` is an IANA name; without one, or with one that isn't known, hours are UTC. Both ends of a range
    are part of it, to the minute; one that ends before it starts goes on into the next day.
    """
    week = schedule.get("weeklySchedule")
    if not schedule.get("isEnabled") or not week:
        return now
    place = zone_of(zone)
    today = datetime.fromtimestamp(now / SECOND, place).date()
    for days in range(-1, _LOOKED_AHEAD):
        day = today + timedelta(days=days)
        openings = [max(start, now) for start, end in _ranges(week, day, place) if end > now]
        if openings:
            return min(openings)
    return None


@lru_cache(1024)
def zone_of(name: str | None) -> tzinfo:
    """The zone of that name, UTC where there is none."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def _ranges(week: Mapping[str, Any], day: date, zone: tzinfo) -> Iterator[tuple[Millis, Millis]]:
    """The open ranges that begin on a day; each ends where the next minute begins."""
    own = week.get(_DAYS[day.weekday()]) or {}
    for hours in (own.get("hours") or ()) if own.get("isEnabled") else ():
        yield _range(day, hours["start"], hours["end"], zone)


@lru_cache(4096)
def _range(day: date, start_text: str, end_text: str, zone: tzinfo) -> tuple[Millis, Millis]:
    """Many have the same hours; of a time that comes twice, when the clocks go back, a range has both."""
    start, end = _time(start_text), _time(end_text)
    until = day if end >= start else day + timedelta(days=1)
    return first_showing(day, start, zone), _end(until, end, zone)


def first_showing(day: date, at: time, zone: tzinfo) -> Millis:
    """When a clock in the zone first shows the time; where it skips it, when it has skipped it."""
    wall = datetime.combine(day, at, zone)
    return _skipped(wall) or _millis(wall)


def _end(day: date, at: time, zone: tzinfo) -> Millis:
    """When a clock in the zone stops showing the time for good; where it skips it, when it skips it."""
    wall = datetime.combine(day, at, zone).replace(fold=1)
    return _skipped(wall) or _millis(wall) + MINUTE


def _skipped(wall: datetime) -> Millis | None:
    """The moment at which the clock jumps over a time that doesn't exist, None for one that does."""
    earlier, later = _millis(wall.replace(fold=1)), _millis(wall.replace(fold=0))
    if earlier >= later:
        return None
    before = datetime.fromtimestamp(earlier / SECOND, wall.tzinfo).utcoffset()
    minutes = range(earlier, later + MINUTE, MINUTE)
    place = bisect_left(
        minutes, True, key=lambda at: datetime.fromtimestamp(at / SECOND, wall.tzinfo).utcoffset() != before
    )
    return minutes[place]


def _millis(wall: datetime) -> Millis:
    return round(wall.timestamp() * SECOND)


def clock_time(text: object) -> time | None:
    """`21:30` on the clock; None for anything else."""
    if not isinstance(text, str) or not _CLOCK.fullmatch(text):
        return None
    hours, minutes = text.split(":")
    return time(int(hours), int(minutes))


@lru_cache(2048)
def _time(text: str) -> time:
    """`09:30 PM` on the clock."""
    return datetime.strptime(text, "%I:%M %p").time()  # noqa: DTZ007
