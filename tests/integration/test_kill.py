"""What was accepted survives `kill -9`, and a device that is reached twice shows it once."""

import os
import signal
import time
from collections import defaultdict
from pathlib import Path

import pytest

from clarion.testing.fcm import AcceptedMessage
from clarion.testing.kit import EmulatorThread
from news import connect_fcm, make_news
from postgres import PostgresServer
from running import KEY, ClarionProcess, wait_for

RECIPIENTS = 1000
PER_CALL = 500


def devices() -> list[str]:
    """A device a person; each answers after 40 ms, so that a kill finds many sends under way."""
    return [f"slow-40-{n}" for n in range(RECIPIENTS)]


STEPS = [
    {
        "name": "Gather",
        "stepId": "gather",
        "type": "digest",
        "controlValues": {"type": "regular", "amount": 2, "unit": "seconds"},
    },
    {
        "name": "Own",
        "stepId": "own",
        "type": "custom",
        "controlValues": {"custom": {"text": "{{payload.text}}"}},
    },
    {
        "name": "First",
        "stepId": "first",
        "type": "push",
        "controlValues": {"subject": "{{step.total_count}}", "body": "{{steps.own.text}}"},
    },
    {
        "name": "Second",
        "stepId": "second",
        "type": "push",
        "controlValues": {
            "subject": "Second",
            "body": "second",
            "skip": {"==": [{"var": "steps.first.delivered"}, False]},
        },
    },
]
"""Each person is told of two triggers, in one push or in two; the second push is only where that failed."""


def prepare(process: ClarionProcess, emulators: EmulatorThread, *steps: object) -> None:
    with process.client as client:
        connect_fcm(client, emulators)
        make_news(client, *steps)
        people = [
            {
                "subscriberId": f"person-{n}",
                "channels": [{"providerId": "fcm", "credentials": {"deviceTokens": [device]}}],
            }
            for n, device in enumerate(devices())
        ]
        for start in range(0, RECIPIENTS, PER_CALL):
            body = {"subscribers": people[start : start + PER_CALL]}
            answer = client.post("/v1/subscribers/bulk", json=body).json()["data"]
            assert len(answer["created"]) == PER_CALL


def reached(emulators: EmulatorThread) -> dict[str, list[AcceptedMessage]]:
    found: dict[str, list[AcceptedMessage]] = defaultdict(list)
    for message in emulators.messages():
        found[message.token].append(message)
    return found


@pytest.mark.parametrize(
    ("settings", "after"),
    [("sqlite", 1), ("sqlite", 400), ("sqlite", 999), ("postgresql", 400), ("jetstream", 400)],
    indirect=["settings"],
)
def test_a_broadcast_killed_half_way_reaches_every_device(
    tmp_path: Path, settings: dict[str, str], after: int
) -> None:
    with EmulatorThread(tmp_path) as emulators:
        process = ClarionProcess(tmp_path, emulators, **settings).start()
        prepare(process, emulators)
        with process.client as client:
            body = {"name": "news", "payload": {"text": "extra"}}
            assert client.post("/v1/events/trigger/broadcast", json=body).status_code == 201
        emulators.wait_for_messages(after, 30)
        process.kill()
        before = len(emulators.messages())
        process.start()
        wait_for(lambda: process.ledger().planned == RECIPIENTS or None, 30)
        ledger = process.settled()
        assert process.stop() == 0
        assert before < RECIPIENTS + 100
        assert (ledger.planned, ledger.delivered) == (RECIPIENTS, RECIPIENTS)
        assert len(reached(emulators)) == RECIPIENTS
        for device, messages in reached(emulators).items():
            collapse_ids = {message.message["android"]["collapse_key"] for message in messages}
            assert len(collapse_ids) == 1, device
            assert len(emulators.shown(device)) == 1


@pytest.mark.parametrize("settings", ["sqlite", "postgresql", "jetstream"], indirect=True)
def test_runs_killed_at_every_step_go_on(tmp_path: Path, settings: dict[str, str]) -> None:
    with EmulatorThread(tmp_path) as emulators:
        process = ClarionProcess(tmp_path, emulators, **settings).start()
        prepare(process, emulators, *STEPS)
        body = {"name": "news", "payload": {"text": "extra"}}
        with process.client as client:
            for _ in range(2):
                assert client.post("/v1/events/trigger/broadcast", json=body).status_code == 201
        for pause in (0.5, 1.0, 1.0):
            time.sleep(pause)
            process.kill()
            process.start()
        emulators.wait_for_messages(RECIPIENTS // 4, 60)
        process.kill()
        process.start()
        wait_for(lambda: process.ledger().addressed == 2 * RECIPIENTS or None, 90)
        wait_for(lambda: process.ledger().waiting == 0 or None, 90)
        ledger = process.settled()
        assert process.stop() == 0
        assert ledger.planned == ledger.delivered
        assert ledger.planned + ledger.skipped == ledger.addressed == 2 * RECIPIENTS
        for device in devices():
            shown = emulators.shown(device)
            # Two events are one digest, or two where the second came when the window of the first was over.
            assert sum(int(item.title) for item in shown) == 2, device
            assert {item.body for item in shown} == {"extra"}, device


def test_an_accepted_trigger_survives_a_kill_right_after_the_answer(tmp_path: Path) -> None:
    with EmulatorThread(tmp_path) as emulators:
        process = ClarionProcess(tmp_path, emulators).start()
        with process.client as client:
            connect_fcm(client, emulators)
            make_news(client, {"name": "p", "type": "push", "controlValues": {"subject": "s", "body": "b"}})
        assert process.stop() == 0
        process.start("api")
        channel = {"providerId": "fcm", "credentials": {"deviceTokens": ["the-phone"]}}
        with process.client as client:
            to = {"subscriberId": "ada", "channels": [channel]}
            answer = client.post("/v1/events/trigger", json={"name": "news", "to": to})
            process.kill()
        assert answer.json()["data"]["status"] == "processed"
        assert emulators.messages() == []
        process.start()
        (message,) = emulators.wait_for_messages(1, 15)
        assert message.token == "the-phone"
        assert process.settled().delivered == 1
        assert process.stop() == 0
        assert KEY not in process.log


def test_another_worker_takes_over_what_a_killed_one_held(tmp_path: Path, postgres: PostgresServer) -> None:
    url = postgres.make()

    def process(name: str) -> ClarionProcess:
        return ClarionProcess(tmp_path, emulators, name=name, database_url=url)

    with EmulatorThread(tmp_path) as emulators:
        apis = [process("api-1").start("api"), process("api-2").start("api")]
        workers = [process("worker-1").start("worker"), process("worker-2").start("worker")]
        prepare(apis[0], emulators)
        with apis[1].client as client:
            body = {"name": "news", "payload": {"text": "extra"}}
            assert client.post("/v1/events/trigger/broadcast", json=body).status_code == 201
        emulators.wait_for_messages(200, 30)
        workers[0].kill()
        wait_for(lambda: apis[0].ledger().planned == RECIPIENTS or None, 30)
        ledger = apis[0].settled()
        assert (ledger.planned, ledger.delivered) == (RECIPIENTS, RECIPIENTS)
        assert len(reached(emulators)) == RECIPIENTS
        for device in devices():
            assert len(emulators.shown(device)) == 1
        for running in [*apis, workers[1]]:
            assert running.stop() == 0
            assert "Traceback" not in running.log


def test_a_fleet_replaces_the_process_that_dies_and_stops_in_order(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    with EmulatorThread(tmp_path) as emulators:
        process = ClarionProcess(tmp_path, emulators, database_url=postgres.make())
        process.start("serve", "--processes", "2")
        prepare(process, emulators)
        with process.client as client:
            body = {"name": "news", "payload": {"text": "extra"}}
            assert client.post("/v1/events/trigger/broadcast", json=body).status_code == 201
        emulators.wait_for_messages(100, 30)
        victim = process.children()[0]
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: process.ledger().delivered == RECIPIENTS or None, 30)
        wait_for(lambda: len(process.children()) == 2 or None, 15)
        assert victim not in process.children()
        assert len(reached(emulators)) == RECIPIENTS
        children = process.children()
        assert process.stop() == 0
        assert [child for child in children if Path(f"/proc/{child}").exists()] == []


@pytest.mark.parametrize("verb", ["serve", "api", "worker"])
def test_it_ends_well_when_it_is_stopped_as_soon_as_it_says_it_runs(tmp_path: Path, verb: str) -> None:
    process = ClarionProcess(tmp_path).start(verb)
    assert process.stop() == 0
    assert "Traceback" not in process.log
