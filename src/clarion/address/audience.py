"""Who a broadcast or a topic trigger reaches, read a page and a chunk at a time, everybody once."""

from typing import NamedTuple

from sqlalchemy.engine import Connection

from clarion.model.people import Subscriber
from clarion.model.trigger import Trigger
from clarion.store import subscribers, topics


class Audience(NamedTuple):
    """A trigger's audience; `topic_ids` are those of its topics that exist, by key."""

    trigger: Trigger
    topic_ids: dict[str, str]

    @classmethod
    def of(cls, connection: Connection, trigger: Trigger) -> "Audience":
        """The audience of a trigger; a topic that nobody made has no members."""
        keys = [audience.topic_key for audience in trigger.topics]
        return cls(trigger, topics.ids_of(connection, trigger.environment_id, keys) if keys else {})

    def size(self, connection: Connection) -> int:
        """How many subscribers there are now, before anybody is left out."""
        if self.trigger.broadcast:
            return subscribers.total(connection, self.trigger.environment_id)
        return topics.audience(connection, list(self.topic_ids.values()))

    def bounds(self, connection: Connection, after: int, size: int, most: int) -> list[int]:
        """The last subscriber row of each of the next chunks."""
        if self.trigger.broadcast:
            return subscribers.bounds(connection, self.trigger.environment_id, after, size, most)
        return topics.bounds(connection, list(self.topic_ids.values()), after, size, most)

    def between(self, connection: Connection, after: int, upto: int) -> list[Subscriber]:
        """The recipients of a chunk. Those named beside the topics were addressed by name; the actor
        hears of their own doing only when named."""
        if self.trigger.broadcast:
            return subscribers.between(connection, self.trigger.environment_id, after, upto)
        named = {person.subscriber_id for person in self.trigger.people}
        if self.trigger.actor:
            named.add(self.trigger.actor.subscriber_id)
        excluded = {
            self.topic_ids[audience.topic_key]: set(audience.exclude)
            for audience in self.trigger.topics
            if audience.topic_key in self.topic_ids
        }
        members = topics.between(connection, list(self.topic_ids.values()), after, upto)
        return [
            subscriber
            for subscriber, through in members
            if subscriber.subscriber_id not in named
            and any(subscriber.subscriber_id not in excluded[topic_id] for topic_id in through)
        ]
