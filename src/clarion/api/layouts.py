"""Layouts: the frame around e-mails. Clarion keeps and previews them; it sends no e-mails."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy.engine import Connection

from clarion.api.environment_variables import Usage, UsedBy
from clarion.api.pages import OffsetQuery
from clarion.api.people import checked_id
from clarion.api.route import Audit, Call, Category, Group, NoQuery
from clarion.api.slugs import short_id, slug
from clarion.compose.layout import checked_body, shown
from clarion.errors import Conflict, NotFound, TemplateError, Unprocessable
from clarion.model.clock import iso
from clarion.model.ids import new_id
from clarion.model.layout import Layout
from clarion.model.member import Role
from clarion.store import layouts, translations

Json = dict[str, Any]
_SLUG = "_layout_"


class EmailControls(msgspec.Struct, rename="camel"):
    """EmailControlsDto."""

    body: str
    editor_type: Literal["html", "block"]


class ControlValues(msgspec.Struct, omit_defaults=True):
    """LayoutControlValuesDto."""

    email: EmailControls | None = None


class NewLayout(msgspec.Struct, rename="camel"):
    """CreateLayoutDto."""

    layout_id: str
    name: str
    is_translation_enabled: bool = False


class LayoutIn(msgspec.Struct, rename="camel"):
    """UpdateLayoutDto: absent `controlValues` stay, null clears them."""

    name: str
    is_translation_enabled: bool = False
    control_values: ControlValues | None | UnsetType = UNSET


class CopyIn(msgspec.Struct, rename="camel"):
    """DuplicateLayoutDto: without `layoutId` one is made of the name."""

    name: str
    layout_id: str | None = None
    is_translation_enabled: bool = False


class LayoutPreviewData(msgspec.Struct):
    """LayoutPreviewPayloadDto."""

    subscriber: Json | None = None


class LayoutPreviewIn(msgspec.Struct, rename="camel"):
    """LayoutPreviewRequestDto: other controls than the layout's, and whom to show it for."""

    control_values: ControlValues | None = None
    preview_payload: LayoutPreviewData | None = None


class LayoutControls(msgspec.Struct):
    """LayoutControlsDto."""

    values: Json


class LayoutOut(msgspec.Struct, rename="camel", kw_only=True):
    """LayoutResponseDto. The default layout is the oldest."""

    id: str = msgspec.field(name="_id")
    layout_id: str
    slug: str
    name: str
    is_default: bool
    is_translation_enabled: bool
    origin: str = "novu-cloud"
    type: str = "REGULAR"
    controls: LayoutControls
    variables: Json
    created_at: str
    updated_at: str


class LayoutList(msgspec.Struct, rename="camel"):
    """ListLayoutResponseDto."""

    layouts: list[LayoutOut]
    total_count: int


class ListQuery(OffsetQuery, rename="camel", frozen=True):
    """Query of the list."""

    order_by: Literal["createdAt", "updatedAt", "name"] = "createdAt"


class EmailOut(msgspec.Struct):
    """EmailLayoutRenderOutput."""

    body: str


class EmailShown(msgspec.Struct):
    """What an e-mail's frame would be."""

    preview: EmailOut
    type: str = "email"


class LayoutPreviewOut(msgspec.Struct, rename="camel"):
    """GenerateLayoutPreviewResponseDto."""

    result: EmailShown
    preview_payload_example: Json


async def list_layouts(call: Call[None, ListQuery]) -> LayoutList:
    """The layouts, filtered and in order."""
    query, text = call.query, (call.query.query or "").lower()
    every = await call.services.database.read(layouts.every, call.environment_id)
    found = [item for item in every if text in item.name.lower() or text in item.layout_id.lower()]
    page = query.page(found, lambda item: _order(item, query.order_by))
    return LayoutList([_out(item, every[0].id) for item in page], len(found))


async def create_layout(call: Call[NewLayout, NoQuery]) -> LayoutOut:
    """Add a layout; its body is set by a later change."""
    given, now = call.body, call.services.clock()
    made = Layout(new_id(now), call.environment_id, given.layout_id, given.name, now, now)
    made = msgspec.structs.replace(made, is_translation_enabled=given.is_translation_enabled)
    return await _added(call, made)


async def get_layout(call: Call[None, NoQuery]) -> LayoutOut:
    """One layout, by identifier, `_id` or slug."""
    return await call.services.database.read(_shown, await _found(call))


async def update_layout(call: Call[LayoutIn, NoQuery]) -> LayoutOut:
    """Change a layout."""
    given, found = call.body, await _found(call)
    _check_name(given.name)
    controls = found.controls
    if given.control_values is not UNSET:
        controls = _checked_controls(given.control_values)
    changed = msgspec.structs.replace(
        found,
        name=given.name,
        is_translation_enabled=given.is_translation_enabled,
        controls=controls,
        updated_at=call.services.clock(),
    )

    def write(connection: Connection) -> LayoutOut:
        layouts.replace(connection, changed)
        return _shown(connection, changed)

    return await call.services.database.write(write)


async def delete_layout(call: Call[None, NoQuery]) -> None:
    """Remove a layout with its translations; the next oldest becomes the default where it was."""
    await call.services.database.write(layouts.delete, (await _found(call)).id)


async def duplicate_layout(call: Call[CopyIn, NoQuery]) -> LayoutOut:
    """Copy a layout under another name; its translations come along where the copy is to be translated."""
    given, found, now = call.body, await _found(call), call.services.clock()
    copy = Layout(
        new_id(now),
        call.environment_id,
        given.layout_id or f"{slug(given.name)}-{short_id(4)}",
        given.name,
        now,
        now,
        given.is_translation_enabled,
        found.controls,
    )
    return await _added(call, copy, found if given.is_translation_enabled else None)


async def preview_layout(call: Call[LayoutPreviewIn, NoQuery]) -> LayoutPreviewOut:
    """A layout's body for sample data."""
    found, given = await _found(call), call.body
    controls = found.controls if given.control_values is None else _checked_controls(given.control_values)
    email = controls.get("email", {})
    subscriber = (given.preview_payload.subscriber if given.preview_payload else None) or {}
    try:
        body, sample = shown(email.get("body", ""), email.get("editorType", "html"), subscriber)
    except TemplateError as error:
        raise _wrong_body(error) from error
    return LayoutPreviewOut(EmailShown(EmailOut(body)), sample)


async def layout_usage(call: Call[None, NoQuery]) -> Usage:
    """The workflows with a step whose `layoutId` is this layout's."""
    found = await _found(call)
    names = {found.id, found.layout_id}
    return Usage(
        [
            UsedBy(item.name, item.workflow_id)
            for item in call.snapshot.workflows_of(call.environment_id)
            if any(step.controls.get("layoutId") in names for step in item.steps)
        ]
    )


def named_layout(connection: Connection, environment_id: str, name: str) -> Layout | None:
    """The layout of that identifier, `_id` or slug."""
    found = layouts.named(connection, environment_id, name)
    identity = name.rpartition(_SLUG)[2]
    return found or layouts.named(connection, environment_id, identity)


async def _found(call: Call[Any, Any]) -> Layout:
    """The layout that the path names."""
    name = call.path["layoutId"]
    found = await call.services.database.read(named_layout, call.environment_id, name)
    if found is None:
        raise NotFound(f"Layout {name} was not found")
    return found


async def _added(call: Call[Any, Any], layout: Layout, translated: Layout | None = None) -> LayoutOut:
    _check_name(layout.name)
    checked_id(layout.layout_id, "layoutId")

    def write(connection: Connection) -> LayoutOut:
        layouts.create(connection, layout)
        if translated:
            translations.copy(connection, translated.id, layout.environment_id, layout.id, layout.created_at)
        return _shown(connection, layout)

    try:
        return await call.services.database.write(write)
    except Conflict as error:  # not 409: the SDKs would retry that for an hour
        raise Unprocessable(error.message, {"layoutId": [error.message]}) from error


def _checked_controls(given: ControlValues | None) -> Json:
    if given is None or given.email is None:
        return {}
    try:
        checked_body(given.email.body, given.email.editor_type)
    except TemplateError as error:
        raise _wrong_body(error) from error
    found: Json = msgspec.to_builtins(given)
    return found


def _wrong_body(error: TemplateError) -> Unprocessable:
    return Unprocessable.field("controlValues.email.body", f"can't be rendered: {error}")


def _check_name(name: str) -> None:
    if not name.strip():
        raise Unprocessable.field("name", "must not be empty")


def _order(item: Layout, by: str) -> tuple[Any, str]:
    value = {"name": item.name.lower(), "updatedAt": item.updated_at}.get(by, item.created_at)
    return value, item.id


def _shown(connection: Connection, item: Layout) -> LayoutOut:
    return _out(item, layouts.default_of(connection, item.environment_id))


def _out(item: Layout, default_id: str | None) -> LayoutOut:
    return LayoutOut(
        id=item.id,
        layout_id=item.layout_id,
        slug=f"{slug(item.name)}{_SLUG}{item.id}",
        name=item.name,
        is_default=item.id == default_id,
        is_translation_enabled=item.is_translation_enabled,
        controls=LayoutControls(item.controls),
        variables=_VARIABLES,
        created_at=iso(item.created_at),
        updated_at=iso(item.updated_at),
    )


_VARIABLES: Json = {
    "type": "object",
    "properties": {
        "content": {"type": "string"},
        "subscriber": {"type": "object", "additionalProperties": True},
    },
}
"""What a body can name."""

_PATH = "/v2/layouts"
_ONE = _PATH + "/{layoutId}"
_GROUP = Group("Layouts", Category.CONFIGURATION)

ROUTES = (
    _GROUP.route("GET", _PATH, list_layouts, "List layouts", Role.VIEWER, query=ListQuery, answer=LayoutList),
    _GROUP.route(
        "POST",
        _PATH,
        create_layout,
        "Add a layout",
        Role.EDITOR,
        body=NewLayout,
        answer=LayoutOut,
        status=201,
    ),
    _GROUP.route("GET", _ONE, get_layout, "Read a layout", Role.VIEWER, answer=LayoutOut),
    _GROUP.route("PUT", _ONE, update_layout, "Change a layout", Role.EDITOR, body=LayoutIn, answer=LayoutOut),
    _GROUP.route("DELETE", _ONE, delete_layout, "Remove a layout", Role.EDITOR, status=204),
    _GROUP.route(
        "POST",
        _ONE + "/duplicate",
        duplicate_layout,
        "Copy a layout",
        Role.EDITOR,
        body=CopyIn,
        answer=LayoutOut,
        status=201,
    ),
    _GROUP.route(
        "POST",
        _ONE + "/preview",
        preview_layout,
        "What a layout says for sample data",
        Role.VIEWER,
        body=LayoutPreviewIn,
        answer=LayoutPreviewOut,
        status=201,
        audit=Audit.NOTHING,
    ),
    _GROUP.route("GET", _ONE + "/usage", layout_usage, "Who uses a layout", Role.VIEWER, answer=Usage),
)
