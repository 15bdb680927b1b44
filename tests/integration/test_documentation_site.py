"""The documentation's site builds without a warning: links, anchors and navigation lead somewhere."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_site_builds_strictly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for page in ("index.html", "reference/api/index.html", "settings/index.html", "guarantees/index.html"):
        assert (tmp_path / page).is_file()
    assert "GET /v1/health-check" in (tmp_path / "reference" / "api" / "index.html").read_text()
