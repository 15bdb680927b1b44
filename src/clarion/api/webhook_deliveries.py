"""What webhook endpoints were sent and what came of it: to look up, to send once more, to try."""

from typing import Any, Literal

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.dates import date
from clarion.api.pages import CursorPage, CursorQuery, cursor_page
from clarion.api.route import Audit, Call, NoQuery
from clarion.api.webhooks import GROUP, ONE, named_endpoint
from clarion.echo.bodies import envelope
from clarion.echo.courier import shown_headers, signed_headers
from clarion.echo.webhooks import after, fresh
from clarion.errors import BadInput, NotFound, Unprocessable
from clarion.model.clock import Millis, iso
from clarion.model.member import Role
from clarion.model.webhook import PING, Endpoint, Try, happened
from clarion.store import webhook_deliveries, webhooks
from clarion.store.webhook_deliveries import Delivery, Wanted

MOST_REPLAYED = 10_000


class TryOut(msgspec.Struct, rename="camel"):
    """One attempt. `code` is empty where it was taken; `status` 0 where nothing was answered. `url` and
    `headers` are what was asked, the endpoint's own values masked."""

    at: str
    took: Millis
    status: int
    code: str
    answer: str
    url: str
    headers: dict[str, str]


class DeliveryOut(msgspec.Struct, rename="camel", kw_only=True):
    """One event to one endpoint. `body` is what is sent, `tries` the last attempts, newest last."""

    id: str = msgspec.field(name="_id")
    webhook_id: str = msgspec.field(name="_webhookId")
    event_id: str
    type: str
    status: Literal["pending", "delivered", "failed"]
    attempts: int
    url: str
    headers: dict[str, str]
    body: str
    tries: list[TryOut]
    next_try_at: str | None
    happened_at: str
    updated_at: str


class DeliveriesQuery(CursorQuery, rename="camel", frozen=True, kw_only=True):
    """Query of the deliveries of an endpoint."""

    status: Literal["pending", "delivered", "failed"] | None = None
    type: str | None = None


class DeliveryPage(msgspec.Struct):
    """Deliveries, and the cursors to what is before and after."""

    data: list[DeliveryOut]
    next: str | None
    previous: str | None


class ReplayIn(msgspec.Struct):
    """What to send once more: of events from `since` to `until` (dates, until now) those that failed, were
    delivered, or all. What is still tried comes by itself."""

    since: str
    until: str | None = None
    status: Literal["failed", "delivered", "all"] = "failed"


class Replayed(msgspec.Struct):
    """How many are sent once more, and the `since` to go on from."""

    replayed: int
    next: str | None


async def ping_webhook(call: Call[None, NoQuery]) -> DeliveryOut:
    """Send a `webhook.ping` now, once, whether the endpoint is active or not; the answer says what came."""
    endpoint, now = named_endpoint(call), call.services.clock()
    event = happened(PING, {"_id": endpoint.id, "url": endpoint.url}, endpoint.id, now)
    body = envelope(call.snapshot, call.environment_id, event, event.data)
    tried = await call.services.webhooks.courier.take(endpoint, event.id, body)
    done = _once(after(fresh(endpoint, event, body), tried, 0))

    def write(connection: Connection) -> None:
        if webhooks.hold(connection, endpoint.id):
            webhook_deliveries.keep(connection, [done])

    await call.services.database.write(write)
    return _out(endpoint, done)


async def list_deliveries(call: Call[None, DeliveriesQuery]) -> DeliveryPage:
    """What an endpoint was sent and what came of it, newest first; `status` and `type` narrow it down."""
    endpoint, query = named_endpoint(call), call.query
    wanted = Wanted(endpoint.id, query.status, query.type)

    def read(connection: Connection) -> CursorPage[Delivery]:
        return cursor_page(
            lambda anchor, order: webhook_deliveries.search(connection, wanted, anchor, order),
            lambda identity: webhook_deliveries.by_id(connection, endpoint.id, identity),
            lambda row: (row.pk,),
            query,
        )

    page = await call.services.database.read(read)
    return DeliveryPage([_out(endpoint, item) for item in page.rows], page.next, page.previous)


async def resend_delivery(call: Call[None, NoQuery]) -> DeliveryOut:
    """Send one delivery once more, under the same id, with all the tries of a new one."""
    endpoint, identity, now = _active(call), call.path["deliveryId"], call.services.clock()

    def write(connection: Connection) -> Delivery:
        if webhook_deliveries.by_id(connection, endpoint.id, identity) is None:
            raise NotFound(f"Delivery {identity} was not found: list the deliveries of the endpoint")
        call.services.webhooks.outbox.repeat(connection, endpoint, [identity], now)
        found = webhook_deliveries.by_id(connection, endpoint.id, identity)
        assert found is not None
        return found

    found = await call.services.database.write(write)
    call.services.webhooks.outbox.ring()
    return _out(endpoint, found)


async def replay_webhook(call: Call[ReplayIn, NoQuery]) -> Replayed:
    """Send what failed since a moment once more, or with `status` `all` what was delivered as well: up to
    10,000 events, oldest first. `next` is where to go on when there were more."""
    endpoint, given, now = _active(call), call.body, call.services.clock()
    since = date(given.since, "since") or 0
    until = now if given.until is None else date(given.until, "until") or 0
    if since > until:
        raise Unprocessable.field("since", "must not be later than until")
    status = None if given.status == "all" else given.status

    def write(connection: Connection) -> list[tuple[str, Millis]]:
        found = webhook_deliveries.recall(connection, endpoint.id, since, until, status, MOST_REPLAYED + 1)
        ids = [identity for identity, _ in found[:MOST_REPLAYED]]
        call.services.webhooks.outbox.repeat(connection, endpoint, ids, now)
        return found

    found = await call.services.database.write(write)
    call.services.webhooks.outbox.ring()
    more = iso(found[MOST_REPLAYED][1]) if len(found) > MOST_REPLAYED else None
    return Replayed(min(len(found), MOST_REPLAYED), more)


def _active(call: Call[Any, Any]) -> Endpoint:
    found = named_endpoint(call)
    if not found.active:
        raise BadInput("The endpoint is switched off: switch it on first, with PUT and active true")
    return found


def _once(delivery: Delivery) -> Delivery:
    """A delivery that is not tried again by itself."""
    status = "failed" if delivery.next_try_at else delivery.status
    return msgspec.structs.replace(delivery, status=status, next_try_at=None)


def _out(endpoint: Endpoint, item: Delivery) -> DeliveryOut:
    """A delivery with what was sent last; one that was not sent yet, as it would be now."""
    sent = next((one for one in reversed(item.tries) if one.url), None) or _unsent(endpoint, item)
    return DeliveryOut(
        id=item.id,
        webhook_id=item.endpoint_id,
        event_id=item.event_id,
        type=item.type,
        status=item.status,  # type: ignore[arg-type]
        attempts=item.attempts,
        url=sent.url,
        headers=sent.headers,
        body=item.body,
        tries=[_try(one) for one in item.tries],
        next_try_at=iso(item.next_try_at) if item.next_try_at else None,
        happened_at=iso(item.happened_at),
        updated_at=iso(item.updated_at),
    )


def _unsent(endpoint: Endpoint, item: Delivery) -> Try:
    signed = signed_headers(endpoint, item.event_id, item.body, item.updated_at)
    return Try(item.updated_at, 0, url=endpoint.url, headers=shown_headers(endpoint, signed))


def _try(one: Try) -> TryOut:
    return TryOut(iso(one.at), one.took, one.status, one.code, one.answer, one.url, one.headers)


ROUTES = (
    GROUP.route(
        "GET",
        ONE + "/deliveries",
        list_deliveries,
        "List what an endpoint was sent",
        Role.VIEWER,
        query=DeliveriesQuery,
        answer=DeliveryPage,
        bare=True,
    ),
    GROUP.route(
        "POST",
        ONE + "/deliveries/{deliveryId}/resend",
        resend_delivery,
        "Send a delivery once more",
        Role.EDITOR,
        answer=DeliveryOut,
        audit=Audit.BRIEF,
    ),
    GROUP.route(
        "POST",
        ONE + "/replay",
        replay_webhook,
        "Send what failed once more",
        Role.EDITOR,
        body=ReplayIn,
        answer=Replayed,
        audit=Audit.BRIEF,
    ),
    GROUP.route(
        "POST",
        ONE + "/ping",
        ping_webhook,
        "Ping a webhook endpoint",
        Role.EDITOR,
        answer=DeliveryOut,
        audit=Audit.BRIEF,
    ),
)
