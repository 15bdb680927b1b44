"""Channel endpoints: addresses of subscribers outside of push. Nothing is sent to them."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.channels import (
    ChannelsQuery,
    ChannelView,
    found,
    integration_named,
    listed,
    removed,
    shown,
    subscriber_named,
    wanted_of,
)
from clarion.api.contexts import Json, Named, context_of, settled_scope
from clarion.api.pages import Page
from clarion.api.people import checked_id
from clarion.api.route import Audit, Call, Category, Group, NoQuery
from clarion.api.slugs import short_id
from clarion.errors import NotFound, Unprocessable
from clarion.model.endpoint import SECRETS, fault_of, made_of
from clarion.model.ids import new_id
from clarion.model.member import Role
from clarion.model.people import Integration, Subscriber
from clarion.security.keys import masked
from clarion.store import channel_endpoints, subscribers
from clarion.store.catalog import Snapshot
from clarion.store.channel_connections import CONNECTIONS
from clarion.store.channel_endpoints import ENDPOINTS, ChannelEndpoint

_WHAT = "Channel endpoint"

EndpointType = Literal[
    "slack_channel",
    "slack_user",
    "webhook",
    "phone",
    "ms_teams_channel",
    "ms_teams_user",
    "telegram_chat",
    "webex_room",
    "webex_person",
    "line_user",
    "pagerduty_service",
    "opsgenie_integration",
    "grafana_oncall_integration",
    "tool_webhook",
]


class NewEndpoint(msgspec.Struct, rename="camel", kw_only=True):
    """Creation of an endpoint of any type; `endpoint` is made of what the type demands."""

    subscriber_id: str
    integration_identifier: str
    type: EndpointType
    endpoint: Json
    identifier: str | None = None
    create_subscriber_if_missing: bool = False
    context: Named | None = None
    connection_identifier: str | None = None


class EndpointPatch(msgspec.Struct):
    """UpdateChannelEndpointRequestDto: another address of the same type."""

    endpoint: Json


class EndpointOut(ChannelView, rename="camel", kw_only=True):
    """GetChannelEndpointResponseDto. Secrets are masked; sent back as they are, they stay."""

    connection_identifier: str | None
    type: EndpointType
    endpoint: Json


EndpointPage = Page[EndpointOut]
"""ListChannelEndpointsResponseDto."""


class EndpointsQuery(ChannelsQuery, rename="camel", frozen=True):
    """Query of the endpoints."""

    connection_identifier: str | None = None


async def create_channel_endpoint(call: Call[NewEndpoint, NoQuery]) -> EndpointOut:
    """Add an address of a subscriber."""
    given, context = call.body, context_of(call.body.context)
    checked_id(given.subscriber_id)
    identifier = checked_id(given.identifier or f"chendp_{short_id(12)}", "identifier")
    address = _checked(given.type, given.endpoint)
    integration = integration_named(call, given.integration_identifier)

    def write(connection: Connection) -> ChannelEndpoint:
        now = call.services.clock()
        made = ChannelEndpoint(
            id=new_id(now),
            environment_id=call.environment_id,
            identifier=identifier,
            integration_id=integration.id,
            subscriber_pk=_owner(connection, call).pk,
            connection_pk=_connection_pk(connection, call, integration),
            scope=settled_scope(connection, call, context),
            type=given.type,
            created_at=now,
            updated_at=now,
            endpoint=address,
        )
        return channel_endpoints.create(connection, call.services.vault, made)

    return _out(call.snapshot, await call.services.database.write(write))


async def list_channel_endpoints(call: Call[None, EndpointsQuery]) -> EndpointPage:
    """Endpoints, a page at a time."""
    wanted = wanted_of(call)._replace(connection=call.query.connection_identifier)
    return await listed(call, ENDPOINTS, wanted, _out)


async def get_channel_endpoint(call: Call[None, NoQuery]) -> EndpointOut:
    """One endpoint."""
    return _out(call.snapshot, await call.services.database.read(_found, call))


async def update_channel_endpoint(call: Call[EndpointPatch, NoQuery]) -> EndpointOut:
    """Put another address of the same type in place of an endpoint's."""

    def write(connection: Connection) -> ChannelEndpoint:
        present = _found(connection, call)
        address = _checked(present.type, _kept(call.body.endpoint, present.endpoint))
        now = call.services.clock()
        changed = msgspec.structs.replace(present, endpoint=address, updated_at=now)
        ENDPOINTS.replace(connection, call.services.vault, changed)
        return changed

    return _out(call.snapshot, await call.services.database.write(write))


async def delete_channel_endpoint(call: Call[None, NoQuery]) -> None:
    """Remove an endpoint."""
    await removed(call, ENDPOINTS, _WHAT)


def _checked(kind: str, given: Json) -> Json:
    fault = fault_of(kind, given)
    if fault:
        place = f"endpoint.{fault.part}" if fault.part else "endpoint"
        raise Unprocessable.field(place, fault.message)
    return made_of(kind, given)


def _owner(connection: Connection, call: Call[NewEndpoint, NoQuery]) -> Subscriber:
    name = call.body.subscriber_id
    if call.body.create_subscriber_if_missing:
        now = call.services.clock()
        return subscribers.ensure(connection, call.environment_id, [name], now)[name]
    return subscriber_named(connection, call, name, "Create it, or send createSubscriberIfMissing: true")


def _connection_pk(
    connection: Connection, call: Call[NewEndpoint, NoQuery], integration: Integration
) -> int | None:
    name = call.body.connection_identifier
    if not name:
        return None
    link = CONNECTIONS.by_identifier(connection, call.services.vault, call.environment_id, name)
    if link is None or link.integration_id != integration.id:
        told = f"It must be one of the integration {integration.identifier}"
        raise NotFound(f"Channel connection not found: {name}. {told}")
    return link.pk


def _found(connection: Connection, call: Call[Any, Any]) -> ChannelEndpoint:
    return found(connection, call, ENDPOINTS, _WHAT)


def _shown(address: Mapping[str, Any]) -> Json:
    return {part: _masked(part, value) for part, value in address.items()}


def _masked(part: str, value: Any) -> Any:
    if part == "headers":
        return {name: masked(text) for name, text in value.items()}
    return masked(value) if part in SECRETS else value


def _kept(given: Json, stored: Json) -> Json:
    """The given address; a secret that comes back as it was shown is the stored one."""
    as_shown = _shown(stored)
    secret = {
        part: stored[part] for part, value in given.items() if part in as_shown and value == as_shown[part]
    }
    return given | secret


def _out(snapshot: Snapshot, item: ChannelEndpoint) -> EndpointOut:
    return EndpointOut(
        **shown(snapshot, item),
        connection_identifier=item.connection_identifier,
        type=msgspec.convert(item.type, EndpointType),
        endpoint=_shown(item.endpoint),
    )


_LIST = "/v1/channel-endpoints"
_ONE = "/v1/channel-endpoints/{identifier}"


_GROUP = Group("Channel endpoints", Category.CONFIGURATION)

ROUTES = (
    _GROUP.route(
        "GET",
        _LIST,
        list_channel_endpoints,
        "List channel endpoints",
        Role.VIEWER,
        query=EndpointsQuery,
        answer=EndpointPage,
        bare=True,
    ),
    _GROUP.route(
        "POST",
        _LIST,
        create_channel_endpoint,
        "Create a channel endpoint",
        Role.EDITOR,
        body=NewEndpoint,
        answer=EndpointOut,
        status=201,
        audit=Audit.PERSONAL,
    ),
    _GROUP.route(
        "GET", _ONE, get_channel_endpoint, "Read a channel endpoint", Role.VIEWER, answer=EndpointOut
    ),
    _GROUP.route(
        "PATCH",
        _ONE,
        update_channel_endpoint,
        "Change a channel endpoint",
        Role.EDITOR,
        body=EndpointPatch,
        answer=EndpointOut,
        audit=Audit.PERSONAL,
    ),
    _GROUP.route(
        "DELETE",
        _ONE,
        delete_channel_endpoint,
        "Remove a channel endpoint",
        Role.EDITOR,
        status=204,
        audit=Audit.PERSONAL,
    ),
)
