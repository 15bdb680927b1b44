"""Messages and notifications: what became of triggers, as the SDKs read it."""

from typing import Any

import pytest

from calling import Api, Caller, Json, data, error
from clarion.model.clock import iso
from clarion.model.http import HttpReply
from clarion.store import subscribers
from clarion.store.tables import messages, trigger_topics
from pushing import NOW

GONE = HttpReply(410, body=b'{"code": "token_invalid"}')
REFUSED = HttpReply(400, body=b"no")
MESSAGES, FEED = "/v1/messages", "/v1/notifications"


@pytest.fixture(autouse=True)
async def setting(dev: Caller) -> None:
    """Ada with two phones, Bob with one, Cyd without; a workflow and a webhook."""
    await dev.integration()
    await dev.workflow(tags=["hello"], severity="low")
    for name, tokens in (("ada", ["ada-1", "ada-2"]), ("bob", ["bob-1"]), ("cyd", [])):
        await dev.subscriber(name, firstName=name.title(), email=f"{name}@example.com")
        if tokens:
            body = {"providerId": "push-webhook", "deviceTokens": tokens}
            data(await dev.put(f"/v1/subscribers/{name}/credentials", body))


async def sent(api: Api, transaction_id: str, to: object = "ada", **scripts: HttpReply) -> None:
    """Trigger, and let it go out."""
    body = {"name": "welcome", "to": to, "payload": {"text": "Hi"}, "transactionId": transaction_id}
    data(await api.development.post("/v1/events/trigger", body), 201)
    await api.deliver(**{token.replace("_", "-"): reply for token, reply in scripts.items()})


async def page(dev: Caller, path: str, **query: Any) -> Json:
    response = await dev.get(path, **query)
    assert response.status_code == 200, response.text
    found: Json = response.json()
    return found


def transactions(found: Json) -> str:
    return " ".join(item["transactionId"] for item in found["data"])


async def test_a_message_tells_where_it_went_and_what_became_of_it(api: Api) -> None:
    await sent(api, "t", ada_1=GONE, ada_2=HttpReply(200, body=b'{"id": "remote-1"}'))
    found = await page(api.development, MESSAGES, transactionId="t")
    by_token = {item["deviceTokens"][0]: item for item in found["data"]}
    assert by_token.keys() == {"ada-1", "ada-2"}
    good, bad = by_token["ada-2"], by_token["ada-1"]
    assert (good["status"], good["providerMessageId"]) == ("sent", "remote-1")
    assert good["deliveredAt"]
    assert good.keys().isdisjoint({"errorId", "errorText"})
    assert (bad["status"], bad["errorId"]) == ("error", "http_410")
    assert bad["errorText"]
    assert "deliveredAt" not in bad
    for item in (good, bad):
        assert (item["title"], item["content"]) == ("Hello Ada", "Hi")
        assert (item["channel"], item["providerId"]) == ("push", "push-webhook")
        assert item["templateIdentifier"] == "welcome"
        assert (item["read"], item["seen"], item["cta"]) == (False, False, {})
    ada = data(await api.development.get("/v2/subscribers/ada"))
    assert good["_subscriberId"] == ada["_id"]


async def test_messages_are_filtered_and_cut_newest_first(api: Api) -> None:
    dev = api.development
    await sent(api, "one", ["ada", "bob"])
    await sent(api, "two", "bob")
    assert transactions(await page(dev, MESSAGES)) == "two one one one"
    assert transactions(await page(dev, MESSAGES, subscriberId="bob")) == "two one"
    assert transactions(await page(dev, MESSAGES, transactionId="one")) == "one one one"
    assert transactions(await page(dev, MESSAGES, transactionId=["one", "two"])) == "two one one one"
    assert transactions(await page(dev, MESSAGES, channel="push", subscriberId="nobody")) == ""
    assert transactions(await page(dev, MESSAGES, channel="email")) == ""
    first = await page(dev, MESSAGES, limit="3.0", page="0.0")
    assert (len(first["data"]), first["page"], first["pageSize"], first["hasMore"]) == (3, 0, 3, True)
    second = await page(dev, MESSAGES, limit=3, page=1)
    assert (len(second["data"]), second["page"], second["hasMore"]) == (1, 1, False)
    ids = [item["_id"] for item in first["data"] + second["data"]]
    assert len(set(ids)) == 4


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (MESSAGES, {"limit": 101}),
        (MESSAGES, {"limit": 0}),
        (MESSAGES, {"page": -1}),
        (MESSAGES, {"page": 2**31}),
        (MESSAGES, {"page": 10**30}),
        (FEED, {"limit": 51}),
        (FEED, {"page": 2**63}),
        (FEED, {"after": "yesterday"}),
        (FEED, {"before": "24"}),
    ],
)
async def test_a_query_out_of_bounds_is_refused(dev: Caller, path: str, query: dict[str, Any]) -> None:
    assert set(error(await dev.get(path, **query), 422)["errors"]) == set(query)


@pytest.mark.parametrize("path", [MESSAGES, FEED])
async def test_the_last_page_that_can_be_asked_for_is_empty(dev: Caller, path: str) -> None:
    found = await page(dev, path, page=2**31 - 1, limit=50)
    assert (found["data"], found["hasMore"]) == ([], False)


async def test_a_message_that_went_out_while_its_subscriber_was_removed_is_not_shown(api: Api) -> None:
    await sent(api, "t", ["ada", "bob"])
    environment_id = await api.environment_id()
    ada = await api.services.database.read(subscribers.get, environment_id, "ada")
    assert ada is not None
    data(await api.development.delete("/v2/subscribers/ada"))
    late = messages.update().values(subscriber_pk=ada.pk)
    await api.services.database.write(lambda connection: connection.execute(late))
    assert transactions(await page(api.development, MESSAGES)) == ""
    assert transactions(await page(api.development, FEED)) == "t"


async def test_a_deleted_message_is_gone_from_the_log_and_still_counts(api: Api, prod: Caller) -> None:
    dev = api.development
    await sent(api, "t")
    before = data(await dev.get("/v1/ledger"))
    first, second = (await page(dev, MESSAGES))["data"]
    error(await prod.delete(f"{MESSAGES}/{first['_id']}"), 404)
    gone = data(await dev.delete(f"{MESSAGES}/{first['_id']}"))
    assert gone == {"acknowledged": True, "status": "deleted"}
    assert [item["_id"] for item in (await page(dev, MESSAGES))["data"]] == [second["_id"]]
    error(await dev.delete(f"{MESSAGES}/{first['_id']}"), 404)
    assert data(await dev.get("/v1/ledger")) == before


async def test_the_messages_of_a_transaction_are_deleted_together(api: Api, prod: Caller) -> None:
    dev = api.development
    await sent(api, "one", ["ada", "bob"])
    await sent(api, "two", "bob")
    path = f"{MESSAGES}/transaction/one"
    error(await dev.delete(f"{path}?channel=email"), 404)
    error(await dev.delete(f"{path}?channel=pigeon"), 422)
    error(await prod.delete(path), 404)
    assert transactions(await page(dev, MESSAGES)) == "two one one one"
    response = await dev.delete(f"{path}?channel=push")
    assert (response.status_code, response.content) == (204, b"")
    assert transactions(await page(dev, MESSAGES)) == "two"
    error(await dev.delete(path), 404)


async def test_a_notification_tells_the_whole_story(api: Api) -> None:
    await sent(api, "t", ada_1=GONE)
    (row,) = (await page(api.development, FEED, transactionId="t"))["data"]
    assert data(await api.development.get(f"{FEED}/{row['_id']}")) == row
    assert (row["payload"], row["channels"], row["tags"]) == ({"text": "Hi"}, ["push"], ["hello"])
    assert (row["to"], row["severity"]) == ({"subscriberId": "ada"}, "low")
    assert row["subscriber"]["firstName"] == "Ada"
    assert row["template"]["triggers"][0]["identifier"] == "welcome"
    trigger, push = row["jobs"]
    assert (trigger["type"], trigger["status"], trigger["providerId"]) == ("trigger", "completed", "novu")
    assert (push["type"], push["status"], push["providerId"]) == ("push", "completed", "push-webhook")
    assert push["step"]["stepId"] == "push"
    told = [detail["detail"] for detail in push["executionDetails"]]
    assert told[:2] == ["Step created", "Step queued"]
    for line in ("Message sent", "Unexpected provider error", "Invalid device token removed"):
        assert line in told
    assert len({detail["_id"] for detail in push["executionDetails"]}) == len(told)


@pytest.mark.parametrize(
    ("to", "scripts", "status"),
    [
        ("ada", {}, "completed"),
        ("ada", {"ada_1": REFUSED}, "completed"),
        ("ada", {"ada_1": REFUSED, "ada_2": GONE}, "failed"),
        ("cyd", {}, "skipped"),
    ],
)
async def test_a_job_ends_as_its_messages_did(
    api: Api, to: str, scripts: dict[str, HttpReply], status: str
) -> None:
    await sent(api, "t", to, **scripts)
    (row,) = (await page(api.development, FEED))["data"]
    assert [job["status"] for job in row["jobs"]] == ["completed", status]


async def test_the_feed_is_filtered(api: Api) -> None:
    dev = api.development
    for name in ("one", "two"):
        await sent(api, name, ["ada", "bob"])
    await dev.workflow("other")
    ada = (await page(dev, FEED, subscriberIds="ada", transactionId="one"))["data"][0]
    workflow = data(await dev.get("/v2/workflows/welcome"))
    for query, count in (
        ({}, 4),
        ({"transactionId": "one"}, 2),
        ({"subscriberIds": "ada"}, 2),
        ({"subscriberIds": ["ada", "bob"]}, 4),
        ({"emails": "bob@example.com"}, 2),
        ({"channels": "push"}, 4),
        ({"channels": ["email", "push"]}, 4),
        ({"channels": "email"}, 0),
        ({"templates": workflow["_id"]}, 4),
        ({"templates": "welcome"}, 4),
        ({"templates": "other"}, 0),
        ({"templates": "unknown"}, 0),
        ({"search": "one"}, 2),
        ({"search": "ada"}, 2),
        ({"search": "ada@example.com"}, 2),
        ({"search": ada["_id"]}, 1),
        ({"search": "%"}, 0),
        ({"after": iso(NOW)}, 4),
        ({"before": iso(NOW)}, 0),
        ({"after": ada["createdAt"], "before": ada["createdAt"], "subscriberIds": "ada"}, 1),
        ({"after": "2020-01-01"}, 4),
        ({"severity": "high"}, 0),
        ({"severity": ["high", "low"]}, 4),
        ({"severity": "low", "templates": "welcome"}, 4),
        ({"severity": "low", "templates": "unknown"}, 0),
    ):
        assert len((await page(dev, FEED, **query))["data"]) == count, query


async def test_the_feed_is_filtered_by_what_led_to_the_subscriber(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clarion.store.activity_search._TRIGGERS_AT_ONCE", 2)
    dev = api.development
    subscriptions: dict[str, str] = {}
    for key, names in (("news", ["ada", "bob"]), ("sport", ["ada"])):
        answer = await dev.post(f"/v2/topics/{key}/subscriptions", {"subscriptions": names})
        assert answer.status_code == 201, answer.text
        made = answer.json()["data"]
        subscriptions |= {f"{key} {item['subscriber']['subscriberId']}": item["_id"] for item in made}
    news, sport = ({"type": "Topic", "topicKey": key} for key in ("news", "sport"))
    await sent(api, "news", news)
    await sent(api, "both", [news, sport, news, "cyd"])
    await sent(api, "partly", [{**news, "exclude": ["ada"]}, sport])
    await sent(api, "named", ["ada", "bob"])
    await sent(api, "named too", ["ada", news])
    for query, found in (
        ({"topicKey": "news"}, "named too:bob partly:bob both:bob both:ada news:bob news:ada"),
        ({"topicKey": "sport"}, "partly:ada both:ada"),
        ({"topicKey": "sport", "subscriberIds": "bob"}, ""),
        ({"topicKey": "new"}, ""),
        ({"topicKey": "nobody's"}, ""),
        ({"subscriptionId": subscriptions["news ada"]}, "both:ada news:ada"),
        ({"subscriptionId": subscriptions["sport ada"]}, "partly:ada both:ada"),
        ({"subscriptionId": subscriptions["sport ada"], "topicKey": "news"}, "both:ada"),
        ({"subscriptionId": subscriptions["news bob"]}, "named too:bob partly:bob both:bob news:bob"),
        ({"subscriptionId": "unknown"}, ""),
    ):
        rows = (await page(dev, FEED, **query))["data"]
        assert " ".join(f"{row['transactionId']}:{row['to']['subscriberId']}" for row in rows) == found, query
        assert await behind_each(dev, **query) == rows, query
    rows = (await page(dev, FEED, transactionId="both"))["data"]
    led = {row["to"]["subscriberId"]: [topic["topicKey"] for topic in row["topics"]] for row in rows}
    assert led == {"ada": ["news", "sport"], "bob": ["news"], "cyd": []}
    assert (await api.production.get(FEED, topicKey="news")).json()["data"] == []
    (first,) = (await page(dev, FEED, topicKey="sport", limit=1, page=1))["data"]
    assert first["transactionId"] == "both"


async def behind_each(dev: Caller, **query: Any) -> list[Json]:
    """The feed read one row at a time, each behind the last."""
    rows: list[Json] = []
    at: dict[str, str] = {}
    while True:
        found = await page(dev, FEED, limit=1, **at, **query)
        rows += found["data"]
        assert found["hasMore"] is (found["next"] is not None)
        if found["next"] is None:
            return rows
        at = {"behind": found["next"]}


async def test_the_feed_is_read_behind_a_row_however_it_is_filtered(api: Api) -> None:
    dev = api.development
    for number in range(3):
        await sent(api, f"t{number}", ["ada", "bob", "cyd"], ada_1=GONE)
    await sent(api, "last", "bob", bob_1=REFUSED)
    for query in (
        {},
        {"search": "t1"},
        {"subscriberIds": ["ada", "bob"]},
        {"status": "error"},
        {"status": "error", "templates": "welcome"},
        {"error": "http_4"},
        {"providerId": "push-webhook"},
        {"transactionId": "t2"},
        {"severity": "low"},
    ):
        rows = (await page(dev, FEED, limit=50, **query))["data"]
        assert rows, query
        assert await behind_each(dev, **query) == rows, query
    error(await dev.get(FEED, behind="nonsense"), 422)


async def test_what_led_to_somebody_outlives_the_topic(api: Api) -> None:
    dev = api.development
    await dev.post("/v2/topics/news/subscriptions", {"subscriptions": ["ada"]})
    topic = data(await dev.get("/v2/topics/news"))
    await sent(api, "news", {"type": "Topic", "topicKey": "news"})
    data(await dev.delete("/v2/topics/news"))
    (row,) = (await page(dev, FEED, topicKey="news"))["data"]
    assert row["topics"] == [{"_topicId": topic["_id"], "topicKey": "news"}]
    await api.services.database.write(lambda c: c.execute(trigger_topics.delete()))
    assert (await page(dev, FEED))["data"] == [row | {"topics": []}], "an older version noted none"


async def test_the_feed_is_newest_first_and_cut(api: Api) -> None:
    for name in ("one", "two", "three"):
        await sent(api, name)
    first = await page(api.development, FEED, limit=2)
    assert (transactions(first), first["page"], first["pageSize"]) == ("three two", 0, 2)
    assert first["hasMore"] is True
    second = await page(api.development, FEED, limit=2, page=1)
    assert (transactions(second), second["hasMore"]) == ("one", False)


async def test_the_story_outlives_the_workflow_and_the_integration(api: Api) -> None:
    await sent(api, "t")
    dev = api.development
    assert (await dev.delete("/v2/workflows/welcome")).status_code == 204
    (integration,) = data(await dev.get("/v1/integrations"))
    data(await dev.delete(f"/v1/integrations/{integration['_id']}"))
    (row,) = (await page(dev, FEED))["data"]
    assert "template" not in row
    assert row["jobs"][1]["status"] == "completed"
    assert len((await page(dev, MESSAGES))["data"]) == 2


async def test_a_removed_subscriber_takes_the_story_along(api: Api) -> None:
    await sent(api, "t", ["ada", "bob"])
    data(await api.development.delete("/v2/subscribers/ada"))
    (row,) = (await page(api.development, FEED))["data"]
    assert row["to"] == {"subscriberId": "bob"}
    assert len((await page(api.development, MESSAGES))["data"]) == 1


async def test_a_notification_tells_all_that_its_trigger_said_so_that_it_can_be_said_again(api: Api) -> None:
    said = {
        "overrides": {"push-webhook": {"sound": "bell"}, "devices": ["ada-1"]},
        "actor": "bob",
        "tenant": {"identifier": "acme", "data": {"tier": 1}},
    }
    body = {"name": "welcome", "to": "ada", "transactionId": "first", "context": {"app": "mobile"}, **said}
    data(await api.development.post("/v1/events/trigger", body), 201)
    await sent(api, "plain")
    (shown,) = (await page(api.development, FEED, transactionId="first"))["data"]
    told = data(await api.development.get(f"{FEED}/{shown['_id']}"))
    assert {name: told[name] for name in said} == said
    assert told["contextKeys"] == ["app:mobile"]
    (plain,) = (await page(api.development, FEED, transactionId="plain"))["data"]
    assert plain.keys().isdisjoint(said)


async def test_a_notification_that_is_not_there_is_404(dev: Caller) -> None:
    for name in ("gone", "%2F", "a%00b"):
        error(await dev.get(f"{FEED}/{name}"), 404)


async def test_a_subscribers_messages_are_paged_over_many_notifications(
    api: Api, dev: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clarion.store.message_log._NOTIFICATIONS_AT_ONCE", 2)
    for number in range(5):
        event = {"name": "welcome", "to": "ada", "transactionId": f"t{number}"}
        data(await dev.post("/v1/events/trigger", event), 201)
    await api.deliver()
    pages = [(await dev.get(MESSAGES, subscriberId="ada", limit=3, page=page)).json() for page in range(4)]
    found = [item["_id"] for page in pages for item in page["data"]]
    assert [page["hasMore"] for page in pages] == [True, True, True, False]
    everything = (await dev.get(MESSAGES, limit=50)).json()["data"]
    assert (len(set(found)), set(found)) == (10, {item["_id"] for item in everything})
    assert [item["transactionId"] for page in pages for item in page["data"]] == [
        f"t{number}" for number in (4, 4, 3, 3, 2, 2, 1, 1, 0, 0)
    ]
