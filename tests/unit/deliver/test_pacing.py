import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.deliver.pacing import Pace
from clarion.providers.port import Rate


def sent_in(pace: Pace, seconds: float, start: float = 100.0, each: int = 1) -> int:
    """Messages that go out in a stretch when there are always more."""
    now, sent = start, 0
    while True:
        now += pace.wait(each, now)
        if now >= start + seconds:
            return sent
        sent += each


def refuse(pace: Pace, messages: int, now: float) -> None:
    for _ in range(messages):
        pace.throttled(None, now)


def test_without_a_quota_nothing_waits() -> None:
    pace = Pace(None)
    assert [pace.wait(1, 0.0) for _ in range(10_000)] == [0.0] * 10_000
    assert pace.limit is None


def test_a_burst_goes_at_once_and_the_rest_at_the_quota() -> None:
    pace = Pace(Rate(100, 50))
    assert all(pace.wait(1, 0.0) == 0.0 for _ in range(50))
    assert pace.wait(1, 0.0) == pytest.approx(0.02), "who waits, waits for a common moment"


@given(st.integers(1, 5000), st.integers(1, 100))
def test_the_quota_holds_in_the_long_run(per_second: int, each: int) -> None:
    pace = Pace(Rate(per_second, per_second))
    assert sent_in(pace, 20, each=each) <= per_second * 21 + each


def test_a_refusal_halves_the_rate_and_time_brings_it_back() -> None:
    pace = Pace(Rate(100, 100))
    sent_in(pace, 2)
    refuse(pace, 200, 102.0)
    pace.throttled(None, 102.1)
    assert pace.limit == 50, "many refusals of one second count once"
    pace.throttled(None, 103.5)
    assert pace.limit == 25
    pace.wait(1, 106.5)
    assert pace.limit == pytest.approx(25 * 1.1**3)
    pace.wait(1, 200.0)
    assert pace.limit == 100


def test_an_unpublished_quota_is_found_by_being_refused_and_forgotten_in_time() -> None:
    pace = Pace(None)
    for step in range(3000):
        pace.wait(1, 100 + step / 1000)
    refuse(pace, 2000, 103.0)
    assert pace.limit == pytest.approx(500, rel=0.05)
    pace.wait(1, 110.0)
    assert pace.limit is not None
    pace.wait(1, 200.0)
    assert pace.limit is None


def test_nothing_goes_out_before_the_provider_said() -> None:
    pace = Pace(None)
    for _ in range(3):
        pace.throttled(30_000, 10.0)
    assert pace.wait(1, 10.0) >= 30.0
    assert pace.wait(1, 39.0) >= 1.0


@pytest.mark.parametrize("rate", [None, Rate(10_000, 10_000)])
@pytest.mark.parametrize("per_second", [1, 20, 500])
def test_devices_that_are_refused_for_their_own_quota_hold_up_no_others(
    rate: Rate | None, per_second: int
) -> None:
    pace = Pace(rate)
    for step in range(60 * per_second):
        now = 100 + step / per_second
        assert pace.wait(1, now) == 0.0
        if step % 10 == 0:
            pace.throttled(60_000, now)
    assert pace.limit == (rate.per_second if rate else None)


def test_it_never_stops_altogether() -> None:
    pace = Pace(Rate(1, 1))
    for second in range(100):
        pace.throttled(None, float(second * 2))
    assert pace.limit == 0.5
