from hypothesis import given
from hypothesis import strategies as st

from clarion.check.frequency import DEVICE, EVERY_DEVICE, SUBSCRIBER, Cap, Spent, Usage, Use, longest
from clarion.model.clock import DAY, HOUR, MINUTE, Millis

HOURLY = Cap(SUBSCRIBER, 2, 1, "hours", ["high"])
DAILY = Cap(DEVICE, 1, 1, "days")


def use(at: Millis, name: str = "n", pk: int = 1, device: int = EVERY_DEVICE, step: str = "push") -> Use:
    return Use(pk, device, name, step, at)


def test_a_cap_holds_back_what_is_one_too_many_in_its_window() -> None:
    usage = Usage([use(0, "a"), use(MINUTE, "b")])
    assert usage.spent([HOURLY], use(HOUR - 1, "c"), "none") == Spent(HOURLY, 2)
    assert usage.spent([HOURLY], use(HOUR, "c"), "none") is None
    assert usage.spent([HOURLY], use(MINUTE, "c", pk=2), "none") is None


def test_a_severity_that_passes_is_not_held_back_and_counts() -> None:
    usage = Usage([use(0, "a"), use(0, "b")])
    assert usage.spent([HOURLY], use(1, "c"), "high") is None
    assert usage.spent([HOURLY], use(1, "c"), "medium") == Spent(HOURLY, 2)


def test_each_scope_counts_its_own() -> None:
    usage = Usage([use(0, "a"), use(0, "a", device=7)])
    assert usage.spent([DAILY], use(1, "b", device=7), "none") == Spent(DAILY, 1)
    assert usage.spent([DAILY], use(1, "b", device=8), "none") is None
    assert usage.spent([DAILY, HOURLY], use(1, "b"), "none") is None


def test_a_push_does_not_count_against_itself_but_another_step_does() -> None:
    once = Cap(SUBSCRIBER, 1, 1, "days")
    usage = Usage([use(0, "a")])
    assert usage.spent([once], use(5, "a"), "none") is None
    assert usage.spent([once], use(5, "a", step="second"), "none") == Spent(once, 1)


def test_what_is_put_off_has_its_room() -> None:
    usage = Usage([use(3 * HOUR, "later")])
    once = Cap(SUBSCRIBER, 1, 1, "hours")
    assert usage.spent([once], use(0, "now"), "none") == Spent(once, 1)


def test_the_longest_window_tells_how_far_back_anything_counts() -> None:
    assert (longest([HOURLY, DAILY]), longest([])) == (DAY, 0)


@given(st.lists(st.integers(0, 5 * HOUR), max_size=60).map(sorted), st.integers(1, 5))
def test_no_window_ever_holds_more_than_the_cap(times: list[Millis], most: int) -> None:
    cap = Cap(SUBSCRIBER, most, 1, "hours")
    usage, sent = Usage(), list[Millis]()
    for number, at in enumerate(times):
        one = use(at, f"n{number}")
        if usage.spent([cap], one, "none") is None:
            usage.note(one)
            sent.append(at)
    for start in sent:
        assert sum(1 for at in sent if start <= at < start + HOUR) <= most
    if times:
        assert sent
