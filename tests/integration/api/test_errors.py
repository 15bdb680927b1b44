"""Errors: their bodies, their statuses, their headers."""

from typing import Any

import pytest

from calling import TRIGGERS, Api, Caller, Json, data, error
from clarion.api.route import Access, Route
from clarion.api.table import ROUTES
from clarion.model.member import Role

LIMIT = 512 * 1024
WITH_BODY = [route for route in ROUTES if route.body is not None]
MALFORMED = [b"{", b"nonsense", b'{"a":1', b"{'a':1}", b'{"a":01}']


def label(route: Route) -> str:
    return route.operation_id


def path_of(route: Route) -> str:
    return route.path.replace("{", "").replace("}", "")


async def one_who_may(api: Api, route: Route) -> tuple[Caller, str]:
    """A caller that a route lets in, and its path."""
    if route.access is Access.OWN:
        return api.development, path_of(route).replace("environmentId", await api.environment_id())
    of_members = route.access in (Access.MEMBER, Access.ENTRANCE)
    return await api.member(Role.OWNER) if of_members else api.development, path_of(route)


async def test_an_unknown_route_is_404(dev: Caller, api: Api) -> None:
    for path in ("/", "/v2/nothing", "/v2/subscribers/", "/v2/subscribers/ada/more", "/V2/subscribers"):
        body = error(await dev.get(path), 404)
        assert body["path"] == path
        error(await api.caller(None).get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v2/subscribers", "GET, HEAD, POST"),
        ("POST", "/v2/subscribers/ada", "DELETE, GET, HEAD, PATCH"),
        ("POST", "/v2/workflows/w", "DELETE, GET, HEAD, PATCH, PUT"),
        ("GET", "/v1/events/trigger", "POST"),
        ("OPTIONS", "/v1/subscribers/ada/credentials", "PATCH, PUT"),
        ("POST", "/openapi.json", "GET, HEAD"),
    ],
)
async def test_an_unknown_method_is_405_and_says_all_that_there_are(
    dev: Caller, method: str, path: str, allowed: str
) -> None:
    response = await dev.call(method, path)
    error(response, 405)
    assert response.headers["allow"] == allowed


@pytest.mark.parametrize("route", WITH_BODY, ids=label)
async def test_a_body_that_is_not_json_is_400(api: Api, route: Route) -> None:
    caller, path = await one_who_may(api, route)
    for content in MALFORMED:
        response = await caller.call(route.method, path, content=content)
        body = error(response, 400)
        assert ("type" in body) == (route.path in TRIGGERS)


@pytest.mark.parametrize("route", WITH_BODY, ids=label)
async def test_a_body_of_another_kind_is_422_and_400_on_triggers_and_forms(api: Api, route: Route) -> None:
    caller, path = await one_who_may(api, route)
    for content in (b"[]", b"null", b"1", b'"text"'):
        response = await caller.call(route.method, path, content=content)
        if route.multipart:
            assert "multipart/form-data" in error(response, 400)["message"]
        elif route.path in TRIGGERS:
            assert [issue["field"] for issue in error(response, 400)["errors"]] == ["body"]
        else:
            assert set(error(response, 422)["errors"]) == {"body"}


@pytest.mark.parametrize(
    ("method", "path", "frame", "outer"),
    [
        ("POST", "/v1/events/trigger", b'{"name":"welcome","to":"ada","payload":{"deep":%s}}', 2),
        ("POST", "/v1/events/trigger/broadcast", b'{"name":"welcome","payload":{"deep":%s}}', 2),
        ("POST", "/v1/events/trigger/bulk", b'{"events":[{"name":"welcome","to":"ada","payload":%s}]}', 3),
        ("PATCH", "/v2/subscribers/ada", b'{"data":{"brackets":"[[{","deep":%s}}', 2),
        ("POST", "/v1/subscribers/bulk", b'{"subscribers":[{"subscriberId":"bob","data":%s}]}', 3),
        ("PATCH", "/v2/workflows/welcome", b'{"payloadSchema":{"default":%s}}', 2),
    ],
)
async def test_a_body_may_nest_100_levels_and_no_more(
    dev: Caller, method: str, path: str, frame: bytes, outer: int
) -> None:
    def nested(levels: int) -> bytes:
        inner = levels - outer
        return frame % (inner * b'{"a":' + b"1" + inner * b"}")

    await dev.workflow()
    await dev.subscriber()
    for levels in (101, 500, 900, 944, 5000):
        refused = error(await dev.call(method, path, content=nested(levels)), 400)
        assert "levels" in refused["message"] or "recursion" in refused["message"]
    response = await dev.call(method, path, content=nested(100))
    assert response.status_code in (200, 201), response.text
    assert "failed" not in response.text or data(response, 201)["failed"] == []
    assert (await dev.get("/v2/subscribers")).status_code == 200


@pytest.mark.parametrize("word", ["not", "items", "if"])
async def test_the_deepest_schema_that_a_body_can_hold_is_checked(dev: Caller, word: str) -> None:
    await dev.workflow()
    schema: Json = {}
    for _ in range(98):
        schema = {word: schema}
    data(await dev.patch("/v2/workflows/welcome", {"payloadSchema": schema, "validatePayload": True}))
    answer = await dev.post("/v1/events/trigger", {"name": "welcome", "to": "ada"})
    assert answer.status_code in (201, 400), answer.text


async def test_text_that_is_not_utf_8_is_400(dev: Caller) -> None:
    error(await dev.call("POST", "/v2/subscribers", content=b'{"subscriberId":"\xff"}'), 400)
    error(await dev.call("POST", "/v1/events/trigger", content=b'{"name":"\xff","to":"ada"}'), 400)


async def test_what_is_wrong_with_a_field_stands_under_its_name(dev: Caller) -> None:
    body = error(await dev.post("/v2/subscribers", {"subscriberId": 1}), 422)
    assert set(body["errors"]) == {"subscriberId"}
    assert body["errors"]["subscriberId"]["messages"] == ["Expected `str`, got `int`"]
    wrong = {"name": "w", "workflowId": "w", "steps": [{"name": "p", "type": 5}]}
    assert set(error(await dev.post("/v2/workflows", wrong), 422)["errors"]) == {"steps.0.type"}
    issues = error(await dev.post("/v1/events/trigger", {"name": "w", "to": [1]}), 400)["errors"]
    assert [issue["field"] for issue in issues] == ["to.0"]


async def test_an_identifier_longer_than_an_index_can_hold_is_refused(dev: Caller) -> None:
    await dev.subscriber()
    entry = {"subscriberId": "ada", "identifier": "x" * 513}
    body = error(await dev.post("/v2/topics/news/subscriptions", {"subscriptions": [entry]}), 422)
    assert set(body["errors"]) == {"subscriptions.0.identifier"}
    entry["identifier"] = "x" * 512
    answer = await dev.post("/v2/topics/news/subscriptions", {"subscriptions": [entry]})
    assert answer.json()["meta"]["successful"] == 1


async def test_every_422_has_an_errors_map(dev: Caller) -> None:
    assert error(await dev.post("/v1/events/trigger", {"name": "none", "to": "ada"}), 422)["errors"] == {}
    assert set(error(await dev.get("/v2/subscribers", limit=101), 422)["errors"]) == {"limit"}


@pytest.mark.parametrize("path", ["/v1/events/trigger", "/v1/events/trigger/broadcast"])
async def test_a_trigger_over_512_kib_is_413_with_both_sizes(dev: Caller, path: str) -> None:
    await dev.workflow()
    frame = b'{"name":"welcome","to":"ada","payload":{"text":"%s"}}'
    fitting = frame % (b"x" * (LIMIT - len(frame) + 2))
    assert len(fitting) == LIMIT
    data(await dev.call("POST", path, content=fitting), 201)
    message = error(await dev.call("POST", path, content=fitting + b" "), 413)["message"]
    assert "524289 bytes" in message
    assert "524288 bytes" in message


async def test_a_trigger_that_comes_in_parts_is_bounded_too(dev: Caller) -> None:
    async def parts() -> Any:
        for _ in range(9):
            yield b" " * 65536

    assert "589824" in error(await dev.call("POST", "/v1/events/trigger", content=parts()), 413)["message"]


async def test_each_event_of_a_bulk_is_bounded_and_their_sum_is_not(dev: Caller) -> None:
    await dev.workflow()
    event = {"name": "welcome", "to": "ada", "payload": {"text": "x" * (LIMIT // 2)}}
    answers = data(await dev.post("/v1/events/trigger/bulk", {"events": [event] * 3}), 201)
    assert [answer["status"] for answer in answers] == ["processed"] * 3
    large = {**event, "payload": {"text": "x" * LIMIT}}
    message = error(await dev.post("/v1/events/trigger/bulk", {"events": [event, large]}), 413)["message"]
    assert "524288 bytes" in message


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v2/subscribers/nobody", None),
        ("POST", "/v2/subscribers", {}),
        ("POST", "/v1/events/trigger", {"name": "none", "to": "ada"}),
        ("POST", "/v1/events/trigger", {}),
        ("POST", "/v1/events/trigger/bulk", {}),
        ("GET", "/nowhere", None),
        ("PUT", "/v2/subscribers", {}),
    ],
)
async def test_an_error_is_json_and_never_enveloped_and_echoes_the_idempotency_key(
    dev: Caller, method: str, path: str, body: Json | None
) -> None:
    response = await dev.call(method, path, body, headers={"idempotency-key": "key-of-the-call"})
    error(response, response.status_code)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["idempotency-key"] == "key-of-the-call"


async def test_a_success_echoes_the_idempotency_key_too(dev: Caller) -> None:
    await dev.workflow()
    for path, body in (
        ("/v1/events/trigger", {"name": "welcome", "to": "ada"}),
        ("/v2/subscribers", {"subscriberId": "ada"}),
    ):
        response = await dev.post(path, body, headers={"idempotency-key": f"key of {path}"})
        data(response, 201)
        assert response.headers["content-type"] == "application/json"
        assert response.headers["idempotency-key"] == f"key of {path}"
    assert "idempotency-key" not in (await dev.get("/v2/subscribers")).headers


@pytest.mark.parametrize(
    ("path", "body", "category", "cost"),
    [
        ("/v1/events/trigger", {"name": "welcome", "to": "ada"}, "trigger", 1),
        ("/v1/events/trigger/bulk", {"events": [{"name": "welcome", "to": "ada"}]}, "trigger", 100),
        ("/v1/events/trigger/broadcast", {"name": "welcome", "payload": {}}, "trigger", 100),
        ("/v2/subscribers", {"subscriberId": "ada"}, "configuration", 1),
        ("/v1/subscribers/bulk", {"subscribers": []}, "configuration", 100),
        ("/v1/integrations", {"providerId": "push-webhook"}, "global", 1),
    ],
)
async def test_every_answer_tells_how_its_rate_limit_stands(
    api: Api, path: str, body: Json, category: str, cost: int
) -> None:
    await api.development.workflow()

    headers = (await api.development.post(path, body)).headers
    limit, remaining = int(headers["ratelimit-limit"]), int(headers["ratelimit-remaining"])
    assert limit - cost - 1 <= remaining <= limit - min(cost, limit)
    assert int(headers["ratelimit-reset"]) >= 1
    policy = headers["ratelimit-policy"]
    assert policy.startswith(f"{limit};w=5;burst={limit};")
    assert f'category="{category}"' in policy
    assert f'cost="{"bulk" if cost > 1 else "single"}"' in policy


async def test_refused_calls_tell_how_their_rate_limit_stands_too(dev: Caller) -> None:
    assert "ratelimit-limit" in (await dev.post("/v2/subscribers", {})).headers
    assert "ratelimit-limit" in (await dev.post("/v1/events/trigger", {})).headers


async def test_a_409_says_when_to_come_back(dev: Caller) -> None:
    await dev.integration("hook")
    response = await dev.post("/v1/integrations", {"providerId": "push-webhook", "identifier": "hook"})
    error(response, 409)
    assert 1 <= int(response.headers["retry-after"]) <= 30


async def test_what_nobody_meant_is_500_with_an_id_and_without_the_reason(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> None:
        raise RuntimeError("a secret of the server")

    monkeypatch.setattr(api.services.gate, "accept", lambda *_: broken())
    trigger = {"name": "welcome", "to": "ada", "payload": {}}
    for path in ("/v1/events/trigger", "/v1/events/trigger/broadcast"):
        body = error(await api.development.post(path, trigger), 500)
        assert len(body["errorId"]) == 16
        assert "secret" not in str(body)


async def test_an_empty_cookie_and_a_body_with_delete_are_no_trouble(dev: Caller) -> None:
    await dev.subscriber()
    response = await dev.call("DELETE", "/v2/subscribers/ada", {"unknown": True}, headers={"cookie": ""})
    data(response)
