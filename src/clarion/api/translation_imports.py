"""Translations from files, and of many workflows and layouts at once."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.bodies import decode_body
from clarion.api.forms import Upload
from clarion.api.route import Call, NoQuery
from clarion.api.translations import (
    GROUP,
    MASTER,
    PATH,
    TYPES,
    Json,
    Resource,
    TranslationOut,
    checked_content,
    checked_locale,
    resource_named,
    shown,
    write_all,
)
from clarion.errors import RequestError, Unprocessable
from clarion.model.member import Role
from clarion.model.translation import ResourceType
from clarion.store import translations

Wanted = tuple[Resource, str, Json]
"""What is translated, the locale and its texts."""


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


class UploadsOut(msgspec.Struct, rename="camel"):
    """UploadTranslationsResponseDto."""

    total_files: int
    successful_uploads: int
    failed_uploads: int
    errors: list[str]


class ImportedOut(msgspec.Struct):
    """ImportMasterJsonResponseDto. `success`: something was imported."""

    success: bool
    message: str
    successful: list[str]
    failed: list[str]


class Files(NamedTuple):
    """What files want, how many they are, and what is wrong with some."""

    wanted: list[Wanted]
    total: int
    errors: list[str]


class Master(NamedTuple):
    """What a master document wants, and why some of what it names can't be written."""

    wanted: list[Wanted]
    failed: Mapping[str, str]


async def upload_translations(call: Call[Files, NoQuery]) -> UploadsOut:
    """Write texts from files, each named after its locale. What is wrong is told, the others count."""
    wanted, total, errors = call.body
    await write_all(call, wanted)
    return UploadsOut(total, total - len(errors), len(errors), errors)


async def import_master_translations(call: Call[Master, NoQuery]) -> ImportedOut:
    """Write texts of many workflows and layouts in one locale; what is wrong is told, the others count."""
    wanted, failed = call.body
    await write_all(call, wanted)
    done = [resource.identifier for resource, _, _ in wanted]
    return ImportedOut(bool(done), _told(done, failed), done, list(failed))


async def upload_master_translations(call: Call[Master, NoQuery]) -> ImportedOut:
    """The same from a file, named after its locale."""
    return await import_master_translations(call)


async def _present(call: Call[Files | Master, NoQuery]) -> list[TranslationOut]:
    """The texts that there are in the places that a call writes to."""

    def read(connection: Connection) -> list[TranslationOut]:
        return [
            shown(resource, found)
            for resource, locale, _ in call.body.wanted
            if (found := translations.find(connection, resource.row_id, locale))
        ]

    return await call.services.database.read(read)


async def _of_files(call: Call[FilesIn, NoQuery]) -> Files:
    resource = await resource_named(call, call.body.resource_type, call.body.resource_id)
    wanted: dict[str, Wanted] = {}
    errors: list[str] = []
    for file in call.body.files:
        try:
            locale = checked_locale(_stem(file), "file name")
            wanted[locale] = (resource, locale, checked_content(decode_body(file.content, Json)))
        except RequestError as error:
            errors.append(f"{file.name}: {error.message}")
    return Files(list(wanted.values()), len(call.body.files), errors)


async def _of_master(call: Call[MasterIn, NoQuery]) -> Master:
    locale = checked_locale(call.body.locale, "locale")
    return await _each(call, locale, call.body.master_json, "masterJson")


async def _of_master_file(call: Call[MasterFileIn, NoQuery]) -> Master:
    file = call.body.file
    locale = checked_locale(_stem(file), "file")
    return await _each(call, locale, decode_body(file.content, Json), "file")


async def _each(call: Call[Any, Any], locale: str, master: Json, field: str) -> Master:
    """The resources of a master document, one by one, and why some can't be written."""
    found = list(contents(master, field))
    if not found:
        raise Unprocessable.field(field, "names no workflow under workflows and no layout under layouts")
    wanted: list[Wanted] = []
    failed: dict[str, str] = {}
    for kind, name, content in found:
        try:
            resource = await resource_named(call, kind, name)
            wanted.append((resource, locale, checked_content(content)))
        except RequestError as error:
            failed[name] = error.message
    return Master(wanted, failed)


def contents(master: Json, field: str) -> Iterable[tuple[ResourceType, str, Json]]:
    """The texts of each resource that a master document names."""
    for kind in TYPES:
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


def _stem(file: Upload) -> str:
    return file.name.rpartition("/")[2].removesuffix(".json")


ROUTES = (
    GROUP.route(
        "POST",
        PATH + "/upload",
        upload_translations,
        "Upload translation files",
        Role.EDITOR,
        body=FilesIn,
        answer=UploadsOut,
        multipart=True,
        parse=_of_files,
        before=_present,
        after=_present,
    ),
    GROUP.route(
        "POST",
        MASTER,
        import_master_translations,
        "Write translations of many resources",
        Role.EDITOR,
        body=MasterIn,
        answer=ImportedOut,
        parse=_of_master,
        before=_present,
        after=_present,
    ),
    GROUP.route(
        "POST",
        MASTER + "/upload",
        upload_master_translations,
        "Upload translations of many resources",
        Role.EDITOR,
        body=MasterFileIn,
        answer=ImportedOut,
        multipart=True,
        parse=_of_master_file,
        before=_present,
        after=_present,
    ),
)
