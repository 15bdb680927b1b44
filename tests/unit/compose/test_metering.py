import pytest

from clarion.compose.templates import render
from clarion.errors import TemplateError

LETTERS = "{% assign s = 'xxxxxxxxxx' %}"


@pytest.mark.parametrize(
    "source",
    [
        "{% assign s = 'x' %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}",
        LETTERS + "{{ s" + " | replace: 'x', s" * 9 + " | size }}",
        LETTERS + "{{ s" + " | replace: '', s" * 9 + " | size }}",
        LETTERS + "{{ s" + " | split: '' | join: s" * 9 + " | size }}",
        "{{ (1..300000000) | join: ',' | size }}",
    ],
)
def test_a_value_can_not_grow_without_end(source: str) -> None:
    with pytest.raises(TemplateError, match="larger than 1,048,576"):
        render(source, {})


def test_a_number_can_not_be_squared_without_end() -> None:
    with pytest.raises(TemplateError, match="4096 bits"):
        render("{% assign n = 9 %}{% for i in (1..40) %}{% assign n = n | times: n %}{% endfor %}", {})


def test_many_filters_over_a_large_text_are_too_much_work() -> None:
    with pytest.raises(TemplateError, match="too much work"):
        render(
            "{% for i in (1..9999) %}{% assign u = payload.t | upcase %}{% endfor %}",
            {"payload": {"t": "x" * 500_000}},
        )


def test_a_large_payload_may_be_shortened() -> None:
    assert render("{{ payload.t | truncate: 10 }}", {"payload": {"t": "x" * 500_000}}) == "xxxxxxx..."


def test_every_render_has_a_budget_of_its_own() -> None:
    source = "{% for i in (1..9999) %}{{ payload.x }}{% endfor %}"
    assert [render(source, {"payload": {"x": ""}}) for _ in range(20)] == [""] * 20
