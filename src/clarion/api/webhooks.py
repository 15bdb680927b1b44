"""Webhook endpoints of an environment: who is told what happens, signed, and what became of each telling."""

import asyncio
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy.engine import Connection

from clarion.api.dates import date
from clarion.api.pages import CursorPage, CursorQuery, cursor_page
from clarion.api.route import Audit, Call, Group, NoQuery
from clarion.echo.bodies import envelope
from clarion.echo.courier import shown_headers, signed_headers
from clarion.echo.webhooks import after, fresh
from clarion.errors import BadInput, EgressRefused, LimitExceeded, NotFound, TransportError, Unprocessable
from clarion.model.clock import HOUR, Millis, iso
from clarion.model.ids import new_id
from clarion.model.member import Role
from clarion.model.webhook import EVENTS, PING, Endpoint, Secret, Try, happened, url_fault
from clarion.net.fields import field_name
from clarion.security.keys import masked, new_signing_secret
from clarion.store import webhook_deliveries, webhooks
from clarion.store.webhook_deliveries import Delivery, Wanted

MOST_ENDPOINTS = 50
MOST_HEADERS = 20
MOST_DESCRIPTION = 512
MOST_CONCURRENT = 100
MOST_A_SECOND = 10_000
MOST_REPLAYED = 10_000
MOST_SECRETS = 10
"""Old ones that still sign, too many to be reached by rotating with care."""

_LOOK_UP_SECONDS = 2.0
_HEADER_VALUE = re.compile(r"[\t -~]{0,1024}")


class WebhookIn(msgspec.Struct, rename="camel"):
    """What an endpoint is to be. `events` empty: all. A header value that comes back masked stays.

    `concurrency` is how many events may be under way at a time: one keeps them in the order of time.
    `rateLimit` is how many are begun in a second at most; null for any number.
    """

    url: str
    events: list[str] = []
    description: str = ""
    headers: dict[str, str] = {}
    active: bool = True
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=MOST_CONCURRENT)] = 1
    rate_limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_A_SECOND)] | None = None


class WebhookPatch(msgspec.Struct, rename="camel"):
    """What changes of an endpoint; absent keeps."""

    url: str | UnsetType = UNSET
    events: list[str] | UnsetType = UNSET
    description: str | UnsetType = UNSET
    headers: dict[str, str] | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=MOST_CONCURRENT)] | UnsetType = UNSET
    rate_limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_A_SECOND)] | None | UnsetType = UNSET


class Rotation(msgspec.Struct, rename="camel"):
    """How long the secret that is replaced goes on signing beside the new one."""

    overlap_hours: Annotated[int, msgspec.Meta(ge=0, le=24 * 30)] = 24


class WebhookOut(msgspec.Struct, rename="camel", kw_only=True):
    """An endpoint; values of headers are masked, secrets are not shown.

    `disabledReason` is `failing` or `gone` where Clarion switched it off, else empty. `oldSecretsUntil` are
    the moments at which replaced secrets stop signing.
    """

    id: str = msgspec.field(name="_id")
    environment_id: str = msgspec.field(name="_environmentId")
    url: str
    events: list[str]
    description: str
    headers: dict[str, str]
    active: bool
    concurrency: int
    rate_limit: int | None
    disabled_reason: str
    old_secrets_until: list[str]
    created_at: str
    updated_at: str


class WebhookWithSecret(WebhookOut, rename="camel", kw_only=True):
    """An endpoint with its newest secret, which is not shown again."""

    secret: str


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


async def list_webhooks(call: Call[None, NoQuery]) -> list[WebhookOut]:
    """The endpoints of the environment, oldest first."""
    return [_out(item, call.services.clock()) for item in call.snapshot.webhooks_of(call.environment_id)]


async def create_webhook(call: Call[WebhookIn, NoQuery]) -> WebhookWithSecret:
    """Add an endpoint. Its `secret` is shown in this answer and never again."""
    given, now = call.body, call.services.clock()
    present = len(call.snapshot.webhooks_of(call.environment_id))
    if present >= MOST_ENDPOINTS:
        told = f"There are {present} webhook endpoints already: remove one first"
        raise LimitExceeded(told, current=present, limit=MOST_ENDPOINTS)
    await _check_url(call, given.url)
    made = Endpoint(
        new_id(now),
        call.environment_id,
        given.url,
        _description(given.description),
        _events(given.events),
        given.concurrency,
        given.rate_limit,
        given.active,
        "",
        now,
        now,
        _headers(given.headers, {}),
        [Secret(new_signing_secret())],
    )
    await call.services.catalog.change(webhooks.create, call.services.vault, made)
    return _with_secret(made, now)


async def get_webhook(call: Call[None, NoQuery]) -> WebhookOut:
    """One endpoint."""
    return _out(_named(call), call.services.clock())


async def update_webhook(call: Call[WebhookPatch, NoQuery]) -> WebhookOut:
    """Change an endpoint. Switched on again it starts afresh, and what failed meanwhile can be replayed."""
    given = call.body
    if given.url is not UNSET:
        await _check_url(call, given.url)
    fields = {name: value for name in given.__struct_fields__ if (value := getattr(given, name)) is not UNSET}
    if not fields:
        raise BadInput("Nothing to change: send at least one field")

    def write(connection: Connection) -> Endpoint:
        found = _stored(connection, call)
        if "headers" in fields:
            fields["headers"] = _headers(fields["headers"], found.headers)
        if "events" in fields:
            _events(fields["events"])
        _description(fields.get("description", ""))
        if fields.get("active"):
            fields["disabled_reason"] = ""
        changed = msgspec.structs.replace(found, **fields, updated_at=call.services.clock())
        webhooks.replace(connection, call.services.vault, changed)
        return changed

    return _out(await call.services.catalog.change(write), call.services.clock())


async def delete_webhook(call: Call[None, NoQuery]) -> None:
    """Remove an endpoint with its deliveries; what was under way to it is not sent any more."""
    found = _named(call)
    off = msgspec.structs.replace(found, active=False)
    await call.services.catalog.change(webhooks.replace, call.services.vault, off)
    while await call.services.database.write(webhook_deliveries.empty, found.id, _SOME):
        pass
    await call.services.catalog.change(webhooks.delete, found.id)


async def rotate_secret(call: Call[Rotation, NoQuery]) -> WebhookWithSecret:
    """Make a new secret, shown in this answer and never again. Until the old one stops, both sign."""
    now = call.services.clock()
    until = now + call.body.overlap_hours * HOUR

    def write(connection: Connection) -> Endpoint:
        found = _stored(connection, call)
        old = [secret if secret.until else Secret(secret.text, until) for secret in found.secrets]
        left = [secret for secret in old if secret.until and secret.until > now][:MOST_SECRETS]
        rotated = msgspec.structs.replace(
            found, secrets=[Secret(new_signing_secret()), *left], updated_at=now
        )
        webhooks.replace(connection, call.services.vault, rotated)
        return rotated

    return _with_secret(await call.services.catalog.change(write), now)


async def ping_webhook(call: Call[None, NoQuery]) -> DeliveryOut:
    """Send a `webhook.ping` now, once, whether the endpoint is active or not; the answer says what came."""
    endpoint, now = _named(call), call.services.clock()
    event = happened(PING, {"_id": endpoint.id, "url": endpoint.url}, endpoint.id, now)
    body = envelope(call.snapshot, call.environment_id, event, event.data)
    tried = await call.services.webhooks.courier.take(endpoint, event.id, body)
    done = _once(after(fresh(endpoint, event, body), tried, 0))

    def write(connection: Connection) -> None:
        if webhooks.hold(connection, endpoint.id):
            webhook_deliveries.keep(connection, [done])

    await call.services.database.write(write)
    return delivery_out(endpoint, done)


async def list_deliveries(call: Call[None, DeliveriesQuery]) -> DeliveryPage:
    """What an endpoint was sent and what came of it, newest first; `status` and `type` narrow it down."""
    endpoint, query = _named(call), call.query
    wanted = Wanted(endpoint.id, query.status, query.type)

    def read(connection: Connection) -> CursorPage[Delivery]:
        return cursor_page(
            lambda anchor, order: webhook_deliveries.search(connection, wanted, anchor, order),
            lambda identity: webhook_deliveries.by_id(connection, endpoint.id, identity),
            lambda row: (row.pk,),
            query,
        )

    page = await call.services.database.read(read)
    return DeliveryPage([delivery_out(endpoint, item) for item in page.rows], page.next, page.previous)


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
    return delivery_out(endpoint, found)


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
    found = _named(call)
    if not found.active:
        raise BadInput("The endpoint is switched off: switch it on first, with PUT and active true")
    return found


def _once(delivery: Delivery) -> Delivery:
    """A delivery that is not tried again by itself."""
    status = "failed" if delivery.next_try_at else delivery.status
    return msgspec.structs.replace(delivery, status=status, next_try_at=None)


def _named(call: Call[Any, Any]) -> Endpoint:
    identity = call.path["webhookId"]
    found = call.snapshot.webhooks.get(identity)
    if found is None or found.environment_id != call.environment_id:
        raise _missing(identity)
    return found


def _stored(connection: Connection, call: Call[Any, Any]) -> Endpoint:
    """As it stands in the database, for a change."""
    identity = call.path["webhookId"]
    found = webhooks.by_id(connection, call.services.vault, call.environment_id, identity)
    if found is None:
        raise _missing(identity)
    return found


def _missing(identity: str) -> NotFound:
    return NotFound(f"Webhook endpoint {identity} was not found: GET /v1/webhooks lists those there are")


async def _check_url(call: Call[Any, Any], url: str) -> None:
    """Tell at once what would fail later: `Unprocessable` for a URL that can't be called or may not be."""
    fault = url_fault(url)
    if not fault and url.lower().startswith("http:") and not call.services.webhooks.over_http:
        fault = "must begin with https://; CLARION_WEBHOOK_HTTP=true on the server allows http"
    if fault:
        raise Unprocessable.field("url", fault)
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(_LOOK_UP_SECONDS):
            await call.services.webhooks.egress.resolve(parts.hostname or "", parts.port or 443, guarded=True)
    except EgressRefused as error:
        raise Unprocessable.field("url", str(error)) from error
    except (TransportError, TimeoutError):
        return  # a name may come to exist later, and is looked up again with each delivery


def _events(given: list[str]) -> list[str]:
    for place, kind in enumerate(given):
        if kind not in EVENTS:
            raise Unprocessable.field(f"events.{place}", f"must be one of: {', '.join(EVENTS)}")
    return given


def _description(given: str) -> str:
    if len(given) > MOST_DESCRIPTION:
        raise Unprocessable.field("description", f"must not be longer than {MOST_DESCRIPTION} characters")
    return given


def _headers(given: dict[str, str], present: dict[str, str]) -> dict[str, str]:
    """The given headers; a value that comes back as it was shown is the stored one."""
    if len(given) > MOST_HEADERS:
        raise Unprocessable.field("headers", f"must not be more than {MOST_HEADERS}")
    kept = {
        name: present[name] if name in present and value == masked(present[name]) else value
        for name, value in given.items()
    }
    for name, value in kept.items():
        try:
            fits = bool(field_name(name)) and name.lower() not in _OURS
        except TransportError:
            fits = False
        if not fits:
            raise Unprocessable.field("headers", f"{name[:64]!r} can't be set: name another header")
        if not _HEADER_VALUE.fullmatch(value):
            raise Unprocessable.field("headers", f"the value of {name} must be up to 1024 visible ASCII")
    return kept


_OURS = frozenset({"content-type", "user-agent"}) | {
    f"{family}-{part}" for family in ("webhook", "svix") for part in ("id", "timestamp", "signature")
}
"""What every delivery says itself."""


def _out(item: Endpoint, now: Millis) -> WebhookOut:
    return WebhookOut(**_shown(item, now))


def _with_secret(item: Endpoint, now: Millis) -> WebhookWithSecret:
    return WebhookWithSecret(**_shown(item, now), secret=item.secrets[0].text)


def _shown(item: Endpoint, now: Millis) -> dict[str, Any]:
    return {
        "id": item.id,
        "environment_id": item.environment_id,
        "url": item.url,
        "events": item.events,
        "description": item.description,
        "headers": {name: masked(value) for name, value in item.headers.items()},
        "active": item.active,
        "concurrency": item.concurrency,
        "rate_limit": item.rate_limit,
        "disabled_reason": item.disabled_reason,
        "old_secrets_until": [iso(old.until) for old in item.secrets if old.until and old.until > now],
        "created_at": iso(item.created_at),
        "updated_at": iso(item.updated_at),
    }


def delivery_out(endpoint: Endpoint, item: Delivery) -> DeliveryOut:
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


_SOME = 1000
_PATH = "/v1/webhooks"
_ONE = _PATH + "/{webhookId}"
_GROUP = Group("Webhooks")

ROUTES = (
    _GROUP.route("GET", _PATH, list_webhooks, "List webhook endpoints", Role.VIEWER, answer=list[WebhookOut]),
    _GROUP.route(
        "POST",
        _PATH,
        create_webhook,
        "Add a webhook endpoint",
        Role.ADMIN,
        body=WebhookIn,
        answer=WebhookWithSecret,
        status=201,
        secret=True,
    ),
    _GROUP.route("GET", _ONE, get_webhook, "Read a webhook endpoint", Role.VIEWER, answer=WebhookOut),
    _GROUP.route(
        "PUT",
        _ONE,
        update_webhook,
        "Change a webhook endpoint",
        Role.ADMIN,
        body=WebhookPatch,
        answer=WebhookOut,
    ),
    _GROUP.route("DELETE", _ONE, delete_webhook, "Remove a webhook endpoint", Role.ADMIN, status=204),
    _GROUP.route(
        "POST",
        _ONE + "/rotate-secret",
        rotate_secret,
        "Renew the secret of a webhook endpoint",
        Role.ADMIN,
        body=Rotation,
        answer=WebhookWithSecret,
        secret=True,
    ),
    _GROUP.route(
        "GET",
        _ONE + "/deliveries",
        list_deliveries,
        "List what an endpoint was sent",
        Role.VIEWER,
        query=DeliveriesQuery,
        answer=DeliveryPage,
        bare=True,
    ),
    _GROUP.route(
        "POST",
        _ONE + "/deliveries/{deliveryId}/resend",
        resend_delivery,
        "Send a delivery once more",
        Role.EDITOR,
        answer=DeliveryOut,
        audit=Audit.BRIEF,
    ),
    _GROUP.route(
        "POST",
        _ONE + "/replay",
        replay_webhook,
        "Send what failed once more",
        Role.EDITOR,
        body=ReplayIn,
        answer=Replayed,
        audit=Audit.BRIEF,
    ),
    _GROUP.route(
        "POST",
        _ONE + "/ping",
        ping_webhook,
        "Ping a webhook endpoint",
        Role.EDITOR,
        answer=DeliveryOut,
        audit=Audit.BRIEF,
    ),
)
