"""The API as an application, called without a network."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from calling import Api, Caller, running_api


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """The API on a database of its own."""
    async with running_api(tmp_path) as running:
        yield running


@pytest.fixture
def dev(api: Api) -> Caller:
    """A caller with a key of Development."""
    return api.development


@pytest.fixture
def prod(api: Api) -> Caller:
    """A caller with a key of Production."""
    return api.production
