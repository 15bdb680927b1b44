"""Device tokens of a subscriber, as credentials of a provider."""

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.people import Credentials, SubscriberOut, check_provider, grant_of, view
from clarion.api.route import Audit, Call, Category, Group, NoQuery
from clarion.api.subscribers import resolved, retrieve_subscriber
from clarion.errors import BadInput, Unprocessable
from clarion.model.member import Role
from clarion.model.people import Subscriber
from clarion.model.trigger import ChannelGrant
from clarion.store import devices, subscribers
from clarion.store.devices import Grant


class CredentialsIn(msgspec.Struct, rename="camel"):
    """UpdateSubscriberChannelRequestDto; `deviceTokens` may also stand beside `credentials`."""

    provider_id: str
    credentials: Credentials | None = None
    integration_identifier: str | None = None
    device_tokens: list[str] | None = None


async def update_credentials(call: Call[CredentialsIn, NoQuery]) -> SubscriberOut:
    """Replace the tokens of one integration; without `deviceTokens` they stay."""
    return await _apply(call, replace=True)


async def append_credentials(call: Call[CredentialsIn, NoQuery]) -> SubscriberOut:
    """Add tokens to those of one integration."""
    return await _apply(call, replace=False)


async def delete_credentials(call: Call[None, NoQuery]) -> None:
    """Drop everything under a provider, over all its integrations."""
    check_provider(call.path["providerId"])

    def write(connection: Connection) -> None:
        found = _known(connection, call.environment_id, call.path["subscriberId"])
        devices.remove_provider(connection, found.pk, call.environment_id, call.path["providerId"])

    await call.services.database.write(write)


async def _apply(call: Call[CredentialsIn, NoQuery], *, replace: bool) -> SubscriberOut:
    wanted = _wanted(call.body)

    def write(connection: Connection) -> SubscriberOut:
        found = _known(connection, call.environment_id, call.path["subscriberId"])
        grant = resolved(call.snapshot, call.environment_id, wanted)
        _write(connection, found, grant, call.services.clock(), replace=replace)
        return view(connection, call.snapshot, [found])[0]

    return await call.services.database.write(write)


def _write(connection: Connection, found: Subscriber, grant: Grant, now: int, *, replace: bool) -> None:
    if replace and grant.device_tokens is not None:
        devices.replace(connection, found.pk, grant.integration_id, grant.device_tokens, now)
        if grant.moves:
            devices.take_from_others(connection, found.pk, grant.integration_id, grant.device_tokens)
        grant = grant._replace(device_tokens=None)
    devices.grant(connection, found.pk, [grant], now)


def _wanted(body: CredentialsIn) -> ChannelGrant:
    check_provider(body.provider_id)
    if body.credentials is None and body.device_tokens is None:
        message = 'give credentials, such as {"deviceTokens": ["..."]}'
        raise Unprocessable(f"credentials: {message}", {"credentials": [message]})
    given = body.credentials or Credentials()
    tokens = body.device_tokens if given.device_tokens is None else given.device_tokens
    return grant_of(body.provider_id, body.integration_identifier, Credentials(given.webhook_url, tokens))


def _known(connection: Connection, environment_id: str, subscriber_id: str) -> Subscriber:
    """The contract answers 400, not 404, here."""
    found = subscribers.get(connection, environment_id, subscriber_id)
    if found is None:
        raise BadInput(f"SubscriberId: {subscriber_id} not found")
    return found


_PATH = "/v1/subscribers/{subscriberId}/credentials"
_GROUP = Group("Subscriber credentials", Category.CONFIGURATION)

ROUTES = (
    _GROUP.route(
        "PUT",
        _PATH,
        update_credentials,
        "Replace the device tokens of an integration",
        Role.EDITOR,
        body=CredentialsIn,
        answer=SubscriberOut,
        audit=Audit.PERSONAL,
        before=retrieve_subscriber,
    ),
    _GROUP.route(
        "PATCH",
        _PATH,
        append_credentials,
        "Add device tokens to an integration",
        Role.EDITOR,
        body=CredentialsIn,
        answer=SubscriberOut,
        audit=Audit.PERSONAL,
        before=retrieve_subscriber,
    ),
    _GROUP.route(
        "DELETE",
        _PATH + "/{providerId}",
        delete_credentials,
        "Drop all device tokens of a provider",
        Role.EDITOR,
        status=204,
        audit=Audit.PERSONAL,
        before=retrieve_subscriber,
        after=retrieve_subscriber,
    ),
)
