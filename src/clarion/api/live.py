"""The live feed over HTTP: what happens in an environment, as server-sent events (HTML, 9.2)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from sqlalchemy.engine import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from clarion.api.admission import Visit, admitted
from clarion.api.live_hub import Frame, Listener, Shown, Words
from clarion.api.route import Call, Route, Services
from clarion.api.transactions import UNDER_WAY, transaction_out
from clarion.echo.bodies import bodies
from clarion.errors import NotFound, RequestError
from clarion.journal.feed import EVENTS, MESSAGES, NOTIFICATIONS
from clarion.model.clock import Millis, iso
from clarion.model.member import Role
from clarion.model.webhook import Event
from clarion.store import live, message_log
from clarion.store.catalog import Snapshot
from clarion.store.live import LiveEvent

HEARTBEAT_SECONDS = 15.0
"""Between two signs of life; with each it is looked whether the caller may still listen."""

_RETRY = b"retry: 2000\n\n"
_BEAT = b": beat\n\n"
_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}

Json = dict[str, Any]


class LiveQuery(msgspec.Struct, rename="camel", frozen=True):
    """Query of the live feed: the environment, for browsers, which can't name it in a header here."""

    environment_id: str | None = None


async def listen(call: Call[None, LiveQuery]) -> Response:
    """What happens in the environment, as it happens (`text/event-stream`): `messages` and `notifications`
    (some of each commit, all counted), `integration` health, `broadcast` progress, and what `changed`.
    Who comes back with `Last-Event-ID` goes on there; `gap` says that some is missing: read anew then."""
    return _stream(call, LIVE, call.environment_id)


async def listen_in_full(call: Call[None, LiveQuery]) -> Response:
    """Every event that webhooks are told, whole (`text/event-stream`): each `events` is a list of `id`,
    `type` and `body`, the text that a webhook endpoint is sent. Nothing is kept for who doesn't listen; who
    comes back with `Last-Event-ID` goes on there, and `gap` says that some is missing."""
    return _stream(call, IN_FULL, live.in_full(call.environment_id))


def _stream(call: Call[None, LiveQuery], route: Route, heard: str) -> Response:
    if call.query.environment_id not in (None, call.environment_id):
        raise NotFound(f"Environment {call.query.environment_id} was not found")
    call.services.live.check_room()
    return EventStream(call.services, route, call.environment_id, heard)


class EventStream(Response):
    """An answer that goes on until the client, the server or the caller's right to it ends. `heard` is what
    the hub knows the environment by, in short or in full."""

    def __init__(self, services: Services, route: Route, environment_id: str, heard: str) -> None:
        super().__init__(media_type="text/event-stream", headers=_HEADERS)
        del self.headers["content-length"]
        self._services = services
        self._route = route
        self._environment_id = environment_id
        self._heard = heard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        hub = self._services.live
        listener = await hub.join(self._heard, request.headers.get("last-event-id"))
        gone = asyncio.create_task(_until_gone(receive, listener))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async for chunk in self._chunks(listener, request):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            hub.leave(listener)

    async def _chunks(self, listener: Listener, request: Request) -> AsyncIterator[bytes]:
        yield _RETRY
        while not listener.ended:
            frame = await listener.next(HEARTBEAT_SECONDS)
            if frame is not None:
                yield _told(frame)
            elif not listener.ended:
                if not await self._welcome(request):
                    return
                yield _BEAT

    async def _welcome(self, request: Request) -> bool:
        """Whether the caller may still listen: a key may have been revoked, a session ended."""
        try:
            await admitted(self._route, Visit.of(request, self._environment_id), self._services)
        except RequestError as error:
            return error.status >= 500
        return True


async def _until_gone(receive: Receive, listener: Listener) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.end()


def _told(frame: Frame) -> bytes:
    number = b"" if frame.seq is None else b"id: %d\n" % frame.seq
    return number + b"event: " + frame.event.encode() + b"\ndata: " + frame.data + b"\n\n"


def shown(connection: Connection, snapshot: Snapshot, event: LiveEvent) -> Shown:
    """An event with what names it, as it is now."""
    if event.kind == EVENTS:
        return Shown([Frame(EVENTS, _in_full(connection, snapshot, event), event.seq)], [])
    if event.kind == MESSAGES:
        body, triggers = _messages(connection, snapshot, event)
    elif event.kind == NOTIFICATIONS:
        body, triggers = _notifications(connection, snapshot, event), event.body["triggers"]
    else:
        body, triggers = event.body, []
    frame = Frame(event.kind, msgspec.json.encode(body | {"at": iso(event.at)}), event.seq)
    return Shown([frame], live.spread(connection, triggers) if triggers else [])


def _in_full(connection: Connection, snapshot: Snapshot, event: LiveEvent) -> bytes:
    told = msgspec.convert(event.body["events"], list[Event])
    said = bodies(connection, snapshot, event.body["environmentId"], told)
    listed = [{"id": item.id, "type": item.type, "body": said[item.id]} for item in told if item.id in said]
    return msgspec.json.encode(listed)


def _messages(connection: Connection, snapshot: Snapshot, event: LiveEvent) -> tuple[Json, list[str]]:
    ids = [identity for _, identity, _ in event.body["shown"]]
    rows = {row.id: row for row in message_log.messages_named(connection, event.environment_id, ids)}
    listed = []
    for kind, identity, at in event.body["shown"]:
        row = rows.get(identity)
        if row is None:
            continue
        integration = snapshot.integrations.get(row.integration_id)
        listed.append(
            {
                "event": kind,
                "messageId": identity,
                "notificationId": row.notification_id,
                "transactionId": row.transaction_id,
                "workflowId": _workflow(snapshot, row.workflow_id),
                "status": row.status,
                "code": row.code,
                "providerId": integration.provider_id if integration else None,
                "integrationId": row.integration_id,
                "at": iso(at),
            }
        )
    body = {"counts": event.body["counts"], "messages": listed, "left": event.body["left"]}
    return body, list({row.trigger_id for row in rows.values()})


def _notifications(connection: Connection, snapshot: Snapshot, event: LiveEvent) -> Json:
    ids = [identity for identity, _, _ in event.body["shown"]]
    listed = [
        {
            "notificationId": item.id,
            "transactionId": item.transaction_id,
            "workflowId": _workflow(snapshot, item.workflow_id),
            "subscriberId": item.subscriber_id,
            "messages": item.planned,
        }
        for item in live.notifications(connection, event.environment_id, ids)
    ]
    return {"notifications": listed, "left": event.body["left"]}


def _workflow(snapshot: Snapshot, identity: str) -> str | None:
    found = snapshot.workflows.get(identity)
    return found.workflow_id if found else None


def progress(
    connection: Connection, snapshot: Snapshot, environment_id: str, transaction_id: str, now: Millis
) -> tuple[Any, bool]:
    """How far a broadcast is, and whether it goes on."""
    try:
        found = transaction_out(connection, snapshot, environment_id, transaction_id, now)
    except NotFound:
        return {"transactionId": transaction_id, "state": "forgotten"}, False
    return found, found.state in UNDER_WAY


WORDS = Words(shown, progress)

LIVE = Route(
    "GET",
    "/v1/live",
    listen,
    "Listen to what happens",
    "Activity",
    Role.VIEWER,
    query=LiveQuery,
    stream=True,
)

IN_FULL = Route(
    "GET",
    "/v1/live/webhooks",
    listen_in_full,
    "Listen to what webhooks are told",
    "Activity",
    Role.ADMIN,
    query=LiveQuery,
    stream=True,
)

ROUTES = (LIVE, IN_FULL)
