"""A run as it moves through its steps in one turn. Holds values only; it is written when the turn ends."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import msgspec

from clarion.compose.variables import STEP, profile
from clarion.model.clock import Millis, iso
from clarion.model.people import Subscriber
from clarion.model.push import Json
from clarion.model.run import Run, RunState, StepResult, StepStatus
from clarion.model.trace import Detail, Event
from clarion.model.trigger import Trigger
from clarion.model.workflow import DIGEST, Step, Workflow
from clarion.store.runs import Kept, Tally, Written

Gathered = Callable[[Run], Sequence[Trigger]]
"""The triggers of the events that a run's digest gathered, the first ones."""


class Course:
    """One run in one turn, `before` it and now. `begins`: it has not come to a step yet. `woken` is what it
    waited for when the turn began, until a step takes note of it.

    `shared` are the variables that all runs of its trigger share. One that is `rehearsed` waits for nothing.
    """

    def __init__(
        self,
        kept: Kept,
        trigger: Trigger,
        workflow: Workflow,
        subscriber: Subscriber,
        shared: Json,
        gathered: Gathered,
        now: Millis,
        tallies: Mapping[str, Tally] = {},
        *,
        rehearsed: bool = False,
    ) -> None:
        self.before = self.run = kept.run
        self.trigger = trigger
        self.workflow = workflow
        self.subscriber = subscriber
        self.now = now
        self.rehearsed = rehearsed
        self.tallies = tallies
        self.woken: RunState | None = kept.run.state if kept.run.state is not RunState.RUNNING else None
        self.planned = 0
        self.details = list(kept.details)
        self._shared = shared
        self._gathered = gathered
        self.begins = not kept.run.step_id
        self._set(state=RunState.RUNNING, wake_at=None, turn=kept.run.turn + 1)
        self._find_place()

    @property
    def step(self) -> Step | None:
        """The step it stands at; None behind the last one."""
        steps = self.workflow.steps
        return steps[self.run.position] if self.run.position < len(steps) else None

    @property
    def moves(self) -> bool:
        """Whether it can go on in this turn."""
        return self.run.state is RunState.RUNNING

    @property
    def written(self) -> Written:
        """What the turn came to."""
        return Written(self.run, self.planned, self.details)

    @property
    def own(self) -> Json:
        """What templates name of this run alone, as `steps` and `step`."""
        return {"steps": self._outputs(), "step": self._digest()}

    @property
    def variables(self) -> Json:
        """What templates and conditions can name."""
        return {**self._shared, "subscriber": profile(self.subscriber), **self.own}

    @cached_property
    def events(self) -> list[Json]:
        """What its digest gathered, its own trigger among it, in order; at most the first thousand."""
        return [
            {"id": trigger.id, "time": iso(trigger.accepted_at), "payload": trigger.payload}
            for trigger in self._gathered(self.run)
        ]

    def note(self, event: Event, raw: Json | None = None, step_id: str | None = None) -> None:
        """Add a line about the step it stands at."""
        about = self.run.step_id if step_id is None else step_id
        self.details.append(Detail(event.code, self.now, about, raw=raw))

    def take_waking(self) -> RunState | None:
        """What it was woken from, once."""
        woken, self.woken = self.woken, None
        return woken

    def result(self, step_id: str) -> StepResult:
        """What a step came to so far."""
        return self.run.results.get(step_id, StepResult())

    def note_result(self, result: StepResult, step_id: str | None = None) -> None:
        """Note what a step came to so far."""
        name = self.run.step_id if step_id is None else step_id
        self._set(results={**self.run.results, name: result})

    def go_on(self, status: StepStatus, output: Json | None = None) -> None:
        """Leave the step behind."""
        kept = self.result(self.run.step_id).output if output is None else output
        self.note_result(StepResult(status, kept))
        self._stand_at(self.run.position + 1)

    def hold_until(self, at: Millis) -> None:
        """Begin later."""
        self.note(Event.STEP_DELAYED, {"until": iso(at)}, "")
        self._set(state=RunState.DELAYED, step_id="", wake_at=at)

    def wait(self, state: RunState, until: Millis | None = None) -> None:
        """End the turn until a time, or until it is woken."""
        self.note_result(msgspec.structs.replace(self.result(self.run.step_id), until=until))
        self._set(state=state, wake_at=until)

    def digest_under(self, key: str | None) -> None:
        """Let others of the key be merged into this run; None: no more."""
        self._set(digest_key=key)

    def merge_into(self, main: str) -> None:
        """Leave its event to the digest of another run."""
        self.note_result(StepResult(StepStatus.MERGED))
        self._set(state=RunState.MERGED, merged_into=main)

    def extend(self) -> None:
        """Count that its step was put off to the recipient's schedule."""
        self._set(extensions=self.run.extensions + 1)

    def stop(self, status: StepStatus, why: Event) -> None:
        """End the run at its step; `why` is noted for every later one."""
        self.note_result(msgspec.structs.replace(self.result(self.run.step_id), status=status, until=None))
        for step in self.workflow.steps[self.run.position + 1 :]:
            self.note(why, step_id=step.step_id)
        self._set(state=RunState.STOPPED)

    def cancel(self) -> None:
        """End the run: its trigger is to do nothing more."""
        self.note(Event.STEP_CANCELED)
        self._set(state=RunState.CANCELLED, digest_key=None, merged_into=None)

    def _find_place(self) -> None:
        """Where its step is now: the workflow may have been edited since; one that is gone is left behind."""
        names = [step.step_id for step in self.workflow.steps]
        if self.run.step_id in names:
            self._stand_at(names.index(self.run.step_id), moved=False)
            return
        self._stand_at(self.run.position)
        if not self.begins:
            self.woken = None

    def _stand_at(self, position: int, *, moved: bool = True) -> None:
        steps = self.workflow.steps
        if position >= len(steps):
            self._set(position=len(steps), step_id="", state=RunState.COMPLETED)
            return
        self._set(position=position, step_id=steps[position].step_id)
        if moved:
            self._set(extensions=0)

    def _outputs(self) -> Json:
        return {
            step_id: self._with_events(result.output) if "eventCount" in result.output else result.output
            for step_id, result in self.run.results.items()
        }

    def _with_events(self, output: Json) -> Json:
        return {**output, "events": self.events}

    def _digest(self) -> Json:
        """What the last digest gathered."""
        types = {step.step_id: step.type for step in self.workflow.steps}
        outputs = [
            result.output
            for step_id, result in self.run.results.items()
            if types.get(step_id) == DIGEST and "eventCount" in result.output
        ]
        if not outputs:
            return STEP
        last = outputs[-1]
        return {"digest": last["digest"], "events": self.events, "total_count": last["eventCount"]}

    def _set(self, **fields: object) -> None:
        self.run = msgspec.structs.replace(self.run, **fields)
