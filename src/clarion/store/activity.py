"""What happened: notifications and messages as people look them up."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from clarion.model.clock import DAY, Millis
from clarion.model.context import NO_SCOPE
from clarion.model.ids import earliest, time_of
from clarion.model.outcome import MessageStatus
from clarion.model.people import Subscriber
from clarion.model.run import Run
from clarion.model.trace import Detail
from clarion.model.trigger import Trigger
from clarion.model.ways import AROUND_PLACE, by_subscription, read
from clarion.store import hours, runs, subscribers, topics
from clarion.store.tables import messages, notifications, trigger_topics, triggers
from clarion.store.tables import subscribers as people
from clarion.store.topics import Subscription

_NOTIFICATIONS_AT_ONCE = 500
_TRIGGERS_AT_ONCE = 100
_MOST_LATE = 7 * DAY
"""How long after its trigger was accepted a notification may be made and still be found by its time."""
_DELIVERED: sa.ColumnElement[str] = sa.literal_column(f"'{MessageStatus.DELIVERED}'")
"""Written out, as the index of messages that were not delivered is."""


class MessageRow(msgspec.Struct, frozen=True):
    """A message as it stands; `transaction_id`, `workflow_id` and `scope` are its trigger's."""

    id: str
    environment_id: str
    notification_id: str
    trigger_id: str
    subscriber_pk: int
    integration_id: str
    device_id: int
    step_id: str
    token: str
    title: str
    content: str
    status: str
    outcome: str
    code: str
    explanation: str
    raw: str
    provider_message_id: str
    attempts: int
    token_retired: bool
    created_at: Millis
    updated_at: Millis
    history: str
    transaction_id: str
    workflow_id: str
    scope: str | None


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


class MessageFilter(NamedTuple):
    """Which messages. `scope` is met exactly."""

    environment_id: str
    subscriber_id: str | None = None
    transaction_ids: Sequence[str] = ()
    scope: str | None = None


class MessagesWanted(NamedTuple):
    """What one message of a notification has to be: of a status, of an integration (None: any), and with the
    text in its error."""

    statuses: Sequence[str] = ()
    integration_ids: Sequence[str] | None = None
    error: str = ""

    @property
    def failing(self) -> bool:
        """Whether a delivered message is none of them."""
        return bool(self.error or (self.statuses and MessageStatus.DELIVERED not in self.statuses))


class NotificationFilter(NamedTuple):
    """Which notifications. `search` finds a transaction, a subscriber id, an e-mail or a notification id;
    `scope` is met exactly; `subscription_id` finds none once the subscription is gone. `behind` is the id of
    a notification, which the others come behind."""

    environment_id: str
    transaction_id: str | None = None
    subscriber_ids: Sequence[str] = ()
    emails: Sequence[str] = ()
    workflow_ids: Sequence[str] = ()
    search: str | None = None
    after: Millis | None = None
    before: Millis | None = None
    scope: str | None = None
    topic_key: str | None = None
    subscription_id: str | None = None
    messages: MessagesWanted | None = None
    behind: str | None = None


def find_messages(connection: Connection, wanted: MessageFilter, offset: int, most: int) -> list[MessageRow]:
    """Messages, newest first; no deleted ones, none that went out while their subscriber was removed."""
    if wanted.subscriber_id is not None:
        return _of_subscriber(connection, wanted, wanted.subscriber_id, offset, most)
    query = _sought(wanted).order_by(messages.c.id.desc()).offset(offset).limit(most)
    return [MessageRow(*row) for row in connection.execute(query)]


def _of_subscriber(
    connection: Connection, wanted: MessageFilter, subscriber_id: str, offset: int, most: int
) -> list[MessageRow]:
    """By way of the subscriber's notifications, newest first: one more index would cost every send."""
    pk = connection.scalar(_named(wanted.environment_id, [subscriber_id]))
    sent, notified = messages.c, notifications.c
    found: list[MessageRow] = []
    theirs = sa.select(notified.id).where(notified.subscriber_pk == pk).order_by(notified.id.desc())
    before = sa.true()
    while pk is not None and len(found) < offset + most:
        ids = connection.execute(theirs.where(before).limit(_NOTIFICATIONS_AT_ONCE)).scalars().all()
        if not ids:
            break
        before = notified.id < ids[-1]
        query = _sought(wanted).where(sent.notification_id.in_(ids))
        rows = connection.execute(query.order_by(sent.notification_id.desc(), sent.id.desc()))
        found += [MessageRow(*row) for row in rows]
    return found[offset : offset + most]


def _sought(wanted: MessageFilter) -> sa.Select[Any]:
    query = _messages().where(messages.c.environment_id == wanted.environment_id)
    if wanted.transaction_ids:
        query = query.where(triggers.c.transaction_id.in_(wanted.transaction_ids))
    if wanted.scope is not None:
        query = query.where(_in_scope(wanted.scope))
    return query.where(messages.c.deleted_at.is_(None))


def messages_named(connection: Connection, environment_id: str, ids: Iterable[str]) -> list[MessageRow]:
    """Messages by their ids, also those whose subscriber was removed since."""
    query = _messages(orphaned=True).where(messages.c.environment_id == environment_id)
    return [MessageRow(*row) for row in connection.execute(query.where(messages.c.id.in_(list(ids))))]


def delete_message(connection: Connection, environment_id: str, identity: str, now: Millis) -> bool:
    """Take a message out of the log; False when there is none."""
    return _delete(connection, environment_id, messages.c.id == identity, now)


def delete_messages_of(connection: Connection, environment_id: str, transaction_id: str, now: Millis) -> bool:
    """Take all messages of a transaction out of the log; False when there are none."""
    sought = (triggers.c.environment_id == environment_id) & (triggers.c.transaction_id == transaction_id)
    theirs = messages.c.trigger_id.in_(sa.select(triggers.c.id).where(sought))
    return _delete(connection, environment_id, theirs, now)


def _delete(connection: Connection, environment_id: str, which: sa.ColumnElement[bool], now: Millis) -> bool:
    """Blank what was said and keep the outcome: the ledger counts it, and redelivery must not send again."""
    shown = which & (messages.c.environment_id == environment_id) & messages.c.deleted_at.is_(None)
    blank = {"title": "", "content": "", "raw": "", "history": "", "deleted_at": now}
    return connection.execute(messages.update().where(shown).values(blank)).rowcount > 0


def find_notifications(
    connection: Connection, wanted: NotificationFilter, offset: int, most: int
) -> list[NotificationRow]:
    """Notifications, newest first."""
    led = None
    if wanted.subscription_id is not None:
        led = topics.subscription(connection, wanted.environment_id, wanted.subscription_id)
        if led is None:
            return []
    ways = _ways(connection, wanted)
    open_to_all = ways == [[]] and led is None
    wanted = wanted._replace(transaction_id=None, subscriber_ids=(), emails=(), search=None)
    if wanted.topic_key is not None and open_to_all:
        return _read(connection, _through_topic(connection, wanted, wanted.topic_key, offset, most))
    if wanted.messages is not None and wanted.messages.failing and open_to_all:
        return _read(connection, _through_failures(connection, wanted, wanted.messages, offset, most))
    if wanted.messages is not None and wanted.messages.integration_ids is not None and open_to_all:
        return _read(connection, _through_hours(connection, wanted, wanted.messages, offset, most))
    found: dict[str, Row[Any]] = {}
    for way in ways:
        query = finding(wanted, led).where(*way)
        found |= {row.id: row for row in connection.execute(query.limit(offset + most))}
    newest = sorted(found.values(), key=lambda row: str(row.id), reverse=True)
    return _read(connection, newest[offset : offset + most])


def _ways(connection: Connection, wanted: NotificationFilter) -> list[list[sa.ColumnElement[bool]]]:
    """What leads to the notifications of the people and transactions that are asked for, each way by an index
    of its own; one without conditions leads to all, no way to none."""
    own = notifications.c
    every: list[sa.ColumnElement[bool]] = []
    for column, values in ((people.c.subscriber_id, wanted.subscriber_ids), (people.c.email, wanted.emails)):
        if values:
            every.append(own.subscriber_pk.in_(_people(connection, wanted.environment_id, column, values)))
    if wanted.transaction_id is not None:
        every += _of_transaction(connection, wanted.environment_id, wanted.transaction_id) or [sa.false()]
    if not wanted.search:
        return [every]
    ways = [[own.id == wanted.search]]
    for column in (people.c.subscriber_id, people.c.email):
        if found := _people(connection, wanted.environment_id, column, [wanted.search]):
            ways.append([own.subscriber_pk.in_(found)])
    if of_transaction := _of_transaction(connection, wanted.environment_id, wanted.search):
        ways.append(of_transaction)
    return [[*every, *way] for way in ways]


def _people(
    connection: Connection, environment_id: str, column: sa.ColumnElement[Any], values: Sequence[str]
) -> list[int]:
    query = sa.select(people.c.pk).where(people.c.environment_id == environment_id, column.in_(values))
    return list(connection.execute(query).scalars())


def _of_transaction(
    connection: Connection, environment_id: str, transaction_id: str
) -> list[sa.ColumnElement[bool]]:
    own = triggers.c
    entry = (own.environment_id == environment_id) & (own.transaction_id == transaction_id)
    found = connection.scalar(sa.select(own.id).where(entry))
    return _of_trigger(environment_id, found) if found else []


def finding(wanted: NotificationFilter, led: Subscription | None = None) -> sa.Select[Any]:
    """The query of a search; `led` is the subscription that it asks for."""
    query = _notifications().where(*_conditions(wanted)).order_by(notifications.c.id.desc())
    if led is not None:
        theirs = notifications.c.subscriber_pk == led.subscriber.pk
        query = query.where(theirs, notifications.c.through.like(by_subscription(led.pk)))
    if wanted.topic_key is not None:
        query = query.join(trigger_topics, trigger_topics.c.trigger_id == notifications.c.trigger_id)
        query = query.where(trigger_topics.c.topic_key == wanted.topic_key, _leads(trigger_topics.c.place))
    return query


def _through_failures(
    connection: Connection, wanted: NotificationFilter, sought: MessagesWanted, offset: int, most: int
) -> list[Row[Any]]:
    """By way of the messages that were not delivered, newest first: they have an index of their own."""
    sent, rest = messages.c, wanted._replace(messages=None)
    joined = messages.join(
        notifications,
        (notifications.c.environment_id == sent.environment_id)
        & (notifications.c.id == sent.notification_id),
    ).join(triggers, triggers.c.id == notifications.c.trigger_id)
    theirs = sa.select(sent.notification_id).select_from(joined).where(*_conditions(rest))
    fits = [sent.environment_id == wanted.environment_id, sent.status != _DELIVERED, *_fitting(sought)]
    if wanted.after is not None:
        fits.append(sent.notification_id >= earliest(wanted.after - _MOST_LATE))
    if wanted.behind is not None:
        fits.append(sent.notification_id < wanted.behind)
    newest = theirs.where(*fits).distinct().order_by(sent.notification_id.desc())
    ids = connection.execute(newest.offset(offset).limit(most)).scalars().all()
    return list(connection.execute(finding(rest).where(notifications.c.id.in_(ids))).all())


def _through_hours(
    connection: Connection, wanted: NotificationFilter, sought: MessagesWanted, offset: int, most: int
) -> list[Row[Any]]:
    """Past the hours in which the integrations are known to have sent nothing, newest first: who looks for
    one that hardly sends would read all that the others sent."""
    found: list[Row[Any]] = []
    query, own = finding(wanted), notifications.c
    for begin, end in hours.stretches(connection, wanted.environment_id, sought.integration_ids or ()):
        within = query.where(own.id >= earliest(begin), own.id < earliest(end))
        found += connection.execute(within.limit(offset + most - len(found))).all()
        if len(found) >= offset + most:
            break
    return found[offset:]


def _through_topic(
    connection: Connection, wanted: NotificationFilter, key: str, offset: int, most: int
) -> list[Row[Any]]:
    """Trigger by trigger, newest first: sorting all that a topic ever led to would take long."""
    found: list[Row[Any]] = []
    first, behind = _trigger_of(connection, wanted), wanted.behind
    query = finding(wanted._replace(topic_key=None, behind=None))
    for trigger_id, place in _noted(connection, wanted.environment_id, key, first):
        of_trigger = query.where(*_of_trigger(wanted.environment_id, trigger_id), _leads(sa.literal(place)))
        if trigger_id == first and behind is not None:
            of_trigger = of_trigger.where(notifications.c.id < behind)
        found += connection.execute(of_trigger.limit(offset + most - len(found))).all()
        if len(found) >= offset + most:
            break
    return found[offset:]


def _trigger_of(connection: Connection, wanted: NotificationFilter) -> str | None:
    """The trigger of the notification that a page begins behind."""
    own = notifications.c
    entry = (own.environment_id == wanted.environment_id) & (own.id == wanted.behind)
    found: str | None = connection.scalar(sa.select(own.trigger_id).where(entry)) if wanted.behind else None
    return found


def _noted(
    connection: Connection, environment_id: str, key: str, first: str | None
) -> Iterator[tuple[str, int]]:
    """The triggers of a topic, newest first or from one on, each with the topic's place in it."""
    noted = trigger_topics.c
    theirs = (noted.environment_id == environment_id) & (noted.topic_key == key)
    if first is not None:
        theirs &= noted.trigger_id <= first
    query = sa.select(noted.trigger_id, noted.place).where(theirs).order_by(noted.trigger_id.desc())
    rows = connection.execute(query.limit(_TRIGGERS_AT_ONCE)).all()
    while rows:
        yield from ((row.trigger_id, row.place) for row in rows)
        rest = query.where(noted.trigger_id < rows[-1].trigger_id)
        rows = connection.execute(rest.limit(_TRIGGERS_AT_ONCE)).all()


def _leads(place: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Whether the topic at that place led to a recipient."""
    before, after = AROUND_PLACE
    return notifications.c.through.like(sa.literal(before).concat(sa.cast(place, sa.Text)).concat(after))


def notification(connection: Connection, environment_id: str, identity: str) -> NotificationRow | None:
    """One notification."""
    entry = (notifications.c.environment_id == environment_id) & (notifications.c.id == identity)
    found = _read(connection, connection.execute(_notifications().where(entry)).all())
    return found[0] if found else None


def of_trigger(
    connection: Connection, environment_id: str, trigger_id: str, after: str, most: int
) -> list[NotificationRow]:
    """The notifications of a trigger behind one, in the order of their recipients."""
    query = _notifications().where(*_of_trigger(environment_id, trigger_id), notifications.c.id > after)
    query = query.order_by(notifications.c.id).limit(most)
    return _read(connection, connection.execute(query).all())


def _of_trigger(environment_id: str, trigger_id: str) -> list[sa.ColumnElement[bool]]:
    """Their ids begin with the trigger's time: they are read off the primary key, not sorted."""
    entry = notifications.c
    at = time_of(trigger_id)
    return [
        entry.environment_id == environment_id,
        entry.id > earliest(at),
        entry.id < earliest(at + 1),
        entry.trigger_id.concat("") == trigger_id,
    ]


def _messages(*, orphaned: bool = False) -> sa.Select[Any]:
    own = [messages.c[name] for name in MessageRow.__struct_fields__[:-3]]
    joined = messages.join(triggers, triggers.c.id == messages.c.trigger_id).join(
        people, people.c.pk == messages.c.subscriber_pk, isouter=orphaned
    )
    theirs = [triggers.c[name] for name in MessageRow.__struct_fields__[-3:]]
    return sa.select(*own, *theirs).select_from(joined)


def _notifications() -> sa.Select[Any]:
    own = [notifications.c[name] for name in ("id", "environment_id", "planned", "details", "created_at")]
    joined = notifications.join(triggers, triggers.c.id == notifications.c.trigger_id).join(
        people, people.c.pk == notifications.c.subscriber_pk
    )
    theirs = (triggers.c.cancelled_at, triggers.c.scope, triggers.c.body)
    more = (notifications.c.subscriber_pk, notifications.c.trigger_id, notifications.c.through)
    return sa.select(*own, *more, *theirs).select_from(joined)


def _conditions(wanted: NotificationFilter) -> list[sa.ColumnElement[bool]]:
    conditions = [notifications.c.environment_id == wanted.environment_id]
    if wanted.workflow_ids:
        conditions.append(triggers.c.workflow_id.in_(wanted.workflow_ids))
    if wanted.after is not None:
        conditions.append(notifications.c.created_at >= wanted.after)
        conditions.append(notifications.c.id >= earliest(wanted.after - _MOST_LATE))
    if wanted.before is not None:
        conditions.append(notifications.c.created_at <= wanted.before)
        conditions.append(notifications.c.id < earliest(wanted.before + 1))
    if wanted.behind is not None:
        conditions.append(notifications.c.id < wanted.behind)
    if wanted.scope is not None:
        conditions.append(_in_scope(wanted.scope))
    if wanted.messages is not None:
        conditions.append(_has_message(wanted.messages))
    return conditions


def _has_message(wanted: MessagesWanted) -> sa.ColumnElement[bool]:
    sent = messages.c
    own = (sent.notification_id == notifications.c.id, sent.environment_id == notifications.c.environment_id)
    return sa.exists(sa.select(sent.id).where(*own, *_fitting(wanted)))


def _fitting(wanted: MessagesWanted) -> list[sa.ColumnElement[bool]]:
    sent = messages.c
    fits: list[sa.ColumnElement[bool]] = []
    if wanted.statuses:
        fits.append(sent.status.in_(wanted.statuses))
    if wanted.integration_ids is not None:
        fits.append(sent.integration_id.in_(wanted.integration_ids))
    if wanted.error:
        sought = [column.icontains(wanted.error, autoescape=True) for column in (sent.code, sent.explanation)]
        fits += [sent.status != MessageStatus.DELIVERED, sa.or_(*sought)]
    return fits


def _in_scope(scope: str) -> sa.ColumnElement[bool]:
    """A trigger without contexts has no scope."""
    return triggers.c.scope.is_(None) if scope == NO_SCOPE else triggers.c.scope == scope


def _named(environment_id: str, names: Sequence[str]) -> sa.Select[tuple[int]]:
    entry = (people.c.environment_id == environment_id) & people.c.subscriber_id.in_(names)
    return sa.select(people.c.pk).where(entry)


def _read(connection: Connection, rows: Sequence[Row[Any]]) -> list[NotificationRow]:
    recipients = subscribers.by_pk(connection, {row.subscriber_pk for row in rows})
    sent = _messages_of(connection, rows)
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


def _messages_of(connection: Connection, rows: Iterable[Row[Any]]) -> dict[str, list[MessageRow]]:
    ids = [row.id for row in rows]
    if not ids:
        return {}
    query = _messages().where(messages.c.notification_id.in_(ids)).order_by(messages.c.created_at)
    found: dict[str, list[MessageRow]] = {}
    for row in connection.execute(query):
        message = MessageRow(*row)
        found.setdefault(message.notification_id, []).append(message)
    return found
