"""What a value must be: the rule of each setting, and what reads a value or raises `ValueError`."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler, SecretStr
from pydantic_core.core_schema import CoreSchema, no_info_after_validator_function

from clarion.model.locale import normal

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600
YEAR = 365 * DAY


@dataclass(frozen=True)
class Rule:
    """What a value must be, what its absence means, and whether an error may not show it."""

    must_be: str
    absent: str = ""
    hidden: bool = False


@dataclass(frozen=True, kw_only=True)
class Range(Rule):
    """The rule of a number, by which it is checked too. `or_none`: 0 passes as well."""

    least: int
    most: int
    or_none: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self._checked, handler(source))

    def _checked(self, value: int | None) -> int | None:
        fits = value is None or self.least <= value <= self.most or (self.or_none and value == 0)
        if not fits:
            raise ValueError
        return value


def between(least: int, most: int, absent: str = "") -> Range:
    """A whole number."""
    return Range(f"a whole number between {least} and {most}", absent, least=least, most=most)


def seconds(least: int, most: int) -> Range:
    """A length of time."""
    return Range(
        f"a whole number of seconds between {_in_words(least)} and {_in_words(most)}", least=least, most=most
    )


def seconds_or_none(least: int, most: int, none: str = "0") -> Range:
    """A length of time that 0 does without: what is between the two would be a slip."""
    return Range(
        f"a whole number of seconds from {_in_words(least)} to {_in_words(most)}, or {none}",
        least=least,
        most=most,
        or_none=True,
    )


def _in_words(time: int) -> str:
    """Seconds, and what that is where it is hard to see."""
    if time < DAY:
        return str(time)
    if time == DAY:
        return f"{time} (a day)"
    whole_years = time % YEAR == 0 and time > YEAR
    return f"{time} ({time // YEAR} years)" if whole_years else f"{time} ({time // DAY} days)"


def read_whole(value: object) -> int:
    """A whole number, or one in words of digits."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    if type(value) is int:  # true and 3000.0 pass for whole numbers elsewhere
        return value
    raise ValueError


def read_truth(value: object) -> bool:
    """`true` or `false`."""
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def lowered(value: object) -> object:
    """A text in small letters."""
    return value.lower() if isinstance(value, str) else value


def checked_locale(text: str) -> str:
    """A locale in the form that is compared."""
    found = normal(text)
    if found is None:
        raise ValueError
    return found


def checked_host(text: str) -> str:
    """An address or a host name."""
    if not re.fullmatch(r"[A-Za-z0-9._:%-]+", text):
        raise ValueError
    return text


def checked_secret(secret: SecretStr) -> SecretStr:
    """Visible ASCII, which goes through headers and files unharmed."""
    if not re.fullmatch(r"[!-~]+", secret.get_secret_value()):
        raise ValueError
    return secret


def read_rate_limits(value: object) -> dict[str, int]:
    """Calls a second by category: `trigger=100,global=30`, or a table."""
    limits = dict(_rate(entry) for entry in value.split(",") if entry) if isinstance(value, str) else value
    if not isinstance(limits, dict):
        raise ValueError
    for category, rate in limits.items():
        if category not in _CATEGORIES:
            raise ValueError(f"there is no category {category!r}, but: {', '.join(_CATEGORIES)}")
        if isinstance(rate, bool) or not isinstance(rate, int) or not 0 < rate <= _MOST_A_SECOND:
            raise ValueError(f"the limit of {category} must be a whole number from 1 to {_MOST_A_SECOND}")
    return limits


def _rate(entry: str) -> tuple[str, object]:
    category, equals, rate = entry.partition("=")
    return category.strip(), int(rate) if equals and re.fullmatch(r" *[0-9]{1,9} *", rate) else rate


_CATEGORIES = ("trigger", "configuration", "global")
_MOST_A_SECOND = 1_000_000


Whole = Annotated[int, BeforeValidator(read_whole)]
Truth = Annotated[bool, BeforeValidator(read_truth)]
Locale = Annotated[str, AfterValidator(checked_locale)]
