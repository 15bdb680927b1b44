import pytest

from clarion.compose.templates import render
from clarion.errors import TemplateError


def test_variables_are_filled_in() -> None:
    variables = {"payload": {"order": {"id": 7}}, "subscriber": {"firstName": "Ada"}}
    assert render("{{ subscriber.firstName }}: {{ payload.order.id }}", variables) == "Ada: 7"


def test_an_unknown_variable_says_nothing() -> None:
    assert render("Hi {{ payload.name }}!", {}) == "Hi !"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("Hi {{ 'a' | nosuch }}", "unknown filter 'nosuch' (line 1, character 13)"),
        ("Hi\n\n{% nosuch %}", "unexpected tag 'nosuch' (line 3, character 4)"),
        ("{% include 'x' %}", "there is no other template to take in: 'x' (line 1, character 12)"),
        ("{% if payload %}", "expected tag endif, found end of expression"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_with_its_place(source: str, told: str) -> None:
    with pytest.raises(TemplateError) as wrong:
        render(source, {})
    assert str(wrong.value) == told


def test_text_without_templates_stays_as_it_is() -> None:
    assert render("50 % off } now", {}) == "50 % off } now"


@pytest.mark.parametrize("source", ["{{ payload.x", "{% if %}", "{% nosuch %}", "{{ 'a' | nosuch }}"])
def test_a_template_that_is_wrong_says_so(source: str) -> None:
    with pytest.raises(TemplateError):
        render(source, {})


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in (1..100000000) %}x{% endfor %}",
        "{% for i in (1..9000) %}xxxxxxxxxxxxxxxxxxxx{% endfor %}",
        "{% for i in (1..9999) %}{{ i.x }}{% endfor %}" * 300,
        "{% for i in (1..9999) %}{% endfor %}" * 300,
    ],
)
def test_a_template_can_not_run_away(source: str) -> None:
    with pytest.raises(TemplateError):
        render(source, {})
