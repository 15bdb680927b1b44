"""What the documentation shows is well formed, and what it names is there."""

import ast
import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from clarion.api.table import ROUTES
from clarion.cli.main import VERBS, main
from clarion.cli.reference import api, commands, metrics, refusals
from clarion.journal import port

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
BLOCKS = [
    pytest.param(language, text, id=f"{page.name}-{number}")
    for page in PAGES
    for number, (language, text) in enumerate(BLOCK.findall(page.read_text()))
]
NAMED = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/v\d(?:\{[^}]*\}|[^\s`|,])*)")
_PLACE = re.compile(r"\{\w+\}")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#([^)\s]+))?\)")


@pytest.mark.parametrize(("language", "text"), BLOCKS)
def test_a_block_of_code_is_well_formed(language: str, text: str) -> None:
    match language:
        case "python":
            compile(text, "documentation", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        case "json":
            json.loads(text)
        case "yaml":
            assert yaml.safe_load(text)
        case "toml":
            assert tomllib.loads(text)
        case "bash":
            done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True)
            assert (done.returncode, done.stderr) == (0, "")
        case _:
            assert language in ("typescript", "text")  # tests/wire compiles the former


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_shown_is_one_with_the_options_it_shows(page: Path) -> None:
    for language, text in BLOCK.findall(page.read_text()):
        if language != "bash":
            continue
        for line in text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True, posix=True) if line.count("'") % 2 == 0 else []
            if words and words[0].rpartition("/")[2] == "clarion":
                _check_command(words[1:], line)


def _check_command(words: list[str], line: str) -> None:
    context = click.Context(main)
    command: click.Command | None = main
    rest = words
    while isinstance(command, click.Group) and rest:
        inner = command.get_command(context, rest[0])
        assert inner is not None, line
        command, rest = inner, rest[1:]
    assert command is not None
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    used = {word.partition("=")[0] for word in rest if word.startswith("--")}
    assert used <= known | {"--help"}, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_call_shown_is_one_of_the_api(page: Path) -> None:
    for method, path in [*_curled(page.read_text()), *NAMED.findall(page.read_text())]:
        assert _is_routed(method, path), f"{method} {path}"


def test_a_call_that_is_none_would_be_found() -> None:
    text = (
        'curl "$URL/v1/nowhere" \\\n  -H "A: B"\ncat x |\n'
        '  curl -X PUT "$URL/v1/messages?page=1"\ncurl $URL/v2/topics -d 1'
    )
    shown = [("GET", "/v1/nowhere"), ("PUT", "/v1/messages?page=1"), ("POST", "/v2/topics")]
    assert list(_curled(text)) == shown
    assert [_is_routed(*call) for call in shown] == [False, False, True]
    assert _is_routed("GET", "/v1/webhooks/{endpointId}")
    assert _is_routed("GET", "/v1/subscribers/$ID/devices")


def _curled(text: str) -> Iterator[tuple[str, str]]:
    """The method and the path of each call by cURL."""
    for call in re.findall(r"\bcurl ((?:[^\n`]|\\\n)*)", text):
        path = re.search(r"\$URL(/v\d[^\s\"'`]*)", call)
        method = re.search(r"(?:-X|--request)[ =]?([A-Z]+)", call)
        sends = re.search(r"\s(?:-d|-F|--data\S*|--form)\b", call)
        if path:
            yield method[1] if method else "POST" if sends else "GET", path[1]


def _is_routed(method: str, path: str) -> bool:
    bare = path.partition("?")[0].rstrip(".,;:")
    return any(
        route.method == method and re.fullmatch(_PLACE.sub("[^/]+", route.path), bare) for route in ROUTES
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_within_the_repository_leads_somewhere(page: Path) -> None:
    for target, _ in LINK.findall(page.read_text()):
        if target.startswith(("http:", "https:", "mailto:", "reference/")):
            continue
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_test_named_as_proof_is_there(page: Path) -> None:
    for named in re.findall(r"tests/[a-z_/]+\.py", page.read_text()):
        assert (ROOT / named).is_file(), named


def test_the_architecture_names_every_kind_of_lane() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"`([a-z-]+:)`", text))
    assert named == {value for name, value in vars(port).items() if name.endswith("_PREFIX")}


def test_the_reference_has_every_route_verb_error_and_figure() -> None:
    text = api()
    for route in ROUTES:
        assert f"`{route.method} {route.path}`" in text
    assert all(f"## clarion {verb}" in commands() for verb in VERBS)
    assert "| 404 | `NotFound` |" in refusals()
    assert "| `egress_refused` |" in refusals()
    assert "| `clarion_messages_total` | counter | provider, status |" in metrics()
    assert "| `clarion_journal_due` | gauge | lane |" in metrics()
