"""`clarion listen` beside a Clarion that delivers, with a receiver that verifies what comes."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from clarion.cli.main import main
from clarion.testing.kit import EmulatorThread
from hooks import HookServer
from news import connect_fcm
from running import KEY, ClarionProcess, wait_for
from verbs import Verb, environ

PEOPLE = 45
"""More than the feed for eyes tells of one commit."""

LINE = re.compile(r"\d\d:\d\d:\d\d  (?P<type>[a-z.]+)  (?P<id>evt_[0-9a-f]{32})  (?P<answer>\w+)  \d+ ms")


@pytest.fixture
def hooks() -> Iterator[HookServer]:
    with HookServer().running() as server:
        yield server


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorThread]:
    with EmulatorThread(tmp_path_factory.mktemp("emulators")) as running:
        yield running


@pytest.fixture
def clarion(tmp_path: Path, emulators: EmulatorThread) -> Iterator[ClarionProcess]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    more = {"port": str(port), "egress_allow": "127.0.0.0/8", "webhook_http": "true"}
    process = ClarionProcess(tmp_path, emulators, **more).start()
    yield process
    assert process.stop() == 0
    assert "Traceback" not in process.log


def listening(clarion: ClarionProcess, folder: Path, *options: str) -> Verb:
    return Verb(folder, ["listen", *options, "--url", clarion.url, "--key", KEY], environ())


def make_workflow(client: httpx.Client, name: str) -> None:
    push = {"name": "Push", "type": "push", "controlValues": {"subject": "Hello", "body": "News"}}
    body = {"name": name, "workflowId": name, "active": True, "steps": [push]}
    client.post("/v2/workflows", json=body).raise_for_status()


def make_people(client: httpx.Client, emulators: EmulatorThread) -> None:
    connect_fcm(client, emulators)
    people = [
        {
            "subscriberId": f"person-{n}",
            "channels": [{"providerId": "fcm", "credentials": {"deviceTokens": [f"phone-{n}"]}}],
        }
        for n in range(PEOPLE)
    ]
    client.post("/v1/subscribers/bulk", json={"subscribers": people}).raise_for_status()


def secret_of(verb: Verb) -> str:
    return verb.line("signed by whsec_").split()[-1]


def test_a_local_port_gets_what_an_endpoint_gets(
    clarion: ClarionProcess, emulators: EmulatorThread, hooks: HookServer, tmp_path: Path
) -> None:
    with HookServer().running() as public, clarion.client as client:
        with listening(clarion, tmp_path, "--forward", hooks.url) as verb:
            hooks.secrets.append(secret_of(verb))
            verb.line("Ctrl-C ends it")
            made = client.post("/v1/webhooks", json={"url": public.url}).raise_for_status().json()["data"]
            public.secrets.append(made["secret"])
            make_people(client, emulators)
            make_workflow(client, "news")
            body = {"name": "news", "payload": {}, "transactionId": "all"}
            client.post("/v1/events/trigger/broadcast", json=body).raise_for_status()
            wait_for(lambda: min(len(public.taken), len(hooks.taken)) > PEOPLE or None, 30)
            by_id = {event["id"]: event for event in public.taken}
            assert {event["id"]: event for event in hooks.taken} == by_id
            assert len(hooks.taken) == len(by_id) == PEOPLE + 1
            wait_for(lambda: len(LINE.findall(verb.output)) == PEOPLE + 1 or None, 10)
            told = [found.groupdict() for found in LINE.finditer(verb.output)]
            assert {(item["id"], item["type"], item["answer"]) for item in told} == {
                (event["id"], event["type"], "204") for event in hooks.taken
            }
            assert verb.interrupt() == 0
            assert "Traceback" not in verb.output
        assert hooks.refused == []
        listed = client.get("/v1/webhooks").json()["data"]
        assert [item["url"] for item in listed] == [public.url]


def test_it_comes_back_and_goes_on_where_it_was(
    clarion: ClarionProcess, hooks: HookServer, tmp_path: Path
) -> None:
    with listening(clarion, tmp_path, "--forward", hooks.url) as verb:
        hooks.secrets.append(secret_of(verb))
        verb.line("Ctrl-C ends it")
        with clarion.client as client:
            make_workflow(client, "first")
        wait_for(lambda: len(hooks.taken) == 1 or None, 20)
        assert clarion.stop() == 0
        verb.line("cut off, coming back in")
        with clarion.start().client as client:
            make_workflow(client, "second")
            verb.line("back again")
            make_workflow(client, "third")
        wait_for(lambda: len(hooks.taken) >= 3 or None, 20)
        names = [event["data"]["object"]["workflowId"] for event in hooks.taken]
        assert list(dict.fromkeys(names)) == ["first", "second", "third"]
        assert "missed" not in verb.output
        assert verb.interrupt() == 0


def test_types_are_chosen_and_a_port_where_nobody_listens_is_told(
    clarion: ClarionProcess, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = f"http://localhost:{free.getsockname()[1]}/hooks"
    options = ["--forward", closed, "--events", "workflow.deleted"]
    with listening(clarion, tmp_path, *options) as verb, clarion.client as client:
        verb.line("Ctrl-C ends it")
        make_workflow(client, "news")
        client.delete("/v2/workflows/news").raise_for_status()
        found = LINE.match(verb.line("evt_"))
        assert found is not None
        assert (found["type"], found["answer"]) == ("workflow.deleted", "connect_failed")
        assert "workflow.created" not in verb.output


def test_what_cannot_be_listened_to_is_told_in_a_line(clarion: ClarionProcess) -> None:
    def said(*options: str) -> str:
        found = CliRunner().invoke(main, ["listen", "--url", clarion.url, *options])
        assert found.exit_code == 2
        assert found.output.count("\n") == 1
        return found.output

    assert "401" in said("--key", "unknown")
    assert "no message.lost" in said("--key", KEY, "--events", "message.lost")
    assert "--forward must" in said("--key", KEY, "--forward", "localhost")
    assert "can't be reached" in said("--key", KEY, "--url", "http://127.0.0.1:9")
