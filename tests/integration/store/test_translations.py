"""Translations and layouts, on both databases."""

import asyncio

import msgspec
import pytest
from sqlalchemy.engine import Connection

from clarion.errors import Conflict
from clarion.model.ids import new_id
from clarion.model.layout import Layout
from clarion.model.people import Environment
from clarion.model.translation import Translation
from clarion.store import environments, layouts, translations, workflows
from clarion.store.database import Database
from pushing import ENVIRONMENT, NOW, workflow


@pytest.fixture(autouse=True)
async def environment(database: Database) -> None:
    made = Environment(ENVIRONMENT, "Development", "dev", "dev", NOW)
    await database.write(environments.create, made)


def translation(locale: str, text: str, resource_id: str = "w" * 32, at: int = NOW) -> Translation:
    return Translation(new_id(at), ENVIRONMENT, "workflow", resource_id, locale, {"title": text}, at, at)


async def test_writing_again_replaces_the_content_and_keeps_when_it_was_made(database: Database) -> None:
    first = await database.write(translations.put, translation("de", "Hallo"))
    second = await database.write(translations.put, translation("de", "Servus", at=NOW + 5))
    assert (second.created_at, second.updated_at) == (NOW, NOW + 5)
    assert second.id != first.id
    assert await database.read(translations.find, "w" * 32, "de") == second
    assert await database.read(translations.find, "w" * 32, "fr") is None


async def test_many_at_once_leave_one(database: Database) -> None:
    given = [translation("de", str(number)) for number in range(8)]
    await asyncio.gather(*(database.write(translations.put, item) for item in given))
    (left,) = await database.read(translations.of_resource, "w" * 32)
    assert left.content in [item.content for item in given]


async def test_what_is_known_is_not_read_again(database: Database) -> None:
    german = await database.write(translations.put, translation("de", "Hallo"))
    french = await database.write(translations.put, translation("fr", "Salut"))
    known = {german.id: msgspec.structs.replace(german, content={"title": "from memory"})}
    found = await database.read(translations.of_workflows, known)
    assert [(item.locale, item.content["title"]) for item in found] == [
        ("de", "from memory"),
        ("fr", "Salut"),
    ]
    await database.write(translations.put, translation("de", "Servus"))
    await database.write(translations.remove, "w" * 32, "fr")
    found = await database.read(translations.of_workflows, {item.id: item for item in (german, french)})
    assert [item.content["title"] for item in found] == ["Servus"]


async def test_a_copy_has_the_locales_of_its_source_and_no_others(database: Database) -> None:
    for locale, text in (("de", "Hallo"), ("fr", "Salut")):
        await database.write(translations.put, translation(locale, text))
    for locale, text in (("fr", "Alt"), ("it", "Ciao")):
        await database.write(translations.put, translation(locale, text, "x" * 32))
    await database.write(translations.copy, "w" * 32, ENVIRONMENT, "x" * 32, NOW)
    found = await database.read(translations.of_resource, "x" * 32)
    assert {item.locale: item.content["title"] for item in found} == {"de": "Hallo", "fr": "Salut"}
    assert len(await database.read(translations.of_resource, "w" * 32)) == 2


async def test_a_workflow_and_an_environment_take_theirs_along(database: Database) -> None:
    flow = workflow()
    await database.write(workflows.create, flow)
    await database.write(translations.put, translation("de", "Hallo", flow.id))
    await database.write(translations.put, translation("de", "Hallo", "x" * 32))
    await database.write(layouts.create, Layout(new_id(NOW), ENVIRONMENT, "frame", "Frame", NOW, NOW))
    await database.write(workflows.delete, flow.id)
    assert [item.resource_id for item in await database.read(translations.of_locale, ENVIRONMENT, "de")] == [
        "x" * 32
    ]
    await database.write(environments.shut, ENVIRONMENT)
    await database.write(environments.delete, ENVIRONMENT)
    assert await database.read(environments.every) == []


async def test_the_oldest_layout_is_the_default_and_identifiers_are_taken_once(database: Database) -> None:
    first = Layout(new_id(NOW), ENVIRONMENT, "a", "A", NOW, NOW)
    second = Layout(new_id(NOW + 1), ENVIRONMENT, "b", "B", NOW + 1, NOW)
    for item in (second, first):
        await database.write(layouts.create, item)
    with pytest.raises(Conflict):
        await database.write(layouts.create, msgspec.structs.replace(first, id=new_id(NOW)))

    def default(connection: Connection) -> str | None:
        return layouts.default_of(connection, ENVIRONMENT)

    assert await database.read(default) == first.id
    await database.write(layouts.delete, first.id)
    assert await database.read(default) == second.id
