import pytest

from clarion.journal.consumer import pause_after
from clarion.model.clock import MINUTE, SECOND


@pytest.mark.parametrize(("failures", "pause"), [(1, SECOND), (2, 2 * SECOND), (50, 5 * MINUTE)])
def test_a_batch_that_fails_rests_longer_each_time(failures: int, pause: int) -> None:
    assert pause_after(failures) == pause
