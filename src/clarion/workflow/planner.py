"""Plans what a batch of recipients comes to, with what the store holds of them."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy.engine import Connection

from clarion.check.frequency import Use, longest
from clarion.model.clock import Clock, Millis
from clarion.model.context import scope_in
from clarion.store import devices, frequency, preferences
from clarion.store.catalog import Snapshot
from clarion.store.triggers import Admission
from clarion.workflow.plan import Holdings, Plan, Recipient, Terms


class Addressed(NamedTuple):
    """A trigger and the recipients it is handled for now."""

    admission: Admission
    recipients: Sequence[Recipient]


class Planner:
    """Makes plans on the same terms."""

    def __init__(self, terms: Terms, clock: Clock) -> None:
        self.terms = terms
        self._clock = clock

    def counted(self, connection: Connection, snapshot: Snapshot, addressed: Sequence[Addressed]) -> Plan:
        """A plan, with what it uses up of frequency caps counted in the same change."""
        plan, since = self.ready(connection, snapshot, addressed)
        add_all(plan, addressed)
        frequency.spend(connection, plan.spent, since)
        return plan

    def ready(
        self, connection: Connection, snapshot: Snapshot, addressed: Sequence[Addressed]
    ) -> tuple[Plan, Millis]:
        """An empty plan for these recipients, who are nobody else's to decide on where a frequency cap may
        hold something back; and since when pushes count towards one."""
        held = holdings(connection, addressed)
        now = self._clock()
        if not is_capped(snapshot, addressed):
            return self.plan(snapshot, held), now
        uses, since = _uses(connection, snapshot, addressed, now)
        return self.plan(snapshot, held._replace(uses=uses)), since

    def plan(self, snapshot: Snapshot, held: Holdings) -> Plan:
        """An empty plan."""
        return Plan(snapshot, held, self.terms, self._clock())


def add_all(plan: Plan, addressed: Sequence[Addressed]) -> None:
    """Plan triggers for their recipients."""
    for item in addressed:
        plan.add(item.admission, item.recipients)


def holdings(connection: Connection, addressed: Sequence[Addressed]) -> Holdings:
    """What all recipients hold."""
    pks = {recipient.subscriber.pk for item in addressed for recipient in item.recipients}
    if not pks:
        return Holdings()
    found = [item.admission.trigger for item in addressed]
    workflow_ids = {trigger.workflow_id for trigger in found}
    scopes = {scope_in(trigger.context) for trigger in found}
    wishes = preferences.wishes(connection, pks, workflow_ids, scopes)
    return Holdings(devices.channels_of(connection, pks), wishes)


def is_capped(snapshot: Snapshot, addressed: Sequence[Addressed]) -> bool:
    """Whether a frequency cap may hold something back."""
    return any(snapshot.caps_of(item.admission.trigger.environment_id) for item in addressed)


def _uses(
    connection: Connection, snapshot: Snapshot, addressed: Sequence[Addressed], now: Millis
) -> tuple[list[Use], Millis]:
    """What recipients got of late where that is capped, and since when that counts. Nobody else decides on
    them until the change ends."""
    by_environment: dict[str, set[int]] = {}
    for item in addressed:
        pks = {recipient.subscriber.pk for recipient in item.recipients}
        by_environment.setdefault(item.admission.trigger.environment_id, set()).update(pks)
    found: list[Use] = []
    since = now
    for environment_id, pks in by_environment.items():
        back = now - longest(snapshot.caps_of(environment_id))
        if pks and back < now:
            frequency.lock(connection, environment_id, pks)
            found += frequency.uses(connection, pks, back)
            since = min(since, back)
    return found, since
