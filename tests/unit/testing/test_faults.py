import pytest

from clarion.testing.exchange import Delay, GoAway, RefuseStream, Reply, Reset
from clarion.testing.faults import Faults, Spelled, Word, spelled

ACCEPTED = Reply(200)
REFUSALS = {word: Reply(599) for word in Word} | {Word.DOWN: Reply(503), Word.FLAKY: Reply(503)}


def answers(token: str, times: int) -> list[object]:
    faults = Faults(REFUSALS)
    return [faults.answer(token, lambda: ACCEPTED) for _ in range(times)]


@pytest.mark.parametrize(
    ("token", "fault"),
    [
        ("dead", Spelled(Word.DEAD, 1)),
        ("phone-dead-1", Spelled(Word.DEAD, 1)),
        ("flaky-2:abc", Spelled(Word.FLAKY, 2)),
        ("FLAKY_3", Spelled(Word.FLAKY, 3)),
        ("phone:Throttled-x", Spelled(Word.THROTTLED, 1)),
        ("slow", Spelled(Word.SLOW, 500)),
        ("slow-20", Spelled(Word.SLOW, 20)),
        ("slow-0", Spelled(Word.SLOW, 0)),
        ("a-down-b-dead", Spelled(Word.DOWN, 1)),
        ("flaky-1234567890", Spelled(Word.FLAKY, 1)),
        ("flaky-٣", Spelled(Word.FLAKY, 1)),
        ("undead", None),
        ("deadly-phone", None),
        ("phone-1", None),
        ("", None),
    ],
)
def test_a_word_counts_only_as_a_whole_part_of_the_token(token: str, fault: Spelled | None) -> None:
    assert spelled(token) == fault


def test_a_limited_fault_ends_after_its_number_of_times() -> None:
    assert answers("flaky-2", 4) == [Reply(503), Reply(503), ACCEPTED, ACCEPTED]


def test_limited_faults_are_counted_for_each_token() -> None:
    faults = Faults(REFUSALS)
    assert [faults.due(token) is None for token in ("reset-a", "reset-b", "reset-a")] == [False, False, True]


def test_a_fault_without_limit_never_ends() -> None:
    assert answers("down", 3) == [Reply(503)] * 3


def test_zero_times_is_never() -> None:
    assert answers("throttled-0", 1) == [ACCEPTED]


def test_connection_faults_are_values() -> None:
    assert answers("reset", 2) == [Reset(), ACCEPTED]
    assert answers("refused", 2) == [RefuseStream(), ACCEPTED]
    assert answers("goaway", 2) == [GoAway(ACCEPTED)] * 2
    assert answers("slow-250", 1) == [Delay(0.25, ACCEPTED)]


def test_clearing_starts_every_token_anew() -> None:
    faults = Faults(REFUSALS)
    faults.due("reset")
    faults.clear()
    assert faults.due("reset") is not None


def test_a_time_to_wait_goes_with_503_only() -> None:
    faults = Faults(REFUSALS, unavailable_retry_after=0)
    assert faults.answer("down", lambda: ACCEPTED) == Reply(503, (("retry-after", "0"),))
    assert faults.answer("dead", lambda: ACCEPTED) == Reply(599)
