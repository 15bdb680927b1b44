"""A provider that is down, slow, throttling, resetting or going away: everything arrives, shown once."""

import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from checker import Checker, ending, prepare, seed_of
from clarion.model.clock import system_clock
from clarion.testing.fcm import FcmEmulator
from clarion.testing.kit import EmulatorThread
from running import KEY, ClarionProcess

PEOPLE = 100
AWAY = 2.0
"""Seconds the provider is away at a time."""

ALL = ("fine", "slow-300", "throttled-1", "flaky-1", "html-1", "refused-1", "reset-1", "goaway")


def devices_like(*words: str) -> dict[str, str]:
    """People whose devices ask for these faults in turn."""
    return {f"person-{n}": f"{words[n % len(words)]}-{n}" for n in range(PEOPLE)}


def check(checker: Checker, process: ClarionProcess, what: str) -> None:
    """Everything arrived, what was repeated is shown once, and the books say so."""
    checker.wait_until_arrived(60)
    ledger = process.settled()
    figures = checker.figures()
    checker.say(figures, what)
    assert figures.lost == set()
    assert figures.unasked == set()
    assert figures.double_shown == 0
    assert ledger.planned == ledger.delivered == figures.arrived == figures.accepted
    assert (checker.refusals, checker.unanswered) == ([], 0)
    assert process.stop() == 0
    assert "Traceback" not in process.log
    assert KEY not in process.log


@pytest.mark.parametrize(
    "words",
    [("slow-300",), ("throttled-2",), ("goaway",), ALL],
    ids=["slow", "throttling", "going-away", "everything"],
)
def test_what_a_troubled_provider_takes_is_shown_once(
    tmp_path: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    devices, fcm = devices_like(*words), FcmEmulator(unavailable_retry_after=1)
    with capsys.disabled(), EmulatorThread(tmp_path, fcm=fcm) as emulators:
        process = ClarionProcess(tmp_path, emulators)
        with ending(process):
            process.start()
            prepare(process, emulators, devices)
            seed = seed_of(tmp_path.name)
            with Checker([process], fcm, devices, seed=seed, pause=0.02, ahead=PEOPLE // 2) as checker:
                time.sleep(1.5)
            check(checker, process, "+".join(words))


def test_what_was_accepted_while_the_provider_was_down_arrives_when_it_is_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    devices, fcm = devices_like("fine"), FcmEmulator()
    with capsys.disabled(), ExitStack() as provider:
        emulators = provider.enter_context(EmulatorThread(tmp_path, fcm=fcm))
        port = urlsplit(emulators.url).port
        assert port is not None
        process = ClarionProcess(tmp_path, emulators)
        with ending(process):
            process.start()
            prepare(process, emulators, devices)
            seed = seed_of(tmp_path.name)
            with Checker([process], fcm, devices, seed=seed, pause=0.02, ahead=PEOPLE // 2) as checker:
                for _ in range(2):
                    time.sleep(0.5)
                    provider.close()
                    time.sleep(AWAY)
                    provider.enter_context(EmulatorThread(tmp_path, port, fcm=fcm))
                    checker.back(system_clock())
                time.sleep(0.5)
            check(checker, process, "down")
            assert checker.figures().recovery < 15_000
