"""The samples of the README and of the tutorial, run as they stand but for addresses, keys and tokens."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from clarion.testing.kit import EmulatorThread
from running import KEY, ClarionProcess, wait_for
from verbs import Verb, environ

ROOT = Path(__file__).parents[2]
README, TUTORIAL = ROOT / "README.md", ROOT / "docs" / "tutorial.md"
URL = "http://127.0.0.1:3000"

pytestmark = pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("curl")), reason="the samples are for bash and cURL"
)


def blocks(heading: str, language: str, page: Path = README) -> list[str]:
    """The code of a part of a page."""
    part = page.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```", part, re.DOTALL | re.MULTILINE)


def shell(script: str, directory: Path) -> str:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=directory,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def replaced(script: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in script
        script = script.replace(old, new)
    return script


def test_the_trigger_samples_reach_the_demos_phones(tmp_path: Path) -> None:
    (curl,) = blocks("Trigger a push", "bash")
    (python,) = blocks("Trigger a push", "python")
    with Verb(tmp_path, ["demo"], environ()) as demo:
        url = re.findall(r"Clarion listens on ([^\s,]+)", demo.line("Clarion listens on"))[0]
        demo.line("Further pushes")
        program = f"\n{shlex.quote(sys.executable)} -c {shlex.quote(python)}"
        assert '"acknowledged":true' in shell(replaced(curl, (URL, url)) + program, tmp_path)
        assert demo.line("ada-android  Welcome, Ada: Hello from cURL")
        assert demo.line("ada-android  Welcome, Ada: Hello from Python")


def test_the_way_to_a_firebase_project_ends_with_a_push(tmp_path: Path) -> None:
    setup, device, trial = blocks("Use your real Firebase project", "bash")
    (own,) = blocks("Register devices from your app", "bash")
    with EmulatorThread(tmp_path / "emulators") as emulators:
        (tmp_path / "service-account.json").write_text(emulators.service_account())
        clarion = ClarionProcess(tmp_path, emulators).start()
        try:
            script = replaced(
                setup + device + trial + own,
                (URL, clarion.url),
                ("cl_sk_...", KEY),
                (".venv/bin/clarion", "clarion"),
                ("the-token-of-your-app", "phone-1"),
            )
            said = shell(script, tmp_path)
            pushes = wait_for(
                lambda: [*emulators.shown("phone-1")] if len(emulators.shown("phone-1")) == 2 else None, 15
            )
        finally:
            assert clarion.stop() == 0
    assert sorted((push.title, push.body) for push in pushes) == [
        ("Hello Ada", "Hello from my own server"),
        ("Test", "It works"),
    ]
    assert "accepted" in said
    assert '"id":"my-phone"' in said


def test_the_tutorial_ends_with_a_push_on_both_phones(tmp_path: Path) -> None:
    _, place = blocks("Start Clarion", "bash", TUTORIAL)
    virtual = "".join(blocks("Push to a virtual phone", "bash", TUTORIAL))
    integration, device, trigger = blocks("Push to your phone", "bash", TUTORIAL)
    with EmulatorThread(tmp_path / "emulators") as emulators:
        (tmp_path / "service-account.json").write_text(emulators.service_account())
        clarion = ClarionProcess(tmp_path, emulators).start()
        ours = ((URL, clarion.url), ("cl_sk_...", KEY))
        try:
            place = replaced(place, *ours)
            shown = shell(place + replaced(virtual, (".venv/bin/clarion", "clarion")), tmp_path)
            assert '"title":"Order 1042","body":"It is on its way to Porto."' in shown
            device = replaced(device, ("the-token-of-your-app", "phone-1"), (".venv/bin/clarion", "clarion"))
            trigger = replaced(trigger, (".venv/bin/clarion", "clarion"))
            told = shell(place + integration + device + trigger, tmp_path)
            with clarion.client as client:
                (phone,) = client.get("/v1/sandbox").json()["data"]["phones"]
        finally:
            assert clarion.stop() == 0
        pushes = emulators.shown("phone-1")
    assert [push["title"] for push in phone["pushes"]] == ["Order 1043", "Order 1042"]
    assert sorted(push.title for push in pushes) == ["Order 1043", "Test"]
    assert "accepted" in told
