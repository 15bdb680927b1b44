"""Which JSON Schemas Clarion doesn't take: those whose check couldn't be kept to a time or a size."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import regex

MOST_BYTES = 64 * 1024
MOST_PARTS = 1000
"""Objects and arrays of a schema."""
MOST_WRITTEN_OUT = 20_000
"""Characters of all patterns, with what is repeated counted as often: `(ab{10}){10}` has 110. That is the
memory they take."""

_REFERENCES = ("$id", "id", "$ref", "$dynamicRef", "$recursiveRef")
_META = "json-schema.org"
_TOKEN = regex.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{0*(\d{1,9})[^}]*\}?|.", regex.DOTALL)
_FREE_FORM = regex.compile(r"\(\?(?:#|[^:=!<>P)]*[xV])")
"""Comments, and flags by which brackets mean something else: `written_out` would miscount."""


def refusal(schema: Mapping[str, Any]) -> str:
    """Why a schema isn't taken, empty where it is; the words go on where "the schema" ends."""
    if len(msgspec.json.encode(schema)) > MOST_BYTES:
        return f"must not be longer than {MOST_BYTES} bytes"
    parts = list(_parts(schema))
    if len(parts) > MOST_PARTS:
        return f"must not hold more than {MOST_PARTS} objects and arrays"
    objects = [part for part in parts if isinstance(part, dict)]
    return _of_a_dialect(objects) or _of_patterns(objects)


def _parts(schema: Mapping[str, Any]) -> Iterator[Any]:
    """Every object and array, the outermost first."""
    ahead: list[Any] = [schema]
    while ahead:
        part = ahead.pop()
        yield part
        inner = part.values() if isinstance(part, dict) else part
        ahead.extend(item for item in inner if isinstance(item, dict | list))


def _of_a_dialect(objects: list[dict[str, Any]]) -> str:
    """Inside of another dialect, or of the schema of schemas, `jsonschema` goes on by its own keywords."""
    if any(isinstance(part.get("$schema"), str) for part in objects[1:]):
        return "can name $schema only at its top"
    named = (part.get(name) for part in objects for name in _REFERENCES)
    if any(isinstance(name, str) and _META in name for name in named):
        return f"can't refer to {_META}"
    return ""


def _of_patterns(objects: list[dict[str, Any]]) -> str:
    patterns = [pattern for part in objects for pattern in _patterns(part)]
    if any(map(_FREE_FORM.search, patterns)):
        return "has a pattern with a comment or a flag that isn't supported"
    if sum(map(written_out, patterns)) > MOST_WRITTEN_OUT:
        return f"has patterns of more than {MOST_WRITTEN_OUT} characters, repetitions written out"
    covers = any(part.get("patternProperties") for part in objects)
    if covers and any("unevaluatedProperties" in part for part in objects):
        return "can't have unevaluatedProperties beside patternProperties: use additionalProperties"
    return ""


def _patterns(part: dict[str, Any]) -> Iterator[str]:
    if isinstance(pattern := part.get("pattern"), str):
        yield pattern
    if isinstance(named := part.get("patternProperties"), dict):
        yield from named


def written_out(pattern: str) -> int:
    """How long a pattern is with what it repeats at least so often written as often."""
    groups, last = [0], 0
    for token in _TOKEN.finditer(pattern):
        sign, times = token[0], token[1]
        if sign == "(":
            groups.append(0)
            last = 0
        elif sign == ")" and len(groups) > 1:
            last = groups.pop()
            groups[-1] += last
        elif times:
            more = last * (int(times) - 1)
            groups[-1] += max(more, 0)
            last += max(more, 0)
        else:
            last = 1
            groups[-1] += 1
    return sum(groups)
