"""How many triggers one API process accepts a second, each durable before its 201.

`clarion api` (authentication, validation, documented headers) on each footing against a bare ASGI handler on
the same server that reads the body and stores nothing. The server has one core, the client the other (with
PostgreSQL, when it is measured); rounds of all alternate. Every answer is checked, and the journal counted.

    python benchmarks/accept.py [--seconds 5] [--rounds 3] [--connections 64] [--on sqlite postgresql]
"""

import argparse
import asyncio
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import httpx
import msgspec
import uvloop
from sqlalchemy.engine import Connection

from clarion.model.trigger import Accepted
from clarion.store.database import Database
from clarion.store.dialect import run, sql
from footing import Footing, footing
from results import keep

KEY = "cl_sk_benchmark"
EVENT = (
    b'{"name":"welcome","to":{"subscriberId":"user-%06d"},'
    b'"payload":{"text":"Your parcel is on its way","id":1042}}'
)
BULK = 100
BARE = """
import uvicorn
async def app(scope, receive, send):
    await receive()
    body = b'{"data":{"acknowledged":true,"status":"processed","transactionId":"txn"}}'
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": body})
uvicorn.run(app, host="127.0.0.1", port={port}, http="httptools", loop="uvloop", lifespan="off",
            access_log=False, log_level="error", server_header=False, date_header=False)
"""


class Load(NamedTuple):
    """What one call asks: how many triggers, where."""

    path: str
    events: int

    def body(self, number: int) -> bytes:
        """The body of a call; every trigger is for another subscriber."""
        if self.events == 1:
            return EVENT % (number % 1_000_000)
        events = b",".join(EVENT % ((number * BULK + n) % 1_000_000) for n in range(self.events))
        return b'{"events":[' + events + b"]}"


SINGLE = Load("/v1/events/trigger", 1)
IN_BULK = Load("/v1/events/trigger/bulk", BULK)


class Round(NamedTuple):
    """One measured round."""

    per_second: float
    p50: float
    p99: float
    accepted: int


class Caller(asyncio.Protocol):
    """One keep-alive connection with one request in flight."""

    def __init__(
        self, url: httpx.URL, load: Load, number: int, until: float, most: int | None = None
    ) -> None:
        self._load = load
        self._head = (
            f"POST {load.path} HTTP/1.1\r\nHost: {url.host}\r\nAuthorization: ApiKey {KEY}\r\n"
            "Content-Type: application/json\r\n"
        ).encode()
        self._number = number
        self._until = until
        self._most = most
        self._buffer = b""
        self.waits: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        assert head.startswith(b"HTTP/1.1 201"), self._buffer
        assert body.count(b'"processed"') == self._load.events
        self._buffer = b""
        now = time.perf_counter()
        self.waits.append(now - self._asked)
        if now < self._until and len(self.waits) != self._most:
            self._ask()
        else:
            self._transport.close()
            self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server hung up"))

    def _ask(self) -> None:
        self._number += 1
        body = self._load.body(self._number)
        self._asked = time.perf_counter()
        own = b"Idempotency-Key: 1795472495094%09d\r\nContent-Length: %d\r\n\r\n" % (next(_CALLS), len(body))
        self._transport.write(self._head + own + body)


_CALLS = itertools.count()
"""Every call has a key of its own, as with the SDKs."""


def _length(head: bytes) -> int:
    at = head.lower().index(b"content-length: ") + 16
    return int(head[at : at + 6].split(b"\r")[0])


def _same(caller: Caller) -> Caller:
    return caller


async def _round(url: httpx.URL, load: Load, connections: int, seconds: float) -> Round:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    callers = [Caller(url, load, n * 10_000, began + seconds) for n in range(connections)]
    for caller in callers:
        await loop.create_connection(partial(_same, caller), url.host, url.port or 80)
    await asyncio.gather(*(caller.done for caller in callers))
    took = time.perf_counter() - began
    waits = sorted(wait for caller in callers for wait in caller.waits)
    return Round(
        len(waits) * load.events / took,
        waits[len(waits) // 2] * 1000,
        waits[len(waits) * 99 // 100] * 1000,
        len(waits) * load.events,
    )


@contextmanager
def _process(command: list[str], environ: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("ab") as file:
        process = subprocess.Popen(["taskset", "-c", "0", *command], env=environ, stdout=file, stderr=file)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def _announced(log: Path) -> httpx.URL:
    for _ in range(600):
        for line in log.read_text().splitlines() if log.exists() else ():
            if "listens on " in line:
                return httpx.URL(line.partition("listens on ")[2].split()[0])
        time.sleep(0.05)
    raise TimeoutError(log.read_text())


def _prepare(url: httpx.URL) -> None:
    push = {"name": "p", "type": "push", "controlValues": {"subject": "Hi", "body": "{{payload.text}}"}}
    workflow = {"name": "Welcome", "workflowId": "welcome", "active": True, "steps": [push]}
    headers = {"authorization": f"ApiKey {KEY}"}
    httpx.post(url.join("/v2/workflows"), json=workflow, headers=headers).raise_for_status()


async def _stored(database: Database) -> int:
    """Triggers in the journal."""
    bodies = await database.read(_accepted)
    return sum(len(msgspec.msgpack.decode(body, type=Accepted).triggers) for body in bodies)


def _accepted(connection: Connection) -> list[bytes]:
    return [row[0] for row in run(connection, sql("SELECT body FROM journal WHERE lane LIKE 'accepted:%'"))]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--on", choices=["sqlite", "postgresql"], nargs="*", default=["sqlite", "postgresql"])
    asked = parser.parse_args()
    os.sched_setaffinity(0, os.sched_getaffinity(0) - {0} or {0})
    figures = {}
    for name in asked.on:
        with tempfile.TemporaryDirectory() as folder, footing(name, Path(folder)) as on:
            figures[name] = measure(on, Path(folder), asked)
    keep("accept", figures)


def measure(on: Footing, directory: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Both loads on one footing, in rounds that alternate with the bare handler."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("CLARION_")}
    ours = environ | on.settings | {"CLARION_PORT": "0", "CLARION_API_KEY": KEY}
    port = 40_000 + os.getpid() % 20_000
    bare = [sys.executable, "-c", BARE.replace("{port}", str(port))]
    with (
        _process([sys.executable, "-m", "clarion.cli", "api"], ours, directory / "api.log"),
        _process(bare, environ, directory / "bare.log"),
    ):
        url = _announced(directory / "api.log")
        _prepare(url)
        bare_url = httpx.URL(f"http://127.0.0.1:{port}")
        rounds: dict[str, list[Round]] = {"single": [], "bare": [], "bulk": []}
        for _ in range(asked.rounds):
            for kind, to, load in (
                ("single", url, SINGLE),
                ("bare", bare_url, SINGLE),
                ("bulk", url, IN_BULK),
            ):
                connections = asked.connections if load is SINGLE else 8
                rounds[kind].append(uvloop.run(_round(to, load, connections, asked.seconds)))
        acknowledged = sum(r.accepted for kind in ("single", "bulk") for r in rounds[kind])
        stored = on.ask(_stored)
    _report(on.name, rounds)
    print(f"{on.name:10} acknowledged {acknowledged:,}, on disk {stored:,}")
    assert stored == acknowledged
    return {kind: _figures(found) for kind, found in rounds.items()}


def _figures(rounds: list[Round]) -> dict[str, float]:
    names = ("per_second", "p50", "p99")
    return {name: statistics.median(getattr(found, name) for found in rounds) for name in names}


def _report(name: str, results: dict[str, list[Round]]) -> None:
    for kind, rounds in results.items():
        rates = [r.per_second for r in rounds]
        print(
            f"{name:10} {kind:6} {statistics.median(rates):8,.0f} triggers/s"
            f"  ({min(rates):,.0f} to {max(rates):,.0f})"
            f"   a call p50 {statistics.median(r.p50 for r in rounds):.2f} ms"
            f"   p99 {statistics.median(r.p99 for r in rounds):.2f} ms"
        )
    single, bare = (statistics.median(r.per_second for r in results[kind]) for kind in ("single", "bare"))
    print(f"{name:10} single is {single / bare:.2f} of the bare handler")


if __name__ == "__main__":
    main()
