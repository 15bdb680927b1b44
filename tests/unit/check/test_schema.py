from typing import Any

import pytest

from clarion.check.schema import check_schema, validator_of
from clarion.errors import PayloadInvalid, Unprocessable
from clarion.model.push import Json

SCHEMA: Json = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "default": "friend"},
        "order": {
            "type": "object",
            "properties": {"id": {"type": "integer"}, "currency": {"default": "EUR"}},
            "required": ["id"],
        },
    },
    "required": ["order"],
}


def faults(schema: Json, payload: Json) -> list[str]:
    return [".".join(map(str, fault.absolute_path)) for fault in validator_of(schema).faults(payload)]


def test_a_payload_that_fits_has_no_faults() -> None:
    assert faults(SCHEMA, {"order": {"id": 1}}) == []


def test_faults_name_their_place() -> None:
    assert faults(SCHEMA, {"name": 1, "order": {"id": "x"}}) == ["name", "order.id"]
    assert faults(SCHEMA, {}) == [""]


def test_defaults_fill_what_is_missing_at_every_depth() -> None:
    payload: Json = {"order": {"id": 1}, "extra": True}
    filled = validator_of(SCHEMA).with_defaults(payload)
    assert filled == {"order": {"id": 1, "currency": "EUR"}, "extra": True, "name": "friend"}
    assert payload == {"order": {"id": 1}, "extra": True}


def test_defaults_replace_nothing_and_make_no_objects() -> None:
    assert validator_of(SCHEMA).with_defaults({"name": None, "order": 3}) == {"name": None, "order": 3}
    assert validator_of(SCHEMA).with_defaults({}) == {"name": "friend"}
    odd = {"properties": {"a": True, "b": {"default": 1}}}
    assert validator_of(odd).with_defaults({}) == {"b": 1}


def test_an_older_draft_is_read_by_its_own_rules() -> None:
    tuples: Json = {"properties": {"a": {"items": [{"type": "string"}]}}}
    old = tuples | {"$schema": "http://json-schema.org/draft-07/schema#"}
    check_schema(old)
    assert faults(old, {"a": [1]}) == ["a.0"]
    with pytest.raises(Unprocessable):
        check_schema(tuples)


def test_the_same_schema_is_compiled_once() -> None:
    assert validator_of({"type": "object", "title": "once"}) is validator_of(
        {"type": "object", "title": "once"}
    )


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nosuch"},
        {"properties": {"a": {"pattern": "("}}},
        {"required": "a"},
        {"$schema": []},
        {"$schema": 3},
        {"$schema": None},
    ],
)
def test_what_is_no_schema_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable) as refused:
        check_schema(schema)
    assert list(refused.value.fields) == ["payloadSchema"]


def test_a_reference_to_elsewhere_is_not_fetched() -> None:
    with pytest.raises(PayloadInvalid, match=r"refers to https://elsewhere\.test/schema"):
        faults({"$ref": "https://elsewhere.test/schema"}, {})


@pytest.mark.parametrize(
    ("schema", "payload"),
    [
        ({"$ref": "#"}, {}),
        ({"$ref": "#/properties/a", "properties": {"a": 7}}, {}),
        ({"properties": {"a": {"multipleOf": 0.01}}}, {"a": 10**400}),
    ],
)
def test_a_schema_that_can_not_be_applied_says_so(schema: Json, payload: Json) -> None:
    with pytest.raises(PayloadInvalid, match="can't be checked against the schema"):
        faults(schema, payload)
