"""What phones report of pushes."""

from typing import Any

import pytest

from calling import Api, Caller, Json, data, error
from clarion.api.reporters import MOST_AT_ONCE
from clarion.model.clock import DAY, SECOND, iso
from clarion.security.links import Links, Pushed


@pytest.fixture
async def sent(api: Api, dev: Caller) -> Json:
    """A message that was delivered, with the path its phone's reports go to."""
    integration = await dev.integration(configurations={"inboundWebhookEnabled": True})
    await dev.workflow()
    channel = {"providerId": "push-webhook", "credentials": {"deviceTokens": ["phone"]}}
    await dev.subscriber(channels=[channel])
    data(await dev.post("/v1/events/trigger", {"name": "welcome", "to": "ada"}), 201)
    await api.deliver()
    (message,) = (await dev.get("/v1/messages")).json()["data"]
    place = f"{await api.environment_id()}/{integration['_id']}"
    return {"id": message["_id"], "path": f"/v2/inbound-webhooks/delivery-providers/{place}"}


async def flags(dev: Caller) -> tuple[Any, Any]:
    (message,) = (await dev.get("/v1/messages")).json()["data"]
    return message["seen"], message["read"]


async def test_reports_are_answered_and_show_on_the_message(dev: Caller, sent: Json) -> None:
    assert await flags(dev) == (False, False)
    for status, shown in (
        ("delivered", (False, False)),
        ("dismissed", (True, False)),
        ("opened", (True, True)),
    ):
        body = {"eventType": status, "eventId": sent["id"], "timestamp": "yesterday"}
        for _ in range(2):
            (found,) = data(await dev.post(sent["path"], body))
            assert (found["id"], found["event"]["status"]) == (sent["id"], status)
            assert sent["id"] in found["event"]["row"]
        assert await flags(dev) == shown


async def test_a_report_goes_to_the_environment_of_its_key_alone(
    api: Api, dev: Caller, prod: Caller, sent: Json
) -> None:
    """Neither an environment's path with another's key, nor its key with another's path."""
    integration_id = sent["path"].rpartition("/")[2]
    body = {"eventType": "opened", "eventId": sent["id"]}
    error(await prod.post(sent["path"], body), 404)
    for environment_id in (await api.environment_id("prod"), "nowhere"):
        path = f"/v2/inbound-webhooks/delivery-providers/{environment_id}/{integration_id}"
        error(await dev.post(path, body), 404)
    assert await flags(dev) == (False, False)


async def seen_at(dev: Caller) -> str:
    (device,) = data(await dev.get("/v1/subscribers/ada/devices"))
    return str(device["lastSeenAt"])


@pytest.mark.parametrize("way", ["callback", "link"])
async def test_a_report_says_that_the_device_is_there(api: Api, dev: Caller, sent: Json, way: str) -> None:
    environment_id, integration_id = sent["path"].rsplit("/", 2)[1:]
    pushed = Pushed(environment_id, integration_id, sent["id"])
    link = Links(api.services.vault, "").to(pushed)
    before = await seen_at(dev)
    api.later(2 * DAY)
    reported = api.services.clock()
    if way == "link":
        assert (await api.caller(None).call("POST", f"{link}?event=opened")).status_code == 204
    else:
        data(await dev.post(sent["path"], {"eventType": "opened", "eventId": sent["id"]}))
    seen = await seen_at(dev)
    assert before < iso(reported) < seen < iso(reported + SECOND)


async def test_a_link_reports_so_often_from_one_address(api: Api, sent: Json) -> None:
    environment_id, integration_id = sent["path"].rsplit("/", 2)[1:]
    link = Links(api.services.vault, "").to(Pushed(environment_id, integration_id, sent["id"]))
    phone, other = Caller(api.app, None), Caller(api.app, None, address="192.0.2.7")
    for _ in range(MOST_AT_ONCE):
        assert (await phone.call("POST", f"{link}?event=opened")).status_code == 204
    refused = await phone.call("POST", f"{link}?event=opened")
    error(refused, 429)
    assert refused.headers["retry-after"] == "1"
    assert (await other.call("POST", f"{link}?event=opened")).status_code == 204
    api.later(SECOND)
    assert (await phone.call("POST", f"{link}?event=opened")).status_code == 204


async def test_a_report_without_an_id_is_of_nothing(dev: Caller, sent: Json) -> None:
    assert data(await dev.post(sent["path"], {"eventType": "opened"})) == []
    assert await flags(dev) == (False, False)


@pytest.mark.parametrize(
    ("change", "field"),
    [({"eventType": "eaten"}, "eventType"), ({"eventType": None}, "eventType"), ({"eventId": 7}, "eventId")],
)
async def test_what_is_no_report_is_refused_by_name(
    dev: Caller, sent: Json, change: Json, field: str
) -> None:
    body = {"eventType": "opened", "eventId": sent["id"], **change}
    assert set(error(await dev.post(sent["path"], body), 422)["errors"]) == {field}
    assert await flags(dev) == (False, False)


async def test_reports_go_to_an_integration_of_the_environment(dev: Caller, prod: Caller, sent: Json) -> None:
    body = {"eventType": "opened", "eventId": sent["id"]}
    error(await dev.post(sent["path"][:-32] + "0" * 32, body), 404)
    error(await prod.post(sent["path"], body), 404)
    assert await flags(dev) == (False, False)
