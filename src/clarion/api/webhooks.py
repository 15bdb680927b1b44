"""Webhook endpoints of an environment: who is told what happens, signed."""

import asyncio
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy.engine import Connection

from clarion.api.route import Call, Group, NoQuery
from clarion.errors import BadInput, EgressRefused, LimitExceeded, NotFound, TransportError, Unprocessable
from clarion.model.clock import HOUR, Millis, iso
from clarion.model.ids import new_id
from clarion.model.member import Role
from clarion.model.webhook import EVENTS, Endpoint, Secret, url_fault
from clarion.net.fields import field_name
from clarion.security.keys import masked, new_signing_secret
from clarion.store import webhook_deliveries, webhooks

MOST_ENDPOINTS = 50
MOST_HEADERS = 20
MOST_DESCRIPTION = 512
MOST_CONCURRENT = 100
MOST_A_SECOND = 10_000
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
    return _out(named_endpoint(call), call.services.clock())


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
    found = named_endpoint(call)
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


def named_endpoint(call: Call[Any, Any]) -> Endpoint:
    """The endpoint of the path."""
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


_SOME = 1000
_PATH = "/v1/webhooks"
ONE = _PATH + "/{webhookId}"
GROUP = Group("Webhooks")

ROUTES = (
    GROUP.route("GET", _PATH, list_webhooks, "List webhook endpoints", Role.VIEWER, answer=list[WebhookOut]),
    GROUP.route(
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
    GROUP.route("GET", ONE, get_webhook, "Read a webhook endpoint", Role.VIEWER, answer=WebhookOut),
    GROUP.route(
        "PUT",
        ONE,
        update_webhook,
        "Change a webhook endpoint",
        Role.ADMIN,
        body=WebhookPatch,
        answer=WebhookOut,
    ),
    GROUP.route("DELETE", ONE, delete_webhook, "Remove a webhook endpoint", Role.ADMIN, status=204),
    GROUP.route(
        "POST",
        ONE + "/rotate-secret",
        rotate_secret,
        "Renew the secret of a webhook endpoint",
        Role.ADMIN,
        body=Rotation,
        answer=WebhookWithSecret,
        secret=True,
    ),
)
