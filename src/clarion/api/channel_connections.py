"""Channel connections: an integration's way into a workspace. Nothing is sent through them."""

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
from clarion.errors import BadInput
from clarion.model.ids import new_id
from clarion.model.member import Role
from clarion.security.keys import masked
from clarion.store import channel_connections
from clarion.store.catalog import Snapshot
from clarion.store.channel_connections import CONNECTIONS, ChannelConnection

_SECRETS = ("access_token", "refresh_token")
_WHAT = "Channel connection"


class Workspace(msgspec.Struct, rename="camel", omit_defaults=True):
    """WorkspaceDto."""

    id: str
    name: str | None = None
    bot_user_id: str | None = None


class Auth(msgspec.Struct, rename="camel", omit_defaults=True):
    """AuthDto. Tokens are shown masked; sent back as they are, they stay."""

    access_token: str
    refresh_token: str | None = None
    expires_at: str | None = None
    refresh_token_expires_at: str | None = None


class ConnectionPatch(msgspec.Struct):
    """UpdateChannelConnectionRequestDto."""

    workspace: Workspace
    auth: Auth


class NewConnection(msgspec.Struct, rename="camel", kw_only=True):
    """CreateChannelConnectionRequestDto."""

    integration_identifier: str
    workspace: Workspace
    auth: Auth
    identifier: str | None = None
    subscriber_id: str | None = None
    context: Named | None = None
    connection_mode: Literal["subscriber", "shared"] | None = None


class ConnectionOut(ChannelView, rename="camel", kw_only=True):
    """GetChannelConnectionResponseDto."""

    workspace: Workspace
    auth: Auth


ConnectionPage = Page[ConnectionOut]
"""ListChannelConnectionsResponseDto."""


class ConnectionsQuery(ChannelsQuery, rename="camel", frozen=True):
    """Query of the connections."""

    connection_mode: Literal["subscriber", "shared"] | None = None


async def create_channel_connection(call: Call[NewConnection, NoQuery]) -> ConnectionOut:
    """Connect an integration to a workspace, for a subscriber or shared in a context."""
    given, context = call.body, context_of(call.body.context)
    _check_mode(given, context)
    identifier = checked_id(given.identifier or f"chconn_{short_id(12)}", "identifier")
    integration = integration_named(call, given.integration_identifier)

    def write(connection: Connection) -> ChannelConnection:
        now, owner = call.services.clock(), None
        if given.subscriber_id:
            owner = subscriber_named(connection, call, given.subscriber_id, "Create it first").pk
        made = ChannelConnection(
            id=new_id(now),
            environment_id=call.environment_id,
            identifier=identifier,
            integration_id=integration.id,
            subscriber_pk=owner,
            scope=settled_scope(connection, call, context),
            created_at=now,
            updated_at=now,
            workspace=msgspec.to_builtins(given.workspace),
            auth=msgspec.to_builtins(given.auth),
        )
        return channel_connections.create(connection, call.services.vault, made)

    return _out(call.snapshot, await call.services.database.write(write))


async def list_channel_connections(call: Call[None, ConnectionsQuery]) -> ConnectionPage:
    """Connections, a page at a time."""
    mode = call.query.connection_mode
    wanted = wanted_of(call)._replace(shared=None if mode is None else mode == "shared")
    return await listed(call, CONNECTIONS, wanted, _out)


async def get_channel_connection(call: Call[None, NoQuery]) -> ConnectionOut:
    """One connection."""
    return _out(call.snapshot, await call.services.database.read(_found, call))


async def update_channel_connection(call: Call[ConnectionPatch, NoQuery]) -> ConnectionOut:
    """Put another workspace and other tokens in place of a connection's."""

    def write(connection: Connection) -> ChannelConnection:
        present = _found(connection, call)
        changed = msgspec.structs.replace(
            present,
            workspace=msgspec.to_builtins(call.body.workspace),
            auth=msgspec.to_builtins(_kept(call.body.auth, msgspec.convert(present.auth, Auth))),
            updated_at=call.services.clock(),
        )
        CONNECTIONS.replace(connection, call.services.vault, changed)
        return changed

    return _out(call.snapshot, await call.services.database.write(write))


async def delete_channel_connection(call: Call[None, NoQuery]) -> None:
    """Remove a connection; endpoints that used it stay without one."""
    await removed(call, CONNECTIONS, _WHAT)


def _check_mode(given: NewConnection, context: Json) -> None:
    """Whose a connection is: a subscriber's, or shared by those in a context."""
    if given.connection_mode == "shared":
        if not context:
            raise BadInput('A context is required when connectionMode is "shared"')
        if given.subscriber_id:
            raise BadInput('A subscriberId must not be given when connectionMode is "shared"')
    elif given.connection_mode == "subscriber" and not given.subscriber_id:
        raise BadInput('A subscriberId is required when connectionMode is "subscriber"')
    elif not given.subscriber_id and not context:
        raise BadInput("Give a subscriberId or a context: a connection is somebody's, or shared in a context")


def _found(connection: Connection, call: Call[Any, Any]) -> ChannelConnection:
    return found(connection, call, CONNECTIONS, _WHAT)


def _masked(auth: Auth) -> Auth:
    return msgspec.structs.replace(
        auth, **{name: masked(value) for name in _SECRETS if (value := getattr(auth, name))}
    )


def _kept(given: Auth, stored: Auth) -> Auth:
    """The given tokens; one that comes back as it was shown is the stored one."""
    as_shown = _masked(stored)
    same = [name for name in _SECRETS if getattr(given, name) == getattr(as_shown, name)]
    return msgspec.structs.replace(given, **{name: getattr(stored, name) for name in same})


def _out(snapshot: Snapshot, item: ChannelConnection) -> ConnectionOut:
    return ConnectionOut(
        **shown(snapshot, item),
        workspace=msgspec.convert(item.workspace, Workspace),
        auth=_masked(msgspec.convert(item.auth, Auth)),
    )


_LIST = "/v1/channel-connections"
_ONE = "/v1/channel-connections/{identifier}"


_GROUP = Group("Channel connections", Category.CONFIGURATION)

ROUTES = (
    _GROUP.route(
        "GET",
        _LIST,
        list_channel_connections,
        "List channel connections",
        Role.VIEWER,
        query=ConnectionsQuery,
        answer=ConnectionPage,
        bare=True,
    ),
    _GROUP.route(
        "POST",
        _LIST,
        create_channel_connection,
        "Create a channel connection",
        Role.EDITOR,
        body=NewConnection,
        answer=ConnectionOut,
        status=201,
        audit=Audit.PERSONAL,
    ),
    _GROUP.route(
        "GET", _ONE, get_channel_connection, "Read a channel connection", Role.VIEWER, answer=ConnectionOut
    ),
    _GROUP.route(
        "PATCH",
        _ONE,
        update_channel_connection,
        "Change a channel connection",
        Role.EDITOR,
        body=ConnectionPatch,
        answer=ConnectionOut,
        audit=Audit.PERSONAL,
    ),
    _GROUP.route(
        "DELETE",
        _ONE,
        delete_channel_connection,
        "Remove a channel connection",
        Role.EDITOR,
        status=204,
        audit=Audit.PERSONAL,
    ),
)
