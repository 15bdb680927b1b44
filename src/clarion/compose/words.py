"""What a workflow says in each locale: its translations, laid over each other along the way they fall back.

A template names them as `t.key`. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from clarion.compose.formats import LOCALISED
from clarion.compose.phrases import Phrase, Plural
from clarion.compose.templates import filters, mentions, paths
from clarion.model.locale import DEFAULT, chain
from clarion.model.translation import Json, Path, phrases

NAME = "t"
_CATEGORIES = frozenset({"zero", "one", "two", "few", "many", "other"})
_KEPT = 1024


class Words:
    """The translations of one workflow, by locale; None where it isn't translated."""

    def __init__(self, contents: Mapping[str, Json] | None = None, default: str = DEFAULT) -> None:
        self.default = default
        self._translated = contents is not None
        self._contents = contents or {}
        self._trees: dict[tuple[str, ...], Json] = {}
        self.texts = lru_cache(_KEPT)(self._texts)

    def variables(self, locale: str) -> Json:
        """What templates can name besides, in a locale."""
        return {NAME: self.tree(locale)} if self._translated else {}

    def localised(self, sources: Iterable[str]) -> bool:
        """Whether what templates say may differ by locale."""
        return any(
            not filters(source).isdisjoint(LOCALISED) or (self._translated and mentions(source, NAME))
            for source in sources
        )

    def tree(self, locale: str) -> Json:
        """What templates find under `t`: each text from the nearest locale that has it."""
        names = tuple(name for name in chain(locale, self.default) if name in self._contents)
        if names not in self._trees:
            self._trees[names] = self._merged(names)
        return self._trees[names]

    def missing(self, locale: str, source: str) -> list[str]:
        """The texts that a template names and no locale on the way has."""
        if not self._translated:
            return []
        tree = self.tree(locale)
        return [".".join((NAME, *path)) for path in _named(source) if path and not _below(tree, path)]

    def _texts(self, locale: str, sources: tuple[str, ...]) -> tuple[str, ...]:
        """The templates, with every text of a translation that they can come to say."""
        tree, left = self.tree(locale), list(sources)
        found: dict[str, None] = {}
        while left:
            source = left.pop()
            if source not in found:
                found[source] = None
                left += [phrase.text for path in _named(source) for phrase in _below(tree, path)]
        return tuple(found)

    def _merged(self, names: Sequence[str]) -> Json:
        tree: Json = {}
        for name in reversed(names):
            for path, entry in _entries(name, phrases(self._contents[name])):
                _put(tree, path, entry)
        return tree


def _entries(locale: str, texts: Mapping[Path, str]) -> Iterator[tuple[Path, Phrase | Plural]]:
    """Texts one by one, but plural forms together: they are taken from one locale or from another."""
    groups: dict[Path, dict[str, Phrase]] = {}
    for path, text in texts.items():
        groups.setdefault(path[:-1], {})[path[-1]] = Phrase(text)
    inner = {path[:length] for path in groups for length in range(1, len(path))}
    for path, group in groups.items():
        if path and "other" in group and group.keys() <= _CATEGORIES and path not in inner:
            yield path, Plural(locale, group)
        else:
            yield from (((*path, name), phrase) for name, phrase in group.items())


def _put(tree: Json, path: Path, entry: Phrase | Plural) -> None:
    for name in path[:-1]:
        if not isinstance(tree.get(name), dict):
            tree[name] = {}
        tree = tree[name]
    tree[path[-1]] = entry


def _named(source: str) -> list[Path]:
    """What a template names below `t`; the empty path where that is computed, and may be anything."""
    if not mentions(source, NAME):
        return []
    return [path[1:] for path in paths(source) if path[:1] in ((), (NAME,))]


def _below(tree: Json, path: Path) -> list[Phrase]:
    found: Any = tree
    for name in path:
        if isinstance(found, Plural):
            break
        found = found.get(name) if isinstance(found, dict) else None
    return list(_phrases(found))


def _phrases(found: Any) -> Iterator[Phrase]:
    if isinstance(found, Phrase):
        yield found
    elif isinstance(found, Plural):
        yield from found.forms.values()
    elif isinstance(found, dict):
        for inner in found.values():
            yield from _phrases(inner)
