"""Topics, and the subscribers in them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Select

from clarion.model.clock import Millis
from clarion.model.context import NO_SCOPE
from clarion.model.ids import new_id
from clarion.model.people import Subscriber
from clarion.model.preference import SubscriptionPreference
from clarion.store import subscribers
from clarion.store.dialect import listed, run, run_many, sql
from clarion.store.listing import Order, Place, capped, in_order
from clarion.store.tables import subscribers as people
from clarion.store.tables import topic_subscriptions, topics


class Topic(msgspec.Struct, frozen=True):
    """A named audience."""

    id: str
    environment_id: str
    key: str
    name: str | None
    created_at: Millis
    updated_at: Millis
    pk: int = 0


class Subscription(msgspec.Struct, frozen=True):
    """A subscriber in a topic."""

    pk: int
    id: str
    identifier: str
    name: str | None
    created_at: Millis
    updated_at: Millis
    scope: str
    preferences: list[SubscriptionPreference]
    topic: Topic
    subscriber: Subscriber


class Sought(NamedTuple):
    """Parts of what topics are called; `either` is of the key or of the name, in any case."""

    key: str | None = None
    name: str | None = None
    either: str | None = None


class NewSubscription(NamedTuple):
    """A subscriber who is to be in a topic. Without `preferences` it is for every workflow."""

    subscriber: Subscriber
    identifier: str
    name: str | None = None
    scope: str = NO_SCOPE
    preferences: Sequence[SubscriptionPreference] = ()


class Membership(NamedTuple):
    """Through which topic somebody is reached, and what they want of it."""

    topic_id: str
    preferences: list[SubscriptionPreference]
    pk: int


def get(connection: Connection, environment_id: str, key: str) -> Topic | None:
    """The topic of that key."""
    entry = (topics.c.environment_id == environment_id) & (topics.c.key == key)
    row = connection.execute(sa.select(*_TOPIC).where(entry)).first()
    return Topic(*row) if row else None


def by_id(connection: Connection, environment_id: str, identity: str) -> Topic | None:
    """The topic with that id."""
    entry = (topics.c.environment_id == environment_id) & (topics.c.id == identity)
    row = connection.execute(sa.select(*_TOPIC).where(entry)).first()
    return Topic(*row) if row else None


def ensure(
    connection: Connection, environment_id: str, key: str, name: str | None, now: Millis
) -> tuple[Topic, bool]:
    """The topic of that key, made when missing, renamed when a name is given; says whether it was made."""
    run(connection, _ADD_TOPIC, made := new_id(now), environment_id, key, name, now, now)
    found = get(connection, environment_id, key)
    assert found is not None
    if found.id != made and name is not None and name != found.name:
        return rename(connection, found, name, now), False
    return found, found.id == made


def rename(connection: Connection, topic: Topic, name: str | None, now: Millis) -> Topic:
    """Give a topic another name."""
    change = topics.update().where(topics.c.id == topic.id).values(name=name, updated_at=now)
    connection.execute(change)
    return msgspec.structs.replace(topic, name=name, updated_at=now)


def delete(connection: Connection, topic: Topic) -> None:
    """Remove a topic with its subscriptions."""
    connection.execute(topic_subscriptions.delete().where(topic_subscriptions.c.topic_id == topic.id))
    connection.execute(topics.delete().where(topics.c.id == topic.id))


def search(
    connection: Connection, environment_id: str, wanted: Sought, anchor: Place | None, order: Order
) -> list[Topic]:
    """Topics in the order of their creation."""
    query = sa.select(*_TOPIC).where(*_matching(environment_id, wanted))
    behind: list[int | str] | None = [*anchor.numbers, anchor.id] if anchor else None
    query = in_order(query, [topics.c.created_at, topics.c.id], behind, order)
    return [Topic(*row) for row in connection.execute(query)]


def count(connection: Connection, environment_id: str, wanted: Sought) -> tuple[int, bool]:
    """How many topics match, and whether counting stopped."""
    return capped(connection, sa.select(topics.c.id).where(*_matching(environment_id, wanted)))


def subscribe(
    connection: Connection, topic: Topic, wanted: Sequence[NewSubscription], now: Millis
) -> list[Subscription]:
    """Put subscribers into a topic; a subscription whose identifier is there stays as it is."""
    rows = [
        (
            *(new_id(now), topic.id, one.subscriber.pk, one.identifier, one.name, now, now),
            *(one.scope, _encoded(one.preferences)),
        )
        for one in wanted
    ]
    run_many(connection, _SUBSCRIBE, sorted(rows, key=lambda row: row[3]))
    identifiers = [one.identifier for one in wanted]
    query = _subscriptions().where(
        topic_subscriptions.c.topic_id == topic.id, topic_subscriptions.c.identifier.in_(identifiers)
    )
    found = {item.identifier: item for item in _read(connection, query)}
    return [found[identifier] for identifier in dict.fromkeys(identifiers)]


def unsubscribe(connection: Connection, found: Sequence[Subscription]) -> None:
    """End subscriptions."""
    gone = topic_subscriptions.c.pk.in_([item.pk for item in found])
    connection.execute(topic_subscriptions.delete().where(gone))


def change_subscription(connection: Connection, changed: Subscription) -> None:
    """Write the name and the preferences of a subscription anew."""
    entry = topic_subscriptions.c.pk == changed.pk
    values = {"name": changed.name, "updated_at": changed.updated_at}
    values["preferences"] = _encoded(changed.preferences)
    connection.execute(topic_subscriptions.update().where(entry).values(values))


def subscriptions_of(
    connection: Connection, topic: Topic, subscriber_id: str | None = None, identifier: str | None = None
) -> list[Subscription]:
    """The subscriptions of a subscriber, or the one of that identifier, in a topic."""
    query = _subscriptions().where(topic_subscriptions.c.topic_id == topic.id)
    if subscriber_id is not None:
        query = query.where(people.c.subscriber_id == subscriber_id)
    if identifier is not None:
        query = query.where(topic_subscriptions.c.identifier == identifier)
    return _read(connection, query.order_by(topic_subscriptions.c.pk))


class Members(NamedTuple):
    """Which subscriptions: of a topic, which is one of the environment, or of a subscriber; of exactly a
    scope where one is given."""

    environment_id: str
    topic_id: str | None = None
    subscriber_pk: int | None = None
    subscriber_id: str | None = None
    topic_key: str | None = None
    scope: str | None = None


def members(
    connection: Connection, wanted: Members, anchor: Place | None, order: Order
) -> list[Subscription]:
    """Subscriptions in the order they were made."""
    query = _subscriptions().where(*_members(wanted))
    query = in_order(query, [topic_subscriptions.c.pk], anchor and anchor.numbers, order)
    return _read(connection, query)


def count_members(connection: Connection, wanted: Members) -> tuple[int, bool]:
    """How many subscriptions there are, and whether counting stopped."""
    return capped(connection, counting_members(wanted))


def counting_members(wanted: Members) -> Select[*tuple[Any, ...]]:
    """The query of a count; joined with nothing that it doesn't ask about, so that an index will do."""
    joined: sa.FromClause = topic_subscriptions
    if wanted.topic_id is None:
        joined = joined.join(topics)
    if wanted.subscriber_id is not None:
        joined = joined.join(people)
    return sa.select(topic_subscriptions.c.pk).select_from(joined).where(*_members(wanted))


def subscription(connection: Connection, environment_id: str, identity: str) -> Subscription | None:
    """The subscription with that id."""
    entry = (topic_subscriptions.c.id == identity) & (topics.c.environment_id == environment_id)
    found = _read(connection, _subscriptions().where(entry))
    return found[0] if found else None


def ids_of(connection: Connection, environment_id: str, keys: Sequence[str]) -> dict[str, str]:
    """The ids of topics by key; a key nobody made is left out."""
    return {row[1]: row[0] for row in run(connection, _IDS, listed(keys), environment_id)}


def bounds(
    connection: Connection, topic_ids: Sequence[str], scope: str, after: int, size: int, most: int
) -> list[int]:
    """The last subscriber row of each chunk of `size` behind row `after`, everybody counted once."""
    return list(run(connection, _BOUNDS, listed(topic_ids), scope, after, size * most, size).scalars())


def audience(connection: Connection, topic_ids: Sequence[str], scope: str) -> int:
    """How many subscribers the topics have together in a scope, everybody counted once."""
    found: int = run(connection, _AUDIENCE, listed(topic_ids), scope).scalar_one()
    return found


def between(
    connection: Connection, topic_ids: Sequence[str], scope: str, after: int, upto: int
) -> list[tuple[Subscriber, list[Membership]]]:
    """Subscribers behind row `after` up to row `upto`, each with the subscriptions they have in the scope."""
    through: dict[int, list[Membership]] = {}
    rows = run(connection, _BETWEEN, listed(topic_ids), scope, after, upto)
    for topic_id, subscriber_pk, preferences, pk in rows:
        through.setdefault(subscriber_pk, []).append(Membership(topic_id, _decoded(preferences), pk))
    found = subscribers.by_pk(connection, sorted(through))
    return [(found[pk], memberships) for pk, memberships in sorted(through.items()) if pk in found]


_TOPIC = tuple(topics.c[name] for name in Topic.__struct_fields__[:-1])
_PERSON = tuple(people.c[name] for name in Subscriber.__struct_fields__)
_OWN = ("pk", "id", "identifier", "name", "created_at", "updated_at", "scope", "preferences")


def _subscriptions() -> Select[*tuple[Any, ...]]:
    own = [topic_subscriptions.c[name] for name in _OWN]
    columns = [column.label(f"c{place}") for place, column in enumerate([*own, *_TOPIC, *_PERSON])]
    return sa.select(*columns).select_from(topic_subscriptions.join(topics).join(people))


def _read(connection: Connection, query: Select[*tuple[Any, ...]]) -> list[Subscription]:
    first, second = len(_OWN), len(_OWN) + len(_TOPIC)
    found = []
    for row in map(tuple, connection.execute(query)):
        *own, preferences = row[:first]
        rest = (_decoded(preferences), Topic(*row[first:second]), Subscriber(*row[second:]))
        found.append(Subscription(*(*own, *rest)))
    return found


def _members(wanted: Members) -> list[sa.ColumnElement[bool]]:
    conditions = (
        [topics.c.environment_id == wanted.environment_id]
        if wanted.topic_id is None
        else [topic_subscriptions.c.topic_id == wanted.topic_id]
    )
    if wanted.subscriber_pk is not None:
        conditions.append(topic_subscriptions.c.subscriber_pk == wanted.subscriber_pk)
    if wanted.subscriber_id is not None:
        conditions.append(people.c.subscriber_id == wanted.subscriber_id)
    if wanted.topic_key is not None:
        conditions.append(topics.c.key == wanted.topic_key)
    if wanted.scope is not None:
        conditions.append(topic_subscriptions.c.scope == wanted.scope)
    return conditions


def _matching(environment_id: str, wanted: Sought) -> list[sa.ColumnElement[bool]]:
    own = topics.c
    conditions = [own.environment_id == environment_id]
    if wanted.key is not None:
        conditions.append(own.key.contains(wanted.key, autoescape=True))
    if wanted.name is not None:
        conditions.append(own.name.contains(wanted.name, autoescape=True))
    if wanted.either is not None:
        either = (column.icontains(wanted.either, autoescape=True) for column in (own.key, own.name))
        conditions.append(sa.or_(*either))
    return conditions


def _encoded(preferences: Sequence[SubscriptionPreference]) -> str | None:
    return msgspec.json.encode(preferences).decode() if preferences else None


def _decoded(preferences: str | None) -> list[SubscriptionPreference]:
    return msgspec.json.decode(preferences, type=list[SubscriptionPreference]) if preferences else []


_ADD_TOPIC = sql("""
INSERT INTO topics (id, environment_id, key, name, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (environment_id, key) DO NOTHING
""")

_SUBSCRIBE = sql("""
INSERT INTO topic_subscriptions
  (id, topic_id, subscriber_pk, identifier, name, created_at, updated_at, scope, preferences)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (topic_id, identifier) DO NOTHING
""")

_IDS = sql("SELECT t.id, t.key FROM {texts} JOIN topics t ON t.environment_id = ? AND t.key = j.value")

# Cuts the members of topics behind a row into chunks: the last row of each, the rest counting as one.
_BOUNDS = sql("""
SELECT MAX(pk) FROM (
  SELECT pk, ROW_NUMBER() OVER (ORDER BY pk) - 1 AS place FROM (
    SELECT DISTINCT s.subscriber_pk AS pk
    FROM {texts} JOIN topic_subscriptions s ON s.topic_id = j.value AND s.scope = ?
    WHERE s.subscriber_pk > ? ORDER BY 1 LIMIT ?) AS ahead) AS placed
GROUP BY place / ? ORDER BY 1
""")

_AUDIENCE = sql("""
SELECT COUNT(DISTINCT s.subscriber_pk)
FROM {texts} JOIN topic_subscriptions s ON s.topic_id = j.value AND s.scope = ?
""")

_BETWEEN = sql("""
SELECT s.topic_id, s.subscriber_pk, s.preferences, s.pk
FROM {texts} JOIN topic_subscriptions s ON s.topic_id = j.value AND s.scope = ?
WHERE s.subscriber_pk > ? AND s.subscriber_pk <= ?
""")
