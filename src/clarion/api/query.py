"""Query strings into types, leniently: `5.0` is 5, one value is a list of one, empty counts as absent; a list
that is there without a value is empty."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints
from urllib.parse import parse_qs

import msgspec

from clarion.api.problems import field_fault
from clarion.errors import Unprocessable
from clarion.store.dialect import storable

T = TypeVar("T", bound=msgspec.Struct)

_WHOLE_FLOAT = re.compile(r"(-?[0-9]+)\.0+")


class FailIfExists(msgspec.Struct, rename="camel", frozen=True):
    """Query of a creation."""

    fail_if_exists: bool = False


def decode_query(raw: str, kind: type[T]) -> T:
    """The query as `kind`; `Unprocessable` names the parameter that is wrong. Unknown ones are ignored."""
    given = {
        name.removesuffix("[]"): [storable(value) for value in values]
        for name, values in parse_qs(raw, keep_blank_values=True).items()
    }
    try:
        return msgspec.convert(_shaped(given, kind), kind, strict=False)
    except msgspec.ValidationError as error:
        fault = field_fault(error)
        raise Unprocessable(f"{fault.field}: {fault.message}", {fault.field: [fault.message]}) from error


def _shaped(given: Mapping[str, Sequence[str]], kind: type[msgspec.Struct]) -> dict[str, Any]:
    shaped: dict[str, Any] = {}
    for name, is_list, is_number in _parameters(kind):
        values = [_number(value) if is_number else value for value in given.get(name, ()) if value]
        if is_list and name in given:
            shaped[name] = values
        elif values:
            shaped[name] = values[-1]
    return shaped


def _number(text: str) -> str:
    match = _WHOLE_FLOAT.fullmatch(text)
    return match[1] if match else text


@cache
def _parameters(kind: type[msgspec.Struct]) -> list[tuple[str, bool, bool]]:
    """Each parameter: its name, whether it is a list, whether it is a number."""
    hints = get_type_hints(kind, include_extras=False)
    fields = msgspec.structs.fields(kind)
    return [
        (field.encode_name, _holds(hints[field.name], list), _holds(hints[field.name], int))
        for field in fields
    ]


def _holds(hint: Any, wanted: type) -> bool:
    parts = get_args(hint) if get_origin(hint) is not list else ()
    return hint is wanted or get_origin(hint) is wanted or any(_holds(part, wanted) for part in parts)
