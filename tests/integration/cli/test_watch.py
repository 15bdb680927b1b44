"""`clarion watch` beside a Clarion that delivers to emulators."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from clarion.testing.kit import EmulatorThread
from news import connect_fcm, make_news
from running import KEY, ClarionProcess, wait_for
from verbs import Verb, environ

PEOPLE = 300
LINE = re.compile(
    r"\d\d:\d\d:\d\d  (?P<state>[a-z]+)  addressed (?P<addressed>[\d,]+)/[\d,]+"
    r"  delivered (?P<delivered>[\d,]+)  failed \d+  skipped \d+  in flight [\d,]+"
)


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorThread]:
    with EmulatorThread(tmp_path_factory.mktemp("emulators")) as running:
        yield running


@pytest.fixture(scope="module")
def clarion(tmp_path_factory: pytest.TempPathFactory, emulators: EmulatorThread) -> Iterator[ClarionProcess]:
    """Delivers one message at a time, each 20 ms long, so that a broadcast takes six seconds."""
    directory = tmp_path_factory.mktemp("clarion")
    process = ClarionProcess(directory, emulators, delivery_concurrency="1").start()
    with process.client as client:
        prepare(client, emulators)
    yield process
    assert process.stop() == 0
    assert "Traceback" not in process.log


def prepare(client: httpx.Client, emulators: EmulatorThread) -> None:
    connect_fcm(client, emulators)
    make_news(client)
    people = [
        {
            "subscriberId": f"person-{n}",
            "channels": [{"providerId": "fcm", "credentials": {"deviceTokens": [f"slow-20-{n}"]}}],
        }
        for n in range(PEOPLE)
    ]
    client.post("/v1/subscribers/bulk", json={"subscribers": people}).raise_for_status()


def broadcast(client: httpx.Client, name: str) -> None:
    """Begun, and paused: it goes on when it is watched, however long that takes."""
    body = {"name": "news", "transactionId": name, "payload": {"text": "extra"}}
    client.post("/v1/events/trigger/broadcast", json=body).raise_for_status()
    wait_for(lambda: True if client.post(f"/v1/transactions/{name}/pause").is_success else None, 10)


def resume(process: ClarionProcess, name: str) -> None:
    with process.client as client:
        client.post(f"/v1/transactions/{name}/resume").raise_for_status()


def watch(tmp_path: Path, process: ClarionProcess, *arguments: str) -> Verb:
    return Verb(tmp_path, ["watch", *arguments, "--url", process.url], environ(api_key=KEY))


def states(output: str) -> list[str]:
    """The state in each line; every line is one of progress."""
    found: Sequence[re.Match[str] | None] = [LINE.match(text) for text in output.splitlines()]
    assert all(found), output
    return [match["state"] for match in found if match]


def test_a_broadcast_is_followed_to_its_end(tmp_path: Path, clarion: ClarionProcess) -> None:
    with clarion.client as client:
        broadcast(client, "first")
    with watch(tmp_path, clarion, "first") as verb:
        verb.line("  paused  ")
        resume(clarion, "first")
        assert verb.process.wait(60) == 0
        seen = states(verb.output)
        assert seen[-1] == "completed"
        assert 1 <= len(seen) <= 60
        assert f"addressed {PEOPLE}/{PEOPLE}  delivered {PEOPLE}" in verb.output.splitlines()[-1]
        assert re.search(r"delivering .* [\d,]+/s  \d+ s left, until \d\d:\d\d:\d\d", verb.output)


def test_what_is_not_known_is_told_in_one_line(tmp_path: Path, clarion: ClarionProcess) -> None:
    with watch(tmp_path, clarion, "nobody's/../1") as verb:
        assert verb.process.wait(30) == 2
        assert verb.output.startswith(
            f"clarion: transaction nobody's/../1 is not known at {clarion.url}: check"
        )
        assert verb.output.count("\n") == 1


def test_a_wrong_key_is_told_at_once(tmp_path: Path, clarion: ClarionProcess) -> None:
    with watch(tmp_path, clarion, "first", "--key", "cl_sk_wrong") as verb:
        assert verb.process.wait(30) == 2
        assert re.fullmatch(rf"clarion: {clarion.url} answered 401: .+\n", verb.output)


def test_a_restart_of_the_api_is_outlasted(tmp_path: Path, emulators: EmulatorThread) -> None:
    process = ClarionProcess(tmp_path, emulators, delivery_concurrency="1").start()
    with process.client as client:
        prepare(client, emulators)
        broadcast(client, "third")
    port = process.url.rpartition(":")[2]
    again = ClarionProcess(tmp_path, emulators, delivery_concurrency="1", port=port)
    with watch(tmp_path, process, "third") as verb:
        verb.line("  paused  ")
        resume(process, "third")
        verb.line("  delivering  ")
        process.kill()
        again.start()
        assert verb.process.wait(60) == 0
        assert states(verb.output)[-1] == "completed"
    assert again.stop() == 0


@pytest.mark.parametrize(
    ("settings", "arguments", "complaint"),
    [
        (
            {"api_key": KEY},
            ["--url", "http://127.0.0.1:9"],
            "clarion: http://127.0.0.1:9 can't be reached (",
        ),
        ({"api_key": KEY}, ["--url", "no address"], "clarion: no address can't be reached ("),
        (
            {"api_key": KEY},
            [],
            "clarion: CLARION_PORT is 0, so the API took any free port: say which with --url",
        ),
        ({}, ["--url", "http://127.0.0.1:9"], "clarion: there is no key to ask with: set CLARION_API_KEY"),
    ],
    ids=["nobody listens", "no url", "any port", "no key"],
)
def test_what_is_missing_is_told_in_one_line(
    tmp_path: Path, settings: dict[str, str], arguments: list[str], complaint: str
) -> None:
    with Verb(tmp_path, ["watch", "first", *arguments], environ(**settings)) as verb:
        assert verb.process.wait(30) == 2
        assert verb.output.startswith(complaint)
        assert verb.output.count("\n") == 1


def test_it_pauses_resumes_and_cancels(tmp_path: Path, clarion: ClarionProcess) -> None:
    """On a trigger that takes forty seconds if it is let."""
    with clarion.client as client:
        body = {"name": "news", "transactionId": "second", "to": [slow(n) for n in range(100)]}
        client.post("/v1/events/trigger", json=body | {"payload": {"text": "x"}}).raise_for_status()
        with watch(tmp_path, clarion, "second", "--pause") as verb:
            verb.line("  paused  ")
            assert verb.interrupt() == 130
            assert "Traceback" not in verb.output
        answer = client.get("/v1/transactions/second").json()["data"]
        assert (answer["state"], answer["delivered"] < 100) == ("paused", True)
        with watch(tmp_path, clarion, "second", "--resume") as verb:
            verb.line("  delivering  ")
        with watch(tmp_path, clarion, "second", "--cancel") as verb:
            assert verb.process.wait(30) == 1
            assert states(verb.output)[-1] == "cancelled"
        with watch(tmp_path, clarion, "second", "--cancel") as verb:
            assert verb.process.wait(30) == 1
            assert verb.output.startswith("Nothing of it was left to cancel.\n")


def slow(number: int) -> dict[str, object]:
    """A person whose phone takes 400 ms."""
    channel = {"providerId": "fcm", "credentials": {"deviceTokens": [f"slow-400-{number}"]}}
    return {"subscriberId": f"slow-{number}", "channels": [channel]}
