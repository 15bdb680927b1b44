"""Verbs of the command line as processes whose output is followed, stopped by pid."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
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
