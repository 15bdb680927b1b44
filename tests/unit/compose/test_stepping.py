from typing import Any

import pytest

from clarion.compose.stepping import asks_about, failover, takes_turns
from clarion.model.workflow import Step
from pushing import workflow


def step(name: str, kind: str = "push", **controls: Any) -> Step:
    return Step(name, name, name, kind, controls)


def rule(path: str) -> dict[str, Any]:
    return {"==": [{"var": path}, False]}


@pytest.mark.parametrize(
    ("more", "takes"),
    [
        (step("second"), False),
        (step("second", skip=rule("payload.x")), False),
        (step("second", skip=rule("subscriber.data.x")), False),
        (step("second", skip=rule("steps.push.delivered")), True),
        (step("second", integrations=["a", "b"]), True),
        (step("second", integrations=[]), False),
        *((step("wait", kind), True) for kind in ("delay", "digest", "throttle", "custom", "http_request")),
    ],
)
def test_a_workflow_takes_turns_when_it_can_not_be_decided_at_once(more: Step, takes: bool) -> None:
    assert takes_turns(workflow("a", "b", more)) is takes


def test_a_condition_asks_about_the_pushes_before_it() -> None:
    flow = workflow(
        "a",
        "b",
        step("other"),
        step("last", skip={"and": [rule("steps.push.delivered"), rule("steps.later.delivered")]}),
        step("later"),
    )
    assert asks_about(flow.steps[2], flow) == ["push"]
    assert asks_about(flow.steps[1], flow) == []
    every = step("last", skip={"!": [{"var": "steps"}]})
    flow = workflow("a", "b", step("other"), every)
    assert asks_about(every, flow) == ["push", "other"]


def test_only_identifiers_are_ways() -> None:
    assert failover(step("push", integrations=["a", 5, "b"])) == ["a", "b"]
    assert failover(step("push", integrations="a")) == []
