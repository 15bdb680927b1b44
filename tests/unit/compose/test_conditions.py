from typing import Any

import pytest

from clarion.compose.conditions import Condition, check
from clarion.errors import TemplateError

SEEN = {
    "payload": {"kind": "news", "count": 5, "tags": ["a", "b"], "limit": 4, "none": None, "text": "seven"},
    "subscriber": {"firstName": "Ada", "data": {"tier": "gold"}},
}


def var(path: str) -> dict[str, str]:
    return {"var": path}


KIND, COUNT, TAGS = var("payload.kind"), var("payload.count"), var("payload.tags")


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ({"==": [KIND, "news"]}, True),
        ({"=": [KIND, "news"]}, True),
        ({"=": [COUNT, "5"]}, False),
        ({"!=": [KIND, "news"]}, False),
        ({"<": [COUNT, 6]}, True),
        ({"<=": [COUNT, 5]}, True),
        ({">": [COUNT, 5]}, False),
        ({">=": [COUNT, "{{payload.limit}}"]}, True),
        ({"contains": [KIND, "ew"]}, True),
        ({"contains": [TAGS, "a"]}, True),
        ({"contains": [COUNT, "a"]}, False),
        ({"doesNotContain": [TAGS, "z"]}, True),
        ({"in": ["a", TAGS]}, True),
        ({"in": [KIND, ["news", "ads"]]}, True),
        ({"notIn": [KIND, ["ads"]]}, True),
        ({"startsWith": [KIND, "ne"]}, True),
        ({"beginsWith": [KIND, "x"]}, False),
        ({"doesNotBeginWith": [KIND, "x"]}, True),
        ({"endsWith": [KIND, "ws"]}, True),
        ({"doesNotEndWith": [KIND, "ws"]}, False),
        ({"null": [var("payload.none")]}, True),
        ({"null": [var("payload.missing")]}, True),
        ({"notNull": [KIND]}, True),
        ({"==": [var("payload.missing"), None]}, True),
        ({"between": [COUNT, 1, 5]}, True),
        ({"between": [COUNT, [1, 4]]}, False),
        ({"between": [COUNT, "a", "z"]}, False),
        ({"notBetween": [COUNT, 1, 4]}, True),
        ({"<=": [1, COUNT, 5]}, True),
        ({"and": [{"==": [KIND, "news"]}, {"!": [{"contains": [TAGS, "z"]}]}]}, True),
        ({"or": [{"==": [KIND, "x"]}, {"==": [var("subscriber.data.tier"), "gold"]}]}, True),
    ],
)
def test_conditions_are_read_as_the_editor_means_them(rule: dict[str, Any], holds: bool) -> None:
    check(rule)
    assert Condition(rule).held(SEEN) == (holds, "")


def test_what_cannot_be_compared_does_not_hold_and_says_why() -> None:
    held = Condition({"<": [var("payload.text"), 5]}).held(SEEN)
    assert not held.holds
    assert held.error


def test_a_condition_that_works_without_end_is_stopped() -> None:
    many = {"payload": {"many": list(range(20_000))}}
    held = Condition({"some": [var("payload.many"), {"==": [var(""), -1]}]}).held(many)
    assert not held.holds
    assert "budget" in held.error.lower()


@pytest.mark.parametrize(
    "rule", [True, "yes", [1], {"unknown": [1]}, {"and": [], "or": []}, {"and": [{"nope": []}]}]
)
def test_what_is_no_condition_is_refused(rule: object) -> None:
    with pytest.raises(TemplateError):
        check(rule)


def test_it_is_told_what_a_condition_depends_on() -> None:
    on_subscriber = {"==": [var("subscriber.data.tier"), "gold"]}
    assert Condition(on_subscriber).mentions("subscriber")
    assert not Condition(on_subscriber).mentions("payload")
    assert Condition({"==": ["{{subscriber.locale}}", "de"]}).mentions("subscriber")
    assert Condition({"==": [{"var": {"cat": ["sub", "scriber"]}}, 1]}).mentions("subscriber")
