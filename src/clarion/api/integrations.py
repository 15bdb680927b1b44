"""Integrations: configured providers of the caller's environment."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.people import checked_id
from clarion.api.route import Call, Group, NoQuery
from clarion.api.slugs import short_id, slug
from clarion.api.unlocking import check_unlocks
from clarion.deliver.lane import RATE, TRACKING
from clarion.errors import BadInput, CredentialsInvalid, NotFound, Unprocessable
from clarion.model.ids import new_id
from clarion.model.member import Role
from clarion.model.people import OWNERSHIP, OWNERSHIPS, Integration
from clarion.providers.port import Provider
from clarion.providers.registry import SECRETS
from clarion.security.keys import masked
from clarion.store import integrations
from clarion.store.catalog import Snapshot

MOST_A_SECOND = 1_000_000


class IntegrationIn(msgspec.Struct, rename="camel", kw_only=True):
    """UpdateIntegrationRequestDto: absent keeps."""

    name: str | None = None
    identifier: str | None = None
    environment_id: str | None = msgspec.field(name="_environmentId", default=None)
    active: bool | None = None
    credentials: dict[str, Any] | None = None
    conditions: list[dict[str, Any]] | None = None
    configurations: dict[str, Any] | None = None


class NewIntegration(IntegrationIn, kw_only=True, rename="camel"):
    """CreateIntegrationRequestDto."""

    provider_id: str
    channel: str | None = None


class IntegrationOut(msgspec.Struct, rename="camel", kw_only=True):
    """IntegrationResponseDto. Secrets in `credentials` are masked; sent back as they are, they stay."""

    id: str = msgspec.field(name="_id")
    environment_id: str = msgspec.field(name="_environmentId")
    organization_id: str = msgspec.field(name="_organizationId")
    name: str
    identifier: str
    provider_id: str
    channel: str
    credentials: dict[str, Any]
    configurations: dict[str, Any]
    conditions: list[Any]
    active: bool
    deleted: bool = False
    primary: bool = False


class AutoConfigured(msgspec.Struct):
    """AutoConfigureIntegrationResponseDto; `integration` holds the configurations."""

    success: bool
    message: str
    integration: dict[str, Any]


async def list_integrations(call: Call[None, NoQuery]) -> list[IntegrationOut]:
    """All integrations of the environment."""
    return _listed(call.snapshot, call.environment_id)


async def list_active_integrations(call: Call[None, NoQuery]) -> list[IntegrationOut]:
    """The active ones."""
    return [item for item in _listed(call.snapshot, call.environment_id) if item.active]


async def create_integration(call: Call[NewIntegration, NoQuery]) -> IntegrationOut:
    """Register a provider."""
    given = call.body
    provider = _provider(call.services.providers, given)
    _own_environment(call)
    now = call.services.clock()
    name = given.name or provider.name
    integration = Integration(
        id=new_id(now),
        environment_id=call.environment_id,
        identifier=checked_id(given.identifier or f"{slug(name)[:100]}-{short_id()}", "identifier"),
        name=name,
        provider_id=provider.id,
        channel="push",
        created_at=now,
        updated_at=now,
        credentials=provider.completed(_credentials(given.credentials or {}, {})),
        configurations=_configurations(given.configurations or {}),
        conditions=given.conditions or [],
        active=bool(given.active),
    )
    await check_unlocks(provider, integration.credentials)
    _check(provider, integration)
    await call.services.catalog.change(integrations.create, call.services.vault, integration)
    return integration_out(call.snapshot, integration)


async def update_integration(call: Call[IntegrationIn, NoQuery]) -> IntegrationOut:
    """Change an integration; absent keeps."""
    _own_environment(call)
    await _check_unlocks(call)

    def write(connection: Connection) -> Integration:
        found = named_integration(connection, call)
        changed = msgspec.structs.replace(
            found, **_changes(call.body, found), updated_at=call.services.clock()
        )
        provider = call.services.providers.get(found.provider_id)
        if provider:
            completed = provider.completed(changed.credentials)
            changed = msgspec.structs.replace(changed, credentials=completed)
            _check(provider, changed)
        integrations.replace(connection, call.services.vault, changed)
        return changed

    return integration_out(call.snapshot, await call.services.catalog.change(write))


async def delete_integration(call: Call[None, NoQuery]) -> list[IntegrationOut]:
    """Remove an integration with the device tokens that only it can use; answers what is left."""

    def write(connection: Connection) -> None:
        integrations.delete(connection, named_integration(connection, call).id)

    await call.services.catalog.change(write)
    return _listed(call.services.catalog.snapshot, call.environment_id)


async def make_primary(call: Call[None, NoQuery]) -> IntegrationOut:
    """Not possible: pushes go out through every active integration."""
    await call.services.database.read(named_integration, call)
    raise BadInput("Channel push does not support primary: every active integration sends")


async def auto_configure(call: Call[None, NoQuery]) -> AutoConfigured:
    """Switch activity tracking on: every push carries its message id, and phones' reports can name it."""

    def write(connection: Connection) -> Integration:
        found = named_integration(connection, call)
        configurations = found.configurations | {TRACKING: True}
        if configurations != found.configurations:
            now = call.services.clock()
            found = msgspec.structs.replace(found, configurations=configurations, updated_at=now)
            integrations.replace(connection, call.services.vault, found)
        return found

    found = await call.services.catalog.change(write)
    place = f"/v2/inbound-webhooks/delivery-providers/{found.environment_id}/{found.id}"
    told = f"Activity tracking is on: let your backend report what phones did at {place}, with an API key"
    return AutoConfigured(True, told, found.configurations)


def _changes(given: IntegrationIn, found: Integration) -> dict[str, Any]:
    fields = ("name", "identifier", "active", "conditions", "configurations")
    if given.identifier is not None:
        checked_id(given.identifier, "identifier")
    changes = {name: value for name in fields if (value := getattr(given, name)) is not None}
    if given.configurations is not None:
        _configurations(given.configurations)
    if given.credentials is not None:
        changes["credentials"] = _credentials(given.credentials, found.credentials)
    if not changes:
        raise BadInput("No properties found for update")
    return changes


def named_integration(connection: Connection, call: Call[Any, Any]) -> Integration:
    """The integration that the path names; `NotFound` when the environment has none of that id."""
    identity = call.path["integrationId"]
    found = integrations.by_id(connection, call.services.vault, identity)
    if found is None or found.environment_id != call.environment_id:
        raise NotFound(f"Entity with id {identity} not found")
    return found


def _provider(known: Mapping[str, Provider[Any]], given: NewIntegration) -> Provider[Any]:
    if given.channel not in (None, "push"):
        raise Unprocessable("Clarion sends push only", {"channel": ["must be push"]})
    found = known.get(given.provider_id)
    if found is None:
        raise Unprocessable.field("providerId", f"must be one of: {', '.join(sorted(known))}")
    return found


def _own_environment(call: Call[Any, Any]) -> None:
    if call.body.environment_id not in (None, call.environment_id):
        told = "is not the environment of this API key: use the key of that environment"
        raise Unprocessable.field("_environmentId", told)


def _check(provider: Provider[Any], integration: Integration) -> None:
    """An inactive integration may be incomplete; an active one must be able to work."""
    if not integration.active:
        return
    try:
        provider.credentials(integration.credentials)
    except CredentialsInvalid as error:
        raise Unprocessable(str(error), {f"credentials.{error.field}": [error.reason]}) from error


async def _check_unlocks(call: Call[IntegrationIn, NoQuery]) -> None:
    """By itself, ahead of the transaction: it may take seconds."""
    given, found = call.body.credentials, call.snapshot.integrations.get(call.path["integrationId"])
    if given is None or found is None or found.environment_id != call.environment_id:
        return
    provider = call.services.providers.get(found.provider_id)
    if provider:
        await check_unlocks(provider, _credentials(given, found.credentials))


def _credentials(given: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """The given credentials; a secret that comes back as it was shown is the stored one."""
    for key in SECRETS & given.keys():
        if not isinstance(given[key], str | None):
            raise Unprocessable.field(f"credentials.{key}", "must be text")
    return {
        key: stored[key] if key in stored and value == _shown(key, stored[key]) else value
        for key, value in given.items()
        if value is not None
    }


def _configurations(given: dict[str, Any]) -> dict[str, Any]:
    """Free, but for what Clarion goes by."""
    ownership = given.get(OWNERSHIP)
    if ownership is not None and not (isinstance(ownership, str) and ownership in OWNERSHIPS):
        raise _misconfigured(OWNERSHIP, f"must be one of: {', '.join(sorted(OWNERSHIPS))}")
    if not isinstance(given.get(TRACKING, False), bool):
        raise _misconfigured(TRACKING, "must be true or false")
    rate = given.get(RATE, 1)
    if not isinstance(rate, int | float) or isinstance(rate, bool) or not 0 < rate <= MOST_A_SECOND:
        raise _misconfigured(RATE, f"must be a number above 0 and up to {MOST_A_SECOND}")
    return given


def _misconfigured(name: str, message: str) -> Unprocessable:
    return Unprocessable.field(f"configurations.{name}", message)


def _shown(key: str, value: Any) -> Any:
    return masked(value) if key in SECRETS and isinstance(value, str) else value


def _listed(snapshot: Snapshot, environment_id: str) -> list[IntegrationOut]:
    return [integration_out(snapshot, item) for item in snapshot.integrations_of(environment_id)]


def integration_out(snapshot: Snapshot, item: Integration) -> IntegrationOut:
    """An integration on the wire, its secrets masked."""
    return IntegrationOut(
        id=item.id,
        environment_id=item.environment_id,
        organization_id=snapshot.organization_id,
        name=item.name,
        identifier=item.identifier,
        provider_id=item.provider_id,
        channel=item.channel,
        credentials={key: _shown(key, value) for key, value in item.credentials.items()},
        configurations=item.configurations,
        conditions=item.conditions,
        active=item.active,
    )


_PATH = "/v1/integrations"
_GROUP = Group("Integrations")

ROUTES = (
    _GROUP.route(
        "GET", _PATH, list_integrations, "List integrations", Role.VIEWER, answer=list[IntegrationOut]
    ),
    _GROUP.route(
        "GET",
        _PATH + "/active",
        list_active_integrations,
        "List the active integrations",
        Role.VIEWER,
        answer=list[IntegrationOut],
    ),
    _GROUP.route(
        "POST",
        _PATH,
        create_integration,
        "Register a provider",
        Role.ADMIN,
        body=NewIntegration,
        answer=IntegrationOut,
        status=201,
    ),
    _GROUP.route(
        "PUT",
        _PATH + "/{integrationId}",
        update_integration,
        "Change an integration",
        Role.ADMIN,
        body=IntegrationIn,
        answer=IntegrationOut,
        unique=True,
    ),
    _GROUP.route(
        "POST",
        _PATH + "/{integrationId}/set-primary",
        make_primary,
        "Not possible for push: every active integration sends",
        Role.ADMIN,
        answer=IntegrationOut,
    ),
    _GROUP.route(
        "POST",
        _PATH + "/{integrationId}/auto-configure",
        auto_configure,
        "Switch activity tracking on",
        Role.ADMIN,
        answer=AutoConfigured,
    ),
    _GROUP.route(
        "DELETE",
        _PATH + "/{integrationId}",
        delete_integration,
        "Remove an integration",
        Role.ADMIN,
        answer=list[IntegrationOut],
    ),
)
