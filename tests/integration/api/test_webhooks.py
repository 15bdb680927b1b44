"""Webhook endpoints over the API."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from standardwebhooks.webhooks import Webhook

from calling import PUSH, Api, Caller, Json, data, error, running_api
from clarion.errors import EgressRefused, TimedOut
from clarion.model.http import HttpReply, HttpRequest
from clarion.store import webhooks
from clarion.store.dialect import run, sql
from pushing import Answer, ScriptedSender

PATH = "/v1/webhooks"
URL = "https://8.8.8.8/hooks"


def by_url(request: HttpRequest) -> str:
    """The key of an endpoint, and one for all devices."""
    return request.url


@pytest.fixture
def sender() -> ScriptedSender:
    return ScriptedSender(by_url)


async def added(caller: Caller, **given: Any) -> Json:
    found: Json = data(await caller.post(PATH, {"url": URL, **given}), 201)
    return found


async def test_an_endpoint_is_added_read_changed_and_removed(dev: Caller) -> None:
    made = await added(
        dev, events=["message.failed"], description="Alerts", headers={"X-Team": "blue-team-1"}
    )
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert (made["url"], made["events"], made["active"], made["concurrency"]) == (
        URL,
        ["message.failed"],
        True,
        1,
    )
    one = f"{PATH}/{made['_id']}"
    assert data(await dev.get(one)) == made
    assert data(await dev.get(PATH)) == [made]
    assert secret not in (await dev.get(PATH)).text
    changed = data(await dev.put(one, {"events": [], "concurrency": 5, "headers": made["headers"]}))
    assert (changed["events"], changed["concurrency"], changed["url"]) == ([], 5, URL)
    assert (await dev.delete(one)).status_code == 204
    for answer in (await dev.get(one), await dev.put(one, {"events": []}), await dev.delete(one)):
        error(answer, 404)
    assert data(await dev.get(PATH)) == []


async def test_a_rate_is_set_kept_and_taken_back(dev: Caller) -> None:
    made = await added(dev, rateLimit=20)
    one = f"{PATH}/{made['_id']}"
    assert made["rateLimit"] == 20
    assert data(await dev.put(one, {"concurrency": 2}))["rateLimit"] == 20
    assert data(await dev.put(one, {"rateLimit": 10_000}))["rateLimit"] == 10_000
    assert data(await dev.put(one, {"rateLimit": None}))["rateLimit"] is None
    assert data(await dev.get(one))["rateLimit"] is None
    assert (await added(dev))["rateLimit"] is None


async def test_an_endpoint_of_another_environment_is_not_there(dev: Caller, prod: Caller) -> None:
    one = f"{PATH}/{(await added(dev))['_id']}"
    error(await prod.get(one), 404)
    error(await prod.put(one, {"active": False}), 404)
    error(await prod.post(f"{one}/rotate-secret", {}), 404)
    error(await prod.post(f"{one}/ping", {}), 404)
    error(await prod.delete(one), 404)
    assert data(await prod.get(PATH)) == []
    assert data(await dev.get(one))["active"] is True


async def test_secrets_and_headers_are_kept_sealed(api: Api, dev: Caller) -> None:
    made = await added(dev, headers={"Authorization": "Bearer of-a-long-token"})
    assert "of-a-long-token" not in str(made)
    rows = await api.services.database.read(
        lambda c: [bytes(row.sealed) for row in run(c, sql("SELECT sealed FROM webhook_endpoints"))]
    )
    assert rows
    assert all(made["secret"].encode() not in row and b"of-a-long" not in row for row in rows)
    kept = (await api.services.catalog.current()).webhooks[made["_id"]]
    assert kept.headers == {"Authorization": "Bearer of-a-long-token"}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"url": "ftp://receiver.test/"}, "url"),
        ({"url": "http://8.8.8.8/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://127.1/"}, "url"),
        ({"url": "https://2130706433/"}, "url"),
        ({"url": "https://0x7f000001/"}, "url"),
        ({"url": "https://[::1]/"}, "url"),
        ({"url": "https://[::ffff:169.254.169.254]/"}, "url"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "https://localhost:8443/"}, "url"),
        ({"events": ["message.sent", "nonsense"]}, "events.1"),
        ({"events": ["webhook.ping"]}, "events.0"),
        ({"description": "x" * 513}, "description"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": 101}, "concurrency"),
        ({"rateLimit": 0}, "rateLimit"),
        ({"rateLimit": 10_001}, "rateLimit"),
        ({"rateLimit": 1.5}, "rateLimit"),
        ({"rateLimit": "20"}, "rateLimit"),
        ({"headers": {"bad name": "x"}}, "headers"),
        ({"headers": {"Host": "x"}}, "headers"),
        ({"headers": {"Webhook-Signature": "x"}}, "headers"),
        ({"headers": {"x": "a\r\nb"}}, "headers"),
        ({"headers": {f"x-{n}": "y" for n in range(21)}}, "headers"),
    ],
)
async def test_what_can_t_be_is_refused_by_field(dev: Caller, given: Json, field: str) -> None:
    refusal = error(await dev.post(PATH, {"url": URL, **given}), 422)
    assert set(refusal["errors"]) == {field}
    one = f"{PATH}/{(await added(dev))['_id']}"
    assert set(error(await dev.put(one, given), 422)["errors"]) == {field}
    error(await dev.put(one, {}), 400)


async def test_http_and_inner_addresses_are_for_who_allows_them(tmp_path: Path) -> None:
    async with running_api(tmp_path, webhook_http=True, egress_allow=("10.0.0.0/8",)) as api:
        made = await added(api.development, url="http://10.1.2.3:8080/hooks")
        assert made["url"] == "http://10.1.2.3:8080/hooks"


async def test_an_environment_has_so_many_endpoints(dev: Caller) -> None:
    for _ in range(50):
        await added(dev)
    refusal = error(await dev.post(PATH, {"url": URL}), 400)
    assert (refusal["currentCount"], refusal["limit"]) == (50, 50)


async def test_the_answer_that_holds_a_secret_is_kept_by_nobody(dev: Caller) -> None:
    made = await dev.post(PATH, {"url": URL}, headers={"idempotency-key": "k"})
    assert made.headers["cache-control"] == "no-store"
    again = await dev.post(PATH, {"url": URL}, headers={"idempotency-key": "k"})
    assert again.json()["data"]["secret"] != made.json()["data"]["secret"]


async def test_while_a_secret_is_renewed_both_sign(api: Api, dev: Caller) -> None:
    made = await added(dev)
    one = f"{PATH}/{made['_id']}"
    renewed = data(await dev.post(f"{one}/rotate-secret", {}))
    assert renewed["secret"] != made["secret"]
    assert len(renewed["oldSecretsUntil"]) == 1
    assert await signers(api, made["_id"]) == [renewed["secret"], made["secret"]]
    last = data(await dev.post(f"{one}/rotate-secret", {"overlapHours": 0}))
    assert await signers(api, made["_id"]) == [last["secret"], made["secret"]]
    error(await dev.post(f"{one}/rotate-secret", {"overlapHours": -1}), 422)


async def signers(api: Api, identity: str) -> list[str]:
    return (await api.services.catalog.current()).webhooks[identity].signing(api.services.clock())


async def test_a_ping_goes_out_signed_and_tells_what_was_answered(
    dev: Caller, sender: ScriptedSender
) -> None:
    made = await added(dev, headers={"X-Team": "blue-team-1"}, active=False)
    sender.scripts[URL] = [HttpReply(200, body=b"thanks")]
    told = data(await dev.post(f"{PATH}/{made['_id']}/ping", {}))
    assert (told["type"], told["status"], told["attempts"]) == ("webhook.ping", "delivered", 1)
    assert [(one["status"], one["code"], one["answer"]) for one in told["tries"]] == [(200, "", "thanks")]
    (request,) = sender.requests[URL]
    sent = dict(request.headers)
    assert sent["x-team"] == "blue-team-1"
    assert sent["content-type"] == "application/json"
    for part in ("id", "timestamp", "signature"):
        assert sent[f"svix-{part}"] == sent[f"webhook-{part}"] == told["headers"][f"webhook-{part}"]
    assert request.body.decode() == told["body"]
    assert sent["webhook-id"] == told["eventId"]
    signed = Webhook(made["secret"]).sign(sent["webhook-id"], _moment(sent), told["body"])
    assert sent["webhook-signature"] == signed
    assert "blue-team" not in str(told)


async def test_a_delivery_shows_what_was_sent_whatever_the_endpoint_is_now(
    dev: Caller, sender: ScriptedSender
) -> None:
    made = await added(dev, headers={"X-Team": "blue-team-1"})
    one = f"{PATH}/{made['_id']}"
    sender.scripts[URL] = [HttpReply(500, body=b"trouble")]
    told = data(await dev.post(f"{one}/ping", {}))
    data(await dev.put(one, {"url": "https://elsewhere.test/", "headers": {"X-Other": "red-team-22"}}))
    data(await dev.post(f"{one}/rotate-secret", {"overlapHours": 0}))
    (kept,) = (await dev.get(f"{one}/deliveries")).json()["data"]
    assert (kept["url"], kept["headers"]) == (URL, told["headers"])
    assert kept["tries"] == told["tries"]
    (tried,) = kept["tries"]
    assert (tried["url"], tried["headers"]["webhook-id"]) == (URL, told["eventId"])
    assert "blue-team" not in str(kept)
    assert "X-Team" in tried["headers"]


async def test_an_endpoint_that_was_switched_off_says_why_until_it_is_on_again(api: Api, dev: Caller) -> None:
    made = await added(dev)

    async def standing() -> tuple[bool, str]:
        (one,) = data(await dev.get(PATH))
        return one["active"], one["disabledReason"]

    assert await standing() == (True, "")
    await api.services.catalog.change(webhooks.switch_off, made["_id"], "failing", api.services.clock())
    assert await standing() == (False, "failing")
    data(await dev.put(f"{PATH}/{made['_id']}", {"active": True}))
    assert await standing() == (True, "")


def _moment(sent: dict[str, str]) -> datetime:
    return datetime.fromtimestamp(int(sent["webhook-timestamp"]), UTC)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (HttpReply(302, {"location": "https://elsewhere.test/"}), "http_302"),
        (HttpReply(500, body=b"trouble"), "http_500"),
        (TimedOut("no answer in time"), "timed_out"),
        (EgressRefused("8.8.8.8 leads to no public address"), "egress_refused"),
    ],
)
async def test_a_ping_that_fails_says_why_and_is_not_repeated(
    dev: Caller, sender: ScriptedSender, answer: Answer, code: str
) -> None:
    made = await added(dev)
    sender.scripts[URL] = [answer]
    told = data(await dev.post(f"{PATH}/{made['_id']}/ping", {}))
    assert (told["status"], told["nextTryAt"], told["tries"][0]["code"]) == ("failed", None, code)
    assert len(sender.requests[URL]) == 1


async def heard(api: Api, sender: ScriptedSender, url: str = URL) -> list[Json]:
    """Everything that an endpoint was told, once all has gone out."""
    await api.deliver_through(sender)
    return [msgspec.json.decode(request.body) for request in sender.requests[url]]


async def test_a_workflow_is_told_as_it_is_made_changed_published_and_removed(
    api: Api, dev: Caller, prod: Caller, sender: ScriptedSender
) -> None:
    await added(dev)
    await added(prod, url="https://8.8.4.4/prod")
    made = await dev.workflow()
    data(await dev.patch("/v2/workflows/welcome", {"active": False}))
    data(await dev.put("/v2/workflows/welcome", {"name": "Hello", "steps": [PUSH]}))
    target = await api.environment_id("prod")
    data(await dev.put("/v2/workflows/welcome/sync", {"targetEnvironmentId": target}))
    assert (await dev.delete("/v2/workflows/welcome")).status_code == 204
    told = await heard(api, sender)
    assert [body["type"] for body in told] == [
        "workflow.created",
        "workflow.updated",
        "workflow.updated",
        "workflow.deleted",
    ]
    assert all(body["data"]["object"]["_id"] == made["_id"] for body in told)
    assert told[1]["data"]["previousObject"]["active"] is True
    assert told[1]["data"]["object"]["active"] is False
    assert "previousObject" not in told[0]["data"]
    (published,) = await heard(api, sender, "https://8.8.4.4/prod")
    assert published["type"] == "workflow.published"
    assert published["data"]["object"]["name"] == "Hello"
    assert published["environmentId"] != told[0]["environmentId"]


async def test_publishing_all_tells_the_target_of_each(
    api: Api, dev: Caller, prod: Caller, sender: ScriptedSender
) -> None:
    await prod.workflow("old")
    await dev.workflow("new")
    await added(prod)
    target = await api.environment_id("prod")
    data(await dev.post(f"/v2/environments/{target}/publish", {"dryRun": True}))
    data(await dev.post(f"/v2/environments/{target}/publish", {}))
    told = {body["data"]["object"]["workflowId"]: body["type"] for body in await heard(api, sender)}
    assert told == {"new": "workflow.published", "old": "workflow.deleted"}


async def test_preferences_are_told_by_workflow_and_as_a_whole(
    api: Api, dev: Caller, sender: ScriptedSender
) -> None:
    await dev.subscriber()
    await dev.workflow()
    await added(dev, events=["preference.updated"])
    path = "/v2/subscribers/ada/preferences"
    data(await dev.patch(path, {"channels": {"push": False}}))
    data(await dev.patch(path, {"channels": {"push": True}, "workflowId": "welcome"}))
    choice = {"workflowId": "welcome", "channels": {"push": False}}
    data(await dev.patch(f"{path}/bulk", {"preferences": [choice]}))
    whole, one, bulk = await heard(api, sender)
    assert {body["data"]["subscriberId"] for body in (whole, one, bulk)} == {"ada"}
    assert (whole["data"]["object"]["level"], whole["data"]["object"]["channels"]["push"]) == (
        "global",
        False,
    )
    assert one["data"]["object"]["workflow"]["identifier"] == "welcome"
    assert one["data"]["object"]["channels"]["push"] is True
    assert bulk["data"]["object"]["channels"]["push"] is False


async def test_what_a_subscription_wants_is_told_where_it_changes(
    api: Api, dev: Caller, sender: ScriptedSender
) -> None:
    await dev.subscriber()
    for name in ("welcome", "news", "other"):
        await dev.workflow(name)
    await added(dev, events=["preference.updated"])
    subscriptions = "/v2/topics/alerts/subscriptions"
    given = {"subscriptions": ["ada"], "preferences": ["welcome", "other"]}
    assert (await dev.post(subscriptions, given)).status_code == 201
    condition = {"==": [{"var": "payload.level"}, "high"]}
    wanted = [{"workflowId": "news", "condition": condition}, "other"]
    data(await dev.patch(f"{subscriptions}/ada", {"preferences": wanted}))
    data(await dev.patch(f"{subscriptions}/ada", {"name": "Mine"}))
    told = [body["data"] for body in await heard(api, sender)]
    assert {(one["subscriberId"], one["topicKey"]) for one in told} == {("ada", "alerts")}
    news, welcome = sorted((one["object"] for one in told), key=lambda one: one["workflow"]["identifier"])
    assert (news["workflow"]["identifier"], news["condition"]) == ("news", condition)
    assert (welcome["workflow"]["identifier"], welcome["enabled"]) == ("welcome", True)


async def test_what_a_phone_reports_is_told_once(api: Api, dev: Caller, sender: ScriptedSender) -> None:
    integration = await dev.integration()
    await dev.workflow()
    tokens = {"providerId": "push-webhook", "credentials": {"deviceTokens": ["phone"]}}
    await dev.subscriber(channels=[tokens])
    data(await dev.post("/v1/events/trigger", {"name": "welcome", "to": "ada"}), 201)
    await api.deliver()
    (message,) = (await dev.get("/v1/messages")).json()["data"]
    await added(dev)
    path = f"/v2/inbound-webhooks/delivery-providers/{await api.environment_id()}/{integration['_id']}"
    for kind in ("delivered", "opened", "opened", "queued"):
        data(await dev.post(path, {"eventType": kind, "eventId": message["_id"]}))
    told = await heard(api, sender)
    assert [body["type"] for body in told] == ["message.delivered", "message.seen", "message.read"]
    shown = [body["data"]["object"] for body in told]
    assert [(item["seen"], item["read"]) for item in shown] == [(False, False), (True, False), (True, True)]
    assert {item["_id"] for item in shown} == {message["_id"]}
    assert shown[0]["deliveredAt"] == [told[0]["timestamp"]]


@pytest.fixture
async def failed(api: Api, dev: Caller, sender: ScriptedSender) -> str:
    """The path of an endpoint that refused three events for good."""
    one = f"{PATH}/{(await added(dev))['_id']}"
    sender.scripts[URL] = [EgressRefused("no way")]
    for number in range(3):
        await dev.workflow(f"w{number}")
    await api.deliver_through(sender)
    sender.scripts[URL] = [HttpReply(204)]
    sender.requests.clear()
    return one


async def listed(dev: Caller, one: str, **query: Any) -> list[Json]:
    answer = await dev.get(f"{one}/deliveries", **query)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["data"]
    return found


async def test_deliveries_are_listed_newest_first_and_by_what_they_are(dev: Caller, failed: str) -> None:
    found = await listed(dev, failed)
    names = [msgspec.json.decode(item["body"])["data"]["object"]["workflowId"] for item in found]
    assert names == ["w2", "w1", "w0"]
    assert {(item["status"], item["attempts"], item["url"]) for item in found} == {("failed", 1, URL)}
    assert found[0]["tries"][0]["code"] == "egress_refused"
    assert await listed(dev, failed, status="delivered") == []
    assert await listed(dev, failed, type="message.sent") == []
    first = (await dev.get(f"{failed}/deliveries", limit=2)).json()
    rest = await listed(dev, failed, limit=2, after=first["next"])
    assert [item["_id"] for item in (*first["data"], *rest)] == [item["_id"] for item in found]
    error(await dev.get(f"{failed}/deliveries", after="nonsense"), 422)
    error(await dev.get(f"{failed}/deliveries", status="lost"), 422)


async def test_one_delivery_is_sent_once_more_under_the_same_id(
    api: Api, dev: Caller, failed: str, sender: ScriptedSender
) -> None:
    item = (await listed(dev, failed))[1]
    again = data(await dev.post(f"{failed}/deliveries/{item['_id']}/resend", {}))
    assert (again["status"], again["attempts"]) == ("pending", 0)
    await api.deliver_through(sender)
    (request,) = sender.requests[URL]
    assert dict(request.headers)["webhook-id"] == item["eventId"]
    assert request.body.decode() == item["body"]
    (done,) = await listed(dev, failed, status="delivered")
    assert (done["_id"], [one["status"] for one in done["tries"]]) == (item["_id"], [0, 204])
    error(await dev.post(f"{failed}/deliveries/{'0' * 32}/resend", {}), 404)


def ids_sent(sender: ScriptedSender) -> list[str]:
    """The events that the endpoint was sent, in their order."""
    return [dict(request.headers)["webhook-id"] for request in sender.requests[URL]]


async def test_what_failed_in_a_time_is_replayed(
    api: Api, dev: Caller, failed: str, sender: ScriptedSender
) -> None:
    oldest_last = await listed(dev, failed)
    since = oldest_last[1]["happenedAt"]
    assert data(await dev.post(f"{failed}/replay", {"since": since})) == {"replayed": 2, "next": None}
    assert data(await dev.post(f"{failed}/replay", {"since": since}))["replayed"] == 0
    await api.deliver_through(sender)
    assert ids_sent(sender) == [item["eventId"] for item in reversed(oldest_last[:2])]
    sender.requests.clear()
    day = {"since": "2026-01-01", "until": "2026-01-02"}
    assert data(await dev.post(f"{failed}/replay", {**day, "status": "all"}))["replayed"] == 0
    ever = {"since": "2026-01-01", "status": "all"}
    assert data(await dev.post(f"{failed}/replay", ever))["replayed"] == 3
    await api.deliver_through(sender)
    assert ids_sent(sender) == [item["eventId"] for item in reversed(oldest_last)]
    for wrong in ({"since": "nonsense"}, {}, {"since": "2026-01-02", "until": "2026-01-01"}):
        error(await dev.post(f"{failed}/replay", wrong), 422)


async def test_a_replay_of_very_much_says_where_to_go_on(
    dev: Caller, failed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clarion.api.webhook_deliveries.MOST_REPLAYED", 2)
    first = data(await dev.post(f"{failed}/replay", {"since": "2026-01-01"}))
    assert first == {"replayed": 2, "next": (await listed(dev, failed))[0]["happenedAt"]}
    rest = data(await dev.post(f"{failed}/replay", {"since": first["next"]}))
    assert rest == {"replayed": 1, "next": None}


async def test_an_endpoint_that_is_off_is_sent_nothing_again(dev: Caller, failed: str) -> None:
    item = (await listed(dev, failed))[0]
    data(await dev.put(failed, {"active": False}))
    error(await dev.post(f"{failed}/replay", {"since": "2026-01-01"}), 400)
    error(await dev.post(f"{failed}/deliveries/{item['_id']}/resend", {}), 400)
    assert len(await listed(dev, failed)) == 3


async def test_deliveries_of_another_environment_are_not_there(
    prod: Caller, dev: Caller, failed: str
) -> None:
    item = (await listed(dev, failed))[0]
    error(await prod.get(f"{failed}/deliveries"), 404)
    error(await prod.post(f"{failed}/deliveries/{item['_id']}/resend", {}), 404)
    error(await prod.post(f"{failed}/replay", {"since": "2026-01-01"}), 404)


async def test_removing_an_endpoint_removes_its_deliveries(api: Api, dev: Caller, failed: str) -> None:
    assert (await dev.delete(failed)).status_code == 204
    rows = await api.services.database.read(lambda c: run(c, sql("SELECT id FROM webhook_deliveries")).all())
    assert rows == []
