"""The live feed over real HTTP: one process answers, another delivers, on each database."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from calling import PUSH, WEBHOOK
from clarion.api import live, live_hub
from clarion.app import Foundation, foundation, worker
from clarion.cli.running import serving
from clarion.deliver.breaker import SUSPICIOUS
from clarion.journal.feed import MOST_SHOWN
from clarion.model.http import HttpReply, HttpRequest
from clarion.settings import Settings
from clarion.store import live as store
from postgres import PostgresServer
from pushing import ScriptedSender

PATIENCE_SECONDS = 20
Json = dict[str, Any]


class Event(NamedTuple):
    """One server-sent event."""

    kind: str
    data: Any
    id: str | None


class Ears:
    """One who listens; keeps what it heard."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.heard: list[Event] = []

    async def until(self, wanted: Callable[[Event], bool]) -> Event:
        """The next event that is wanted."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                event = await self.next()
                assert event is not None, "the stream has ended"
                if wanted(event):
                    return event

    async def of(self, kind: str) -> Event:
        """The next event of a kind."""
        return await self.until(lambda event: event.kind == kind)

    async def next(self) -> Event | None:
        """The next event, None when there will be none."""
        fields: dict[str, str] = {}
        async for line in self._lines:
            name, _, value = line.partition(": ")
            if line and name:
                fields[name] = value
            elif not line and "event" in fields:
                event = Event(fields["event"], json.loads(fields["data"]), fields.get("id"))
                self.heard.append(event)
                return event
        return None


class Running(NamedTuple):
    """Two processes on one database: a client of the API, its keys, and what stands behind."""

    client: httpx.AsyncClient
    keys: dict[str, str]
    api: Foundation
    sender: ScriptedSender

    def authorization(self, kind: str = "dev") -> dict[str, str]:
        """The header of a key."""
        return {"authorization": f"ApiKey {self.keys[kind]}"}

    @asynccontextmanager
    async def ears(self, kind: str = "dev", path: str = "/v1/live", **headers: str) -> AsyncIterator[Ears]:
        """Listen to an environment; it has begun."""
        sent = {**self.authorization(kind), **{name.replace("_", "-"): v for name, v in headers.items()}}
        async with self.client.stream("GET", path, headers=sent) as response:
            assert response.status_code == 200
            assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
            ears = Ears(response.aiter_lines())
            await ears.until(lambda event: event.kind in ("ready", "gap"))
            await self.noticed()
            yield ears

    async def noticed(self) -> None:
        """The delivering process looks once a second who watches."""
        await asyncio.sleep(1.2)

    async def post(self, path: str, body: Json, kind: str = "dev") -> Json:
        """A call that succeeds."""
        answer = await self.client.post(path, json=body, headers=self.authorization(kind))
        assert answer.status_code in (200, 201), answer.text
        found: Json = answer.json()["data"]
        return found

    async def furnish(self, kind: str = "dev") -> str:
        """An integration, a workflow and a subscriber with a phone; the id of the integration."""
        hook = {"name": "Hook", "providerId": "push-webhook", "active": True, "channel": "push"}
        made = await self.post("/v1/integrations", {**hook, "credentials": WEBHOOK}, kind)
        workflow = {"name": "Welcome", "workflowId": "welcome", "active": True, "steps": [PUSH]}
        await self.post("/v2/workflows", workflow, kind)
        channel = {"providerId": "push-webhook", "credentials": {"deviceTokens": ["phone"]}}
        await self.post("/v2/subscribers", {"subscriberId": "ada", "channels": [channel]}, kind)
        identity: str = made["_id"]
        return identity

    async def trigger(self, transaction_id: str, kind: str = "dev") -> None:
        """A push to the phone."""
        body = {"name": "welcome", "to": "ada", "transactionId": transaction_id}
        await self.post("/v1/events/trigger", body, kind)


def _key_of(request: HttpRequest) -> str:
    return "phone"


@pytest.fixture(params=["sqlite", "postgresql"])
async def running(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Running]:
    """An answering and a delivering process."""
    more: dict[str, Any] = {}
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        more["database_url"] = server.make()
    settings, sender = Settings(data_dir=tmp_path, port=0, **more), ScriptedSender(_key_of)
    async with foundation(settings) as front, foundation(settings) as back, worker(back, sender):
        assert front.first_start is not None
        keys = {"dev": front.first_start.development_key, "prod": front.first_start.production_key}
        async with serving(front) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
            yield Running(client, keys, front, sender)


async def test_what_becomes_of_a_trigger_is_heard_as_it_happens(running: Running) -> None:
    integration = await running.furnish()
    async with running.ears() as ears, running.ears("prod") as elsewhere:
        await running.trigger("sent")
        made = await ears.of("notifications")
        (notification,) = made.data["notifications"]
        assert (notification["transactionId"], notification["subscriberId"]) == ("sent", "ada")
        assert (notification["workflowId"], notification["messages"]) == ("welcome", 1)
        told = await ears.of("messages")
        (message,) = told.data["messages"]
        assert told.data["counts"] == {"message.sent": 1}
        assert (message["status"], message["providerId"]) == ("delivered", "push-webhook")
        assert (message["integrationId"], message["notificationId"]) == (
            integration,
            notification["notificationId"],
        )
        running.sender.scripts["phone"] = [HttpReply(410, body=b'{"code": "token_invalid"}')]
        await running.trigger("dead")
        told = await ears.of("messages")
        assert told.data["counts"] == {"message.failed": 1, "device.retired": 1}
        assert {item["transactionId"] for item in told.data["messages"]} == {"dead"}
        await running.furnish("prod")
        heard = await elsewhere.of("changed")
        assert heard.data["event"] == "workflow.created"
        assert not [event for event in elsewhere.heard if event.kind == "messages"]


async def test_health_of_an_integration_is_heard(running: Running) -> None:
    integration = await running.furnish()
    running.sender.scripts["phone"] = [HttpReply(401)]
    async with running.ears() as ears:
        for number in range(SUSPICIOUS):
            await running.trigger(f"refused-{number}")
        told = await ears.of("integration")
        assert (told.data["_id"], told.data["state"]) == (integration, "paused")
        assert told.data["explanation"]


async def test_a_broadcast_is_followed_to_its_end(running: Running) -> None:
    await running.furnish()
    async with running.ears() as ears:
        body = {"name": "welcome", "payload": {}, "transactionId": "all"}
        await running.post("/v1/events/trigger/broadcast", body)
        told = await ears.until(lambda e: e.kind == "broadcast" and e.data["state"] == "completed")
        assert (told.data["transactionId"], told.data["audience"], told.data["delivered"]) == ("all", 1, 1)


async def test_who_comes_back_hears_what_was_missed_once(running: Running) -> None:
    await running.furnish()
    async with running.ears() as ears:
        await running.trigger("first")
        last = await ears.of("messages")
    assert last.id is not None
    await running.trigger("second")
    await _told(running, int(last.id))
    async with running.ears(last_event_id=last.id) as ears:
        await running.trigger("third")
        await ears.until(lambda event: "third" in str(event.data) and event.kind == "messages")
    named = [event for event in ears.heard if event.kind == "messages"]
    assert [event.data["messages"][0]["transactionId"] for event in named] == ["second", "third"]
    assert "gap" not in {event.kind for event in ears.heard}


async def _told(running: Running, seq: int) -> None:
    """The messages that followed are in the feed."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not any(
            event.kind == "messages" for event in await running.api.database.read(store.after, seq, 100)
        ):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("last", ["nonsense", "0"])
async def test_who_missed_what_is_not_kept_is_told_so(running: Running, last: str) -> None:
    await running.furnish()
    async with running.ears() as ears:
        await running.trigger("first")
        await ears.of("messages")
    await running.api.database.write(store.sweep, 2**60, 1000)
    async with running.ears(last_event_id=last) as ears:
        assert ears.heard[0].kind == "gap"


async def test_who_is_not_let_in_hears_nothing(running: Running) -> None:
    foreign = next(iter(reversed((await running.api.catalog.current()).environments)))
    for path in ("/v1/live", "/v1/live/webhooks"):
        for headers in ({}, {"authorization": "ApiKey unknown"}):
            assert (await running.client.get(path, headers=headers)).status_code == 401
        query = {"environmentId": foreign}
        answer = await running.client.get(path, params=query, headers=running.authorization())
        assert answer.status_code == 404


async def test_a_member_listens_to_the_environment_in_the_query_until_the_session_ends(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.3)
    await running.furnish("prod")
    account = {"email": "ada@clarion.test", "password": "correct horse battery"}
    ours = {"clarion-client": "tests"}
    answer = await running.client.post("/v1/setup", json=account, headers=ours)
    assert answer.status_code == 201, answer.text
    prod = next(iter(reversed((await running.api.catalog.current()).environments)))
    assert (await running.client.get(f"/v1/live?environmentId={'0' * 32}")).status_code == 404
    async with running.client.stream("GET", f"/v1/live?environmentId={prod}") as response:
        ears = Ears(response.aiter_lines())
        await ears.of("ready")
        await running.noticed()
        await running.trigger("sent", "prod")
        await ears.of("messages")
        assert (await running.client.delete("/v1/sessions", headers=ours)).status_code == 204
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await ears.next():
                pass


async def test_who_listens_in_full_hears_all_that_webhooks_are_told(running: Running) -> None:
    await running.furnish()
    people = [
        {
            "subscriberId": f"person-{n}",
            "channels": [{"providerId": "push-webhook", "credentials": {"deviceTokens": [f"phone-{n}"]}}],
        }
        for n in range(2 * MOST_SHOWN)
    ]
    await running.post("/v1/subscribers/bulk", {"subscribers": people})
    path, told = "/v1/live/webhooks", list[Json]()
    async with running.ears(path=path) as ears, running.ears("prod", path) as elsewhere:
        await running.post("/v1/events/trigger/broadcast", {"name": "welcome", "payload": {}})
        while len(told) < 2 * MOST_SHOWN + 1:
            told += (await ears.of("events")).data
        await running.furnish("prod")
        (foreign,) = (await elsewhere.of("events")).data
    assert {item["type"] for item in told} == {"message.sent"}
    bodies = [json.loads(item["body"]) for item in told]
    assert [body["id"] for body in bodies] == [item["id"] for item in told]
    sent_to = {body["data"]["subscriberId"] for body in bodies}
    assert sent_to == {"ada", *(person["subscriberId"] for person in people)}
    assert foreign["type"] == "workflow.created"
    assert {event.kind for event in ears.heard} == {"ready", "events"}
    last = ears.heard[-1].id
    assert last is not None
    await running.trigger("missed")
    async with running.ears(path=path, last_event_id=last) as ears:
        if "events" not in {event.kind for event in ears.heard}:
            await ears.of("events")
    assert [e.data[0]["type"] for e in ears.heard if e.kind == "events"] == ["message.sent"]
    assert "gap" not in {event.kind for event in ears.heard}


async def test_nobody_watching_costs_no_row(running: Running) -> None:
    await running.furnish()
    await running.noticed()
    await running.trigger("unheard")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not running.sender.requests["phone"]:
            await asyncio.sleep(0.05)
    assert await running.api.database.read(store.newest) == 0


async def test_the_process_ends_though_somebody_listens(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, port=0)
    async with foundation(settings) as base, httpx.AsyncClient(timeout=30) as client:
        assert base.first_start is not None
        key = {"authorization": f"ApiKey {base.first_start.development_key}"}
        async with serving(base) as url:
            request = client.build_request("GET", f"{url}/v1/live", headers=key)
            response = await client.send(request, stream=True)
            ears = Ears(response.aiter_lines())
            await ears.of("ready")
            started = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - started < 4
        assert await ears.next() is None
        await response.aclose()


async def test_who_is_too_slow_is_dropped_and_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_hub, "MOST_WAITING", 4)
    async with foundation(Settings(data_dir=tmp_path)) as base:
        hub = live_hub.Hub(base.database, base.catalog, base.clock, base.feed, live.WORDS)
        looking = asyncio.create_task(hub.run())
        first = next(iter((await base.catalog.current()).environments))
        slow, quick = [await hub.join(first, None) for _ in range(2)]
        await quick.next(1)
        for number in range(8):
            await base.database.write(store.add, first, "changed", {"event": "x", "_id": str(number)}, 1)
            frame = await quick.next(PATIENCE_SECONDS)
            assert frame is not None
            assert f'"_id":"{number}"'.encode() in frame.data
        assert (slow.ended, quick.ended) == (True, False)
        looking.cancel()


async def test_only_so_many_may_listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_hub, "MOST_LISTENERS", 1)
    async with foundation(Settings(data_dir=tmp_path, port=0)) as base, serving(base) as url:
        assert base.first_start is not None
        key = {"authorization": f"ApiKey {base.first_start.development_key}"}
        async with (
            httpx.AsyncClient(base_url=url, headers=key, timeout=30) as client,
            client.stream("GET", "/v1/live") as response,
        ):
            ears = Ears(response.aiter_lines())
            await ears.of("ready")  # whose lines nobody holds any more is collected, and the stream closed
            refused = await client.get("/v1/live")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
