"""The providers, and what their integrations are held to."""

import pytest

from calling import Api, Caller, data, error
from clarion.providers.registry import PROVIDERS, SECRETS


async def test_every_provider_says_what_it_needs(dev: Caller) -> None:
    listed = {item["id"]: item for item in data(await dev.get("/v1/providers"))}
    assert set(listed) == set(PROVIDERS)
    assert [field["key"] for field in listed["apns"]["fields"]] == [
        "secretKey",
        "apiKey",
        "projectName",
        "applicationId",
        "secure",
        "certificate",
        "certificatePassword",
    ]
    assert listed["expo"]["capabilities"] == {
        "retiresTokens": True,
        "receipts": True,
        "messagesPerRequest": 100,
        "ratePerSecond": 600,
    }
    assert [item["id"] for item in listed.values() if not item["supported"]] == ["appio"]


@pytest.mark.parametrize("provider", [item for item in PROVIDERS.values() if item.fields])
async def test_an_active_integration_without_a_required_credential_is_told_which(
    dev: Caller, provider: object
) -> None:
    made = PROVIDERS[provider.id]  # type: ignore[attr-defined]
    required = {field.key for field in made.fields if field.required}
    given = {"providerId": made.id, "active": True, "credentials": {}}
    response = await dev.post("/v1/integrations", given)
    if not required:
        assert response.status_code == 201
        return
    fields = {name.removeprefix("credentials.") for name in error(response, 422)["errors"]}
    assert fields <= {field.key for field in made.fields}
    inactive = data(await dev.post("/v1/integrations", {**given, "active": False}), 201)
    refused = await dev.put(f"/v1/integrations/{inactive['_id']}", {"active": True})
    assert error(refused, 422)["errors"].keys() == {f"credentials.{name}" for name in fields}


def test_secrets_are_those_that_the_fields_say() -> None:
    assert {"serviceAccount", "secretKey", "apiKey"} <= SECRETS
    assert not {"webhookUrl", "publicKey", "applicationId", "instanceId"} & SECRETS


async def test_web_push_keys_are_made_and_stay(dev: Caller) -> None:
    given = {"providerId": "web-push", "active": True, "credentials": {"subject": "mailto:a@example.com"}}
    made = data(await dev.post("/v1/integrations", given), 201)
    public = made["credentials"]["publicKey"]
    assert len(public) == 87
    assert "…" in made["credentials"]["secretKey"]
    renamed = data(await dev.put(f"/v1/integrations/{made['_id']}", {"name": "Browsers"}))
    assert renamed["credentials"]["publicKey"] == public
    changed = {"credentials": {**made["credentials"], "subject": "mailto:b@example.com"}}
    updated = data(await dev.put(f"/v1/integrations/{made['_id']}", changed))
    assert (updated["credentials"]["publicKey"], updated["active"]) == (public, True)


async def test_appio_is_accepted_and_says_that_it_is_not_supported(api: Api, dev: Caller) -> None:
    made = data(await dev.post("/v1/integrations", {"providerId": "appio", "active": True}), 201)
    await dev.subscriber()
    tokens = {"providerId": "appio", "credentials": {"deviceTokens": ["phone"]}}
    held = data(await dev.put("/v1/subscribers/ada/credentials", tokens))
    assert held["channels"][0]["providerId"] == "appio"
    tried = data(await dev.post(f"/v1/integrations/{made['_id']}/test", {"token": "phone"}))
    assert (tried["outcome"], tried["code"]) == ("not_sent", "not_supported")
    assert "another provider" in tried["explanation"]
