"""What a browser loads before it shows the first page."""

import gzip
import re

import pytest

from clarion.api.site import BUILT

MOST_BYTES = 250_000
LOADED = re.compile(r'(?:src|href)="/(assets/[^"]+)"')


@pytest.fixture
def page() -> str:
    """The built first page."""
    if not (BUILT / "index.html").exists():
        pytest.skip("the dashboard is not built: make dashboard")
    return (BUILT / "index.html").read_text()


def test_the_shell_is_small(page: str) -> None:
    files = LOADED.findall(page)
    assert any(name.endswith(".js") for name in files)
    sizes = {name: len(gzip.compress((BUILT / name).read_bytes())) for name in files}
    assert sum(sizes.values()) + len(gzip.compress(page.encode())) < MOST_BYTES, sizes


def test_pages_are_loaded_when_they_are_opened(page: str) -> None:
    first = set(LOADED.findall(page))
    scripts = {path.relative_to(BUILT).as_posix() for path in BUILT.glob("assets/*.js")}
    assert len(scripts - first) > 20
