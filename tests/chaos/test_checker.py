"""The checker itself: it finds what it is there to find."""

from checker import CONCURRENCY, Checker, Kill
from clarion.model.clock import Millis
from clarion.testing.fcm import AcceptedMessage, FcmEmulator

KILLED: Millis = 10_000


def arrival(number: int, at: Millis, collapse: str | None = "m1") -> AcceptedMessage:
    """The message of that number at phone."""
    android = {"collapse_key": collapse, "notification": {"tag": collapse}} if collapse else {}
    message = {"notification": {"title": "Hello", "body": str(number)}, "android": android}
    return AcceptedMessage("phone", message, at, "name")


def checker_of(*arrivals: AcceptedMessage, acknowledged: int = 1) -> Checker:
    """A checker that had the first numbers acknowledged and saw one worker killed."""
    fcm = FcmEmulator()
    for message in arrivals:
        fcm.record.add(message)
    checker = Checker([], fcm, {"person": "phone"})
    checker._acknowledged = {(str(number), "phone") for number in range(1, acknowledged + 1)}
    checker._kills = [Kill(KILLED, True)]
    return checker


def test_what_was_acknowledged_and_never_came_is_lost() -> None:
    figures = checker_of(arrival(1, 1), acknowledged=2).figures()
    assert figures.lost == {("2", "phone")}
    assert (figures.accepted, figures.arrived, figures.unasked) == (2, 1, set())


def test_what_nobody_asked_for_is_found() -> None:
    assert checker_of(arrival(1, 1), arrival(7, 1)).figures().unasked == {("7", "phone")}


def test_a_repeat_under_the_same_id_is_no_second_notification() -> None:
    figures = checker_of(arrival(1, KILLED - 5), arrival(1, KILLED + 900)).figures()
    assert (figures.repeated, figures.double_shown, figures.stray) == (1, 0, 0)
    assert figures.slack == [1 - CONCURRENCY]
    assert figures.recoveries == [900]


def test_a_repeat_under_another_id_or_none_is_shown_twice() -> None:
    for first, second in (("m1", "m2"), (None, None), ("m1", None)):
        arrivals = arrival(1, KILLED - 5, first), arrival(1, KILLED + 900, second)
        assert checker_of(*arrivals).figures().double_shown == 1


def test_a_repeat_without_a_kill_between_is_stray() -> None:
    before, after = (arrival(1, 1), arrival(1, 2)), (arrival(1, KILLED + 500), arrival(1, KILLED + 501))
    assert checker_of(*before).figures().stray == 1
    assert checker_of(*after).figures().stray == 1


def test_what_a_dead_process_had_sent_is_no_recovery() -> None:
    assert checker_of(arrival(1, KILLED + 50), arrival(1, KILLED + 2000)).figures().recoveries == [2000]


def test_sends_of_twenty_milliseconds_may_be_repeated_too() -> None:
    second = [arrival(number, KILLED - 1000 + number) for number in range(1000)]
    assert checker_of(*second).figures().slack == [-CONCURRENCY - 20]
