from typing import Any

import msgspec
import pytest

from clarion.compose.naming import misnamed
from clarion.model.workflow import Workflow
from pushing import workflow

SCHEMA = {
    "type": "object",
    "properties": {
        "order": {"type": "object", "properties": {"id": {"type": "string"}}},
        "items": {"type": "array", "items": {"type": "object"}},
        "free": {"type": "object", "properties": {"a": {}}, "additionalProperties": True},
        "any": {"oneOf": [{"type": "object"}, {"type": "string"}]},
    },
}


def flow(schema: dict[str, Any] | None = None) -> Workflow:
    return msgspec.structs.replace(workflow(), payload_schema=schema)


def names(body: Any, schema: dict[str, Any] | None = None, control: str = "body") -> list[str]:
    """The variables that are nothing."""
    found = misnamed(flow(schema), {control: body}, {"HOST"})
    assert {issue.control for issue in found} <= {control}
    assert all(issue.message.startswith(issue.variable) for issue in found)
    return [issue.variable for issue in found]


@pytest.mark.parametrize(
    "body",
    [
        "no variable",
        "{{payload.anything.at.all}} {{bare}}",
        "{{subscriber.firstName}} {{subscriber.data.x.y}} {{subscriber}}",
        "{{env.HOST}} {{workflow.name}} {{step.total_count}} {{context.tenant.data.x}} {{actor.x}}",
        "{% for item in payload.items %}{{item.name}}{{forloop.index}}{% endfor %}{% assign x = 1 %}{{x}}",
        "{{t.greeting}}",
        "{{ [payload.which].firstName }}",
        "{{ oops",
        7,
    ],
)
def test_what_may_be_there_is_no_issue(body: Any) -> None:
    assert names(body) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{{subscriber.firstname}}", ["subscriber.firstname"]),
        ("{{env.HOTS}}{{env.HOST}}", ["env.HOTS"]),
        ("{{workflow.title}} {{step.count}}", ["step.count", "workflow.title"]),
        ("{% if subscriber.age > 3 %}x{% endif %}{{subscriber.age}}", ["subscriber.age"]),
    ],
)
def test_what_nothing_has_is_one_told_once(body: str, expected: list[str]) -> None:
    assert names(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{{payload.order.id}}{{order.id}}{{payload.items[0].name}}{{payload.free.b}}{{payload.any.x}}", []),
        ("{{payload.oder.id}}", ["payload.oder.id"]),
        ("{{payload.order.number}}", ["payload.order.number"]),
        ("{{oder}}", ["oder"]),
    ],
)
def test_a_payload_has_what_its_schema_says(body: str, expected: list[str]) -> None:
    assert names(body, SCHEMA) == expected


def test_conditions_name_variables_too() -> None:
    rule = {"and": [{"==": [{"var": "subscriber.age"}, 3]}, {"==": [{"var": "payload.order.id"}, "x"]}]}
    assert names(rule, SCHEMA, "skip") == ["subscriber.age"]
    assert names({}, SCHEMA, "skip") == []
