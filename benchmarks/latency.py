"""How long after a trigger the provider has its request: at a steady rate, and during a broadcast.

One `clarion serve`; the stand-in of the provider writes down when each request came. Both clocks are this
machine's. Triggers go out at even moments whether or not earlier ones are answered.

    python benchmarks/latency.py [--rate 200] [--seconds 20] [--devices 200000] [--on sqlite postgresql]
"""

import argparse
import asyncio
import re
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from broadcast import KEY
from footing import footing
from provider import nginx
from results import keep
from serving import Serving, serving

_MARK = re.compile(rb"mark-\w+-\d+-")


async def trigger(url: str, phase: str, rate: int, seconds: float) -> dict[str, float]:
    """When each trigger was sent, by its mark."""
    sent: dict[str, float] = {}
    headers = {"authorization": f"ApiKey {KEY}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:

        async def one(n: int) -> None:
            mark = f"mark-{phase}-{n}-"
            body = {"name": "news", "to": f"user-{n + 1}", "payload": {"text": mark}}
            sent[mark] = time.time()
            (await client.post("/v1/events/trigger", json=body)).raise_for_status()

        began = time.perf_counter()
        tasks = []
        for n in range(int(rate * seconds)):
            await asyncio.sleep(max(began + n / rate - time.perf_counter(), 0))
            tasks.append(asyncio.create_task(one(n)))
        await asyncio.gather(*tasks)
    return sent


def waits(log: Path, sent: dict[str, float], seconds: float = 30) -> dict[str, float]:
    """Milliseconds from trigger to the provider's request: percentiles."""
    deadline = time.monotonic() + seconds
    while True:
        came: dict[str, float] = {}
        for line in log.read_bytes().splitlines():
            found = _MARK.search(line)
            if found:
                came.setdefault(found[0].decode(), float(line.split(b" ", 1)[0]))
        if sent.keys() <= came.keys():
            break
        assert time.monotonic() < deadline, f"{len(sent.keys() - came.keys())} requests did not come"
        time.sleep(0.5)
    found_waits = sorted((came[mark] - at) * 1000 for mark, at in sent.items())
    return {"p50": found_waits[len(found_waits) // 2], "p99": found_waits[len(found_waits) * 99 // 100]}


def measure(running: Serving, log: Path, rate: int, seconds: float) -> dict[str, Any]:
    """Alone, then while a broadcast goes out."""
    url = running.server.url
    asyncio.run(trigger(url, "warm", rate, 2))
    alone = waits(log, asyncio.run(trigger(url, "alone", rate, seconds)))
    running.broadcast()
    beside = waits(log, asyncio.run(trigger(url, "beside", rate, seconds)))
    return {"alone_ms": alone, "during_broadcast_ms": beside}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--devices", type=int, default=200_000)
    parser.add_argument("--on", choices=["sqlite", "postgresql"], nargs="*", default=["sqlite", "postgresql"])
    asked = parser.parse_args()
    figures = {}
    for name in asked.on:
        with (
            tempfile.TemporaryDirectory() as folder,
            footing(name, Path(folder)) as on,
            nginx(Path(folder), log_bodies=True) as provider,
            serving(on, Path(folder), provider, asked.devices) as running,
        ):
            figures[name] = measure(running, Path(folder) / "access.log", asked.rate, asked.seconds)
        for kind, found in figures[name].items():
            print(f"{name:10} {kind:20} p50 {found['p50']:7.1f} ms   p99 {found['p99']:7.1f} ms")
    keep("latency", figures | {"rate": asked.rate, "devices": asked.devices})


if __name__ == "__main__":
    main()
