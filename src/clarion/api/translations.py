"""Translations of workflows and layouts: one by one, as files, or all of a locale at once."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.bodies import decode_body
from clarion.api.forms import Upload
from clarion.api.layouts import named_layout
from clarion.api.route import Audit, Call, Category, Group, NoQuery
from clarion.api.workflows import named_workflow
from clarion.compose.templates import check
from clarion.errors import (
    LimitExceeded,
    NotFound,
    RequestError,
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
_TYPES: tuple[ResourceType, ...] = ("workflow", "layout")


class TranslationIn(msgspec.Struct, rename="camel"):
    """CreateTranslationRequestDto. The content's keys may be nested or joined by dots."""

    resource_id: str
    resource_type: ResourceType
    locale: str
    content: Json


class FilesIn(msgspec.Struct, rename="camel"):
    """A form: files of JSON, each named after its locale, such as `en_US.json`."""

    resource_id: str
    resource_type: ResourceType
    files: list[Upload]


class MasterIn(msgspec.Struct, rename="camel"):
    """ImportMasterJsonRequestDto: contents by resource below `workflows` and `layouts`."""

    locale: str
    master_json: Json


class MasterFileIn(msgspec.Struct):
    """A form: the same as a file, named after its locale."""

    file: Upload


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


class UploadsOut(msgspec.Struct, rename="camel"):
    """UploadTranslationsResponseDto."""

    total_files: int
    successful_uploads: int
    failed_uploads: int
    errors: list[str]


class MasterOut(msgspec.Struct):
    """GetMasterJsonResponseDto."""

    workflows: Json
    layouts: Json


class ImportedOut(msgspec.Struct):
    """ImportMasterJsonResponseDto. `success`: something was imported."""

    success: bool
    message: str
    successful: list[str]
    failed: list[str]


class MasterQuery(msgspec.Struct, frozen=True):
    """Query of the master JSON; the default locale unless one is named."""

    locale: str | None = None


class _Resource(NamedTuple):
    """What is translated: its row, its identifier and its name."""

    type: ResourceType
    row_id: str
    identifier: str
    name: str


async def create_translation(call: Call[TranslationIn, NoQuery]) -> TranslationOut:
    """Write a workflow's or a layout's texts in one locale, in place of those it has."""
    given = call.body
    locale, content = _checked_locale(given.locale, "locale"), _checked_content(given.content)
    resource = await _resource(call, given.resource_type, given.resource_id)
    (written,) = await _write(call, [(resource, locale, content)])
    return _out(resource, written)


async def _present_translation(call: Call[TranslationIn, NoQuery]) -> TranslationOut | None:
    """What is there in the place of what a call writes."""
    resource = await _resource(call, call.body.resource_type, call.body.resource_id)
    locale = _checked_locale(call.body.locale, "locale")
    found = await call.services.database.read(translations.find, resource.row_id, locale)
    return _out(resource, found) if found else None


async def _present_translations(call: Call[None, NoQuery]) -> list[TranslationOut]:
    """The texts of all locales."""
    resource = await _resource_of(call)
    found = await call.services.database.read(translations.of_resource, resource.row_id)
    return [_out(resource, item) for item in found]


async def get_translation(call: Call[None, NoQuery]) -> TranslationOut:
    """The texts of a workflow or a layout in one locale."""
    resource, locale = await _resource_of(call), _locale_of(call)
    found = await call.services.database.read(translations.find, resource.row_id, locale)
    if found is None:
        raise _missing(resource, locale)
    return _out(resource, found)


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


async def upload_translations(call: Call[FilesIn, NoQuery]) -> UploadsOut:
    """Write texts from files, each named after its locale. What is wrong is told, the others count."""
    resource = await _resource(call, call.body.resource_type, call.body.resource_id)
    wanted: dict[str, tuple[_Resource, str, Json]] = {}
    errors: list[str] = []
    for file in call.body.files:
        try:
            locale = _checked_locale(_stem(file), "file name")
            wanted[locale] = (resource, locale, _checked_content(decode_body(file.content, Json)))
        except RequestError as error:
            errors.append(f"{file.name}: {error.message}")
    await _write(call, wanted.values())
    total = len(call.body.files)
    return UploadsOut(total, total - len(errors), len(errors), errors)


async def get_master_translations(call: Call[None, MasterQuery]) -> MasterOut:
    """All texts of the environment in one locale, by workflow and layout."""
    named = call.query.locale
    locale = _default(call) if named is None else _checked_locale(named, "locale")
    found, framed = await call.services.database.read(_in_locale, call.environment_id, locale)
    names = {item.id: item.workflow_id for item in call.snapshot.workflows_of(call.environment_id)}
    names |= {item.id: item.layout_id for item in framed}
    contents: dict[str, Json] = {kind: {} for kind in _TYPES}
    for item in found:
        if item.resource_id in names:
            contents[item.resource_type][names[item.resource_id]] = item.content
    return MasterOut(contents["workflow"], contents["layout"])


async def import_master_translations(call: Call[MasterIn, NoQuery]) -> ImportedOut:
    """Write texts of many workflows and layouts in one locale; what is wrong is told, the others count."""
    locale = _checked_locale(call.body.locale, "locale")
    return await _imported(call, locale, call.body.master_json, "masterJson")


async def upload_master_translations(call: Call[MasterFileIn, NoQuery]) -> ImportedOut:
    """The same from a file, named after its locale."""
    file = call.body.file
    locale = _checked_locale(_stem(file), "file")
    return await _imported(call, locale, decode_body(file.content, Json), "file")


async def _imported(call: Call[Any, Any], locale: str, master: Json, field: str) -> ImportedOut:
    """The resources of a master document, one by one."""
    contents = list(_contents(master, field))
    if not contents:
        raise Unprocessable.field(field, "names no workflow under workflows and no layout under layouts")
    wanted: list[tuple[_Resource, str, Json]] = []
    failed: dict[str, str] = {}
    for kind, name, content in contents:
        try:
            resource = await _resource(call, kind, name)
            wanted.append((resource, locale, _checked_content(content)))
        except RequestError as error:
            failed[name] = error.message
    await _write(call, wanted)
    done = [resource.identifier for resource, _, _ in wanted]
    return ImportedOut(bool(done), _told(done, failed), done, list(failed))


def _contents(master: Json, field: str) -> Iterable[tuple[ResourceType, str, Json]]:
    for kind in _TYPES:
        by_name = master.get(f"{kind}s", {})
        if not isinstance(by_name, dict):
            raise Unprocessable.field(f"{field}.{kind}s", "must be an object of contents by identifier")
        for name, content in by_name.items():
            if not isinstance(content, dict):
                raise Unprocessable.field(f"{field}.{kind}s.{name}", "must be an object of texts")
            yield kind, name, content


def _told(done: list[str], failed: Mapping[str, str]) -> str:
    parts = []
    if done:
        count = f"{len(done)} resource{'' if len(done) == 1 else 's'}"
        parts.append(f"Successfully imported translations for {count}: {', '.join(done)}")
    if failed:
        parts.append("Not imported: " + "; ".join(f"{name}: {why}" for name, why in failed.items()))
    return ". ".join(parts)


async def _write(call: Call[Any, Any], wanted: Iterable[tuple[_Resource, str, Json]]) -> list[Translation]:
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
    environment_id: str, resource: _Resource, locale: str, content: Json, now: Millis
) -> Translation:
    return Translation(new_id(now), environment_id, resource.type, resource.row_id, locale, content, now, now)


def _check_room(held: list[Translation]) -> None:
    if len(held) > MOST_LOCALES:
        raise LimitExceeded(
            f"A resource has at most {MOST_LOCALES} locales: remove one first",
            current=len(held) - 1,
            limit=MOST_LOCALES,
        )


def _checked_locale(text: str, field: str) -> str:
    found = locales.normal(text)
    if found is None:
        raise Unprocessable.field(field, f"{text[:60]!r} is no locale, such as en_US or de")
    return found


def _checked_content(content: Json) -> Json:
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


def _stem(file: Upload) -> str:
    return file.name.rpartition("/")[2].removesuffix(".json")


async def _resource(call: Call[Any, Any], kind: ResourceType, name: str) -> _Resource:
    """What is translated, by identifier, `_id` or slug."""
    if kind == "workflow":
        workflow = named_workflow(call.snapshot, call.environment_id, name)
        if workflow:
            return _Resource(kind, workflow.id, workflow.workflow_id, workflow.name)
    else:
        layout = await call.services.database.read(named_layout, call.environment_id, name)
        if layout:
            return _Resource(kind, layout.id, layout.layout_id, layout.name)
    raise NotFound(f"{kind.capitalize()} {name} was not found")


async def _resource_of(call: Call[Any, Any]) -> _Resource:
    """What the path names."""
    kind = call.path["resourceType"]
    for known in _TYPES:
        if kind == known:
            return await _resource(call, known, call.path["resourceId"])
    raise NotFound(f"{kind} can't be translated: use {' or '.join(_TYPES)}")


def _locale_of(call: Call[Any, Any]) -> str:
    """The locale that the path names; what is no locale has no translation either."""
    return locales.normal(call.path["locale"]) or call.path["locale"]


def _default(call: Call[Any, Any]) -> str:
    return call.snapshot.default_locale


def _in_locale(connection: Connection, environment_id: str, locale: str) -> Any:
    found = translations.of_locale(connection, environment_id, locale)
    return found, layouts.every(connection, environment_id)


def _missing(resource: _Resource, locale: str) -> NotFound:
    return NotFound(f"{resource.type.capitalize()} {resource.identifier} has no translation into {locale}")


def _untranslated(resource: _Resource) -> NotFound:
    return NotFound(f"{resource.type.capitalize()} {resource.identifier} has no translations")


def _out(resource: _Resource, item: Translation) -> TranslationOut:
    return TranslationOut(
        resource.identifier,
        resource.type,
        item.locale,
        item.content,
        iso(item.created_at),
        iso(item.updated_at),
    )


_PATH = "/v2/translations"
_ALL = _PATH + "/{resourceType}/{resourceId}"
_ONE = _ALL + "/{locale}"
_MASTER = _PATH + "/master-json"
_GROUP = Group("Translations", Category.CONFIGURATION)

ROUTES = (
    _GROUP.route(
        "POST",
        _PATH,
        create_translation,
        "Write one translation",
        Role.EDITOR,
        body=TranslationIn,
        answer=TranslationOut,
        before=_present_translation,
    ),
    _GROUP.route(
        "POST",
        _PATH + "/upload",
        upload_translations,
        "Upload translation files",
        Role.EDITOR,
        body=FilesIn,
        answer=UploadsOut,
        multipart=True,
        audit=Audit.BRIEF,
    ),
    _GROUP.route(
        "GET",
        _MASTER,
        get_master_translations,
        "Read all translations of a locale",
        Role.VIEWER,
        query=MasterQuery,
        answer=MasterOut,
    ),
    _GROUP.route(
        "POST",
        _MASTER,
        import_master_translations,
        "Write translations of many resources",
        Role.EDITOR,
        body=MasterIn,
        answer=ImportedOut,
        audit=Audit.BRIEF,
    ),
    _GROUP.route(
        "POST",
        _MASTER + "/upload",
        upload_master_translations,
        "Upload translations of many resources",
        Role.EDITOR,
        body=MasterFileIn,
        answer=ImportedOut,
        multipart=True,
        audit=Audit.BRIEF,
    ),
    _GROUP.route(
        "GET",
        _PATH + "/group/{resourceType}/{resourceId}",
        get_translation_group,
        "Read which locales a resource has",
        Role.VIEWER,
        answer=GroupOut,
    ),
    _GROUP.route("GET", _ONE, get_translation, "Read one translation", Role.VIEWER, answer=TranslationOut),
    _GROUP.route("DELETE", _ONE, delete_translation, "Remove one translation", Role.EDITOR, status=204),
    _GROUP.route(
        "DELETE",
        _ALL,
        delete_translation_group,
        "Remove all translations of a resource",
        Role.EDITOR,
        status=204,
        before=_present_translations,
    ),
)
