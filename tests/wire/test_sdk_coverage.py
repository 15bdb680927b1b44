"""Every core operation of the contract was called by both SDKs, and refused to both, before this runs."""

from pathlib import Path

import pytest

from clarion.api.table import ROUTES
from sdk_coverage import PAGE, CallLog, contract, lacking, page, statuses

PRESENT = {(route.method, route.path) for route in ROUTES}
KNOWN = [operation for operation in contract() if (operation.method, operation.path) in PRESENT]


def test_clarion_has_every_core_operation() -> None:
    assert [operation.label for operation in contract() if operation.core and operation not in KNOWN] == []


def test_the_page_lists_the_operations_that_clarion_has() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [operation.label for operation in KNOWN]


def test_both_sdks_call_every_core_operation_and_the_page_says_so(
    request: pytest.FixtureRequest, call_log: CallLog
) -> None:
    if not is_whole(request.session):
        pytest.skip("the calls of the whole folder are looked at together")
    seen = statuses(KNOWN, call_log.calls())
    assert lacking(KNOWN, seen) == []
    if request.config.getoption("--write-sdk-coverage", default=False):
        PAGE.write_text(page(KNOWN, seen))
    assert page(KNOWN, seen) == PAGE.read_text(), "run pytest tests/wire --write-sdk-coverage"


def is_whole(session: pytest.Session) -> bool:
    """Whether all tests of this folder run."""
    here = Path(__file__).parent
    there = {item.path.name for item in session.items if item.path.parent == here}
    return not session.config.option.keyword and there == {path.name for path in here.glob("test_*.py")}
