"""Moving a device and pushing to it, without its token."""

from calling import Api, Caller, Json, data, error
from clarion.model.http import HttpReply


async def device(dev: Caller, **fields: str) -> Json:
    given = {"providerId": "push-webhook", "token": "phone-token-0123", "id": "phone", **fields}
    found: Json = data(await dev.post("/v1/subscribers/ada/devices", given), 201)
    return found


async def listed(dev: Caller, subscriber: str) -> list[Json]:
    found: list[Json] = data(await dev.get(f"/v1/subscribers/{subscriber}/devices"))
    return found


async def test_a_device_moves_with_all_that_is_known_of_it(dev: Caller) -> None:
    await dev.integration()
    await device(dev, platform="ios", locale="de", timezone="Europe/Berlin", appVersion="4.2")
    moved = data(await dev.post("/v1/subscribers/ada/devices/phone/move", {"subscriberId": "bob"}))
    assert (moved["id"], moved["subscriberId"], moved["status"]) == ("phone", "bob", "active")
    assert (moved["platform"], moved["locale"], moved["appVersion"]) == ("ios", "de", "4.2")
    assert await listed(dev, "ada") == []
    (own,) = await listed(dev, "bob")
    assert own["id"] == "phone"


async def test_a_retired_device_comes_back_to_life_where_it_moves(api: Api, dev: Caller) -> None:
    await dev.integration()
    await dev.workflow()
    await device(dev)
    data(await dev.post("/v1/events/trigger", {"name": "welcome", "to": "ada"}), 201)
    await api.deliver(**{"phone-token-0123": HttpReply(410, body=b'{"code": "token_invalid"}')})
    (gone,) = await listed(dev, "ada")
    assert gone["status"] == "retired"
    data(await dev.post("/v1/subscribers/ada/devices/phone/move", {"subscriberId": "bob"}))
    (alive,) = await listed(dev, "bob")
    assert alive["status"] == "active"


async def test_a_device_stays_where_it_is_named_to_move_to(dev: Caller) -> None:
    await dev.integration()
    await device(dev)
    refused = error(await dev.post("/v1/subscribers/ada/devices/phone/move", {"subscriberId": "ada"}), 422)
    assert list(refused["errors"]) == ["subscriberId"]
    error(await dev.post("/v1/subscribers/ada/devices/none/move", {"subscriberId": "bob"}), 404)
    assert len(await listed(dev, "ada")) == 1
