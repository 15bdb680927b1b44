"""Who may call what, for every route of the table."""

import pytest

from calling import Api, Json, data, error
from clarion.api.route import Access, Route
from clarion.api.table import ROUTES
from furnishing import BODIES, QUERIES, furnish

GUARDED = [route for route in ROUTES if route.access is not Access.PUBLIC]
PUBLIC = [route for route in ROUTES if route.access is Access.PUBLIC]
WRONG = [
    None,
    "",
    "ApiKey",
    "ApiKey ",
    "ApiKey unknown",
    "ApiKey clé",
    "Bearer {key}",
    "{key}",
    "Basic ApiKey {key}",
]
ANSWERED_OTHERWISE = {
    "update_credentials": 400,
    "append_credentials": 400,
    "delete_credentials": 400,
    "cancel": 200,
    "register_device": 400,
}
"""Calls that the contract wants answered with another status than 404 when what they name isn't there."""

NAMED = [
    route
    for route in GUARDED
    if route.access in (Access.KEY, Access.OWN)
    and "{" in route.path
    and route.operation_id != "create_subscriptions"
]
"""Calls about something that is there. To subscribe to a topic makes it."""


def label(route: Route) -> str:
    return route.operation_id


@pytest.mark.parametrize("route", GUARDED, ids=label)
async def test_a_guarded_route_wants_a_known_key(api: Api, route: Route) -> None:
    path = route.path.replace("{", "").replace("}", "")
    for form in WRONG:
        value = None if form is None else form.format(key=api.keys["dev"])
        headers = {} if value is None else {"authorization": value.encode("latin-1")}
        response = await api.caller(None).call(route.method, path, {}, headers=headers)
        body = error(response, 401)
        assert api.keys["dev"] not in response.text
        assert body["path"] == path


@pytest.mark.parametrize("route", PUBLIC, ids=label)
async def test_a_public_route_wants_none(api: Api, route: Route) -> None:
    assert (await api.caller(None).call(route.method, route.path)).status_code == route.status


@pytest.mark.parametrize("path", ["/openapi.json", "/reference"])
async def test_the_documents_are_public(api: Api, path: str) -> None:
    assert (await api.caller(None).get(path)).status_code == 200


async def test_the_scheme_is_read_in_any_case_and_a_further_key_of_the_environment_opens_it(api: Api) -> None:
    development = await api.environment_id()
    key = await api.new_key(development)
    made = await api.caller(f"apikey  {key} ").subscriber()
    assert made["_environmentId"] == development
    assert data(await api.development.get("/v2/subscribers/ada"))["_id"] == made["_id"]


@pytest.mark.parametrize("route", NAMED, ids=label)
async def test_a_key_neither_sees_nor_changes_another_environment(api: Api, route: Route) -> None:
    names = await furnish(api)
    before = await everything(api, names)
    aliases = {"workflowId": ["workflow_id", "slug"], "transactionId": ["transaction_id"]}
    forms = [names] + [{**names, name: names[other]} for name, others in aliases.items() for other in others]
    for path in dict.fromkeys(route.path.format_map(form) for form in forms):
        response = await api.production.call(route.method, path, BODIES.get(route.operation_id))
        otherwise = 403 if route.access is Access.OWN else 404
        assert response.status_code == ANSWERED_OTHERWISE.get(route.operation_id, otherwise), response.text
        if response.status_code == 200:
            assert response.json() == {"data": False}
    assert await everything(api, names) == before
    assert data(await api.development.delete("/v1/events/trigger/waiting")) is True


async def test_a_subscriber_of_another_environment_does_not_get_into_a_topic(api: Api) -> None:
    names = await furnish(api)
    before = await everything(api, names)
    answer = (await api.production.post("/v2/topics/news/subscriptions", {"subscriptions": ["ada"]})).json()
    assert answer["meta"] == {"totalCount": 1, "successful": 0, "failed": 1}
    assert await everything(api, names) == before


async def test_lists_show_the_environment_of_the_key_alone(api: Api) -> None:
    await api.development.integration()
    await api.development.workflow()
    await api.development.subscriber()
    assert data(await api.production.get("/v1/integrations")) == []
    assert data(await api.production.get("/v1/integrations/active")) == []
    assert data(await api.production.get("/v2/workflows")) == {"workflows": [], "totalCount": 0}
    found = (await api.production.get("/v2/subscribers")).json()
    assert (found["data"], found["totalCount"]) == ([], 0)


async def test_names_of_another_environment_are_free_here(api: Api) -> None:
    theirs = await api.development.workflow(), await api.development.subscriber()
    ours = await api.production.workflow(), await api.production.subscriber()
    assert {item["_id"] for item in ours}.isdisjoint(item["_id"] for item in theirs)


async def test_a_trigger_finds_workflows_of_its_own_environment_alone(api: Api) -> None:
    await api.development.workflow()
    trigger = {"name": "welcome", "to": "ada"}
    for path in ("/v1/events/trigger", "/v1/events/trigger/broadcast"):
        body = error(await api.production.post(path, {**trigger, "payload": {}}), 422)
        assert body["message"] == "workflow_not_found"


async def test_a_cursor_of_another_environment_is_none(api: Api) -> None:
    theirs = await api.development.subscriber()
    for way in ("after", "before"):
        error(await api.production.get("/v2/subscribers", **{way: theirs["_id"]}), 422)


async def test_an_integration_of_another_environment_is_none_for_tokens(api: Api) -> None:
    await api.development.integration("theirs")
    await api.production.subscriber()
    tokens = {"providerId": "push-webhook", "integrationIdentifier": "theirs", "deviceTokens": ["phone"]}
    error(await api.production.put("/v1/subscribers/ada/credentials", tokens), 400)


async def test_an_integration_is_not_made_in_another_environment(api: Api) -> None:
    given = {"providerId": "push-webhook", "_environmentId": await api.environment_id()}
    body = error(await api.production.post("/v1/integrations", given), 422)
    assert set(body["errors"]) == {"_environmentId"}


async def everything(api: Api, names: dict[str, str]) -> Json:
    """What Development holds: every GET that a key may make."""
    found: Json = {}
    for route in GUARDED:
        if route.method == "GET" and "{transactionId}" not in route.path:
            path = route.path.format_map(names)
            response = await api.development.get(path, **QUERIES.get(route.operation_id, {}))
            assert response.status_code == 200, response.text
            found[path] = response.json()
    return found
