"""Device tokens of a subscriber: replaced, added, dropped, for the right integration."""

from typing import Any

import pytest

from calling import Caller, Json, data, error

PATH = "/v1/subscribers/ada/credentials"
NESTED, BESIDE = "credentials.deviceTokens", "deviceTokens"


@pytest.fixture
async def ada(dev: Caller) -> Json:
    """A subscriber, and the integration `hook`."""
    await dev.integration("hook")
    return await dev.subscriber()


def body(tokens: list[str] | None, form: str = NESTED, **more: Any) -> Json:
    """A credential body in either form."""
    given: Json = {"providerId": "push-webhook", **more}
    if form == NESTED:
        given["credentials"] = {} if tokens is None else {"deviceTokens": tokens}
    else:
        given["deviceTokens"] = tokens
    return given


async def set_to(dev: Caller, *tokens: str, **more: Any) -> Json:
    found: Json = data(await dev.put(PATH, body(list(tokens), **more)))
    return found


def tokens_of(subscriber: Json) -> dict[str, list[str]]:
    """Tokens by the integration that holds them."""
    return {
        channel["integrationIdentifier"]: channel["credentials"]["deviceTokens"]
        for channel in subscriber["channels"]
    }


def numbered(count: int, word: str = "token") -> list[str]:
    return [f"{word}-{number}" for number in range(count)]


@pytest.mark.parametrize("form", [NESTED, BESIDE])
@pytest.mark.usefixtures("ada")
async def test_put_replaces_and_patch_adds_in_both_forms_of_the_body(dev: Caller, form: str) -> None:
    replaced = data(await dev.put(PATH, body(["one", "two", "one"], form)))
    assert tokens_of(replaced) == {"hook": ["one", "two"]}
    added = data(await dev.patch(PATH, body(["three", "one", "three"], form)))
    assert tokens_of(added) == {"hook": ["one", "two", "three"]}
    replaced = data(await dev.put(PATH, body(["four", "two"], form)))
    assert tokens_of(replaced) == {"hook": ["four", "two"]}
    assert data(await dev.get("/v2/subscribers/ada"))["channels"] == replaced["channels"]


@pytest.mark.parametrize("form", [NESTED, BESIDE])
@pytest.mark.usefixtures("ada")
async def test_an_empty_list_clears_with_put_and_adds_nothing_with_patch(dev: Caller, form: str) -> None:
    await set_to(dev, "one")
    assert tokens_of(data(await dev.patch(PATH, body([], form)))) == {"hook": ["one"]}
    assert tokens_of(data(await dev.put(PATH, body([], form)))) == {"hook": []}


@pytest.mark.usefixtures("ada")
async def test_without_tokens_the_stored_ones_stay(dev: Caller) -> None:
    await set_to(dev, "one")
    for call in (dev.put, dev.patch):
        assert tokens_of(data(await call(PATH, body(None)))) == {"hook": ["one"]}
        webhook = {"providerId": "push-webhook", "credentials": {"webhookUrl": "https://other.test/"}}
        changed = data(await call(PATH, webhook))
        assert changed["channels"][0]["credentials"] == {
            "deviceTokens": ["one"],
            "webhookUrl": "https://other.test/",
        }


@pytest.mark.usefixtures("ada")
async def test_the_webhook_url_stays_when_tokens_change(dev: Caller) -> None:
    given = {"webhookUrl": "https://other.test/", "deviceTokens": ["one"]}
    data(await dev.put(PATH, {"providerId": "push-webhook", "credentials": given}))
    (channel,) = (await set_to(dev, "two"))["channels"]
    assert channel["credentials"] == {"webhookUrl": "https://other.test/", "deviceTokens": ["two"]}


@pytest.mark.usefixtures("ada")
async def test_without_any_credentials_the_call_is_refused(dev: Caller) -> None:
    for call in (dev.put, dev.patch):
        refused = error(await call(PATH, {"providerId": "push-webhook"}), 422)
        assert set(refused["errors"]) == {"credentials"}


async def test_a_channel_names_its_integration(dev: Caller, ada: Json) -> None:
    changed = await set_to(dev, "one")
    (channel,) = changed["channels"]
    (integration,) = data(await dev.get("/v1/integrations"))
    assert channel == {
        "providerId": "push-webhook",
        "_integrationId": integration["_id"],
        "integrationIdentifier": "hook",
        "credentials": {"deviceTokens": ["one"]},
    }
    assert changed["credentials"] == {"push-webhook": {"deviceTokens": ["one"]}}
    assert changed["_id"] == ada["_id"]


@pytest.mark.usefixtures("ada")
async def test_tokens_go_to_the_integration_named_else_to_the_newest_active_one(dev: Caller) -> None:
    newer = await dev.integration("newer")
    await dev.integration("off", active=False)
    await set_to(dev, "a")
    changed = await set_to(dev, "b", integrationIdentifier="hook")
    assert tokens_of(changed) == {"newer": ["a"], "hook": ["b"]}
    assert changed["credentials"] == {"push-webhook": {"deviceTokens": ["a", "b"]}}
    data(await dev.put(f"/v1/integrations/{newer['_id']}", {"active": False}))
    assert tokens_of(await set_to(dev, "c"))["hook"] == ["c"]


@pytest.mark.parametrize(
    "more",
    [
        {"integrationIdentifier": "unknown"},
        {"integrationIdentifier": "off"},
        {"integrationIdentifier": "hook", "providerId": "fcm"},
        {"providerId": "apns"},
        {"providerId": "slack"},
    ],
)
@pytest.mark.usefixtures("ada")
async def test_without_a_fitting_active_integration_the_call_is_refused(dev: Caller, more: Json) -> None:
    await dev.integration("off", active=False)
    for call in (dev.put, dev.patch):
        message = error(await call(PATH, body(["one"]) | more), 400)["message"]
        assert f"do not have active {more.get('providerId', 'push-webhook')} integration" in message


async def test_an_unknown_subscriber_is_400_and_not_created(dev: Caller) -> None:
    await dev.integration()
    path = "/v1/subscribers/nobody/credentials"
    for response in (
        await dev.put(path, body(["one"])),
        await dev.patch(path, body(["one"])),
        await dev.delete(f"{path}/push-webhook"),
    ):
        assert error(response, 400)["message"] == "SubscriberId: nobody not found"
    error(await dev.get("/v2/subscribers/nobody"), 404)


@pytest.mark.usefixtures("ada")
async def test_a_provider_that_the_sdks_do_not_know_is_refused(dev: Caller) -> None:
    for response in (
        await dev.put(PATH, body(["one"], providerId="pigeon")),
        await dev.patch(PATH, body(["one"], providerId="sendgrid")),
        await dev.delete(f"{PATH}/pigeon"),
    ):
        refused = error(response, 422)
        assert set(refused["errors"]) == {"providerId"}
        assert "fcm" in refused["message"]


@pytest.mark.usefixtures("ada")
async def test_100_tokens_are_the_most_counted_without_repetitions(dev: Caller) -> None:
    hundred = numbered(100)
    assert tokens_of(await set_to(dev, *hundred, *hundred)) == {"hook": hundred}
    refused = error(await dev.put(PATH, body(numbered(101, "other"))), 400)
    assert (refused["currentCount"], refused["limit"]) == (101, 100)
    refused = error(await dev.patch(PATH, body(["one", "two"])), 400)
    assert (refused["currentCount"], refused["limit"]) == (102, 100)
    assert refused["message"].startswith("Device tokens limit exceeded.")
    assert tokens_of(data(await dev.patch(PATH, body(hundred[:5])))) == {"hook": hundred}


@pytest.mark.usefixtures("ada")
async def test_the_limit_is_one_of_each_integration(dev: Caller) -> None:
    await dev.integration("newer")
    await set_to(dev, *numbered(100))
    changed = await set_to(dev, *numbered(100), integrationIdentifier="hook")
    assert [len(tokens) for tokens in tokens_of(changed).values()] == [100, 100]


@pytest.mark.parametrize("tokens", [[""], ["one", " "], ["x" * 2049], ["é" * 1025]])
@pytest.mark.usefixtures("ada")
async def test_a_token_that_can_be_none_is_refused(dev: Caller, tokens: list[str]) -> None:
    for form in (NESTED, BESIDE):
        for call in (dev.put, dev.patch):
            refused = error(await call(PATH, body(tokens, form)), 422)
            assert set(refused["errors"]) == {"credentials.deviceTokens"}
    assert tokens_of(await set_to(dev, "x" * 2048)) == {"hook": ["x" * 2048]}


@pytest.mark.parametrize("tokens", ["one", [1], [None], {"0": "one"}])
@pytest.mark.usefixtures("ada")
async def test_tokens_of_another_type_are_refused(dev: Caller, tokens: Any) -> None:
    error(await dev.put(PATH, {"providerId": "push-webhook", "credentials": {"deviceTokens": tokens}}), 422)


@pytest.mark.usefixtures("ada")
async def test_a_drop_takes_every_integration_of_the_provider(dev: Caller) -> None:
    account = {"providerId": "fcm", "name": "FCM"}
    data(await dev.post("/v1/integrations", account), 201)
    await dev.integration("newer")
    await set_to(dev, "a")
    await set_to(dev, "b", integrationIdentifier="hook")
    data(
        await dev.put(PATH, {"providerId": "push-webhook", "credentials": {"webhookUrl": "https://o.test/"}})
    )
    response = await dev.delete(f"{PATH}/fcm")
    assert (response.status_code, response.content) == (204, b"")
    assert tokens_of(data(await dev.get("/v2/subscribers/ada"))) == {"newer": ["a"], "hook": ["b"]}
    response = await dev.delete(f"{PATH}/push-webhook")
    assert (response.status_code, response.content) == (204, b"")
    assert data(await dev.get("/v2/subscribers/ada"))["channels"] == []
    assert (await dev.delete(f"{PATH}/push-webhook")).status_code == 204


@pytest.mark.usefixtures("ada")
async def test_two_subscribers_may_share_a_token(dev: Caller) -> None:
    await dev.subscriber("bob")
    await set_to(dev, "shared")
    bob = data(await dev.put("/v1/subscribers/bob/credentials", body(["shared"])))
    assert tokens_of(bob) == tokens_of(data(await dev.get("/v2/subscribers/ada"))) == {"hook": ["shared"]}
