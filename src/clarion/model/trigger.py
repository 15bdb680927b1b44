"""A trigger as accepted: who asked what of which workflow, for whom."""

from typing import Any

import msgspec

from clarion.model.clock import Millis
from clarion.model.push import Json


class ChannelGrant(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tokens that arrive with a trigger or a credential call, for one provider."""

    provider_id: str
    integration_identifier: str | None = None
    device_tokens: list[str] | None = None
    webhook_url: str | None = None


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """A subscriber named by a trigger. `profile` holds the given fields by column name, null to clear."""

    subscriber_id: str
    profile: dict[str, Any] = {}
    channels: list[ChannelGrant] = []


class TopicAudience(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everyone in a topic but `exclude`."""

    topic_key: str
    exclude: list[str] = []


class Trigger(msgspec.Struct, frozen=True, omit_defaults=True):
    """One accepted trigger. `broadcast` addresses every subscriber of the environment; `send_at` is when its
    workflow begins: an ISO date, or a time of day in each recipient's own zone, empty for at once."""

    id: str
    environment_id: str
    transaction_id: str
    workflow_id: str
    accepted_at: Millis
    people: list[Person] = []
    topics: list[TopicAudience] = []
    broadcast: bool = False
    payload: Json = {}
    overrides: Json = {}
    actor: Person | None = None
    tenant: Json = {}
    context: Json = {}
    send_at: str = ""

    @property
    def topic_keys(self) -> list[str]:
        """The topics it is for, each once."""
        return list(dict.fromkeys(audience.topic_key for audience in self.topics))


class Accepted(msgspec.Struct, frozen=True):
    """A journal record of the address stage: what was accepted in one group commit."""

    triggers: list[Trigger]


class Page(msgspec.Struct, frozen=True):
    """A journal record of the address stage: the rest of a broadcast, behind subscriber row `after`."""

    trigger_id: str
    after: int


class Chunk(msgspec.Struct, frozen=True):
    """A journal record of the address stage: subscriber rows behind `after` up to `upto` of a broadcast."""

    trigger_id: str
    after: int
    upto: int
