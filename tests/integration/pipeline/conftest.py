from collections.abc import AsyncIterator

import pytest

from clarion.store.database import Database
from pipeline import Pipeline


@pytest.fixture
async def pipeline(database: Database) -> AsyncIterator[Pipeline]:
    """The pipeline of one environment; at the end of every test its ledger balances."""
    made = Pipeline(database)
    await made.begin()
    yield made
    await made.balanced()
