"""What one provider in trouble does to the others: time from trigger to the healthy provider's request.

Everybody has a device with either provider. In turns the second one answers at once, after 10 s, or not at
all (the connection fails). The pipeline, the journal and the database are real; the network is left out.

    python benchmarks/isolation.py [--rate 100] [--seconds 10] [--rounds 3]
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from clarion.accept.gate import Call
from clarion.app import foundation, services, worker
from clarion.errors import ConnectFailed
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.ids import new_id
from clarion.model.people import Integration
from clarion.model.trigger import ChannelGrant, Person
from clarion.model.workflow import Step, Workflow
from clarion.settings import Settings
from clarion.store import integrations, workflows
from results import keep

TROUBLES = ("none", "slow", "down")
PEOPLE = 500


class Providers:
    """The healthy one notes when it is asked; the other one is as `trouble` says."""

    def __init__(self) -> None:
        self.trouble = "none"
        self.asked: dict[str, float] = {}

    async def send(
        self, request: HttpRequest, *, timeout: float = 15, guarded: bool = False, scope: str = ""
    ) -> HttpReply:
        if "troubled" not in request.url:
            self.asked[msgspec.json.decode(request.body)["payload"]["mark"]] = time.perf_counter()
        elif self.trouble == "slow":
            await asyncio.sleep(10)
        elif self.trouble == "down":
            raise ConnectFailed("no route")
        return HttpReply(200)


async def measure(rate: int, seconds: float, rounds: int) -> dict[str, float]:
    """p99 in milliseconds by trouble: medians of interleaved rounds."""
    found: dict[str, list[float]] = {trouble: [] for trouble in TROUBLES}
    for _ in range(rounds):
        for trouble in TROUBLES:
            with tempfile.TemporaryDirectory() as folder:
                found[trouble].append(await one(Path(folder), trouble, rate, seconds))
    return {trouble: statistics.median(values) for trouble, values in found.items()}


async def one(folder: Path, trouble: str, rate: int, seconds: float) -> float:
    """The p99 of one run, in milliseconds."""
    providers = Providers()
    async with (
        foundation(Settings(data_dir=folder)) as base,
        services(base, providers) as parts,
        worker(base, providers),
    ):
        environment = next(e.id for e in base.catalog.snapshot.environments.values() if e.type == "dev")
        now = base.clock()
        for name in ("healthy", "troubled"):
            hook = {"webhookUrl": f"https://{name}.test/", "secretKey": "s"}
            made = Integration(new_id(now), environment, name, name, "push-webhook", "push", now, now, hook)
            made = msgspec.structs.replace(made, active=True)
            await base.catalog.change(integrations.create, base.vault, made)
        step = Step(new_id(now), "push", "Push", "push", {"subject": "News", "body": "{{payload.mark}}"})
        flow = Workflow(new_id(now), environment, "news", "News", now, now, [step], active=True)
        await base.catalog.change(workflows.create, flow)
        people = [_person(number) for number in range(PEOPLE)]
        for start in range(0, PEOPLE, 100):
            await parts.gate.accept(environment, _call(people[start : start + 100], "first"))
        await asyncio.sleep(2)
        providers.trouble = trouble
        sent = await triggered(parts.gate, environment, rate, seconds)
        await asyncio.sleep(1)
        waits = sorted((providers.asked[mark] - at) * 1000 for mark, at in sent.items())
        return waits[int(len(waits) * 0.99)]


async def triggered(gate: Any, environment: str, rate: int, seconds: float) -> dict[str, float]:
    """When each trigger was handed in, by its mark."""
    sent: dict[str, float] = {}

    async def trigger(n: int) -> None:
        sent[f"mark-{n}"] = time.perf_counter()
        await gate.accept(environment, _call([Person(f"person-{n % PEOPLE}")], f"mark-{n}"))

    began, tasks = time.perf_counter(), []
    for n in range(int(rate * seconds)):
        await asyncio.sleep(max(began + n / rate - time.perf_counter(), 0))
        tasks.append(asyncio.create_task(trigger(n)))
    await asyncio.gather(*tasks)
    return sent


def _person(number: int) -> Person:
    names = ("healthy", "troubled")
    grants = [ChannelGrant("push-webhook", name, [f"{name}-{number}"]) for name in names]
    return Person(f"person-{number}", {}, grants)


def _call(people: list[Person], mark: str) -> Call:
    return Call("news", people, payload={"mark": mark})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    found = uvloop.run(measure(asked.rate, asked.seconds, asked.rounds))
    for trouble, p99 in found.items():
        change = (p99 / found["none"] - 1) * 100
        print(f"the other provider {trouble:5}: p99 {p99:5.1f} ms to the healthy one, {change:+.0f} %")
    keep("isolation", {f"p99_ms_{trouble}": value for trouble, value in found.items()})


if __name__ == "__main__":
    main()
