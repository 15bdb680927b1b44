"""What people did with their pushes, noted once and told to who listens, whoever reports it."""

from collections.abc import Iterable
from typing import Literal

from sqlalchemy.engine import Connection

from clarion.api.route import Services
from clarion.model.clock import Millis
from clarion.model.webhook import MESSAGE_DELIVERED, MESSAGE_READ, MESSAGE_SEEN, about
from clarion.security.links import Pushed
from clarion.store import devices, engagements, messages

Engaged = Literal[
    "opened",
    "rejected",
    "sent",
    "deferred",
    "delivered",
    "bounced",
    "dropped",
    "clicked",
    "blocked",
    "spam",
    "unsubscribed",
    "delayed",
    "complaint",
    "created",
    "accepted",
    "queued",
    "sending",
    "failed",
    "undelivered",
    "dismissed",
]


def note(connection: Connection, services: Services, pushed: Pushed, status: Engaged, now: Millis) -> None:
    """Note what became of a push, once, and tell who listens; its device was there to tell it."""
    note_all(connection, services, pushed.environment_id, [(pushed, status)], now)


def note_all(
    connection: Connection,
    services: Services,
    environment_id: str,
    reports: Iterable[tuple[Pushed, Engaged]],
    now: Millis,
) -> None:
    """The same of pushes of one environment."""
    fresh = [
        (pushed.message_id, status)
        for pushed, status in reports
        if engagements.add(connection, environment_id, pushed.message_id, pushed.integration_id, status, now)
    ]
    if not fresh:
        return
    there = messages.devices_of(connection, environment_id, [message_id for message_id, _ in fresh])
    devices.seen(connection, there, now)
    outbox = services.webhooks.outbox
    if outbox.listens(environment_id):
        told = [
            about(kind, message_id, now) for message_id, status in fresh for kind in _TOLD.get(status, ())
        ]
        outbox.put(connection, environment_id, told)


_TOLD: dict[str, tuple[str, ...]] = {
    "delivered": (MESSAGE_DELIVERED,),
    "dismissed": (MESSAGE_SEEN,),
    "opened": (MESSAGE_SEEN, MESSAGE_READ),
    "clicked": (MESSAGE_SEEN, MESSAGE_READ),
}
"""What a report of a phone says to webhook endpoints."""
