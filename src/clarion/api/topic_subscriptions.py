"""Subscriptions: who is in a topic, and what they want of it."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.contexts import Named, context_of, scope_asked, settled_scope
from clarion.api.pages import CursorQuery, Page, counted_page, cursor_page
from clarion.api.people import checked_id
from clarion.api.route import Audit, Call, NoQuery
from clarion.api.subscription_preferences import Wanted, WantedOut, tell_wanted, wanted_of, wanted_out
from clarion.api.topics import GROUP, ONE, TopicOut, checked_key, checked_name, topic_named, topic_out
from clarion.errors import NotFound, Unprocessable
from clarion.model.clock import iso
from clarion.model.context import keys_in
from clarion.model.ids import derived_id
from clarion.model.member import Role
from clarion.model.people import Subscriber
from clarion.store import subscribers, topics
from clarion.store.catalog import Snapshot
from clarion.store.topics import Members, NewSubscription, Subscription, Topic

MOST_AT_ONCE = 100


class MembersQuery(CursorQuery, rename="camel", frozen=True):
    """Query of the subscriptions of a topic, or (`key`) of a subscriber."""

    subscriber_id: str | None = None
    key: str | None = None
    context_keys: list[str] | None = None


class NamedSubscription(msgspec.Struct, rename="camel"):
    """TopicSubscriberIdentifierDto; a deletion may name either."""

    identifier: str | None = None
    subscriber_id: str | None = None
    name: str | None = None


class SubscriptionsIn(msgspec.Struct, rename="camel"):
    """DeleteTopicSubscriptionsRequestDto."""

    subscriptions: list[str | NamedSubscription] | None = None
    subscriber_ids: list[str] | None = None


class NewSubscriptions(SubscriptionsIn, rename="camel"):
    """CreateTopicSubscriptionsRequestDto: what is beside the subscriptions holds for each of them."""

    name: str | None = None
    context: Named | None = None
    preferences: Wanted | None = None


class SubscriptionPatch(msgspec.Struct):
    """UpdateTopicSubscriptionRequestDto: absent keeps, `[]` wants every workflow again."""

    name: str | None = None
    preferences: Wanted | None = None


class PersonOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """SubscriberDto."""

    id: str = msgspec.field(name="_id")
    subscriber_id: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    avatar: str | None = None


class SubscriptionOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """TopicSubscriptionResponseDto, SubscriptionResponseDto and SubscriptionDto."""

    id: str = msgspec.field(name="_id")
    identifier: str
    name: str | None = None
    topic: TopicOut
    subscriber: PersonOut
    preferences: list[WantedOut] | None = None
    context_keys: list[str]
    created_at: str
    updated_at: str


SubscriptionPage = Page[SubscriptionOut]
"""ListTopicSubscriptionsResponseDto."""


class SubscriptionError(msgspec.Struct, rename="camel"):
    """SubscriptionErrorDto."""

    subscriber_id: str
    code: str
    message: str


class Meta(msgspec.Struct, rename="camel"):
    """MetaDto."""

    total_count: int
    successful: int
    failed: int


class SubscriptionsOut(msgspec.Struct, omit_defaults=True):
    """CreateSubscriptionsResponseDto and DeleteTopicSubscriptionsResponseDto."""

    data: list[SubscriptionOut]
    meta: Meta
    errors: list[SubscriptionError] | None = None


class SubscriptionDetails(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """SubscriptionDetailsResponseDto."""

    id: str
    identifier: str
    name: str | None = None
    preferences: list[WantedOut] | None = None
    context_keys: list[str]


class MembershipOut(msgspec.Struct, rename="camel", kw_only=True):
    """TopicSubscriberDto."""

    organization_id: str = msgspec.field(name="_organizationId")
    environment_id: str = msgspec.field(name="_environmentId")
    subscriber_id: str = msgspec.field(name="_subscriberId")
    topic_id: str = msgspec.field(name="_topicId")
    topic_key: str
    external_subscriber_id: str


async def list_topic_subscriptions(call: Call[None, MembersQuery]) -> SubscriptionPage:
    """The subscriptions of a topic, a page at a time."""

    def read(connection: Connection) -> SubscriptionPage:
        topic = topic_named(connection, call)
        scope = scope_asked(call.query.context_keys)
        wanted = Members(
            call.environment_id, topic_id=topic.id, subscriber_id=call.query.subscriber_id, scope=scope
        )
        return _page(connection, call, wanted)

    return await call.services.database.read(read)


async def list_subscriber_subscriptions(call: Call[None, MembersQuery]) -> SubscriptionPage:
    """The subscriptions of a subscriber, a page at a time."""

    def read(connection: Connection) -> SubscriptionPage:
        name = call.path["subscriberId"]
        found = subscribers.get(connection, call.environment_id, name)
        if found is None:
            raise NotFound(f"Subscriber: {name} was not found")
        scope = scope_asked(call.query.context_keys)
        wanted = Members(call.environment_id, subscriber_pk=found.pk, topic_key=call.query.key, scope=scope)
        return _page(connection, call, wanted)

    return await call.services.database.read(read)


async def create_subscriptions(call: Call[NewSubscriptions, NoQuery]) -> SubscriptionsOut:
    """Subscribe up to 100 subscribers; the topic is made when it is missing."""
    key = checked_key(call.path["topicKey"], "topicKey")
    entries, context = _entries(call.body), context_of(call.body.context)
    wanted = wanted_of(call, call.body.preferences or [])

    def write(connection: Connection) -> SubscriptionsOut:
        now = call.services.clock()
        scope = settled_scope(connection, call, context)
        topic, _ = topics.ensure(connection, call.environment_id, key, None, now)
        ready, errors = [], []
        for entry in entries:
            name = entry.subscriber_id or ""
            person = subscribers.get(connection, call.environment_id, name) if name else None
            if person is None:
                message = f"Subscriber with ID '{name}' could not be found."
                errors.append(SubscriptionError(name, "SUBSCRIBER_NOT_FOUND", message))
            else:
                identifier = entry.identifier or _identifier(key, name, scope)
                named = entry.name or call.body.name
                ready.append(NewSubscription(person, identifier, named, scope, wanted))
        made = topics.subscribe(connection, topic, ready, now)
        return _partial(call.snapshot, made, errors)

    return await call.services.database.write(write)


async def delete_subscriptions(call: Call[SubscriptionsIn, NoQuery]) -> SubscriptionsOut:
    """Unsubscribe up to 100 subscribers."""
    wanted = _entries(call.body)

    def write(connection: Connection) -> SubscriptionsOut:
        topic = topic_named(connection, call)
        gone: dict[int, Subscription] = {}
        errors = []
        for entry in wanted:
            found = topics.subscriptions_of(connection, topic, entry.subscriber_id, entry.identifier)
            name = entry.subscriber_id or entry.identifier or ""
            if not found:
                message = f"'{name}' is not subscribed to {topic.key}."
                errors.append(SubscriptionError(name, "SUBSCRIPTION_NOT_FOUND", message))
            gone |= {item.pk: item for item in found}
        topics.unsubscribe(connection, list(gone.values()))
        return _partial(call.snapshot, list(gone.values()), errors)

    return await call.services.database.write(write)


async def _present(call: Call[SubscriptionsIn, NoQuery]) -> list[SubscriptionOut]:
    """The subscriptions that there are of those that a call names."""
    wanted = _entries(call.body)

    def read(connection: Connection) -> list[SubscriptionOut]:
        topic, found = topic_named(connection, call), dict[int, Subscription]()
        for entry in wanted:
            some = topics.subscriptions_of(connection, topic, entry.subscriber_id, entry.identifier)
            found |= {item.pk: item for item in some}
        return [_out(call.snapshot, item) for item in found.values()]

    return await call.services.database.read(read)


async def _present_one(call: Call[SubscriptionPatch, NoQuery]) -> SubscriptionOut:
    return _out(call.snapshot, await call.services.database.read(_subscription, call))


async def get_subscription(call: Call[None, NoQuery]) -> SubscriptionDetails:
    """One subscription of a topic."""
    found = await call.services.database.read(_subscription, call)
    return SubscriptionDetails(
        id=found.id,
        identifier=found.identifier,
        name=found.name,
        preferences=wanted_out(call.snapshot, found) or None,
        context_keys=keys_in(found.scope),
    )


async def update_subscription(call: Call[SubscriptionPatch, NoQuery]) -> SubscriptionOut:
    """Rename a subscription, or change what it wants."""
    changes: dict[str, Any] = {}
    if call.body.name is not None:
        changes["name"] = checked_name(call.body.name)
    if call.body.preferences is not None:
        changes["preferences"] = wanted_of(call, call.body.preferences)

    def write(connection: Connection) -> SubscriptionOut:
        found = _subscription(connection, call)
        if changes:
            before, now = found, call.services.clock()
            found = msgspec.structs.replace(found, **changes, updated_at=now)
            topics.change_subscription(connection, found)
            tell_wanted(connection, call, before, found)
        return _out(call.snapshot, found)

    return await call.services.database.write(write)


async def check_membership(call: Call[None, NoQuery]) -> MembershipOut:
    """Whether a subscriber is in a topic; 404 when not."""

    def read(connection: Connection) -> MembershipOut:
        topic = topic_named(connection, call)
        name = call.path["externalSubscriberId"]
        found = topics.subscriptions_of(connection, topic, subscriber_id=name)
        if not found:
            raise NotFound(f"Subscriber {name} is not in topic {topic.key}")
        return _membership(call.snapshot, topic, found[0].subscriber)

    return await call.services.database.read(read)


def _page(connection: Connection, call: Call[None, MembersQuery], wanted: Members) -> SubscriptionPage:
    page = cursor_page(
        lambda anchor, order: topics.members(connection, wanted, anchor, order),
        lambda identity: topics.subscription(connection, call.environment_id, identity),
        lambda row: (row.pk,),
        call.query,
    )
    shown = [_out(call.snapshot, item) for item in page.rows]
    return counted_page(page, shown, lambda: topics.count_members(connection, wanted))


def _subscription(connection: Connection, call: Call[Any, Any]) -> Subscription:
    """By identifier, `_id`, or the subscriber's id."""
    topic = topic_named(connection, call)
    name = call.path["identifier"]
    for found in (
        topics.subscriptions_of(connection, topic, identifier=name),
        topics.subscriptions_of(connection, topic, subscriber_id=name),
    ):
        if found:
            return found[0]
    raise NotFound(f"Subscription {name} of topic {topic.key} was not found")


def _entries(given: SubscriptionsIn) -> list[NamedSubscription]:
    listed = list(_listed(given.subscriptions or given.subscriber_ids or []))
    if not listed:
        message = "name at least one subscriber"
        raise Unprocessable(f"subscriptions: {message}", {"subscriptions": [message]})
    if len(listed) > MOST_AT_ONCE:
        message = f"must contain no more than {MOST_AT_ONCE} elements"
        raise Unprocessable(f"subscriptions {message}", {"subscriptions": [message]})
    for position, entry in enumerate(listed):
        if entry.identifier:
            checked_id(entry.identifier, f"subscriptions.{position}.identifier")
    return listed


def _listed(given: Sequence[str | NamedSubscription]) -> Iterator[NamedSubscription]:
    for item in given:
        yield NamedSubscription(subscriber_id=item) if isinstance(item, str) else item


def _identifier(key: str, subscriber_id: str, scope: str) -> str:
    """One that a subscriber has once in each scope. A scope is too long to be part of it as it is."""
    return f"tk_{key}:si_{subscriber_id}" + (f":ctx_{derived_id(scope)}" if scope else "")


def _partial(
    snapshot: Snapshot, done: Sequence[Subscription], errors: list[SubscriptionError]
) -> SubscriptionsOut:
    meta = Meta(len(done) + len(errors), len(done), len(errors))
    return SubscriptionsOut([_out(snapshot, item) for item in done], meta, errors or None)


def _out(snapshot: Snapshot, item: Subscription) -> SubscriptionOut:
    person = item.subscriber
    return SubscriptionOut(
        id=item.id,
        identifier=item.identifier,
        name=item.name,
        topic=topic_out(item.topic),
        subscriber=PersonOut(
            id=person.id,
            subscriber_id=person.subscriber_id,
            first_name=person.first_name,
            last_name=person.last_name,
            email=person.email,
            avatar=person.avatar,
        ),
        preferences=wanted_out(snapshot, item) or None,
        context_keys=keys_in(item.scope),
        created_at=iso(item.created_at),
        updated_at=iso(item.updated_at),
    )


def _membership(snapshot: Snapshot, topic: Topic, person: Subscriber) -> MembershipOut:
    return MembershipOut(
        organization_id=snapshot.organization_id,
        environment_id=topic.environment_id,
        subscriber_id=person.id,
        topic_id=topic.id,
        topic_key=topic.key,
        external_subscriber_id=person.subscriber_id,
    )


_MEMBERS = ONE + "/subscriptions"
_MEMBER = _MEMBERS + "/{identifier}"

ROUTES = (
    GROUP.route(
        "GET",
        _MEMBERS,
        list_topic_subscriptions,
        "List the subscriptions of a topic",
        Role.VIEWER,
        query=MembersQuery,
        answer=SubscriptionPage,
        bare=True,
    ),
    GROUP.route(
        "POST",
        _MEMBERS,
        create_subscriptions,
        "Subscribe up to 100 subscribers",
        Role.EDITOR,
        body=NewSubscriptions,
        answer=SubscriptionsOut,
        status=201,
        bare=True,
        audit=Audit.PERSONAL,
        before=_present,
        after=_present,
    ),
    GROUP.route(
        "DELETE",
        _MEMBERS,
        delete_subscriptions,
        "Unsubscribe up to 100 subscribers",
        Role.EDITOR,
        body=SubscriptionsIn,
        answer=SubscriptionsOut,
        bare=True,
        audit=Audit.PERSONAL,
        before=_present,
        after=_present,
    ),
    GROUP.route(
        "GET", _MEMBER, get_subscription, "Read a subscription", Role.VIEWER, answer=SubscriptionDetails
    ),
    GROUP.route(
        "PATCH",
        _MEMBER,
        update_subscription,
        "Change a subscription",
        Role.EDITOR,
        body=SubscriptionPatch,
        answer=SubscriptionOut,
        audit=Audit.PERSONAL,
        before=_present_one,
    ),
    GROUP.route(
        "GET",
        "/v1/topics/{topicKey}/subscribers/{externalSubscriberId}",
        check_membership,
        "Whether a subscriber is in a topic",
        Role.VIEWER,
        answer=MembershipOut,
    ),
    GROUP.route(
        "GET",
        "/v2/subscribers/{subscriberId}/subscriptions",
        list_subscriber_subscriptions,
        "List the subscriptions of a subscriber",
        Role.VIEWER,
        query=MembersQuery,
        answer=SubscriptionPage,
        bare=True,
    ),
)
