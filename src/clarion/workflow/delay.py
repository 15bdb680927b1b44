"""When a delay step ends: after an amount, at a time the payload names, at a cron or a time of day."""

import calendar
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from datetime import time as TimeOfDay
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from cronsim import CronSim, CronSimError

from clarion.model.clock import DAY, HOUR, MINUTE, SECOND, Millis

LONGEST_DELAY: Millis = 180 * DAY
UNITS: dict[str, Millis] = {
    "seconds": SECOND,
    "minutes": MINUTE,
    "hours": HOUR,
    "days": DAY,
    "weeks": 7 * DAY,
}
SHORTEST_MONTH = 28 * DAY


class Refused(msgspec.Struct, frozen=True):
    """A delay that can't be kept: the step fails with this reason, and the workflow stops."""

    reason: str
    over_limit: bool = False


def delay_ends(
    controls: Mapping[str, Any], payload: Mapping[str, Any], now: Millis, zone: ZoneInfo
) -> Millis | Refused:
    """The moment a delay that starts `now` ends, for a subscriber who lives in `zone`.

    `controls` are the step's: `type` with `amount` and `unit` (regular), `cron` or `time` "HH:MM"
    (timed), or `dynamicKey` (dynamic), a path into the payload to an ISO time or an {amount, unit}.
    """
    kind = controls.get("type", "regular")
    if kind == "regular":
        ends = _after(controls, now, zone)
    elif kind == "timed":
        ends = _timed(controls, now, zone)
    elif kind == "dynamic":
        ends = _dynamic(controls.get("dynamicKey"), payload, now, zone)
    else:
        return Refused(f"Delay type {kind!r} is unknown; use regular, timed or dynamic.")
    return ends if isinstance(ends, Refused) else _within_limit(ends, now)


def _within_limit(ends: Millis, now: Millis) -> Millis | Refused:
    return _too_long() if ends - now > LONGEST_DELAY else ends


def _too_long() -> Refused:
    return Refused("The delay is longer than 180 days; choose an earlier moment.", over_limit=True)


def _after(span: Mapping[str, Any], now: Millis, zone: ZoneInfo) -> Millis | Refused:
    amount, unit = _whole(span.get("amount")), span.get("unit")
    if amount is None or amount < 1:
        return Refused(f"Delay amount must be a whole number of at least 1, not {span.get('amount')!r}.")
    if unit != "months" and (not isinstance(unit, str) or unit not in UNITS):
        return Refused(f"Delay unit must be one of {', '.join(UNITS)}, months, not {unit!r}.")
    if amount * UNITS.get(unit, SHORTEST_MONTH) > LONGEST_DELAY:
        return _too_long()
    if unit == "months":
        return _months_later(now, amount, zone)
    return now + amount * UNITS[unit]


def _whole(value: Any) -> int | None:
    """The whole number a JSON value is, 5.0 as well as 5; None for every other value."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if number and value % 1 == 0 else None


def _months_later(now: Millis, months: int, zone: ZoneInfo) -> Millis:
    """The same wall time months later, on the last day of a month too short for the date."""
    local = _local(now, zone)
    years, month = divmod(local.month - 1 + months, 12)
    year, month = local.year + years, month + 1
    day = min(local.day, calendar.monthrange(year, month)[1])
    return _millis(local.replace(year=year, month=month, day=day))


def _timed(controls: Mapping[str, Any], now: Millis, zone: ZoneInfo) -> Millis | Refused:
    if (cron := controls.get("cron")) is not None:
        return _next_of_cron(cron, now, zone)
    return _next_time_of_day(controls.get("time"), now, zone)


def _next_of_cron(cron: Any, now: Millis, zone: ZoneInfo) -> Millis | Refused:
    try:
        return _millis(next(CronSim(str(cron), _local(now, zone))))
    except (CronSimError, StopIteration):
        return Refused(f"Cron {cron!r} names no coming moment; write five fields, as 0 9 * * 1-5.")


def _next_time_of_day(text: Any, now: Millis, zone: ZoneInfo) -> Millis | Refused:
    try:
        wanted = TimeOfDay.fromisoformat(str(text))
    except ValueError:
        return Refused(f"A timed delay needs a cron or a time as 09:00, not {text!r}.")
    if wanted.tzinfo is not None:
        return Refused(f"Time {text!r} names a zone; the subscriber's own is used, write 09:00.")
    today = _local(now, zone).date()
    ends = _millis(datetime.combine(today, wanted, zone))
    if ends > now:
        return ends
    return _millis(datetime.combine(today + timedelta(days=1), wanted, zone))


def _dynamic(key: Any, payload: Mapping[str, Any], now: Millis, zone: ZoneInfo) -> Millis | Refused:
    if not isinstance(key, str):
        return Refused("A dynamic delay needs dynamicKey, the payload path it reads its end from.")
    value = _at_path(key, payload)
    if isinstance(value, Mapping):
        return _after(value, now, zone)
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
        ends = _millis(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return Refused(f"{key} must hold an ISO 8601 time or an amount and a unit.")
    return ends if ends > now else Refused(f"{key} names a time that has passed: {value}.")


def _at_path(key: str, payload: Mapping[str, Any]) -> Any:
    """What the payload holds at `payload.a.b` or `a.b`; None where the path leads nowhere."""
    found: Any = payload
    for name in key.removeprefix("payload.").split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _local(at: Millis, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at / 1000, zone)


def _millis(moment: datetime) -> Millis:
    return round(moment.timestamp() * 1000)
