"""Numbers, money, moments and plurals as a locale writes them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.compose.formats import REGION, Region
from clarion.compose.templates import render
from clarion.errors import TemplateError

MOMENT = "2026-03-29T00:30:00Z"


def shown(source: str, locale: str = "de_DE", timezone: str | None = None, **variables: Any) -> str:
    """With the thin spaces that some locales write as plain ones."""
    said = render(source, {**variables, REGION: Region(locale, timezone)})
    return said.replace("\N{NARROW NO-BREAK SPACE}", " ").replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("source", "locale", "said"),
    [
        ("{{ 1234567.5 | number }}", "de_DE", "1.234.567,5"),
        ("{{ 1234567.5 | number }}", "en_IN", "12,34,567.5"),
        ("{{ '1234.5' | number: 2 }}", "en_US", "1,234.50"),
        ("{{ 1234.5 | number: 0 }}", "fr_FR", "1 234"),
        ("{{ 12.5 | currency: 'EUR' }}", "de_DE", "12,50 €"),
        ("{{ 12.5 | currency: 'usd' }}", "en_US", "$12.50"),
        ("{{ 12.5 | currency: 'JPY' }}", "ja_JP", "￥12"),
        ("{{ nothing | number }}{{ nothing | currency: 'EUR' }}{{ nothing | datetime }}", "de_DE", ""),
        ("{{ 1 | plural: one: 'one', other: 'more' }}", "en_US", "one"),
        ("{{ 2 | plural: one: 'one', other: 'more' }}", "en_US", "more"),
        ("{{ 2 | plural: one: 'a', few: 'b', other: 'c' }}", "cs", "b"),
    ],
)
def test_a_value_is_written_as_the_locale_does(source: str, locale: str, said: str) -> None:
    assert shown(source, locale) == said


@pytest.mark.parametrize(
    ("style", "locale", "timezone", "said"),
    [
        ("'short'", "de_DE", "Europe/Berlin", "29.03.26, 01:30"),
        ("'long'", "en_US", "America/New_York", "March 28, 2026, 8:30:00 PM EDT"),
        ("'yMMMMd'", "fr_FR", None, "29 mars 2026"),
        ("'Hm', timezone: 'Asia/Kolkata'", "en_GB", "Europe/Berlin", "06:00"),
        ("'short'", "de_DE", "Nowhere/Land", "29.03.26, 00:30"),
    ],
)
def test_a_moment_is_written_in_the_zone(style: str, locale: str, timezone: str | None, said: str) -> None:
    assert shown(f"{{{{ at | datetime: {style} }}}}", locale, timezone, at=MOMENT) == said


@pytest.mark.parametrize("value", [MOMENT, "2026-03-29T00:30:00", "2026-03-29T02:30+02:00", 1774744200])
def test_a_moment_is_iso_8601_or_seconds(value: object) -> None:
    assert shown("{{ at | datetime: 'Hm' }}", at=value) == "00:30"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{{ 'x' | number }}", "number wants a number"),
        ("{{ true | number }}", "number wants a number"),
        ("{{ '1e999999' | number }}", "number wants a number"),
        ("{{ 'nan' | currency: 'EUR' }}", "currency wants a number"),
        ("{{ 1 | number: 99 }}", "decimal places"),
        ("{{ 1 | currency }}", "three letters"),
        ("{{ 1 | currency: 'E1R' }}", "three letters"),
        ("{{ 'tomorrow' | datetime }}", "wants a moment"),
        ("{{ huge | datetime }}", "wants a moment"),
        ("{{ 0 | datetime: 'QQQQQQ' }}", "has no style"),
        ("{{ 0 | datetime: 'short', timezone: 'Nowhere' }}", "no time zone"),
        ("{{ 'x' | plural: one: 'a' }}", "plural wants a number"),
    ],
)
def test_what_can_not_be_written_is_told(source: str, told: str) -> None:
    with pytest.raises(TemplateError, match=told):
        shown(source, huge=1e300)


@given(st.integers() | st.floats() | st.text() | st.none() | st.lists(st.integers()), st.text(max_size=8))
def test_any_value_is_written_or_refused(value: object, argument: str) -> None:
    for name in ("number", "currency", "datetime", "plural"):
        for source in (f"{{{{ v | {name} }}}}", f"{{{{ v | {name}: a }}}}"):
            try:
                shown(source, v=value, a=argument)
            except TemplateError:
                continue
