"""Translations of workflows and layouts: one by one, and all of a locale to read."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.layouts import named_layout
from clarion.api.route import Call, Category, Group, NoQuery
from clarion.api.workflows import named_workflow
from clarion.compose.templates import check
from clarion.errors import (
    LimitExceeded,
    NotFound,
    TemplateError,
    TranslationInvalid,
    Unprocessable,
)
from clarion.model import locale as locales
from clarion.model.clock import Millis, iso
from clarion.model.ids import new_id
from clarion.model.member import Role
from clarion.model.translation import ResourceType, Translation, outdated, phrases
from clarion.store import layouts, translations

MOST_BYTES = 512 * 1024
"""Of one translation, as JSON."""
MOST_LOCALES = 200
"""Of one resource."""

Json = dict[str, Any]
TYPES: tuple[ResourceType, ...] = ("workflow", "layout")


class TranslationIn(msgspec.Struct, rename="camel"):
    """CreateTranslationRequestDto. The content's keys may be nested or joined by dots."""

    resource_id: str
    resource_type: ResourceType
    locale: str
    content: Json


class TranslationOut(msgspec.Struct, rename="camel"):
    """TranslationResponseDto."""

    resource_id: str
    resource_type: str
    locale: str
    content: Json
    created_at: str
    updated_at: str


class GroupOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """TranslationGroupDto. `outdatedLocales` lack keys that the default locale has."""

    resource_id: str
    resource_type: str
    resource_name: str
    locales: list[str]
    outdated_locales: list[str] = []
    created_at: str
    updated_at: str


class MasterOut(msgspec.Struct):
    """GetMasterJsonResponseDto."""

    workflows: Json
    layouts: Json


class MasterQuery(msgspec.Struct, frozen=True):
    """Query of the master JSON; the default locale unless one is named."""

    locale: str | None = None


class Resource(NamedTuple):
    """What is translated: its row, its identifier and its name."""

    type: ResourceType
    row_id: str
    identifier: str
    name: str


async def create_translation(call: Call[TranslationIn, NoQuery]) -> TranslationOut:
    """Write a workflow's or a layout's texts in one locale, in place of those it has."""
    given = call.body
    locale, content = checked_locale(given.locale, "locale"), checked_content(given.content)
    resource = await resource_named(call, given.resource_type, given.resource_id)
    (written,) = await write_all(call, [(resource, locale, content)])
    return shown(resource, written)


async def _present_translation(call: Call[TranslationIn, NoQuery]) -> TranslationOut | None:
    """What is there in the place of what a call writes."""
    resource = await resource_named(call, call.body.resource_type, call.body.resource_id)
    locale = checked_locale(call.body.locale, "locale")
    found = await call.services.database.read(translations.find, resource.row_id, locale)
    return shown(resource, found) if found else None


async def _present_translations(call: Call[None, NoQuery]) -> list[TranslationOut]:
    """The texts of all locales."""
    resource = await _resource_of(call)
    found = await call.services.database.read(translations.of_resource, resource.row_id)
    return [shown(resource, item) for item in found]


async def get_translation(call: Call[None, NoQuery]) -> TranslationOut:
    """The texts of a workflow or a layout in one locale."""
    resource, locale = await _resource_of(call), _locale_of(call)
    found = await call.services.database.read(translations.find, resource.row_id, locale)
    if found is None:
        raise _missing(resource, locale)
    return shown(resource, found)


async def delete_translation(call: Call[None, NoQuery]) -> None:
    """Remove the texts of one locale."""
    resource, locale = await _resource_of(call), _locale_of(call)
    if not await call.services.catalog.change(translations.remove, resource.row_id, locale):
        raise _missing(resource, locale)


async def get_translation_group(call: Call[None, NoQuery]) -> GroupOut:
    """The locales that a workflow or a layout has texts in, and those that lack some."""
    resource = await _resource_of(call)
    found = await call.services.database.read(translations.of_resource, resource.row_id)
    if not found:
        raise _untranslated(resource)
    return GroupOut(
        resource_id=resource.identifier,
        resource_type=resource.type,
        resource_name=resource.name,
        locales=[item.locale for item in found],
        outdated_locales=outdated({item.locale: item.content for item in found}, _default(call)),
        created_at=iso(min(item.created_at for item in found)),
        updated_at=iso(max(item.updated_at for item in found)),
    )


async def delete_translation_group(call: Call[None, NoQuery]) -> None:
    """Remove the texts of all locales."""
    resource = await _resource_of(call)
    if not await call.services.catalog.change(translations.forget, resource.row_id):
        raise _untranslated(resource)


async def get_master_translations(call: Call[None, MasterQuery]) -> MasterOut:
    """All texts of the environment in one locale, by workflow and layout."""
    named = call.query.locale
    locale = _default(call) if named is None else checked_locale(named, "locale")
    found, framed = await call.services.database.read(_in_locale, call.environment_id, locale)
    names = {item.id: item.workflow_id for item in call.snapshot.workflows_of(call.environment_id)}
    names |= {item.id: item.layout_id for item in framed}
    contents: dict[str, Json] = {kind: {} for kind in TYPES}
    for item in found:
        if item.resource_id in names:
            contents[item.resource_type][names[item.resource_id]] = item.content
    return MasterOut(contents["workflow"], contents["layout"])


async def write_all(call: Call[Any, Any], wanted: Iterable[tuple[Resource, str, Json]]) -> list[Translation]:
    """All of them, or none."""
    now = call.services.clock()
    fresh = [_translation(call.environment_id, *item, now) for item in wanted]

    def write(connection: Connection) -> list[Translation]:
        written = [translations.put(connection, item) for item in fresh]
        for resource_id in {item.resource_id for item in fresh}:
            _check_room(translations.of_resource(connection, resource_id))
        return written

    return await call.services.catalog.change(write) if fresh else []


def _translation(
    environment_id: str, resource: Resource, locale: str, content: Json, now: Millis
) -> Translation:
    return Translation(new_id(now), environment_id, resource.type, resource.row_id, locale, content, now, now)


def _check_room(held: list[Translation]) -> None:
    if len(held) > MOST_LOCALES:
        raise LimitExceeded(
            f"A resource has at most {MOST_LOCALES} locales: remove one first",
            current=len(held) - 1,
            limit=MOST_LOCALES,
        )


def checked_locale(text: str, field: str) -> str:
    found = locales.normal(text)
    if found is None:
        raise Unprocessable.field(field, f"{text[:60]!r} is no locale, such as en_US or de")
    return found


def checked_content(content: Json) -> Json:
    """A content that can be used; `Unprocessable` names the key that is wrong."""
    if len(msgspec.json.encode(content)) > MOST_BYTES:
        raise Unprocessable.field("content", f"must not be larger than {MOST_BYTES} bytes")
    try:
        texts = phrases(content)
    except TranslationInvalid as error:
        raise Unprocessable.field(f"content.{error.key}", error.reason) from error
    for path, text in texts.items():
        try:
            check(text)
        except TemplateError as error:
            name = f"content.{'.'.join(path)}"
            raise Unprocessable.field(name, f"is not a valid Liquid template: {error}") from error
    return content


async def resource_named(call: Call[Any, Any], kind: ResourceType, name: str) -> Resource:
    """What is translated, by identifier, `_id` or slug."""
    if kind == "workflow":
        workflow = named_workflow(call.snapshot, call.environment_id, name)
        if workflow:
            return Resource(kind, workflow.id, workflow.workflow_id, workflow.name)
    else:
        layout = await call.services.database.read(named_layout, call.environment_id, name)
        if layout:
            return Resource(kind, layout.id, layout.layout_id, layout.name)
    raise NotFound(f"{kind.capitalize()} {name} was not found")


async def _resource_of(call: Call[Any, Any]) -> Resource:
    """What the path names."""
    kind = call.path["resourceType"]
    for known in TYPES:
        if kind == known:
            return await resource_named(call, known, call.path["resourceId"])
    raise NotFound(f"{kind} can't be translated: use {' or '.join(TYPES)}")


def _locale_of(call: Call[Any, Any]) -> str:
    """The locale that the path names; what is no locale has no translation either."""
    return locales.normal(call.path["locale"]) or call.path["locale"]


def _default(call: Call[Any, Any]) -> str:
    return call.snapshot.default_locale


def _in_locale(connection: Connection, environment_id: str, locale: str) -> Any:
    found = translations.of_locale(connection, environment_id, locale)
    return found, layouts.every(connection, environment_id)


def _missing(resource: Resource, locale: str) -> NotFound:
    return NotFound(f"{resource.type.capitalize()} {resource.identifier} has no translation into {locale}")


def _untranslated(resource: Resource) -> NotFound:
    return NotFound(f"{resource.type.capitalize()} {resource.identifier} has no translations")


def shown(resource: Resource, item: Translation) -> TranslationOut:
    return TranslationOut(
        resource.identifier,
        resource.type,
        item.locale,
        item.content,
        iso(item.created_at),
        iso(item.updated_at),
    )


PATH = "/v2/translations"
_ALL = PATH + "/{resourceType}/{resourceId}"
_ONE = _ALL + "/{locale}"
MASTER = PATH + "/master-json"
GROUP = Group("Translations", Category.CONFIGURATION)

ROUTES = (
    GROUP.route(
        "POST",
        PATH,
        create_translation,
        "Write one translation",
        Role.EDITOR,
        body=TranslationIn,
        answer=TranslationOut,
        before=_present_translation,
    ),
    GROUP.route(
        "GET",
        MASTER,
        get_master_translations,
        "Read all translations of a locale",
        Role.VIEWER,
        query=MasterQuery,
        answer=MasterOut,
    ),
    GROUP.route(
        "GET",
        PATH + "/group/{resourceType}/{resourceId}",
        get_translation_group,
        "Read which locales a resource has",
        Role.VIEWER,
        answer=GroupOut,
    ),
    GROUP.route("GET", _ONE, get_translation, "Read one translation", Role.VIEWER, answer=TranslationOut),
    GROUP.route("DELETE", _ONE, delete_translation, "Remove one translation", Role.EDITOR, status=204),
    GROUP.route(
        "DELETE",
        _ALL,
        delete_translation_group,
        "Remove all translations of a resource",
        Role.EDITOR,
        status=204,
        before=_present_translations,
    ),
)
