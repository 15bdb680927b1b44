"""Liquid templates, compiled once and kept."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import takewhile
from typing import Any

from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError, TemplateNotFoundError

from clarion.compose.formats import add_filters
from clarion.compose.metering import MeteredTemplate
from clarion.errors import TemplateError

_KEPT = 4096
_MOST_LOOPS = 10_000
_MOST_BYTES = 64 * 1024
_COMPUTED = "["
"""How the analysis begins a variable whose name is computed: `[payload.which].firstName`."""


class _BoundedEnvironment(Environment):
    """A template may not loop, work or grow without end."""

    template_class = MeteredTemplate
    loop_iteration_limit = _MOST_LOOPS
    output_stream_limit = _MOST_BYTES


_environment = _BoundedEnvironment()
add_filters(_environment)


def render(source: str, variables: Mapping[str, Any]) -> str:
    """What `source` says for `variables`; unknown variables say nothing. `TemplateError` names the fault."""
    if "{" not in source:
        return source
    try:
        return _compiled(source).render(variables)
    except LiquidError as error:
        raise TemplateError(_told(error)) from error
    except Exception as error:  # filters let out whatever arithmetic, codecs and containers raise
        raise TemplateError(f"{type(error).__name__}: {error}") from error


def check(source: str) -> None:
    """`TemplateError` when `source` is no template."""
    try:
        _compiled(source)
    except LiquidError as error:
        raise TemplateError(_told(error)) from error


def paths(source: str) -> list[tuple[str, ...]]:
    """What `source` names, such as `("payload", "order", "id")`; nothing where it doesn't parse. What is
    computed or counted ends a path."""
    try:
        named = _compiled(source).analyze().globals
    except LiquidError:
        return []
    return [_words(variable.segments) for found in named.values() for variable in found]


@lru_cache(_KEPT)
def filters(source: str) -> frozenset[str]:
    """The filters that `source` uses; none where it doesn't parse."""
    if "{" not in source:
        return frozenset()
    try:
        return frozenset(_compiled(source).analyze().filters)
    except LiquidError:
        return frozenset()


def _told(error: LiquidError) -> str:
    """The fault in one line and where it is; by itself the library also draws the line of the template."""
    fault = str(error.message or type(error).__name__)
    if isinstance(error, TemplateNotFoundError):
        fault = f"there is no other template to take in: {fault!r}"
    if not error.token or error.token.start_index < 0:
        return fault
    before = error.token.source[: error.token.start_index]
    line, character = before.count("\n") + 1, len(before) - before.rfind("\n")
    return f"{fault} (line {line}, character {character})"


def _words(segments: Iterable[object]) -> tuple[str, ...]:
    return tuple(takewhile(lambda segment: isinstance(segment, str), segments))  # type: ignore[arg-type]


@lru_cache(_KEPT)
def mentions(source: str, name: str) -> bool:
    """Whether what `source` says can depend on the variable; one that doesn't parse may depend on all."""
    if "{" not in source:
        return False
    try:
        roots = _compiled(source).analyze().globals
    except LiquidError:
        return True
    return name in roots or any(root.startswith(_COMPUTED) for root in roots)


@lru_cache(_KEPT)
def _compiled(source: str) -> BoundTemplate:
    return _environment.from_string(source)
