"""What phones report of pushes."""

from typing import Any

import pytest

from calling import Api, Caller, Json, data, error


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
