"""Texts of translations in templates, and which locale they come from."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.compose.templates import render
from clarion.compose.words import Words
from clarion.errors import TemplateError
from clarion.model.locale import chain

LOCALES = ("en_US", "en", "de", "de_DE", "de_AT", "fr_FR", "zh_Hant", "zh_CN")
TEXTS = st.text("xyz", min_size=1)
Contents = dict[str, dict[str, Any]]


def shown(source: str, contents: Contents, locale: str = "de_AT", **variables: Any) -> str:
    return render(source, {**variables, **Words(contents).variables(locale)})


@pytest.mark.parametrize("content", [{"welcome.title": "Hallo"}, {"welcome": {"title": "Hallo"}}])
def test_a_text_is_named_by_its_key_however_that_is_cut(content: dict[str, Any]) -> None:
    assert shown("{{t.welcome.title}}, {{ t.welcome.title | upcase }}!", {"de": content}) == "Hallo, HALLO!"
    assert shown('{% if t.welcome.title == "Hallo" %}yes{% endif %}', {"de": content}) == "yes"


def test_a_text_is_a_template_over_the_same_variables() -> None:
    contents: Contents = {"de": {"hi": "Hallo {{name}}, {{t.bye}}", "bye": "tschüss {{payload.x | upcase}}"}}
    assert shown("{{t.hi}}", contents, name="Ada", payload={"x": "du"}) == "Hallo Ada, tschüss DU"
    looped = "{% for item in items %}{{t.hi}};{% endfor %}"
    assert shown(looped, {"de": {"hi": "<{{item}}>"}}, items=[1, 2]) == "<1>;<2>;"


def test_what_nobody_translated_says_nothing() -> None:
    contents: Contents = {"de": {"a": {"b": "x"}}}
    assert shown("[{{t.c}}{{t.a.c}}{{t.a.b.c}}]", contents) == "[]"
    assert Words(contents).missing("de", "{{t.a.b}} {{t.c}} {{t.a.c}} {{t[payload.x]}}") == ["t.c", "t.a.c"]


def test_without_translations_t_is_the_payloads_own() -> None:
    words = Words(None)
    assert render("{{t.x}}", {"t": {"x": "payload"}, **words.variables("de")}) == "payload"
    assert (words.localised(["{{t.x}}"]), words.missing("de", "{{t.x}}")) == (False, [])


@given(
    st.dictionaries(st.sampled_from(LOCALES), st.dictionaries(st.sampled_from("abc"), TEXTS), max_size=6),
    st.sampled_from([*LOCALES, "it", "zh_TW"]),
    st.sampled_from(LOCALES),
    st.sampled_from("abc"),
)
def test_a_text_comes_from_the_first_locale_of_the_chain_that_has_it(
    contents: Contents, locale: str, default: str, key: str
) -> None:
    said = render(f"{{{{t.{key}}}}}", Words(contents, default).variables(locale))
    having = [contents[name][key] for name in chain(locale, default) if key in contents.get(name, {})]
    assert said == (having[0] if having else "")


@given(st.permutations(LOCALES))
def test_the_order_in_which_translations_are_listed_says_nothing(order: list[str]) -> None:
    assert shown("{{t.a}}", {name: {"a": name} for name in order}) == "de_AT"


PLURALS: Contents = {
    "en_US": {
        "items": {"one": "{{count}} item", "other": "{{count}} items"},
        "only": {"one": "1", "other": "n"},
    },
    "pl": {
        "items": {"one": "{{count}} rzecz", "few": "{{count}} rzeczy"},
        "items.other": "{{count}} rzeczy!",
    },
    "ar": {"items": {"zero": "صفر", "other": "{{count}}"}},
}


@pytest.mark.parametrize(
    ("locale", "count", "said"),
    [
        ("en_GB", 1, "1 item"),
        ("en_GB", 0, "0 items"),
        ("pl_PL", 1, "1 rzecz"),
        ("pl_PL", 3, "3 rzeczy"),
        ("pl_PL", 5, "5 rzeczy!"),
        ("pl_PL", "3", "3 rzeczy"),
        ("ar_EG", 0, "صفر"),
        ("ar_EG", 1, "1"),
        ("it", 1, "1 item"),
    ],
)
def test_a_number_chooses_the_form_by_the_rule_of_the_locale_the_text_is_from(
    locale: str, count: object, said: str
) -> None:
    assert shown("{{ t.items | plural: payload.n }}", PLURALS, locale, payload={"n": count}) == said


def test_forms_are_taken_from_one_locale_and_not_mixed() -> None:
    english = {"n": {"one": "1", "few": "2", "other": "many"}}
    contents: Contents = {"en_US": english, "pl": {"n.other": "wiele"}}
    assert shown("{{ t.n | plural: 3 }}", contents, "pl") == "wiele"
    assert shown("{{ t.only | plural: 1 }}", PLURALS, "pl") == "1"


def test_forms_can_be_named_and_stand_for_the_last_one_without_a_number() -> None:
    assert shown("{{t.items}}|{{t.items.one}}|{{ t.items | plural }}", PLURALS, "pl", count=7) == (
        "7 rzeczy!|7 rzecz| rzeczy!"
    )
    assert shown("{{t.sorts.other.name}}", {"de": {"sorts": {"other": {"name": "Sonstige"}}}}) == "Sonstige"
    assert shown("{{ t.plain | plural: 3 }}{{ t.gone | plural: 3 }}", {"de": {"plain": "immer"}}) == "immer"


@pytest.mark.parametrize(
    "content",
    [
        {"a": "{{t.a}}"},
        {"a": "{{t.b}}", "b": "{{t.a}}"},
        {f"k{n}": f"{{{{t.k{n + 1}}}}}" * 9 for n in range(20)} | {"a": "{{t.k0}}", "k20": "x"},
        {"a": "{{t.big}}" * 5000, "big": "x" * 60_000},
        {"a": "{% for i in (1..9999) %}{{t.b}}{% endfor %}", "b": "{% for i in (1..9999) %}x{% endfor %}"},
    ],
)
def test_texts_that_name_each_other_cannot_run_away(content: dict[str, str]) -> None:
    with pytest.raises(TemplateError):
        shown("{{t.a}}", {"de": content})


def test_all_that_a_template_can_come_to_say_is_known() -> None:
    contents: Contents = {
        "de": {"a": "{{t.b}}", "b": "{{subscriber.firstName}}", "c": "{{t[payload.x]}}", "d.e": "x"},
        "en_US": {"a": "A", "p": {"one": "1", "other": "{{subscriber.lastName}}"}},
    }
    words = Words(contents)
    assert set(words.texts("de", ("{{t.a}}",))) == {"{{t.a}}", "{{t.b}}", "{{subscriber.firstName}}"}
    assert set(words.texts("en_US", ("{{t.a}} {{t.d.e}}",))) == {"{{t.a}} {{t.d.e}}", "A"}
    assert "{{subscriber.lastName}}" in words.texts("en_US", ("{{ t.p | plural: 1 }}",))
    for anything in ("{{t.c}}", "{% assign words = t %}{{ words.a }}", "{{ [payload.x].a }}"):
        assert "{{subscriber.firstName}}" in words.texts("de", (anything,))
