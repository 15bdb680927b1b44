"""The keywords of JSON Schema, kept to a time.

`jsonschema` looks for patterns with `re`, which may go on for ever, and tries a schema that refers to itself
twice at every level as often as that comes to.
"""

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from time import thread_time
from typing import Any

import regex
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from clarion.errors import CheckTooLong

Faults = Iterator[ValidationError] | None
Keyword = Callable[[Any, Any, Any, Any], Faults]

UNREADABLE = (re.error, regex.error, RecursionError, OverflowError)

_KEPT = 512
_MOST_SHOWN = 200


class Allowance:
    """Time of the processor that one check may take; it is the same on a busy machine."""

    def __init__(self, seconds: float, clock: Callable[[], float] = thread_time) -> None:
        self._clock = clock
        self._ends = clock() + seconds

    def left(self) -> float:
        """Seconds that are left; `CheckTooLong` when there are none."""
        seconds = self._ends - self._clock()
        if seconds <= 0:
            raise CheckTooLong("takes too long to check by the schema: simplify the schema, or send less")
        return seconds

    def finds(self, pattern: str, text: str) -> bool:
        """Whether the pattern is somewhere in the text."""
        try:
            return compiled(pattern).search(text, timeout=self.left()) is not None
        except TimeoutError as error:
            shown = pattern[:_MOST_SHOWN]
            raise CheckTooLong(f"takes too long to match {shown!r}: simplify the pattern") from error


_ALLOWANCE: ContextVar[Allowance] = ContextVar("allowance")


@contextmanager
def within(allowance: Allowance) -> Iterator[None]:
    """What is validated inside keeps to the allowance."""
    token = _ALLOWANCE.set(allowance)
    try:
        yield
    finally:
        _ALLOWANCE.reset(token)


@lru_cache(_KEPT)
def compiled(pattern: str) -> regex.Pattern[str]:
    """A pattern, ready to look for; `UNREADABLE` when it is none.

    It has to be one for `re` too: what only `regex` knows, as patterns inside of themselves, takes memory
    without end.
    """
    re.compile(pattern)
    return regex.compile(pattern)


@lru_cache
def bounded(kind: type[Validator]) -> type[Validator]:
    """The validator of a draft, with every keyword within the allowance."""
    theirs: Mapping[str, Any] = kind.VALIDATORS
    ours = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties(theirs["additionalProperties"]),
        "uniqueItems": _unique_items,
    }
    timed = {name: _timed(keyword) for name, keyword in {**theirs, **ours}.items()}
    made: type[Validator] = extend(kind, timed)  # type: ignore[no-untyped-call]
    return made


def _timed(keyword: Keyword) -> Keyword:
    def timed(validator: Any, value: Any, instance: Any, schema: Any) -> Faults:
        _ALLOWANCE.get().left()
        return keyword(validator, value, instance, schema)

    return timed


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _ALLOWANCE.get().finds(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: Any, schema: Any
) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    for pattern, inner in patterns.items():
        for name, value in instance.items():
            if _ALLOWANCE.get().finds(pattern, name):
                yield from validator.descend(value, inner, path=name, schema_path=pattern)


def _unique_items(validator: Any, unique: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if unique and isinstance(instance, list) and len({_frozen(item) for item in instance}) < len(instance):
        yield ValidationError(f"{instance!r} has non-unique elements")


def _frozen(value: Any) -> Hashable:
    """Equal where JSON Schema says that values are: 1 is 1.0, and true is not."""
    if isinstance(value, dict):
        return frozenset((name, _frozen(inner)) for name, inner in value.items())
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return (bool, value) if isinstance(value, bool) else value


def _additional_properties(original: Keyword) -> Keyword:
    """The names that patterns cover are shown to `jsonschema` as names, so that it looks for no pattern."""

    def additional(validator: Any, value: Any, instance: Any, schema: Any) -> Faults:
        patterns = schema.get("patternProperties")
        if not patterns or not isinstance(instance, dict):
            return original(validator, value, instance, schema)
        allowance = _ALLOWANCE.get()
        covered = [name for name in instance if any(allowance.finds(pattern, name) for pattern in patterns)]
        known = {**schema.get("properties", {}), **dict.fromkeys(covered, True)}
        return original(validator, value, instance, {"properties": known})

    return additional
