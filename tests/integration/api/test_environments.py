"""Environments and the keys that they show."""

import demanded
from calling import Api, Json, data


async def listed(api: Api, kind: str) -> dict[str, Json]:
    """Environments by type, as a key of one sees them."""
    caller = api.development if kind == "dev" else api.production
    found = data(await caller.get("/v1/environments"))
    for item in found:
        demanded.check(demanded.ENVIRONMENT, item)
    return {item["type"]: item for item in found}


async def test_both_environments_are_listed_with_what_the_sdks_demand(api: Api) -> None:
    found = await listed(api, "dev")
    assert {kind: item["name"] for kind, item in found.items()} == {
        "dev": "Development",
        "prod": "Production",
    }
    assert "_parentId" not in found["dev"]
    assert found["prod"]["_parentId"] == found["dev"]["_id"]
    assert found["dev"]["_organizationId"] == found["prod"]["_organizationId"]
    assert found["dev"]["identifier"] != found["prod"]["identifier"]


async def test_a_key_shows_the_keys_of_its_environment_whole_and_others_masked(api: Api) -> None:
    for kind, other in (("dev", "prod"), ("prod", "dev")):
        found = await listed(api, kind)
        assert [key["key"] for key in found[kind]["apiKeys"]] == [api.keys[kind]]
        assert api.keys[other] not in str(found)
        (masked,) = found[other]["apiKeys"]
        assert masked["key"]
        assert masked["_userId"]


async def test_a_further_key_is_listed_too(api: Api) -> None:
    key = await api.new_key(await api.environment_id("prod"))
    assert {item["key"] for item in (await listed(api, "prod"))["prod"]["apiKeys"]} == {api.keys["prod"], key}
    assert key not in str(await listed(api, "dev"))
