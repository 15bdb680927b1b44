"""A broadcast to many devices: trigger → FCM over HTTP/2 + TLS accepted → outcome recorded.

One `clarion serve` on SQLite; nginx stands in for FCM. Subscribers and devices are put into the database
beforehand. Counted until the ledger holds a delivery for every device.

    python benchmarks/broadcast.py [--devices 100000]
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
from clarion.settings import Settings
from clarion.store.ledger import ledger
from clarion.store.sqlite import SqliteDatabase
from provider import nginx, service_account

KEY = "cl_sk_benchmark"
PROFILER = ["py-spy", "record", "--gil", "--duration", "300", "--format", "raw", "--output"]


async def populate(path: Path, devices: int) -> str:
    """One device a subscriber under the only integration; answers the environment."""
    database = SqliteDatabase(path)
    for start in range(1, devices + 1, 20_000):
        await database.write(_add, range(start, min(start + 20_000, devices + 1)))
    found = await database.read(_environment)
    await database.close()
    return found


def _environment(connection: Connection) -> str:
    return str(connection.exec_driver_sql("SELECT environment_id FROM integrations").scalar_one())


def _add(connection: Connection, rows: range) -> None:
    now = system_clock()
    query = "SELECT environment_id, id FROM integrations"
    environment, integration = connection.exec_driver_sql(query).one()
    people = [(n, new_id(now), environment, f"user-{n}", now, now) for n in rows]
    devices = [(n, integration, f"token:{n:012d}" + "x" * 130, now, now) for n in rows]
    connection.exec_driver_sql(_PEOPLE, people)
    connection.exec_driver_sql(_CHANNELS, [(n, integration) for n in rows])
    connection.exec_driver_sql(_DEVICES, devices)


_PEOPLE = """
INSERT INTO subscribers (pk, id, environment_id, subscriber_id, first_name, created_at, updated_at)
VALUES (?, ?, ?, ?, 'Ada', ?, ?)
"""
_CHANNELS = "INSERT INTO channels (subscriber_pk, integration_id) VALUES (?, ?)"
_DEVICES = """
INSERT INTO devices (subscriber_pk, integration_id, token, position, registered_at, last_seen_at)
VALUES (?, ?, ?, 1, ?, ?)
"""


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


async def settled(path: Path, environment: str, devices: int, began: float) -> float:
    """Seconds until every device has its delivery."""
    database = SqliteDatabase(path)
    while True:
        found = await database.read(ledger, environment)
        if found.delivered >= devices:
            break
        await asyncio.sleep(0.25)
    took = time.perf_counter() - began
    await database.close()
    return took


def rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--profile", help="write a py-spy flame graph here")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        with nginx(directory) as provider:
            settings = {
                "CLARION_PORT": "0",
                "CLARION_API_KEY": KEY,
                "CLARION_DATA_DIR": str(directory / "data"),
                "CLARION_PROVIDER_URLS": json.dumps({"fcm": provider.url}),
                "CLARION_CA_FILE": str(provider.ca_file),
                "CLARION_DELIVERY_CONCURRENCY": os.environ.get("CONCURRENCY", "500"),
            }
            ours = {k: v for k, v in os.environ.items() if not k.startswith("CLARION_")}
            environ = ours | settings
            path = Settings(data_dir=directory / "data").database_path
            headers = {"authorization": f"ApiKey {KEY}"}
            first = Server(environ, directory / "first.log", [])
            with httpx.Client(base_url=first.url, headers=headers, timeout=60) as client:
                prepare(client)
            first.stop()
            environment = asyncio.run(populate(path, asked.devices))
            wrap = [*PROFILER, asked.profile, "--"] if asked.profile else []
            server = Server(environ, directory / "serve.log", wrap)
            started = cpu_seconds(server.process.pid)
            began = time.perf_counter()
            with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
                body = {"name": "news", "payload": {"text": "Breaking"}}
                client.post("/v1/events/trigger/broadcast", json=body).raise_for_status()
            took = asyncio.run(settled(path, environment, asked.devices, began))
            cpu = cpu_seconds(server.process.pid) - started
            print(
                f"broadcast to {asked.devices:,} devices: {took:.1f} s, {asked.devices / took:,.0f} devices/s,"
                f" {cpu / asked.devices * 1e6:.0f} us CPU a device,"
                f" peak memory {rss(server.process.pid)} MiB"
            )
            server.stop()


if __name__ == "__main__":
    main()
