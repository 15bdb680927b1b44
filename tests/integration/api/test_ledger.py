"""The ledger of an environment over the API."""

from calling import Api, Caller, Json, data, error
from clarion.model.clock import iso
from clarion.model.http import HttpReply
from pushing import NOW


async def ledger(caller: Caller, **query: str) -> Json:
    found: Json = data(await caller.get("/v1/ledger", **query))
    return found


async def test_the_ledger_balances_and_is_one_environments(api: Api, dev: Caller, prod: Caller) -> None:
    nothing = dict.fromkeys(
        ("addressed", "skipped", "messages", "delivered", "failed", "cancelled", "inFlight", "waiting"), 0
    )
    assert await ledger(dev) == nothing
    await dev.integration()
    await dev.workflow()
    await dev.subscriber("bob")
    await dev.subscriber("ada", channels=[_devices("phone", "gone")])
    await dev.post("/v1/events/trigger", {"name": "welcome", "to": ["ada", "bob"], "payload": {"text": "x"}})
    await api.deliver(gone=HttpReply(410, body=b'{"code": "token_invalid"}'))
    assert await ledger(dev) == nothing | {
        "addressed": 2,
        "skipped": 1,
        "messages": 2,
        "delivered": 1,
        "failed": 1,
    }
    assert await ledger(prod) == nothing


async def test_the_ledger_of_a_time_counts_triggers_accepted_then(api: Api, dev: Caller) -> None:
    await dev.integration()
    await dev.workflow()
    await dev.subscriber("ada", channels=[_devices("phone")])
    await dev.post("/v1/events/trigger", {"name": "welcome", "to": "ada", "payload": {"text": "x"}})
    await api.deliver()
    counted = {
        bounds: (await ledger(dev, **{bounds: iso(NOW + apart)}))["delivered"]
        for bounds, apart in (("after", -1000), ("before", 60_000))
    }
    assert counted == {"after": 1, "before": 1}
    assert (await ledger(dev, after=iso(NOW + 60_000)))["delivered"] == 0
    assert (await ledger(dev, before=iso(NOW - 1000)))["delivered"] == 0
    assert (await ledger(dev, after="1900-01-01"))["delivered"] == 1


async def test_a_date_that_is_none_is_refused_with_its_name(dev: Caller) -> None:
    refused = error(await dev.get("/v1/ledger", after="soon"), 422)
    assert refused["errors"]["after"]["messages"] == ["must be a date such as 2026-01-31T09:00:00Z"]


def _devices(*tokens: str) -> Json:
    return {"providerId": "push-webhook", "credentials": {"deviceTokens": list(tokens)}}
