"""A broadcast to many devices: trigger → FCM over HTTP/2 + TLS accepted → outcome recorded.

One `clarion serve` on each footing; nginx stands in for FCM. Subscribers and devices are put into the
database beforehand. Counted until the ledger holds a delivery for every device.

    python benchmarks/broadcast.py [--devices 100000] [--on sqlite postgresql]
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from sqlalchemy.engine import Connection

from clarion.model.clock import system_clock
from clarion.model.ids import new_id
from clarion.store.database import Database
from clarion.store.dialect import run, run_many, sql
from clarion.store.ledger import ledger
from footing import Footing, footing
from h2load import own_limit
from provider import nginx, service_account
from results import keep

KEY = "cl_sk_benchmark"
PROFILER = ["py-spy", "record", "--gil", "--duration", "300", "--format", "raw", "--output"]


def populate(on: Footing, devices: int) -> str:
    """One device a subscriber under the only integration; answers the environment."""

    async def fill(database: Database) -> str:
        for start in range(1, devices + 1, 20_000):
            await database.write(_add, range(start, min(start + 20_000, devices + 1)))
        return await database.read(_environment)

    return on.ask(fill)


def _environment(connection: Connection) -> str:
    return str(run(connection, _ONLY_INTEGRATION).one()[0])


def _add(connection: Connection, rows: range) -> None:
    now = system_clock()
    environment, integration = run(connection, _ONLY_INTEGRATION).one()
    people = [(n, new_id(now), environment, f"user-{n}", surname(n), now, now) for n in rows]
    devices = [(n, integration, f"token:{n:012d}" + "x" * 130, now, now) for n in rows]
    run_many(connection, _PEOPLE, people)
    run_many(connection, _CHANNELS, [(n, integration) for n in rows])
    run_many(connection, _DEVICES, devices)


def surname(number: int) -> str:
    """Another one for each."""
    return f"{number * 2_654_435_761 % 2**32:08x}"


_ONLY_INTEGRATION = sql("SELECT environment_id, id FROM integrations")
_PEOPLE = sql("""
INSERT INTO subscribers (pk, id, environment_id, subscriber_id, first_name, last_name, created_at, updated_at)
VALUES (?, ?, ?, ?, 'Ada', ?, ?, ?)
""")
_CHANNELS = sql("INSERT INTO channels (subscriber_pk, integration_id) VALUES (?, ?)")
_DEVICES = sql("""
INSERT INTO devices (subscriber_pk, integration_id, token, position, registered_at, last_seen_at)
VALUES (?, ?, ?, 1, ?, ?)
""")


def prepare(client: httpx.Client) -> None:
    integration = {
        "name": "FCM",
        "providerId": "fcm",
        "credentials": {"serviceAccount": service_account()},
        "active": True,
    }
    client.post("/v1/integrations", json=integration).raise_for_status()
    push = {"name": "p", "type": "push", "controlValues": {"subject": "News", "body": "{{payload.text}}"}}
    workflow = {"name": "News", "workflowId": "news", "active": True, "steps": [push]}
    client.post("/v2/workflows", json=workflow).raise_for_status()


class Server:
    """`clarion serve` as a process."""

    def __init__(self, environ: dict[str, str], log: Path, wrap: list[str]) -> None:
        self._log = log
        self._wrapped = bool(wrap)
        with log.open("wb") as file:
            command = [*wrap, sys.executable, "-m", "clarion.cli", "serve"]
            self.process = subprocess.Popen(command, env=environ, stdout=file, stderr=file)
        self.url = self._announced()

    def stop(self) -> None:
        subprocess.run(["pkill", "-TERM", "-P", str(self.process.pid)], check=False)
        self.process.send_signal(signal.SIGINT if self._wrapped else signal.SIGTERM)
        self.process.wait(60)

    def _announced(self) -> str:
        for _ in range(600):
            for line in self._log.read_text().splitlines():
                if "listens on " in line:
                    return line.partition("listens on ")[2].split()[0]
            time.sleep(0.05)
        raise TimeoutError(self._log.read_text())


def settled(on: Footing, environment: str, devices: int, began: float) -> float:
    """Seconds until every device has its delivery."""

    async def wait(database: Database) -> float:
        while (await database.read(ledger, environment)).delivered < devices:
            await asyncio.sleep(0.25)
        return time.perf_counter() - began

    return on.ask(wait)


def rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(on: Footing, directory: Path, devices: int, profile: str | None) -> dict[str, float | None]:
    """One broadcast, from nothing."""
    with nginx(directory) as provider:
        limit = own_limit(provider)
        settings = on.settings | {
            "CLARION_PORT": "0",
            "CLARION_API_KEY": KEY,
            "CLARION_PROVIDER_URLS": json.dumps({"fcm": provider.url}),
            "CLARION_CA_FILE": str(provider.ca_file),
            "CLARION_DELIVERY_CONCURRENCY": os.environ.get("CONCURRENCY", "500"),
        }
        environ = {k: v for k, v in os.environ.items() if not k.startswith("CLARION_")} | settings
        headers = {"authorization": f"ApiKey {KEY}"}
        first = Server(environ, directory / "first.log", [])
        with httpx.Client(base_url=first.url, headers=headers, timeout=60) as client:
            prepare(client)
        first.stop()
        environment = populate(on, devices)
        server = Server(environ, directory / "serve.log", [*PROFILER, profile, "--"] if profile else [])
        started = cpu_seconds(server.process.pid)
        began = time.perf_counter()
        with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
            body = {"name": "news", "payload": {"text": "Breaking"}}
            client.post("/v1/events/trigger/broadcast", json=body).raise_for_status()
        took = settled(on, environment, devices, began)
        cpu = cpu_seconds(server.process.pid) - started
        print(
            f"{on.name:10} broadcast to {devices:,} devices: {took:.1f} s, {devices / took:,.0f} devices/s,"
            f" {cpu / devices * 1e6:.0f} us CPU a device, peak memory {rss(server.process.pid)} MiB"
        )
        memory = rss(server.process.pid)
        server.stop()
    return {
        "devices": devices,
        "per_second": devices / took,
        "cpu_us": cpu / devices * 1e6,
        "peak_memory_mib": memory,
        "provider_limit_per_second": limit,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--on", choices=["sqlite", "postgresql"], nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--profile", help="write py-spy's stacks here")
    asked = parser.parse_args()
    figures = {}
    for name in asked.on:
        with tempfile.TemporaryDirectory() as folder, footing(name, Path(folder)) as on:
            figures[name] = measure(on, Path(folder), asked.devices, asked.profile)
    keep("broadcast", figures)


if __name__ == "__main__":
    main()
