"""Looking through what was sent: the feed by outcome, and triggers to many."""

from calling import Api, Caller, data, error
from clarion.model.http import HttpReply


async def test_the_feed_is_filtered_by_what_became_of_its_messages(api: Api, dev: Caller) -> None:
    await dev.integration()
    await dev.workflow()
    for name, token in (("ada", "phone"), ("bob", "gone")):
        channels = [{"providerId": "push-webhook", "credentials": {"deviceTokens": [token]}}]
        await dev.subscriber(name, channels=channels)
        data(await dev.post("/v1/events/trigger", {"name": "welcome", "to": name}), 201)
    await dev.subscriber("eve")
    data(await dev.post("/v1/events/trigger", {"name": "welcome", "to": "eve"}), 201)
    await api.deliver(gone=HttpReply(410, body=b'{"code": "token_invalid"}'))

    async def found(**query: object) -> set[str]:
        rows = (await dev.get("/v1/notifications", **query)).json()["data"]
        return {row["subscriber"]["subscriberId"] for row in rows}

    assert await found() == {"ada", "bob", "eve"}
    assert await found(status="sent") == {"ada"}
    assert await found(status=["sent", "error"]) == {"ada", "bob"}
    assert await found(providerId="push-webhook") == {"ada", "bob"}
    assert await found(providerId="fcm") == set()
    assert await found(error="HTTP_410") == {"bob"}
    assert await found(error="device is GONE") == {"bob"}
    assert await found(error="http%410") == set()
    assert await found(status="warning") == set()
    error(await dev.get("/v1/notifications", status="lost"), 422)


async def test_broadcasts_are_listed_newest_first(api: Api, dev: Caller, prod: Caller) -> None:
    await dev.integration()
    await dev.workflow()
    await dev.subscriber("ada")
    data(await dev.post("/v1/events/trigger", {"name": "welcome", "to": "ada"}), 201)
    for name in ("first", "second", "third"):
        body = {"name": "welcome", "payload": {}, "transactionId": name}
        data(await dev.post("/v1/events/trigger/broadcast", body), 201)
        await api.deliver()
    page = (await dev.get("/v1/broadcasts", limit=2)).json()
    assert [one["transactionId"] for one in page["data"]] == ["third", "second"]
    assert (page["data"][0]["audience"], page["data"][0]["workflowId"]) == (1, "welcome")
    assert page["data"][0]["expanded"] is True
    older = (await dev.get("/v1/broadcasts", limit=2, after=page["next"])).json()
    assert [one["transactionId"] for one in older["data"]] == ["first"]
    assert older["next"] is None
    newer = (await dev.get("/v1/broadcasts", limit=2, before=older["previous"])).json()
    assert [one["transactionId"] for one in newer["data"]] == ["third", "second"]
    assert (await prod.get("/v1/broadcasts")).json()["data"] == []
    error(await dev.get("/v1/broadcasts", after="none"), 422)
