"""Fuzz the parsers with atheris, guided by coverage: `python tests/fuzz/run.py --seconds 60 [TARGET ...]`.

Each target runs in a process of its own. The input that breaks one is printed and kept in `found`, where
`test_targets.py` replays it from then on.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "support"))
FOUND = HERE / "found"
LONGEST_SECONDS = 10
"""What takes longer is a fault, too."""
MOST_MEGABYTES = 2048
MOST_BYTES = 4096


def main() -> int:
    """Run the targets one after the other; 1 where one broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", help="all of them unless some are named")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given, passed = parser.parse_known_args()
    if given.inside:
        inside(given.targets[0], passed)
    from fuzz_targets import TARGETS

    broken = [name for name in given.targets or TARGETS if not fuzz(name, given.seconds)]
    print(f"broken: {', '.join(broken)}" if broken else "nothing broke")
    return 1 if broken else 0


def fuzz(name: str, seconds: int) -> bool:
    """Run one target so long; whether it held."""
    from fuzz_targets import TARGETS

    with TemporaryDirectory() as folder:
        seeds, broke = Path(folder) / "seeds", Path(folder) / "broke"
        seeds.mkdir()
        broke.mkdir()
        for number, seed in enumerate(TARGETS[name].seeds):
            (seeds / str(number)).write_bytes(seed)
        limits = [
            f"-max_total_time={seconds}",
            f"-timeout={LONGEST_SECONDS}",
            f"-rss_limit_mb={MOST_MEGABYTES}",
            f"-max_len={MOST_BYTES}",
            f"-artifact_prefix={broke}/",
            "-print_final_stats=1",
        ]
        command = [sys.executable, __file__, "--inside", name, *limits, str(seeds)]
        ended = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        inputs = list(broke.iterdir())
        if ended.returncode == 0 and not inputs:
            print(f"{name}: held, {_runs(ended.stderr)} inputs", flush=True)
            return True
        print(f"{name}: broke\n{ended.stdout[-4000:]}{ended.stderr[-4000:]}", flush=True)
        for path in inputs:
            kept = FOUND / name / path.name
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(path.read_bytes())
            print(f"{name}: broke at {path.read_bytes()!r}\nkept as {kept}", flush=True)
        return False


def inside(name: str, arguments: list[str]) -> None:
    """Fuzz in this process, which ends with it."""
    import atheris

    with atheris.instrument_imports(include=["clarion", "liquid", "python_multipart", "cronsim"]):
        from fuzz_targets import TARGETS

    read = TARGETS[name].read
    atheris.Setup([sys.argv[0], *arguments], read)
    atheris.Fuzz()


def _runs(told: str) -> str:
    line = next((line for line in told.splitlines() if "number_of_executed_units" in line), ": ?")
    return line.rpartition(":")[2].strip()


if __name__ == "__main__":
    sys.exit(main())
