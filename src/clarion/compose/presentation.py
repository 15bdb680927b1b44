"""How a push looks and behaves: what its step says, with what the trigger says over it. Pure."""

from collections.abc import Callable, Iterable
from typing import Any

from clarion.errors import TemplateError
from clarion.model.push import CONTROLS, PLAIN, PRIORITIES, Json, Presentation

MOST_TTL = 28 * 24 * 3600
"""Seconds that the longest-lived provider keeps a message."""

_NUMBERS = {"badge": 2**31 - 1, "ttl": MOST_TTL}
_FLAGS = frozenset({"silent", "mutable"})
_TRUTHS = {"true": True, "false": False, "": False}


def said(*layers: Json) -> Json:
    """What the layers say of how a push looks, later ones over earlier ones."""
    whole = {name: value for layer in layers for name, value in layer.items() if name in CONTROLS}
    return {name: value for name, value in whole.items() if value is not None}


def texts(fields: Json) -> Iterable[str]:
    """Those of the values that may be templates."""
    return (value for value in fields.values() if isinstance(value, str))


def presentation(fields: Json, render: Callable[[str], str]) -> Presentation:
    """The fields with their templates rendered; `TemplateError` names the one that comes to nonsense."""
    if not fields:
        return PLAIN
    found: dict[str, Any] = {}
    for name, value in fields.items():
        rendered = render(value) if isinstance(value, str) else value
        worth = value_of(name, rendered)
        if worth is not None:
            found[CONTROLS[name]] = worth
    return Presentation(**found)


def value_of(name: str, given: Any) -> Any:
    """A field's value, None for none; `TemplateError` when it can't be one."""
    if name in _NUMBERS:
        return _number(name, given)
    if name in _FLAGS:
        return _flag(name, given)
    if not isinstance(given, str):
        raise TemplateError(f"{name} must be text")
    if name == "priority" and given and given not in PRIORITIES:
        raise TemplateError(f"priority must be one of: {', '.join(sorted(PRIORITIES))}")
    return given or None


def _number(name: str, given: Any) -> int | None:
    if isinstance(given, str):
        if not given.strip():
            return None
        given = int(given) if given.strip().isdecimal() and len(given) < 12 else given
    if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given <= _NUMBERS[name]:
        raise TemplateError(f"{name} must be a whole number from 0 to {_NUMBERS[name]}")
    return given


def _flag(name: str, given: Any) -> bool:
    worth = _TRUTHS.get(given.strip().lower()) if isinstance(given, str) else given
    if not isinstance(worth, bool):
        raise TemplateError(f"{name} must be true or false")
    return worth
