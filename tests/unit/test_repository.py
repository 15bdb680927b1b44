"""What may never stand in a committed file, and what must."""

import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
REGISTRY = re.compile(r"https?://[a-z0-9.-]*(registry\.|pythonhosted|pypi\.|npmjs)", re.IGNORECASE)


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.splitlines() if (path := ROOT / name).is_file()]


def test_no_file_names_a_package_registry() -> None:
    assert [path.name for path in tracked() if REGISTRY.search(path.read_text(errors="ignore"))] == []


def test_every_pinned_requirement_carries_a_hash() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        blocks = re.split(r"\n(?=[a-z0-9])", path.read_text().strip(), flags=re.IGNORECASE)
        assert blocks
        assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_every_pinned_npm_package_carries_a_hash() -> None:
    for path in (path for path in tracked() if path.name == "package-lock.json"):
        packages = json.loads(path.read_text())["packages"]
        assert packages
        assert [name for name, pinned in packages.items() if name and "integrity" not in pinned] == []


def test_the_threat_model_names_tests_that_are_there() -> None:
    named = set(re.findall(r"tests/[a-z_/]+\.py", (ROOT / "SECURITY.md").read_text()))
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).is_file()] == []
