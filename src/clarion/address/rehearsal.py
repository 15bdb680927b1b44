"""What a trigger would come to: decided and composed as if it were sent, from what is stored; nothing is
written."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy.engine import Connection

from clarion.address.audience import Audience
from clarion.address.people import granted_through, too_many_tokens, unknown_integration
from clarion.check.frequency import longest
from clarion.compose.notification import Planned
from clarion.errors import LimitExceeded
from clarion.model.clock import Clock, Millis
from clarion.model.context import references, resolved, scope_in
from clarion.model.ids import derived_id
from clarion.model.people import Channel, Device, Subscriber
from clarion.model.trace import Detail
from clarion.model.trigger import ChannelGrant, Person, Trigger
from clarion.store import contexts, devices, frequency, preferences, subscribers, triggers
from clarion.store.catalog import Catalog, Snapshot
from clarion.store.database import Database
from clarion.store.triggers import Admission
from clarion.workflow.plan import Decided, Holdings, Plan, Recipient
from clarion.workflow.planner import Planner
from clarion.workflow.rehearsed import RehearsedTurns

MOST_REHEARSED = 100
"""Recipients that are decided on; of a larger audience the first."""


class Due(NamedTuple):
    """When a message would be sent, and until when it would be tried."""

    planned: Planned
    at: Millis
    ends_at: Millis


class Rehearsed(NamedTuple):
    """What would be done. `known`: the transaction was triggered before, so nothing would. `more` recipients
    there would be than were decided on. `due` is by message, `device_ids` are what the API calls devices."""

    decided: list[Decided] = []
    due: dict[str, Due] = {}
    device_ids: dict[int, str] = {}
    more: bool = False
    known: bool = False


class Rehearsal:
    """Decides on triggers that are not to be sent."""

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        clock: Clock,
        planner: Planner,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._clock = clock
        self._planner = planner

    async def of(self, trigger: Trigger) -> Rehearsed:
        """What a trigger would come to now."""
        snapshot = await self._catalog.current()
        return await self._database.read(self._rehearsed, snapshot, trigger)

    def _rehearsed(self, connection: Connection, snapshot: Snapshot, trigger: Trigger) -> Rehearsed:
        if triggers.progress(connection, trigger.environment_id, trigger.transaction_id):
            return Rehearsed(known=True)
        now = self._clock()
        trigger = _with_contexts(connection, trigger)
        cast = _Cast(connection, snapshot, trigger, now)
        recipients, more = cast.recipients()
        holdings = cast.holdings(recipients)
        plan = Plan(snapshot, holdings, self._planner.terms, now, thorough=True)
        admission = Admission(trigger, cancelled=False)
        plan.add(admission, recipients)
        decided = plan.decided
        if plan.started:
            rehearsed = RehearsedTurns(connection, snapshot, self._planner, trigger.environment_id, now)
            decided = rehearsed.decided(plan, admission, recipients)
        due = {
            item.message_id: Due(item, max(item.not_before, now), plan.end_of(now, item, item.not_before))
            for one in decided
            for item in one.composed.planned
        }
        return Rehearsed(decided, due, _device_ids(holdings), more)


class _Cast:
    """The recipients of a trigger as they would be: who isn't there yet has a row below zero."""

    def __init__(self, connection: Connection, snapshot: Snapshot, trigger: Trigger, now: Millis) -> None:
        self._connection = connection
        self._snapshot = snapshot
        self._trigger = trigger
        self._now = now
        self._granted: dict[int, list[Channel]] = {}

    def recipients(self) -> tuple[list[Recipient], bool]:
        """Those named, then those of the audience; whether there would be more."""
        people = {person.subscriber_id: person for person in self._trigger.people}
        names = list(people)
        known = subscribers.named(self._connection, self._trigger.environment_id, names)
        found = [
            self._named(person, known.get(name), place)
            for place, (name, person) in enumerate(people.items(), 1)
        ]
        further, more = self._audience(MOST_REHEARSED - len(found))
        return [*found, *further], more

    def holdings(self, recipients: Sequence[Recipient]) -> Holdings:
        """What they hold, and what the trigger would add to it."""
        pks = {item.subscriber.pk for item in recipients if item.subscriber.pk > 0}
        stored = devices.channels_of(self._connection, pks) if pks else {}
        scopes = [scope_in(self._trigger.context)]
        wishes = preferences.wishes(self._connection, pks, [self._trigger.workflow_id], scopes)
        caps = self._snapshot.caps_of(self._trigger.environment_id)
        uses = frequency.uses(self._connection, pks, self._now - longest(caps)) if caps and pks else []
        return Holdings({**stored, **self._granted}, wishes, uses)

    def _named(self, person: Person, known: Subscriber | None, place: int) -> Recipient:
        subscriber = known or self._newcomer(person.subscriber_id, -place)
        subscriber = msgspec.structs.replace(subscriber, **person.profile)
        return Recipient(subscriber, self._grant(subscriber, person))

    def _newcomer(self, name: str, pk: int) -> Subscriber:
        identity = derived_id(self._trigger.id, "subscriber", name)
        return Subscriber(pk, identity, self._trigger.environment_id, name, self._now, self._now)

    def _grant(self, subscriber: Subscriber, person: Person) -> Detail | None:
        if not person.channels:
            return None
        stored = devices.channels_of(self._connection, [subscriber.pk]).get(subscriber.pk, [])
        held = {channel.integration_id: channel for channel in stored}
        for grant in person.channels:
            integration = granted_through(self._snapshot, self._trigger, grant)
            if integration is None:
                return unknown_integration(self._now, grant)
            present = held.get(integration.id) or Channel(
                subscriber.pk, integration.provider_id, integration.id, integration.identifier
            )
            try:
                held[integration.id] = _with_tokens(present, grant)
            except LimitExceeded as error:
                return too_many_tokens(self._now, error)
        self._granted[subscriber.pk] = list(held.values())
        return None

    def _audience(self, room: int) -> tuple[list[Recipient], bool]:
        """The first of a broadcast or of topics."""
        if not (self._trigger.broadcast or self._trigger.topics):
            return [], False
        audience = Audience.of(self._connection, self._trigger)
        bounds = audience.bounds(self._connection, 0, max(room, 1), 2)
        if not bounds or room < 1:
            return [], bool(bounds)
        found = audience.between(self._connection, self._snapshot, 0, bounds[0], self._now)
        return found, len(bounds) > 1


def _with_contexts(connection: Connection, trigger: Trigger) -> Trigger:
    """The trigger with the data that its contexts would have."""
    if not trigger.context:
        return trigger
    keys = [named.key for named in references(trigger.context)]
    known = contexts.data_of(connection, trigger.environment_id, keys)
    return msgspec.structs.replace(trigger, context=resolved(trigger.context, known))


def _device_ids(holdings: Holdings) -> dict[int, str]:
    channels = (channel for held in holdings.channels.values() for channel in held)
    return {device.pk: device.id for channel in channels for device in channel.devices if device.pk}


def _with_tokens(channel: Channel, grant: ChannelGrant) -> Channel:
    """What a subscriber would hold; a token that isn't stored is no device yet."""
    present = {device.token: device for device in channel.devices}
    tokens = devices.merged(list(present), grant.device_tokens or (), append=True)
    made = [
        present.get(token) or Device(0, channel.subscriber_pk, channel.integration_id, token)
        for token in tokens
    ]
    url = channel.webhook_url if grant.webhook_url is None else grant.webhook_url
    return msgspec.structs.replace(channel, devices=made, webhook_url=url)
