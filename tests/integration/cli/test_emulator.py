import re
import shlex
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from clarion.testing.faults import Word
from verbs import Verb, environ

PUSH = {
    "target": ["phone-1"],
    "title": "Hi",
    "content": "there\x1b[2J",
    "payload": {
        "subscriber": {"subscriberId": "s"},
        "step": {"digest": False, "events": [], "total_count": 0},
    },
}


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Verb]:
    with Verb(tmp_path, ["emulator", "--port", "0"], environ()) as running:
        running.line("Pushes, as they arrive")
        yield running


def exported(emulator: Verb) -> dict[str, str]:
    lines = [line for line in emulator.output.splitlines() if line.startswith("export ")]
    return dict(shlex.split(line)[1].split("=", 1) for line in lines)


def client(emulator: Verb) -> httpx.Client:
    """Trusts the printed authority and nothing else."""
    url = re.findall(r"listen on (\S+)", emulator.output)[0]
    context = ssl.create_default_context(cafile=exported(emulator)["CLARION_CA_FILE"])
    return httpx.Client(base_url=url, verify=context)


def test_it_answers_over_tls_under_its_own_authority_until_interrupted(emulator: Verb) -> None:
    with client(emulator) as http:
        answer = http.get("/_clarion/messages")
        assert (answer.status_code, answer.json()) == (200, [])
    assert emulator.interrupt() == 0
    assert "Traceback" not in emulator.output
    assert "\x1b" not in emulator.output


def test_a_push_is_shown_as_one_harmless_line(emulator: Verb) -> None:
    with client(emulator) as http:
        assert http.post("/webhook", json=PUSH).status_code == 200
    assert emulator.line("phone-1").endswith("  phone-1  Hi: there [2J")


def test_every_fault_word_is_explained(emulator: Verb) -> None:
    words = re.findall(r"^  ([a-z]+) {2,}\S", emulator.output, re.MULTILINE)
    assert words == [word.value for word in Word]


def test_the_service_account_is_for_its_owner_only(emulator: Verb, tmp_path: Path) -> None:
    path = tmp_path / "clarion-data/emulator/service-account.json"
    assert str(path) in emulator.output
    assert path.stat().st_mode & 0o777 == 0o600
    assert '"service_account"' in path.read_text()


def test_a_webhook_must_be_signed_with_the_secret_given(tmp_path: Path) -> None:
    arguments = ["emulator", "--port", "0", "--dir", "here", "--webhook-secret", "s3cret"]
    with Verb(tmp_path, arguments, environ()) as emulator:
        assert emulator.line("push-webhook secretKey").endswith("  s3cret")
        emulator.line("Pushes, as they arrive")
        assert (tmp_path / "here/ca.pem").exists()
        with client(emulator) as http:
            assert http.post("/webhook", json=PUSH).status_code == 401


def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with Verb(tmp_path, ["emulator", "--port", port], environ()) as emulator:
            assert emulator.process.wait(30) == 2
            assert re.fullmatch(rf"clarion: Port {port} on 127.0.0.1 can't .*\n", emulator.output)
