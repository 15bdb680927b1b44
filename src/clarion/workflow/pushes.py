"""What a run does about its pushes: through which integrations they go, and what became of them."""

import msgspec

from clarion.compose.stepping import asks_about, failover
from clarion.model.push import Json
from clarion.model.run import RunState, StepResult, StepStatus
from clarion.model.trace import Event
from clarion.model.workflow import Step
from clarion.store.runs import Tally
from clarion.workflow.course import Course
from clarion.workflow.plan import Decided

_TRY_NEXT = frozenset(
    event.code for event in (Event.NO_CHANNEL, Event.NO_CHOSEN_DEVICE, Event.NO_TOKENS, Event.NO_INTEGRATION)
)
"""What may leave a push without a message under one integration and not under the next."""


def awaits(course: Course, step: Step) -> bool:
    """Whether a step asks about pushes that have no outcome yet; those that have are noted."""
    if course.woken not in (None, RunState.AWAITING):
        return False
    known = [settled(course, name) for name in asks_about(step, course.workflow)]
    return not all(known)


def settled(course: Course, step_id: str) -> bool:
    """Whether all messages of a push came to an end; how they ended is noted."""
    found = course.result(step_id)
    planned = found.output.get("planned", 0)
    tally = course.tallies.get(step_id, Tally())
    if course.rehearsed:
        tally = Tally(delivered=planned)
    course.note_result(msgspec.structs.replace(found, output=_outcome(found.output, tally)), step_id)
    return bool(tally.settled >= planned)


def way_of(course: Course, step: Step) -> str | None:
    """The integration that a push goes through alone, empty for all at once; None where the run goes on
    or waits instead."""
    ways = failover(step)
    woken = course.take_waking()
    if not ways:
        return ""
    tried = int(course.result(step.step_id).output.get("tried", 0))
    if woken is RunState.AWAITING and tried:
        if not settled(course, step.step_id):
            course.wait(RunState.AWAITING)
            return None
        if course.result(step.step_id).output["delivered"]:
            course.go_on(StepStatus.COMPLETED)
            return None
    if tried >= len(ways):
        course.note(Event.FAILOVER_SPENT)
        course.go_on(StepStatus.FAILED)
        return None
    if tried:
        course.note(Event.FAILOVER, {"integrationIdentifier": ways[tried - 1], "next": ways[tried]})
    return ways[tried]


def note_planned(course: Course, step: Step, found: Decided, through: str | None) -> None:
    """Note what a push was planned to be: the run goes on, waits for its outcome, or tries the next way."""
    count = len(found.composed.planned)
    course.details += found.composed.details
    course.planned += count
    before = course.result(step.step_id).output
    output = {"planned": before.get("planned", 0) + count}
    if through is None:
        course.go_on(_status_of(count), _outcome(output, Tally()))
        return
    course.note_result(StepResult(None, {**output, "tried": before.get("tried", 0) + 1}))
    if count and not course.rehearsed:
        course.wait(RunState.AWAITING)
    elif count or not {detail.event for detail in found.composed.details} <= _TRY_NEXT:
        course.go_on(_status_of(count), _outcome(output, Tally()))


def is_asked_about(course: Course, step: Step) -> bool:
    """Whether a later step waits for what becomes of a push."""
    later = course.workflow.steps[course.run.position + 1 :]
    return any(step.step_id in asks_about(item, course.workflow) for item in later)


def _status_of(count: int) -> StepStatus:
    return StepStatus.COMPLETED if count else StepStatus.SKIPPED


def _outcome(output: Json, tally: Tally) -> Json:
    """What later steps are told of a push: at first how many messages it came to, then what became of it."""
    planned = output.get("planned", 0)
    if tally.settled < planned:
        return output
    counted = {"deliveredCount": tally.delivered, "failedCount": tally.failed}
    told = {"delivered": tally.delivered > 0, "failed": tally.failed > 0, "skipped": planned == 0}
    return {**output, **told, **counted, "cancelledCount": tally.cancelled}
