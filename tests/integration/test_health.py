"""Health and metrics tell the truth, also where there is no database any more."""

import asyncio
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from structlog.testing import capture_logs

from balance import burn_books
from calling import check_error, error, running_api
from clarion.api import health
from clarion.journal.port import Record, accepted_lane
from clarion.model.clock import HOUR
from clarion.model.http import HttpReply
from clarion.ops import instruments
from pipeline import GONE, OK, TROUBLE, device_of
from postgres import PostgresServer
from pushing import ScriptedSender
from running import ClarionProcess, wait_for

SAMPLE = re.compile(r'(clarion|process)_[a-z_]+(\{([a-z]+="[^"]*",?)+\})? [0-9.e+-]+')
PART = re.compile(r"_(bucket|sum|count)$")


async def test_a_process_that_can_work_says_so_and_needs_no_key(tmp_path: Path) -> None:
    async with running_api(tmp_path) as api:
        answer = await api.caller(None).get("/v1/health-check")
        assert answer.status_code == 200
        assert answer.json()["data"]["status"] == "ok"


async def test_without_its_database_it_is_not_ready(tmp_path: Path) -> None:
    async with running_api(tmp_path) as api:
        await api.services.database.close()
        with capture_logs() as logs:
            answer = await api.caller(None).get("/v1/health-check")
            figures = await api.caller(None).get("/metrics")
        assert error(answer, 503)["message"] == "The database can't be read; the log says why"
        assert answer.headers["retry-after"] == "1"
        assert figures.status_code == 503
        assert {"not ready", "metrics can't be read"} <= {entry["event"] for entry in logs}


async def test_a_database_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> set[str]:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(health, "_PATIENCE_SECONDS", 0.01)
    async with running_api(tmp_path) as api:
        monkeypatch.setattr(api.services.journal, "lanes", never)
        error(await api.caller(None).get("/v1/health-check"), 503)


async def test_metrics_are_text_that_prometheus_reads(tmp_path: Path) -> None:
    async with running_api(tmp_path) as api:
        await api.services.journal.append([Record(accepted_lane("e"), b"x")])
        answer = await api.caller(None).get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        lines = answer.text.splitlines()
        assert 'clarion_journal_records{lane="accepted"} 1' in lines
        assert all(line.startswith("# ") or SAMPLE.fullmatch(line) for line in lines)
        named = {line.split()[2] for line in lines if line.startswith("# TYPE")}
        told = {re.split(r"[{ ]", line)[0] for line in lines if not line.startswith("#")}
        assert {PART.sub("", name) for name in told} <= named
        assert {"clarion_accepted_total", "clarion_database_changes_waiting", "process_open_fds"} <= told
        assert (await api.caller(None).post("/metrics", {})).status_code == 405


async def test_what_goes_out_is_counted_by_provider_and_outcome_with_its_time(tmp_path: Path) -> None:
    def figure(name: str, **labels: str) -> float:
        return instruments.REGISTRY.get_sample_value(f"clarion_{name}", labels) or 0.0

    hook = {"provider": "push-webhook"}
    watched = [
        ("accepted_total", {}, 3),
        ("attempts_total", hook | {"outcome": "accepted"}, 2),
        ("attempts_total", hook | {"outcome": "unavailable"}, 2),
        ("attempts_total", hook | {"outcome": "token_dead"}, 1),
        ("messages_total", hook | {"status": "delivered"}, 2),
        ("messages_total", hook | {"status": "failed"}, 1),
        ("delivery_seconds_count", hook, 2),
        ("provider_request_seconds_count", {"provider": ""}, 5),
        ("webhook_tries_total", {"result": "http_500"}, 1),
        ("webhook_tries_total", {"result": "taken"}, 3),
        ("api_request_seconds_count", {"operation": "trigger", "status": "201"}, 3),
        ("api_request_seconds_count", {"operation": "create_workflow", "status": "201"}, 1),
    ]
    before = [figure(name, **labels) for name, labels, _ in watched]
    async with running_api(tmp_path) as api:
        dev = api.development
        await dev.integration()
        await dev.workflow()
        events = ["message.sent", "message.failed"]
        await dev.post("/v1/webhooks", {"url": "https://8.8.8.8/hooks", "events": events})
        for person, phone in (("ada", "one"), ("bob", "two"), ("eve", "three")):
            await dev.subscriber(person)
            tokens = {"providerId": "push-webhook", "deviceTokens": [phone]}
            await dev.put(f"/v1/subscribers/{person}/credentials", tokens)
            await dev.post("/v1/events/trigger", {"name": "welcome", "to": person})
        sender = ScriptedSender(lambda told: "endpoint" if "8.8.8.8" in told.url else device_of(told))
        sender.scripts = {"two": [GONE], "three": [TROUBLE, TROUBLE, OK], "endpoint": [HttpReply(500), OK]}
        for _ in range(4):
            await api.deliver_through(sender)
            api.later(HOUR)
        assert {key: len(sent) for key, sent in sender.requests.items()} == {
            "one": 1,
            "two": 1,
            "three": 3,
            "endpoint": 4,
        }
    after = [figure(name, **labels) for name, labels, _ in watched]
    assert [now - then for now, then in zip(after, before, strict=True)] == [more for *_, more in watched]


async def test_a_process_lives_also_without_its_database_and_is_not_ready_then(tmp_path: Path) -> None:
    async with running_api(tmp_path) as api:
        anybody = api.caller(None)
        assert [(await anybody.get(path)).status_code for path in ("/livez", "/readyz")] == [200, 200]
        await api.services.database.close()
        with capture_logs():
            assert [(await anybody.get(path)).status_code for path in ("/livez", "/readyz")] == [200, 503]


def test_a_process_that_only_delivers_tells_its_figures_on_a_port_of_its_own(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = ClarionProcess(tmp_path, metrics_port=str(port)).start("worker")
    try:
        answers = [httpx.get(f"http://127.0.0.1:{port}/{path}") for path in ("livez", "readyz", "metrics")]
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert "clarion_attempts" in answers[2].text
        assert httpx.get(f"http://127.0.0.1:{port}/v1/health-check").status_code == 404
        assert process.stop() == 0
    finally:
        process.kill()


async def test_metrics_are_read_at_most_once_a_second(tmp_path: Path) -> None:
    async with running_api(tmp_path) as api:
        first = await api.caller(None).get("/metrics")
        await api.services.journal.append([Record(accepted_lane("e"), b"x")])
        assert (await api.caller(None).get("/metrics")).text == first.text
        for _ in range(1000):
            api.services.clock()
        assert (await api.caller(None).get("/metrics")).text != first.text


def test_a_dropped_database_is_told_and_the_process_stays(tmp_path: Path, postgres: PostgresServer) -> None:
    url = postgres.make()
    process = ClarionProcess(tmp_path, database_url=url).start("api")
    try:
        with process.client as client:
            assert client.get("/v1/health-check").status_code == 200
            asyncio.run(_drop(postgres, urlsplit(url).path[1:]))
            burn_books(url)
            answer = wait_for(lambda: _unready(client), 30)
            assert client.get("/metrics").status_code == 503
        check_error(503, "/v1/health-check", answer.json())
        assert answer.headers["retry-after"] == "1"
        assert process.stop() == 0
    finally:
        process.kill()


def _unready(client: httpx.Client) -> httpx.Response | None:
    answer = client.get("/v1/health-check")
    return answer if answer.status_code != 200 else None


async def _drop(server: PostgresServer, name: str) -> None:
    connection = await asyncpg.connect(server.url_of("postgres"))
    try:
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await connection.close()
