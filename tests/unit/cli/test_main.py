import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from clarion import __version__
from clarion.cli import main as module
from clarion.cli.main import VERBS, main
from clarion.errors import ClarionError, SettingsError

HEAVY = ("sqlalchemy", "alembic", "pydantic", "starlette", "uvicorn", "aiohttp", "structlog", "cryptography")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory without a clarion.toml."""
    monkeypatch.chdir(tmp_path)


def clarion(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(main, arguments, env=environ, prog_name="clarion")


def test_help_lists_every_verb_with_its_line() -> None:
    shown = clarion("--help")
    assert shown.exit_code == 0
    for verb, line in VERBS.items():
        assert any(row.split() == [verb, *line.split()] for row in shown.stdout.splitlines()), verb


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom clarion.cli.main import main\n"
        "main(['--help'], standalone_mode=False)\n"
        f"sys.exit(','.join(name for name in {HEAVY!r} if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "serve" in done.stdout


@pytest.mark.parametrize("verb", ["settings", "migrate"])
def test_a_verb_says_of_itself_what_the_list_says(verb: str) -> None:
    command = main.get_command(click.Context(main), verb)
    assert command is not None
    assert command.get_short_help_str(limit=200) == VERBS[verb]
    assert clarion(verb, "--help").exit_code == 0


def test_the_version_is_printed() -> None:
    assert clarion("--version").stdout == f"clarion {__version__}\n"


def test_a_verb_that_is_not_there_is_refused() -> None:
    shown = clarion("fly")
    assert shown.exit_code == 2
    assert "No such command 'fly'" in shown.stderr


@pytest.mark.parametrize("error", [SettingsError("the port\nis taken"), ClarionError("the port is taken")])
def test_an_error_of_ours_is_one_line_on_stderr(error: ClarionError, monkeypatch: pytest.MonkeyPatch) -> None:
    stopping(monkeypatch, error)
    shown = clarion("serve")
    assert shown.exit_code == 2
    assert shown.stdout == ""
    assert shown.stderr == "clarion: the port is taken\n"


def test_an_error_that_is_not_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    stopping(monkeypatch, RuntimeError("a bug"))
    assert isinstance(clarion("serve").exception, RuntimeError)


def stopping(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Make every verb one that ends with `error`."""

    @click.command()
    def command() -> None:
        raise error

    verb = type("Verb", (), {"command": command})
    monkeypatch.setattr(module, "import_module", lambda name: verb)


def test_settings_are_printed_with_value_source_default_and_reason() -> None:
    shown = clarion("settings", CLARION_PORT="4000")
    assert shown.exit_code == 0
    assert "CLARION_PORT = 4000  (from environment; default: 3000)\n    Port the API listens" in shown.stdout
    assert "CLARION_HOST = 127.0.0.1  (the default)" in shown.stdout


def test_settings_are_printed_for_programs() -> None:
    shown = clarion("settings", "--json", CLARION_API_KEY="hunter2")
    rows = {row["name"]: row for row in json.loads(shown.stdout)}
    assert rows["CLARION_PORT"]["value"] == "3000"
    assert rows["CLARION_API_KEY"] | {"reason": "", "accepts": ""} == {
        "name": "CLARION_API_KEY",
        "value": "(set, not shown)",
        "default": "generated, shown once",
        "source": "environment",
        "reason": "",
        "accepts": "",
    }
    assert "hunter2" not in shown.stdout


def test_a_wrong_setting_stops_with_one_line() -> None:
    shown = clarion("settings", CLARION_PORT="abc")
    assert shown.exit_code == 2
    assert shown.stderr == "clarion: CLARION_PORT is 'abc': must be a whole number between 0 and 65535\n"


def test_the_page_of_the_settings_needs_no_right_settings() -> None:
    assert "| `CLARION_PORT` | 3000 |" in clarion("settings", "--markdown", CLARION_PORT="abc").stdout


def test_providers_are_listed_for_people_and_for_programs() -> None:
    shown = clarion("providers")
    assert shown.exit_code == 0
    assert "one-signal" in shown.stdout
    listed = json.loads(clarion("providers", "--json").stdout)
    assert {"fcm", "apns", "web-push"} <= {item["id"] for item in listed}
