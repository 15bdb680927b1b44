"""How the steps of a run stand, in the contract's words for jobs."""

from typing import Any

from clarion.model.run import OPEN, Run, RunState, StepStatus
from clarion.model.workflow import DIGEST, Step

PENDING, QUEUED, RUNNING, DELAYED = "pending", "queued", "running", "delayed"

_STANDING = {
    RunState.RUNNING: QUEUED,
    RunState.DELAYED: DELAYED,
    RunState.DIGESTING: DELAYED,
    RunState.REQUESTING: RUNNING,
    RunState.AWAITING: RUNNING,
    RunState.MERGED: StepStatus.MERGED.value,
    RunState.CANCELLED: StepStatus.CANCELED.value,
}


def status_of(run: Run, step_id: str) -> str | None:
    """The status of a step; None where its messages tell it."""
    if run.step_id == step_id and run.state in _STANDING:
        return _STANDING[run.state]
    result = run.results.get(step_id)
    if result is not None and result.status is not None:
        return None if result.output.get("planned") else result.status.value
    return PENDING if run.state in OPEN else _never_reached(run).value


def planned_of(run: Run, step_id: str) -> int:
    """How many messages a step came to."""
    result = run.results.get(step_id)
    return int(result.output.get("planned", 0)) if result else 0


def digest_of(step: Step) -> dict[str, Any] | None:
    """DigestMetadataDto of a digest step."""
    if step.type != DIGEST:
        return None
    named = {name: step.controls.get(name) for name in ("amount", "unit", "digestKey")}
    kind = "backoff" if step.controls.get("lookBackWindow") else step.controls.get("type") or "regular"
    return {"type": kind, **{name: value for name, value in named.items() if value is not None}}


def _never_reached(run: Run) -> StepStatus:
    """What is said of the steps behind the one that a run ended at."""
    if run.state is RunState.MERGED:
        return StepStatus.MERGED
    failed = any(result.status is StepStatus.FAILED for result in run.results.values())
    if run.state is RunState.CANCELLED or (run.state is RunState.STOPPED and failed):
        return StepStatus.CANCELED
    return StepStatus.SKIPPED
