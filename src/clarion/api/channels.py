"""What channel connections and channel endpoints share: their integration, their subscriber, their list."""

from typing import Any, Literal, NamedTuple

from sqlalchemy.engine import Connection

from clarion.api.contexts import scope_asked
from clarion.api.pages import CursorQuery
from clarion.api.route import Call
from clarion.errors import NotFound
from clarion.model.people import OWN_PROVIDERS, Integration, Subscriber
from clarion.store import subscribers
from clarion.store.catalog import Snapshot
from clarion.store.channel_connections import Wanted


class ChannelsQuery(CursorQuery, rename="camel", frozen=True):
    """Query of either list."""

    subscriber_id: str | None = None
    channel: Literal["in_app", "email", "sms", "chat", "push", "tool"] | None = None
    provider_id: str | None = None
    integration_identifier: str | None = None
    context_keys: list[str] = []


class Through(NamedTuple):
    """The integration of a connection or an endpoint, as the SDKs can read it."""

    channel: str | None
    provider_id: str | None
    identifier: str | None


def wanted_of(call: Call[Any, Any]) -> Wanted:
    """What a list is narrowed to."""
    query: ChannelsQuery = call.query
    narrowed = (query.channel, query.provider_id, query.integration_identifier)
    fitting = [
        item.id
        for item in call.snapshot.integrations_of(call.environment_id)
        if query.channel in (None, item.channel)
        and query.provider_id in (None, item.provider_id)
        and query.integration_identifier in (None, item.identifier)
    ]
    return Wanted(
        call.environment_id,
        query.subscriber_id,
        None if narrowed == (None, None, None) else fitting,
        scope_asked(query.context_keys),
    )


def integration_named(call: Call[Any, Any], identifier: str) -> Integration:
    """The integration of that identifier."""
    for item in call.snapshot.integrations_of(call.environment_id):
        if item.identifier == identifier:
            return item
    raise NotFound(f"Integration not found: {identifier}. List the integrations to see their identifiers")


def subscriber_named(connection: Connection, call: Call[Any, Any], name: str, hint: str) -> Subscriber:
    """The subscriber of that name; `hint` says what to do when there is none."""
    found = subscribers.get(connection, call.environment_id, name)
    if found is None:
        raise NotFound(f"Subscriber not found: {name}. {hint}")
    return found


def through(snapshot: Snapshot, integration_id: str) -> Through:
    """How an integration shows: providers that only Clarion has have no name that the SDKs know."""
    found = snapshot.integrations.get(integration_id)
    if found is None:
        return Through(None, None, None)
    provider_id = None if found.provider_id in OWN_PROVIDERS else found.provider_id
    return Through(found.channel, provider_id, found.identifier)
