"""Fixtures that every kind of test shares."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clarion.store.migrate import migrate
from clarion.store.sqlite import SqliteDatabase


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    """An embedded database at the schema of this version."""
    opened = SqliteDatabase(tmp_path / "clarion.db")
    migrate(opened.engine)
    yield opened
    await opened.close()
