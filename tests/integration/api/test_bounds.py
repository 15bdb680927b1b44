"""The limits in force, as somebody reads them who can't see the settings."""

from calling import Caller, Json, data
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
