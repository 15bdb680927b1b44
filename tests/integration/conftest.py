"""What holds at the end of every integration test."""

from collections.abc import Iterator

import pytest

from balance import close_books


@pytest.fixture(autouse=True)
def ledger_balances() -> Iterator[None]:
    """Every database that the test used balances, per environment and per trigger."""
    yield
    close_books()
