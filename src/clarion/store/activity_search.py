"""Finds notifications by what people know of them, each way by an index of its own."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from clarion.model.clock import DAY, Millis
from clarion.model.ids import earliest
from clarion.model.outcome import MessageStatus
from clarion.model.ways import AROUND_PLACE, by_subscription
from clarion.store import hours, topics
from clarion.store.activity import NotificationRow, read_rows, selected, within
from clarion.store.message_log import in_scope
from clarion.store.tables import messages, notifications, trigger_topics, triggers
from clarion.store.tables import subscribers as people
from clarion.store.topics import Subscription

_TRIGGERS_AT_ONCE = 100
_MOST_LATE = 7 * DAY
"""How long after its trigger was accepted a notification may be made and still be found by its time."""
_DELIVERED: sa.ColumnElement[str] = sa.literal_column(f"'{MessageStatus.DELIVERED}'")
"""Written out, as the index of messages that were not delivered is."""


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
        return read_rows(connection, _through_topic(connection, wanted, wanted.topic_key, offset, most))
    if wanted.messages is not None and wanted.messages.failing and open_to_all:
        return read_rows(connection, _through_failures(connection, wanted, wanted.messages, offset, most))
    if open_to_all:
        return read_rows(connection, _through_hours(connection, wanted, offset, most))
    found: dict[str, Row[Any]] = {}
    for way in ways:
        query = finding(wanted, led).where(*way)
        found |= {row.id: row for row in connection.execute(query.limit(offset + most))}
    newest = sorted(found.values(), key=lambda row: str(row.id), reverse=True)
    return read_rows(connection, newest[offset : offset + most])


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
    return within(environment_id, found) if found else []


def finding(wanted: NotificationFilter, led: Subscription | None = None) -> sa.Select[Any]:
    """The query of a search; `led` is the subscription that it asks for."""
    query = selected().where(*_conditions(wanted)).order_by(notifications.c.id.desc())
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
    ids = [row[0] for row in _by_stretches(connection, wanted, newest, sent.notification_id, offset, most)]
    own = finding(NotificationFilter(wanted.environment_id))
    return list(connection.execute(own.where(notifications.c.id.in_(ids))).all())


def _through_hours(
    connection: Connection, wanted: NotificationFilter, offset: int, most: int
) -> list[Row[Any]]:
    return _by_stretches(connection, wanted, finding(wanted), notifications.c.id, offset, most)


def _by_stretches(
    connection: Connection,
    wanted: NotificationFilter,
    query: sa.Select[Any],
    identity: sa.ColumnElement[str],
    offset: int,
    most: int,
) -> list[Row[Any]]:
    """Past the hours in which the integrations or workflows are known to have sent nothing, newest first:
    who looks for one that hardly sends would read all that the others sent."""
    found: list[Row[Any]] = []
    integration_ids = wanted.messages.integration_ids if wanted.messages else None
    sending = hours.Sending(wanted.environment_id, integration_ids, wanted.workflow_ids)
    for begin, end in hours.stretches(connection, sending):
        between = query.where(identity >= earliest(begin), identity < earliest(end))
        found += connection.execute(between.limit(offset + most - len(found))).all()
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
        of_trigger = query.where(*within(wanted.environment_id, trigger_id), _leads(sa.literal(place)))
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
        conditions.append(in_scope(wanted.scope))
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
