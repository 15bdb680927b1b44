"""How locales are named, and where words for them are looked for."""

import pytest
from babel import localedata
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from clarion.model.locale import chain, conventions, normal

KNOWN = st.sampled_from(localedata.locale_identifiers()).filter(lambda name: normal(name) == name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("en_US", "en_US"),
        ("de-at", "de_AT"),
        ("EN", "en"),
        ("en_US.UTF-8", "en_US"),
        ("zh-hant-tw", "zh_Hant_TW"),
        ("es-419", "es_419"),
        ("iw", "he"),
        ("en_ZZ", "en_ZZ"),
    ],
)
def test_a_locale_has_one_name(text: str, name: str) -> None:
    assert normal(text) == name


@pytest.mark.parametrize("text", ["", " ", "x", "qq_DE", "../de", "de_", "a b", "123", "de\nx", "e" * 5000])
def test_what_names_no_language_is_no_locale(text: str) -> None:
    assert normal(text) is None


@given(st.text())
def test_any_text_is_a_locale_or_none(text: str) -> None:
    found = normal(text)
    assert found is None or normal(found) == found


@pytest.mark.parametrize(
    ("wanted", "looked"),
    [
        ("de_AT", ["de_AT", "de", "de_DE", "en_US", "en"]),
        ("de", ["de", "de_DE", "en_US", "en"]),
        ("es_MX", ["es_MX", "es_419", "es", "es_ES", "en_US", "en"]),
        ("pt_AO", ["pt_AO", "pt_PT", "pt", "pt_BR", "en_US", "en"]),
        ("en_GB", ["en_GB", "en_001", "en", "en_US"]),
        ("nb_NO", ["nb_NO", "nb", "no", "en_US", "en"]),
        ("zh_TW", ["zh_TW", "zh_Hant_TW", "zh_Hant", "en_US", "en"]),
        ("zh_Hant_HK", ["zh_Hant_HK", "zh_HK", "zh_Hant", "zh_TW", "zh_Hant_TW", "en_US", "en"]),
        ("sr_Latn", ["sr_Latn", "en_US", "en"]),
    ],
)
def test_a_locale_falls_back_to_its_language_and_then_to_the_default(wanted: str, looked: list[str]) -> None:
    """Spellings that say a script which goes without saying are left out here."""
    found = [name for name in chain(wanted, "en_US") if "_Latn" not in name or name == "sr_Latn"]
    assert found == looked


@given(KNOWN, KNOWN)
def test_a_chain_begins_with_what_is_wanted_ends_with_the_default_and_says_nothing_twice(
    wanted: str, default: str
) -> None:
    found = chain(wanted, default)
    assert found[0] == wanted
    assert default in found
    assert len(set(found)) == len(found)
    assert all(normal(name) == name for name in found)


@given(KNOWN, KNOWN)
def test_a_chain_stays_in_the_language_until_the_default(wanted: str, default: str) -> None:
    """Or goes on to the one that CLDR takes its words from: French for Haitian, Norwegian for Bokmål."""
    own = set(chain(wanted, wanted))
    found = chain(wanted, default)
    assert set(found[: len(own)]) == own
    language = wanted.partition("_")[0]
    above = get_global("parent_exceptions").get(language, language).partition("_")[0]
    assert {name.partition("_")[0] for name in own} <= {language, above}


@given(KNOWN)
def test_a_chain_stays_in_the_script(wanted: str) -> None:
    scripts = {conventions(name).script for name in chain(wanted, wanted)} - {None}
    assert len(scripts) <= 1


@given(KNOWN, KNOWN, KNOWN)
def test_the_default_only_adds_to_a_chain(wanted: str, one: str, other: str) -> None:
    own = chain(wanted, wanted)
    assert chain(wanted, one)[: len(own)] == chain(wanted, other)[: len(own)] == own


def test_numbers_are_written_as_the_nearest_known_locale_does() -> None:
    assert str(conventions("de_CH")) == "de_CH"
    assert conventions("de_ZZ").language == "de"
    assert str(conventions("nobody")) == "en_US"
