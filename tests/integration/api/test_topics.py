"""Subscriptions to topics over the API: in which contexts they hold, and what they want."""

from typing import Any

import pytest

from calling import Api, Caller, Json, data, error

PATH = "/v2/topics/news/subscriptions"
RULE = {"==": [{"var": "payload.kind"}, "big"]}


@pytest.fixture
async def ada(dev: Caller) -> Caller:
    await dev.integration()
    channel = {"providerId": "push-webhook", "credentials": {"deviceTokens": ["phone"]}}
    await dev.subscriber(channels=[channel])
    await dev.workflow("welcome", tags=["shop"])
    await dev.workflow("news", name="News", tags=["shop", "paper"])
    return dev


async def subscribed(dev: Caller, **given: Any) -> Json:
    answer = await dev.post(PATH, {"subscriptions": ["ada"], **given})
    assert answer.status_code == 201, answer.text
    (made,) = answer.json()["data"]
    found: Json = made
    return found


def wanted(found: Json) -> dict[str, Any]:
    return {
        item["workflow"]["identifier"]: item.get("condition", item["enabled"])
        for item in found.get("preferences", [])
    }


async def test_one_subscribes_once_in_each_scope(ada: Caller) -> None:
    everywhere = await subscribed(ada)
    acme = await subscribed(ada, context={"tenant": {"id": "acme", "data": {"name": "Acme"}}})
    assert everywhere["identifier"] == "tk_news:si_ada"
    assert acme["identifier"].startswith("tk_news:si_ada:ctx_")
    assert (everywhere["contextKeys"], acme["contextKeys"]) == ([], ["tenant:acme"])
    assert await subscribed(ada, context={"tenant": "acme"}) == acme
    assert (await ada.get("/v2/contexts/tenant/acme")).json()["data"]["data"] == {"name": "Acme"}
    for path in (PATH, "/v2/subscribers/ada/subscriptions"):
        page = (await ada.get(path)).json()
        assert (page["totalCount"], len(page["data"])) == (2, 2)
        page = (await ada.get(path, contextKeys=["tenant:acme"])).json()
        assert (page["totalCount"], [item["_id"] for item in page["data"]]) == (1, [acme["_id"]])
        assert (await ada.get(path, contextKeys=["tenant:acme", "app:crm"])).json()["data"] == []
        (only,) = (await ada.get(path, contextKeys="")).json()["data"]
        assert only["_id"] == everywhere["_id"]


async def test_what_a_subscription_wants_is_kept_shown_and_changed(ada: Caller) -> None:
    made = await subscribed(ada, preferences=["welcome", {"workflowId": "news", "condition": RULE}])
    assert wanted(made) == {"welcome": True, "news": RULE}
    assert {item["subscriptionId"] for item in made["preferences"]} == {made["_id"]}
    one = f"{PATH}/{made['identifier']}"
    assert wanted((await ada.get(one)).json()["data"]) == wanted(made)
    assert wanted((await ada.get(PATH)).json()["data"][0]) == wanted(made)
    changed = (
        await ada.patch(one, {"preferences": [{"filter": {"tags": ["paper"]}, "enabled": False}]})
    ).json()
    assert wanted(changed["data"]) == {"news": False}
    renamed = (await ada.patch(one, {"name": "Mine"})).json()["data"]
    assert (renamed["name"], wanted(renamed)) == ("Mine", {"news": False})
    group = {"filter": {"workflowIds": ["welcome"], "tags": ["shop"]}, "condition": RULE}
    several = (
        await ada.patch(one, {"preferences": [{"workflowId": "news", "enabled": False}, group]})
    ).json()
    assert wanted(several["data"]) == {"news": False, "welcome": RULE}
    assert (await ada.delete("/v2/workflows/welcome")).status_code == 204
    assert wanted((await ada.get(one)).json()["data"]) == {"news": False}
    assert "preferences" not in (await ada.patch(one, {"preferences": []})).json()["data"]


async def test_a_trigger_keeps_to_what_subscriptions_want(api: Api, ada: Caller) -> None:
    await subscribed(ada, preferences=[{"workflowId": "welcome", "condition": RULE}])
    for kind in ("small", "big"):
        trigger = {
            "name": "welcome",
            "to": {"type": "Topic", "topicKey": "news"},
            "payload": {"kind": kind},
            "transactionId": kind,
        }
        assert (await ada.post("/v1/events/trigger", trigger)).status_code == 201
    await api.deliver()
    sent = (await ada.get("/v1/messages")).json()["data"]
    assert [item["transactionId"] for item in sent] == ["big"]
    (row,) = (await ada.get("/v1/notifications", transactionId="small")).json()["data"]
    told = [detail["detail"] for job in row["jobs"] for detail in job["executionDetails"]]
    assert "Step filtered by topic subscription preferences" in told
    assert row["jobs"][-1]["status"] == "skipped"


async def test_a_critical_workflow_asks_no_subscription(api: Api, ada: Caller) -> None:
    critical = {"workflow": {"all": {"enabled": True, "readOnly": True}, "channels": {}}}
    await ada.workflow("alarm", name="Alarm", preferences=critical)
    await subscribed(ada, preferences=[{"workflowId": "alarm", "enabled": False}])
    trigger = {"name": "alarm", "to": {"type": "Topic", "topicKey": "news"}}
    assert (await ada.post("/v1/events/trigger", trigger)).status_code == 201
    await api.deliver()
    assert len((await ada.get("/v1/messages")).json()["data"]) == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"preferences": [{"enabled": True}]}, "preferences.0"),
        (
            {"preferences": [{"workflowId": "news", "condition": {"nonsense": [1]}}]},
            "preferences.0.condition",
        ),
        ({"preferences": [5]}, "preferences.0"),
        ({"context": {"tenant": "a b"}}, "context.tenant"),
    ],
)
async def test_what_cannot_be_wanted_is_refused_by_name(ada: Caller, given: Json, field: str) -> None:
    refused = error(await ada.post(PATH, {"subscriptions": ["ada"], **given}), 422)
    assert set(refused["errors"]) == {field}
    error(await ada.get(PATH), 404)


async def test_a_workflow_that_is_wanted_has_to_be_there(ada: Caller) -> None:
    for item in ("nowhere", {"workflowId": "nowhere"}, {"filter": {"workflowIds": ["nowhere"]}}):
        body = error(await ada.post(PATH, {"subscriptions": ["ada"], "preferences": [item]}), 404)
        assert "nowhere" in body["message"]


async def test_topics_are_found_by_a_part_of_their_key_or_name(dev: Caller) -> None:
    for key, name in (
        ("releases", "New versions"),
        ("outages", "When it RELEASES smoke"),
        ("news", "100% news"),
    ):
        data(await dev.post("/v2/topics", {"key": key, "name": name}), 201)

    async def found(search: str) -> list[str]:
        page = (await dev.get("/v2/topics", search=search)).json()
        assert page["totalCount"] == len(page["data"])
        return [one["key"] for one in page["data"]]

    assert await found("release") == ["outages", "releases"]
    assert await found("NEW") == ["news", "releases"]
    assert await found("0% n") == ["news"]
    assert await found("%") == ["news"]
    assert await found("nothing") == []
