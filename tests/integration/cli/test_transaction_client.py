"""What asks for a transaction, against a server that answers as told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import web

from clarion.cli import transaction_client as module
from clarion.cli.caller import ApiCaller, CallFailed
from clarion.cli.transaction_client import TransactionClient
from looks import seen

GOOD = msgspec.json.encode({"data": seen(delivered=7)})
Answer = tuple[int, bytes]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(module, "UNKNOWN_SECONDS", 0.2)
    monkeypatch.setattr(module, "AWAY_SECONDS", 0.2)


class Server:
    """Gives its answers one after the other, the last one again and again; None cuts the connection."""

    def __init__(self, *answers: Answer | None) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, str]] = []
        self.authorization: set[str | None] = set()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.raw_path))
        self.authorization.add(request.headers.get("authorization"))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if answer is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.Response(status=answer[0], body=answer[1])


@asynccontextmanager
async def asking(server: Server, transaction_id: str = "txn_1") -> AsyncIterator[TransactionClient]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with ApiCaller(f"http://127.0.0.1:{port}/", "cl_sk_x") as api:
        yield TransactionClient(api, transaction_id)
    await runner.cleanup()


async def test_what_is_not_worked_on_yet_is_asked_for_again() -> None:
    server = Server((404, b"{}"), (404, b"{}"), (200, GOOD))
    async with asking(server) as client:
        assert (await client.look()).delivered == 7
    assert server.asked == [("GET", "/v1/transactions/txn_1")] * 3
    assert server.authorization == {"ApiKey cl_sk_x"}


async def test_an_outage_in_between_is_outlasted() -> None:
    async with asking(Server((200, GOOD), None, (503, b""), (200, GOOD))) as client:
        await client.look()
        assert (await client.look()).delivered == 7


async def test_an_outage_that_lasts_is_told() -> None:
    async with asking(Server((200, GOOD), None)) as client:
        await client.look()
        with pytest.raises(CallFailed, match=r"http://127\.0\.0\.1:\d+ can't be reached \("):
            await client.look()


async def test_what_stays_unknown_is_told() -> None:
    async with asking(Server((404, b"{}"))) as client:
        with pytest.raises(CallFailed, match="transaction txn_1 is not known at"):
            await client.look()


async def test_a_refusal_is_told_at_once_in_the_servers_words() -> None:
    server = Server((401, b'{"message": "no such key"}'))
    async with asking(server) as client:
        with pytest.raises(CallFailed, match="answered 401: no such key"):
            await client.look()
    assert len(server.asked) == 1


@pytest.mark.parametrize("answer", [(200, b"<html>"), (200, b'{"data": {}}'), (400, b"<html>")])
async def test_another_server_is_recognised(answer: Answer) -> None:
    async with asking(Server(answer)) as client:
        with pytest.raises(CallFailed, match="correct --url"):
            await client.look()


async def test_acting_goes_to_the_calls_of_the_contract() -> None:
    server = Server((200, GOOD), (200, GOOD), (200, b'{"data": true}'))
    async with asking(server, "a/b c") as client:
        await client.pause()
        await client.resume()
        assert await client.cancel() is True
    assert server.asked == [
        ("POST", "/v1/transactions/a%2Fb%20c/pause"),
        ("POST", "/v1/transactions/a%2Fb%20c/resume"),
        ("DELETE", "/v1/events/trigger/a%2Fb%20c"),
    ]
