"""Single triggers end to end: 201 → addressed → FCM over HTTP/2 + TLS accepted → outcome recorded.

One `clarion serve`; every trigger is for another subscriber, who has one device. Counted from the first call
until the ledger holds a delivery for every trigger.

    python benchmarks/singles.py [--triggers 60000] [--on sqlite postgresql]
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from functools import partial
from pathlib import Path

import httpx
import uvloop

from accept import Caller, Load, _same
from broadcast import KEY, Server, cpu_seconds, populate, prepare, rss, settled
from footing import Footing, footing
from h2load import own_limit
from provider import nginx
from results import keep

EVENT = b'{"name":"news","to":"user-%d","payload":{"text":"Your parcel is on its way"}}'


class Each(Load):
    """Triggers that name the subscribers one after another."""

    def body(self, number: int) -> bytes:
        """The next subscriber's trigger."""
        return EVENT % number


async def trigger(url: httpx.URL, triggers: int, connections: int) -> None:
    """So many triggers over so many connections, as fast as they are accepted."""
    loop = asyncio.get_running_loop()
    share = triggers // connections
    callers = []
    for n in range(connections):
        caller = Caller(url, Each("/v1/events/trigger", 1), n * share, float("inf"), share)
        callers.append(caller)
        await loop.create_connection(partial(_same, caller), url.host, url.port or 80)
    await asyncio.gather(*(caller.done for caller in callers))


def measure(on: Footing, directory: Path, triggers: int, connections: int) -> dict[str, float | None]:
    """One run, from nothing."""
    with nginx(directory) as provider:
        limit = own_limit(provider)
        settings = on.settings | {
            "CLARION_PORT": "0",
            "CLARION_API_KEY": KEY,
            "CLARION_PROVIDER_URLS": json.dumps({"fcm": provider.url}),
            "CLARION_CA_FILE": str(provider.ca_file),
            "CLARION_BACKLOG_LIMIT": "1000000",
        }
        environ = {k: v for k, v in os.environ.items() if not k.startswith("CLARION_")} | settings
        headers = {"authorization": f"ApiKey {KEY}"}
        first = Server(environ, directory / "first.log", [])
        with httpx.Client(base_url=first.url, headers=headers, timeout=60) as client:
            prepare(client)
        first.stop()
        environment = populate(on, triggers + 1)
        server = Server(environ, directory / "serve.log", [])
        started, began = cpu_seconds(server.process.pid), time.perf_counter()
        uvloop.run(trigger(httpx.URL(server.url), triggers, connections))
        accepted = time.perf_counter() - began
        took = settled(on, environment, triggers, began)
        cpu = cpu_seconds(server.process.pid) - started
        print(
            f"{on.name:10} {triggers:,} single triggers: accepted at {triggers / accepted:,.0f}/s,"
            f" delivered and recorded at {triggers / took:,.0f}/s, {cpu / triggers * 1e6:.0f} us CPU each,"
            f" peak memory {rss(server.process.pid)} MiB"
        )
        memory = rss(server.process.pid)
        server.stop()
    return {
        "accepted_per_second": triggers / accepted,
        "delivered_per_second": triggers / took,
        "cpu_us": cpu / triggers * 1e6,
        "peak_memory_mib": memory,
        "provider_limit_per_second": limit,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--triggers", type=int, default=64_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--on", choices=["sqlite", "postgresql"], nargs="*", default=["sqlite", "postgresql"])
    asked = parser.parse_args()
    figures = {}
    for name in asked.on:
        with tempfile.TemporaryDirectory() as folder, footing(name, Path(folder)) as on:
            figures[name] = measure(
                on, Path(folder), asked.triggers // asked.connections * asked.connections, asked.connections
            )
    keep("singles", figures)


if __name__ == "__main__":
    main()
