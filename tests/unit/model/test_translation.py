"""The texts of a translation by their keys."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.errors import TranslationInvalid
from clarion.model.translation import outdated, phrases

KEYS = st.text("abc", min_size=1, max_size=2)


def test_keys_may_be_nested_joined_by_dots_or_both() -> None:
    found = phrases({"welcome.title": "Hi", "welcome": {"body": "There", "more.deep": "Down"}})
    assert found == {
        ("welcome", "title"): "Hi",
        ("welcome", "body"): "There",
        ("welcome", "more", "deep"): "Down",
    }


@given(st.dictionaries(st.lists(KEYS, min_size=3, max_size=3).map(tuple), st.text(), max_size=8))
def test_however_the_keys_are_cut_the_texts_are_the_same(texts: dict[tuple[str, ...], str]) -> None:
    nested: dict[str, Any] = {}
    for (first, second, third), text in texts.items():
        nested.setdefault(first, {}).setdefault(second, {})[third] = text
    assert phrases(nested) == phrases({".".join(path): text for path, text in texts.items()}) == texts


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"a": 1}, "a"),
        ({"a": {"b": None}}, "a.b"),
        ({"a": ["x"]}, "a"),
        ({"": "x"}, ""),
        ({"a..b": "x"}, "a..b"),
        ({"a": "x", "a.b": "y"}, "a.b"),
        ({"a": {"b": "x"}, "a.b": "y"}, "a.b"),
    ],
)
def test_a_wrong_key_is_named(content: dict[str, Any], key: str) -> None:
    with pytest.raises(TranslationInvalid) as refused:
        phrases(content)
    assert refused.value.key == key


def test_a_locale_without_a_key_of_the_default_one_is_outdated() -> None:
    french: dict[str, Any] = {"a": "A", "b": {"c": "C"}, "d": "D"}
    contents = {"en_US": {"a": "A", "b.c": "C"}, "de": {"a": "A"}, "fr": french}
    assert outdated(contents, "en_US") == ["de"]
    assert outdated(contents, "it") == []
