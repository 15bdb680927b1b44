"""How long steps wait and look back: amounts and units, times of day, cron expressions, values of the
payload. Pure.

Zones are the recipient's; what their clock skips or shows twice is settled as for schedules.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cronsim import CronSim, CronSimError

from clarion.check.keys import looked_up
from clarion.errors import ClarionError
from clarion.model.clock import DAY, HOUR, MINUTE, SECOND, Millis
from clarion.model.schedule import clock_time, first_showing, zone_of

LONGEST: Millis = 180 * DAY
"""A step waits no longer."""

WEEK: Millis = 7 * DAY
UNITS: Mapping[str, Millis] = {
    "seconds": SECOND,
    "minutes": MINUTE,
    "hours": HOUR,
    "days": DAY,
    "weeks": WEEK,
    "months": 30 * DAY,
}
"""A month is 30 days."""

WINDOW_UNITS = ("minutes", "hours", "days")
"""Of a throttle; the contract has no others."""

REGULAR, TIMED, FIXED, DYNAMIC = "regular", "timed", "fixed", "dynamic"


class NoTime(ClarionError):
    """Controls that name no moment, or none that a step may wait for. `past`: it is over; `far`: too late."""

    def __init__(self, message: str, *, past: bool = False, far: bool = False) -> None:
        super().__init__(message)
        self.past = past
        self.far = far


def duration(amount: Any, unit: Any) -> Millis:
    """So many of a unit; `NoTime` unless that is from 1 to 180 days."""
    if isinstance(amount, str) and amount.strip().isdecimal() and len(amount) < 12:
        amount = int(amount)
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not math.isfinite(amount):
        raise NoTime("amount must be a number, at least 1")
    if amount < 1:
        raise NoTime("amount must be at least 1")
    if unit not in UNITS:
        raise NoTime(f"unit must be one of: {', '.join(UNITS)}")
    return _bounded(round(amount * UNITS[unit]))


def wait(controls: Mapping[str, Any], seen: Mapping[str, Any], zone: str | None, now: Millis) -> Millis:
    """When a wait ends that begins now: after an amount, at a cron expression's or a clock's next time in the
    zone, or when a value of `seen` says. `NoTime` when that can't be told, is over or too far away."""
    kind = controls.get("type") or REGULAR
    if kind == DYNAMIC:
        return _named(controls.get("dynamicKey"), seen, now)
    if kind == TIMED:
        if controls.get("cron"):
            return now + _bounded(next_cron(controls["cron"], zone, now) - now)
        return next_time_of_day(controls.get("time"), zone, now)
    return now + duration(controls.get("amount"), controls.get("unit"))


def window(controls: Mapping[str, Any], seen: Mapping[str, Any], now: Millis) -> Millis:
    """How long the window of a throttle is."""
    if (controls.get("type") or FIXED) == DYNAMIC:
        return _named(controls.get("dynamicKey"), seen, now) - now
    if controls.get("unit") not in WINDOW_UNITS:
        raise NoTime(f"unit must be one of: {', '.join(WINDOW_UNITS)}")
    return duration(controls.get("amount"), controls.get("unit"))


def next_cron(expression: Any, zone: str | None, now: Millis) -> Millis:
    """The next time of a cron expression (five fields, or six with seconds) in a zone."""
    check_cron(expression)
    begin = datetime.fromtimestamp(now / SECOND, zone_of(zone))
    try:
        found: datetime = next(CronSim(expression, begin))
    except StopIteration:
        raise NoTime(f"cron {expression} has no next time", far=True) from None
    return round(found.timestamp() * SECOND)


def check_cron(expression: Any) -> None:
    """`NoTime` when it is no cron expression."""
    if not isinstance(expression, str):
        raise NoTime("cron must be a cron expression, such as 0 9 * * *")
    try:
        CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise NoTime(f"cron is no cron expression: {error}; write one such as 0 9 * * *") from error


def next_time_of_day(text: Any, zone: str | None, now: Millis) -> Millis:
    """When a clock in the zone next shows a time such as 09:00; now counts."""
    at = clock_time(text)
    if at is None:
        raise NoTime("must be a time of day such as 09:00")
    place = zone_of(zone)
    today = datetime.fromtimestamp(now / SECOND, place).date()
    days = (today + timedelta(days=days) for days in range(3))
    return next(moment for day in days if (moment := first_showing(day, at, place)) > now - MINUTE)


def send_time(text: str, zone: str | None, now: Millis) -> Millis:
    """When something is to begin that was asked for now: an ISO date, or a time of day in the zone."""
    if clock_time(text) is not None:
        return next_time_of_day(text, zone, now)
    at = _date("sendAt", text)
    if at > now + LONGEST:
        raise NoTime(f"the time is more than {LONGEST // DAY} days away", far=True)
    return at


def _named(key: Any, seen: Mapping[str, Any], now: Millis) -> Millis:
    """The moment that a variable says: a date, or an amount and a unit."""
    value = looked_up(key, seen)
    if isinstance(value, Mapping):
        return now + duration(value.get("amount"), value.get("unit"))
    if isinstance(value, str):
        return now + _bounded(_date(key, value) - now)
    raise NoTime(f"{key} must be a date, or an object with amount and unit")


def _date(key: Any, text: str) -> Millis:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise NoTime(f"{key} must be an ISO 8601 date") from None
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * SECOND)


def _bounded(span: Millis) -> Millis:
    if span <= 0:
        raise NoTime("the time is over", past=True)
    if span > LONGEST:
        raise NoTime(f"the time is more than {LONGEST // DAY} days away", far=True)
    return span
