"""The emulators' HTTP/1.1 side, over TLS."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from clarion.errors import ClarionError
from clarion.testing import Authority, EmulatorServer, GoAway, RefuseStream, Reply, Request, Reset
from clarion.testing.exchange import Answer


async def chunks() -> AsyncGenerator[bytes, None]:
    yield b"one\n"
    yield b""
    yield b"two\n"


async def handle(request: Request) -> Answer:
    match request.route:
        case "/goaway":
            return GoAway(Reply(200, (), b"bye"))
        case "/refuse":
            return RefuseStream()
        case "/reset":
            return Reset()
        case "/stream":
            return Reply(200, (), chunks())
        case "/empty":
            return Reply(204)
    return Reply(200, (("x-path", request.path), ("x-host", request.headers["host"])), request.body)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.kept_in(tmp_path)


@pytest.fixture
async def server(authority: Authority) -> AsyncIterator[EmulatorServer]:
    async with EmulatorServer(handle, authority.server_context()) as running:
        yield running


@pytest.fixture
async def client(authority: Authority, server: EmulatorServer) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(ssl=authority.client_context())
    async with aiohttp.ClientSession(server.url, connector=connector) as session:
        yield session


async def raw(authority: Authority, server: EmulatorServer, *pieces: bytes) -> bytes:
    """What the server answers to bytes, until it closes the connection."""
    context = authority.client_context("http/1.1")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=context)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_request_arrives_as_it_was_sent(
    server: EmulatorServer, client: aiohttp.ClientSession
) -> None:
    async with client.post("/echo:x?a=1", data=b"body") as answer:
        assert (answer.status, await answer.read()) == (200, b"body")
        assert answer.headers["x-path"] == "/echo:x?a=1"
        assert answer.headers["x-host"] == f"127.0.0.1:{server.port}"


async def test_a_connection_is_used_again(server: EmulatorServer, client: aiohttp.ClientSession) -> None:
    for _ in range(3):
        async with client.post("/echo", data=b"body") as answer:
            await answer.read()
    assert server.connections_opened == 1


async def test_a_large_body_passes_both_ways(client: aiohttp.ClientSession) -> None:
    body = bytes(range(256)) * 3072
    async with client.post("/echo", data=body, expect100=True) as answer:
        assert await answer.read() == body


async def test_a_goaway_closes_the_connection_after_the_answer(
    server: EmulatorServer, client: aiohttp.ClientSession
) -> None:
    async with client.post("/goaway") as answer:
        assert (await answer.read(), answer.headers["connection"]) == (b"bye", "close")
    async with client.post("/echo", data=b"x") as answer:
        assert answer.status == 200
    assert server.connections_opened == 2


async def test_a_refused_request_gets_no_answer(client: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.post("/refuse")


async def test_a_reset_is_a_reset_of_tcp(client: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.ClientOSError, match="reset by peer"):
        await client.post("/reset")


async def test_a_stream_is_sent_in_chunks(client: aiohttp.ClientSession) -> None:
    async with client.get("/stream") as answer:
        assert await answer.read() == b"one\ntwo\n"
    async with client.get("/echo") as answer:
        assert answer.status == 200


async def test_head_and_204_have_no_body(server: EmulatorServer, client: aiohttp.ClientSession) -> None:
    async with client.head("/echo", data=b"body") as answer:
        assert (answer.headers["content-length"], await answer.read()) == ("4", b"")
    async with client.get("/empty") as answer:
        assert (answer.status, "content-length" in answer.headers) == (204, False)
    assert server.connections_opened == 1


async def test_pipelined_requests_are_answered_in_order(authority: Authority, server: EmulatorServer) -> None:
    first = b"POST /1 HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n1"
    second = b"GET /2 HTTP/1.1\r\nhost: a\r\n\r\n"
    last = b"GET /3 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    answer = await raw(authority, server, first + second[:9], second[9:] + last)
    places = [answer.index(b"x-path: /%d" % number) for number in (1, 2, 3)]
    assert places == sorted(places)
    assert answer.count(b"HTTP/1.1 200 OK") == 3


async def test_what_is_not_http_is_answered_400(authority: Authority, server: EmulatorServer) -> None:
    answer = await raw(authority, server, b"HELLO\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")


async def test_a_body_beyond_the_bound_is_answered_413(authority: Authority, server: EmulatorServer) -> None:
    head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4194305\r\n\r\n"
    answer = await raw(authority, server, head + b"x" * 4194305)
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_client_that_does_not_trust_the_authority_is_not_served(server: EmulatorServer) -> None:
    async with aiohttp.ClientSession(server.url) as session:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get("/echo")
    assert server.connections_opened == 0


async def test_tls_below_1_2_is_not_spoken(authority: Authority) -> None:
    assert authority.server_context().minimum_version is ssl.TLSVersion.TLSv1_2


async def test_a_taken_port_says_what_to_do(authority: Authority, server: EmulatorServer) -> None:
    with pytest.raises(ClarionError, match="choose another one, or 0 for any that is free"):
        async with EmulatorServer(handle, authority.server_context(), port=server.port):
            pass
