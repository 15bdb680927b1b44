"""When an hour is gone through for what is said of its pushes."""

import pytest

from clarion.model.clock import DAY, HOUR, Millis
from clarion.store.trimming import is_due

KEPT = 7 * DAY
OLD = HOUR + KEPT


@pytest.mark.parametrize(
    ("counted_at", "trimmed_at", "now", "due"),
    [
        (2 * HOUR, 0, OLD - 1, False),
        (2 * HOUR, 0, OLD, True),
        (2 * HOUR, OLD, OLD, False),
        (2 * HOUR, OLD, OLD + HOUR - 1, False),
        (2 * HOUR, OLD, OLD + HOUR, True),
        (2 * HOUR, OLD + HOUR, OLD + DAY, False),
        (3 * DAY, OLD, OLD + DAY, False),
        (3 * DAY, OLD, 3 * DAY + KEPT, True),
        (3 * DAY, 3 * DAY + KEPT, 300 * DAY, False),
        (30 * DAY, 10 * DAY, 36 * DAY, False),
        (30 * DAY, 10 * DAY, 37 * DAY, True),
        (30 * DAY, 0, 10 * DAY, True),
    ],
)
def test_an_hour_is_due_when_it_is_old_and_that_long_after_it_was_last_counted(
    counted_at: Millis, trimmed_at: Millis, now: Millis, due: bool
) -> None:
    assert is_due(0, counted_at, trimmed_at, KEPT, now) == due
