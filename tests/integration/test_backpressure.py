"""Over its limit the API refuses triggers, keeps every one it took, and takes more once it is below."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from clarion.testing.kit import EmulatorThread
from news import connect_fcm, make_news
from postgres import PostgresServer
from running import ClarionProcess, wait_for

LIMIT = 5


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """The footing to run on, with a limit that is soon reached."""
    if request.param == "sqlite":
        return {"backlog_limit": str(LIMIT)}
    server: PostgresServer = request.getfixturevalue("postgres")
    return {"backlog_limit": str(LIMIT), "database_url": server.make()}


@pytest.fixture
def emulators(tmp_path: Path) -> Iterator[EmulatorThread]:
    with EmulatorThread(tmp_path) as running:
        yield running


def prepare(client: httpx.Client, emulators: EmulatorThread) -> None:
    connect_fcm(client, emulators)
    make_news(client)


def event(number: int) -> dict[str, object]:
    """A trigger for a person of its own with a phone of its own."""
    channel = {"providerId": "fcm", "credentials": {"deviceTokens": [f"phone-{number}"]}}
    person = {"subscriberId": f"person-{number}", "channels": [channel]}
    return {"name": "news", "to": person, "payload": {"text": "Hello"}}


def trigger(client: httpx.Client, number: int) -> httpx.Response:
    return client.post("/v1/events/trigger", json=event(number))


@pytest.fixture
def api(tmp_path: Path, emulators: EmulatorThread, settings: dict[str, str]) -> Iterator[ClarionProcess]:
    process = ClarionProcess(tmp_path, emulators, name="api", **settings).start("api")
    yield process
    process.kill()


@pytest.fixture
def worker(tmp_path: Path, emulators: EmulatorThread, settings: dict[str, str]) -> Iterator[ClarionProcess]:
    """On the same data, not started."""
    process = ClarionProcess(tmp_path, emulators, name="worker", **settings)
    yield process
    process.kill()


def test_what_is_refused_is_nowhere_and_what_was_taken_arrives(
    api: ClarionProcess, worker: ClarionProcess, emulators: EmulatorThread
) -> None:
    with api.client as client:
        prepare(client, emulators)
        taken: list[int] = []
        refused = wait_for(lambda: _next(client, taken), 30)
        assert len(taken) > LIMIT
        _is_refusal(refused, "/v1/events/trigger")
        bulk = client.post("/v1/events/trigger/bulk", json={"events": [event(8000), event(8001)]})
        _is_refusal(bulk, "/v1/events/trigger/bulk")
        everybody = {"name": "news", "payload": {"text": "Hello"}}
        broadcast = client.post("/v1/events/trigger/broadcast", json=everybody)
        _is_refusal(broadcast, "/v1/events/trigger/broadcast")
        assert client.get("/v1/health-check").status_code == 200
        assert client.delete("/v1/events/trigger/nothing").status_code == 200
        figures = client.get("/metrics").text.splitlines()
        assert f'clarion_journal_records{{lane="accepted"}} {len(taken)}' in figures
        assert f"clarion_backlog_limit {LIMIT}" in figures
        assert "clarion_backlog_over 1" in figures

        worker.start("worker")
        number = wait_for(lambda: _accepted(client, 9000), 30)
        wait_for(lambda: emulators.shown(f"phone-{number}") or None, 30)
        assert api.settled().delivered == len(taken) + 1
    assert {message.token for message in emulators.messages()} == {f"phone-{n}" for n in [*taken, number]}
    assert (worker.stop(), api.stop()) == (0, 0)
    assert "backlog over its limit" in api.log
    assert "backlog within its limit" in api.log
    assert "Traceback" not in api.log + worker.log


def _next(client: httpx.Client, taken: list[int]) -> httpx.Response | None:
    """Trigger once more; the answer when it is a refusal."""
    answer = trigger(client, len(taken))
    if answer.status_code != 201:
        return answer
    taken.append(len(taken))
    return None


def _accepted(client: httpx.Client, number: int) -> int | None:
    return number if trigger(client, number).status_code == 201 else None


def _is_refusal(answer: httpx.Response, path: str) -> None:
    """503 as the contract words errors."""
    body = answer.json()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert set(body) == {"statusCode", "timestamp", "path", "message"}
    assert (body["statusCode"], body["path"]) == (503, path)
    assert f"More than {LIMIT} records" in body["message"]
