"""Messages: one delivery to one device each."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.contexts import scope_asked
from clarion.api.pages import PageNumber
from clarion.api.route import Audit, Call, Group, NoQuery
from clarion.errors import NotFound
from clarion.model.clock import Millis, iso
from clarion.model.context import keys_in
from clarion.model.member import Role
from clarion.model.outcome import MessageStatus
from clarion.model.people import Subscriber
from clarion.store import engagements, subscribers
from clarion.store.catalog import Snapshot
from clarion.store.message_log import (
    MessageFilter,
    MessageRow,
    delete_message,
    delete_messages_of,
    find_messages,
    messages_named,
)

STATUS = {
    MessageStatus.DELIVERED: "sent",
    MessageStatus.FAILED: "error",
    MessageStatus.PENDING: "warning",
    MessageStatus.CANCELLED: "warning",
}


class MessagesQuery(msgspec.Struct, rename="camel", frozen=True):
    """Query of the list."""

    channel: str | None = None
    subscriber_id: str | None = None
    transaction_id: list[str] = []
    context_keys: list[str] | None = None
    page: PageNumber = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 10


class MessageOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """MessageResponseDto. `deviceTokens` holds the one token this message went to."""

    id: str = msgspec.field(name="_id")
    environment_id: str = msgspec.field(name="_environmentId")
    organization_id: str = msgspec.field(name="_organizationId")
    notification_id: str = msgspec.field(name="_notificationId")
    subscriber_id: str = msgspec.field(name="_subscriberId")
    template_id: str = msgspec.field(name="_templateId")
    template_identifier: str | None = None
    step_id: str
    transaction_id: str
    channel: str
    provider_id: str | None = None
    device_tokens: list[str]
    title: str
    content: str
    status: str
    error_id: str | None = None
    error_text: str | None = None
    provider_message_id: str | None = None
    delivered_at: list[str] | None = None
    read: bool
    seen: bool
    cta: dict[str, Any]
    context_keys: list[str]
    created_at: str
    updated_at: str


class ChannelQuery(msgspec.Struct, frozen=True):
    """Query of a deletion by transaction. Only push has messages here."""

    channel: Literal["in_app", "email", "sms", "chat", "push"] | None = None


class Deleted(msgspec.Struct):
    """DeleteMessageResponseDto."""

    acknowledged: bool
    status: Literal["deleted"]


class MessagePage(msgspec.Struct, rename="camel"):
    """MessagesResponseDto."""

    data: list[MessageOut]
    page: int
    page_size: int
    has_more: bool


async def list_messages(call: Call[None, MessagesQuery]) -> MessagePage:
    """Messages, newest first."""
    query = call.query
    scope = scope_asked(query.context_keys)
    wanted = MessageFilter(call.environment_id, query.subscriber_id, query.transaction_id, scope)

    def read(connection: Connection) -> MessagePage:
        offset = query.page * query.limit
        rows = (
            []
            if query.channel not in (None, "push")
            else find_messages(connection, wanted, offset, query.limit + 1)
        )
        shown = view(connection, call, rows[: query.limit])
        return MessagePage(shown, query.page, query.limit, len(rows) > query.limit)

    return await call.services.database.read(read)


async def _present(call: Call[None, NoQuery]) -> list[MessageOut]:
    """The messages that a call takes out of the log, the newest of them."""
    wanted = MessageFilter(call.environment_id, transaction_ids=[call.path["transactionId"]])

    def read(connection: Connection) -> list[MessageOut]:
        return view(connection, call, find_messages(connection, wanted, 0, _SOME))

    return await call.services.database.read(read)


async def _present_one(call: Call[None, NoQuery]) -> MessageOut | None:
    def read(connection: Connection) -> MessageOut | None:
        rows = messages_named(connection, call.environment_id, [call.path["messageId"]])
        return next(iter(view(connection, call, rows)), None)

    return await call.services.database.read(read)


def view(connection: Connection, call: Call[Any, Any], rows: Sequence[MessageRow]) -> list[MessageOut]:
    """Messages as they are shown, without those of subscribers who are gone."""
    people = subscribers.by_pk(connection, {row.subscriber_pk for row in rows})
    engaged = engagements.of(connection, call.environment_id, [row.id for row in rows])
    return [
        _out(call.snapshot, row, people[row.subscriber_pk], engaged.get(row.id, {}))
        for row in rows
        if row.subscriber_pk in people
    ]


async def remove_message(call: Call[None, NoQuery]) -> Deleted:
    """Delete one message from the log; what was sent stays sent."""
    message_id, now = call.path["messageId"], call.services.clock()

    def write(connection: Connection) -> None:
        if not delete_message(connection, call.environment_id, message_id, now):
            raise NotFound(f"Message with id {message_id} was not found: list messages to see their ids")

    await call.services.database.write(write)
    return Deleted(acknowledged=True, status="deleted")


async def remove_messages_of_transaction(call: Call[None, ChannelQuery]) -> None:
    """Delete the messages of a transaction from the log, all or those of one channel."""
    transaction_id, now = call.path["transactionId"], call.services.clock()

    def write(connection: Connection) -> None:
        of_channel = call.query.channel in (None, "push")
        if not (of_channel and delete_messages_of(connection, call.environment_id, transaction_id, now)):
            raise NotFound(f"Transaction {transaction_id} has no such messages: list messages to see them")

    await call.services.database.write(write)


def _out(
    snapshot: Snapshot, row: MessageRow, subscriber: Subscriber, engaged: Mapping[str, Millis]
) -> MessageOut:
    integration = snapshot.integrations.get(row.integration_id)
    workflow = snapshot.workflows.get(row.workflow_id)
    delivered = row.status == MessageStatus.DELIVERED
    return MessageOut(
        id=row.id,
        environment_id=row.environment_id,
        organization_id=snapshot.organization_id,
        notification_id=row.notification_id,
        subscriber_id=subscriber.id,
        template_id=row.workflow_id,
        template_identifier=workflow.workflow_id if workflow else None,
        step_id=row.step_id,
        transaction_id=row.transaction_id,
        channel="push",
        provider_id=integration.provider_id if integration else None,
        device_tokens=[row.token],
        title=row.title,
        content=row.content,
        status=STATUS[MessageStatus(row.status)],
        error_id=None if delivered else row.code or None,
        error_text=None if delivered else row.explanation or None,
        provider_message_id=row.provider_message_id or None,
        delivered_at=[iso(row.updated_at)] if delivered else None,
        read=not _READ.isdisjoint(engaged),
        seen=not _SEEN.isdisjoint(engaged),
        cta={},
        context_keys=keys_in(row.scope),
        created_at=iso(row.created_at),
        updated_at=iso(row.updated_at),
    )


_READ = frozenset({"opened", "clicked"})
_SEEN = _READ | {"dismissed"}
"""Reports of a phone that say that somebody looked."""
_SOME = 100
_GROUP = Group("Messages")

ROUTES = (
    _GROUP.route(
        "GET",
        "/v1/messages",
        list_messages,
        "List messages",
        Role.VIEWER,
        query=MessagesQuery,
        answer=MessagePage,
        bare=True,
    ),
    _GROUP.route(
        "DELETE",
        "/v1/messages/transaction/{transactionId}",
        remove_messages_of_transaction,
        "Delete the messages of a transaction",
        Role.EDITOR,
        query=ChannelQuery,
        status=204,
        audit=Audit.PERSONAL,
        before=_present,
    ),
    _GROUP.route(
        "DELETE",
        "/v1/messages/{messageId}",
        remove_message,
        "Delete a message",
        Role.EDITOR,
        answer=Deleted,
        audit=Audit.PERSONAL,
        before=_present_one,
    ),
)
