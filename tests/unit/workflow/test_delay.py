from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.model.clock import DAY, HOUR, Millis
from clarion.workflow.delay import LONGEST_DELAY, Refused, delay_ends

PARIS = ZoneInfo("Europe/Paris")


def at(text: str, zone: ZoneInfo = PARIS) -> Millis:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


NOW = at("2026-03-28T10:00")


def ends(payload: dict[str, Any] | None = None, now: Millis = NOW, **controls: Any) -> Any:
    return delay_ends(controls, payload or {}, now, PARIS)


@pytest.mark.parametrize(
    ("controls", "expected"),
    [
        ({"amount": 5, "unit": "minutes"}, "2026-03-28T10:05"),
        ({"type": "regular", "amount": 1.0, "unit": "weeks"}, "2026-04-04T11:00"),
        ({"amount": 1, "unit": "months"}, "2026-04-28T10:00"),
        ({"type": "timed", "cron": "0 9 * * 1"}, "2026-03-30T09:00"),
        ({"type": "timed", "time": "18:30"}, "2026-03-28T18:30"),
        ({"type": "timed", "time": "10:00"}, "2026-03-29T10:00"),
        ({"type": "timed", "time": "02:30"}, "2026-03-29T03:30"),
    ],
)
def test_a_delay_ends_on_the_subscribers_clock(controls: dict[str, Any], expected: str) -> None:
    assert ends(**controls) == at(expected)


def test_a_month_from_the_last_day_is_the_last_day_of_a_short_month() -> None:
    january = at("2026-01-31T12:00")
    assert ends(now=january, amount=1, unit="months") == at("2026-02-28T12:00")


@pytest.mark.parametrize("key", ["payload.order.at", "order.at"])
def test_the_payload_names_the_time_or_the_amount(key: str) -> None:
    time = {"order": {"at": "2026-03-28T12:00:00+01:00"}}
    span = {"order": {"at": {"amount": 2, "unit": "hours"}}}
    assert ends(time, type="dynamic", dynamicKey=key) == NOW + 2 * HOUR
    assert ends(span, type="dynamic", dynamicKey=key) == NOW + 2 * HOUR


@pytest.mark.parametrize(
    ("controls", "payload", "words"),
    [
        ({"amount": 0, "unit": "days"}, {}, "at least 1"),
        ({"amount": True, "unit": "days"}, {}, "at least 1"),
        ({"amount": float("nan"), "unit": "days"}, {}, "at least 1"),
        ({"amount": float("inf"), "unit": "days"}, {}, "at least 1"),
        ({"amount": 1, "unit": ["days"]}, {}, "unit"),
        ({"type": "timed", "cron": "99 * * * *"}, {}, "five fields"),
        ({"type": "timed", "cron": "0 0 30 2 *"}, {}, "no coming moment"),
        ({"type": "timed"}, {}, "cron or a time"),
        ({"type": "timed", "time": "09:00Z"}, {}, "names a zone"),
        ({"type": "dynamic", "dynamicKey": "a.b"}, {"a": 1}, "ISO 8601"),
        ({"type": "dynamic", "dynamicKey": "a"}, {"a": "0001-01-01T00:00:00"}, "has passed"),
        ({"amount": 1.5, "unit": "days"}, {}, "at least 1"),
        ({"amount": "5", "unit": "days"}, {}, "at least 1"),
        ({"type": "dynamic"}, {}, "needs dynamicKey"),
        ({"type": "odd"}, {}, "unknown"),
    ],
)
def test_what_can_not_be_kept_is_refused(
    controls: dict[str, Any], payload: dict[str, Any], words: str
) -> None:
    refused = ends(payload, **controls)
    assert isinstance(refused, Refused)
    assert words in refused.reason
    assert not refused.over_limit


@pytest.mark.parametrize(("amount", "unit"), [(181, "days"), (7, "months"), (10**30, "weeks")])
def test_no_delay_is_longer_than_180_days(amount: int, unit: str) -> None:
    refused = ends(amount=amount, unit=unit)
    assert isinstance(refused, Refused)
    assert refused.over_limit


def test_180_days_are_allowed() -> None:
    assert ends(amount=180, unit="days") == NOW + 180 * DAY


@given(
    now=st.integers(at("2020-01-01T00:00"), at("2035-01-01T00:00")),
    zone=st.sampled_from(["Europe/Paris", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Tokyo"]),
    minute=st.integers(0, 1439),
)
def test_a_time_of_day_comes_within_a_day_and_an_hours_change(now: Millis, zone: str, minute: int) -> None:
    text = f"{minute // 60:02}:{minute % 60:02}"
    found = delay_ends({"type": "timed", "time": text}, {}, now, ZoneInfo(zone))
    assert isinstance(found, int)
    assert now < found <= now + DAY + 2 * HOUR < now + LONGEST_DELAY
