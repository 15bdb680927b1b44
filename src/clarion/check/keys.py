"""Values that a step names by a key, such as what its digest gathers by. Pure."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

_BRACES = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)


def bare(key: Any) -> str:
    """A key without the braces of a template around it: `{{payload.x}}` is `payload.x`."""
    text = key.strip() if isinstance(key, str) else ""
    braced = _BRACES.fullmatch(text)
    return braced[1] if braced else text


def looked_up(key: Any, seen: Mapping[str, Any]) -> Any:
    """What a key names: `payload.x`, `{{payload.x}}`, or `x` alone for the same. None where nothing is."""
    value: Any = seen
    for name in bare(key).split("."):
        if isinstance(value, list) and name.isdecimal():
            value = value[int(name)] if int(name) < len(value) else None
        elif isinstance(value, Mapping):
            value = value.get(name)
        else:
            return None
    return value


def group_of(key: Any, seen: Mapping[str, Any]) -> str:
    """What belongs together under a key; without one everything does, and everything that lacks its value."""
    if not bare(key):
        return ""
    value = looked_up(key, seen)
    return "" if value is None else msgspec.json.encode(value, order="sorted").decode()
