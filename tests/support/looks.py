"""Looks at a transaction, for tests of what watches it."""

from typing import Any

from clarion.api.transactions import TransactionOut


def seen(**fields: Any) -> TransactionOut:
    """A broadcast being delivered, with nothing done yet."""
    given: dict[str, Any] = {
        "transaction_id": "txn_1",
        "workflow_id": "news",
        "state": "delivering",
        "accepted_at": "2026-11-24T10:00:00.000Z",
        "addressed": 0,
        "skipped": 0,
        "messages": 0,
        "delivered": 0,
        "failed": 0,
        "cancelled": 0,
        "in_flight": 0,
        "rate_per_second": 0.0,
    }
    return TransactionOut(**given | fields)
