"""Dates in queries."""

from datetime import UTC, datetime

from clarion.errors import Unprocessable
from clarion.model.clock import Millis


def date(text: str | None, name: str) -> Millis | None:
    """The moment an ISO 8601 text names, UTC where it names no zone; 422 names the parameter."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        message = "must be a date such as 2026-01-31T09:00:00Z"
        raise Unprocessable(f"{name} {message}", {name: [message]}) from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
