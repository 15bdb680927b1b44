import re
import shlex
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from verbs import Verb, environ

PHONES = ("ada-iphone", "ada-android")


def once(directory: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "clarion.cli", "demo", "--once"]
    return subprocess.run(
        command, cwd=directory, env=environ(**settings), capture_output=True, text=True, timeout=60
    )


def count(directory: Path, table: str) -> int:
    with closing(sqlite3.connect(directory / "clarion-data/demo/clarion.db")) as connection:
        found: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        return found


def posted(line: str) -> int:
    """Do what a printed cURL line does; the answer's status."""
    words = shlex.split(line)
    assert words[:3] == ["curl", "-X", "POST"]
    if shutil.which("curl"):
        command = [*words, "-s", "-o", "/dev/null", "-w", "%{http_code}"]
        return int(subprocess.run(command, capture_output=True, check=True, timeout=30).stdout)
    headers = dict(words[place + 1].split(": ", 1) for place, word in enumerate(words) if word == "-H")
    return httpx.post(words[3], headers=headers, content=words[words.index("-d") + 1]).status_code


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verb]:
    """A demo that keeps running."""
    with Verb(tmp_path_factory.mktemp("demo"), ["demo"], environ()) as running:
        running.line("Further pushes")
        yield running


def test_both_phones_get_the_push_and_the_second_run_finds_everything_again(tmp_path: Path) -> None:
    key = tmp_path / "clarion-data/demo/api-key"
    keys = []
    for _ in range(2):
        done = once(tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert "\x1b" not in done.stdout
        for phone in PHONES:
            assert re.search(rf"{phone}  Welcome, Ada: It works! .* after the trigger\)\n", done.stdout)
        keys.append(key.read_text())
    assert keys[0] == keys[1]
    assert key.stat().st_mode & 0o777 == 0o600
    assert [count(tmp_path, table) for table in ("integrations", "workflows", "subscribers")] == [1, 1, 1]
    assert count(tmp_path, "devices") == 2


def test_the_key_given_at_the_first_run_is_the_key(tmp_path: Path) -> None:
    assert once(tmp_path, api_key="mine").returncode == 0
    assert (tmp_path / "clarion-data/demo/api-key").read_text() == "mine\n"
    other = once(tmp_path, api_key="another")
    assert other.returncode == 0
    assert "CLARION_API_KEY is ignored" in other.stdout
    assert "another key" in other.stdout
    assert "mine" not in other.stdout


def test_a_real_installation_is_not_touched(tmp_path: Path) -> None:
    done = once(tmp_path, data_dir="data", database_url="sqlite:///real.db", journal_url="nats://127.0.0.1:1")
    assert done.returncode == 0
    assert (tmp_path / "data/demo/clarion.db").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_a_push_that_reaches_no_phone_ends_with_status_1_and_the_reason(tmp_path: Path) -> None:
    """The demo's patience is shortened; nobody listens on a port that was just closed."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    script = "from clarion.cli import demo, main\ndemo._PATIENCE = 0.5\nmain.main(['demo', '--once'])"
    env = environ(provider_urls=f'{{"fcm": "https://127.0.0.1:{port}"}}')
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "No push reached ada-android and ada-iphone within" in done.stdout
    assert f"CLARION_PROVIDER_URLS sends FCM's requests to https://127.0.0.1:{port}" in done.stdout


def test_the_dashboard_is_named_and_there(demo: Verb) -> None:
    address = re.search(r"dashboard +(http\S+);", demo.output)
    assert address
    assert "<title>Clarion" in httpx.get(address[1], headers={"accept": "text/html"}).text


def test_the_printed_curl_line_reaches_both_phones(demo: Verb) -> None:
    assert posted(demo.line("Hello from cURL")) == 201
    for phone in PHONES:
        assert demo.line(f"{phone}  Welcome, Ada: Hello from cURL")


def test_the_printed_python_lines_reach_both_phones(demo: Verb, tmp_path: Path) -> None:
    start = demo.output.index("from novu_py")
    script = demo.output[start : demo.output.index("\n\n", start)]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert demo.line("ada-iphone  Welcome, Ada: Hello from Python")


def test_the_printed_fault_is_overcome(demo: Verb) -> None:
    assert posted(demo.line("Here in the end")) == 201
    assert demo.line("grace-flaky-2  Welcome, Grace: Here in the end")


def test_a_second_demo_in_the_same_place_is_told_in_one_line(demo: Verb) -> None:
    home = Path(re.findall(r"data +(.*)/clarion-data/demo;", demo.output)[0])
    done = once(home)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"clarion: another demo is running in .*: stop it, .*\n", done.stderr)


def test_an_interrupt_ends_it_with_status_0(tmp_path: Path) -> None:
    with Verb(tmp_path, ["demo"], environ()) as demo:
        demo.line("Further pushes")
        assert demo.interrupt() == 0
        assert "Traceback" not in demo.output
        assert demo.line("Stopped. What the demo made stays in ").endswith("/clarion-data/demo")


def test_an_interrupt_before_the_first_push_ends_it_with_status_0(tmp_path: Path) -> None:
    with Verb(tmp_path, ["demo"], environ(provider_urls='{"fcm": "https://127.0.0.1:9"}')) as demo:
        demo.line("A push to Ada's two phones")
        assert demo.interrupt() == 0
        assert "Traceback" not in demo.output
