"""The API as an application, called without a network: where it stores something, on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from calling import Api, Caller, running_api
from clarion.deliver.exchange import HttpSender
from postgres import PostgresServer

STORE_NOTHING = {
    "test_access",
    "test_bounds",
    "test_conditions",
    "test_errors",
    "test_limits",
    "test_maxima",
    "test_openapi",
    "test_providers",
    "test_site",
    "test_steps",
}
"""Their subject stands before the database."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every other test of the API runs on each database."""
    if "api" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] not in STORE_NOTHING:
        metafunc.parametrize("api", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def sender() -> HttpSender | None:
    """What answers the API's own requests; a module that makes some has its own."""
    return None


@pytest.fixture
async def api(
    request: pytest.FixtureRequest, tmp_path: Path, sender: HttpSender | None
) -> AsyncIterator[Api]:
    """The API on a database of its own."""
    more: dict[str, Any] = {}
    if getattr(request, "param", "sqlite") == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        more["database_url"] = server.make()
    async with running_api(tmp_path, sender, **more) as running:
        yield running


@pytest.fixture
def dev(api: Api) -> Caller:
    """A caller with a key of Development."""
    return api.development


@pytest.fixture
def prod(api: Api) -> Caller:
    """A caller with a key of Production."""
    return api.production
