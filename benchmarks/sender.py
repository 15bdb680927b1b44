"""The sender alone: build an FCM request, send it over HTTP/2 + TLS, read the answer; on one core.

Nothing is stored. nginx has the other core. h2load, in the same run and on the same core as the sender was,
tells how much of what is possible that is.

    python benchmarks/sender.py [--requests 200000] [--streams 500]
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

from broadcast import cpu_seconds
from clarion.deliver.exchange import Exchange
from clarion.model.clock import system_clock
from clarion.model.http import HttpReply
from clarion.model.outcome import Outcome
from clarion.model.push import PushMessage, Target
from clarion.net.client import HttpClient
from clarion.net.egress import EgressRule
from clarion.net.tls import client_context
from clarion.providers.fcm import Fcm
from h2load import own_limit
from provider import Provider, nginx, service_account
from results import keep


async def measure(provider: Provider, requests: int, streams: int) -> tuple[float, float]:
    """Requests a second, and the CPU seconds of one, all read as accepted."""
    client = HttpClient(client_context(provider.ca_file), EgressRule())
    fcm, exchange = Fcm(), Exchange(client, provider.url)
    credentials = fcm.credentials({"serviceAccount": service_account()})
    message = PushMessage(title="News", body="Breaking")
    now = system_clock()

    async def send(numbers: Iterator[int]) -> int:
        accepted = 0
        for n in numbers:
            target = Target(f"{n:032x}", f"token:{n:012d}" + "x" * 130, now)
            reply = await exchange.ask(fcm.build(credentials, message, target, "bench"))
            assert isinstance(reply, HttpReply), reply
            accepted += fcm.read(reply, message).outcome is Outcome.ACCEPTED
        return accepted

    await asyncio.gather(*(send(iter(range(n, n + 20))) for n in range(0, streams * 20, 20)))
    numbers = iter(range(requests))
    began, started = time.perf_counter(), cpu_seconds(os.getpid())
    accepted = sum(await asyncio.gather(*(send(numbers) for _ in range(streams))))
    took, cpu = time.perf_counter() - began, cpu_seconds(os.getpid()) - started
    await client.close()
    assert accepted == requests, f"{accepted} of {requests} accepted"
    return requests / took, cpu / requests


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--streams", type=int, default=500)
    asked = parser.parse_args()
    os.sched_setaffinity(0, {0})
    with tempfile.TemporaryDirectory() as folder, nginx(Path(folder)) as provider:
        limit = own_limit(provider, asked.requests)
        rate, cpu = uvloop.run(measure(provider, asked.requests, asked.streams))
    share = rate / limit if limit else None
    print(f"sender alone: {rate:,.0f} requests/s on one core, {cpu * 1e6:.1f} us CPU each")
    if limit:
        print(f"h2load: {limit:,.0f} requests/s, so the sender reaches {rate / limit:.2f} of it")
    keep("sender", {"per_second": rate, "cpu_us": cpu * 1e6, "h2load_per_second": limit, "share": share})


if __name__ == "__main__":
    main()
