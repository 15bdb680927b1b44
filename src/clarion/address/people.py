"""Makes the people of triggers true: subscribers that were not there, profiles, tokens that came along."""

from collections.abc import Iterable, Sequence

from sqlalchemy.engine import Connection

from clarion.errors import LimitExceeded
from clarion.model.clock import Millis
from clarion.model.people import Integration, Subscriber
from clarion.model.trace import Detail, Event
from clarion.model.trigger import ChannelGrant, Person, Trigger
from clarion.store import devices, subscribers
from clarion.store.catalog import Snapshot
from clarion.store.devices import Grant
from clarion.workflow.plan import Recipient


def settle_people(
    connection: Connection, snapshot: Snapshot, triggers: Sequence[Trigger], now: Millis
) -> dict[str, list[Recipient]]:
    """The recipients of each trigger that names them, by trigger id, each once."""
    found: dict[str, dict[str, Subscriber]] = {}
    for environment_id in {trigger.environment_id for trigger in triggers}:
        named = (
            person.subscriber_id
            for trigger in triggers
            if trigger.environment_id == environment_id
            for person in _everybody(trigger)
        )
        found[environment_id] = subscribers.ensure(connection, environment_id, list(named), now)
    return {
        trigger.id: _recipients(connection, snapshot, trigger, found[trigger.environment_id], now)
        for trigger in triggers
    }


def _recipients(
    connection: Connection,
    snapshot: Snapshot,
    trigger: Trigger,
    found: dict[str, Subscriber],
    now: Millis,
) -> list[Recipient]:
    refused: dict[str, Detail] = {}
    for person in _everybody(trigger):
        found[person.subscriber_id] = _with_profile(connection, found[person.subscriber_id], person, now)
        trouble = _grant(connection, snapshot, trigger, found[person.subscriber_id].pk, person, now)
        if trouble:
            refused[person.subscriber_id] = trouble
    names = dict.fromkeys(person.subscriber_id for person in trigger.people)
    return [Recipient(found[name], refused.get(name)) for name in names]


def _everybody(trigger: Trigger) -> Iterable[Person]:
    return [*trigger.people, trigger.actor] if trigger.actor else trigger.people


def _with_profile(connection: Connection, found: Subscriber, person: Person, now: Millis) -> Subscriber:
    changes = {name: value for name, value in person.profile.items() if getattr(found, name) != value}
    if not changes:
        return found
    return subscribers.update(connection, found, changes, now)


def _grant(
    connection: Connection,
    snapshot: Snapshot,
    trigger: Trigger,
    subscriber_pk: int,
    person: Person,
    now: Millis,
) -> Detail | None:
    """Adds the tokens that came along, all or none; the detail says why none."""
    grants: list[Grant] = []
    for channel in person.channels:
        integration = granted_through(snapshot, trigger, channel)
        if integration is None:
            return unknown_integration(now, channel)
        moves = integration.moves_devices(otherwise=False)
        grants.append(Grant(integration.id, channel.device_tokens, channel.webhook_url, moves))
    try:
        devices.grant(connection, subscriber_pk, grants, now)
    except LimitExceeded as error:
        return too_many_tokens(now, error)
    return None


def granted_through(snapshot: Snapshot, trigger: Trigger, channel: ChannelGrant) -> Integration | None:
    """The integration that tokens of a trigger go under."""
    identifier = channel.integration_identifier
    return snapshot.integration_for(trigger.environment_id, channel.provider_id, identifier)


def unknown_integration(now: Millis, channel: ChannelGrant) -> Detail:
    """Why tokens are refused that go under no integration."""
    raw = {"error": "there is no such active integration", "providerId": channel.provider_id}
    raw |= {"integrationIdentifier": channel.integration_identifier or ""}
    return Detail(Event.CHANNELS_REFUSED.code, now, provider_id=channel.provider_id, raw=raw)


def too_many_tokens(now: Millis, error: LimitExceeded) -> Detail:
    """Why tokens are refused that are too many."""
    raw = {"error": error.message, "currentCount": error.current, "limit": error.limit}
    return Detail(Event.CHANNELS_REFUSED.code, now, raw=raw)
