"""What a workflow's steps need of each other. Pure."""

from clarion.compose.conditions import Condition
from clarion.model.workflow import PUSH_STEP, Step, Workflow

STEPS = "steps"


def takes_turns(workflow: Workflow) -> bool:
    """Whether a workflow can't be decided at once: a step takes time, or asks what became of another."""
    return any(
        step.type != PUSH_STEP or failover(step) or _condition(step, STEPS) is not None
        for step in workflow.steps
    )


def failover(step: Step) -> list[str]:
    """The integrations, by identifier, that a push step tries one after the other; none: all at once."""
    named = step.controls.get("integrations")
    return [name for name in named if isinstance(name, str)] if isinstance(named, list) else []


def asks_about(step: Step, workflow: Workflow) -> list[str]:
    """The pushes before a step whose outcome its condition asks about."""
    condition = _condition(step, STEPS)
    if condition is None:
        return []
    named = {path[1] if len(path) > 1 else "" for path in condition.names() if path[0] == STEPS}
    before = [item for item in workflow.steps[: _place(step, workflow)] if item.type == PUSH_STEP]
    return [item.step_id for item in before if item.step_id in named or "" in named or not named]


def _condition(step: Step, name: str) -> Condition | None:
    """The condition of a step, if it can depend on a variable."""
    rule = step.controls.get("skip")
    if not rule:
        return None
    condition = Condition(rule)
    return condition if condition.mentions(name) else None


def _place(step: Step, workflow: Workflow) -> int:
    return next(place for place, item in enumerate(workflow.steps) if item.step_id == step.step_id)
