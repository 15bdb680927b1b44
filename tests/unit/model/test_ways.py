"""Ways through topics, as the log keeps them."""

from fnmatch import fnmatchcase

from clarion.model.ways import AROUND_PLACE, Way, by_subscription, read, written

WAYS = [Way(0, 12), Way(2, 5), Way(11, 120)]


def matches(text: str, pattern: str) -> bool:
    return fnmatchcase(text, pattern.replace("%", "*"))


def test_ways_are_read_as_they_were_written() -> None:
    assert read(written(reversed(WAYS))) == WAYS
    assert read(written([])) == read(None) == []


def test_a_place_is_found_whole() -> None:
    before, after = AROUND_PLACE
    found = [place for place in range(200) if matches(written(WAYS), f"{before}{place}{after}")]
    assert found == [0, 2, 11]


def test_a_subscription_is_found_whole() -> None:
    assert [pk for pk in range(200) if matches(written(WAYS), by_subscription(pk))] == [5, 12, 120]
