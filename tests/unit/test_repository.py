"""What may never stand in a committed file, and what must."""

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
