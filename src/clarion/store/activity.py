"""What happened: notifications with all that became of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from clarion.model.clock import Millis
from clarion.model.ids import earliest, time_of
from clarion.model.people import Subscriber
from clarion.model.run import Run
from clarion.model.trace import Detail
from clarion.model.trigger import Trigger
from clarion.model.ways import read
from clarion.store import runs, subscribers
from clarion.store.message_log import MessageRow, of_notifications
from clarion.store.tables import notifications, trigger_topics, triggers
from clarion.store.tables import subscribers as people


class TopicNote(NamedTuple):
    """A topic that led to somebody, as it was then."""

    id: str
    key: str


class NotificationRow(msgspec.Struct, frozen=True):
    """A notification with its trigger, its recipient, the topics that led to them, its messages, and its run
    if its workflow takes time."""

    id: str
    environment_id: str
    planned: int
    details: list[Detail]
    created_at: Millis
    cancelled: bool
    scope: str | None
    trigger: Trigger
    subscriber: Subscriber
    topics: list[TopicNote]
    messages: list[MessageRow]
    run: Run | None = None


def notification(connection: Connection, environment_id: str, identity: str) -> NotificationRow | None:
    """One notification."""
    entry = (notifications.c.environment_id == environment_id) & (notifications.c.id == identity)
    found = read_rows(connection, connection.execute(selected().where(entry)).all())
    return found[0] if found else None


def of_trigger(
    connection: Connection, environment_id: str, trigger_id: str, after: str, most: int
) -> list[NotificationRow]:
    """The notifications of a trigger behind one, in the order of their recipients."""
    query = selected().where(*within(environment_id, trigger_id), notifications.c.id > after)
    query = query.order_by(notifications.c.id).limit(most)
    return read_rows(connection, connection.execute(query).all())


def selected() -> sa.Select[Any]:
    """The query of all notifications, whose rows `read_rows` takes."""
    own = [notifications.c[name] for name in ("id", "environment_id", "planned", "details", "created_at")]
    joined = notifications.join(triggers, triggers.c.id == notifications.c.trigger_id).join(
        people, people.c.pk == notifications.c.subscriber_pk
    )
    theirs = (triggers.c.cancelled_at, triggers.c.scope, triggers.c.body)
    more = (notifications.c.subscriber_pk, notifications.c.trigger_id, notifications.c.through)
    return sa.select(*own, *more, *theirs).select_from(joined)


def within(environment_id: str, trigger_id: str) -> list[sa.ColumnElement[bool]]:
    """Of one trigger. Their ids begin with its time: they are read off the primary key, not sorted."""
    entry = notifications.c
    at = time_of(trigger_id)
    return [
        entry.environment_id == environment_id,
        entry.id > earliest(at),
        entry.id < earliest(at + 1),
        entry.trigger_id.concat("") == trigger_id,
    ]


def read_rows(connection: Connection, rows: Sequence[Row[Any]]) -> list[NotificationRow]:
    """Notifications with all that belongs to them."""
    recipients = subscribers.by_pk(connection, {row.subscriber_pk for row in rows})
    sent = of_notifications(connection, [row.id for row in rows])
    running = runs.of_notifications(connection, [(row.environment_id, row.id) for row in rows])
    led = _topics_of(connection, rows)
    return [
        NotificationRow(
            row.id,
            row.environment_id,
            row.planned,
            _details(row, running),
            row.created_at,
            row.cancelled_at is not None,
            row.scope,
            msgspec.msgpack.decode(row.body, type=Trigger),
            recipients[row.subscriber_pk],
            led.get(row.id, []),
            sent.get(row.id, []),
            running[row.id].run if row.id in running else None,
        )
        for row in rows
    ]


def _details(row: Row[Any], running: Mapping[str, runs.Kept]) -> list[Detail]:
    """The lines of a notification; where a run adds to them, those that belong to it as it was read."""
    if row.id in running:
        return running[row.id].details
    found: list[Detail] = msgspec.convert(row.details, list[Detail])
    return found


def _topics_of(connection: Connection, rows: Iterable[Row[Any]]) -> dict[str, list[TopicNote]]:
    led = [row for row in rows if row.through]
    if not led:
        return {}
    noted = trigger_topics.c
    query = sa.select(noted.trigger_id, noted.place, noted.topic_id, noted.topic_key)
    ids = {row.trigger_id for row in led}
    found = {
        (trigger_id, place): TopicNote(identity, key)
        for trigger_id, place, identity, key in connection.execute(query.where(noted.trigger_id.in_(ids)))
    }
    places = {row.id: sorted({way.place for way in read(row.through)}) for row in led}
    return {  # a trigger that an older version began to expand has no topics noted
        row.id: [found[key] for place in places[row.id] if (key := (row.trigger_id, place)) in found]
        for row in led
    }
