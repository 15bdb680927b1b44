"""Subscribers: create, read, find, change, remove."""

from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.bodies import NOT_JSON, text_in
from clarion.api.pages import CursorQuery, Page, counted_page, cursor_page
from clarion.api.people import (
    ChannelIn,
    ProfileIn,
    SubscriberOut,
    checked_id,
    grant_of,
    profile_of,
    view,
)
from clarion.api.query import FailIfExists
from clarion.api.route import Audit, Call, Category, Group, NoQuery
from clarion.errors import BadInput, Conflict, NotFound, RequestError, Unprocessable
from clarion.model.clock import Millis
from clarion.model.ids import new_id
from clarion.model.member import Role
from clarion.model.people import Subscriber
from clarion.model.trigger import ChannelGrant
from clarion.store import devices, subscribers
from clarion.store.catalog import Snapshot
from clarion.store.devices import Grant
from clarion.store.subscribers import Search

MOST_IN_BULK = 500


class SubscriberIn(ProfileIn, kw_only=True, rename="camel"):
    """CreateSubscriberRequestDto; `channels` is what plain HTTP clients may add."""

    subscriber_id: str
    channels: list[ChannelIn] | None = None


class SearchQuery(CursorQuery, rename="camel", frozen=True):
    """Query of a search."""

    order_by: Literal["createdAt", "updatedAt", "_id"] = "createdAt"
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    subscriber_id: str | None = None


SubscriberPage = Page[SubscriberOut]
"""ListSubscribersResponseDto."""


class OnlineIn(msgspec.Struct, rename="camel"):
    """UpdateSubscriberOnlineFlagRequestDto."""

    is_online: bool


class BulkIn(msgspec.Struct):
    """BulkSubscriberCreateDto; each entry is checked by itself."""

    subscribers: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MOST_IN_BULK)]


class Named(msgspec.Struct, rename="camel"):
    """A subscriber that was written."""

    subscriber_id: str


class Failed(msgspec.Struct, rename="camel", omit_defaults=True):
    """A subscriber that was not, and why."""

    message: str
    subscriber_id: str | None = None


class BulkOut(msgspec.Struct):
    """BulkCreateSubscriberResponseDto."""

    updated: list[Named]
    created: list[Named]
    failed: list[Failed]


class Removed(msgspec.Struct):
    """RemoveSubscriberResponseDto."""

    acknowledged: bool
    status: str


async def create_subscriber(call: Call[SubscriberIn, FailIfExists]) -> SubscriberOut:
    """Create, or update what exists."""
    checked_id(call.body.subscriber_id)
    grants = grants_of(call.snapshot, call.environment_id, call.body.channels)

    def write(connection: Connection) -> SubscriberOut:
        found = subscribers.get(connection, call.environment_id, call.body.subscriber_id)
        if found and call.query.fail_if_exists:
            (existing,) = view(connection, call.snapshot, [found])
            raise Conflict(
                f"Subscriber {found.subscriber_id} already exists",
                resource=existing,
            )
        written, _ = _write(connection, call, call.body, grants)
        return view(connection, call.snapshot, [written])[0]

    return await call.services.database.write(write)


async def subscriber_at_stake(call: Call[SubscriberIn, FailIfExists]) -> SubscriberOut:
    """The subscriber that a creation is about, as it is or as it will be."""
    name = checked_id(call.body.subscriber_id)

    def read(connection: Connection) -> SubscriberOut:
        now = call.services.clock()
        found = subscribers.get(connection, call.environment_id, name) or Subscriber(
            0, new_id(now), call.environment_id, name, now, now, **profile_of(call.body)
        )
        return view(connection, call.snapshot, [found])[0]

    return await call.services.database.read(read)


async def create_subscribers_in_bulk(call: Call[BulkIn, NoQuery]) -> BulkOut:
    """Create or update up to 500 subscribers, each by itself."""
    answer = BulkOut([], [], [])
    for raw in call.body.subscribers:
        try:
            given = msgspec.json.decode(raw, type=SubscriberIn)
            checked_id(given.subscriber_id)
            grants = grants_of(call.snapshot, call.environment_id, given.channels)
            _, created = await call.services.database.write(_write, call, given, grants)
        except (RequestError, *NOT_JSON) as error:
            answer.failed.append(Failed(str(error), text_in(raw, "subscriberId")))
        else:
            (answer.created if created else answer.updated).append(Named(given.subscriber_id))
    return answer


async def _present_subscriber(call: Call[SubscriberIn, FailIfExists]) -> SubscriberOut | None:
    """The subscriber of that id, where there is one."""
    return next(iter(await _present(call, [call.body.subscriber_id])), None)


async def _present_subscribers(call: Call[BulkIn, NoQuery]) -> list[SubscriberOut]:
    """Those that there are of the ones that come in bulk."""
    return await _present(call, [text_in(raw, "subscriberId") or "" for raw in call.body.subscribers])


async def _present(call: Call[Any, Any], names: list[str]) -> list[SubscriberOut]:
    """The subscribers that there are of those named."""

    def read(connection: Connection) -> list[SubscriberOut]:
        found = subscribers.named(connection, call.environment_id, names)
        return view(connection, call.snapshot, list(found.values()))

    return await call.services.database.read(read)


async def retrieve_subscriber(call: Call[None, NoQuery]) -> SubscriberOut:
    """One subscriber with what they hold."""

    def read(connection: Connection) -> SubscriberOut:
        return view(connection, call.snapshot, [named(connection, call)])[0]

    return await call.services.database.read(read)


async def patch_subscriber(call: Call[ProfileIn, NoQuery]) -> SubscriberOut:
    """Change some profile fields; null clears."""

    def write(connection: Connection) -> SubscriberOut:
        found = named(connection, call)
        changed = subscribers.update(connection, found, profile_of(call.body), call.services.clock())
        return view(connection, call.snapshot, [changed])[0]

    return await call.services.database.write(write)


async def set_online(call: Call[OnlineIn, NoQuery]) -> SubscriberOut:
    """Say whether a subscriber is online; since when they last were is noted when they leave."""

    def write(connection: Connection) -> SubscriberOut:
        found, now = named(connection, call), call.services.clock()
        changes: dict[str, Any] = {"is_online": call.body.is_online}
        if not call.body.is_online:
            changes["last_online_at"] = now
        return view(connection, call.snapshot, [subscribers.update(connection, found, changes, now)])[0]

    return await call.services.database.write(write)


async def delete_subscriber(call: Call[None, NoQuery]) -> Removed:
    """Remove a subscriber with everything about them."""

    def write(connection: Connection) -> None:
        subscribers.delete(connection, named(connection, call).pk)

    await call.services.database.write(write)
    return Removed(acknowledged=True, status="deleted")


async def search_subscribers(call: Call[None, SearchQuery]) -> SubscriberPage:
    """Find subscribers, a page at a time."""
    query = call.query
    if query.after and query.before:
        message = "give after or before, not both"
        raise Unprocessable(message, {"after": [message]})
    search = Search(
        call.environment_id,
        email=query.email,
        name=query.name,
        phone=query.phone,
        subscriber_id=query.subscriber_id,
    )
    by_change = query.order_by == "updatedAt"

    def read(connection: Connection) -> SubscriberPage:
        page = cursor_page(
            lambda anchor, order: subscribers.search(connection, search, query.order_by, anchor, order),
            lambda identity: subscribers.by_id(connection, call.environment_id, identity),
            lambda row: (row.updated_at, row.pk) if by_change else (row.pk,),
            query,
            width=2 if by_change else 1,
        )
        shown = view(connection, call.snapshot, page.rows)
        return counted_page(page, shown, lambda: subscribers.count(connection, search))

    return await call.services.database.read(read)


def named(connection: Connection, call: Call[Any, Any]) -> Subscriber:
    """The subscriber that the path names; `NotFound` when there is none."""
    subscriber_id = call.path["subscriberId"]
    found = subscribers.get(connection, call.environment_id, subscriber_id)
    if found is None:
        raise NotFound(f"Subscriber: {subscriber_id} was not found")
    return found


def grants_of(snapshot: Snapshot, environment_id: str, given: list[ChannelIn] | None) -> list[Grant]:
    """What channels bring, each to its integration."""
    wanted = [
        grant_of(item.provider_id, item.integration_identifier, item.credentials) for item in given or ()
    ]
    return [resolved(snapshot, environment_id, grant) for grant in wanted]


def resolved(snapshot: Snapshot, environment_id: str, grant: ChannelGrant) -> Grant:
    """The integration a grant goes to; `BadInput` when there is none that is active."""
    found = snapshot.integration_for(environment_id, grant.provider_id, grant.integration_identifier)
    if found is None:
        which = f" with identifier {grant.integration_identifier}" if grant.integration_identifier else ""
        raise BadInput(
            f"Subscribers environment ({environment_id}) do not have active"
            f" {grant.provider_id} integration{which}."
        )
    return Grant(found.id, grant.device_tokens, grant.webhook_url, found.moves_devices(otherwise=False))


def _write(
    connection: Connection, call: Call[Any, Any], given: SubscriberIn, grants: list[Grant]
) -> tuple[Subscriber, bool]:
    now: Millis = call.services.clock()
    written, created = subscribers.upsert(
        connection, call.environment_id, given.subscriber_id, profile_of(given), now
    )
    devices.grant(connection, written.pk, grants, now)
    return written, created


_ONE = "/v2/subscribers/{subscriberId}"
_GROUP = Group("Subscribers", Category.CONFIGURATION)

ROUTES = (
    _GROUP.route(
        "POST",
        "/v2/subscribers",
        create_subscriber,
        "Create a subscriber, or update it",
        Role.EDITOR,
        body=SubscriberIn,
        query=FailIfExists,
        answer=SubscriberOut,
        status=201,
        audit=Audit.PERSONAL,
        before=_present_subscriber,
        at_stake=subscriber_at_stake,
    ),
    _GROUP.route(
        "GET",
        "/v2/subscribers",
        search_subscribers,
        "Find subscribers",
        Role.VIEWER,
        query=SearchQuery,
        answer=SubscriberPage,
        bare=True,
    ),
    _GROUP.route(
        "POST",
        "/v1/subscribers/bulk",
        create_subscribers_in_bulk,
        "Create or update up to 500",
        Role.EDITOR,
        body=BulkIn,
        answer=BulkOut,
        status=201,
        cost=100,
        audit=Audit.PERSONAL,
        before=_present_subscribers,
        after=_present_subscribers,
    ),
    _GROUP.route("GET", _ONE, retrieve_subscriber, "Read a subscriber", Role.VIEWER, answer=SubscriberOut),
    _GROUP.route(
        "PATCH",
        _ONE,
        patch_subscriber,
        "Change a subscriber",
        Role.EDITOR,
        body=ProfileIn,
        answer=SubscriberOut,
        audit=Audit.PERSONAL,
    ),
    _GROUP.route(
        "PATCH",
        "/v1/subscribers/{subscriberId}/online-status",
        set_online,
        "Say whether a subscriber is online",
        Role.EDITOR,
        body=OnlineIn,
        answer=SubscriberOut,
        audit=Audit.NOTHING,
    ),
    _GROUP.route(
        "DELETE",
        _ONE,
        delete_subscriber,
        "Remove a subscriber",
        Role.EDITOR,
        answer=Removed,
        audit=Audit.PERSONAL,
    ),
)
