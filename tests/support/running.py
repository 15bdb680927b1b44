"""A real Clarion process against real emulators, for tests that drive it from outside."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from balance import keep_books
from clarion.store.ledger import Ledger, ledger
from clarion.store.postgresql import PostgresDatabase
from clarion.testing.kit import EmulatorThread

T = TypeVar("T")

KEY = "cl_sk_development_key_for_tests"


class ClarionProcess:
    """`clarion <verb>` on a free port, stopped by pid."""

    def __init__(
        self,
        directory: Path,
        emulators: EmulatorThread | None = None,
        *,
        name: str = "clarion",
        **settings: str,
    ) -> None:
        self.data_dir = directory / "data"
        keep_books(self.data_dir / "clarion.db")
        self._log = directory / f"{name}.log"
        self._environ = _environ(self.data_dir, emulators) | {
            f"CLARION_{name.upper()}": value for name, value in settings.items()
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self, verb: str = "serve", *options: str) -> Self:
        """Start, and return once it answers."""
        log = self._log.open("ab")
        seen = self._log.stat().st_size
        command = [sys.executable, "-m", "clarion.cli", verb, *options]
        self._process = subprocess.Popen(command, env=self._environ, stdout=log, stderr=log)
        log.close()
        self.url = wait_for(lambda: self._announced(seen), 60)
        return self

    def children(self) -> list[int]:
        """The processes of a fleet, by pid."""
        assert self._process is not None
        pid = self._process.pid
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]

    def kill(self) -> None:
        """`kill -9`."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to stop; its exit status."""
        return self._end(signal.SIGTERM)

    @property
    def log(self) -> str:
        """Everything it wrote."""
        return self._log.read_text()

    @property
    def client(self) -> httpx.Client:
        """A plain HTTP client with the Development key."""
        return httpx.Client(base_url=self.url, headers={"authorization": f"ApiKey {KEY}"}, timeout=30)

    def ledger(self) -> Ledger:
        """The Development environment's ledger, read beside the running process."""
        url = self._environ.get("CLARION_DATABASE_URL")
        if url:
            return asyncio.run(_shared_ledger(url))
        engine = sa.create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(f"file:{self.data_dir / 'clarion.db'}?mode=ro", uri=True),
        )
        with engine.connect() as connection:
            found = _development_ledger(connection)
        engine.dispose()
        return found

    def settled(self) -> Ledger:
        """The ledger once nothing is in flight any more."""
        return wait_for(lambda: found if (found := self.ledger()).in_flight == 0 else None, 30)

    def _announced(self, seen: int) -> str | None:
        assert self._process is not None
        text = self._log.read_bytes()[seen:].decode()
        assert self._process.poll() is None, text
        for line in text.splitlines():
            if "listens on " in line:
                return line.partition("listens on ")[2].split()[0]
            if line.endswith(" delivers"):
                return "delivers"
        return None

    def _end(self, number: int) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        return process.wait(30)


def _development_ledger(connection: Connection) -> Ledger:
    query = "SELECT id FROM environments WHERE type = 'dev'"
    return ledger(connection, connection.exec_driver_sql(query).scalar_one())


async def _shared_ledger(url: str) -> Ledger:
    database = PostgresDatabase(url)
    try:
        return await database.read(_development_ledger)
    finally:
        await database.close()


def wait_for(found: Callable[[], T | None], seconds: float) -> T:
    """The first answer that is not None, asked for again and again."""
    deadline = time.monotonic() + seconds
    while (answer := found()) is None:
        assert time.monotonic() < deadline, "nothing came in time"
        time.sleep(0.02)
    return answer


def _environ(data_dir: Path, emulators: EmulatorThread | None) -> dict[str, str]:
    inherited: Mapping[str, str] = os.environ
    environ = {name: value for name, value in inherited.items() if not name.startswith("CLARION_")}
    environ |= {
        "CLARION_PORT": "0",
        "CLARION_DATA_DIR": str(data_dir),
        "CLARION_API_KEY": KEY,
    }
    if emulators:
        urls: Any = json.dumps(emulators.provider_urls())
        environ |= {"CLARION_PROVIDER_URLS": urls, "CLARION_CA_FILE": str(emulators.ca_file)}
    return environ
