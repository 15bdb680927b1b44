"""How subscribers and what they hold look on the wire, and how they are read from it."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy.engine import Connection

from clarion.errors import Unprocessable
from clarion.model.clock import iso
from clarion.model.people import CHAT_PROVIDERS, DEVICE_PROVIDERS, OWN_PROVIDERS, Channel, Subscriber
from clarion.model.trigger import ChannelGrant
from clarion.store import devices
from clarion.store.catalog import Snapshot

MOST_ID_LENGTH = 512
MOST_TOKEN_BYTES = 2048
"""An index of PostgreSQL holds no more than 2,704 bytes an entry."""


class Credentials(msgspec.Struct, rename="camel", omit_defaults=True):
    """What a subscriber holds under an integration."""

    webhook_url: str | None = None
    device_tokens: list[str] | None = None


class ChannelIn(msgspec.Struct, rename="camel"):
    """SubscriberChannelDto: tokens that come along with a subscriber."""

    provider_id: str
    credentials: Credentials
    integration_identifier: str | None = None


class ProfileIn(msgspec.Struct, rename="camel"):
    """Profile fields: absent keeps, null clears."""

    first_name: str | None | UnsetType = UNSET
    last_name: str | None | UnsetType = UNSET
    email: str | None | UnsetType = UNSET
    phone: str | None | UnsetType = UNSET
    avatar: str | None | UnsetType = UNSET
    locale: str | None | UnsetType = UNSET
    timezone: str | None | UnsetType = UNSET
    data: dict[str, Any] | None | UnsetType = UNSET


class ChannelOut(msgspec.Struct, rename="camel", omit_defaults=True):
    """ChannelSettingsDto."""

    provider_id: str
    credentials: Credentials
    integration_id: str = msgspec.field(name="_integrationId")
    integration_identifier: str


class SubscriberOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """SubscriberResponseDto, and `credentials` by provider, which the documentation's samples read."""

    id: str = msgspec.field(name="_id")
    organization_id: str = msgspec.field(name="_organizationId")
    environment_id: str = msgspec.field(name="_environmentId")
    subscriber_id: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    avatar: str | None = None
    locale: str | None = None
    timezone: str | None = None
    data: dict[str, Any] | None = None
    is_online: bool | None = None
    last_online_at: str | None = None
    channels: list[ChannelOut]
    credentials: dict[str, Credentials]
    deleted: bool
    created_at: str
    updated_at: str


def profile_of(given: ProfileIn) -> dict[str, Any]:
    """The given fields by column name."""
    fields = ProfileIn.__struct_fields__
    return {name: value for name in fields if (value := getattr(given, name)) is not UNSET}


def checked_id(name: str, field: str = "subscriberId") -> str:
    """A name a caller gives; `Unprocessable` when it can't be one."""
    if not name.strip():
        raise Unprocessable(f"{field} must not be empty", {field: ["must not be empty"]})
    if len(name) > MOST_ID_LENGTH:
        message = f"must not be longer than {MOST_ID_LENGTH} characters"
        raise Unprocessable(f"{field} {message}", {field: [message]})
    return name


def grant_of(provider_id: str, identifier: str | None, credentials: Credentials) -> ChannelGrant:
    """A grant, once the provider is one that subscribers can have and the tokens can be tokens."""
    check_provider(provider_id)
    for token in credentials.device_tokens or ():
        check_token(token)
    return ChannelGrant(provider_id, identifier, credentials.device_tokens, credentials.webhook_url)


def check_token(token: str, field: str = "credentials.deviceTokens") -> str:
    """A device token; `Unprocessable` when it can't be one."""
    message = ""
    if not token.strip():
        message = "must not hold an empty token"
    elif len(token.encode()) > MOST_TOKEN_BYTES:
        message = f"must not hold a token of more than {MOST_TOKEN_BYTES} bytes"
    if message:
        raise Unprocessable(f"{field.rpartition('.')[2]} {message}", {field: [message]})
    return token


def check_provider(provider_id: str) -> None:
    """`Unprocessable` for a provider that the SDKs don't know."""
    if provider_id not in DEVICE_PROVIDERS | CHAT_PROVIDERS:
        message = f"must be one of: {', '.join(sorted(DEVICE_PROVIDERS))}"
        raise Unprocessable(f"providerId {message}", {"providerId": [message]})


def view(connection: Connection, snapshot: Snapshot, found: list[Subscriber]) -> list[SubscriberOut]:
    """Subscribers with what they hold."""
    held = devices.channels_of(connection, [subscriber.pk for subscriber in found])
    return [_out(snapshot, subscriber, held.get(subscriber.pk, [])) for subscriber in found]


def _out(snapshot: Snapshot, subscriber: Subscriber, channels: list[Channel]) -> SubscriberOut:
    profile = {name: getattr(subscriber, name) for name in ProfileIn.__struct_fields__}
    return SubscriberOut(
        id=subscriber.id,
        organization_id=snapshot.organization_id,
        environment_id=subscriber.environment_id,
        subscriber_id=subscriber.subscriber_id,
        **profile,
        is_online=subscriber.is_online,
        last_online_at=iso(subscriber.last_online_at) if subscriber.last_online_at else None,
        channels=[_channel(item) for item in channels if item.provider_id not in OWN_PROVIDERS],
        credentials=_by_provider(channels),
        deleted=False,
        created_at=iso(subscriber.created_at),
        updated_at=iso(subscriber.updated_at),
    )


def _channel(channel: Channel) -> ChannelOut:
    tokens = [device.token for device in channel.devices]
    return ChannelOut(
        provider_id=channel.provider_id,
        credentials=Credentials(channel.webhook_url, tokens),
        integration_id=channel.integration_id,
        integration_identifier=channel.integration_identifier,
    )


def _by_provider(channels: list[Channel]) -> dict[str, Credentials]:
    """The tokens of all integrations of a provider together, each once."""
    together: dict[str, Credentials] = {}
    for channel in channels:
        entry = together.setdefault(channel.provider_id, Credentials(None, []))
        tokens = [*(entry.device_tokens or ()), *(device.token for device in channel.devices)]
        entry.device_tokens = list(dict.fromkeys(tokens))
        entry.webhook_url = channel.webhook_url or entry.webhook_url
    return together
