"""The limits in force, as somebody reads them who can't see the settings."""

import pytest

from calling import Caller, Json, data
from clarion.api.bounds import _set
from clarion.api.route import Bounds
from clarion.settings import Settings, described

PATH = "/v1/limits"


async def test_each_limit_tells_its_value_and_a_setting_that_there_is(dev: Caller) -> None:
    told: list[Json] = data(await dev.get(PATH))
    by_name = {one["name"]: one for one in told}
    assert len(by_name) == len(told)
    assert by_name["auditRetention"] == {
        "name": "auditRetention",
        "value": 400 * 24 * 3600,
        "unit": "seconds",
        "setting": "CLARION_AUDIT_RETENTION",
    }
    assert by_name["backlogLimit"]["value"] == 20_000
    assert by_name["pageSize"]["setting"] is None
    named = {one["setting"] for one in told} - {None}
    assert named <= {one.name for one in described(Settings())}


async def test_what_is_not_limited_has_no_value(dev: Caller) -> None:
    by_name = {one["name"]: one["value"] for one in data(await dev.get(PATH))}
    assert by_name["triggerCalls"] is None
    assert by_name["activityRetention"] == 90 * 24 * 3600
    assert by_name["messageRetention"] == by_name["detailRetention"] == 90 * 24 * 3600


@pytest.mark.parametrize(
    ("activity", "own", "told"),
    [(0, 0, None), (0, 86_400, 86_400), (90, 0, 90), (90, 60, 60), (90, 120, 90)],
)
def test_texts_and_details_are_kept_no_longer_than_the_activity(
    activity: int, own: int, told: int | None
) -> None:
    bounds = Bounds(activity, own, own, 1, 2, 3, 4, 5)
    by_name = {one.name: one.value for one in _set(bounds)}
    assert by_name["activityRetention"] == (activity or None)
    assert by_name["messageRetention"] == by_name["detailRetention"] == told
    assert by_name["auditRetention"] == 1
