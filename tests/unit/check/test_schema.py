import re
from time import thread_time
from typing import Any

import pytest

from clarion.check.refusals import written_out
from clarion.check.schema import check_schema, validator_of
from clarion.errors import CheckTooLong, PayloadInvalid, Unprocessable
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
    return [issue.field for issue in validator_of(schema).issues(payload)]


def test_a_payload_that_fits_has_no_faults() -> None:
    assert faults(SCHEMA, {"order": {"id": 1}}) == []


def test_faults_name_their_place() -> None:
    assert faults(SCHEMA, {"name": 1, "order": {"id": "x"}}) == ["name", "order.id"]
    assert faults(SCHEMA, {}) == ["payload"]


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


SLOW = "^(a|aa)+$"
TEXT = "a" * 60 + "!"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"


def doubling(levels: int) -> Json:
    """A schema that is looked at twice at every level."""
    steps = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$ref": "#/$defs/d0", "$defs": {**steps, f"d{levels}": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "payload"),
    [
        ({"properties": {"a": {"pattern": SLOW}}}, {"a": TEXT}),
        ({"properties": {"a": {"items": {"pattern": SLOW}}}}, {"a": ["a", TEXT]}),
        ({"properties": {"a": {"not": {"anyOf": [{"pattern": SLOW}]}}}}, {"a": TEXT}),
        ({"patternProperties": {SLOW: {}}}, {TEXT: 1}),
        ({"patternProperties": {SLOW: {}}, "additionalProperties": False}, {TEXT: 1}),
        ({"additionalProperties": False, "patternProperties": {SLOW: {}}}, {TEXT: 1}),
        ({"propertyNames": {"pattern": SLOW}}, {TEXT: 1}),
        ({"$ref": "#/$defs/x", "$defs": {"x": {"patternProperties": {SLOW: {}}}}}, {TEXT: 1}),
        ({"$schema": DRAFT_7, "properties": {"a": {"pattern": SLOW}}}, {"a": TEXT}),
        ({"$schema": DRAFT_2020, "properties": {"a": {"$ref": "#"}}, "pattern": SLOW}, {"a": TEXT}),
        ({"properties": {"a": {"pattern": "(a|aa)+$"}}}, {"a": "a" * 500_000 + "!"}),
    ],
)
def test_a_pattern_that_takes_long_is_named_and_ends_the_check(schema: Json, payload: Json) -> None:
    check_schema(schema)
    started = thread_time()
    with pytest.raises(CheckTooLong, match="simplify the pattern") as refused:
        validator_of(schema).issues(payload, 0.1)
    assert thread_time() - started < 1
    (issue,) = refused.value.issues
    assert issue.field == "payload"
    assert "(a|aa)+$" in issue.message


@pytest.mark.parametrize(
    ("schema", "payload"),
    [
        (doubling(40), {}),
        ({"properties": {"a": {"items": {"pattern": "b$"}}}}, {"a": ["aaaab"] * 200_000}),
    ],
)
def test_a_schema_that_takes_long_ends_the_check(schema: Json, payload: Json) -> None:
    check_schema(schema)
    with pytest.raises(CheckTooLong, match=r"simplify the (schema, or send less|pattern)"):
        validator_of(schema).issues(payload, 0.01)


def test_what_needs_no_time_is_checked_in_little() -> None:
    schema: Json = {
        "patternProperties": {"^a": {"type": "integer"}, r"\d$": {"minimum": 2}},
        "additionalProperties": False,
        "properties": {"known": {"pattern": "^(?=x)x+$"}},
    }
    assert faults(schema, {"ab": 1, "a1": 2, "known": "xx"}) == []
    assert faults(schema, {"ab": "1", "a1": 1, "known": "y", "b": 1}) == ["ab", "a1", "payload", "known"]


@pytest.mark.parametrize(
    ("items", "unique"),
    [
        ([1, True, "1", [1], {"a": 1}, None, 0, False, [True], {"a": True}], True),
        ([1, 1.0], False),
        ([{"a": [1], "b": 2}, {"b": 2, "a": [1]}], False),
        ([{"a": n} for n in range(50_000)], True),
    ],
    ids=["all kinds", "numbers", "objects", "many"],
)
def test_items_are_unique_as_json_has_it(items: list[Any], unique: bool) -> None:
    assert faults({"properties": {"a": {"uniqueItems": True}}}, {"a": items}) == ([] if unique else ["a"])


def test_so_many_faults_are_told_and_so_much_of_each() -> None:
    schema: Json = {"properties": {"a": {"items": {"type": "integer"}}}}
    issues = validator_of(schema).issues({"a": ["x" * 10_000] * 100})
    assert len(issues) == 50
    assert max(len(issue.message) for issue in issues) == 500


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"title": "x" * 65_536}, "longer than 65536 bytes"),
        ({"enum": [[]] * 1000}, "more than 1000 objects and arrays"),
        ({"items": {"$schema": DRAFT_2020, "pattern": SLOW}}, r"can name \$schema only at its top"),
        ({"$ref": DRAFT_2020, "$dynamicAnchor": "meta", "pattern": SLOW}, "can't refer to json-schema.org"),
        ({"pattern": "(?:(?:x{1000}){1000}){1000}"}, "patterns of more than 20000 characters"),
        ({"patternProperties": {"(x{200}){200}": {}}}, "patterns of more than 20000 characters"),
        ({"pattern": "(?#[)((x{999}){999}){999}(?#])"}, "a comment or a flag"),
        ({"pattern": "(?x)((x{999} #)\n){999}){999}"}, "a comment or a flag"),
        ({"patternProperties": {"a": {}}, "unevaluatedProperties": False}, "use additionalProperties"),
    ],
)
def test_a_schema_that_can_not_be_kept_to_a_time_is_refused(schema: Json, reason: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        check_schema(schema)
    assert re.search(reason, refused.value.fields["payloadSchema"][0])
    with pytest.raises(PayloadInvalid, match=f"the schema of the workflow .*{reason}"):
        validator_of(schema).issues({})


@pytest.mark.parametrize("pattern", ["(" * 600 + ")" * 600, "(?R)", "(?:a){99999999999}", "[", r"\p{L}"])
def test_a_pattern_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(Unprocessable):
        check_schema({"pattern": pattern})


@pytest.mark.parametrize(
    ("pattern", "length"),
    [
        ("abc", 3),
        ("(ab{10}){10}", 110),
        ("(?:a{2}){3}(?:b){0}", 15),
        (r"\d{4}-\d{2}-\d{2}", 10),
        ("a{,5}b{0,9}c{3,}", 9),
        (r"[(\]{9}]{5}\({5}", 10),
        ("[]{3}]{2}", 2),
        ("a){3}", 4),
        ("a{999999999999}", 999_999_999),
    ],
)
def test_repetitions_are_written_out(pattern: str, length: int) -> None:
    assert written_out(pattern) == length
