"""Translations: the texts of a workflow or a layout in one locale, by key. Pure."""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from clarion.errors import TranslationInvalid
from clarion.model.clock import Millis

Json = dict[str, Any]
Path = tuple[str, ...]
ResourceType = Literal["workflow", "layout"]


class Translation(msgspec.Struct, frozen=True):
    """The texts of a resource in one locale. `resource_id` is its row; another content has another `id`."""

    id: str
    environment_id: str
    resource_type: ResourceType
    resource_id: str
    locale: str
    content: Json
    created_at: Millis
    updated_at: Millis


def phrases(content: Json) -> dict[Path, str]:
    """Every text by the path that names it: keys may be nested, joined by dots, or both.

    `TranslationInvalid` names the key that is wrong.
    """
    found: dict[Path, str] = {}
    for path, text in _phrases(content, ()):
        if path in found:
            raise TranslationInvalid(".".join(path), "stands there twice")
        found[path] = text
    for path in found:
        for length in range(1, len(path)):
            if path[:length] in found:
                raise TranslationInvalid(".".join(path), f"stands below {'.'.join(path[:length])}, a text")
    return found


def outdated(contents: dict[str, Json], default: str) -> list[str]:
    """The locales that lack a key which the default one has."""
    wanted = phrases(contents.get(default, {})).keys()
    return [locale for locale, content in contents.items() if wanted - phrases(content).keys()]


def _phrases(content: Json, place: Path) -> Iterator[tuple[Path, str]]:
    for key, value in content.items():
        path = (*place, *key.split("."))
        if not all(path):
            raise TranslationInvalid(key or ".".join(path), "must not have an empty name")
        if isinstance(value, dict):
            yield from _phrases(value, path)
        elif isinstance(value, str):
            yield path, value
        else:
            raise TranslationInvalid(".".join(path), "must be a text, or an object of texts")
