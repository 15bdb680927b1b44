"""Channel connections and channel endpoints over the API."""

from typing import Any

import pytest

from calling import Api, Caller, Json, data, error

CONNECTIONS, ENDPOINTS = "/v1/channel-connections", "/v1/channel-endpoints"
TOKEN = "xoxb-0123456789-secret"
AUTH = {"accessToken": TOKEN, "refreshToken": "refresh-0123456789", "expiresAt": "2026-12-01T00:00:00Z"}


@pytest.fixture
async def ada(dev: Caller) -> Caller:
    await dev.integration()
    await dev.subscriber()
    return dev


async def connection(dev: Caller, **given: Any) -> Json:
    body = {"integrationIdentifier": "hook", "workspace": {"id": "T1"}, "auth": AUTH, **given}
    found: Json = data(await dev.post(CONNECTIONS, body), 201)
    return found


async def endpoint(dev: Caller, **given: Any) -> Json:
    common = {"integrationIdentifier": "hook", "subscriberId": "ada", "type": "slack_user"}
    body = {**common, "endpoint": {"userId": "U1"}, **given}
    found: Json = data(await dev.post(ENDPOINTS, body), 201)
    return found


async def listed(dev: Caller, path: str, **query: Any) -> list[str]:
    page = (await dev.get(path, **query)).json()
    assert page["totalCount"] >= len(page["data"])
    return [item["identifier"] for item in page["data"]]


async def test_a_connection_is_made_read_changed_and_removed(ada: Caller) -> None:
    made = await connection(ada, subscriberId="ada", context={"tenant": "acme"})
    assert made["identifier"].startswith("chconn_")
    assert (made["channel"], made["providerId"], made["integrationIdentifier"]) == (
        "push",
        "push-webhook",
        "hook",
    )
    assert (made["subscriberId"], made["contextKeys"]) == ("ada", ["tenant:acme"])
    assert TOKEN not in str(made)
    one = f"{CONNECTIONS}/{made['identifier']}"
    assert data(await ada.get(one)) == made
    changed = data(await ada.patch(one, {"workspace": {"id": "T2", "name": "Acme"}, "auth": made["auth"]}))
    assert changed["workspace"] == {"id": "T2", "name": "Acme"}
    assert changed["auth"] == made["auth"]
    renewed = data(
        await ada.patch(one, {"workspace": {"id": "T2"}, "auth": {"accessToken": "another-token"}})
    )
    assert renewed["auth"].keys() == {"accessToken"}
    assert renewed["auth"] != made["auth"]
    assert (await ada.delete(one)).status_code == 204
    error(await ada.get(one), 404)
    error(await ada.patch(one, {"workspace": {"id": "T2"}, "auth": AUTH}), 404)
    error(await ada.delete(one), 404)


async def test_a_connection_is_somebodys_or_shared_in_a_context(ada: Caller) -> None:
    shared = await connection(ada, connectionMode="shared", context={"tenant": "acme"})
    assert (shared["subscriberId"], shared["contextKeys"]) == (None, ["tenant:acme"])
    body = {"integrationIdentifier": "hook", "workspace": {"id": "T1"}, "auth": AUTH}
    for given in (
        {},
        {"connectionMode": "shared"},
        {"connectionMode": "shared", "context": {"tenant": "a"}, "subscriberId": "ada"},
        {"connectionMode": "subscriber", "context": {"tenant": "a"}},
    ):
        error(await ada.post(CONNECTIONS, {**body, **given}), 400)


async def test_a_second_connection_of_one_place_is_refused(ada: Caller) -> None:
    await connection(ada, subscriberId="ada", identifier="first")
    body = {"integrationIdentifier": "hook", "workspace": {"id": "T1"}, "auth": AUTH, "subscriberId": "ada"}
    for given in ({"identifier": "second"}, {"identifier": "first", "context": {"tenant": "acme"}}):
        refused = await ada.post(CONNECTIONS, {**body, **given})
        error(refused, 409)
        assert refused.headers["retry-after"] == "1"
    await connection(ada, subscriberId="ada", identifier="second", context={"tenant": "acme"})


async def test_what_they_hang_on_has_to_be_there(api: Api, ada: Caller) -> None:
    link = {"workspace": {"id": "T1"}, "auth": AUTH}
    address = {"type": "slack_user", "endpoint": {"userId": "U1"}}
    for path, given in ((CONNECTIONS, link), (ENDPOINTS, address)):
        for names in (
            {"integrationIdentifier": "nowhere", "subscriberId": "ada"},
            {"integrationIdentifier": "hook", "subscriberId": "nobody"},
        ):
            assert "not found" in error(await ada.post(path, {**given, **names}), 404)["message"]
    await api.production.integration("theirs")
    theirs = {"integrationIdentifier": "theirs", "subscriberId": "ada"}
    error(await ada.post(CONNECTIONS, {**link, **theirs}), 404)
    await ada.integration("other")
    await connection(ada, subscriberId="ada", identifier="link", integrationIdentifier="other")
    names = {"integrationIdentifier": "hook", "subscriberId": "ada", "connectionIdentifier": "link"}
    assert "hook" in error(await ada.post(ENDPOINTS, {**address, **names}), 404)["message"]


async def test_an_endpoint_is_made_read_changed_and_removed(ada: Caller) -> None:
    await connection(ada, subscriberId="ada", identifier="link")
    made = await endpoint(ada, connectionIdentifier="link", context={"tenant": "acme"})
    assert made["identifier"].startswith("chendp_")
    assert (made["connectionIdentifier"], made["endpoint"]) == ("link", {"userId": "U1"})
    one = f"{ENDPOINTS}/{made['identifier']}"
    assert data(await ada.get(one)) == made
    changed = data(await ada.patch(one, {"endpoint": {"userId": "U2", "more": 1}}))
    assert (changed["endpoint"], changed["type"]) == ({"userId": "U2"}, "slack_user")
    assert "endpoint.userId" in error(await ada.patch(one, {"endpoint": {"channelId": "C"}}), 422)["errors"]
    assert (await ada.delete(f"{CONNECTIONS}/link")).status_code == 204
    assert data(await ada.get(one))["connectionIdentifier"] is None
    assert (await ada.delete(one)).status_code == 204
    error(await ada.get(one), 404)


async def test_secrets_of_an_endpoint_are_shown_masked_and_stay_when_they_come_back(ada: Caller) -> None:
    secret = {"url": "https://example.com", "headers": {"authorization": f"Bearer {TOKEN}"}}
    made = await endpoint(ada, type="tool_webhook", endpoint=secret)
    assert TOKEN not in str(made)
    one = f"{ENDPOINTS}/{made['identifier']}"
    changed = data(await ada.patch(one, {"endpoint": {**made["endpoint"], "method": "PUT"}}))
    assert changed["endpoint"] == {**made["endpoint"], "method": "PUT"}
    key = await endpoint(ada, type="pagerduty_service", endpoint={"routingKey": TOKEN, "region": "eu"})
    assert TOKEN not in str(key)


async def test_a_missing_subscriber_is_made_when_that_is_asked_for(ada: Caller) -> None:
    made = await endpoint(ada, subscriberId="bob", createSubscriberIfMissing=True)
    assert made["subscriberId"] == data(await ada.get("/v2/subscribers/bob"))["subscriberId"]
    assert (await endpoint(ada, subscriberId="bob", createSubscriberIfMissing=True))["subscriberId"] == "bob"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"type": "push"}, "type"),
        ({"type": "phone"}, "endpoint.phoneNumber"),
        ({"endpoint": {"userId": 5}}, "endpoint.userId"),
        ({"type": "webex_person"}, "endpoint"),
        ({"context": {"tenant": "a b"}}, "context.tenant"),
        ({"identifier": " "}, "identifier"),
        ({"subscriberId": " "}, "subscriberId"),
    ],
)
async def test_what_cannot_be_an_endpoint_is_refused_by_name(ada: Caller, given: Json, field: str) -> None:
    common = {"integrationIdentifier": "hook", "subscriberId": "ada", "type": "slack_user"}
    refused = error(await ada.post(ENDPOINTS, {**common, "endpoint": {"userId": "U1"}, **given}), 422)
    assert set(refused["errors"]) == {field}


async def test_an_identifier_is_taken_once_in_an_environment(api: Api, ada: Caller, prod: Caller) -> None:
    await endpoint(ada, identifier="mine")
    common = {"integrationIdentifier": "hook", "subscriberId": "ada", "type": "slack_user"}
    taken = {**common, "endpoint": {"userId": "U1"}, "identifier": "mine"}
    assert (await ada.post(ENDPOINTS, taken)).status_code == 409
    await prod.integration("theirs")
    await prod.subscriber()
    await endpoint(prod, identifier="mine", integrationIdentifier="theirs")
    assert await listed(prod, ENDPOINTS) == ["mine"]


async def test_the_lists_are_paged_and_narrowed(ada: Caller) -> None:
    await ada.integration("other", providerId="expo", credentials={"apiKey": ""})
    await ada.subscriber("bob")
    for make, path in ((connection, CONNECTIONS), (endpoint, ENDPOINTS)):
        await make(ada, identifier="a", subscriberId="ada")
        await make(ada, identifier="b", subscriberId="bob", context={"tenant": "acme"})
        await make(ada, identifier="c", subscriberId="ada", integrationIdentifier="other")
        assert await listed(ada, path) == ["c", "b", "a"]
        assert await listed(ada, path, limit=2, orderDirection="ASC") == ["a", "b"]
        assert await listed(ada, path, subscriberId="ada") == ["c", "a"]
        assert await listed(ada, path, contextKeys=["tenant:acme"]) == ["b"]
        assert await listed(ada, path, providerId="expo") == ["c"]
        assert await listed(ada, path, integrationIdentifier="hook") == ["b", "a"]
        assert await listed(ada, path, channel="chat") == []
        assert await listed(ada, path, channel="push", providerId="expo", subscriberId="bob") == []
        page = (await ada.get(path, limit=2)).json()
        assert await listed(ada, path, after=page["next"]) == ["a"]
        error(await ada.get(path, after="nowhere"), 422)
        error(await ada.get(path, limit=101), 422)
    await connection(ada, identifier="shared", connectionMode="shared", context={"tenant": "acme"})
    assert await listed(ada, CONNECTIONS, connectionMode="shared") == ["shared"]
    assert await listed(ada, CONNECTIONS, connectionMode="subscriber") == ["c", "b", "a"]
    await endpoint(ada, identifier="linked", connectionIdentifier="a")
    assert await listed(ada, ENDPOINTS, connectionIdentifier="a") == ["linked"]


async def test_a_provider_that_the_sdks_do_not_know_is_not_named(ada: Caller) -> None:
    await ada.integration("own", providerId="web-push", credentials={"subject": "mailto:ada@example.com"})
    assert (await endpoint(ada, integrationIdentifier="own"))["providerId"] is None


async def test_they_go_with_their_integration(ada: Caller) -> None:
    found = await ada.integration("short")
    await connection(ada, subscriberId="ada", integrationIdentifier="short")
    await endpoint(ada, integrationIdentifier="short")
    data(await ada.delete(f"/v1/integrations/{found['_id']}"))
    assert await listed(ada, CONNECTIONS) == await listed(ada, ENDPOINTS) == []
