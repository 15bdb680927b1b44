"""The texts in a step's controls: templates at any depth, and the keys that name a variable. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from clarion.compose.templates import render
from clarion.model.push import Json

KEYS = ("digestKey", "throttleKey", "dynamicKey")
"""Controls that name a variable, with or without the braces of a template."""

_NO_TEMPLATES = frozenset({"skip", "responseBodySchema", *KEYS})


def texts_of(controls: Json) -> Iterator[tuple[str, str]]:
    """Every text that is a template, with the control that it stands in."""
    for name, value in controls.items():
        if name not in _NO_TEMPLATES:
            yield from ((name, text) for text in texts_in(value))


def rendered(value: Any, seen: Json) -> Any:
    """A value with every text in it rendered."""
    if isinstance(value, str):
        return render(value, seen)
    if isinstance(value, Mapping):
        return {name: rendered(inner, seen) for name, inner in value.items()}
    if isinstance(value, list):
        return [rendered(inner, seen) for inner in value]
    return value


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)
