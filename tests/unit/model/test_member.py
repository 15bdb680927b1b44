import pytest

from clarion.model.member import Role, normal_email


def test_each_role_covers_those_before_it() -> None:
    covered = {role: [least for least in Role if role.covers(least)] for role in Role}
    assert covered == {role: list(Role)[: place + 1] for place, role in enumerate(Role)}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (" Ada@Clarion.Test ", "ada@clarion.test"),
        ("ada+x@localhost", "ada+x@localhost"),
        ("ada", None),
        ("@x", None),
        ("a@b@c", None),
        ("a b@c", None),
        ("a@b\n", "a@b"),
        ("a\x00@b", None),
        ("x" * 250 + "@b.cd", None),
    ],
)
def test_addresses_are_compared_in_one_form(text: str, found: str | None) -> None:
    assert normal_email(text) == found
