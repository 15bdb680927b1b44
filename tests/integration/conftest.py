"""What holds at the end of every integration test, and what those with processes run on."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from balance import close_books
from nats_servers import nats_server
from postgres import PostgresServer


@pytest.fixture(autouse=True)
def ledger_balances() -> Iterator[None]:
    """Every database that the test used balances, per environment and per trigger."""
    yield
    close_books()


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The footing to run on."""
    if request.param == "sqlite":
        yield {}
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    settings = {"database_url": server.make()}
    if request.param == "postgresql":
        yield settings
        return
    with TemporaryDirectory() as directory, nats_server(Path(directory)) as url:
        yield settings | {"journal_url": url}
