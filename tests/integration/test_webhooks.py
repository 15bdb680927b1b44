"""Webhooks from a real Clarion to a real receiver, over HTTPS, through kills, on every footing."""

import ssl
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import trustme

from clarion.testing.fcm import FcmEmulator
from clarion.testing.kit import EmulatorThread
from hooks import HookServer
from news import PUSH, connect_fcm, make_news
from postgres import PostgresServer
from running import ClarionProcess, wait_for

PEOPLE = 300
INSIDE = {"egress_allow": "127.0.0.0/8", "webhook_http": "true"}


def prepare(client: httpx.Client, emulators: EmulatorThread, hooks: HookServer) -> str:
    """An endpoint that hears of everything, and people with a device each; the endpoint's id."""
    connect_fcm(client, emulators)
    make_news(client, {**PUSH, "controlValues": {"subject": "Hello", "body": "x"}})
    made = client.post("/v1/webhooks", json={"url": hooks.url}).raise_for_status().json()["data"]
    hooks.secrets.append(made["secret"])
    people = [
        {
            "subscriberId": f"person-{n}",
            "channels": [{"providerId": "fcm", "credentials": {"deviceTokens": [f"device-{n}"]}}],
        }
        for n in range(PEOPLE)
    ]
    client.post("/v1/subscribers/bulk", json={"subscribers": people}).raise_for_status()
    return str(made["_id"])


def test_events_arrive_signed_over_https_and_while_a_secret_is_renewed(tmp_path: Path) -> None:
    authority = trustme.CA()
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    with EmulatorThread(tmp_path) as emulators, HookServer(server_side).running() as hooks:
        roots = tmp_path / "roots.pem"
        pems = authority.cert_pem.bytes() + Path(emulators.ca_file).read_bytes()
        roots.write_bytes(pems)
        settings = {"egress_allow": "127.0.0.0/8", "ca_file": str(roots)}
        process = ClarionProcess(tmp_path, emulators, **settings).start()
        try:
            with process.client as client:
                one = f"/v1/webhooks/{prepare(client, emulators, hooks)}"
                trigger(client, "person-1")
                wait_for(lambda: hooks.taken or None, 20)
                renewed = client.post(f"{one}/rotate-secret", json={}).json()["data"]["secret"]
                trigger(client, "person-2")
                wait_for(lambda: len(hooks.taken) == 2 or None, 20)
                hooks.secrets = [renewed]
                trigger(client, "person-3")
                wait_for(lambda: len(hooks.taken) == 3 or None, 20)
                assert client.post(f"{one}/ping", json={}).json()["data"]["status"] == "delivered"
        finally:
            process.stop()
    told = [body["data"].get("subscriberId") for body in hooks.taken]
    assert told == ["person-1", "person-2", "person-3", None]
    assert hooks.refused == []


def trigger(client: httpx.Client, *to: str) -> None:
    client.post("/v1/events/trigger", json={"name": "news", "to": list(to)}).raise_for_status()


@pytest.mark.parametrize("settings", ["sqlite", "postgresql", "jetstream"], indirect=True)
def test_kills_while_events_go_out_lose_none(tmp_path: Path, settings: dict[str, str]) -> None:
    with EmulatorThread(tmp_path) as emulators, HookServer().running() as hooks:
        process = ClarionProcess(tmp_path, emulators, **settings, **INSIDE).start()
        with process.client as client:
            prepare(client, emulators, hooks)
            client.post(
                "/v1/events/trigger/broadcast", json={"name": "news", "payload": {}}
            ).raise_for_status()
        for share in (1, PEOPLE // 3, PEOPLE // 2):
            wait_for(lambda share=share: len(set(hooks.ids)) >= share or None, 60)  # type: ignore[misc]
            process.kill()
            process.start()
        wait_for(lambda: len(set(hooks.ids)) == PEOPLE or None, 60)
        assert process.settled().delivered == PEOPLE
        process.stop()
    told = {body["data"]["object"]["deviceToken"] for body in hooks.taken}
    assert told == {f"device-{n}" for n in range(PEOPLE)}
    assert {body["type"] for body in hooks.taken} == {"message.sent"}
    assert hooks.refused == []


def test_an_endpoint_hears_of_a_provider_that_is_away_and_back(tmp_path: Path) -> None:
    fcm = FcmEmulator()
    with ExitStack() as provider, HookServer().running() as hooks:
        emulators = provider.enter_context(EmulatorThread(tmp_path, fcm=fcm))
        port = urlsplit(emulators.url).port or 0
        process = ClarionProcess(tmp_path, emulators, **INSIDE).start()
        try:
            with process.client as client:
                one = prepare(client, emulators, hooks)
                wanted = {"events": ["integration.degraded", "integration.recovered"]}
                client.put(f"/v1/webhooks/{one}", json=wanted).raise_for_status()
                provider.close()
                trigger(client, *(f"person-{n}" for n in range(50)))
                wait_for(lambda: hooks.taken or None, 30)
                (integration,) = client.get("/v1/integrations").json()["data"]
                standing = f"/v1/integrations/{integration['_id']}/health"
                assert client.get(standing).json()["data"]["state"] == "open"
                provider.enter_context(EmulatorThread(tmp_path, port, fcm=fcm))
                wait_for(lambda: len(hooks.taken) == 2 or None, 60)
                assert client.get(standing).json()["data"]["state"] == "closed"
            assert process.settled().delivered == 50
        finally:
            process.stop()
    degraded, recovered = hooks.taken
    assert (degraded["type"], recovered["type"]) == ("integration.degraded", "integration.recovered")
    for event, state in ((degraded, "open"), (recovered, "closed")):
        told = event["data"]["object"]
        assert (told["_id"], told["providerId"], told["state"]) == (integration["_id"], "fcm", state)
    assert degraded["data"]["object"]["code"]
    assert degraded["data"]["object"]["explanation"]
    assert recovered["data"]["object"]["since"] > degraded["data"]["object"]["since"]
    assert hooks.refused == []


RATE = 80
BURST = RATE
"""Half a second's in the bucket, and a quarter's that each of two processes borrowed."""
LATE = 8
"""Arrivals that a busy machine may move into a window."""


def test_processes_keep_to_the_rate_of_an_endpoint_together(tmp_path: Path, postgres: PostgresServer) -> None:
    settings = {"database_url": postgres.make(), **INSIDE}
    with (
        EmulatorThread(tmp_path) as emulators,
        HookServer().running() as limited,
        HookServer().running() as free,
    ):
        process = ClarionProcess(tmp_path, emulators, **settings).start("serve", "--processes", "2")
        with process.client as client:
            one = f"/v1/webhooks/{prepare(client, emulators, limited)}"
            client.put(one, json={"rateLimit": RATE}).raise_for_status()
            made = client.post("/v1/webhooks", json={"url": free.url}).raise_for_status().json()["data"]
            free.secrets.append(made["secret"])
            client.post(
                "/v1/events/trigger/broadcast", json={"name": "news", "payload": {}}
            ).raise_for_status()
            wait_for(lambda: len(limited.taken) >= PEOPLE or None, 60)
            wait_for(lambda: len(free.taken) >= PEOPLE or None, 60)
            wait_for(lambda: not listed(client, one, "pending") or None, 20)
            assert listed(client, one, "failed") == []
            assert {item["attempts"] for item in listed(client, one, "delivered")} == {1}
        assert process.stop() == 0
    assert len(set(limited.ids)) == len(limited.ids) == PEOPLE
    assert most_over(limited.moments, RATE) <= BURST + LATE
    assert most_over(free.moments, RATE) > BURST + LATE
    assert free.moments[-1] < limited.moments[-1]


def listed(client: httpx.Client, one: str, status: str) -> list[dict[str, object]]:
    """The newest deliveries that stand so."""
    answer = client.get(f"{one}/deliveries", params={"status": status, "limit": "100"}).raise_for_status()
    found: list[dict[str, object]] = answer.json()["data"]
    return found


def most_over(moments: list[float], rate: int) -> float:
    """By how much any stretch of time held more than the rate allows."""
    worst = lowest = 0.0
    for number, moment in enumerate(sorted(moments)):
        ahead = number - rate * (moment - moments[0])
        lowest = min(lowest, ahead)
        worst = max(worst, ahead - lowest + 1)
    return worst
