"""Who a broadcast or a topic trigger reaches, read a page and a chunk at a time, everybody once."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy.engine import Connection

from clarion.address.subscriptions import Subscriptions
from clarion.model.clock import Millis
from clarion.model.context import scope_in
from clarion.model.people import Subscriber
from clarion.model.trace import Detail, Event
from clarion.model.trigger import Trigger
from clarion.model.ways import Way, written
from clarion.store import subscribers, topics
from clarion.store.catalog import Snapshot
from clarion.store.topics import Membership
from clarion.workflow.plan import Recipient


class Audience(NamedTuple):
    """A trigger's audience; `topic_ids` are those of its topics that exist, by key."""

    trigger: Trigger
    topic_ids: dict[str, str]

    @classmethod
    def of(cls, connection: Connection, trigger: Trigger) -> "Audience":
        """The audience of a trigger; a topic that nobody made has no members."""
        keys = trigger.topic_keys
        return cls(trigger, topics.ids_of(connection, trigger.environment_id, keys) if keys else {})

    def size(self, connection: Connection) -> int:
        """How many subscribers there are now, before anybody is left out."""
        if self.trigger.broadcast:
            return subscribers.total(connection, self.trigger.environment_id)
        return topics.audience(connection, list(self.topic_ids.values()), self._scope)

    def bounds(self, connection: Connection, after: int, size: int, most: int) -> list[int]:
        """The last subscriber row of each of the next chunks."""
        if self.trigger.broadcast:
            return subscribers.bounds(connection, self.trigger.environment_id, after, size, most)
        return topics.bounds(connection, list(self.topic_ids.values()), self._scope, after, size, most)

    def between(
        self, connection: Connection, snapshot: Snapshot, after: int, upto: int, now: Millis
    ) -> list[Recipient]:
        """The recipients of a chunk, with those whose subscriptions don't want the trigger as refused."""
        if self.trigger.broadcast:
            found = subscribers.between(connection, self.trigger.environment_id, after, upto)
            return [Recipient(subscriber) for subscriber in found]
        workflow = snapshot.workflows.get(self.trigger.workflow_id)
        env = snapshot.variables_of(self.trigger.environment_id)
        asked = Subscriptions(self.trigger, workflow, env) if workflow else None
        places = {self.topic_ids[key]: place for key, place in self.places.items()}
        return [
            Recipient(
                subscriber,
                _refusal(asked, subscriber, through, now) if asked else None,
                written(Way(places[item.topic_id], item.pk) for item in through),
            )
            for subscriber, through in self._members(connection, after, upto)
        ]

    @property
    def places(self) -> dict[str, int]:
        """The place of each topic that exists, by key."""
        return {key: place for place, key in enumerate(self.trigger.topic_keys) if key in self.topic_ids}

    @property
    def _scope(self) -> str:
        """A topic is reached in exactly the contexts that the trigger names."""
        return scope_in(self.trigger.context)

    def _members(
        self, connection: Connection, after: int, upto: int
    ) -> Iterator[tuple[Subscriber, list[Membership]]]:
        """Members of the topics. Those named beside the topics were addressed by name; the actor hears of
        their own doing only when named."""
        named = {person.subscriber_id for person in self.trigger.people}
        if self.trigger.actor:
            named.add(self.trigger.actor.subscriber_id)
        excluded = {
            self.topic_ids[audience.topic_key]: set(audience.exclude)
            for audience in self.trigger.topics
            if audience.topic_key in self.topic_ids
        }
        members = topics.between(connection, list(self.topic_ids.values()), self._scope, after, upto)
        for subscriber, memberships in members:
            name = subscriber.subscriber_id
            through = [item for item in memberships if name not in excluded[item.topic_id]]
            if through and name not in named:
                yield subscriber, through


def _refusal(
    asked: Subscriptions, subscriber: Subscriber, through: list[Membership], now: Millis
) -> Detail | None:
    wanted = asked.want(subscriber, [item.preferences for item in through])
    if wanted.holds:
        return None
    raw = {"error": wanted.error} if wanted.error else None
    return Detail(Event.FILTERED_BY_SUBSCRIPTION.code, now, raw=raw)
