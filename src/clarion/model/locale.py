"""Locales: how they are written, and which of those there are words for serves best. Pure.

Names are those of CLDR, `de_AT` or `zh_Hant_HK`; what else apps send (`de-at`, `en_US.UTF-8`) is put into
that form.
"""

from functools import lru_cache
from typing import NamedTuple

from babel import Locale, UnknownLocaleError, localedata
from babel.core import get_global, get_locale_identifier, parse_locale

DEFAULT = "en_US"
_LONGEST = 64
_KEPT = 4096


class _Parts(NamedTuple):
    """A locale taken apart; None says nothing."""

    language: str
    territory: str | None
    script: str | None


@lru_cache(_KEPT)
def normal(text: str) -> str | None:
    """The locale that a text names, None where it names no language that is known."""
    parts = _parts(text.replace("-", "_").strip())
    return None if parts is None else _name(*parts)


@lru_cache(_KEPT)
def chain(wanted: str, default: str) -> tuple[str, ...]:
    """Where words for a locale are looked for, nearest first, the default's own line last."""
    return tuple(dict.fromkeys((*_line(wanted), *_line(default))))


@lru_cache(_KEPT)
def conventions(name: str) -> Locale:
    """How numbers and dates are written there; a territory nobody knows has those of its language."""
    for known in _line(name):
        try:
            return Locale.parse(known)
        except UnknownLocaleError:
            continue
    return Locale.parse(DEFAULT)


def _line(name: str) -> tuple[str, ...]:
    """From a locale to its language, and on to where that language is at home.

    Never into another script: who reads Taiwan's Chinese is not served by Beijing's.
    """
    found = _parts(name)
    if found is None:
        return (name,)
    language, territory, _ = found
    script = _script(found)
    names = [name]
    while territory:
        names += _spellings(language, territory, script)
        territory = _territory_above(language, territory, script)
    names += _spellings(language, None, script)
    above = _parts(get_global("parent_exceptions").get(language, ""))
    if above is not None and _script(above) == script:
        names.append(_name(*above))
    home = _home(language, script)
    if home:
        names += _spellings(*home)
    return tuple(dict.fromkeys(names))


def _home(language: str, script: str | None) -> _Parts | None:
    """The locale that a language in a script has the most readers in, such as de_DE."""
    found = _likely(language, None, None)
    return found if found is None or found.script == script else _likely(language, None, script)


def _territory_above(language: str, territory: str, script: str | None) -> str | None:
    """The territory whose words are taken where this one has none, such as 001, the world, for GB."""
    exceptions = get_global("parent_exceptions")
    for spelling in _spellings(language, territory, script):
        above = _parts(exceptions.get(spelling, ""))
        if above is not None:
            return above.territory
    return None


def _spellings(language: str, territory: str | None, script: str | None) -> list[str]:
    """The names of one locale: the script may be left out where it goes without saying."""
    whole = _name(language, territory, script)
    short = _name(language, territory, None)
    return [short, whole] if _script(_Parts(language, territory, None)) == script else [whole]


def _script(parts: _Parts) -> str | None:
    if parts.script:
        return parts.script
    likely = _likely(parts.language, parts.territory, None) or _likely(parts.language, None, None)
    return likely.script if likely else None


def _likely(language: str, territory: str | None, script: str | None) -> _Parts | None:
    return _parts(get_global("likely_subtags").get(_name(language, territory, script), ""))


def _parts(text: str) -> _Parts | None:
    if not text or len(text) > _LONGEST:
        return None
    try:
        language, territory, script, *_ = parse_locale(text)
    except ValueError:
        return None
    if not localedata.exists(language):  # Java has called Hebrew iw for long
        language = get_global("language_aliases").get(language, language)
    return _Parts(language, territory, script) if localedata.exists(language) else None


def _name(language: str, territory: str | None, script: str | None) -> str:
    return get_locale_identifier((language, territory, script))
