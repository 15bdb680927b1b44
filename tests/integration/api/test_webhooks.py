"""Webhook endpoints over the API."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from calling import Api, Caller, Json, data, error, running_api
from clarion.errors import EgressRefused, TimedOut
from clarion.model.http import HttpReply, HttpRequest
from clarion.store.dialect import run, sql
from pushing import Answer, ScriptedSender

PATH = "/v1/webhooks"
URL = "https://8.8.8.8/hooks"


def by_url(request: HttpRequest) -> str:
    return request.url


@pytest.fixture
def sender() -> ScriptedSender:
    return ScriptedSender(by_url)


@pytest.fixture
async def api(tmp_path: Path, sender: ScriptedSender) -> AsyncIterator[Api]:
    async with running_api(tmp_path, sender) as running:
        yield running


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
