import pytest

from clarion.compose.presentation import presentation, said, value_of
from clarion.errors import TemplateError
from clarion.model.push import CONTROLS, PLAIN, Presentation


def test_nothing_said_is_plain() -> None:
    assert presentation(said({"subject": "Hi", "body": "there", "image": None}), str) is PLAIN


def test_the_trigger_has_the_last_word() -> None:
    fields = said({"image": "step", "badge": 1, "skip": {}}, {"badge": 2, "title": "no field"})
    assert fields == {"image": "step", "badge": 2}


def test_every_field_has_a_control() -> None:
    assert set(CONTROLS.values()) == set(Presentation.__struct_fields__)


def test_templates_come_to_values() -> None:
    fields = {"badge": "{{n}}", "silent": "{{yes}}", "ttl": " 60 ", "url": "{{nothing}}", "mutable": True}
    worth = {"{{n}}": "3", "{{yes}}": "true", "{{nothing}}": ""}
    found = presentation(fields, lambda source: worth.get(source, source))
    assert found == Presentation(badge=3, ttl=60, silent=True, mutable=True)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("badge", "many"),
        ("badge", -1),
        ("badge", 1.5),
        ("badge", True),
        ("ttl", 28 * 24 * 3600 + 1),
        ("ttl", "٣" * 20),
        ("priority", "urgent"),
        ("silent", "maybe"),
        ("silent", 1),
        ("image", 7),
    ],
)
def test_nonsense_is_named(name: str, wrong: object) -> None:
    with pytest.raises(TemplateError, match=name):
        value_of(name, wrong)
