"""What phones report of the pushes that reached them, told by the app's backend."""

from typing import Annotated, get_args

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.callbacks import take_callback
from clarion.api.engagement import Engaged, note
from clarion.api.integrations import named_integration
from clarion.api.route import Audit, Call, NoQuery, Route
from clarion.errors import NotFound, Unprocessable
from clarion.model.clock import iso
from clarion.model.member import Role
from clarion.security.links import Pushed

MOST_ID = 64


class Report(msgspec.Struct, rename="camel", omit_defaults=True):
    """What an app sends; other keys are of no account. `eventId` is the push's `__nvMessageId`."""

    event_type: Engaged | None = None
    event_id: Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_ID)] | None = None


class EventOut(msgspec.Struct):
    """EventBody: what happened, when it was reported, and the report."""

    status: Engaged
    date: str
    row: str


class Tracked(msgspec.Struct):
    """WebhookResultDto; `id` is the message's, `__nvMessageId` in the push."""

    id: str
    event: EventOut


async def track_activity(call: Call[Report, NoQuery]) -> list[Tracked]:
    """Note `eventType` of the message `eventId`, each kind once. Without `eventId` nothing is noted.

    OneSignal, Pusher Beams and Huawei call this themselves, without a key and with bodies of their own: what
    proves them is the integration's `callbackSecret`.
    """
    if call.path["environmentId"] != call.environment_id:
        raise NotFound(f"Environment {call.path['environmentId']} was not found")
    message_id, status = call.body.event_id, call.body.event_type
    if message_id is not None and status is None:
        raise Unprocessable.field("eventType", f"must be one of: {', '.join(get_args(Engaged))}")
    now = call.services.clock()

    def write(connection: Connection) -> None:
        integration = named_integration(connection, call)
        if message_id is not None and status is not None:
            note(
                connection,
                call.services,
                Pushed(call.environment_id, integration.id, message_id),
                status,
                now,
            )

    await call.services.database.write(write)
    call.services.webhooks.outbox.ring()
    if message_id is None or status is None:
        return []
    row = msgspec.json.encode(call.body).decode()
    return [Tracked(message_id, EventOut(status, iso(now), row))]


ROUTES = (
    Route(
        "POST",
        "/v2/inbound-webhooks/delivery-providers/{environmentId}/{integrationId}",
        track_activity,
        "Report what became of a push on the phone",
        "Messages",
        Role.EDITOR,
        body=Report,
        answer=list[Tracked],
        audit=Audit.NOTHING,
        signed=take_callback,
    ),
)
