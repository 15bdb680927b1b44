"""Where a URL that somebody else chose leads to, by connecting for real: never to where Clarion runs."""

import ssl
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from clarion.errors import ConnectFailed, EgressRefused, NotSendable, TransportError
from clarion.model.http import HttpRequest
from clarion.net import egress
from clarion.net.client import HttpClient
from clarion.net.egress import Address, EgressRule
from hostile import HOSTILE, MISREAD, NAMES

NEVER_CONNECTED = (EgressRefused, NotSendable, ConnectFailed)


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of the list lead to what it says, everything else to what the system says."""
    ask_system = egress._look_up

    async def look_up(host: str, port: int) -> list[Address]:
        if host in NAMES:
            return [ip_address(text) for text in NAMES[host]]
        if host.endswith("example"):
            raise ConnectFailed(f"{host} is not known", unprocessed=True)
        return await ask_system(host, port)

    monkeypatch.setattr(egress, "_look_up", look_up)


@asynccontextmanager
async def opened(context: ssl.SSLContext, *allow: str) -> AsyncIterator[HttpClient]:
    client = HttpClient(context, EgressRule([ip_network(text) for text in allow]))
    try:
        yield client
    finally:
        await client.close()


def posted(url: str) -> HttpRequest:
    return HttpRequest("POST", url, (), b"{}")


def test_the_list_is_long_and_has_no_entry_twice() -> None:
    assert len(HOSTILE) == len(set(HOSTILE)) >= 100


@pytest.mark.parametrize("url", HOSTILE)
async def test_a_hostile_url_connects_to_nothing(
    url: str, context: ssl.SSLContext, serve_http1: Any, http1: Any
) -> None:
    trap = await serve_http1(http1())
    async with opened(context) as client:
        with pytest.raises(NEVER_CONNECTED) as caught:
            await client.send(posted(url.replace("{port}", str(trap.port))), guarded=True, timeout=5)
    assert caught.value.unprocessed
    assert trap.connections == 0
    if url not in MISREAD and url.startswith("http") and "+" not in url:
        assert isinstance(caught.value, EgressRefused), caught.value


async def test_the_trap_catches_what_is_not_guarded(
    context: ssl.SSLContext, serve_http1: Any, http1: Any
) -> None:
    trap = await serve_http1(http1())
    async with opened(context) as client:
        for host in ("127.0.0.1", "0x7f000001", "localhost.example"):
            await client.send(posted(f"http://{host}:{trap.port}/"), guarded=False)
    assert trap.connections == 3


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_name_that_changes_its_answer_gains_nothing(
    scheme: str, context: ssl.SSLContext, serve_http1: Any, http1: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address that was checked is the one connected to: the name is looked up once a connection."""
    trap = await serve_http1(http1())
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[Address]:
        asked.append(host)
        return [ip_address("127.0.0.2" if len(asked) == 1 else "127.0.0.1")]

    monkeypatch.setattr(egress, "_look_up", rebinding)
    async with opened(context, "127.0.0.2/32") as client:
        url = f"{scheme}://rebinding.test:{trap.port}/"
        # Nothing listens on 127.0.0.2: that it is refused there shows that the first answer was used.
        with pytest.raises(ConnectFailed, match=r"rebinding\.test"):
            await client.send(posted(url), guarded=True, timeout=5)
        assert asked == ["rebinding.test"]
    async with opened(context, "127.0.0.2/32") as client:
        with pytest.raises(EgressRefused):
            await client.send(posted(url), guarded=True, timeout=5)
    assert trap.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_not_followed(
    status: int, context: ssl.SSLContext, serve_http1: Any, http1: Any
) -> None:
    trap = await serve_http1(http1())
    reply = f"HTTP/1.1 {status} Go\r\nLocation: {trap.origin}/\r\nContent-Length: 0\r\n\r\n"
    sends_on = await serve_http1(http1(reply=reply.encode()))
    async with opened(context, "127.0.0.0/8") as client:
        answer = await client.send(posted(f"http://127.0.0.1:{sends_on.port}/"), guarded=True)
    assert (answer.status, trap.connections) == (status, 0)


async def test_a_proxy_of_the_environment_is_not_asked(
    context: ssl.SSLContext, serve_http1: Any, http1: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = await serve_http1(http1())
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, trap.origin)
    async with opened(context) as client:
        with pytest.raises(EgressRefused):
            await client.send(posted("http://inside.example/"), guarded=True)
    assert trap.connections == 0


async def test_an_endless_answer_is_cut_and_a_silent_one_given_up(
    context: ssl.SSLContext, serve_http1: Any, http1: Any
) -> None:
    endless = await serve_http1(
        http1(reply=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"8000\r\n" + b"x" * 0x8000)
    )
    silent = await serve_http1(http1(reply=None))
    async with opened(context, "127.0.0.0/8") as client:
        for server in (endless, silent):
            with pytest.raises(TransportError):
                await client.send(posted(f"http://127.0.0.1:{server.port}/"), guarded=True, timeout=0.5)


async def test_a_small_answer_that_unpacks_to_a_large_one_is_cut(
    context: ssl.SSLContext, serve_http1: Any, http1: Any
) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = packer.compress(bytes(64 << 20)) + packer.flush()
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
    server = await serve_http1(http1(reply=head.encode() + bomb))
    async with opened(context, "127.0.0.0/8") as client:
        with pytest.raises(TransportError, match="answered with more than"):
            await client.send(posted(f"http://127.0.0.1:{server.port}/"), guarded=True)
