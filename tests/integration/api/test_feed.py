"""Looking through what was sent: the feed by outcome, and triggers to many."""

from calling import Api, Caller, Json, data, error
from clarion.model.http import HttpReply
from clarion.store import triggers
from clarion.store.tables import triggers as table


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


async def test_broadcasts_are_found_by_workflow_transaction_and_state(api: Api, dev: Caller) -> None:
    await dev.integration()
    await dev.subscriber("ada")
    for name in ("first", "second", "third"):
        await dev.workflow(name)
        body: Json = {"name": name, "payload": {}, "transactionId": f"of-{name}"}
        data(await dev.post("/v1/events/trigger/broadcast", body), 201)
    await api.deliver()
    await api.services.database.write(triggers.pause, await api.environment_id(), "of-second", 1)
    await api.services.database.write(
        lambda c: c.execute(table.update().where(table.c.transaction_id == "of-third").values(cancelled_at=1))
    )

    async def found(**query: str) -> list[str]:
        page = (await dev.get("/v1/broadcasts", **query)).json()
        return [one["transactionId"] for one in page["data"]]

    assert await found() == ["of-third", "of-second", "of-first"]
    assert await found(workflowId="second") == ["of-second"]
    assert await found(workflowId="unknown") == []
    assert await found(transactionId="of-first") == ["of-first"]
    assert await found(transactionId="of") == []
    assert await found(state="paused") == ["of-second"]
    assert await found(state="cancelled") == ["of-third"]
    assert await found(state="started") == ["of-first"]
    assert await found(state="paused", workflowId="first") == []
    error(await dev.get("/v1/broadcasts", state="lost"), 422)
