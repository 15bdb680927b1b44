"""What the steps of a run do when it comes to them, and when it wakes at them; all but pushes."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from clarion.check.keys import group_of
from clarion.check.timing import NoTime, duration, wait, window
from clarion.compose.conditions import Condition
from clarion.compose.controls import rendered
from clarion.errors import TemplateError
from clarion.model.clock import Millis, iso
from clarion.model.ids import derived_id
from clarion.model.push import Json
from clarion.model.run import RunState, StepResult, StepStatus
from clarion.model.trace import Event
from clarion.model.workflow import CUSTOM, DELAY, DIGEST, HTTP_REQUEST, THROTTLE, Step
from clarion.workflow.course import Course

MOST_EXTENSIONS = 3
"""A step is put off to its recipient's schedule no more often."""


class Ground(Protocol):
    """What steps need to know of other runs, and tell them."""

    def uses(self, subscriber_pk: int, key: str, since: Millis, but: str) -> int:
        """How many other runs of a subscriber passed a step under a key since then."""
        ...

    def use(self, subscriber_pk: int, key: str, run_id: str, at: Millis, since: Millis) -> None:
        """Note that a run passed; what was before `since` counts no more."""
        ...

    def digesting(self, environment_id: str, key: str) -> str | None:
        """The run into which others of a key are merged."""
        ...

    def digests(self, key: str, run_id: str | None) -> None:
        """A run begins to digest under a key; None: it ends."""
        ...

    def merged(self, environment_id: str, run_id: str) -> int:
        """How many runs were merged into one."""
        ...

    def opening(self, course: Course) -> Millis | None:
        """When the recipient may next be disturbed, where their schedule counts."""
        ...


def holds(course: Course, step: Step) -> bool:
    """Whether a step that is no push is to run; one that isn't is left behind."""
    rule = step.controls.get("skip")
    if not rule or course.woken not in (None, RunState.AWAITING):
        return True
    held = Condition(rule).held(course.variables)
    if not held.holds:
        course.note(Event.SKIPPED_BY_CONDITIONS, {"error": held.error} if held.error else None)
        course.go_on(StepStatus.SKIPPED)
    return held.holds


def perform(course: Course, step: Step, ground: Ground) -> None:
    """Do a step; the course goes on, waits or ends by it."""
    _STEPS[step.type](course, step, ground)


def _delay(course: Course, step: Step, ground: Ground) -> None:
    if course.take_waking() is RunState.DELAYED:
        if not _extended(course, step, ground, RunState.DELAYED):
            course.note(Event.DELAY_FINISHED)
            course.go_on(StepStatus.COMPLETED)
        return
    until = _wait_of(course, step, Event.DELAY_FAILED)
    if until is not None:
        course.note(Event.STEP_DELAYED, {"until": iso(until)})
        _put_off(course, RunState.DELAYED, until, {"until": iso(until)})


def _digest(course: Course, step: Step, ground: Ground) -> None:
    if course.take_waking() is RunState.DIGESTING:
        if not _extended(course, step, ground, RunState.DIGESTING):
            _close(course, ground)
        return
    try:
        recent = _recent(course, step, ground)
    except NoTime as error:
        _fail(course, Event.DIGEST_FAILED, {"error": str(error)})
        return
    if not recent:
        course.note(Event.DIGEST_SKIPPED)
        course.go_on(StepStatus.SKIPPED, {"eventCount": 1, "digest": False})
        return
    key = _key(course, step, "digestKey")
    main = ground.digesting(course.run.environment_id, key)
    if main is not None and main != course.run.id:
        course.note(Event.DIGEST_MERGED, {"into": main})
        course.merge_into(main)
        return
    until = _wait_of(course, step, Event.DIGEST_FAILED)
    if until is not None:
        course.note(Event.START_DIGESTING, {"until": iso(until)})
        course.digest_under(key)
        ground.digests(key, course.run.id)
        _put_off(course, RunState.DIGESTING, until, {"eventCount": 1, "digest": True})


def _close(course: Course, ground: Ground) -> None:
    """End a digest: what comes from now on begins another."""
    count = 1 + ground.merged(course.run.environment_id, course.run.id)
    if course.run.digest_key is not None:
        ground.digests(course.run.digest_key, None)
    course.digest_under(None)
    course.note(Event.DIGEST_TRIGGERED, {"eventCount": count})
    course.go_on(StepStatus.COMPLETED, {"eventCount": count, "digest": True})


def _recent(course: Course, step: Step, ground: Ground) -> bool:
    """Whether there is anything to digest with: with a look-back window, an event in it; else always."""
    asked = step.controls.get("lookBackWindow")
    if not isinstance(asked, Mapping) or not asked.get("amount"):
        return True
    since = course.now - duration(asked.get("amount"), asked.get("unit"))
    pk, key = course.run.subscriber_pk, _key(course, step, "digestKey")
    found = ground.uses(pk, key, since, course.run.id) > 0
    ground.use(pk, key, course.run.id, course.now, since)
    return found


def _throttle(course: Course, step: Step, ground: Ground) -> None:
    controls = step.controls
    try:
        span = window(controls, course.variables, course.now)
    except NoTime as error:
        event = Event.THROTTLE_WINDOW_IN_PAST if error.past else Event.THROTTLE_FAILED
        _fail(course, event, {"error": str(error)})
        return
    most = threshold(controls)
    pk, key, since = course.run.subscriber_pk, _key(course, step, "throttleKey"), course.now - span
    used = ground.uses(pk, key, since, course.run.id)
    told = {"threshold": most, "executionCount": used, "windowMs": span}
    if used >= most:
        course.note(Event.STEP_THROTTLED, told)
        course.note_result(StepResult(None, {**told, "throttled": True}))
        course.stop(StepStatus.SKIPPED, Event.RUN_STOPPED)
        return
    ground.use(pk, key, course.run.id, course.now, since)
    course.note(Event.THROTTLE_PASSED, told)
    course.go_on(StepStatus.COMPLETED, {**told, "executionCount": used + 1, "throttled": False})


def threshold(controls: Mapping[str, Any]) -> int:
    """How many runs a throttle lets through in its window."""
    given = controls.get("threshold")
    if isinstance(given, int | float) and math.isfinite(given):
        return max(int(given), 1)
    return 1


def _custom(course: Course, step: Step, ground: Ground) -> None:
    try:
        output = rendered(step.controls.get("custom") or {}, course.variables)
    except TemplateError as error:
        _fail(course, Event.CUSTOM_FAILED, {"error": str(error)})
        return
    course.note(Event.CUSTOM_COMPLETED)
    course.go_on(StepStatus.COMPLETED, output)


def _http_request(course: Course, step: Step, ground: Ground) -> None:
    if course.take_waking() is RunState.REQUESTING:
        failed = course.result(step.step_id).status is StepStatus.FAILED
        if failed and not step.controls.get("continueOnFailure"):
            course.stop(StepStatus.FAILED, Event.STEP_CANCELED)
        else:
            course.go_on(StepStatus.FAILED if failed else StepStatus.COMPLETED)
        return
    if course.rehearsed:
        course.note(Event.HTTP_NOT_REHEARSED)
        course.go_on(StepStatus.COMPLETED, {})
        return
    course.note(Event.HTTP_REQUESTED)
    course.wait(RunState.REQUESTING)


def _wait_of(course: Course, step: Step, failed: Event) -> Millis | None:
    """When the wait of a step ends; None where the run ends instead."""
    try:
        return wait(step.controls, course.variables, course.subscriber.timezone, course.now)
    except NoTime as error:
        _fail(course, Event.DELAY_LIMIT_EXCEEDED if error.far else failed, {"error": str(error)})
        return None


def _put_off(course: Course, state: RunState, until: Millis, output: Json) -> None:
    """Wait; a rehearsal goes on as if it had."""
    if course.rehearsed:
        course.digest_under(None)
        course.go_on(StepStatus.COMPLETED, output)
        return
    course.note_result(StepResult(None, output))
    course.wait(state, until)


def _extended(course: Course, step: Step, ground: Ground, state: RunState) -> bool:
    """Whether a wait that is over goes on until the recipient may be disturbed."""
    if not step.controls.get("extendToSchedule"):
        return False
    opens = ground.opening(course)
    if opens is None or opens <= course.now:
        return False
    if course.run.extensions >= MOST_EXTENSIONS:
        course.note(Event.SCHEDULE_EXTENSIONS_SPENT)
        return False
    course.extend()
    course.note(Event.DEFERRED_TO_SCHEDULE, {"until": iso(opens)})
    course.wait(state, opens)
    return True


def _key(course: Course, step: Step, control: str) -> str:
    """What runs of a step that belong together share: their subscriber, and the value of a key."""
    group = group_of(step.controls.get(control), course.variables)
    names = (course.workflow.id, step.step_id, str(course.run.subscriber_pk), group)
    return derived_id("", *names)


def _fail(course: Course, event: Event, raw: Json) -> None:
    """A step that fails ends the workflow."""
    course.note(event, raw)
    course.stop(StepStatus.FAILED, Event.STEP_CANCELED)


_STEPS: dict[str, Callable[[Course, Step, Ground], None]] = {
    DELAY: _delay,
    DIGEST: _digest,
    THROTTLE: _throttle,
    CUSTOM: _custom,
    HTTP_REQUEST: _http_request,
}
