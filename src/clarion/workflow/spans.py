"""What steps of runs came to, in the traces of their triggers."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from clarion.model.clock import Millis
from clarion.model.run import Run, StepStatus
from clarion.model.workflow import Step
from clarion.ops import tracing
from clarion.workflow.course import Course


class Ended(NamedTuple):
    """A step that a run left behind or ended at, and since when it stood there."""

    course: Course
    step: Step
    status: StepStatus
    since: Millis


def trace(courses: Sequence[Course]) -> None:
    """A span for each step that these turns ended, from when its run came to it, maybe days ago."""
    into = tracing.on()
    if into is None:
        return
    for course, step, status, since in _ended(courses):
        told: tracing.Attributes = {
            "clarion.notification": course.run.id,
            "clarion.step": step.step_id,
            "clarion.status": status.value,
        }
        error = status.value if status is StepStatus.FAILED else ""
        began, over = tracing.nanos(since), tracing.nanos(course.now)
        into.part(step.type, course.trigger.id, began, told, error, over=over)


def _ended(courses: Iterable[Course]) -> Iterator[Ended]:
    for course in courses:
        for step in course.workflow.steps:
            status = course.result(step.step_id).status
            if status is not None and not _was_over(course.before, step):
                told = [detail.at for detail in course.details if detail.step_id == step.step_id]
                yield Ended(course, step, status, min(told, default=course.now))


def _was_over(before: Run, step: Step) -> bool:
    """Whether a step had ended before; the one that the run stood at may have its answer already."""
    found = before.results.get(step.step_id)
    return before.step_id != step.step_id and found is not None and found.status is not None
