"""A broadcast shows how far it is, pauses, goes on and can be cancelled."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from clarion.testing.kit import EmulatorThread
from news import connect_fcm, make_news
from postgres import PostgresServer
from running import ClarionProcess, wait_for

PEOPLE = 3000


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """The footing to run on."""
    if request.param == "sqlite":
        return {}
    server: PostgresServer = request.getfixturevalue("postgres")
    return {"database_url": server.make()}


def prepare(client: httpx.Client, emulators: EmulatorThread) -> None:
    connect_fcm(client, emulators)
    make_news(client)
    for start in range(0, PEOPLE, 500):
        people = [
            {
                "subscriberId": f"person-{n}",
                "channels": [{"providerId": "fcm", "credentials": {"deviceTokens": [f"slow-30-{n}"]}}],
            }
            for n in range(start, start + 500)
        ]
        client.post("/v1/subscribers/bulk", json={"subscribers": people}).raise_for_status()


def transaction(client: httpx.Client, name: str) -> dict[str, Any]:
    answer = client.get(f"/v1/transactions/{name}")
    found: dict[str, Any] = answer.json().get("data", {})
    return found


def broadcast(client: httpx.Client, name: str) -> None:
    body = {"name": "news", "transactionId": name, "payload": {"text": "extra"}}
    client.post("/v1/events/trigger/broadcast", json=body).raise_for_status()


def test_a_broadcast_pauses_and_goes_on_and_another_is_cancelled(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    with EmulatorThread(tmp_path) as emulators:
        process = ClarionProcess(tmp_path, emulators, **settings).start()
        with process.client as client:
            prepare(client, emulators)
            broadcast(client, "first")
            emulators.wait_for_messages(300, 30)
            paused = client.post("/v1/transactions/first/pause").json()["data"]
            assert paused["state"] == "paused"
            assert paused["audience"] == PEOPLE
            wait_for(lambda: _still(client) or None, 30)
            standing = transaction(client, "first")
            assert 0 < standing["delivered"] < PEOPLE

            urgent = {"subscriberId": "urgent", "channels": [_channel("urgent-phone")]}
            client.post("/v1/events/trigger", json={"name": "news", "to": urgent}).raise_for_status()
            wait_for(lambda: emulators.shown("urgent-phone") or None, 10)
            assert transaction(client, "first")["delivered"] == standing["delivered"]

            assert client.post("/v1/transactions/first/resume").json()["data"]["state"] != "paused"
            wait_for(lambda: transaction(client, "first").get("state") == "completed" or None, 60)
            done = transaction(client, "first")
            assert (done["delivered"], done["addressed"], done["inFlight"]) == (PEOPLE, PEOPLE, 0)
            assert done["ratePerSecond"] > 0
            assert "expectedEnd" not in done

            broadcast(client, "second")
            emulators.wait_for_messages(PEOPLE + 200, 30)
            assert client.delete("/v1/events/trigger/second").json()["data"] is True
            wait_for(lambda: transaction(client, "second").get("inFlight") == 0 or None, 60)
            cancelled = transaction(client, "second")
            assert cancelled["state"] == "cancelled"
            assert 0 < cancelled["delivered"] < PEOPLE
            assert client.get("/v1/transactions/unknown").status_code == 404
            log = client.get("/v1/audit-log").json()["data"]
            assert [one["action"] for one in log[:3]] == ["cancel", "resume_transaction", "pause_transaction"]
            assert log[0]["before"]["transactionId"] == "second"
            assert (log[2]["before"]["state"], log[1]["before"]["state"]) == ("delivering", "paused")
        ledger = process.settled()
        assert ledger.planned == ledger.delivered + ledger.failed + ledger.cancelled
        assert process.stop() == 0
        assert "Traceback" not in process.log


def _channel(token: str) -> dict[str, Any]:
    return {"providerId": "fcm", "credentials": {"deviceTokens": [token]}}


def _still(client: httpx.Client) -> bool:
    before = transaction(client, "first")["delivered"]
    time.sleep(0.5)
    after: int = transaction(client, "first")["delivered"]
    return bool(before == after)
