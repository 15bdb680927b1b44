"""What channel connections and channel endpoints share: their integration, their subscriber, how they are
found and listed."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.contexts import scope_asked
from clarion.api.pages import CursorQuery, Page, counted_page, cursor_page
from clarion.api.route import Call
from clarion.errors import NotFound
from clarion.model.clock import iso
from clarion.model.context import keys_in
from clarion.model.people import OWN_PROVIDERS, Integration, Subscriber
from clarion.store import subscribers
from clarion.store.catalog import Snapshot
from clarion.store.channels import Channel, Shelf, Wanted

C = TypeVar("C", bound=Channel)
Out = TypeVar("Out")


class ChannelsQuery(CursorQuery, rename="camel", frozen=True):
    """Query of either list."""

    subscriber_id: str | None = None
    channel: Literal["in_app", "email", "sms", "chat", "push", "tool"] | None = None
    provider_id: str | None = None
    integration_identifier: str | None = None
    context_keys: list[str] | None = None


class ChannelView(msgspec.Struct, rename="camel", kw_only=True):
    """What either shows. A provider that only Clarion has is null: the SDKs know no name of it."""

    identifier: str
    channel: str | None
    provider_id: str | None
    integration_identifier: str | None
    subscriber_id: str | None
    context_keys: list[str]
    created_at: str
    updated_at: str


def shown(snapshot: Snapshot, item: Channel) -> dict[str, Any]:
    """The fields of `ChannelView`."""
    integration = snapshot.integrations.get(item.integration_id)
    provider_id = integration.provider_id if integration else None
    return {
        "identifier": item.identifier,
        "channel": integration.channel if integration else None,
        "provider_id": None if provider_id in OWN_PROVIDERS else provider_id,
        "integration_identifier": integration.identifier if integration else None,
        "subscriber_id": item.subscriber_id,
        "context_keys": keys_in(item.scope),
        "created_at": iso(item.created_at),
        "updated_at": iso(item.updated_at),
    }


async def listed(
    call: Call[Any, Any], shelf: Shelf[C], wanted: Wanted, out: Callable[[Snapshot, C], Out]
) -> Page[Out]:
    """A page of what is wanted."""
    vault = call.services.vault

    def read(connection: Connection) -> Page[Out]:
        page = cursor_page(
            lambda anchor, order: shelf.search(connection, vault, wanted, anchor, order),
            lambda identity: shelf.by_id(connection, vault, call.environment_id, identity),
            lambda row: (row.pk,),
            call.query,
        )
        rows = [out(call.snapshot, item) for item in page.rows]
        return counted_page(page, rows, lambda: shelf.count(connection, wanted))

    return await call.services.database.read(read)


def found(connection: Connection, call: Call[Any, Any], shelf: Shelf[C], what: str) -> C:
    """The one that the path names; `what` it is called when there is none."""
    name = call.path["identifier"]
    one = shelf.by_identifier(connection, call.services.vault, call.environment_id, name)
    if one is None:
        raise NotFound(f"{what} {name} was not found: list them to see their identifiers")
    return one


async def removed(call: Call[Any, Any], shelf: Shelf[C], what: str) -> None:
    """Remove the one that the path names."""

    def write(connection: Connection) -> None:
        shelf.delete(connection, found(connection, call, shelf, what).pk)

    await call.services.database.write(write)


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
    person = subscribers.get(connection, call.environment_id, name)
    if person is None:
        raise NotFound(f"Subscriber not found: {name}. {hint}")
    return person
