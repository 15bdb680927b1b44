"""Topics."""

import re
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.pages import CursorQuery, Page, counted_page, cursor_page
from clarion.api.query import FailIfExists
from clarion.api.route import Answer, Call, Category, Group, NoQuery
from clarion.errors import Conflict, NotFound, Unprocessable
from clarion.model.clock import iso
from clarion.model.ids import new_id
from clarion.model.member import Role
from clarion.store import topics
from clarion.store.topics import Sought, Topic

_MOST_NAME = 100
_KEY = re.compile(r"[A-Za-z0-9_:-]{1,100}|[^@\s]{1,64}@[^@\s]{1,255}")


class TopicIn(msgspec.Struct):
    """CreateUpdateTopicRequestDto."""

    key: str
    name: str | None = None


class TopicPatch(msgspec.Struct):
    """UpdateTopicRequestDto."""

    name: str


class TopicOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """TopicResponseDto."""

    id: str = msgspec.field(name="_id")
    key: str
    name: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


TopicPage = Page[TopicOut]
"""ListTopicsResponseDto."""


class Acknowledged(msgspec.Struct):
    """DeleteTopicResponseDto."""

    acknowledged: bool


class ListQuery(CursorQuery, rename="camel", frozen=True):
    """Query of the topics. `search` is a part of the key or of the name, in any case."""

    key: str | None = None
    name: str | None = None
    search: str | None = None


async def create_topic(call: Call[TopicIn, FailIfExists]) -> Answer:
    """Create a topic, or rename it."""
    key, name = checked_key(call.body.key), checked_name(call.body.name)

    def write(connection: Connection) -> Answer:
        found = topics.get(connection, call.environment_id, key)
        if found and call.query.fail_if_exists:
            message = f"Topic {key} already exists"
            raise Conflict(message, resource=topic_out(found), headers={"Retry-After": "1"})
        topic, made = topics.ensure(connection, call.environment_id, key, name, call.services.clock())
        return Answer(topic_out(topic), 201 if made else 200)

    return await call.services.database.write(write)


async def topic_at_stake(call: Call[TopicIn, FailIfExists]) -> TopicOut:
    """The topic that a creation is about, as it is or as it will be."""
    key, now = checked_key(call.body.key), call.services.clock()
    found = await call.services.database.read(topics.get, call.environment_id, key)
    name = checked_name(call.body.name)
    return topic_out(found or Topic(new_id(now), call.environment_id, key, name, now, now))


async def list_topics(call: Call[None, ListQuery]) -> TopicPage:
    """Topics, a page at a time."""
    query, environment_id = call.query, call.environment_id
    wanted = Sought(query.key, query.name, query.search)

    def read(connection: Connection) -> TopicPage:
        page = cursor_page(
            lambda anchor, order: topics.search(connection, environment_id, wanted, anchor, order),
            lambda identity: topics.by_id(connection, environment_id, identity),
            lambda row: (row.created_at,),
            query,
        )
        shown = [topic_out(item) for item in page.rows]
        return counted_page(page, shown, lambda: topics.count(connection, environment_id, wanted))

    return await call.services.database.read(read)


async def get_topic(call: Call[None, NoQuery]) -> TopicOut:
    """One topic."""
    return topic_out(await call.services.database.read(topic_named, call))


async def update_topic(call: Call[TopicPatch, NoQuery]) -> TopicOut:
    """Rename a topic."""
    name = checked_name(call.body.name)

    def write(connection: Connection) -> TopicOut:
        found = topic_named(connection, call)
        return topic_out(topics.rename(connection, found, name, call.services.clock()))

    return await call.services.database.write(write)


async def delete_topic(call: Call[None, NoQuery]) -> Acknowledged:
    """Remove a topic with its subscriptions."""

    def write(connection: Connection) -> None:
        topics.delete(connection, topic_named(connection, call))

    await call.services.database.write(write)
    return Acknowledged(acknowledged=True)


def topic_named(connection: Connection, call: Call[Any, Any]) -> Topic:
    """The topic that the path names; `NotFound` when there is none."""
    key = call.path["topicKey"]
    found = topics.get(connection, call.environment_id, key)
    if found is None:
        raise NotFound(f"Topic {key} was not found")
    return found


def checked_key(key: str, field: str = "key") -> str:
    """A key that a caller gives; `Unprocessable` when it can't be one."""
    if not _KEY.fullmatch(key):
        message = "must be 1 to 100 of A-Z a-z 0-9 - _ : or an e-mail address"
        raise Unprocessable(f"{field} {message}", {field: [message]})
    return key


def checked_name(name: str | None) -> str | None:
    """A name that a caller gives; `Unprocessable` when it is too long."""
    if name is not None and len(name) > _MOST_NAME:
        message = f"must not be longer than {_MOST_NAME} characters"
        raise Unprocessable(f"name {message}", {"name": [message]})
    return name


def topic_out(topic: Topic) -> TopicOut:
    """A topic as it is shown."""
    return TopicOut(
        id=topic.id,
        key=topic.key,
        name=topic.name,
        created_at=iso(topic.created_at),
        updated_at=iso(topic.updated_at),
    )


_LIST = "/v2/topics"
ONE = "/v2/topics/{topicKey}"
GROUP = Group("Topics", Category.CONFIGURATION)

ROUTES = (
    GROUP.route(
        "GET", _LIST, list_topics, "List topics", Role.VIEWER, query=ListQuery, answer=TopicPage, bare=True
    ),
    GROUP.route(
        "POST",
        _LIST,
        create_topic,
        "Create a topic, or rename it",
        Role.EDITOR,
        body=TopicIn,
        query=FailIfExists,
        answer=TopicOut,
        status=201,
        present=200,
        at_stake=topic_at_stake,
    ),
    GROUP.route("GET", ONE, get_topic, "Read a topic", Role.VIEWER, answer=TopicOut),
    GROUP.route("PATCH", ONE, update_topic, "Rename a topic", Role.EDITOR, body=TopicPatch, answer=TopicOut),
    GROUP.route("DELETE", ONE, delete_topic, "Remove a topic", Role.EDITOR, answer=Acknowledged),
)
