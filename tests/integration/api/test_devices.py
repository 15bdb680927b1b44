"""Devices of a subscriber, as their apps register them."""

import json
from typing import Any

import pytest

from calling import Api, Caller, Json, data, error
from clarion.model.http import HttpReply
from clarion.providers.web_push import new_keys
from clarion.testing.web_push import WebPushEmulator

PATH = "/v1/subscribers/ada/devices"
PHONE = {"providerId": "push-webhook", "token": "token-of-ada"}


@pytest.fixture(autouse=True)
async def hook(dev: Caller) -> Json:
    """The integration `hook`."""
    return await dev.integration("hook")


async def register(dev: Caller, status: int = 201, path: str = PATH, **fields: Any) -> Json:
    found: Json = data(await dev.post(path, {**PHONE, **fields}), status)
    return found


async def devices_of(dev: Caller, subscriber_id: str = "ada") -> list[Json]:
    found: list[Json] = data(await dev.get(f"/v1/subscribers/{subscriber_id}/devices"))
    return found


async def tokens_of(dev: Caller, subscriber_id: str) -> list[str]:
    found = data(await dev.get(f"/v2/subscribers/{subscriber_id}"))
    return [token for channel in found["channels"] for token in channel["credentials"]["deviceTokens"]]


async def test_a_device_is_registered_listed_read_and_removed(dev: Caller) -> None:
    told: Json = {"platform": "ios", "appVersion": "2.1", "locale": "de_DE", "timezone": "Europe/Berlin"}
    made = await register(dev, **told)
    assert made["id"].startswith("dev_")
    assert {name: made[name] for name in told} == told
    assert (made["status"], made["subscriberId"], made["integrationIdentifier"]) == ("active", "ada", "hook")
    assert made["token"] == "…", "a short token is not shown at all"
    assert await devices_of(dev) == [made]
    one = f"{PATH}/{made['id']}"
    assert data(await dev.get(one)) == made
    assert await tokens_of(dev, "ada") == ["token-of-ada"]
    assert (await dev.delete(one)).status_code == 204
    assert error(await dev.get(one), 404)
    assert error(await dev.delete(one), 404)
    assert await devices_of(dev) == []


async def test_registering_again_refreshes_and_keeps_what_is_not_told(dev: Caller) -> None:
    made = await register(dev, platform="android", appVersion="1.0")
    again = await register(dev, 200, appVersion="1.1")
    assert (again["id"], again["platform"], again["appVersion"]) == (made["id"], "android", "1.1")
    assert again["registeredAt"] > made["registeredAt"]


async def test_a_device_with_an_id_keeps_it_when_its_token_is_renewed(dev: Caller) -> None:
    await register(dev, id="phone", token="old")
    await register(dev, token="new")
    renewed = await register(dev, 200, id="phone", token="new")
    assert renewed["id"] == "phone"
    assert [device["id"] for device in await devices_of(dev)] == ["phone"]
    assert await tokens_of(dev, "ada") == ["new"]


async def test_an_issued_id_refreshes_too_and_an_unknown_one_is_refused(dev: Caller) -> None:
    made = await register(dev)
    again = await register(dev, 200, id=made["id"], token="renewed")
    assert again["id"] == made["id"]
    assert await tokens_of(dev, "ada") == ["renewed"]
    assert "dev_987" in error(await dev.post(PATH, {**PHONE, "id": "dev_987"}), 404)["message"]


async def test_a_shared_phone_belongs_to_who_registered_it_last(dev: Caller) -> None:
    made = await register(dev)
    moved = await register(dev, 201, "/v1/subscribers/bob/devices")
    assert (moved["id"], moved["subscriberId"]) == (made["id"], "bob")
    assert await devices_of(dev) == []
    assert await tokens_of(dev, "bob") == ["token-of-ada"]


async def test_a_moved_device_may_have_got_a_new_token_meanwhile(dev: Caller) -> None:
    await register(dev, id="phone", token="old")
    await register(dev, 201, "/v1/subscribers/bob/devices", id="phone", token="new")
    assert await devices_of(dev) == []
    assert await tokens_of(dev, "bob") == ["new"]


async def test_ownership_is_a_configuration_of_the_integration(dev: Caller, hook: Json) -> None:
    one = f"/v1/integrations/{hook['_id']}"
    credentials = {"providerId": "push-webhook", "credentials": {"deviceTokens": ["token-of-ada"]}}
    await register(dev)
    await dev.subscriber("bob")
    data(await dev.put("/v1/subscribers/bob/credentials", credentials))
    assert await tokens_of(dev, "ada") == ["token-of-ada"], "credential calls share unless told otherwise"
    data(await dev.put(one, {"configurations": {"deviceOwnership": "move"}}))
    data(await dev.patch("/v1/subscribers/bob/credentials", credentials))
    assert await tokens_of(dev, "ada") == []
    data(await dev.put(one, {"configurations": {"deviceOwnership": "share"}}))
    await register(dev)
    assert await tokens_of(dev, "bob") == ["token-of-ada"]
    for wrong in ("mine", ["move"], 1):
        refused = error(await dev.put(one, {"configurations": {"deviceOwnership": wrong}}), 422)
        assert "configurations.deviceOwnership" in refused["errors"]


async def test_a_browser_registers_its_subscription(dev: Caller) -> None:
    keys = new_keys()
    credentials = {**keys, "subject": "mailto:ada@example.com"}
    await dev.integration("web", providerId="web-push", credentials=credentials)
    text = WebPushEmulator(origin="https://push.test").subscribe("browser-abcd", keys["publicKey"])
    given: Json = {"providerId": "web-push", "subscription": json.loads(text), "platform": "web"}
    made = data(await dev.post(PATH, given), 201)
    assert made["token"] == "push.test/…abcd"
    reordered = {**given, "subscription": dict(reversed(list(given["subscription"].items())))}
    assert data(await dev.post(PATH, reordered), 200)["id"] == made["id"]
    assert data(await dev.get("/v2/subscribers/ada"))["channels"] == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"token": " "}, "token"),
        ({"token": None}, "token"),
        ({"subscription": {"endpoint": "https://a.test/", "keys": {"p256dh": "x", "auth": "y"}}}, "token"),
        ({"id": ""}, "id"),
        ({"id": "x" * 129}, "id"),
        ({"platform": "toaster"}, "platform"),
        ({"locale": "not a locale"}, "locale"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "Europe"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"appVersion": "x" * 129}, "appVersion"),
        ({"providerId": "pigeon"}, "providerId"),
    ],
)
async def test_a_wrong_field_is_named(dev: Caller, fields: Json, field: str) -> None:
    refused = error(await dev.post(PATH, {**PHONE, **fields}), 422)
    assert field in refused["errors"]


async def test_a_token_that_can_not_be_one_of_the_provider_is_refused(dev: Caller) -> None:
    await dev.integration("expo", providerId="expo", credentials={})
    refused = error(await dev.post(PATH, {"providerId": "expo", "token": "no expo token"}), 422)
    assert "Expo" in refused["errors"]["token"]["messages"][0]


async def test_there_must_be_an_active_integration(dev: Caller) -> None:
    assert "fcm" in error(await dev.post(PATH, {**PHONE, "providerId": "fcm"}), 400)["message"]
    unknown = {**PHONE, "integrationIdentifier": "nobody"}
    assert "nobody" in error(await dev.post(PATH, unknown), 400)["message"]


async def test_at_most_100_devices_live_under_an_integration(dev: Caller) -> None:
    tokens = [f"token-{number}" for number in range(100)]
    await dev.subscriber("ada")
    given = {"providerId": "push-webhook", "credentials": {"deviceTokens": tokens}}
    data(await dev.put("/v1/subscribers/ada/credentials", given))
    refused = error(await dev.post(PATH, PHONE), 400)
    assert (refused["currentCount"], refused["limit"]) == (101, 100)
    await register(dev, 200, token="token-7")


async def test_devices_of_another_environment_are_not_there(dev: Caller, prod: Caller) -> None:
    made = await register(dev)
    assert error(await prod.get(PATH), 404)
    await prod.subscriber("ada")
    assert await devices_of(prod) == []
    assert error(await prod.get(f"{PATH}/{made['id']}"), 404)


async def test_a_trigger_may_choose_devices(api: Api, dev: Caller) -> None:
    await dev.workflow()
    await register(dev, id="phone", token="one")
    await register(dev, id="tablet", token="two")
    for overrides in ({"devices": ["tablet"]}, {"push": {"devices": ["tablet", "unknown"]}}):
        transaction = data(
            await dev.post(
                "/v1/events/trigger",
                {"name": "welcome", "to": "ada", "payload": {"text": "hi"}, "overrides": overrides},
            ),
            201,
        )["transactionId"]
        await api.deliver()
        found = (await dev.get("/v1/messages", transactionId=transaction)).json()["data"]
        assert [message["deviceTokens"] for message in found] == [["two"]]


async def test_a_trigger_that_chooses_no_device_of_the_subscriber_says_so(api: Api, dev: Caller) -> None:
    await dev.workflow()
    await register(dev)
    given = {"name": "welcome", "to": "ada", "payload": {}, "overrides": {"devices": ["nobody"]}}
    transaction = data(await dev.post("/v1/events/trigger", given), 201)["transactionId"]
    await api.deliver()
    (found,) = (await dev.get("/v1/notifications", transactionId=transaction)).json()["data"]
    texts = [detail["detail"] for job in found["jobs"] for detail in job["executionDetails"]]
    assert "Subscriber has none of the devices that the trigger chose" in texts


async def test_a_retired_device_tells_why_and_comes_back_when_registered(api: Api, dev: Caller) -> None:
    await dev.workflow()
    made = await register(dev)
    data(await dev.post("/v1/events/trigger", {"name": "welcome", "to": "ada", "payload": {}}), 201)
    await api.deliver(**{"token-of-ada": HttpReply(410, body=b'{"code": "token_invalid"}')})
    (retired,) = await devices_of(dev)
    assert (retired["status"], bool(retired["retiredReason"])) == ("retired", True)
    assert (await register(dev, 200))["id"] == made["id"]
    assert (await devices_of(dev))[0]["status"] == "active"
