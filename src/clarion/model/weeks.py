"""Weeks: from Monday to Monday, in UTC."""

from datetime import UTC, datetime

from clarion.model.clock import DAY, SECOND, Millis

WEEK: Millis = 7 * DAY

_FIRST_MONDAY: Millis = 4 * DAY


def week_of(at: Millis) -> Millis:
    """When the week that a moment is in began."""
    return at - (at - _FIRST_MONDAY) % WEEK


def week_name(week: Millis) -> str:
    """The day a week began on, as a part of a name."""
    return f"{datetime.fromtimestamp(week // SECOND, UTC):%Y_%m_%d}"
