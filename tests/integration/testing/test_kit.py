"""All emulators behind one server, as another process sees them."""

import asyncio
import ssl
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import msgspec
import pytest

from clarion.errors import ClarionError
from clarion.model.clock import system_clock
from clarion.providers.registry import PROVIDERS
from clarion.testing import Authority, Emulators, EmulatorThread, FcmEmulator
from clarion.testing.oauth import GRANT_TYPE

STEP = {"digest": False, "events": [], "total_count": 0}
SEND = "/v1/projects/demo-app/messages:send"


def token_form(service_account: str) -> dict[str, str]:
    account = msgspec.json.decode(service_account)
    now = system_clock() // 1000
    claims = {"iss": account["client_email"], "aud": account["token_uri"], "iat": now, "exp": now + 3600}
    claims["scope"] = "https://www.googleapis.com/auth/firebase.messaging"
    assertion = jwt.encode(claims, account["private_key"], "RS256")
    return {"grant_type": GRANT_TYPE, "assertion": assertion}


def push(token: str, message_id: str) -> dict[str, Any]:
    data = {"__nvMessageId": message_id}
    return {"message": {"token": token, "notification": {"title": "Hi", "body": "there"}, "data": data}}


def post(token: str, message_id: str) -> dict[str, Any]:
    payload = {"__nvMessageId": message_id, "subscriber": {"subscriberId": "s"}, "step": STEP}
    return {"target": [token], "title": "Hi", "content": "there", "payload": payload}


class Caller:
    """An HTTP/1.1 client with an access token."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session
        self.headers: dict[str, str] = {}

    async def log_in(self, service_account: str) -> None:
        async with self.session.post("/token", data=token_form(service_account)) as answer:
            self.headers["authorization"] = f"Bearer {(await answer.json())['access_token']}"

    async def post(self, path: str, document: Any) -> int:
        async with self.session.post(path, json=document, headers=self.headers) as answer:
            return answer.status

    async def seen(self) -> list[tuple[str, str]]:
        async with self.session.get("/_clarion/messages") as answer:
            return [(line["provider"], line["token"]) for line in await answer.json()]


def client_of(url: str, ca_file: Path) -> aiohttp.ClientSession:
    context = ssl.create_default_context(cafile=str(ca_file))
    return aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(ssl=context))


@asynccontextmanager
async def streamed(session: aiohttp.ClientSession) -> AsyncIterator[aiohttp.StreamReader]:
    """The live stream. Who leaves it early ends its connection, which closing it alone wouldn't wait for."""
    async with session.get("/_clarion/messages?stream=1") as stream:
        connection = stream.connection
        yield stream.content
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()


async def test_every_provider_answers_at_its_path_and_is_listed(tmp_path: Path) -> None:
    async with (
        Emulators.running(tmp_path) as emulators,
        client_of(emulators.url, emulators.ca_file) as session,
    ):
        caller = Caller(session)
        await caller.log_in(emulators.fcm.service_account())
        assert await caller.post(SEND, push("phone-1", "m1")) == 200
        assert await caller.post("/webhook", post("browser-1", "m2")) == 200
        assert await caller.post("/webhook/orders", post("browser-2", "m3")) == 200
        assert await caller.post("/elsewhere", {}) == 404
        listed = [("fcm", "phone-1"), ("push-webhook", "browser-1"), ("push-webhook", "browser-2")]
        assert await caller.seen() == listed
        assert [entry.message_id for entry in emulators.phones.shown("browser-1")] == ["m2"]


async def test_provider_urls_lead_to_the_server(tmp_path: Path) -> None:
    async with Emulators.running(tmp_path) as emulators:
        assert emulators.provider_urls() == dict.fromkeys(
            set(PROVIDERS) - {"sandbox", "appio"}, emulators.url
        )
        assert emulators.webhook_url == f"https://127.0.0.1:{emulators.server.port}/webhook"


async def test_the_live_stream_tells_what_was_and_what_comes(tmp_path: Path) -> None:
    async with (
        Emulators.running(tmp_path) as emulators,
        client_of(emulators.url, emulators.ca_file) as session,
    ):
        caller = Caller(session)
        await caller.post("/webhook", post("browser-1", "m1"))
        async with streamed(session) as lines:
            assert msgspec.json.decode(await lines.readline())["token"] == "browser-1"
            await caller.post("/webhook", post("browser-2", "m2"))
            second = msgspec.json.decode(await asyncio.wait_for(lines.readline(), 5))
        assert (second["token"], second["message"]["title"]) == ("browser-2", "Hi")


async def test_the_live_stream_goes_on_after_a_reset(tmp_path: Path) -> None:
    async with (
        Emulators.running(tmp_path) as emulators,
        client_of(emulators.url, emulators.ca_file) as session,
    ):
        caller = Caller(session)
        await caller.post("/webhook", post("browser-1", "m1"))
        async with streamed(session) as lines:
            await lines.readline()
            assert await caller.post("/_clarion/reset", None) == 204
            assert await caller.seen() == []
            await caller.post("/webhook", post("browser-2", "m2"))
            line = msgspec.json.decode(await asyncio.wait_for(lines.readline(), 5))
        assert line["token"] == "browser-2"


def fetch(url: str, ca_file: Path) -> Any:
    context = ssl.create_default_context(cafile=str(ca_file))
    with urllib.request.urlopen(f"{url}/_clarion/messages", context=context, timeout=10) as answer:
        return msgspec.json.decode(answer.read())


async def send_twice(emulators: EmulatorThread) -> None:
    async with client_of(emulators.url, emulators.ca_file) as session:
        caller = Caller(session)
        await caller.log_in(emulators.service_account())
        assert [await caller.post(SEND, push("flaky", "m1")) for _ in range(3)] == [503, 200, 200]
    await asyncio.sleep(0.05)  # its connections end in the next turns of a loop that has none after this


def test_emulators_run_in_a_thread_of_their_own(tmp_path: Path) -> None:
    with EmulatorThread(tmp_path, fcm=FcmEmulator(unavailable_retry_after=0)) as emulators:
        asyncio.run(send_twice(emulators))
        assert [message.token for message in emulators.wait_for_messages(2)] == ["flaky", "flaky"]
        assert [attempt.status for attempt in emulators.attempts()] == [503, 200, 200]
        assert (len(emulators.shown("flaky")), emulators.repeats("flaky")) == (1, 1)
        assert len(fetch(emulators.url, emulators.ca_file)) == 2
        emulators.reset()
        assert (emulators.messages(), emulators.deliveries()) == ([], [])


def test_waiting_in_vain_for_messages_says_how_many_there_are(tmp_path: Path) -> None:
    with EmulatorThread(tmp_path) as emulators:
        emulators.reset()
        with pytest.raises(TimeoutError, match=r"fewer than 1 arrived within 0\.01 s; there are 0"):
            emulators.wait_for_messages(1, timeout=0.01)


def test_a_thread_that_can_not_start_raises_where_it_was_started(tmp_path: Path) -> None:
    with EmulatorThread(tmp_path) as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(ClarionError, match="can't be listened on"), EmulatorThread(tmp_path, port):
            pass


def test_the_authority_outlives_the_emulators(tmp_path: Path) -> None:
    with EmulatorThread(tmp_path) as emulators:
        assert emulators.ca_file == Authority.kept_in(tmp_path).ca_file
