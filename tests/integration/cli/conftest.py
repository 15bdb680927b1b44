"""What verbs that ask an API are tried against."""

from collections.abc import Iterator

import pytest

from verbs import Verb, environ


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A running demo: its URL and key, as verbs take them."""
    folder = tmp_path_factory.mktemp("demo")
    with Verb(folder, ["demo"], environ()) as running:
        url = running.line("Clarion listens on").split()[3].rstrip(",")
        running.line("Ctrl-C")
        key = (folder / "clarion-data" / "demo" / "api-key").read_text().strip()
        yield {"--url": url, "--key": key}
