"""Clarion's keywords of JSON Schema, which keep to a time, find what `jsonschema`'s own find."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema.validators import Draft7Validator, Draft202012Validator

from clarion.check.schema import check_schema, validator_of

Json = dict[str, Any]

NAMES = st.sampled_from(["a", "ab", "b1", "x", ""])
PATTERNS = st.sampled_from(["^a", "b", r"\d$", "^$", "a|x", "(?=a)ab"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from([0.0, 1.0, 1.5]), NAMES)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
LEAVES = st.one_of(
    st.booleans(),
    st.fixed_dictionaries({"pattern": PATTERNS}),
    st.fixed_dictionaries({"type": st.sampled_from(["string", "integer", "array", "object"])}),
    st.just({"uniqueItems": True}),
    st.just({"$ref": "#/$defs/shared"}),
)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """Schemas with what looks at names, in any company."""
    return st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(NAMES, inner, max_size=2),
            "patternProperties": st.dictionaries(PATTERNS, inner, max_size=2),
            "additionalProperties": inner,
            "propertyNames": inner,
            "items": inner,
            "not": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
        },
    )


SCHEMAS = st.recursive(LEAVES, objects, max_leaves=8).filter(lambda schema: isinstance(schema, dict))


@given(
    SCHEMAS,
    st.sampled_from([{"pattern": "a"}, {"type": "string"}, {"uniqueItems": True}]),
    st.dictionaries(NAMES, VALUES, max_size=4),
    st.sampled_from([Draft7Validator, Draft202012Validator]),
)
def test_the_same_faults_are_found(schema: Json, shared: Json, payload: Json, draft: Any) -> None:
    whole = {**schema, "$defs": {"shared": shared}, "$schema": draft.META_SCHEMA["$schema"]}
    check_schema(whole)
    theirs = [".".join(map(str, fault.absolute_path)) for fault in draft(whole).iter_errors(payload)]
    ours = [issue.field for issue in validator_of(whole).issues(payload)]
    assert ours == [place or "payload" for place in theirs][:50]
