"""What runs would come to: their steps one after the other as if nothing had to be waited for.

A push counts as delivered, an HTTP request as answered with nothing; other runs are looked at and left alone.
"""

from collections.abc import Sequence

from clarion.compose.notification import Composed, Planned
from clarion.model.clock import Millis
from clarion.model.run import Run
from clarion.model.trigger import Trigger
from clarion.store.runs import Kept, Tally
from clarion.store.triggers import Admission
from clarion.workflow.plan import Decided, Plan, Recipient
from clarion.workflow.turns import TurnTaker


class RehearsedTurns(TurnTaker):
    """Turns of runs that are nowhere written."""

    def decided(self, plan: Plan, admission: Admission, recipients: Sequence[Recipient]) -> list[Decided]:
        """What was decided for each recipient, through all steps; `plan` has begun their runs."""
        begun = list(plan.decided)
        self.plan = plan
        self.admit([admission])
        people = {item.subscriber.pk: item.subscriber for item in recipients}
        courses = self.courses_for([Kept(run, []) for run in plan.started], people, rehearsed=True)
        self.go(courses)
        planned: dict[str, list[Planned]] = {}
        for item in plan.decided:
            planned.setdefault(item.composed.id, []).extend(item.composed.planned)
        told = {course.run.id: course.details for course in courses}
        return [
            Decided(
                item.trigger,
                item.subscriber,
                Composed(
                    item.composed.id,
                    planned[item.composed.id],
                    told.get(item.composed.id, item.composed.details),
                ),
            )
            for item in begun
        ]

    def use(self, subscriber_pk: int, key: str, run_id: str, at: Millis, since: Millis) -> None:
        """Nothing is noted."""

    def _gathered(self, run: Run) -> list[Trigger]:
        return [self._admissions[run.trigger_id].trigger]

    def _tallies(self, ids: Sequence[str]) -> dict[tuple[str, str], Tally]:
        return {}
