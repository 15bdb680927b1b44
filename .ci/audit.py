"""Look every pinned dependency up among known vulnerabilities: Python's, the dashboard's, the SDK tests'.

Exits with 1 where one is known. Where advisories can't be reached it exits with 2 and says what was not
looked up; with --unreachable-passes it says so as loudly and exits with 0, for machines without the network.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
SECONDS = 30


class Standing(Enum):
    """What is known of some dependencies; the most pressing first."""

    FOUND = "vulnerable"
    UNREACHABLE = "NOT LOOKED UP"
    NONE = "nothing known"


class Judgement(NamedTuple):
    """How they stand, and a line for each reason."""

    standing: Standing
    reasons: tuple[str, ...] = ()


class Tool(NamedTuple):
    """One tool over one lock file. `judge` reads what it wrote to its output and its errors."""

    about: str
    folder: Path
    command: tuple[str, ...]
    judge: Callable[[str, str], Judgement]


def of_pip(output: str, errors: str) -> Judgement:
    """What pip-audit found. By itself it calls packages that it could not look up free of vulnerabilities."""
    found = _document(output)
    packages = found.get("dependencies")
    if not isinstance(packages, list):
        return _unreachable(errors)
    flaws = tuple(_flaw(item, flaw) for item in packages for flaw in item.get("vulns", ()))
    skipped = [item["skip_reason"] for item in packages if "skip_reason" in item]
    if flaws:
        return Judgement(Standing.FOUND, flaws)
    if skipped or not packages:
        told = f"{len(skipped)} of {len(packages)} packages could not be looked up"
        return Judgement(Standing.UNREACHABLE, (told, *skipped[:1]))
    return Judgement(Standing.NONE)


def of_npm(output: str, errors: str) -> Judgement:
    """What npm audit found."""
    found = _document(output)
    flawed = found.get("vulnerabilities")
    if not isinstance(flawed, dict):
        return _unreachable(found.get("message") or errors)
    lines = tuple(f"{name}: {item['severity']}, {_title(item)}" for name, item in flawed.items())
    return Judgement(Standing.FOUND, lines) if lines else Judgement(Standing.NONE)


def verdict(judgements: Sequence[Judgement], *, unreachable_passes: bool) -> int:
    """The exit status that several come to."""
    standings = {judgement.standing for judgement in judgements}
    if Standing.FOUND in standings:
        return 1
    return 2 if Standing.UNREACHABLE in standings and not unreachable_passes else 0


def told(tool: str, judgement: Judgement) -> str:
    """For people: a line, and the reasons below it."""
    lines = [f"{tool}: {judgement.standing.value}", *(f"  {reason}" for reason in judgement.reasons)]
    return "\n".join(lines)


WARNING = """\
**************************************************************************
* DEPENDENCIES WERE NOT AUDITED. The advisories can't be reached from    *
* here, so nobody knows whether what is pinned is vulnerable.            *
* Run `make audit` on a machine that reaches the package registries.     *
**************************************************************************"""


def ran(tool: Tool, seconds: float = SECONDS) -> Judgement:
    """Run a tool, for so long at most."""
    try:
        ended = subprocess.run(
            tool.command, cwd=tool.folder, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return Judgement(Standing.UNREACHABLE, (f"no answer in {seconds:g} s",))
    except OSError as error:
        return Judgement(Standing.UNREACHABLE, (f"{tool.command[0]} can't be run: {error}",))
    return tool.judge(ended.stdout, ended.stderr)


def main(arguments: Sequence[str] | None = None, tools: Sequence[Tool] | None = None) -> int:
    """Run all tools side by side and say what they found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unreachable-passes", action="store_true", help="exit with 0 where nothing answers")
    given = parser.parse_args(arguments)
    chosen = _tools() if tools is None else tools
    with ThreadPoolExecutor(len(chosen)) as pool:
        judgements = list(pool.map(ran, chosen))
    for tool, judgement in zip(chosen, judgements, strict=True):
        print(told(tool.about, judgement))
    if any(judgement.standing is Standing.UNREACHABLE for judgement in judgements):
        print(WARNING, file=sys.stderr)
    return verdict(judgements, unreachable_passes=given.unreachable_passes)


def _tools() -> list[Tool]:
    beside = Path(sys.executable).parent
    os.environ["PATH"] = f"{beside}{os.pathsep}{os.environ['PATH']}"
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    pip = ("pip-audit", "--disable-pip", "--require-hashes", "--format=json", "--progress-spinner=off")
    npm = ("npm", "audit", "--json", "--fetch-retries=0")
    return [
        Tool(f"requirements/{lock.name}", ROOT, (*pip, "--timeout=10", "-r", str(lock)), of_pip)
        for lock in locks
    ] + [
        Tool("dashboard", ROOT / "dashboard", npm, of_npm),
        Tool("tests/wire/typescript", ROOT / "tests/wire/typescript", (*npm, "--omit=dev"), of_npm),
    ]


def _document(output: str) -> dict[str, Any]:
    try:
        found = json.loads(output)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _unreachable(reason: str) -> Judgement:
    lines = reason.strip().splitlines() or ["it said nothing"]
    return Judgement(Standing.UNREACHABLE, (lines[-1][:300],))


def _flaw(package: dict[str, Any], flaw: dict[str, Any]) -> str:
    mended = ", ".join(flaw["fix_versions"]) or "no version"
    return f"{package['name']} {package['version']}: {flaw['id']}, mended in {mended}"


def _title(item: dict[str, Any]) -> str:
    """What is wrong with it, or which of the packages it needs is."""
    causes = item.get("via") or ["no reason given"]
    first = causes[0]
    return f"{first['title']} ({first['url']})" if isinstance(first, dict) else f"through {first}"


if __name__ == "__main__":
    sys.exit(main())
