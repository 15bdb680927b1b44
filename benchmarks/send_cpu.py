"""CPU of one send, everything the lane does included, beside the bare pool's; FCM and APNs.

The pool sends a request that is ready. The lane builds it, takes its turn, sends it, reads the answer and
keeps breaker and pace; retry bookkeeping included, storing not. One core, nginx on the other; interleaved
rounds, medians.

    python benchmarks/send_cpu.py [--requests 60000] [--streams 500] [--rounds 3]
"""

import argparse
import asyncio
import os
import statistics
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import uvloop
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from broadcast import cpu_seconds
from clarion.cli.running import spare_collector
from clarion.deliver.exchange import Exchange
from clarion.deliver.lane import Lane
from clarion.model.clock import system_clock
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome
from clarion.model.people import Integration
from clarion.model.push import PushMessage, Target
from clarion.net.client import HttpClient
from clarion.net.egress import EgressRule
from clarion.net.tls import client_context
from clarion.providers.apns import Apns
from clarion.providers.fcm import Fcm
from clarion.providers.port import Provider
from provider import Provider as StandIn
from provider import nginx, service_account
from results import keep

MESSAGE = PushMessage("News", "Breaking", {"text": "Breaking"})
READY = 5000
Send = Callable[[int], Awaitable[bool]]


def credentials() -> dict[str, dict[str, Any]]:
    """Of an integration of each."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    ids = {"apiKey": "ABC123DEFG", "projectName": "DEF123GHIJ", "applicationId": "com.example.app"}
    return {"fcm": {"serviceAccount": service_account()}, "apns": {"secretKey": pem, **ids}}


def target(n: int) -> Target:
    """One of many devices."""
    return Target(f"{n:032x}", f"{n:064x}", system_clock())


def lane_of(client: HttpClient, stand_in: StandIn, provider: Provider[Any], stored: dict[str, Any]) -> Lane:
    """A lane without a quota: what it costs is measured, not what it may."""
    given: dict[str, Any] = {
        "credentials": stored,
        "active": True,
        "configurations": {"ratePerSecond": 1_000_000},
    }
    integration = Integration("i" * 32, "e" * 32, "bench", "Bench", provider.id, "push", 0, 0, **given)
    return Lane(integration, provider, Exchange(client, stand_in.url), system_clock, 500)


def by_lane(lane: Lane) -> Send:
    async def send(n: int) -> bool:
        return (await lane.send(MESSAGE, target(n))).outcome is Outcome.ACCEPTED

    return send


def by_pool(client: HttpClient, ready: list[HttpRequest]) -> Send:
    """Requests made before, each of another device: what is new in their headers costs on the wire."""

    async def send(n: int) -> bool:
        reply: HttpReply = await client.send(ready[n % len(ready)], timeout=15)
        return reply.status == 200

    return send


async def cpu_of(send: Send, requests: int, streams: int) -> float:
    """CPU seconds of one."""

    async def drain(numbers: Iterator[int]) -> int:
        return sum([await send(n) for n in numbers])

    numbers = iter(range(requests))
    started = cpu_seconds(os.getpid())
    sent = sum(await asyncio.gather(*(drain(numbers) for _ in range(streams))))
    assert sent == requests, f"{sent} of {requests} accepted"
    return (cpu_seconds(os.getpid()) - started) / requests


async def measure(stand_in: StandIn, requests: int, streams: int, rounds: int) -> dict[str, float]:
    """Microseconds of CPU by way."""
    client = HttpClient(client_context(stand_in.ca_file), EgressRule())
    stored = credentials()
    ways: dict[str, Send] = {}
    for provider in (Fcm(), Apns()):
        lane = lane_of(client, stand_in, provider, stored[provider.id])
        exchange, built = Exchange(client, stand_in.url), provider.build
        ready = [
            exchange._rebased(built(lane._credentials, MESSAGE, target(n), "t" * 200)) for n in range(READY)
        ]
        ways[f"{provider.id} pool"] = by_pool(client, ready)
        ways[f"{provider.id} lane"] = by_lane(lane)
    for send in ways.values():
        await cpu_of(send, streams * 4, streams)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, send in ways.items():
            taken[name].append(await cpu_of(send, requests, streams) * 1e6)
    await client.close()
    return {name: statistics.median(values) for name, values in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=60_000)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    os.sched_setaffinity(0, {0})
    spare_collector()
    with tempfile.TemporaryDirectory() as folder, nginx(Path(folder)) as stand_in:
        found = uvloop.run(measure(stand_in, asked.requests, asked.streams, asked.rounds))
    for name in ("fcm", "apns"):
        pool, lane = found[f"{name} pool"], found[f"{name} lane"]
        print(f"{name:5} pool {pool:5.1f} us, lane {lane:5.1f} us a send: {lane / pool:.2f} times")
    keep("send_cpu", {f"{name}_us": value for name, value in found.items()})


if __name__ == "__main__":
    main()
