"""What a value must be: the rule of each setting, and what reads a value or raises `ValueError`."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, SecretStr

from clarion.model.locale import normal


@dataclass(frozen=True)
class Rule:
    """What a value must be, what its absence means, and whether an error may not show it."""

    must_be: str
    absent: str = ""
    hidden: bool = False


def read_whole(value: object) -> int:
    """A whole number, or one in words of digits."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    if type(value) is int:  # true and 3000.0 pass for whole numbers elsewhere
        return value
    raise ValueError


def checked_days(seconds: int) -> int:
    """No part of a day, which would be a slip; 0 stands for no end."""
    if 0 < seconds < 24 * 3600:
        raise ValueError
    return seconds


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
