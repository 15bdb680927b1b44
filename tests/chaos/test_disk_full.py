"""The embedded database's disk fills up under load: a clear 503, nothing half-written, then on it goes."""

import contextlib
import errno
import resource
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from checker import Checker, ending, prepare, seed_of
from clarion.model.clock import system_clock
from clarion.testing.fcm import FcmEmulator
from clarion.testing.kit import EmulatorThread
from running import KEY, ClarionProcess, wait_for

PEOPLE = 300
REFUSALS = 30
"""To be seen before space returns."""

_TMPFS_BYTES = 48 * 1024 * 1024
_BLOCK = 4096


class Disk(Protocol):
    """Where a process keeps its database; it can be filled and freed while the process runs."""

    directory: Path

    def fill(self, process: "Limited") -> None: ...

    def free(self, process: "Limited") -> None: ...


class Limited(ClarionProcess):
    """A process whose files can be forbidden to grow."""

    def limit_files(self, size: int) -> None:
        """The system refuses what goes beyond, as a quota does (SQLite: an I/O error)."""
        assert self._process is not None
        _, hard = resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (size, hard))

    def largest_file(self) -> int:
        """Bytes of the largest file it keeps."""
        return max(path.stat().st_size for path in self.data_dir.iterdir())


class Quota:
    """The process's files may not grow: works everywhere, and fails writes with an I/O error."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def fill(self, process: Limited) -> None:
        process.limit_files(process.largest_file())

    def free(self, process: Limited) -> None:
        process.limit_files(resource.RLIM_INFINITY)


class Tmpfs:
    """A small file system of the test's own, filled with a file: fails writes as a full disk does."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._ballast = directory / "ballast"

    def fill(self, process: Limited) -> None:
        with self._ballast.open("ab", buffering=0) as file:
            try:
                while file.write(b"\0" * _BLOCK):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def free(self, process: Limited) -> None:
        self._ballast.unlink()


@contextlib.contextmanager
def mounted(directory: Path) -> Iterator[None]:
    """Mounted while the block lasts. A right that is missing is no dependency that is missing, so the test is
    skipped even where CLARION_TEST_REQUIRE=all; the quota stands in for it everywhere."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={_TMPFS_BYTES}", "tmpfs", str(directory)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no right to mount a tmpfs here ({error}): run as root; the quota was tried instead")
    try:
        yield
    finally:
        subprocess.run(["umount", str(directory)], check=True)


@pytest.fixture(params=["quota", "tmpfs"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """A disk that can be filled."""
    if request.param == "quota":
        yield Quota(tmp_path)
        return
    directory = tmp_path / "small"
    directory.mkdir()
    with mounted(directory):
        yield Tmpfs(directory)


def in_file(path: Path, query: str) -> list[tuple[str, ...]]:
    """What a query finds in the database."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def in_journal(path: Path) -> list[tuple[str, ...]]:
    """What is still to be done. A batch that could be neither settled nor put back waits for its lease to run
    out, also when all its outcomes are written."""
    return in_file(path, "SELECT lane, error FROM journal")


def test_a_full_disk_refuses_clearly_and_works_again_when_there_is_space(
    tmp_path: Path, disk: Disk, capsys: pytest.CaptureFixture[str]
) -> None:
    devices = {f"person-{n}": f"fine-{n}" for n in range(PEOPLE)}
    fcm = FcmEmulator()
    with capsys.disabled(), EmulatorThread(tmp_path, fcm=fcm) as emulators:
        seed = seed_of(tmp_path.name)
        process = Limited(tmp_path, emulators, data_dir=str(disk.directory / "data"))
        process.data_dir = disk.directory / "data"
        with ending(process):
            process.start()
            prepare(process, emulators, devices)
            with Checker([process], fcm, devices, seed=seed, ahead=PEOPLE // 2) as checker:
                time.sleep(0.5)
                disk.fill(process)
                wait_for(lambda: True if len(checker.refusals) >= REFUSALS else None, 30)
                disk.free(process)
                moment = system_clock()
                checker.back(moment)
                back = checker.acknowledged_after(moment, 15)
                time.sleep(0.5)
            checker.wait_until_arrived(30)
            ledger = process.settled()
            figures = checker.figures()
            checker.say(figures, tmp_path.name)
            print(f"{len(checker.refusals)} times 503; 201 again {back} ms after there was space")
            file = process.data_dir / "clarion.db"
            wait_for(lambda: True if in_journal(file) == [] else None, 15)
            assert process.stop() == 0
            assert "Traceback" not in process.log
            assert KEY not in process.log
    assert in_file(file, "PRAGMA integrity_check") == [("ok",)]
    assert in_journal(file) == []
    assert figures.lost == set()
    assert figures.unasked == set()
    assert figures.double_shown == 0
    assert figures.arrived == figures.accepted
    assert ledger.planned == ledger.delivered == figures.arrived
    assert checker.unanswered == 0
    for refusal in checker.refusals:
        assert refusal.status == 503
        assert refusal.retry_after
        assert refusal.body.keys() == {"statusCode", "timestamp", "path", "message"}
        assert "full" in refusal.message
