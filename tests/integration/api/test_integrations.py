"""Integrations: registered, changed, switched on and off; secrets that are never shown."""

import re
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from calling import WEBHOOK, Caller, Json, data, error
from clarion.testing.certificates import Authority

PATH = "/v1/integrations"
SECRET = "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----"


async def made(dev: Caller, **fields: Any) -> Json:
    found: Json = data(await dev.post(PATH, {"providerId": "push-webhook", **fields}), 201)
    return found


async def changed(dev: Caller, integration: Json, **fields: Any) -> Json:
    found: Json = data(await dev.put(f"{PATH}/{integration['_id']}", fields))
    return found


async def test_a_registered_integration_has_what_the_sdks_demand(dev: Caller) -> None:
    given = {
        "name": "Hook",
        "identifier": "my-hook",
        "channel": "push",
        "active": True,
        "credentials": WEBHOOK,
        "configurations": {"inboundWebhookEnabled": True},
        "conditions": [],
        "check": False,
        "kind": "delivery",
    }
    found = await made(dev, **given)
    shown = {name: found[name] for name in ("name", "identifier", "channel", "active", "configurations")}
    assert shown == {name: given[name] for name in shown}
    assert (found["deleted"], found["primary"]) == (False, False)
    assert data(await dev.get(PATH)) == [found]


async def test_defaults_are_the_providers_name_a_slug_of_it_and_inactive(dev: Caller) -> None:
    found = await made(dev)
    assert (found["name"], found["active"]) == ("Push Webhook", False)
    assert re.fullmatch("push-webhook-[0-9A-Za-z]{9}", found["identifier"])
    named = await made(dev, name="Mein Börsen-Hook!")
    assert re.fullmatch("mein-borsen-hook-[0-9A-Za-z]{9}", named["identifier"])
    assert (await made(dev, name="Mein Börsen-Hook!"))["identifier"] != named["identifier"]
    assert len((await made(dev, name="x" * 5000))["identifier"]) < 120


async def test_an_identifier_is_taken_once(dev: Caller, prod: Caller) -> None:
    first, other = await made(dev, identifier="hook"), await made(dev, identifier="other")
    given = {"providerId": "fcm", "identifier": "hook"}
    for response in (
        await dev.post(PATH, given),
        await prod.post(PATH, given),
        await dev.put(f"{PATH}/{other['_id']}", {"identifier": "hook"}),
    ):
        assert "hook already exists" in error(response, 409)["message"]
        assert response.headers["retry-after"] == "1"
    assert data(await dev.get(PATH)) == [first, other]
    assert (await changed(dev, first, identifier="hook"))["identifier"] == "hook"


@pytest.mark.parametrize("identifier", [" ", "x" * 513])
async def test_an_identifier_that_can_be_none_is_refused(dev: Caller, identifier: str) -> None:
    integration = await made(dev)
    for response in (
        await dev.post(PATH, {"providerId": "fcm", "identifier": identifier}),
        await dev.put(f"{PATH}/{integration['_id']}", {"identifier": identifier}),
    ):
        assert set(error(response, 422)["errors"]) == {"identifier"}


async def test_secrets_are_masked_and_stay_when_sent_back_as_shown(dev: Caller) -> None:
    created = await made(dev, credentials=WEBHOOK, active=True)
    assert created["credentials"]["webhookUrl"] == WEBHOOK["webhookUrl"]
    for response in (
        await dev.get(PATH),
        await dev.get(f"{PATH}/active"),
        await dev.put(f"{PATH}/{created['_id']}", {"credentials": created["credentials"]}),
        await dev.put(f"{PATH}/{created['_id']}", {"name": "Renamed"}),
    ):
        assert response.status_code == 200
        assert WEBHOOK["secretKey"] not in response.text
        assert created["credentials"]["secretKey"] in response.text
    replaced = await changed(dev, created, credentials={**WEBHOOK, "secretKey": "another-secret-key"})
    assert replaced["credentials"]["secretKey"] != created["credentials"]["secretKey"]


async def test_a_secret_that_was_sent_back_masked_is_the_stored_one(dev: Caller, api: Any) -> None:
    created = await made(dev, credentials=WEBHOOK)
    await changed(dev, created, credentials=created["credentials"] | {"webhookUrl": "https://new.test/"})
    stored = (await api.services.catalog.current()).integrations[created["_id"]].credentials
    assert stored == {"webhookUrl": "https://new.test/", "secretKey": WEBHOOK["secretKey"]}


@pytest.mark.parametrize("name", ["apiKey", "apiToken", "secretKey", "token", "password", "serviceAccount"])
async def test_every_kind_of_secret_is_masked(dev: Caller, name: str) -> None:
    for secret in (SECRET, "short"):
        found = await made(dev, credentials={name: secret})
        assert isinstance(found["credentials"][name], str)
        assert secret not in str(found)


@pytest.mark.parametrize("secret", [{"private_key": SECRET}, 5, True, [SECRET]])
async def test_a_secret_is_text_else_it_could_not_be_masked(dev: Caller, secret: object) -> None:
    given = {"providerId": "fcm", "credentials": {"serviceAccount": secret}}
    assert set(error(await dev.post(PATH, given), 422)["errors"]) == {"credentials.serviceAccount"}
    integration = await made(dev, providerId="fcm")
    response = await dev.put(f"{PATH}/{integration['_id']}", {"credentials": given["credentials"]})
    error(response, 422)


async def test_null_credentials_are_left_out(dev: Caller) -> None:
    found = await made(dev, credentials={"secretKey": None, "webhookUrl": "https://hook.test/"})
    assert found["credentials"] == {"webhookUrl": "https://hook.test/"}


async def test_an_inactive_integration_may_be_incomplete_and_is_not_switched_on_then(dev: Caller) -> None:
    integration = await made(dev, providerId="fcm", name="FCM")
    path = f"{PATH}/{integration['_id']}"
    refused = error(await dev.put(path, {"active": True}), 422)
    assert set(refused["errors"]) == {"credentials.serviceAccount"}
    refused = error(await dev.put(path, {"active": True, "credentials": {"serviceAccount": "{"}}), 422)
    assert set(refused["errors"]) == {"credentials.serviceAccount"}
    assert data(await dev.get(PATH)) == [integration]
    refused = error(await dev.post(PATH, {"providerId": "fcm", "active": True}), 422)
    assert set(refused["errors"]) == {"credentials.serviceAccount"}


async def test_an_active_integration_does_not_become_incomplete(dev: Caller) -> None:
    integration = await made(dev, credentials=WEBHOOK, active=True)
    refused = error(await dev.put(f"{PATH}/{integration['_id']}", {"credentials": {}}), 422)
    assert set(refused["errors"]) == {"credentials.webhookUrl"}
    switched_off = await changed(dev, integration, credentials={}, active=False)
    assert (switched_off["active"], switched_off["credentials"]) == (False, {})


async def test_what_is_left_out_of_a_change_stays(dev: Caller) -> None:
    integration = await made(dev, name="Hook", credentials=WEBHOOK, configurations={"a": 1}, active=True)
    found = await changed(dev, integration, name="Renamed")
    assert found == integration | {"name": "Renamed"}
    assert (await changed(dev, integration, active=False))["active"] is False


@pytest.mark.parametrize("body", [{}, {"unknown": 1}, {"check": True}, {"name": None}])
async def test_a_change_of_nothing_is_refused(dev: Caller, body: Json) -> None:
    integration = await made(dev)
    response = await dev.put(f"{PATH}/{integration['_id']}", body)
    assert error(response, 400)["message"] == "No properties found for update"


async def test_what_is_not_there_is_404(dev: Caller) -> None:
    for response in (await dev.put(f"{PATH}/gone", {"name": "x"}), await dev.delete(f"{PATH}/gone")):
        assert error(response, 404)["message"] == "Entity with id gone not found"


async def test_a_removal_answers_what_is_left_and_takes_its_tokens_along(dev: Caller) -> None:
    first, second = await dev.integration("first"), await dev.integration("second")
    await dev.subscriber()
    for identifier in ("first", "second"):
        tokens = {"providerId": "push-webhook", "deviceTokens": ["phone"]}
        await dev.put("/v1/subscribers/ada/credentials", {**tokens, "integrationIdentifier": identifier})
    assert data(await dev.delete(f"{PATH}/{second['_id']}")) == [first]
    assert data(await dev.get(PATH)) == [first]
    (channel,) = data(await dev.get("/v2/subscribers/ada"))["channels"]
    assert channel["integrationIdentifier"] == "first"


async def test_the_active_list_holds_active_ones(dev: Caller) -> None:
    assert data(await dev.get(f"{PATH}/active")) == []
    on = await dev.integration("on")
    await dev.integration("off", active=False)
    assert data(await dev.get(f"{PATH}/active")) == [on]
    assert len(data(await dev.get(PATH))) == 2


@pytest.mark.parametrize("provider", ["sendgrid", "pushover", ""])
async def test_a_provider_that_clarion_cannot_send_through_is_refused(dev: Caller, provider: str) -> None:
    refused = error(await dev.post(PATH, {"providerId": provider}), 422)
    assert set(refused["errors"]) == {"providerId"}
    assert "push-webhook" in refused["message"]


async def test_a_channel_other_than_push_is_refused(dev: Caller) -> None:
    refused = error(await dev.post(PATH, {"providerId": "fcm", "channel": "email"}), 422)
    assert set(refused["errors"]) == {"channel"}


async def test_no_push_integration_is_primary(dev: Caller) -> None:
    made = await dev.integration()
    refused = error(await dev.post(f"/v1/integrations/{made['_id']}/set-primary", None), 400)
    assert "Channel push does not support primary" in refused["message"]
    error(await dev.post("/v1/integrations/none/set-primary", None), 404)


async def test_activity_tracking_is_switched_on(dev: Caller) -> None:
    made = await dev.integration(configurations={"ratePerSecond": 5})
    path = f"/v1/integrations/{made['_id']}/auto-configure"
    for _ in range(2):
        found = data(await dev.post(path, None))
        assert (found["success"], found["integration"]) == (
            True,
            {"ratePerSecond": 5, "inboundWebhookEnabled": True},
        )
    place = found["message"].partition(" at ")[2].partition(",")[0]
    report = {"eventType": "opened", "eventId": "m"}
    assert (await dev.post(place, report)).status_code == 200
    (shown,) = data(await dev.get("/v1/integrations"))
    assert shown["configurations"] == found["integration"]
    error(await dev.post("/v1/integrations/nowhere/auto-configure", None), 404)


async def test_a_certificate_that_would_be_hashed_for_minutes_is_refused(dev: Caller, tmp_path: Path) -> None:
    file = Authority.kept_in(tmp_path).client_certificate("com.example.app", "correct")
    given = {"applicationId": "com.example.app", "certificatePassword": "correct"}
    good = {**given, "certificate": b64encode(file).decode()}
    slow = {**given, "certificate": b64encode(slowed(file)).decode()}
    integration = await made(dev, providerId="apns", credentials=good, active=True)
    for refused in (
        await dev.post(PATH, {"providerId": "apns", "credentials": slow}),
        await dev.put(f"{PATH}/{integration['_id']}", {"credentials": slow}),
    ):
        told = error(refused, 422)["errors"]
        assert "takes too long to open" in str(told["credentials.certificate"])
    kept = await changed(dev, integration, credentials={**integration["credentials"]}, name="Renamed")
    assert kept["credentials"] == integration["credentials"]


def slowed(file: bytes) -> bytes:
    """A .p12 file whose password is hashed 2^31 - 1 times: its last number, and the lengths around it."""
    outer, authenticated = int.from_bytes(file[2:4]), int.from_bytes(file[9:11])
    mac = 11 + authenticated
    assert (file[:2], file[4:9], file[mac]) == (b"\x30\x82", b"\x02\x01\x03\x30\x82", 0x30)
    assert file.endswith(b"\x02\x02\x08\x00")
    head = file[:2] + (outer + 2).to_bytes(2) + file[4 : mac + 1] + bytes([file[mac + 1] + 2])
    return head + file[mac + 2 : -4] + b"\x02\x04\x7f\xff\xff\xff"
