import pytest

from clarion.model.clock import iso
from clarion.model.ids import derived_id, new_id, placed_id, time_of

NOW = 1_796_000_000_123


def test_ids_sort_by_time() -> None:
    assert new_id(NOW) < new_id(NOW + 1)
    assert time_of(new_id(NOW)) == NOW


def test_a_derived_id_is_a_function_of_its_parts() -> None:
    root = new_id(NOW)
    assert derived_id(root, "a", "bc") == derived_id(root, "a", "bc")
    assert time_of(derived_id(root, "a")) == NOW


@pytest.mark.parametrize("parts", [("ab", "c"), ("a", "b", "c"), ("abc",)])
def test_parts_are_kept_apart(parts: tuple[str, ...]) -> None:
    root = new_id(NOW)
    assert derived_id(root, *parts) != derived_id(root, "a", "bc")


def test_a_derived_id_fits_every_collapse_field() -> None:
    assert len(derived_id(new_id(NOW), "x")) == 32


def test_placed_ids_sort_by_place_under_one_root() -> None:
    root = new_id(NOW)
    ids = [placed_id(root, place, "user") for place in (1, 2, 10, 300, 70_000, 5_000_000)]
    assert ids == sorted(ids)
    assert {len(identity) for identity in ids} == {32}
    assert placed_id(root, 1, "user") == ids[0] != placed_id(new_id(NOW), 1, "user")


def test_dates_on_the_wire_have_milliseconds() -> None:
    assert iso(0) == "1970-01-01T00:00:00.000Z"
    assert iso(1_767_225_600_007) == "2026-01-01T00:00:00.007Z"
