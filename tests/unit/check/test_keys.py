from typing import Any

import pytest

from clarion.check.keys import bare, group_of, looked_up

SEEN = {"payload": {"post": {"id": 7}, "tags": ["a", "b"]}, "post": {"id": 7}, "subscriber": {"locale": "en"}}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("payload.post.id", 7),
        ("{{payload.post.id}}", 7),
        ("{{ payload.post.id }}", 7),
        ("post.id", 7),
        ("payload.tags.1", "b"),
        ("payload.tags.9", None),
        ("subscriber.locale", "en"),
        ("payload.nothing.there", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_what_a_key_names(key: Any, value: Any) -> None:
    assert looked_up(key, SEEN) == value


def test_the_same_key_in_each_of_its_ways_groups_alike() -> None:
    assert {group_of(key, SEEN) for key in ("payload.post.id", "{{payload.post.id}}", "post.id")} == {"7"}


def test_values_that_differ_group_apart() -> None:
    keys = ("payload.post", "payload.tags", "payload.post.id", "nothing")
    assert len({group_of(key, SEEN) for key in keys}) == len(keys)
    assert group_of("x", {"x": "7"}) != group_of("x", {"x": 7})
    assert group_of("x", {"x": {"b": 1, "a": 2}}) == group_of("x", {"x": {"a": 2, "b": 1}})


def test_without_a_key_everything_belongs_together() -> None:
    assert group_of(None, SEEN) == group_of("", SEEN) == group_of("nothing", SEEN) == ""
    assert bare("{{x}}{{y}}") == "x}}{{y"
