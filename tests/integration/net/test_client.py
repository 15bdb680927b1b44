"""The client against real servers: which protocol, which addresses, which error."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from clarion.errors import (
    ConnectFailed,
    ConnectionLost,
    EgressRefused,
    TimedOut,
    TlsFailed,
    TransportError,
)
from clarion.model.http import HttpRequest
from clarion.net.client import HttpClient
from clarion.net.egress import Address, EgressRule, parse_networks
from clarion.net.multiplexed import MOST_BODY
from clarion.net.tls import client_context

if TYPE_CHECKING:
    from tests.integration.net.conftest import Http1Server, Serve, ServeHttp1

LOOPBACK = EgressRule(parse_networks("127.0.0.0/8 ::1"))


@pytest.fixture
async def client(context: ssl.SSLContext) -> AsyncIterator[HttpClient]:
    made = HttpClient(context, EgressRule())
    yield made
    await made.close()


@pytest.fixture
async def allowed(context: ssl.SSLContext) -> AsyncIterator[HttpClient]:
    """A client that may call this machine even when guarded."""
    made = HttpClient(context, LOOPBACK)
    yield made
    await made.close()


def leads_to(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Lookups have these answers in turn, then the last one for good; returns the names as they are asked."""
    asked: list[str] = []

    async def look_up(host: str, port: int) -> list[Address]:
        asked.append(host)
        return [ip_address(text) for text in answers[min(len(asked), len(answers)) - 1].split()]

    monkeypatch.setattr("clarion.net.egress._look_up", look_up)
    return asked


async def test_http2_is_spoken_where_it_is_offered(serve: Serve, client: HttpClient) -> None:
    server = await serve()
    replies = await asyncio.gather(
        *(client.send(HttpRequest("POST", f"{server.origin}/echo", (), b"%d" % n)) for n in range(20))
    )
    assert [reply.body for reply in replies] == [b"%d" % n for n in range(20)]
    assert server.connections == 1


async def test_http1_is_spoken_where_http2_is_not(
    serve_http1: ServeHttp1, client: HttpClient, http1: type[Http1Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await serve_http1(http1(), tls=True)
    asked = leads_to(monkeypatch, "127.0.0.1")
    for _ in range(3):
        reply = await client.send(HttpRequest("POST", f"{server.origin}/hook", (("x-a", "b"),), b"{}"))
        assert (reply.status, reply.headers["x-seen"], reply.body) == (200, "Yes", b"ok")
    assert len(server.heads) == 3
    assert len(asked) == 2  # one connection to see what the peer speaks, one to use


async def test_callers_who_asked_together_all_fall_back(
    serve_http1: ServeHttp1, client: HttpClient, http1: type[Http1Server]
) -> None:
    server = await serve_http1(http1(), tls=True)
    replies = await asyncio.gather(*(client.send(HttpRequest("GET", server.origin)) for _ in range(10)))
    assert {reply.status for reply in replies} == {200}


async def test_a_plain_request_goes_out_as_written(
    serve_http1: ServeHttp1, client: HttpClient, http1: type[Http1Server]
) -> None:
    server = await serve_http1(http1())
    headers = (("X-Kept", "yes"), ("Host", "evil"), ("Transfer-Encoding", "chunked"))
    await client.send(HttpRequest("POST", f"{server.origin}/a%2Fb:c/%7e?q=%20+&r#part", headers, b"12345"))
    (head,) = server.heads
    assert head.startswith("POST /a%2Fb:c/%7e?q=%20+&r HTTP/1.1\r\n")
    fields = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if line)
    assert fields["host"] == f"localhost:{server.port}"
    assert fields["x-kept"] == "yes"
    assert fields["content-length"] == "5"
    assert fields["user-agent"] == "clarion"
    assert not fields.keys() & {"transfer-encoding", "cookie", "content-type"}


async def test_a_redirect_is_an_answer_and_cookies_are_forgotten(
    serve_http1: ServeHttp1, client: HttpClient, http1: type[Http1Server]
) -> None:
    reply = b"HTTP/1.1 302 Found\r\nLocation: /else\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
    server = await serve_http1(http1(reply=reply))
    for _ in range(2):
        assert (await client.send(HttpRequest("GET", server.origin))).status == 302
    assert len(server.heads) == 2
    assert not any("cookie" in head.lower() for head in server.heads)


async def test_a_packed_answer_is_unpacked_but_not_without_bound(
    serve_http1: ServeHttp1, client: HttpClient, http1: type[Http1Server]
) -> None:
    def packed(size: int) -> bytes:
        body = gzip.compress(b"x" * size)
        return b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (
            len(body),
            body,
        )

    good, bomb = (
        await serve_http1(http1(reply=packed(MOST_BODY))),
        await serve_http1(http1(reply=packed(MOST_BODY + 1))),
    )
    assert len((await client.send(HttpRequest("GET", good.origin))).body) == MOST_BODY
    with pytest.raises(TransportError, match="more than"):
        await client.send(HttpRequest("GET", bomb.origin))


@pytest.mark.parametrize(
    "url", ["https://localhost:{}", "https://127.0.0.1:{}", "https://[::ffff:7f00:1]:{}"]
)
async def test_a_guarded_request_stays_outside(serve: Serve, client: HttpClient, url: str) -> None:
    server = await serve()
    with pytest.raises(EgressRefused, match="CLARION_EGRESS_ALLOW") as caught:
        await client.send(HttpRequest("GET", url.format(server.port)), guarded=True)
    assert caught.value.unprocessed
    assert server.connections == 0


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::ffff:127.0.0.1]"],
)
async def test_a_guarded_plain_request_stays_outside(
    serve_http1: ServeHttp1, client: HttpClient, http1: type[Http1Server], host: str
) -> None:
    server = await serve_http1(http1())
    with pytest.raises(EgressRefused) as caught:
        await client.send(HttpRequest("GET", f"http://{host}:{server.port}/"), guarded=True)
    assert caught.value.unprocessed
    assert server.connections == 0


async def test_guarded_and_unguarded_requests_share_no_connection(
    serve: Serve, serve_http1: ServeHttp1, client: HttpClient, http1: type[Http1Server]
) -> None:
    for origin in ((await serve()).origin, (await serve_http1(http1())).origin):
        assert (await client.send(HttpRequest("GET", origin))).status == 200
        with pytest.raises(EgressRefused):
            await client.send(HttpRequest("GET", origin), guarded=True)


async def test_an_allowed_network_is_reached_guarded(
    serve: Serve, serve_http1: ServeHttp1, allowed: HttpClient, http1: type[Http1Server]
) -> None:
    for origin in ((await serve()).origin, (await serve_http1(http1())).origin):
        assert (await allowed.send(HttpRequest("GET", origin), guarded=True)).status == 200


async def test_the_checked_address_is_the_one_called(
    serve: Serve, allowed: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads elsewhere when asked again is asked once."""
    server = await serve()
    asked = leads_to(monkeypatch, "127.0.0.1", "10.0.0.1")
    assert (await allowed.send(HttpRequest("GET", server.origin), guarded=True)).status == 200
    assert asked == ["localhost"]


async def test_the_checked_address_is_the_one_called_over_http1(
    serve_http1: ServeHttp1,
    allowed: HttpClient,
    http1: type[Http1Server],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = await serve_http1(http1())
    asked = leads_to(monkeypatch, "127.0.0.1", "10.0.0.1")
    assert (await allowed.send(HttpRequest("GET", server.origin), guarded=True)).status == 200
    assert asked == ["localhost"]


async def test_the_next_address_is_tried_when_one_refuses(
    serve: Serve, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await serve()
    leads_to(monkeypatch, "127.0.0.2 127.0.0.1")
    assert (await client.send(HttpRequest("GET", server.origin))).status == 200


async def test_an_address_that_speaks_http1_ends_the_search(
    serve_http1: ServeHttp1, client: HttpClient, http1: type[Http1Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await serve_http1(http1(), tls=True)
    leads_to(monkeypatch, "127.0.0.1 127.0.0.2")
    assert (await client.send(HttpRequest("GET", server.origin))).status == 200


async def test_a_stranger_is_not_trusted(
    serve: Serve, serve_http1: ServeHttp1, http1: type[Http1Server]
) -> None:
    client = HttpClient(client_context(), EgressRule())
    for origin in ((await serve()).origin, (await serve_http1(http1(), tls=True)).origin):
        with pytest.raises(TlsFailed, match="CLARION_CA_FILE") as caught:
            await client.send(HttpRequest("GET", origin))
        assert caught.value.unprocessed
    await client.close()


async def test_a_certificate_for_another_name_is_not_trusted(
    serve: Serve, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await serve()
    leads_to(monkeypatch, "127.0.0.1")
    with pytest.raises(TlsFailed):
        await client.send(HttpRequest("GET", f"https://other.example:{server.port}/"))


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_closed_port_is_a_failed_connection(client: HttpClient, scheme: str) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"{scheme}://127.0.0.1:{reserved.getsockname()[1]}/"
        with pytest.raises(ConnectFailed) as caught:
            await client.send(HttpRequest("GET", url))
    assert caught.value.unprocessed


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_an_unknown_name_is_a_failed_connection(client: HttpClient, scheme: str) -> None:
    with pytest.raises(ConnectFailed) as caught:
        await client.send(HttpRequest("GET", f"{scheme}://{'x' * 70}.invalid/"))
    assert caught.value.unprocessed


@pytest.mark.parametrize("tls", [False, True])
async def test_silence_ends_in_time(
    serve_http1: ServeHttp1, client: HttpClient, http1: type[Http1Server], tls: bool
) -> None:
    server = await serve_http1(http1(reply=None), tls=tls)
    with pytest.raises(TimedOut):
        await client.send(HttpRequest("GET", server.origin), timeout=0.3)
    assert len(server.heads) == 1


async def test_the_timeout_covers_connecting(client: HttpClient) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        with pytest.raises(TimedOut) as caught:
            await client.send(HttpRequest("GET", f"https://127.0.0.1:{mute.getsockname()[1]}/"), timeout=0.2)
    assert caught.value.unprocessed


async def test_a_connection_cut_before_the_answer_is_lost(
    serve_http1: ServeHttp1, client: HttpClient, http1: type[Http1Server]
) -> None:
    server = await serve_http1(http1(cut=True))
    with pytest.raises(ConnectionLost) as caught:
        await client.send(HttpRequest("POST", server.origin, (), b"{}"))
    assert not caught.value.unprocessed


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "https:///path",
        "//example.com",
        "https://user:secret@example.com/",
        "http://example.com:99999/",
        "https://example.com/a b",
        "https://example.com/\r\nx: y",
        "https://exämple.com/",
    ],
)
async def test_a_url_that_is_none_is_refused_without_repeating_it(client: HttpClient, url: str) -> None:
    with pytest.raises(TransportError) as caught:
        await client.send(HttpRequest("GET", url))
    assert caught.value.unprocessed
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("header", [("x-a", "b\r\nx-c: d"), ("x a", "b")])
async def test_a_header_that_would_break_out_of_plain_http_is_refused(
    serve_http1: ServeHttp1, client: HttpClient, http1: type[Http1Server], header: tuple[str, str]
) -> None:
    server = await serve_http1(http1())
    with pytest.raises(TransportError) as caught:
        await client.send(HttpRequest("GET", server.origin, (header,)))
    assert caught.value.unprocessed
    assert server.heads == []


async def test_what_the_peer_speaks_is_asked_again_after_a_while(
    serve_http1: ServeHttp1, client: HttpClient, http1: type[Http1Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await serve_http1(http1(), tls=True)
    asked = leads_to(monkeypatch, "127.0.0.1")
    monkeypatch.setattr("clarion.net.client._HTTP1_REMEMBERED", 0.0)
    await client.send(HttpRequest("GET", server.origin))
    await client.send(HttpRequest("GET", server.origin))
    assert len(asked) == 3


async def test_a_peer_that_fails_over_http1_is_asked_again(
    serve_http1: ServeHttp1, client: HttpClient, http1: type[Http1Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await serve_http1(http1(cut=True), tls=True)
    asked = leads_to(monkeypatch, "127.0.0.1")
    with pytest.raises(ConnectionLost):
        await client.send(HttpRequest("POST", server.origin))
    assert len(asked) == 2
    server.cut = False
    assert (await client.send(HttpRequest("POST", server.origin))).status == 200
    assert len(asked) == 3


async def test_origins_without_a_connection_are_forgotten(
    client: HttpClient, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clarion.net.client._MOST_ROUTES", 2)
    server = await serve()
    await client.send(HttpRequest("GET", server.origin))
    for number in range(5):
        with pytest.raises(ConnectFailed):
            await client.send(HttpRequest("GET", f"https://{'x' * 70}.n{number}.invalid/"))
    assert (await client.send(HttpRequest("GET", server.origin))).status == 200
    assert server.connections == 1
    assert len(client._routes[False, ""]) == 2
