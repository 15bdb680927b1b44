import pytest

from clarion.deliver.breaker import AWAY_IN_A_ROW, REFUSED_IN_A_ROW, SUSPICIOUS, Breaker, Change, State
from clarion.model.clock import MINUTE, SECOND
from clarion.model.outcome import Outcome, Verdict

NOW = 1_000_000
AWAY = Verdict(Outcome.UNAVAILABLE, "http_503", "It is away.")
REFUSED = Verdict(Outcome.CREDENTIALS_REJECTED, "http_401", "It refuses the key.")
DEAD = Verdict(Outcome.TOKEN_DEAD, "BadDeviceToken", "It knows no such token.")
FINE = Verdict(Outcome.ACCEPTED)


def opened(verdict: Verdict = AWAY, times: int = AWAY_IN_A_ROW) -> tuple[Breaker, list[Change]]:
    breaker = Breaker()
    moments = [NOW - SECOND, *[NOW] * (times - 1)]
    changes = [breaker.note(verdict, moment) for moment in moments]
    return breaker, [change for change in changes if change]


def test_it_opens_once_after_failures_in_a_row() -> None:
    breaker, changes = opened()
    assert changes == [Change(State.OPEN, "http_503", "It is away.", NOW)]
    assert not breaker.admits(NOW + 5 * SECOND - 1)


def test_what_fails_at_one_moment_is_no_outage() -> None:
    breaker = Breaker()
    assert all(breaker.note(AWAY, NOW) is None for _ in range(AWAY_IN_A_ROW * 10))
    assert breaker.note(AWAY, NOW + SECOND) is not None


def test_a_probe_of_which_nothing_is_heard_makes_room_for_another() -> None:
    breaker, _ = opened()
    at = NOW + 5 * SECOND
    assert breaker.admits(at)
    breaker.unasked()
    assert breaker.admits(at)


def test_a_set_up_code_keeps_it_paused_after_a_restart() -> None:
    breaker = Breaker(State.PAUSED, NOW)
    assert breaker.admits(NOW + MINUTE)
    assert breaker.note(DEAD, NOW + MINUTE, setup_code=True) is None
    assert breaker.state is State.PAUSED
    assert not breaker.admits(NOW + MINUTE + SECOND)


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker, changes = opened(times=AWAY_IN_A_ROW - 1)
    assert breaker.note(FINE, NOW) is None
    assert changes == []
    assert all(breaker.note(AWAY, NOW) is None for _ in range(AWAY_IN_A_ROW - 1))
    assert breaker.state is State.CLOSED


def test_one_message_at_a_time_is_tried_after_the_rest() -> None:
    breaker, _ = opened()
    at = NOW + 5 * SECOND
    assert [breaker.admits(at) for _ in range(3)] == [True, False, False]
    assert breaker.note(AWAY, at) is None, "it was told already"
    assert not breaker.admits(at + 10 * SECOND - 1)
    assert breaker.admits(at + 10 * SECOND)


def test_what_was_on_its_way_when_it_opened_changes_nothing() -> None:
    breaker, _ = opened()
    for _ in range(100):
        assert breaker.note(AWAY, NOW + SECOND) is None
    assert breaker.admits(NOW + 5 * SECOND)


def test_a_success_closes_it_and_is_told() -> None:
    breaker, _ = opened()
    assert breaker.admits(NOW + 5 * SECOND)
    change = breaker.note(FINE, NOW + 5 * SECOND)
    assert change is not None
    assert (change.state, change.at) == (State.CLOSED, NOW + 5 * SECOND)
    assert breaker.admits(NOW + 5 * SECOND)
    assert breaker.note(FINE, NOW) is None


def test_refused_credentials_pause_it_for_longer() -> None:
    breaker, changes = opened(REFUSED, REFUSED_IN_A_ROW)
    assert changes == [Change(State.PAUSED, "http_401", "It refuses the key.", NOW)]
    assert not breaker.admits(NOW + MINUTE - 1)
    assert breaker.admits(NOW + MINUTE)


def test_a_spike_of_set_up_codes_pauses_it() -> None:
    breaker = Breaker()
    for _ in range(5):
        breaker.note(FINE, NOW)
    changes = [breaker.note(DEAD, NOW, setup_code=True) for _ in range(SUSPICIOUS)]
    assert changes[:-1] == [None] * (SUSPICIOUS - 1)
    assert changes[-1] == Change(State.PAUSED, "BadDeviceToken", "It knows no such token.", NOW)


def test_set_up_codes_among_many_good_answers_are_what_they_say() -> None:
    breaker = Breaker()
    for _ in range(50):
        assert breaker.note(DEAD, NOW, setup_code=True) is None
        assert all(breaker.note(FINE, NOW) is None for _ in range(4))
    assert breaker.state is State.CLOSED


@pytest.mark.parametrize("outcome", [Outcome.THROTTLED, Outcome.UNKNOWN, Outcome.NOT_SENT])
def test_other_answers_say_nothing(outcome: Outcome) -> None:
    breaker, changes = opened(Verdict(outcome), 1000)
    assert (breaker.state, changes) == (State.CLOSED, [])


def test_it_can_begin_paused() -> None:
    breaker = Breaker(State.PAUSED, NOW)
    assert not breaker.admits(NOW + MINUTE - 1)
    assert breaker.admits(NOW + MINUTE)


def test_the_rest_has_an_end() -> None:
    breaker, _ = opened()
    at = NOW
    for _ in range(30):
        at = breaker.next_chance(at)
        assert breaker.admits(at)
        breaker.note(AWAY, at)
    assert breaker.next_chance(at) - at == 10 * MINUTE
