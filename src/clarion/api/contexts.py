"""Contexts: tenants, apps, regions and whatever else notifications are told apart by."""

import re
from typing import Annotated, Any

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.pages import CursorQuery, Page, counted_page, cursor_page
from clarion.api.route import Call, Category, Group, NoQuery
from clarion.errors import NotFound, Unprocessable
from clarion.model.clock import iso
from clarion.model.context import MOST, MOST_DATA_BYTES, NAME, Reference, references, scope_of
from clarion.model.member import Role
from clarion.store import contexts
from clarion.store.contexts import Context, Wanted

Json = dict[str, Any]
_Name = Annotated[str, msgspec.Meta(pattern=f"^{NAME}$")]
_NAME = re.compile(NAME)


class ContextIn(msgspec.Struct):
    """ContextRef: with `data`, it takes the place of the context's own."""

    id: str
    data: Json | None = None


Named = dict[str, str | ContextIn]
"""The contexts that a call names: by type, an id, or an id with data."""


class NewContext(msgspec.Struct):
    """CreateContextRequestDto."""

    type: _Name
    id: _Name
    data: Json = {}


class ContextPatch(msgspec.Struct):
    """UpdateContextRequestDto."""

    data: Json


class ContextOut(msgspec.Struct, rename="camel"):
    """GetContextResponseDto."""

    type: str
    id: str
    data: Json
    created_at: str
    updated_at: str


ContextPage = Page[ContextOut]
"""ListContextsResponseDto."""


class ContextsQuery(CursorQuery, rename="camel", frozen=True):
    """Query of the contexts: `id` is met exactly, `search` anywhere in `type:id`."""

    id: str | None = None
    search: str | None = None


async def create_context(call: Call[NewContext, NoQuery]) -> ContextOut:
    """Create a context."""
    given = call.body
    kind, identity = _checked_name(given.type, "type"), _checked_name(given.id, "id")
    wanted = Reference(kind, identity, _checked_data(given.data, "data"))

    def write(connection: Connection) -> Context:
        return contexts.create(connection, call.environment_id, wanted, call.services.clock())

    return _out(await call.services.database.write(write))


async def list_contexts(call: Call[None, ContextsQuery]) -> ContextPage:
    """Contexts, a page at a time."""
    wanted = Wanted(call.environment_id, call.query.id, call.query.search)

    def read(connection: Connection) -> ContextPage:
        page = cursor_page(
            lambda anchor, order: contexts.search(connection, wanted, anchor, order),
            lambda identity: contexts.by_id(connection, call.environment_id, identity),
            lambda row: (row.pk,),
            call.query,
        )
        shown = [_out(item) for item in page.rows]
        return counted_page(page, shown, lambda: contexts.count(connection, wanted))

    return await call.services.database.read(read)


async def get_context(call: Call[None, NoQuery]) -> ContextOut:
    """One context."""
    return _out(await call.services.database.read(_found, call))


async def update_context(call: Call[ContextPatch, NoQuery]) -> ContextOut:
    """Put other data in place of a context's."""
    data = _checked_data(call.body.data, "data")

    def write(connection: Connection) -> Context:
        return contexts.update(connection, _found(connection, call), data, call.services.clock())

    return _out(await call.services.database.write(write))


async def delete_context(call: Call[None, NoQuery]) -> None:
    """Remove a context with its data; what was sent in it keeps its key."""

    def write(connection: Connection) -> None:
        contexts.delete(connection, _found(connection, call))

    await call.services.database.write(write)


def context_of(given: Named | None, place: str = "context") -> Json:
    """The contexts that a call names, by type; `Unprocessable` says of which field none can be made."""
    named = given or {}
    if len(named) > MOST:
        raise Unprocessable.field(place, f"must not hold more than {MOST} contexts")
    return {kind: _entry(kind, value, f"{place}.{kind}") for kind, value in named.items()}


def scope_asked(keys: list[str] | None) -> str | None:
    """The scope that `contextKeys` narrow a list to: that of no context when they are empty, None for every
    one when there are none."""
    return None if keys is None else scope_of(keys)


def settled_scope(connection: Connection, call: Call[Any, Any], context: Json) -> str:
    """The scope of the contexts that a call names; they are made where they are missing."""
    named = references(context)
    contexts.ensure(connection, call.environment_id, named, call.services.clock())
    return scope_of(one.key for one in named)


def _entry(kind: str, value: str | ContextIn, place: str) -> Json:
    given = ContextIn(value) if isinstance(value, str) else value
    _checked_name(kind, place, "is no type of a context: it ")
    named = {"id": _checked_name(given.id, place, "has an id that can't be one: it ")}
    return named if given.data is None else named | {"data": _checked_data(given.data, f"{place}.data")}


def _checked_name(name: str, field: str, fault: str = "") -> str:
    if not _NAME.fullmatch(name):
        raise Unprocessable.field(field, f"{fault}must be 1 to 100 of A-Z a-z 0-9 _ -")
    return name


def _checked_data(data: Json, field: str) -> Json:
    size = len(msgspec.json.encode(data))
    if size > MOST_DATA_BYTES:
        raise Unprocessable.field(field, f"must not be larger than {MOST_DATA_BYTES} bytes, it has {size}")
    return data


def _found(connection: Connection, call: Call[Any, Any]) -> Context:
    key = f"{call.path['type']}:{call.path['id']}"
    found = contexts.get(connection, call.environment_id, key)
    if found is None:
        raise NotFound(f"Context {key} was not found: create it, or name it in a trigger")
    return found


def _out(item: Context) -> ContextOut:
    kind, _, identity = item.key.partition(":")
    return ContextOut(kind, identity, item.data, iso(item.created_at), iso(item.updated_at))


_LIST = "/v2/contexts"
_ONE = "/v2/contexts/{type}/{id}"


_GROUP = Group("Contexts", Category.CONFIGURATION)

ROUTES = (
    _GROUP.route(
        "GET",
        _LIST,
        list_contexts,
        "List contexts",
        Role.VIEWER,
        query=ContextsQuery,
        answer=ContextPage,
        bare=True,
    ),
    _GROUP.route(
        "POST",
        _LIST,
        create_context,
        "Create a context",
        Role.EDITOR,
        body=NewContext,
        answer=ContextOut,
        status=201,
    ),
    _GROUP.route("GET", _ONE, get_context, "Read a context", Role.VIEWER, answer=ContextOut),
    _GROUP.route(
        "PATCH",
        _ONE,
        update_context,
        "Change a context's data",
        Role.EDITOR,
        body=ContextPatch,
        answer=ContextOut,
    ),
    _GROUP.route("DELETE", _ONE, delete_context, "Remove a context", Role.EDITOR, status=204),
)
