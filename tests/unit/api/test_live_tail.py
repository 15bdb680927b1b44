from hypothesis import given
from hypothesis import strategies as st

from clarion.api.live_tail import PATIENCE, Tail


def test_what_was_seen_is_not_seen_again() -> None:
    tail = Tail(3)
    assert tail.unseen([3, 4, 5], 0) == {4, 5}
    assert (tail.floor, tail.unseen([4, 5], 0)) == (5, set())


def test_a_number_that_was_passed_over_is_waited_for_and_found() -> None:
    tail = Tail(0)
    assert tail.unseen([1, 3, 4], 0) == {1, 3, 4}
    assert tail.floor == 1
    assert tail.unseen([2, 3, 4], PATIENCE - 1) == {2}
    assert tail.floor == 4


def test_a_number_that_never_comes_is_given_up() -> None:
    tail = Tail(0)
    tail.unseen([2, 3], 0)
    tail.unseen([2, 3, 5], PATIENCE - 1)
    assert tail.floor == 0
    assert tail.unseen([2, 3, 5], PATIENCE) == set()
    assert tail.floor == 3


@given(st.permutations(range(1, 30)), st.integers(1, 10))
def test_whatever_the_order_each_is_seen_once(order: list[int], step: int) -> None:
    tail, committed, seen = Tail(0), set[int](), list[int]()
    for start in range(0, len(order), step):
        committed |= set(order[start : start + step])
        seen += tail.unseen(sorted(number for number in committed if number > tail.floor), start)
    assert sorted(seen) == sorted(order)
    assert tail.floor == 29
