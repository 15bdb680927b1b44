"""What a client may do to a connection of the real server, by bytes on a socket."""

import asyncio
import time
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr

from clarion.api import connection
from clarion.api.bodies import MOST_BODY
from clarion.app import foundation
from clarion.cli.running import serving
from clarion.settings import Settings

KEY = "cl_sk_of_this_test_only"
HOST = "Host: clarion.test\r\n"
KEYED = f"{HOST}Authorization: ApiKey {KEY}\r\nContent-Type: application/json\r\n"
HEALTHY = f"GET /v1/health-check HTTP/1.1\r\n{HOST}\r\n".encode()


class Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, text: str | bytes) -> None:
        """Send bytes."""
        self.writer.write(text.encode() if isinstance(text, str) else text)
        await self.writer.drain()

    async def answer(self) -> tuple[int, Any]:
        """The status and the JSON of the next answer."""
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)).decode().lower()
        length = int(head.partition("content-length: ")[2].split("\r\n")[0])
        body = await self.reader.readexactly(length)
        return int(head.split()[1]), msgspec.json.decode(body) if body else None

    async def ended(self) -> bool:
        """Whether the server closed it, within a second."""
        return await asyncio.wait_for(self.reader.read(1), 1) == b""


@pytest.fixture
async def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A server whose patience is a third of a second."""
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(connection, "BODY_SECONDS", 0.6)
    monkeypatch.setattr(connection, "WRITE_SECONDS", 0.3)
    settings = Settings(data_dir=tmp_path, port=0, api_key=SecretStr(KEY))
    async with foundation(settings) as base, serving(base) as url:
        yield int(url.rpartition(":")[2])


@pytest.fixture
async def line(port: int) -> AsyncIterator[Line]:
    opened = Line(*await asyncio.open_connection("127.0.0.1", port))
    yield opened
    opened.writer.close()


async def test_a_connection_is_good_for_many_requests_in_any_pieces(line: Line) -> None:
    for _ in range(3):
        await line.say(HEALTHY)
        assert (await line.answer())[0] == 200
    for piece in (HEALTHY[:7], HEALTHY[7:30], HEALTHY[30:]):
        await line.say(piece)
        await asyncio.sleep(0.02)
    assert (await line.answer())[0] == 200
    await line.say(HEALTHY * 3)
    assert [(await line.answer())[0] for _ in range(3)] == [200, 200, 200]


async def test_what_is_asked_stays_open_between_requests(line: Line) -> None:
    await line.say(HEALTHY)
    await line.answer()
    await asyncio.sleep(0.8)
    await line.say(HEALTHY)
    assert (await line.answer())[0] == 200


@pytest.mark.parametrize(
    "head",
    [
        "GET /v1/health-check HTTP/1.1\r\n" + "X-Long: " + "a" * 70_000 + "\r\n\r\n",
        "GET /v1/health-check HTTP/1.1\r\n" + "X: y\r\n" * 20_000 + "\r\n",
        "GET /" + "a" * 70_000 + " HTTP/1.1\r\n\r\n",
        "GET /?" + "a" * 70_000 + " HTTP/1.1\r\n\r\n",
        "GET /v1/health-check HTTP/1.1\r\nX-Endless: " + "a" * 100_000,
    ],
    ids=["long value", "many", "long path", "long query", "endless"],
)
async def test_a_head_that_is_too_large_is_refused(line: Line, head: str) -> None:
    await line.say(head)
    status, problem = await line.answer()
    assert (status, problem["statusCode"]) == (431, 431)
    assert "exceed" in problem["message"]


async def test_a_head_of_almost_the_largest_size_is_read(line: Line) -> None:
    await line.say(f"GET /v1/health-check HTTP/1.1\r\n{HOST}X-Long: {'a' * 60_000}\r\n\r\n")
    assert (await line.answer())[0] == 200


async def test_who_says_nothing_is_sent_away(line: Line) -> None:
    assert (await line.answer())[0] == 408
    assert await line.ended()


async def test_a_head_that_drips_is_given_up(line: Line) -> None:
    began = time.monotonic()
    await line.say("GET /v1/health-check HTTP/1.1\r\n")

    async def drip() -> None:
        while True:
            await line.say("X-Slow: 1\r\n")
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    assert (await line.answer())[0] == 408
    dripping.cancel()
    assert time.monotonic() - began < 2


async def test_line_ends_between_requests_keep_nothing_open(line: Line) -> None:
    await line.say(HEALTHY)
    await line.answer()
    await line.say("\r\n")
    assert (await line.answer())[0] == 408


@pytest.mark.parametrize("way", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
async def test_a_body_that_drips_is_given_up(line: Line, way: str) -> None:
    await line.say(f"POST /v2/subscribers HTTP/1.1\r\n{KEYED}{way}\r\n\r\n")

    async def drip() -> None:
        while True:
            await line.say(b"1\r\n{\r\n" if "chunked" in way else b"{")
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    assert (await line.answer())[0] == 408
    dripping.cancel()


async def test_a_body_behind_an_answer_is_not_read_for_ever(line: Line) -> None:
    await line.say(f"POST /nowhere HTTP/1.1\r\n{KEYED}Content-Length: {MOST_BODY}\r\n\r\n")
    assert (await line.answer())[0] == 404
    assert await line.ended()


async def test_an_answer_that_nobody_reads_is_given_up(port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(f"GET /openapi.json HTTP/1.1\r\n{HOST}\r\n".encode() * 200)
    with pytest.raises(ConnectionError):
        await _keep_asking(writer)
    writer.transport.abort()


async def _keep_asking(writer: asyncio.StreamWriter) -> None:
    for _ in range(200):
        writer.write(b"GET / HTTP/1.1\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "text",
    [
        "hello\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nX: a\x00b\r\n\r\n",
        "GET / HTTP/1.1\r\n X: folded\r\n\r\n",
        "GET / HTTP/1.1\r\nX : y\r\n\r\n",
        "GET /\xff HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_two_servers_could_read_differently_is_refused(line: Line, text: str) -> None:
    await line.say(text.encode("latin-1"))
    status, problem = await line.answer()
    assert (status, problem["statusCode"]) == (400, 400)
    assert await line.ended()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity"])
@pytest.mark.parametrize("path", ["/v2/subscribers", "/v1/events/trigger"])
async def test_a_packed_body_is_not_unpacked(line: Line, path: str, encoding: str) -> None:
    packed = zlib.compress(b'{"subscriberId": "' + b"a" * (32 << 20) + b'"}')
    head = f"POST {path} HTTP/1.1\r\n{KEYED}Content-Encoding: {encoding}\r\nContent-Length: {len(packed)}"
    await line.say(f"{head}\r\n\r\n".encode() + packed)
    status, problem = await line.answer()
    assert (status, problem["statusCode"], problem["path"]) == (415, 415, path)
    assert "send it without Content-Encoding" in problem["message"]


@pytest.mark.parametrize("encoding", ["identity", "Identity ", ""])
async def test_a_body_may_say_that_it_is_not_packed(line: Line, encoding: str) -> None:
    body = b'{"subscriberId": "ada"}'
    head = f"POST /v2/subscribers HTTP/1.1\r\n{KEYED}Content-Encoding: {encoding}\r\n"
    await line.say(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    assert (await line.answer())[0] == 201


async def test_deep_json_is_refused(line: Line) -> None:
    for deep in (b'{"a":' * 200_000, b'{"a":' * 101 + b"1" + b"}" * 101):
        body = b'{"subscriberId": "a", "data": ' + deep + b"}"
        head = f"POST /v2/subscribers HTTP/1.1\r\n{KEYED}Content-Length: {len(body)}\r\n\r\n"
        await line.say(head.encode() + body)
        assert (await line.answer())[0] == 400


async def test_a_body_that_is_too_large_is_refused(line: Line) -> None:
    head = f"POST /v1/events/trigger HTTP/1.1\r\n{KEYED}Content-Length: {600_000}\r\n\r\n"
    await line.say(head.encode() + b" " * 600_000)
    assert (await line.answer())[0] == 413
