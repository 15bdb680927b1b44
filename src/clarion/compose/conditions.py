"""Conditions on steps: JSON Logic, as Novu's editor writes it.

https://jsonlogic.com/operations.html; the operators it has no word for (`contains`, `between`, …) are those
of the editor's export. A text such as `{{payload.limit}}` stands for the variable.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import takewhile
from typing import Any, NamedTuple

import msgspec
from datalogic_py import DataLogicError, Engine, Rule

from clarion.errors import TemplateError

MOST_OPERATIONS = 10_000
"""Of one evaluation."""

_KEPT = 1024
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}")


class Held(NamedTuple):
    """Whether a condition holds; `error` says why it couldn't be told, which counts as no."""

    holds: bool
    error: str = ""


def check(rule: object) -> None:
    """`TemplateError` when `rule` is no condition."""
    if not isinstance(rule, dict):
        raise TemplateError('must be a JSON Logic object, such as {"==": [{"var": "payload.kind"}, "news"]}')
    faults = _engine.check(_written(rule), "strict")
    if faults:
        raise TemplateError("; ".join(f"{fault['message']}" for fault in faults))


class Condition:
    """A condition, compiled."""

    def __init__(self, rule: Mapping[str, Any]) -> None:
        self._rule = _compiled(_written(rule))
        self._roots = _roots(self._rule)

    def mentions(self, name: str) -> bool:
        """Whether it can depend on the variable."""
        facts = self._rule.facts()
        return bool(facts["computed_reads"]) or any(path[:1] in ([], [name]) for path in facts["reads"])

    def names(self) -> list[tuple[str, ...]]:
        """The variables that it reads; the number of an item in a list ends a path."""
        reads = self._rule.facts()["reads"]
        return [tuple(takewhile(lambda word: isinstance(word, str), path)) for path in reads if path]

    def held(self, variables: Mapping[str, Any]) -> Held:
        """Whether it holds for `variables`."""
        try:
            result, _ = self._rule.evaluate_metered(self._read_of(variables), MOST_OPERATIONS)
        except DataLogicError as error:
            return Held(False, str(error))
        return Held(_engine.truthy(result))

    def _read_of(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """What it can look at: the engine copies all that it is given."""
        if self._roots is None:
            return dict(variables)
        return {name: variables[name] for name in self._roots if name in variables}


def _roots(rule: Rule) -> frozenset[str] | None:
    """The variables that a rule reads; None where that may be any."""
    facts = rule.facts()
    roots = [path[0] if path else None for path in facts["reads"]]
    named = frozenset(root for root in roots if isinstance(root, str))
    return None if facts["computed_reads"] or len(named) < len(set(roots)) else named


@lru_cache(_KEPT)
def _compiled(text: str) -> Rule:
    return _engine.compile(text)


def _written(rule: Mapping[str, Any]) -> str:
    return msgspec.json.encode(_resolved(rule)).decode()


def _resolved(value: Any) -> Any:
    """The rule with the templates in it as variables."""
    if isinstance(value, Mapping):
        return {key: _resolved(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item) for item in value]
    match = _VARIABLE.fullmatch(value) if isinstance(value, str) else None
    return {"var": match[1]} if match else value


def _among(holder: Any, item: Any) -> bool:
    """Whether a text or a list holds an item; nothing holds anything else."""
    if isinstance(holder, str):
        return isinstance(item, str) and item in holder
    return isinstance(holder, list) and item in holder


def _between(value: Any, low: Any, high: Any) -> bool:
    if isinstance(low, list):  # the editor writes [low, high]
        low, high = low
    kinds = {type(item) is str for item in (value, low, high)}
    return value is not None and len(kinds) == 1 and bool(low <= value <= high)


def _begins(value: Any, start: Any) -> bool:
    return isinstance(value, str) and isinstance(start, str) and value.startswith(start)


def _ends(value: Any, end: Any) -> bool:
    return isinstance(value, str) and isinstance(end, str) and value.endswith(end)


_OPERATORS: dict[str, Callable[..., bool]] = {
    "=": lambda left, right: bool(left == right),
    "contains": _among,
    "doesNotContain": lambda holder, item: not _among(holder, item),
    "startsWith": _begins,
    "beginsWith": _begins,
    "doesNotBeginWith": lambda value, start: not _begins(value, start),
    "endsWith": _ends,
    "doesNotEndWith": lambda value, end: not _ends(value, end),
    "null": lambda value, *_: value is None,
    "notNull": lambda value, *_: value is not None,
    "notIn": lambda item, holder: not _among(holder, item),
    "between": _between,
    "notBetween": lambda value, *bounds: not _between(value, *bounds),
}


def _operator(work: Callable[..., bool]) -> Callable[[str], str]:
    def operate(arguments: str) -> str:
        try:
            return "true" if work(*msgspec.json.decode(arguments)) else "false"
        except (TypeError, ValueError):  # too few or many arguments, or of kinds that don't compare
            return "false"

    return operate


_engine = Engine(custom_operators={name: _operator(work) for name, work in _OPERATORS.items()})
