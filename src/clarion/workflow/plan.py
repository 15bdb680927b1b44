"""What a batch of recipients comes to: notifications to write and deliveries to hand on."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from clarion.check.frequency import Cap, Use
from clarion.compose.fitting import Fitting
from clarion.compose.notification import Composed, Composer, Planned, id_of
from clarion.compose.overrides import severity_of
from clarion.compose.stepping import takes_turns
from clarion.journal.port import Record, waiting_lane
from clarion.model.clock import DAY, SECOND, Millis, iso
from clarion.model.context import scope_in
from clarion.model.people import Channel, Subscriber
from clarion.model.preference import is_critical
from clarion.model.push import Delivery, Json, PushMessage, Send
from clarion.model.run import Run, RunState
from clarion.model.schedule import Schedule, opening
from clarion.model.trace import Detail, Event
from clarion.model.trigger import Trigger
from clarion.model.workflow import SEND, SKIP, Step, Workflow
from clarion.store.catalog import Snapshot
from clarion.store.notifications import NewNotification
from clarion.store.preferences import Chosen, Wishes
from clarion.store.triggers import Admission
from clarion.workflow.capping import Capping

MOST_SENDS = 500
"""Sends in one journal record."""

MOST_TEXT = 256 * 1024
"""Characters of personal content in one journal record."""


class Holdings(NamedTuple):
    """What recipients hold, by row: where they can be reached, and what they chose to get; and what they got
    of late, where that counts."""

    channels: Mapping[int, Sequence[Channel]] = {}
    wishes: Chosen = Chosen()
    uses: Sequence[Use] = ()


class Recipient(NamedTuple):
    """A subscriber a trigger is for; `refused` says why it won't be sent to them, `through` by which ways
    of `model.ways` topics led to them."""

    subscriber: Subscriber
    refused: Detail | None = None
    through: str | None = None


class Terms(NamedTuple):
    """What holds for every plan: which providers' body carries the recipient's profile, how long messages are
    tried after they are made, how words are made fit to be sent."""

    wants_subscriber: Collection[str] = frozenset()
    lifetime: Millis = DAY
    fitting: Fitting = Fitting()


class Part(NamedTuple):
    """Steps of a workflow that a run has come to. `own` is what its variables name of each recipient alone,
    by their row; `through` the one integration that may be used, by its identifier. `awaited`: the runs wait
    for what becomes of the messages."""

    steps: Sequence[Step]
    own: Mapping[int, Json]
    through: str | None = None
    awaited: bool = False


class Decided(NamedTuple):
    """What was decided for a recipient of a trigger."""

    trigger: Trigger
    subscriber: Subscriber
    composed: Composed
    through: str | None = None


class Plan:
    """Collects recipient by recipient; with `thorough` what speaks for a push is noted too."""

    def __init__(
        self,
        snapshot: Snapshot,
        holdings: Holdings,
        terms: Terms,
        now: Millis,
        *,
        thorough: bool = False,
    ) -> None:
        self._thorough = thorough
        self._terms = terms
        self._snapshot = snapshot
        self._holdings = holdings
        self._now = now
        self._deliveries: dict[tuple[str, str, Millis, Millis], _Lot] = {}
        self._openings: dict[tuple[int, str | None], Millis | None] = {}
        self._capping = Capping(holdings.uses, now, thorough=thorough)
        self.decided: list[Decided] = []
        self.started: list[Run] = []

    def add(
        self, admission: Admission, recipients: Sequence[Recipient], part: Part | None = None
    ) -> list[Decided]:
        """Plan a trigger for recipients: its whole workflow, of which a run begins where a step takes time;
        or the part of it that runs have come to."""
        place = len(self.decided)
        self._add(admission, recipients, part)
        return self.decided[place:]

    def _add(self, admission: Admission, recipients: Sequence[Recipient], part: Part | None) -> None:
        trigger = admission.trigger
        workflow = self._snapshot.workflows.get(trigger.workflow_id)
        if admission.cancelled or workflow is None:
            why = Event.STEP_CANCELED if admission.cancelled else Event.WORKFLOW_MISSING
            for recipient in recipients:
                self._note(trigger, recipient, _nothing(trigger, recipient, Detail(why.code, self._now)))
        elif part is None and (trigger.send_at or takes_turns(workflow)):
            for recipient in recipients:
                self._begin(trigger, recipient)
        else:
            asked = self._asked(trigger, workflow, part)
            for recipient in recipients:
                composed = self._composed(asked, recipient)
                self._note(trigger, recipient, composed)
                self._hand_on(asked, recipient, composed)

    def _asked(self, trigger: Trigger, workflow: Workflow, part: Part | None) -> "_Asked":
        composer = Composer(
            trigger,
            workflow,
            self._snapshot.integrations,
            self._terms.wants_subscriber,
            self._now,
            self._snapshot.variables_of(trigger.environment_id),
            self._terms.fitting,
            self._snapshot.words_of(workflow),
            part.steps if part else None,
            thorough=self._thorough,
        )
        return _Asked(
            trigger,
            workflow,
            composer,
            part,
            self._now if part else trigger.accepted_at,
            self._snapshot.caps_of(trigger.environment_id),
            severity_of(trigger.overrides, workflow),
            is_critical(workflow),
            scope_in(trigger.context),
        )

    def _composed(self, asked: "_Asked", recipient: Recipient) -> Composed:
        """What a recipient gets, and when: what they hold and chose decides, then schedule and caps."""
        if recipient.refused:
            return _nothing(asked.trigger, recipient, recipient.refused)
        pk = recipient.subscriber.pk
        held, own = asked.of_part(pk, self._holdings.channels.get(pk, ()))
        wishes = self._holdings.wishes.of(pk, asked.scope)
        composed = asked.composer.compose(
            recipient.subscriber, held, wishes.channels if wishes else None, own
        )
        if wishes and wishes.schedule and asked.heeds_schedule:
            zones = _zones(recipient.subscriber, held)
            composed = self._scheduled(asked.workflow, composed, wishes.schedule, zones, asked.born)
        if not asked.caps:
            return composed
        return self._capping.kept(composed, pk, asked.caps, asked.severity, critical=asked.critical)

    def _hand_on(self, asked: "_Asked", recipient: Recipient, composed: Composed) -> None:
        for planned in composed.planned:
            lot = self._lot(asked.trigger, planned, asked.born)
            lot.add(asked.trigger, composed.id, recipient.subscriber.pk, planned, awaited=asked.awaited)

    @property
    def spent(self) -> list[Use]:
        """What counts towards the frequency caps."""
        return self._capping.spent

    @property
    def notifications(self) -> list[NewNotification]:
        """The notifications to write."""
        return [
            NewNotification(
                trigger.environment_id,
                composed.id,
                trigger.id,
                subscriber.pk,
                len(composed.planned),
                composed.details,
                self._now,
                through,
            )
            for trigger, subscriber, composed, through in self.decided
        ]

    def wishes_of(self, subscriber_pk: int, scope: str) -> Wishes | None:
        """What a recipient chose in a scope."""
        return self._holdings.wishes.of(subscriber_pk, scope)

    def records(self, lane_of: Callable[[str], str]) -> list[Record]:
        """The deliveries, as journal records of the lanes that `lane_of` gives their integrations, or of
        those that wait."""
        return [
            Record(
                (waiting_lane if not_before else lane_of)(delivery.integration_id),
                msgspec.msgpack.encode(delivery),
                not_before,
            )
            for (environment_id, integration_id, expires_at, not_before), lot in self._deliveries.items()
            for delivery in lot.deliveries(environment_id, integration_id, expires_at)
        ]

    def _scheduled(
        self,
        workflow: Workflow,
        composed: Composed,
        schedule: Schedule,
        zones: Mapping[int, str | None],
        born: Millis,
    ) -> Composed:
        """Each message when its recipient may be disturbed, but for those whose time would be over then, and
        those that are not to wait."""
        details, planned = list(composed.details), []
        for item in composed.planned:
            zone = zones[item.device_id]
            opens = self._opening(schedule, zone)
            late = opens is None or (opens > self._now and opens >= self.end_of(born, item, opens))
            if opens is None or late or (opens > self._now and workflow.outside_schedule == SKIP):
                details.append(self._about(Event.OUTSIDE_SCHEDULE, item, {"timezone": zone or "UTC"}))
                continue
            if opens > self._now:
                told = {"until": iso(opens), "timezone": zone or "UTC"}
                details.append(self._about(Event.DEFERRED_TO_SCHEDULE, item, told))
                item = item._replace(not_before=opens)
            elif self._thorough:
                details.append(self._about(Event.SCHEDULE_OPEN, item, {"timezone": zone or "UTC"}))
            planned.append(item)
        return composed._replace(planned=planned, details=details)

    def _opening(self, schedule: Schedule, zone: str | None) -> Millis | None:
        """When a schedule opens; many recipients share theirs."""
        key = (id(schedule), zone)
        if key not in self._openings:
            self._openings[key] = opening(schedule, zone, self._now)
        return self._openings[key]

    def _about(self, event: Event, item: Planned, raw: dict[str, str]) -> Detail:
        named = raw if item.device_id else {**raw, "deviceToken": item.token}
        return Detail(event.code, self._now, item.step_id, "", item.message_id, named, item.device_id)

    def _note(self, trigger: Trigger, recipient: Recipient, composed: Composed) -> None:
        self.decided.append(Decided(trigger, recipient.subscriber, composed, recipient.through))

    def _begin(self, trigger: Trigger, recipient: Recipient) -> None:
        """A run for a recipient who isn't refused."""
        why = [recipient.refused] if recipient.refused else []
        composed = Composed(id_of(trigger, recipient.subscriber), [], why)
        self._note(trigger, recipient, composed)
        if not why:
            run = Run(
                trigger.environment_id,
                composed.id,
                trigger.id,
                recipient.subscriber.pk,
                0,
                RunState.RUNNING,
                self._now,
            )
            self.started.append(run)

    def _lot(self, trigger: Trigger, planned: Planned, born: Millis) -> "_Lot":
        """Triggers of the same second share records."""
        expires_at = self.end_of(born, planned, planned.not_before)
        key = (trigger.environment_id, planned.integration_id, expires_at, planned.not_before)
        return self._deliveries.setdefault(key, _Lot())

    def end_of(self, born: Millis, planned: Planned, not_before: Millis) -> Millis:
        """Until when a message is tried. What waits for a schedule has all its tries ahead of it, but the
        time to live that was asked for counts from when it was `born`: when its trigger was accepted, or its
        run came to its step."""
        second = born // SECOND * SECOND
        own = planned.personal.presentation if planned.personal else None
        ttl = (own or planned.content.presentation).ttl
        tried_until = max(second, not_before) + self._terms.lifetime
        return tried_until if ttl is None else min(tried_until, second + ttl * SECOND)


class _Asked(NamedTuple):
    """What is asked for, the same for every recipient. `born` is when: what waits for a schedule, or lives
    for a while, counts from then."""

    trigger: Trigger
    workflow: Workflow
    composer: Composer
    part: Part | None
    born: Millis
    caps: Sequence[Cap]
    severity: str
    critical: bool
    scope: str

    @property
    def heeds_schedule(self) -> bool:
        return self.workflow.outside_schedule != SEND and not self.critical

    @property
    def awaited(self) -> bool:
        return self.part is not None and self.part.awaited

    def of_part(self, pk: int, held: Sequence[Channel]) -> tuple[Sequence[Channel], Json]:
        """What of a recipient's channels may be used, and what variables name of them alone."""
        if self.part is None:
            return held, {}
        through = self.part.through
        usable = [item for item in held if through in (None, item.integration_identifier)]
        return usable, self.part.own.get(pk, {})


class _Lot:
    """Sends of one integration, cut into records of bounded size."""

    def __init__(self) -> None:
        self._sends: list[tuple[Send, PushMessage]] = []

    def add(
        self,
        trigger: Trigger,
        notification_id: str,
        subscriber_pk: int,
        planned: Planned,
        *,
        awaited: bool,
    ) -> None:
        send = Send(
            planned.message_id,
            notification_id,
            trigger.id,
            planned.step_id,
            subscriber_pk,
            planned.device_id,
            planned.token,
            0,
            planned.personal,
            awaited=awaited,
        )
        self._sends.append((send, planned.content))

    def deliveries(self, environment_id: str, integration_id: str, expires_at: Millis) -> Iterator[Delivery]:
        for part in self._parts():
            contents = list({id(content): content for _, content in part}.values())
            index = {id(content): position for position, content in enumerate(contents)}
            sends = [msgspec.structs.replace(send, content=index[id(content)]) for send, content in part]
            yield Delivery(environment_id, integration_id, expires_at, contents, sends)

    def _parts(self) -> Iterator[list[tuple[Send, PushMessage]]]:
        part: list[tuple[Send, PushMessage]] = []
        text = 0
        for send, content in self._sends:
            if len(part) >= MOST_SENDS or text > MOST_TEXT:
                yield part
                part, text = [], 0
            part.append((send, content))
            text += _length(send)
        if part:
            yield part


def _zones(subscriber: Subscriber, held: Sequence[Channel]) -> Mapping[int, str | None]:
    """The zone of each device: its own, else the subscriber's, as for a token that is no device of theirs."""
    own = {device.pk: device.timezone for channel in held for device in channel.devices if device.timezone}
    return defaultdict(lambda: subscriber.timezone, own)


def _length(send: Send) -> int:
    own = send.personal
    if own is None:
        return 0
    said = len(own.title or "") + len(own.body or "") + len(str(own.subscriber.get("data") or ""))
    return said if own.override is None else said + len(str(own.override)) + len(str(own.passthrough))


def _nothing(trigger: Trigger, recipient: Recipient, why: Detail) -> Composed:
    return Composed(id_of(trigger, recipient.subscriber), [], [why])
