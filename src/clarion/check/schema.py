"""Payload schemas of workflows: JSON Schema (2020-12 unless `$schema` says otherwise)."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import Draft202012Validator, validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from clarion.errors import PayloadInvalid, Unprocessable
from clarion.model.push import Json

_KEPT = 512
_NOTHING_FETCHED: Registry[Any] = Registry()


class PayloadSchema:
    """A schema, compiled."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        made = validator_for(schema, default=Draft202012Validator)
        self._validator: Validator = made(schema, registry=_NOTHING_FETCHED)

    def with_defaults(self, payload: Json) -> Json:
        """The payload with what the schema's `default`s say for properties that are missing."""
        return _filled(self._schema, payload)

    def faults(self, payload: Json) -> Iterator[ValidationError]:
        """Where the payload breaks the schema."""
        try:
            yield from self._validator.iter_errors(payload)
        except Unresolvable as error:
            raise PayloadInvalid(
                f"The payload schema of the workflow refers to {error.ref}, which it doesn't hold"
            ) from error
        except Exception as error:  # a schema that refers to itself or to a non-schema, a number out of range
            raise PayloadInvalid(
                f"The payload can't be checked against the schema of the workflow ({type(error).__name__});"
                " check what the schema refers to"
            ) from error


def validator_of(schema: Mapping[str, Any]) -> PayloadSchema:
    """The compiled schema, kept for the next trigger."""
    return _compiled(msgspec.json.encode(schema))


def check_schema(schema: dict[str, Any]) -> None:
    """`Unprocessable` when the document is no JSON Schema."""
    if not isinstance(schema.get("$schema", ""), str):
        raise _no_schema("$schema must be a URI")
    try:
        validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except SchemaError as error:
        raise _no_schema(error.message) from error


def _no_schema(reason: str) -> Unprocessable:
    return Unprocessable("payloadSchema is not a JSON Schema", {"payloadSchema": [reason]})


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
