"""`clarion send` against a running server with stand-ins of the providers."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from clarion.cli.main import main


def send(demo: dict[str, str], *arguments: str) -> Result:
    options = [word for option in demo.items() for word in option]
    return CliRunner().invoke(main, ["send", *arguments, *options])


def integration_of(demo: dict[str, str]) -> str:
    unknown = send(demo, "nobody", "token")
    assert (unknown.exit_code, "there is no integration nobody" in unknown.stderr) == (2, True)
    return unknown.stderr.rsplit(maxsplit=1)[1]


def test_a_push_that_is_accepted(demo: dict[str, str]) -> None:
    done = send(demo, integration_of(demo), "my-phone", "--title", "Hello there", "--json")
    tried = json.loads(done.stdout)
    assert (done.exit_code, tried["outcome"], tried["reply"]["status"]) == (0, "accepted", 200)
    assert "Hello there" in tried["request"]["body"]
    assert "…" in tried["request"]["headers"]["authorization"]


def test_a_push_that_is_not(demo: dict[str, str]) -> None:
    done = send(demo, integration_of(demo), "a-dead-phone")
    assert done.exit_code == 1
    assert done.stdout.startswith("token_dead (UNREGISTERED)")
    assert "< 404" in done.stdout


def test_wrong_words_are_told(demo: dict[str, str], tmp_path: Path) -> None:
    assert "--overrides is not JSON" in send(demo, "x", "y", "--overrides", "{").stderr
    nobody = {"--url": "http://127.0.0.1:9", "--key": "key"}
    assert "start Clarion" in send(nobody, "x", "y").stderr
    wrong = {**demo, "--key": "wrong"}
    assert "answered 401" in send(wrong, "x", "y").stderr
