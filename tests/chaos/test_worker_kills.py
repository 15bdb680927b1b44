"""Workers and API processes are killed at random moments: nothing acknowledged is missing."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from checker import Checker, Figures, ending, prepare, seed_of
from clarion.testing.fcm import FcmEmulator
from clarion.testing.kit import EmulatorThread
from postgres import PostgresServer
from running import KEY, ClarionProcess

ONE_OF_EACH = {"api-1": "api", "worker-1": "worker"}
TWO_OF_EACH = {"api-1": "api", "api-2": "api", "worker-1": "worker", "worker-2": "worker"}

ANSWER = 100
"""Milliseconds until a device answers: every kill finds requests in flight, and the machine is no limit."""


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """The footing to run on."""
    if request.param == "sqlite":
        return {}
    server: PostgresServer = request.getfixturevalue("postgres")
    return {"database_url": server.make()}


def run(
    directory: Path,
    settings: Mapping[str, str],
    people: int,
    pause: float,
    enough: Callable[[Checker, int], bool],
) -> tuple[Checker, Figures]:
    """Trigger and kill until it is enough, wait for the rest and look at the books."""
    seed = seed_of(directory.name)
    devices = {f"person-{n}": f"slow-{ANSWER}-{n}" for n in range(people)}
    fcm = FcmEmulator()
    with EmulatorThread(directory, fcm=fcm) as emulators:
        verbs = TWO_OF_EACH if settings else ONE_OF_EACH
        processes = {name: ClarionProcess(directory, emulators, name=name, **settings) for name in verbs}
        killable = [(processes[name], verb) for name, verb in verbs.items()]
        apis = [process for process, verb in killable if verb == "api"]
        with ending(*processes.values()):
            with ThreadPoolExecutor() as together:
                list(together.map(lambda one: one[0].start(one[1]), killable))
            prepare(apis[0], emulators, devices)
            with Checker(apis, fcm, devices, seed=seed, ahead=people // 2) as checker:
                checker.kill_again_and_again(killable, lambda kills: enough(checker, kills), pause)
            checker.wait_until_arrived(60)
            ledger = apis[0].settled()
            figures = checker.figures()
            checker.say(figures, directory.name)
            for process in processes.values():
                assert process.stop() == 0
                assert "Traceback" not in process.log
                assert KEY not in process.log
    assert ledger.planned == ledger.delivered == figures.arrived
    assert figures.lost == set()
    assert figures.unasked == set()
    assert figures.double_shown == 0
    assert figures.stray == 0
    return checker, figures


def test_nothing_acknowledged_is_lost_over_three_kills(
    tmp_path: Path, settings: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        checker, figures = run(
            tmp_path, settings, 1000, 0.3, lambda checker, kills: kills >= 3 and checker.recipients >= 2000
        )
    assert figures.accepted >= 2000
    assert figures.recovery < 60_000  # most of it is the start of a process, which a busy machine draws out
    assert {refusal.status for refusal in checker.refusals} <= {503}


@pytest.mark.soak
def test_nothing_acknowledged_is_lost_over_fifty_kills_and_100_000_recipients(
    tmp_path: Path, settings: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        checker, figures = run(
            tmp_path,
            settings,
            2000,
            0.6,
            lambda checker, kills: kills >= 50 and checker.recipients >= 100_000,
        )
    assert figures.accepted >= 100_000
    assert figures.recovery < 5_000
    assert checker.refusals == []
    assert max(figures.slack) <= 0
