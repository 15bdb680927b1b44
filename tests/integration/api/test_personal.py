"""A person gets everything about them, and nothing of it is left when they are removed."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from calling import Api, Caller, data, error
from clarion.store import engagements, personal
from clarion.store.tables import metadata, triggers
from furnishing import BODIES, furnish
from pushing import ScriptedSender


async def lived_in(api: Api) -> dict[str, str]:
    """Ada with one of everything, beside Bob."""
    names = await furnish(api)
    dev = api.development
    data(await dev.patch("/v2/subscribers/ada", {"email": "ada@example.com", "data": {"plan": "gold"}}))
    await dev.subscriber(subscriber_id="bob", firstName="Bob")
    tokens = {"providerId": "push-webhook", "deviceTokens": ["bobs-phone"]}
    data(await dev.put("/v1/subscribers/bob/credentials", tokens))
    preference = {"channels": {"push": True}, "workflowId": "welcome"}
    data(await dev.patch("/v2/subscribers/ada/preferences", preference))
    data(await dev.put("/v1/webhooks/" + names["webhookId"], {"active": True}))
    together = {"name": "welcome", "to": ["ada", "bob"], "transactionId": "both"}
    data(await dev.post("/v1/events/trigger", together), 201)
    await api.deliver_through(ScriptedSender(lambda request: "any"))
    return names


def rows_about(connection: Connection, text: str) -> dict[str, int]:
    """How many rows of each table hold a text as a value, in JSON, or in MessagePack."""
    packed = msgspec.msgpack.encode(text)

    def tells(value: object) -> bool:
        if isinstance(value, bytes):
            return packed in value
        whole = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        return value == text or f'"{text}"' in whole

    found = {
        table.name: sum(any(map(tells, row)) for row in connection.execute(sa.select(table)))
        for table in metadata.sorted_tables
    }
    return {name: count for name, count in found.items() if count}


async def test_the_export_has_every_table_that_is_about_people(api: Api, dev: Caller) -> None:
    names = await lived_in(api)
    message = (await dev.get("/v1/messages", subscriberId="ada")).json()["data"][0]
    await api.services.database.write(
        engagements.add, await api.environment_id(), message["_id"], "i", "opened", 5
    )
    answer = await dev.get("/v1/people/ada/export")
    assert answer.status_code == 200
    found: dict[str, list[dict[str, Any]]] = answer.json()["data"]
    assert {table.name for table in personal.tables()} <= set(found)
    (profile,) = found["subscribers"]
    assert (profile["firstName"], profile["email"], profile["data"]) == (
        "Ada",
        "ada@example.com",
        {"plan": "gold"},
    )
    assert {device["token"] for device in found["devices"]} >= {"phone", "tablet"}
    assert found["channel_endpoints"][0]["endpoint"] == BODIES["create_channel_endpoint"]["endpoint"]
    assert len(found["messages"]) == sum(item["planned"] for item in found["notifications"])
    assert found["messages"][0]["title"] == "Hello Ada"
    assert found["engagements"][0]["status"] == "opened"
    assert found["preferences"][0]["channels"]
    assert found["topic_subscriptions"]
    assert found["sandbox_phones"][0]["id"] == names["phoneId"]
    text = answer.text
    assert "bobs-phone" not in text
    assert "subscriberPk" not in text
    assert "sealed" not in text


async def test_nothing_of_a_removed_person_is_left_and_everything_of_others_is(api: Api, dev: Caller) -> None:
    await lived_in(api)
    before = data(await dev.get("/v1/ledger"))
    told = await api.services.database.read(rows_about, "ada")
    assert {"subscribers", "sandbox_phones", "triggers", "webhook_deliveries"} <= set(told)
    removed = data(await dev.delete("/v1/people/ada"))
    assert removed["subscriberId"] == "ada"
    assert removed["notifications"] == 3
    assert removed["messages"] >= 4
    assert removed["devices"] >= 2
    assert removed["sandboxPhones"] == 1
    assert removed["webhookDeliveries"] > 0
    assert removed["triggers"] == 3
    for gone in ("ada", "tablet", "phone", "ada@example.com", "Ada", "gold"):
        assert await api.services.database.read(rows_about, gone) == {}
    assert data(await dev.get("/v2/subscribers/bob"))["firstName"] == "Bob"
    assert len((await dev.get("/v1/messages", subscriberId="bob")).json()["data"]) == 1
    after = data(await dev.get("/v1/ledger"))
    assert after["addressed"] == before["addressed"] - 3
    kept = await api.services.database.read(lambda c: c.scalars(sa.select(triggers.c.transaction_id)).all())
    assert kept == ["both"]
    error(await dev.get("/v1/people/ada/export"), 404)
    error(await dev.delete("/v1/people/ada"), 404)
