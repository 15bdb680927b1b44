"""Messages as people look them up, and take them out of the log."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.context import NO_SCOPE
from clarion.store.tables import messages, notifications, triggers
from clarion.store.tables import subscribers as people

_NOTIFICATIONS_AT_ONCE = 500


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


class MessageFilter(NamedTuple):
    """Which messages. `scope` is met exactly."""

    environment_id: str
    subscriber_id: str | None = None
    transaction_ids: Sequence[str] = ()
    scope: str | None = None


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
        query = query.where(in_scope(wanted.scope))
    return query.where(messages.c.deleted_at.is_(None))


def messages_named(connection: Connection, environment_id: str, ids: Iterable[str]) -> list[MessageRow]:
    """Messages by their ids, also those whose subscriber was removed since."""
    query = _messages(orphaned=True).where(messages.c.environment_id == environment_id)
    return [MessageRow(*row) for row in connection.execute(query.where(messages.c.id.in_(list(ids))))]


def of_notifications(connection: Connection, ids: Sequence[str]) -> dict[str, list[MessageRow]]:
    """The messages of notifications by their ids, oldest first."""
    if not ids:
        return {}
    query = _messages().where(messages.c.notification_id.in_(ids)).order_by(messages.c.created_at)
    found: dict[str, list[MessageRow]] = {}
    for row in connection.execute(query):
        message = MessageRow(*row)
        found.setdefault(message.notification_id, []).append(message)
    return found


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


def in_scope(scope: str) -> sa.ColumnElement[bool]:
    """A trigger without contexts has no scope."""
    return triggers.c.scope.is_(None) if scope == NO_SCOPE else triggers.c.scope == scope


def _named(environment_id: str, names: Sequence[str]) -> sa.Select[tuple[int]]:
    entry = (people.c.environment_id == environment_id) & people.c.subscriber_id.in_(names)
    return sa.select(people.c.pk).where(entry)


def _messages(*, orphaned: bool = False) -> sa.Select[Any]:
    own = [messages.c[name] for name in MessageRow.__struct_fields__[:-3]]
    joined = messages.join(triggers, triggers.c.id == messages.c.trigger_id).join(
        people, people.c.pk == messages.c.subscriber_pk, isouter=orphaned
    )
    theirs = [triggers.c[name] for name in MessageRow.__struct_fields__[-3:]]
    return sa.select(*own, *theirs).select_from(joined)
