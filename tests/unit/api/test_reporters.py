import pytest

from clarion.api import reporters
from clarion.api.reporters import MOST_AT_ONCE, PER_SECOND, Reporters
from clarion.errors import TooManyRequests
from clarion.model.clock import SECOND


def test_an_address_reports_so_often_and_others_as_well() -> None:
    book = Reporters()
    for _ in range(MOST_AT_ONCE):
        book.admit("1.2.3.4", 0)
    with pytest.raises(TooManyRequests):
        book.admit("1.2.3.4", 0)
    book.admit("1.2.3.5", 0)
    for _ in range(PER_SECOND):
        book.admit("1.2.3.4", SECOND)
    with pytest.raises(TooManyRequests):
        book.admit("1.2.3.4", SECOND)


def test_only_the_latest_addresses_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporters, "MOST_ADDRESSES", 2)
    book = Reporters()
    for _ in range(MOST_AT_ONCE):
        book.admit("first", 0)
    for name in ("second", "third"):
        book.admit(name, 0)
    book.admit("first", 0)
