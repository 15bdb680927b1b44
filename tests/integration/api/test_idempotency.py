"""Calls under an idempotency key: made once, answered alike, on either database."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from calling import Api, Caller, Json, data, error
from clarion.accept.once import LONGEST_KEY, mark_of
from clarion.model.clock import HOUR, MINUTE
from clarion.store import idempotency
from clarion.store.idempotency import Keyed

TRIGGER = "/v1/events/trigger"
BULK = "/v1/events/trigger/bulk"
SUBSCRIBERS = "/v2/subscribers"
ADA = {"subscriberId": "ada"}


def keyed(key: str) -> dict[str, Any]:
    return {"headers": {"idempotency-key": key}}


def is_replay(answer: httpx.Response) -> bool:
    told: str = answer.headers.get("idempotency-replay", "")
    return told == "true"


def event(**more: Any) -> Json:
    return {"name": "welcome", "to": "ada", **more}


async def notified(dev: Caller) -> int:
    return len((await dev.get("/v1/notifications")).json()["data"])


@pytest.fixture
async def ready(dev: Caller) -> Caller:
    await dev.workflow()
    return dev


@pytest.mark.parametrize(
    ("path", "body"),
    [(TRIGGER, event()), (BULK, {"events": [event(), event()]}), (TRIGGER + "/broadcast", event(payload={}))],
)
async def test_a_repeated_trigger_is_answered_alike_and_made_once(
    api: Api, ready: Caller, path: str, body: Json
) -> None:
    await ready.subscriber()
    answers = [await ready.post(path, body, **keyed("k1")) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert [is_replay(answer) for answer in answers] == [False, True, True]
    assert {answer.headers["idempotency-key"] for answer in answers} == {"k1"}
    assert all("ratelimit-remaining" in answer.headers for answer in answers)
    await api.deliver()
    assert await notified(ready) == len(body.get("events", [1]))


async def test_without_a_key_or_under_another_it_is_made_again(api: Api, ready: Caller) -> None:
    for more in ({}, {}, keyed("k1"), keyed("k2")):
        assert not is_replay(await ready.post(TRIGGER, event(), **more))
    await api.deliver()
    assert await notified(ready) == 4


async def test_a_key_is_of_one_environment(ready: Caller, prod: Caller) -> None:
    await prod.workflow()
    first = await ready.post(TRIGGER, event(), **keyed("k1"))
    other = await prod.post(TRIGGER, event(), **keyed("k1"))
    assert not is_replay(other)
    assert first.content != other.content


@pytest.mark.parametrize("path", [TRIGGER, SUBSCRIBERS])
async def test_a_key_used_for_another_call_is_refused(ready: Caller, path: str) -> None:
    body = event() if path == TRIGGER else ADA
    data(await ready.post(path, body, **keyed("k1")), 201)
    for where, other in ((path, {**body, "x": 1}), (BULK, body)):
        refused = error(await ready.post(where, other, **keyed("k1")), 422)
        assert "use a new key" in refused["message"]
    assert is_replay(await ready.post(path, body, **keyed("k1")))


async def test_refusals_are_kept_too(ready: Caller) -> None:
    for body, status in ((event(name="gone"), 422), (event(to={"x": 1}), 400), (event(to=7), 400)):
        key = f"k-{body['to']}-{body['name']}"
        first, again = [await ready.post(TRIGGER, body, **keyed(key)) for _ in range(2)]
        assert (first.status_code, again.status_code) == (status, status)
        assert (first.content, is_replay(first), is_replay(again)) == (again.content, False, True)
    await ready.workflow("gone")
    assert is_replay(await ready.post(TRIGGER, event(name="gone"), **keyed("k-ada-gone")))


async def test_an_inactive_workflow_is_answered_alike(ready: Caller) -> None:
    await ready.workflow("asleep", active=False)
    answers = [await ready.post(TRIGGER, event(name="asleep"), **keyed("k1")) for _ in range(2)]
    assert [data(answer, 201)["status"] for answer in answers] == ["trigger_not_active"] * 2
    assert [is_replay(answer) for answer in answers] == [False, True]


async def test_other_calls_are_made_once_as_well(dev: Caller) -> None:
    first = await dev.post(SUBSCRIBERS, ADA, params={"failIfExists": "true"}, **keyed("k1"))
    again = await dev.post(SUBSCRIBERS, ADA, params={"failIfExists": "true"}, **keyed("k1"))
    assert (first.status_code, again.status_code, first.content) == (201, 201, again.content)
    taken = [await dev.post(SUBSCRIBERS, ADA, params={"failIfExists": "true"}, **keyed("k2")) for _ in "ab"]
    assert [answer.status_code for answer in taken] == [409, 409]
    assert [answer.headers["retry-after"] for answer in taken] == ["1", "1"]
    patched = [
        await dev.call("PATCH", f"{SUBSCRIBERS}/ada", {"firstName": "Ada"}, **keyed("k3")) for _ in "ab"
    ]
    assert [is_replay(answer) for answer in patched] == [False, True]


async def test_reading_replacing_and_removing_go_by_no_key(dev: Caller) -> None:
    await dev.subscriber()
    for method, path in (("GET", f"{SUBSCRIBERS}/ada"), ("DELETE", f"{SUBSCRIBERS}/ada")):
        assert not is_replay(await dev.call(method, path, **keyed("k1")))
    error(await dev.call("DELETE", f"{SUBSCRIBERS}/ada", **keyed("k1")), 404)


@pytest.mark.parametrize("path", [TRIGGER, SUBSCRIBERS])
async def test_a_key_that_is_too_long_is_refused(ready: Caller, path: str) -> None:
    body = event() if path == TRIGGER else ADA
    refused = await ready.post(path, body, **keyed("k" * (LONGEST_KEY + 1)))
    assert refused.status_code == 400
    assert "longer than 255" in refused.json()["message"]
    data(await ready.post(path, body, **keyed("k" * LONGEST_KEY)), 201)


async def test_while_the_first_call_runs_others_are_told_to_wait(api: Api, ready: Caller) -> None:
    environment_id = await api.environment_id()
    now = api.services.clock()
    mark = "0" * 32
    await api.services.database.write(idempotency.claim, environment_id, [Keyed("k1", mark)], now, now - HOUR)
    for path, body in ((TRIGGER, event()), (SUBSCRIBERS, ADA)):
        error(await ready.post(path, body, **keyed("k1")), 422)
    await api.services.database.write(idempotency.release, environment_id, "k1")
    for path, body in ((TRIGGER, event()), (SUBSCRIBERS, ADA)):
        together = await asyncio.gather(*(ready.post(path, body, **keyed(path)) for _ in range(5)))
        statuses = sorted(answer.status_code for answer in together)
        assert statuses.count(201) >= 1
        for answer in together:
            if answer.status_code != 201:
                assert (answer.status_code, answer.headers["retry-after"]) == (409, "1")
        assert sum(answer.status_code == 201 and not is_replay(answer) for answer in together) == 1


@pytest.mark.parametrize("known", [False, True])
async def test_a_running_creation_is_told_of_what_it_is_about(api: Api, dev: Caller, known: bool) -> None:
    environment_id, now = await api.environment_id(), api.services.clock()
    for path, body in (
        (SUBSCRIBERS, {**ADA, "firstName": "Ada"}),
        ("/v2/topics", {"key": "ada", "name": "Ada"}),
    ):
        made = (await dev.post(path, body)).json()["data"] if known else {}
        mark = mark_of("POST", path, json.dumps(body).encode())
        begun = [Keyed(path, mark)]
        await api.services.database.write(idempotency.claim, environment_id, begun, now, now - HOUR)
        answer = await dev.call("POST", path, content=json.dumps(body), **keyed(path))
        told = error(answer, 409)
        assert (answer.headers["retry-after"], answer.headers["idempotency-key"]) == ("1", path)
        assert "still running" in told["message"]
        assert told.items() >= (made or body).items()
        assert bool((await dev.get(f"{path}/ada")).status_code == 200) is known


async def test_what_failed_on_our_side_is_not_kept(
    api: Api, ready: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("no")

    with monkeypatch.context() as patch:
        patch.setattr(api.services.gate, "judge", broken)
        for path, body in ((TRIGGER, event()), (TRIGGER + "/broadcast", event(payload={}))):
            error(await ready.post(path, body, **keyed(path)), 500)
    for path, body in ((TRIGGER, event()), (TRIGGER + "/broadcast", event(payload={}))):
        assert not is_replay(await ready.post(path, body, **keyed(path)))


async def test_a_call_whose_process_died_can_be_made_again(api: Api, ready: Caller) -> None:
    environment_id = await api.environment_id()
    now = api.services.clock()
    begun = now - 5 * MINUTE
    await api.services.database.write(
        idempotency.claim, environment_id, [Keyed("k1", "m")], begun, begun - HOUR
    )
    assert not is_replay(await ready.post(SUBSCRIBERS, ADA, **keyed("k1")))
