import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.deliver.backoff import next_try
from clarion.model.clock import DAY, HOUR, MINUTE, SECOND
from clarion.model.outcome import Outcome, Verdict

NOW = DAY
FAR = 40 * DAY
UNAVAILABLE = Verdict(Outcome.UNAVAILABLE)
FINAL = [item for item in Outcome if not item.retryable and item is not Outcome.CREDENTIALS_REJECTED]


@pytest.mark.parametrize(
    ("attempt", "pause"),
    [(1, SECOND), (2, 2 * SECOND), (3, 4 * SECOND), (9, 256 * SECOND), (10, 5 * MINUTE), (500, 5 * MINUTE)],
)
def test_the_pause_doubles_up_to_five_minutes(attempt: int, pause: int) -> None:
    assert next_try(UNAVAILABLE, attempt, NOW, FAR, 0) == NOW + pause


@pytest.mark.parametrize("outcome", FINAL)
def test_what_can_not_succeed_is_not_tried_again(outcome: Outcome) -> None:
    assert next_try(Verdict(outcome, retry_after=SECOND), 1, NOW, FAR, 0) is None


def test_the_retryable_outcomes_are_these() -> None:
    retryable = {outcome for outcome in Outcome if outcome.retryable}
    assert retryable == {Outcome.THROTTLED, Outcome.UNAVAILABLE, Outcome.UNKNOWN}


def test_refused_credentials_are_tried_again_when_a_person_may_have_acted() -> None:
    assert next_try(Verdict(Outcome.CREDENTIALS_REJECTED), 1, NOW, FAR, 0) == NOW + 30 * SECOND


def test_never_sooner_than_the_provider_asked() -> None:
    asked = Verdict(Outcome.THROTTLED, retry_after=HOUR)
    assert next_try(asked, 1, NOW, FAR, 0) == NOW + HOUR
    assert next_try(Verdict(Outcome.THROTTLED, retry_after=0), 3, NOW, FAR, 0) == NOW + 4 * SECOND


def test_an_undocumented_answer_gets_three_tries() -> None:
    unknown = Verdict(Outcome.UNKNOWN)
    assert [next_try(unknown, attempt, NOW, FAR, 0) is None for attempt in (1, 2, 3)] == [False, False, True]


def test_a_provider_may_want_a_longer_pause_from_the_first_try_on() -> None:
    tries = [next_try(UNAVAILABLE, attempt, NOW, FAR, 0, 10 * SECOND) for attempt in (1, 2, 9)]
    assert tries == [NOW + 10 * SECOND, NOW + 20 * SECOND, NOW + 5 * MINUTE]


def test_a_provider_that_asks_for_a_shorter_pause_gets_it() -> None:
    for asked, pause in ((0, SECOND), (2 * SECOND, 2 * SECOND), (20 * SECOND, 20 * SECOND)):
        verdict = Verdict(Outcome.UNAVAILABLE, retry_after=asked)
        assert next_try(verdict, 1, NOW, FAR, 0, 10 * SECOND) == NOW + pause


def test_no_try_at_or_after_the_end_of_the_window() -> None:
    assert next_try(UNAVAILABLE, 1, NOW, NOW + SECOND, 0) is None
    assert next_try(UNAVAILABLE, 1, NOW, NOW + SECOND + 1, 0) == NOW + SECOND


@given(
    st.integers(1, 100),
    st.floats(0, 1, exclude_max=True),
    st.one_of(st.none(), st.integers(0, DAY)),
    st.integers(NOW, FAR),
)
def test_jitter_adds_up_to_a_quarter_and_nothing_leaves_the_window(
    attempt: int, jitter: float, asked: int | None, expires_at: int
) -> None:
    verdict = Verdict(Outcome.UNAVAILABLE, retry_after=asked)
    still = next_try(verdict, attempt, NOW, FAR, 0)
    moved = next_try(verdict, attempt, NOW, expires_at, jitter)
    assert still is not None
    if moved is None:
        assert expires_at <= NOW + round((still - NOW) * 1.25)
    else:
        assert still <= moved <= NOW + round((still - NOW) * 1.25)
        assert moved < expires_at
