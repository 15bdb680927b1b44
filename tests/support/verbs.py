"""Verbs of the command line as processes whose output is followed, stopped by pid."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from running import wait_for


def environ(**settings: str) -> dict[str, str]:
    """This process's environment with other settings of Clarion; a free port unless told."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CLARION_")}
    given = {f"CLARION_{name.upper()}": value for name, value in settings.items()}
    return {**inherited, "CLARION_PORT": "0", **given}


class Verb:
    """`clarion <arguments>` in a directory, killed at the end of the block if it still runs."""

    def __init__(self, directory: Path, arguments: Sequence[str], env: Mapping[str, str]) -> None:
        self._file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", "clarion.cli", *arguments],
            cwd=directory,
            env=env,
            stdout=self._file,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait(30)
        self._file.close()

    @property
    def output(self) -> str:
        """Everything it wrote so far."""
        return os.pread(self._file.fileno(), 1 << 20, 0).decode()

    def line(self, part: str, seconds: float = 60) -> str:
        """The first whole line that holds `part`, once there is one."""

        def look() -> str | None:
            found = [line for line in self.output.splitlines(keepends=True) if part in line]
            if found and found[0].endswith("\n"):
                return found[0].rstrip("\n")
            assert self.process.poll() is None, self.output
            return None

        return wait_for(look, seconds)

    def interrupt(self) -> int:
        """Ctrl-C; the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


class Terminal:
    """`clarion <arguments>` with a terminal, whose questions are answered; killed at the end of the block."""

    def __init__(self, directory: Path, arguments: Sequence[str], env: Mapping[str, str]) -> None:
        self._here, there = os.openpty()
        os.set_blocking(self._here, False)
        command = [sys.executable, "-m", "clarion.cli", *arguments]
        self.process = subprocess.Popen(
            command,
            cwd=directory,
            env=env,
            stdin=there,
            stdout=there,
            stderr=there,
            start_new_session=True,
        )
        os.close(there)
        self.shown = ""
        self._answered = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait(30)
        os.close(self._here)

    def answer(self, question: str, text: str) -> None:
        """Type a line once the question is shown behind the last one answered."""

        def asked() -> bool | None:
            return self._read()[self._answered :].endswith(f"{question}: ") or None

        wait_for(asked, 30)
        self._answered = len(self.shown)
        os.write(self._here, text.encode() + b"\n")

    def end(self) -> int:
        """The exit status."""

        def ended() -> int | None:
            self._read()
            return self.process.poll()

        return wait_for(ended, 60)

    def _read(self) -> str:
        """All that was shown so far. The system has an error for a terminal that nobody holds any more."""
        with suppress(OSError):
            while part := os.read(self._here, 65536):
                self.shown += part.decode()
        return self.shown
