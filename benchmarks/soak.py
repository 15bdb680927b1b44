"""A steady load with faults, for as long as asked: do memory, descriptors or the database grow without end?

The stand-in of FCM answers some devices late, with 503 or 429, resets connections and refuses streams, and
again every minute. Figures of memory and descriptors leave the first third out, while caches fill.

    python benchmarks/soak.py [--minutes 30] [--rate 20] [--people 2000] [--on sqlite|postgresql]
"""

import argparse
import asyncio
import itertools
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from broadcast import KEY, Server, cpu_seconds
from clarion.store.database import Database
from clarion.store.ledger import Ledger, ledger
from clarion.testing.fcm import FcmEmulator
from clarion.testing.kit import EmulatorThread
from footing import Footing, footing
from results import keep

DEVICES = (*["fine"] * 4, "flaky-1", "slow-300", "reset-1", "refused-1", "throttled-1", "goaway")
"""What devices are like, in turns; the words are the stand-in's."""

CLIENTS = 4
SAMPLE_SECONDS = 5.0
FAULTS_AGAIN_SECONDS = 60.0
SETTLE_SECONDS = 900.0
"""The longest that a message waits for its next try after several lost connections, and time for that try."""
PARTS = 6
MOST_MORE_DESCRIPTORS = 32
"""That a run may end with beyond what it had after its first third: connections come and go."""


class Sample(NamedTuple):
    """The process at one moment. `at` is seconds since the load began."""

    at: float
    memory: float
    descriptors: float
    database: float


class Load(threading.Thread):
    """Triggers at its share of the rate until told to stop."""

    def __init__(self, number: int, url: str, asked: argparse.Namespace, stop: threading.Event) -> None:
        super().__init__(name=f"load-{number}", daemon=True)
        self.times: list[float] = []
        self.refused: list[str] = []
        self._turns = itertools.count(number, CLIENTS)
        self._url, self._people, self._pause = url, asked.people, CLIENTS / asked.rate
        self._stop_asked = stop

    def run(self) -> None:
        with httpx.Client(base_url=self._url, headers=_headers(), timeout=30) as client:
            due = time.monotonic()
            while not self._stop_asked.wait(max(due - time.monotonic(), 0)):
                due += self._pause
                self._trigger(client, next(self._turns) % self._people)

    def _trigger(self, client: httpx.Client, person: int) -> None:
        body = {"name": "news", "to": f"person-{person}", "payload": {"text": "Steady"}}
        began = time.perf_counter()
        answer = client.post("/v1/events/trigger", json=body)
        self.times.append(time.perf_counter() - began)
        if answer.status_code != 201:
            self.refused.append(f"{answer.status_code} {answer.text[:200]}")


def prepare(client: httpx.Client, emulators: EmulatorThread, people: int) -> None:
    """An integration, a workflow, and people with a device each."""
    account = {"serviceAccount": emulators.service_account()}
    fcm = {"name": "FCM", "providerId": "fcm", "credentials": account, "active": True}
    client.post("/v1/integrations", json=fcm).raise_for_status()
    push = {"name": "Push", "type": "push", "controlValues": {"subject": "Hello", "body": "{{payload.text}}"}}
    flow = {"name": "News", "workflowId": "news", "active": True, "steps": [push]}
    client.post("/v2/workflows", json=flow).raise_for_status()
    for start in range(0, people, 500):
        some = [_person(n) for n in range(start, min(start + 500, people))]
        client.post("/v1/subscribers/bulk", json={"subscribers": some}).raise_for_status()


def _person(n: int) -> dict[str, Any]:
    tokens = {"deviceTokens": [f"{DEVICES[n % len(DEVICES)]}:{n}"]}
    return {"subscriberId": f"person-{n}", "channels": [{"providerId": "fcm", "credentials": tokens}]}


def _headers() -> dict[str, str]:
    return {"authorization": f"ApiKey {KEY}"}


def soak(on: Footing, directory: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """The figures of one run."""
    with EmulatorThread(directory, fcm=FcmEmulator(unavailable_retry_after=1)) as emulators:
        server = Server(_environ(on, emulators), directory / "serve.log", [])
        try:
            with httpx.Client(base_url=server.url, headers=_headers(), timeout=60) as client:
                prepare(client, emulators, asked.people)
            return _measured(on, server, emulators, asked)
        finally:
            server.process.terminate()
            server.process.wait(60)


def _environ(on: Footing, emulators: EmulatorThread) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CLARION_")}
    return (
        inherited
        | on.settings
        | {
            "CLARION_PORT": "0",
            "CLARION_API_KEY": KEY,
            "CLARION_PROVIDER_URLS": json.dumps(emulators.provider_urls()),
            "CLARION_CA_FILE": str(emulators.ca_file),
        }
    )


def _measured(
    on: Footing, server: Server, emulators: EmulatorThread, asked: argparse.Namespace
) -> dict[str, Any]:
    stop, pid = threading.Event(), server.process.pid
    loads = [Load(number, server.url, asked, stop) for number in range(CLIENTS)]
    spent, began = cpu_seconds(pid), time.monotonic()
    for load in loads:
        load.start()
    samples = list(_sampled(on, pid, emulators, began, asked.minutes * 60))
    stop.set()
    for load in loads:
        load.join()
    found = on.ask(_settled)
    times = [took for load in loads for took in load.times]
    refused = [reason for load in loads for reason in load.refused]
    warm = [sample for sample in samples if sample.at >= samples[-1].at / 3]
    figures = {
        "minutes": (time.monotonic() - began) / 60,
        "triggers": len(times),
        "refused": len(refused),
        "accept_p50_ms": statistics.median(times) * 1000,
        "accept_p99_ms": statistics.quantiles(times, n=100)[-1] * 1000,
        "delivered": found.delivered,
        "failed": found.failed,
        "in_flight": found.in_flight,
        "cpu_us_per_trigger": (cpu_seconds(pid) - spent) / len(times) * 1e6,
        "memory_mib": _spread([sample.memory for sample in warm]),
        "memory_mib_by_part": _by_part([sample.memory for sample in samples]),
        "memory_mib_per_hour": _slope(warm, "memory") * 3600,
        "descriptors": _spread([sample.descriptors for sample in warm]),
        "descriptors_per_hour": _slope(warm, "descriptors") * 3600,
        "database_bytes_per_trigger": _slope(warm, "database") / asked.rate,
        "samples": len(samples),
    }
    grown = warm[-1].descriptors - warm[0].descriptors
    sound = {
        "every trigger was taken": not refused,
        "every message was delivered": found.delivered == len(times) - len(refused) and not found.failed,
        "nothing is under way any more": found.in_flight == 0,
        "descriptors don't pile up": grown <= MOST_MORE_DESCRIPTORS,
    }
    return figures | {"sound": sound}


def _sampled(
    on: Footing, pid: int, emulators: EmulatorThread, began: float, seconds: float
) -> Iterator[Sample]:
    """The process every few seconds; faults that were used up come again every minute."""
    again = began + FAULTS_AGAIN_SECONDS
    while (now := time.monotonic()) < began + seconds:
        if now >= again:
            emulators.reset()
            again += FAULTS_AGAIN_SECONDS
        yield Sample(now - began, _memory(pid), len(os.listdir(f"/proc/{pid}/fd")), _size(on))
        time.sleep(SAMPLE_SECONDS)


def _memory(pid: int) -> float:
    """Resident, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _size(on: Footing) -> float:
    """Of the database, in bytes."""
    if on.url is None:
        return sum(path.stat().st_size for path in on.data_dir.glob("clarion.db*"))

    async def size(database: Database) -> float:
        return await database.read(_pg_size)

    return on.ask(size)


def _pg_size(connection: Connection) -> float:
    return float(connection.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one())


async def _settled(database: Database) -> Ledger:
    """The ledger once nothing is under way, or when waiting for that has no sense any more."""
    until = time.monotonic() + SETTLE_SECONDS
    while True:
        found = await database.read(_development)
        waits = await database.read(_waits)
        if (found.in_flight == 0 and not waits) or time.monotonic() > until:
            return found
        await asyncio.sleep(1)


def _development(connection: Connection) -> Ledger:
    query = sa.text("SELECT id FROM environments WHERE type = 'dev'")
    return ledger(connection, connection.execute(query).scalar_one())


def _waits(connection: Connection) -> bool:
    return bool(connection.execute(sa.text("SELECT EXISTS (SELECT 1 FROM journal)")).scalar_one())


def _spread(values: list[float]) -> dict[str, float]:
    return {"first": values[0], "last": values[-1], "most": max(values)}


def _by_part(values: list[float]) -> list[float]:
    """The median of each part of the run: what grows until caches are full, grows less from part to part."""
    size = max(len(values) // PARTS, 1)
    return [statistics.median(values[at : at + size]) for at in range(0, size * PARTS, size) if values[at:]]


def _slope(samples: list[Sample], what: str) -> float:
    """How much more a second, by least squares."""
    slope, _ = statistics.linear_regression(
        [sample.at for sample in samples], [getattr(sample, what) for sample in samples]
    )
    return slope


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--on", choices=["sqlite", "postgresql"], default="sqlite")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, footing(asked.on, Path(name)) as on:
        figures = soak(on, Path(name), asked)
    print(json.dumps(figures, indent=2))
    keep(f"soak_{asked.on}", figures)
    sys.exit(not all(figures["sound"].values()))


if __name__ == "__main__":
    main()
