"""Devices of a subscriber, as their apps register them: Clarion's own resource, beside Novu's credentials."""

import re
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.people import check_provider, check_token, checked_id
from clarion.api.route import Answer, Audit, Call, Category, Group, NoQuery
from clarion.api.subscribers import named
from clarion.errors import BadInput, CredentialsInvalid, NotFound, Unprocessable
from clarion.model.clock import Millis, iso
from clarion.model.member import Role
from clarion.model.outcome import Outcome
from clarion.model.people import ISSUED_PREFIX, Integration
from clarion.model.push import Target
from clarion.providers.port import Provider
from clarion.security.keys import masked
from clarion.store import registry, subscribers
from clarion.store.catalog import Snapshot
from clarion.store.registry import DeviceRow, Registration

MOST_TEXT = 128
Platform = Literal["ios", "android", "web", "macos", "windows", "linux", "other"]
_LOCALE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*")


class SubscriptionKeys(msgspec.Struct):
    """The keys of a browser's PushSubscription, base64url."""

    p256dh: str
    auth: str


class SubscriptionIn(msgspec.Struct):
    """A browser's PushSubscription, as its `toJSON()` gives it."""

    endpoint: str
    keys: SubscriptionKeys


class DeviceIn(msgspec.Struct, rename="camel", kw_only=True):
    """A device as its app tells of it: `token`, or `subscription` for Web Push.

    With an `id` of its own choice an app refreshes the same device when its token changes. What is left
    out keeps its value.
    """

    provider_id: str
    token: str | None = None
    subscription: SubscriptionIn | None = None
    id: str | None = None
    integration_identifier: str | None = None
    platform: Platform | None = None
    app_version: str | None = None
    locale: str | None = None
    timezone: str | None = None


class DeviceOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A device; its token is masked. `retiredReason` is the provider's code, or `unseen`."""

    id: str
    subscriber_id: str
    provider_id: str
    integration_id: str
    integration_identifier: str
    token: str
    status: str
    platform: str | None = None
    app_version: str | None = None
    locale: str | None = None
    timezone: str | None = None
    registered_at: str
    last_seen_at: str
    retired_at: str | None = None
    retired_reason: str | None = None


async def register_device(call: Call[DeviceIn, NoQuery]) -> Answer:
    """Register or refresh a device; 201 when the subscriber got a new one, 200 when it was known.

    The subscriber is created when missing. A token that another subscriber had under the integration moves,
    unless the integration's configuration `deviceOwnership` is `share`.
    """
    integration = _integration(call)
    given = _registration(call, integration)
    subscriber_id = checked_id(call.path["subscriberId"])

    def write(connection: Connection) -> tuple[DeviceRow, bool]:
        now: Millis = call.services.clock()
        owner = subscribers.ensure(connection, call.environment_id, [subscriber_id], now)[subscriber_id]
        if given.chosen_id and given.chosen_id.startswith(ISSUED_PREFIX):
            found_device(connection, owner.pk, given.chosen_id)
        moves = integration.moves_devices(otherwise=True)
        return registry.register(connection, owner.pk, given, now, moves=moves)

    row, created = await call.services.database.write(write)
    return Answer(device_out(call.snapshot, row, subscriber_id), 201 if created else 200)


async def _present(call: Call[DeviceIn, NoQuery]) -> DeviceOut | None:
    """The device that is refreshed, or comes from somebody else."""
    integration = _integration(call)
    given = _registration(call, integration)
    moves = integration.moves_devices(otherwise=True)

    def read(connection: Connection) -> DeviceOut | None:
        owner = subscribers.get(connection, call.environment_id, call.path["subscriberId"])
        rows = registry.concerned(connection, owner.pk if owner else 0, given, moves=moves)
        owners = subscribers.by_pk(connection, {row.subscriber_pk for row in rows[:1]})
        shown = [device_out(call.snapshot, row, owners[row.subscriber_pk].subscriber_id) for row in rows[:1]]
        return next(iter(shown), None)

    return await call.services.database.read(read)


async def list_devices(call: Call[None, NoQuery]) -> list[DeviceOut]:
    """All devices of a subscriber, also retired ones with their reason, oldest first."""

    def read(connection: Connection) -> list[DeviceOut]:
        owner = named(connection, call)
        rows = registry.of_subscriber(connection, owner.pk)
        return [device_out(call.snapshot, row, owner.subscriber_id) for row in rows]

    return await call.services.database.read(read)


async def retrieve_device(call: Call[None, NoQuery]) -> DeviceOut:
    """One device."""

    def read(connection: Connection) -> DeviceOut:
        owner = named(connection, call)
        row = found_device(connection, owner.pk, call.path["deviceId"])
        return device_out(call.snapshot, row, owner.subscriber_id)

    return await call.services.database.read(read)


async def delete_device(call: Call[None, NoQuery]) -> None:
    """Forget a device, such as at log-out; its other devices stay as they are."""

    def write(connection: Connection) -> None:
        row = found_device(connection, named(connection, call).pk, call.path["deviceId"])
        registry.remove(connection, row.pk)

    await call.services.database.write(write)


def token_given(token: str | None, subscription: SubscriptionIn | None) -> str:
    """The token of a body; a browser's subscription always as the same text."""
    if (token is None) == (subscription is None):
        raise _wrong("token", "give token, or subscription for Web Push, and not both")
    if subscription is None:
        return check_token(token or "", "token")
    return check_token(msgspec.json.encode(subscription, order="sorted").decode(), "subscription")


def check_fits(provider: Provider[Any] | None, integration: Integration, token: str) -> None:
    """`Unprocessable` for a token that the provider knows to be none of its own."""
    if provider is None:
        return
    try:
        credentials = provider.credentials(integration.credentials)
    except CredentialsInvalid:  # told when the integration is changed, and by each send
        return
    verdict = provider.refuse(credentials, Target("", token))
    if verdict is not None and verdict.outcome is Outcome.TOKEN_DEAD:
        raise _wrong("token", verdict.explanation)


def _integration(call: Call[DeviceIn, NoQuery]) -> Integration:
    check_provider(call.body.provider_id)
    identifier = call.body.integration_identifier
    found = call.snapshot.integration_for(call.environment_id, call.body.provider_id, identifier)
    if found is None:
        which = f" with identifier {identifier}" if identifier else ""
        raise BadInput(
            f"There is no active {call.body.provider_id} integration{which} in this environment:"
            " create or activate one first"
        )
    return found


def _registration(call: Call[DeviceIn, NoQuery], integration: Integration) -> Registration:
    body = call.body
    token = token_given(body.token, body.subscription)
    check_fits(call.services.providers.get(integration.provider_id), integration, token)
    return Registration(
        integration.id,
        token,
        None if body.id is None else _short("id", checked_id(body.id, "id")),
        body.platform,
        None if body.app_version is None else _short("appVersion", body.app_version),
        None if body.locale is None else _locale(body.locale),
        None if body.timezone is None else zone_name(body.timezone),
    )


def zone_name(name: str) -> str:
    """An IANA time zone; `Unprocessable` for any other text."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such zone, no name of one, the name of a folder
        raise _wrong("timezone", "must be an IANA time zone such as Europe/Berlin") from None
    return name


def _locale(name: str) -> str:
    if not _LOCALE.fullmatch(name):
        raise _wrong("locale", "must be a language tag such as de or pt_BR")
    return name


def _short(field: str, text: str) -> str:
    if len(text) > MOST_TEXT:
        raise _wrong(field, f"must not be longer than {MOST_TEXT} characters")
    return text


def found_device(connection: Connection, subscriber_pk: int, device_id: str) -> DeviceRow:
    """A device of a subscriber, by what the API calls it."""
    row = registry.find(connection, subscriber_pk, device_id)
    if row is None:
        raise NotFound(f"Device {device_id} was not found: list the subscriber's devices to see their ids")
    return row


def device_out(snapshot: Snapshot, row: DeviceRow, subscriber_id: str) -> DeviceOut:
    """A device on the wire."""
    integration = snapshot.integrations.get(row.integration_id)
    return DeviceOut(
        id=row.id,
        subscriber_id=subscriber_id,
        provider_id=integration.provider_id if integration else "",
        integration_id=row.integration_id,
        integration_identifier=integration.identifier if integration else "",
        token=shown_token(row.token),
        status="active" if row.retired_at is None else "retired",
        platform=row.platform,
        app_version=row.app_version,
        locale=row.locale,
        timezone=row.timezone,
        registered_at=iso(row.registered_at),
        last_seen_at=iso(row.last_seen_at),
        retired_at=None if row.retired_at is None else iso(row.retired_at),
        retired_reason=row.retired_reason,
    )


def shown_token(token: str) -> str:
    """A token for eyes that may not have it; of a browser's subscription the push service and the end."""
    try:
        endpoint = msgspec.json.decode(token, type=SubscriptionIn).endpoint
        return f"{urlsplit(endpoint).hostname}/…{endpoint[-4:]}"
    except (msgspec.DecodeError, ValueError):
        return masked(token)


def _wrong(field: str, message: str) -> Unprocessable:
    return Unprocessable(f"{field}: {message}", {field: [message]})


_PATH = "/v1/subscribers/{subscriberId}/devices"
_GROUP = Group("Devices", Category.CONFIGURATION)

ROUTES = (
    _GROUP.route(
        "POST",
        _PATH,
        register_device,
        "Register or refresh a device",
        Role.EDITOR,
        body=DeviceIn,
        answer=DeviceOut,
        status=201,
        present=200,
        audit=Audit.PERSONAL,
        before=_present,
    ),
    _GROUP.route(
        "GET", _PATH, list_devices, "List the devices of a subscriber", Role.VIEWER, answer=list[DeviceOut]
    ),
    _GROUP.route(
        "GET", _PATH + "/{deviceId}", retrieve_device, "Read a device", Role.VIEWER, answer=DeviceOut
    ),
    _GROUP.route(
        "DELETE",
        _PATH + "/{deviceId}",
        delete_device,
        "Forget a device",
        Role.EDITOR,
        status=204,
        audit=Audit.PERSONAL,
    ),
)
