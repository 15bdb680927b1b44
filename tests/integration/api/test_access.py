"""Who may call what, for every route of the table."""

import re
from typing import Any

import pytest

from calling import Api, Json, data, error
from clarion.api.route import Access, Route
from clarion.api.table import ROUTES
from clarion.model.member import Role
from furnishing import BODIES, QUERIES, furnish

GUARDED = [route for route in ROUTES if route.guarded]
ENTRANCES = [route for route in ROUTES if route.access is Access.ENTRANCE]
BY_KEY = [route for route in GUARDED if route.access is not Access.MEMBER and not route.stream]
BY_MEMBER = [route for route in GUARDED if route.access is Access.MEMBER]
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

CLOSED_SETS = ("resourceType", "providerId", "locale")
"""Parts of paths that are words rather than names: one that is none is told as such."""

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


def test_every_guarded_route_says_the_least_role_and_changes_are_not_for_viewers() -> None:
    assert all((route.role is not None) is route.guarded for route in ROUTES)
    for_viewers = {r.operation_id for r in BY_KEY if r.method != "GET" and r.role is Role.VIEWER}
    assert for_viewers == {"preview_step", "preview_layout", "diff"}
    own = {r.operation_id for r in BY_MEMBER if r.method != "GET" and r.role is Role.VIEWER}
    assert own == {"update_session", "sign_out", "end_session", "end_sessions", "change_password"}


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
    answered = (await api.caller(None).call(route.method, route.path)).status_code
    assert answered in (route.status, 404, 422)  # the last ones where the path or the query proves something


@pytest.mark.parametrize("route", ENTRANCES, ids=label)
async def test_an_entrance_is_for_pages_of_this_site(api: Api, route: Route) -> None:
    call = (route.method, route.path, BODIES[route.operation_id])
    error(await api.caller(None).call(*call), 403)
    for header in ({"origin": "https://evil.test"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        error(await api.browser().call(*call, headers=header), 403)
    ours = await api.browser().call(*call, headers={"origin": "http://clarion.test"})
    assert ours.status_code != 403 or "set-up code" in ours.text


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
        missing = {name: "missing" for name in names if name not in CLOSED_SETS}
        other = route.path.format_map({**names, **missing})
        answer = await api.production.call(route.method, other, BODIES.get(route.operation_id))
        assert answer.status_code == response.status_code
        assert _nameless(answer.text, names) == _nameless(response.text, names)
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


async def test_members_are_beyond_the_reach_of_a_key(api: Api) -> None:
    names = await furnish(api)
    for route in BY_MEMBER:
        path, body = route.path.format_map(names), BODIES.get(route.operation_id)
        error(await api.development.call(route.method, path, body), 403)


async def test_a_viewer_changes_nothing_and_learns_nothing_of_what_is_there(api: Api) -> None:
    names = await furnish(api)
    viewer = await api.member(Role.VIEWER, names["environmentId"])
    before = await everything(api, names)
    for route in GUARDED:
        assert route.role is not None
        if route.role is Role.VIEWER:
            continue
        found = [
            error(await viewer.call(route.method, path, BODIES.get(route.operation_id)), 403)["message"]
            for path in (route.path.format_map(names), re.sub("{.*?}", "unknown", route.path))
        ]
        assert found[0] == found[1]
        assert f"role {route.role.value}" in found[0]
    assert await everything(api, names) == before


@pytest.mark.parametrize("role", Role)
async def test_a_role_may_do_what_it_covers(api: Api, role: Role) -> None:
    member = await api.member(role, await api.environment_id())
    for route in BY_KEY:
        assert route.role is not None
        path = re.sub("{.*?}", "unknown", route.path)
        path = path.replace("environments/unknown/keys", f"environments/{await api.environment_id()}/keys")
        response = await member.call(route.method, path, {}, params=QUERIES.get(route.operation_id, {}))
        refused = response.status_code == 403 and "takes the role" in response.text
        assert refused is not role.covers(route.role), (route, response.text)


async def test_a_member_sees_in_an_environment_what_its_key_sees_but_no_key(api: Api) -> None:
    names = await furnish(api)
    ids = {"dev": names["environmentId"], "prod": names["targetEnvironmentId"]}
    keys = {"dev": api.development, "prod": api.production}
    for kind, identity in ids.items():
        viewer = await api.member(Role.ADMIN, identity)
        for route in BY_KEY:
            if route.method == "GET" and route.access in (Access.KEY, Access.INSTALLATION):
                path, query = route.path.format_map(names), QUERIES.get(route.operation_id, {})
                theirs, ours = [await caller.get(path, **query) for caller in (keys[kind], viewer)]
                assert ours.status_code == theirs.status_code, path
                if route.operation_id not in ("list_environments", "list_audit_log"):
                    assert _timeless(ours.json()) == _timeless(theirs.json())
                assert not any(key in ours.text for key in api.keys.values())


async def test_a_member_names_an_environment_that_is_there(api: Api) -> None:
    viewer = await api.member(Role.VIEWER, "0" * 32)
    for route in BY_KEY:
        if route.role is Role.VIEWER:
            path = re.sub("{.*?}", "unknown", route.path)
            assert "Environment 0" in error(await viewer.call(route.method, path, {}), 404)["message"]


def _nameless(text: str, names: dict[str, str]) -> str:
    """An answer without the names that were asked for, and without its time."""
    found = re.sub('"timestamp":"[^"]*"|"path":"[^"]*"', "", text)
    for name in sorted({*names.values(), "missing"}, key=len, reverse=True):
        found = re.sub(rf"\b{re.escape(name)}\b", "…", found)
    return found


def _timeless(document: Any) -> Any:
    """An answer without what goes on by itself."""
    if isinstance(document, dict):
        return {key: _timeless(value) for key, value in document.items() if key not in _BY_THE_CLOCK}
    return [_timeless(item) for item in document] if isinstance(document, list) else document


_BY_THE_CLOCK = {"timestamp", "ratePerSecond", "expectedEnd", "current", "at", "after", "before", "oldest"}


TOLD_BY_THE_CLOCK = {"{transactionId}", "/v1/statistics", "/v1/journal"}
"""What answers otherwise a moment later, though nothing changed."""


async def everything(api: Api, names: dict[str, str]) -> Json:
    """What Development holds: every GET that a key may make."""
    found: Json = {}
    for route in BY_KEY:
        if route.method == "GET" and not TOLD_BY_THE_CLOCK & {route.path, route.path.rpartition("/")[2]}:
            path = route.path.format_map(names)
            response = await api.development.get(path, **QUERIES.get(route.operation_id, {}))
            assert response.status_code == 200, response.text
            found[path] = response.json()
    return found
