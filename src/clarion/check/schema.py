"""Payload schemas of workflows: JSON Schema (2020-12 unless `$schema` says otherwise)."""

from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec
from jsonschema import FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import Draft202012Validator, validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from clarion.check.keywords import UNREADABLE, Allowance, bounded, compiled, within
from clarion.check.refusals import refusal
from clarion.errors import CheckTooLong, FieldIssue, PayloadInvalid, Unprocessable
from clarion.model.push import Json

QUICK_CHECK = 0.02
LONG_CHECK = 0.5
"""Seconds of the processor's time for a check on the event loop, and for one in a thread of its own."""

_KEPT = 512
_MOST_TOLD = 50
_MOST_SAID = 500
_FORMATS = FormatChecker([])
_NOTHING_FETCHED: Registry[Any] = Registry()


class PayloadSchema:
    """A schema, compiled."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._refusal = refusal(schema)
        made = bounded(validator_for(schema, default=Draft202012Validator))
        # Under its name, what refers to the whole schema would be checked by jsonschema's own keywords.
        unnamed = {name: value for name, value in schema.items() if name != "$schema"}
        self._validator: Validator = made(unnamed, registry=_NOTHING_FETCHED)

    def with_defaults(self, payload: Json) -> Json:
        """The payload with what the schema's `default`s say for properties that are missing."""
        return _filled(self._schema, payload)

    def issues(self, payload: Any, seconds: float = LONG_CHECK) -> list[FieldIssue]:
        """Where the payload breaks the schema, the first of it; `CheckTooLong` after so much of the
        processor's time."""
        if self._refusal:
            raise PayloadInvalid(f"The payload can't be checked: the schema of the workflow {self._refusal}")
        try:
            with within(Allowance(seconds)):
                faults = islice(self._validator.iter_errors(payload), _MOST_TOLD)
                return [FieldIssue(_place(fault), fault.message[:_MOST_SAID]) for fault in faults]
        except CheckTooLong:
            raise
        except Unresolvable as error:
            raise PayloadInvalid(
                f"The payload schema of the workflow refers to {error.ref}, which it doesn't hold"
            ) from error
        except Exception as error:  # a schema that refers to itself or to a non-schema, a number out of range
            raise PayloadInvalid(
                f"The payload can't be checked against the schema of the workflow ({type(error).__name__});"
                " check what the schema refers to"
            ) from error


def _place(fault: ValidationError) -> str:
    return ".".join(map(str, fault.absolute_path)) or "payload"


def validator_of(schema: Mapping[str, Any]) -> PayloadSchema:
    """The compiled schema, kept for the next trigger."""
    return _compiled(msgspec.json.encode(schema))


def check_schema(schema: dict[str, Any]) -> None:
    """`Unprocessable` when the document is no JSON Schema, or one whose checks can't be kept to a time.

    A large one takes a second: not for the event loop.
    """
    if not isinstance(schema.get("$schema", ""), str):
        raise _no_schema("$schema must be a URI")
    reason = refusal(schema)
    if reason:
        raise _no_schema(reason)
    try:
        draft: Any = validator_for(schema, default=Draft202012Validator)
        draft.check_schema(schema, format_checker=_FORMATS)
    except SchemaError as error:
        raise _no_schema(error.message) from error


@_FORMATS.checks("regex", raises=UNREADABLE)
def _is_pattern(value: object) -> bool:
    return not isinstance(value, str) or bool(compiled(value))


def _no_schema(reason: str) -> Unprocessable:
    return Unprocessable("payloadSchema is not a JSON Schema that can be used", {"payloadSchema": [reason]})


@lru_cache(_KEPT)
def _compiled(document: bytes) -> PayloadSchema:
    return PayloadSchema(msgspec.json.decode(document))


def _filled(schema: Mapping[str, Any], value: Json) -> Json:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return value
    filled = dict(value)
    for name, inner in properties.items():
        if not isinstance(inner, dict):
            continue
        if name not in filled and "default" in inner:
            filled[name] = inner["default"]
        elif isinstance(filled.get(name), dict):
            filled[name] = _filled(inner, filled[name])
    return filled
