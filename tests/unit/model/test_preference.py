from typing import Any

import msgspec
import pytest

from clarion.model.preference import EVERYTHING, WANTED, Layer, is_critical, is_enabled, standing
from clarion.model.workflow import Workflow
from pushing import workflow

FLOW = workflow()


def preferences(*, enabled: bool = True, read_only: bool = False, push: bool | None = None) -> dict[str, Any]:
    channels = {} if push is None else {"push": {"enabled": push}}
    return {"all": {"enabled": enabled, "readOnly": read_only}, "channels": channels}


def with_preferences(**layers: Any) -> Workflow:
    return msgspec.structs.replace(FLOW, preferences=layers)


def test_what_says_nothing_is_wanted() -> None:
    for flow in (FLOW, with_preferences(workflow=None, user=None), with_preferences(workflow=WANTED)):
        assert standing(flow, "push", {}) == (True, Layer.WORKFLOW)
        assert (is_enabled(flow), is_critical(flow)) == (True, False)


@pytest.mark.parametrize(
    ("everything", "here", "wanted", "layer"),
    [
        (None, None, True, Layer.WORKFLOW),
        (False, None, False, Layer.SUBSCRIBER),
        (None, False, False, Layer.SUBSCRIBER_OF_WORKFLOW),
        (False, True, True, Layer.SUBSCRIBER_OF_WORKFLOW),
        (True, False, False, Layer.SUBSCRIBER_OF_WORKFLOW),
    ],
)
def test_the_subscriber_has_the_last_word_and_the_workflows_own_over_everything(
    everything: bool | None, here: bool | None, wanted: bool, layer: Layer
) -> None:
    said = {EVERYTHING: everything, FLOW.id: here, "another": False}
    chosen = {name: {"push": choice} for name, choice in said.items() if choice is not None}
    assert standing(FLOW, "push", chosen) == (wanted, layer)


def test_a_choice_of_another_channel_says_nothing_of_push() -> None:
    assert standing(FLOW, "push", {EVERYTHING: {"email": False}}).wanted
    assert not standing(FLOW, "email", {EVERYTHING: {"email": False}}).wanted


def test_the_dashboard_stands_over_what_the_workflow_came_with() -> None:
    flow = with_preferences(workflow=preferences(push=True), user=preferences(push=False))
    assert standing(flow, "push", {}) == (False, Layer.DASHBOARD)
    assert standing(flow, "push", {FLOW.id: {"push": True}}).wanted


def test_nobody_gets_a_workflow_that_is_switched_off() -> None:
    flow = with_preferences(workflow=preferences(enabled=False, push=True))
    assert standing(flow, "push", {FLOW.id: {"push": True}}) == (False, Layer.WORKFLOW)
    assert not is_enabled(flow)


def test_a_critical_workflow_asks_no_subscriber() -> None:
    flow = with_preferences(user=preferences(read_only=True))
    assert is_critical(flow)
    assert standing(flow, "push", {EVERYTHING: {"push": False}, FLOW.id: {"push": False}}).wanted
