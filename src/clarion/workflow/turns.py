"""Lets runs take their next turn: each goes from step to step until it has to wait, or ends."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy.engine import Connection

from clarion.check.timing import NoTime, send_time
from clarion.compose.variables import variables
from clarion.journal.port import Record, bulk_lane, deliver_lane, recall_lane, request_lane
from clarion.journal.turns import turn_records
from clarion.model.clock import SECOND, Millis
from clarion.model.context import scope_in
from clarion.model.people import Subscriber
from clarion.model.preference import is_critical
from clarion.model.push import Json
from clarion.model.run import (
    ANY_TURN,
    OPEN,
    Fetch,
    Recall,
    Run,
    RunState,
    StepResult,
    Turn,
)
from clarion.model.schedule import opening
from clarion.model.trace import Detail, Event
from clarion.model.trigger import Trigger
from clarion.model.workflow import DIGEST, PUSH_STEP, SEND, THROTTLE, Workflow
from clarion.store import frequency, runs, subscribers, triggers
from clarion.store.catalog import Snapshot
from clarion.store.runs import Kept, Tally
from clarion.store.triggers import Admission
from clarion.workflow.course import Course
from clarion.workflow.plan import Part, Plan, Recipient
from clarion.workflow.planner import Addressed, Planner
from clarion.workflow.pushes import awaits, is_asked_about, note_planned, way_of
from clarion.workflow.steps import holds, perform

MOST_RECALLED = 500
"""Runs that are recalled at a time."""

PAUSE: Millis = SECOND
"""How long runs of a paused trigger rest before they look again."""

_Timed = tuple[str, bool, Millis, Turn]
"""A turn: of an environment's runs, whether of a broadcast, and when."""


def first_turns(begun: Sequence[Run], *, bulk: bool) -> list[Record]:
    """The records by which runs take their first turn."""
    return _records((item.environment_id, bulk, 0, Turn(item.id, 0)) for item in begun)


class Going(NamedTuple):
    """Runs on their way in this pass, and turns that are to be taken later without any now."""

    courses: list[Course]
    later: list["_Timed"]


class TurnTaker:
    """One pass over runs of an environment, as a part of one change. A dry run reads and writes nothing."""

    def __init__(
        self, connection: Connection, snapshot: Snapshot, planner: Planner, environment_id: str, now: Millis
    ) -> None:
        self._connection = connection
        self._snapshot = snapshot
        self._planner = planner
        self._environment_id = environment_id
        self._now = now
        self._shared: dict[str, Json] = {}
        self._digests: dict[str, str | None] = {}
        self._admissions: dict[str, Admission] = {}
        self._records: list[Record] = []
        self.written: list[runs.Written] = []
        self.taken: Sequence[Course] = ()
        self.plan: Plan

    def take(self, turns: Sequence[Turn]) -> tuple[list[Record], list[Record]]:
        """Let runs take these turns; what is to be delivered, and what the step runner has to do next."""
        wanted = {turn.run_id: turn.turn for turn in turns}
        self._hold(wanted)
        found = runs.held(self._connection, self._environment_id, wanted)
        due = [kept for kept in found if kept.run.state in OPEN and _is_due(kept.run, wanted[kept.run.id])]
        going = self._going(due, wanted)
        since = self._prepare(going.courses)
        self.go(going.courses)
        self.taken = going.courses
        frequency.spend(self._connection, self.plan.spent, since)
        self._write(going.courses)
        bulk = any(course.run.bulk for course in going.courses)
        deliveries = self.plan.records(bulk_lane if bulk else deliver_lane)
        return deliveries, [*self._records, *self._next(going.courses), *_records(going.later)]

    def recall(self, trigger_id: str, after: str) -> list[Record]:
        """End the runs of a cancelled trigger that may still do something; digests go on without them."""
        place = (self._environment_id, trigger_id)
        ids = runs.of_trigger(self._connection, place, after, MOST_RECALLED)
        self._hold(ids)
        found = runs.held(self._connection, self._environment_id, ids)
        for course in self._courses([kept for kept in found if not _is_over(kept.run)]):
            self._cancel(course)
        self._write([])
        if len(ids) == MOST_RECALLED:
            more = Recall(self._environment_id, trigger_id, ids[-1])
            self._records.append(Record(recall_lane(self._environment_id), msgspec.msgpack.encode(more)))
        return self._records

    def go(self, courses: Sequence[Course]) -> None:
        """Move every run until it waits or ends; those that come to the same push are planned together."""
        moving = [course for course in courses if self._may_go(course)]
        while moving:
            pushing: dict[tuple[str, str, str | None], list[Course]] = defaultdict(list)
            for course in moving:
                through = self._advance(course)
                if course.moves and course.step is not None:
                    pushing[course.trigger.id, course.run.step_id, through].append(course)
            for (_, _, through), together in pushing.items():
                self._push(together, through)
            moving = [course for course in moving if course.moves and course.step is not None]

    def courses_for(
        self, kept: Sequence[Kept], people: dict[int, Subscriber], *, rehearsed: bool = False
    ) -> list[Course]:
        """Runs on their way, for whom there is a recipient and a workflow."""
        ids = [item.run.id for item in kept if item.run.results]
        tallies: dict[str, dict[str, Tally]] = defaultdict(dict)
        for (run_id, step_id), tally in self._tallies(ids).items():
            tallies[run_id][step_id] = tally
        found: list[Course] = []
        for item in kept:
            admission = self._admissions.get(item.run.trigger_id)
            workflow = self._snapshot.workflows.get(admission.trigger.workflow_id) if admission else None
            person = people.get(item.run.subscriber_pk)
            if admission is None or workflow is None or person is None:
                self._bury(item)
                continue
            shared = self._variables(admission.trigger, workflow)
            found.append(
                Course(
                    item,
                    admission.trigger,
                    workflow,
                    person,
                    shared,
                    self._gathered,
                    self._now,
                    tallies[item.run.id],
                    rehearsed=rehearsed,
                )
            )
        return found

    def admit(self, admissions: Iterable[Admission]) -> None:
        """These are the triggers that the runs belong to."""
        self._admissions |= {item.trigger.id: item for item in admissions}

    # What steps ask of other runs.

    def uses(self, subscriber_pk: int, key: str, since: Millis, but: str) -> int:
        """How many other runs of a subscriber passed a step under a key since then."""
        return runs.uses(self._connection, subscriber_pk, key, since, but)

    def use(self, subscriber_pk: int, key: str, run_id: str, at: Millis, since: Millis) -> None:
        """Note that a run passed."""
        runs.use(self._connection, subscriber_pk, key, run_id, at, since)

    def digesting(self, environment_id: str, key: str) -> str | None:
        """The run into which others of a key are merged."""
        if key not in self._digests:
            self._digests[key] = runs.digesting(self._connection, environment_id, key)
        return self._digests[key]

    def digests(self, key: str, run_id: str | None) -> None:
        """A run begins to digest under a key; None: it ends."""
        self._digests[key] = run_id

    def merged(self, environment_id: str, run_id: str) -> int:
        """How many runs were merged into one."""
        return len(runs.merged_into(self._connection, environment_id, run_id))

    def opening(self, course: Course) -> Millis | None:
        """When the recipient may next be disturbed, where their schedule counts."""
        if course.workflow.outside_schedule == SEND or is_critical(course.workflow):
            return None
        wishes = self.plan.wishes_of(course.run.subscriber_pk, scope_in(course.trigger.context))
        if not wishes or not wishes.schedule:
            return None
        return opening(wishes.schedule, course.subscriber.timezone, self._now)

    # The way of a run.

    def _may_go(self, course: Course) -> bool:
        """Whether a run does anything in this turn; one whose trigger was cancelled ends."""
        if self._admissions[course.trigger.id].cancelled:
            self._cancel(course)
            return False
        if course.begins and not course.rehearsed and course.trigger.send_at and course.woken is None:
            at = _start_of(course, self._now)
            if at > self._now:
                course.hold_until(at)
                return False
        if course.begins:
            course.take_waking()
        return course.moves

    def _advance(self, course: Course) -> str | None:
        """Go on until the run waits, ends or stands at a push that is to be planned; through which
        integration alone, if it is through one."""
        while course.moves and (step := course.step) is not None:
            if awaits(course, step):
                if course.woken is None:
                    course.note(Event.AWAITING_OUTCOME)
                course.wait(RunState.AWAITING)
                return None
            if step.type == PUSH_STEP:
                through = way_of(course, step)
                if through is not None:
                    return through or None
                continue
            if holds(course, step):
                perform(course, step, self)
        return None

    def _push(self, together: Sequence[Course], through: str | None) -> None:
        """Plan a push for runs of one trigger that stand at the same step."""
        step = together[0].step
        assert step is not None
        awaited = through is not None or is_asked_about(together[0], step)
        part = Part([step], {course.run.subscriber_pk: course.own for course in together}, through, awaited)
        people = [Recipient(course.subscriber) for course in together]
        decided = self.plan.add(self._admissions[together[0].trigger.id], people, part)
        for course, found in zip(together, decided, strict=True):
            note_planned(course, step, found, through)

    # What a pass begins and ends with.

    def _hold(self, ids: Iterable[str]) -> None:
        """Read the triggers of runs, and see that nobody else decides on their subscribers where what one run
        does depends on others."""
        names = list(ids)
        found = runs.belonging(self._connection, self._environment_id, names)
        self.admit(triggers.many(self._connection, {trigger_id for _, trigger_id in found}))
        workflows = (
            self._snapshot.workflows.get(item.trigger.workflow_id) for item in self._admissions.values()
        )
        if any(item and _depends_on_others(item) for item in workflows):
            frequency.lock(self._connection, self._environment_id, {pk for pk, _ in found})

    def _going(self, due: Sequence[Kept], wanted: dict[str, int]) -> Going:
        """Those whose trigger is paused rest; digests that end come first, so that what comes now begins
        another."""
        resting = [kept.run for kept in due if self._is_paused(kept.run)]
        courses = self._courses([kept for kept in due if not self._is_paused(kept.run)])
        courses.sort(key=lambda course: (course.woken is not RunState.DIGESTING, course.run.order))
        again = self._now + PAUSE
        later = [(run.environment_id, run.bulk, again, Turn(run.id, wanted[run.id])) for run in resting]
        return Going(courses, later)

    def _is_paused(self, run: Run) -> bool:
        admission = self._admissions.get(run.trigger_id)
        return admission is not None and admission.paused and not admission.cancelled

    def _courses(self, kept: Sequence[Kept]) -> list[Course]:
        people = subscribers.by_pk(self._connection, {item.run.subscriber_pk for item in kept})
        return self.courses_for(kept, people)

    def _tallies(self, ids: Sequence[str]) -> dict[tuple[str, str], Tally]:
        return runs.tallies(self._connection, self._environment_id, ids) if ids else {}

    def _prepare(self, courses: Sequence[Course]) -> Millis:
        """A plan for these runs; since when pushes count towards a frequency cap."""
        by_trigger: dict[str, list[Recipient]] = defaultdict(list)
        for course in courses:
            by_trigger[course.trigger.id].append(Recipient(course.subscriber))
        addressed = [Addressed(self._admissions[name], people) for name, people in by_trigger.items()]
        self.plan, since = self._planner.ready(self._connection, self._snapshot, addressed)
        return since

    def _write(self, courses: Iterable[Course]) -> None:
        runs.write(self._connection, [*self.written, *(course.written for course in courses)])

    def _next(self, courses: Iterable[Course]) -> list[Record]:
        """What runs that wait have to be woken for."""
        timed, requests = [], []
        for course in courses:
            run = course.run
            if run.wake_at is not None and run.state in OPEN:
                timed.append((run.environment_id, run.bulk, run.wake_at, Turn(run.id, run.turn)))
            elif run.state is RunState.REQUESTING:
                fetch = Fetch(run.environment_id, run.id, run.turn)
                requests.append(Record(request_lane(run.environment_id), msgspec.msgpack.encode(fetch)))
        return [*_records(timed), *requests]

    def _cancel(self, course: Course) -> None:
        """End a run; the digest it gathered goes on with the oldest event of another trigger."""
        old = course.before
        course.cancel()
        self.written.append(course.written)
        if old.digest_key is not None:
            self._promote(old)

    def _promote(self, old: Run) -> None:
        ids = runs.merged_into(self._connection, old.environment_id, old.id)
        kept = runs.held(self._connection, old.environment_id, ids)
        self.admit(triggers.many(self._connection, {item.run.trigger_id for item in kept}))
        heirs = [item for item in kept if not self._is_cancelled(item.run)]
        heirs.sort(key=lambda item: item.run.order)
        if old.digest_key is not None:
            self.digests(old.digest_key, heirs[0].run.id if heirs else None)
        if not heirs:
            return
        heir = heirs[0]
        wake_at = max(old.wake_at or 0, self._now)
        run = msgspec.structs.replace(
            heir.run,
            turn=heir.run.turn + 1,
            state=RunState.DIGESTING,
            wake_at=wake_at,
            digest_key=old.digest_key,
            merged_into=None,
            results={**heir.run.results, heir.run.step_id: old.results.get(old.step_id, StepResult())},
        )
        runs.hand_over(self._connection, old.environment_id, old.id, run.id)
        self.written.append(runs.Written(run, 0, heir.details))
        turn = (run.environment_id, run.bulk, wake_at, Turn(run.id, run.turn))
        self._records += _records([turn])

    def _is_cancelled(self, run: Run) -> bool:
        admission = self._admissions.get(run.trigger_id)
        return admission is None or admission.cancelled

    def _bury(self, kept: Kept) -> None:
        """End a run that has lost its workflow."""
        gone = msgspec.structs.replace(kept.run, state=RunState.CANCELLED, wake_at=None, digest_key=None)
        detail = Detail(Event.WORKFLOW_MISSING.code, self._now, gone.step_id)
        self.written.append(runs.Written(gone, 0, [*kept.details, detail]))

    def _variables(self, trigger: Trigger, workflow: Workflow) -> Json:
        if trigger.id not in self._shared:
            env = self._snapshot.variables_of(self._environment_id)
            self._shared[trigger.id] = variables(trigger, workflow, env)
        return self._shared[trigger.id]

    def _gathered(self, run: Run) -> list[Trigger]:
        return runs.events(self._connection, run.environment_id, run.id)


def _records(timed: Iterable[_Timed]) -> list[Record]:
    """Turns as records, those of a lane and a moment together."""
    together: dict[tuple[str, bool, Millis], list[Turn]] = defaultdict(list)
    for environment_id, bulk, at, turn in timed:
        together[environment_id, bulk, at].append(turn)
    return [
        record
        for (environment_id, bulk, at), turns in together.items()
        for record in turn_records(environment_id, turns, bulk=bulk, at=at)
    ]


def _is_due(run: Run, turn: int) -> bool:
    return run.state is RunState.AWAITING if turn == ANY_TURN else run.turn == turn


def _is_over(run: Run) -> bool:
    return run.state not in OPEN and run.state is not RunState.MERGED


def _start_of(course: Course, now: Millis) -> Millis:
    """When a run whose trigger asked for a time begins."""
    try:
        return send_time(course.trigger.send_at, course.subscriber.timezone, course.trigger.accepted_at)
    except NoTime:  # refused where it was accepted; one that a later version refuses begins at once
        return now


def _depends_on_others(workflow: Workflow) -> bool:
    return any(step.type in (DIGEST, THROTTLE) for step in workflow.steps)
