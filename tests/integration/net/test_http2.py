"""The HTTP/2 pool against a real server, on both engines."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from clarion.errors import ConnectFailed, ConnectionLost, TimedOut, TransportError
from clarion.model.http import HttpReply, HttpRequest
from clarion.net.engines import MakeEngine, best_engine
from clarion.net.h2_engine import H2Engine
from clarion.net.http2 import MOST_TRIES, Http2Pool
from clarion.net.multiplexed import MOST_BODY, Patience
from clarion.net.ngh2_engine import Ngh2Engine

if TYPE_CHECKING:
    from tests.integration.net.conftest import H2Server, Serve

HASTY = Patience(sweep=0.02, rest=0.05)


@pytest.fixture(params=[Ngh2Engine, H2Engine])
def make_engine(request: pytest.FixtureRequest) -> MakeEngine:
    engine: MakeEngine = request.param
    return engine


class Opener:
    """Makes pools for a server and counts what they dial."""

    def __init__(self, context: ssl.SSLContext, make_engine: MakeEngine) -> None:
        self.context = context
        self.make_engine = make_engine
        self.dialed = 0
        self.broken = False

    @asynccontextmanager
    async def __call__(
        self, server: H2Server, *, most_connections: int = 20, patience: Patience = HASTY
    ) -> AsyncIterator[Http2Pool]:
        async def dial(protocol: asyncio.Protocol) -> None:
            self.dialed += 1
            if self.broken:
                raise ConnectFailed("no way there", unprocessed=True)
            await asyncio.get_running_loop().create_connection(
                lambda: protocol, "127.0.0.1", server.port, ssl=self.context, server_hostname="localhost"
            )

        pool = Http2Pool(
            server.origin,
            dial,
            most_connections=most_connections,
            make_engine=self.make_engine,
            patience=patience,
        )
        yield pool
        await pool.close()


@pytest.fixture
def opened(context: ssl.SSLContext, make_engine: MakeEngine) -> Opener:
    return Opener(context, make_engine)


async def ask(
    pool: Http2Pool, server: H2Server, path: str = "/echo", body: bytes = b"", timeout: float = 5.0
) -> HttpReply:
    request = HttpRequest("POST", server.origin + path, (("x-request-id", "r1"),), body)
    return await pool.send(request, asyncio.get_running_loop().time() + timeout)


async def numbered(pool: Http2Pool, server: H2Server, count: int, at_once: int) -> list[HttpReply]:
    """Send `count` requests with `at_once` in flight; every reply must carry its own number."""
    replies: list[HttpReply] = []
    numbers = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            reply = await ask(pool, server, "/echo", b"%d" % number, timeout=20)
            assert reply.body == b"%d" % number
            replies.append(reply)

    await asyncio.gather(*(worker() for _ in range(at_once)))
    return replies


async def test_an_answer_carries_status_headers_and_body(serve: Serve, opened: Opener) -> None:
    server = await serve()
    async with opened(server) as pool:
        reply = await ask(pool, server, "/echo", b"hello")
    assert (reply.status, reply.headers, reply.body) == (200, {"x-request-id": "r1"}, b"hello")


async def test_the_path_goes_out_as_given(serve: Serve, opened: Opener) -> None:
    server = await serve()
    async with opened(server) as pool:
        for path in ("/v1/projects/x/messages:send", "/a%2Fb/%7e?q=%20&r=a+b", "?q=1", "", "/x#part"):
            await ask(pool, server, path)
    assert server.paths == ["/v1/projects/x/messages:send", "/a%2Fb/%7e?q=%20&r=a+b", "/?q=1", "/", "/x"]


async def test_fields_of_the_connection_stay_behind(serve: Serve, opened: Opener) -> None:
    server = await serve()
    headers = (("Host", "evil"), ("connection", "close"), ("Content-Length", "9"), ("X-Kept", "yes"))
    async with opened(server) as pool:
        request = HttpRequest("POST", f"{server.origin}/echo", headers, b"four")
        await pool.send(request, asyncio.get_running_loop().time() + 5)
    (seen,) = server.headers
    assert seen[":authority"] == f"localhost:{server.port}"
    assert seen["content-length"] == "4"
    assert seen["x-kept"] == "yes"
    assert seen["user-agent"] == "clarion"
    assert not seen.keys() & {"host", "connection"}


@pytest.mark.parametrize("header", [("x-a", "b\r\nx-c: d"), ("x a", "b"), ("", "b")])
async def test_a_header_that_would_break_out_is_refused(
    serve: Serve, opened: Opener, header: tuple[str, str]
) -> None:
    server = await serve()
    async with opened(server) as pool:
        with pytest.raises(TransportError) as caught:
            await pool.send(HttpRequest("GET", server.origin, (header,)), 0)
    assert caught.value.unprocessed
    assert server.connections == 0


async def test_calls_share_one_connection(serve: Serve, opened: Opener) -> None:
    server = await serve()
    async with opened(server) as pool:
        assert len(await numbered(pool, server, 300, at_once=50)) == 300
    assert server.connections == 1
    assert server.resets == []


async def test_a_body_larger_than_every_window_arrives(serve: Serve, opened: Opener) -> None:
    server = await serve()
    body = bytes(range(256)) * 1200
    async with opened(server) as pool:
        replies = await asyncio.gather(*(ask(pool, server, "/echo", body) for _ in range(3)))
    assert all(reply.body == body for reply in replies)


async def test_the_largest_answer_is_read_and_a_larger_one_is_not(serve: Serve, opened: Opener) -> None:
    server = await serve()
    async with opened(server) as pool:
        assert len((await ask(pool, server, f"/big?{MOST_BODY}")).body) == MOST_BODY
        with pytest.raises(TransportError, match="more than 1048576 bytes"):
            await ask(pool, server, f"/big?{MOST_BODY + 1}")
        assert (await ask(pool, server)).status == 200
    assert server.connections == 1


async def test_an_answer_before_the_end_of_the_body_counts(serve: Serve, opened: Opener) -> None:
    server = await serve()
    async with opened(server) as pool:
        reply = await ask(pool, server, "/early", b"x" * 300_000)
        assert (reply.status, reply.body) == (413, b"too large")
        assert (await ask(pool, server)).status == 200


async def test_nothing_is_lost_when_the_server_keeps_saying_goodbye(serve: Serve, opened: Opener) -> None:
    server = await serve(goaway_every=100)
    async with opened(server) as pool:
        assert len(await numbered(pool, server, 2000, at_once=100)) == 2000
    assert server.connections >= 20
    assert len(server.paths) == 2000


async def test_more_in_flight_than_a_connection_answers_is_no_failure(serve: Serve, opened: Opener) -> None:
    server = await serve(goaway_every=5)
    async with opened(server) as pool:
        assert len(await numbered(pool, server, 100, at_once=100)) == 100
    assert len(server.paths) == 100


async def test_a_connection_is_closed_once_its_last_call_is_answered(serve: Serve, opened: Opener) -> None:
    server = await serve(goaway_every=1)
    async with opened(server) as pool:
        await ask(pool, server)
        async with asyncio.timeout(5):
            while server.live or not pool.idle:
                await asyncio.sleep(0.01)


async def test_what_was_never_written_goes_to_another_connection(serve: Serve, opened: Opener) -> None:
    server = await serve()
    async with opened(server) as pool:
        await ask(pool, server)
        unwritten = asyncio.ensure_future(ask(pool, server))
        await asyncio.sleep(0)
        pool._connections[0].abort()
        assert (await unwritten).status == 200
    assert len(server.paths) == 2


async def test_a_refused_call_goes_to_another_connection(serve: Serve, opened: Opener) -> None:
    server = await serve(refusals=1)
    async with opened(server) as pool:
        assert (await ask(pool, server, "/refuse")).status == 200
    assert server.connections == 2


async def test_a_refused_call_comes_back_when_there_may_be_no_other_connection(
    serve: Serve, opened: Opener
) -> None:
    server = await serve(refusals=2)
    async with opened(server, most_connections=1) as pool:
        assert (await ask(pool, server, "/refuse")).status == 200
    assert server.connections == 1


async def test_refusals_end_in_an_error_that_says_nothing_happened(serve: Serve, opened: Opener) -> None:
    server = await serve(refusals=1000)
    async with opened(server) as pool:
        with pytest.raises(ConnectionLost) as caught:
            await ask(pool, server, "/refuse")
    assert caught.value.unprocessed
    assert len(server.paths) == MOST_TRIES


@pytest.mark.parametrize("path", ["/reset", "/cut"])
async def test_a_call_that_broke_off_may_have_been_processed(serve: Serve, opened: Opener, path: str) -> None:
    server = await serve()
    async with opened(server) as pool:
        with pytest.raises(ConnectionLost) as caught:
            await ask(pool, server, path)
        assert not caught.value.unprocessed
        assert (await ask(pool, server)).status == 200


async def test_a_lost_connection_fails_every_open_call(serve: Serve, opened: Opener) -> None:
    server = await serve()
    async with opened(server) as pool:
        calls = [asyncio.ensure_future(ask(pool, server, "/silent")) for _ in range(10)]
        while len(server.paths) < 10:
            await asyncio.sleep(0.005)
        next(iter(server.live)).transport.abort()
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(result, ConnectionLost) for result in results)
        assert (await ask(pool, server)).status == 200


async def test_silence_ends_at_the_deadline_and_resets_only_that_stream(serve: Serve, opened: Opener) -> None:
    server = await serve()
    async with opened(server) as pool:
        with pytest.raises(TimedOut) as caught:
            await ask(pool, server, "/silent", timeout=0.1)
        assert not caught.value.unprocessed
        assert (await ask(pool, server)).status == 200
    assert server.resets == [8]
    assert server.connections == 1


async def test_a_cancelled_caller_resets_only_its_stream(serve: Serve, opened: Opener) -> None:
    server = await serve()
    async with opened(server) as pool:
        silent = asyncio.ensure_future(ask(pool, server, "/silent"))
        await server.arrived.wait()
        silent.cancel()
        with pytest.raises(asyncio.CancelledError):
            await silent
        assert (await ask(pool, server)).status == 200
    assert server.resets == [8]
    assert server.connections == 1


async def test_cancelling_right_after_sending_harms_nobody(serve: Serve, opened: Opener) -> None:
    server = await serve()
    async with opened(server) as pool:
        await ask(pool, server)
        for _ in range(20):
            doomed = [asyncio.ensure_future(ask(pool, server)) for _ in range(20)]
            await asyncio.sleep(0)
            for call in doomed:
                call.cancel()
            assert (await ask(pool, server)).status == 200
    assert server.connections == 1


async def test_the_peers_stream_limit_is_kept(serve: Serve, opened: Opener) -> None:
    server = await serve(most_streams=2)
    async with opened(server, most_connections=3) as pool:
        assert len(await numbered(pool, server, 120, at_once=40)) == 120
    assert server.most_open <= 2
    assert 1 < server.connections <= 3


async def test_waiting_calls_start_in_the_order_they_came(serve: Serve, opened: Opener) -> None:
    server = await serve(most_streams=1)
    async with opened(server, most_connections=1) as pool:
        await asyncio.gather(*(ask(pool, server, f"/echo?{number}") for number in range(30)))
    assert server.paths == [f"/echo?{number}" for number in range(30)]


async def test_a_call_that_never_got_a_stream_was_not_processed(serve: Serve, opened: Opener) -> None:
    server = await serve(most_streams=1)
    async with opened(server, most_connections=1) as pool:
        hog = asyncio.ensure_future(ask(pool, server, "/silent", timeout=0.4))
        await server.arrived.wait()
        with pytest.raises(TimedOut) as caught:
            await ask(pool, server, timeout=0.1)
        assert caught.value.unprocessed
        with pytest.raises(TimedOut):
            await hog
        assert (await ask(pool, server)).status == 200
    assert "/echo" in server.paths
    assert len(server.paths) == 2


async def test_a_failed_dial_fails_those_who_wait(serve: Serve, opened: Opener) -> None:
    server = await serve()
    opened.broken = True
    async with opened(server) as pool:
        results = await asyncio.gather(*(ask(pool, server) for _ in range(300)), return_exceptions=True)
        assert all(isinstance(result, ConnectFailed) and result.unprocessed for result in results)
        assert opened.dialed == 1
        opened.broken = False
        assert (await ask(pool, server)).status == 200


async def test_a_further_connection_that_fails_harms_nobody(serve: Serve, opened: Opener) -> None:
    server = await serve(most_streams=1)
    async with opened(server) as pool:
        await ask(pool, server)
        opened.broken = True
        assert len(await numbered(pool, server, 20, at_once=5)) == 20
    assert opened.dialed > 1
    assert server.connections == 1


async def test_a_peer_that_never_greets_is_a_failed_connection(serve: Serve, opened: Opener) -> None:
    server = await serve(greets=False)
    async with opened(server, patience=Patience(sweep=0.02, dial=0.1)) as pool:
        with pytest.raises(ConnectFailed) as caught:
            await ask(pool, server)
    assert caught.value.unprocessed


async def test_a_silent_connection_is_pinged_and_kept_when_it_answers(serve: Serve, opened: Opener) -> None:
    server = await serve()
    async with opened(server, patience=Patience(sweep=0.02, quiet=0.05, answer=0.3)) as pool:
        with pytest.raises(TimedOut):
            await ask(pool, server, "/silent", timeout=0.6)
        assert (await ask(pool, server)).status == 200
    assert server.pings >= 1
    assert server.connections == 1


async def test_a_dead_connection_is_dropped(serve: Serve, opened: Opener) -> None:
    server = await serve(deaf_to_pings=True)
    async with opened(server, patience=Patience(sweep=0.02, quiet=0.05, answer=0.1)) as pool:
        with pytest.raises(ConnectionLost):
            await ask(pool, server, "/silent")
        assert (await ask(pool, server)).status == 200
    assert server.connections == 2


async def test_an_idle_connection_is_closed(serve: Serve, opened: Opener) -> None:
    server = await serve()
    async with opened(server, patience=Patience(sweep=0.02, idle=0.1)) as pool:
        await ask(pool, server)
        async with asyncio.timeout(5):
            while server.live or not pool.idle:
                await asyncio.sleep(0.01)
        assert (await ask(pool, server)).status == 200
    assert server.connections == 2


async def test_closing_fails_open_calls_and_later_ones(serve: Serve, opened: Opener) -> None:
    server = await serve()
    async with opened(server) as pool:
        open_call = asyncio.ensure_future(ask(pool, server, "/silent"))
        await server.arrived.wait()
        await pool.close()
        with pytest.raises(ConnectionLost):
            await open_call
        with pytest.raises(ConnectionLost, match="was closed"):
            await ask(pool, server)


def test_h2_steps_in_where_libnghttp2_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert best_engine() is Ngh2Engine
    monkeypatch.setitem(sys.modules, "clarion.net.ngh2_engine", None)
    assert best_engine() is H2Engine
