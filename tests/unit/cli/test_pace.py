import pytest

from clarion.cli.pace import Pace, left
from looks import seen


def test_one_look_is_no_pace() -> None:
    pace = Pace()
    pace.note(100, seen(delivered=50, addressed=50, messages=60))
    assert (pace.rate, pace.seconds_left) == (0, None)


def test_the_pace_is_that_of_the_last_five_seconds() -> None:
    pace = Pace()
    for at, delivered in ((0, 0), (1, 10_000), (5, 10_000), (6, 10_000), (10, 10_400)):
        pace.note(at, seen(delivered=delivered, addressed=20_000, messages=20_000))
    assert pace.rate == pytest.approx(80)
    assert pace.seconds_left == pytest.approx(9600 / 80)


def test_failures_and_cancelled_messages_are_done_too() -> None:
    pace = Pace()
    pace.note(0, seen(addressed=10, messages=10))
    pace.note(2, seen(addressed=10, messages=10, delivered=2, failed=3, cancelled=1))
    assert pace.rate == 3
    assert pace.seconds_left == pytest.approx(4 / 3)


def test_who_is_not_addressed_yet_is_taken_to_have_as_many_devices_as_the_others() -> None:
    assert left(seen(audience=1000, addressed=100, messages=200, delivered=150)) == 1850
    assert left(seen(audience=1000)) is None


def test_an_audience_that_shrank_leaves_nothing_below_zero() -> None:
    assert left(seen(audience=5, addressed=10, messages=10, delivered=10)) == 0
