"""What operators see of the journal, over the API."""

from calling import Api, Caller, Json, data, error
from clarion.journal import replaying
from clarion.journal.port import Record, repeat_lane, webhook_lane

LANE = "broken:lane"


async def test_the_journal_tells_what_waits_and_what_was_parked(api: Api, dev: Caller) -> None:
    journal = api.services.journal
    assert data(await dev.get("/v1/journal")) == {"lanes": [], "parked": 0}
    await journal.append([Record(LANE, b"one"), Record(LANE, b"two")])
    (first,) = await journal.claim(LANE, 1)
    await journal.park(first, "ValueError: no")
    told = data(await dev.get("/v1/journal"))
    assert told["parked"] == 1
    assert [(lane["lane"], lane["records"], lane["due"]) for lane in told["lanes"]] == [(LANE, 1, 1)]
    (parked,) = await parked_page(dev)
    assert (parked["lane"], parked["error"], parked["claims"]) == (LANE, "ValueError: no", 1)


async def test_what_was_parked_goes_back_into_its_lane_once(api: Api, dev: Caller) -> None:
    journal = api.services.journal
    await journal.append([Record(LANE, b"one"), Record(LANE, b"two"), Record(LANE, b"three")])
    for batch in await journal.claim(LANE, 3):
        await journal.park(batch, "no")
    first, *_ = await parked_page(dev)
    path = f"/v1/journal/parked/{first['id']}/replay"
    assert data(await dev.post(path, None)) == {"replayed": 1}
    error(await dev.post(path, None), 404)
    assert data(await dev.post("/v1/journal/parked/replay", None)) == {"replayed": 2}
    assert await parked_page(dev) == []
    assert {batch.body for batch in await journal.claim(LANE, 3)} == {b"one", b"two", b"three"}


async def test_what_was_parked_is_read_in_pages_and_replayed_in_steps(api: Api, dev: Caller) -> None:
    journal = api.services.journal
    await journal.append([Record(LANE, b"%d" % number) for number in range(5)])
    for batch in await journal.claim(LANE, 5):
        await journal.park(batch, "no")
    first = (await dev.get("/v1/journal/parked", limit=2)).json()
    rest = (await dev.get("/v1/journal/parked", limit=4, after=first["next"])).json()
    ids = [one["id"] for one in first["data"] + rest["data"]]
    assert (len(ids), ids, rest["next"]) == (5, sorted(ids), None)
    error(await dev.get("/v1/journal/parked", after="x"), 422)
    error(await dev.get("/v1/journal/parked", limit=101), 422)
    some = await replaying.replay_some(journal, 0, 3)
    assert some == (3, ids[2])
    assert data(await dev.post(f"/v1/journal/parked/replay?after={ids[2]}", None)) == {"replayed": 2}
    assert await parked_page(dev) == []


async def test_what_was_parked_is_read_and_replayed_by_lane_and_kind_of_error(api: Api, dev: Caller) -> None:
    journal = api.services.journal
    await journal.append([Record(lane, b"") for lane in (LANE, LANE, "other:lane")])
    first, second = await journal.claim(LANE, 2)
    (third,) = await journal.claim("other:lane", 1)
    for batch, reason in ((first, "ValueError: no"), (second, "KeyError: no"), (third, "ValueError: none")):
        await journal.park(batch, reason)

    async def sought(**query: str) -> list[tuple[str, str]]:
        found = (await dev.get("/v1/journal/parked", **query)).json()["data"]
        return [(one["lane"], one["kind"]) for one in found]

    assert await sought(kind="ValueError") == [(LANE, "ValueError"), ("other:lane", "ValueError")]
    assert await sought(lane=LANE) == [(LANE, "ValueError"), (LANE, "KeyError")]
    assert await sought(lane=LANE, kind="KeyError") == [(LANE, "KeyError")]
    assert await sought(lane="broken") == await sought(kind="x\x00") == []
    replay = "/v1/journal/parked/replay"
    assert data(await dev.post(f"{replay}?kind=nothing", None)) == {"replayed": 0}
    assert data(await dev.post(f"{replay}?kind=ValueError&lane={LANE}", None)) == {"replayed": 1}
    assert await sought() == [(LANE, "KeyError"), ("other:lane", "ValueError")]


async def test_a_webhook_endpoints_lane_is_called_as_people_do(api: Api, dev: Caller, prod: Caller) -> None:
    url = "https://hooks.example.com/secret"
    plain = data(await dev.post("/v1/webhooks", {"url": url}), 201)["_id"]
    described = data(await dev.post("/v1/webhooks", {"url": url, "description": "Billing"}), 201)["_id"]
    journal = api.services.journal
    lanes = [webhook_lane(plain), repeat_lane(plain), webhook_lane(described), LANE]
    await journal.append([Record(lane, b"") for lane in lanes])
    called = dict.fromkeys(lanes[:2], url) | {lanes[2]: "Billing", LANE: None}

    async def told(caller: Caller) -> dict[str, str | None]:
        found = data(await caller.get("/v1/journal"))["lanes"]
        return {one["lane"]: one.get("endpoint") for one in found}

    assert await told(dev) == called
    elsewhere = dict.fromkeys(lanes[:2], "hooks.example.com")
    assert await told(prod) == called | elsewhere
    (batch,) = await journal.claim(lanes[2], 1)
    await journal.park(batch, "no")
    assert [one["endpoint"] for one in await parked_page(dev)] == ["Billing"]


async def parked_page(dev: Caller) -> list[Json]:
    found: list[Json] = (await dev.get("/v1/journal/parked")).json()["data"]
    return found


async def test_what_is_no_number_is_not_parked(dev: Caller) -> None:
    for name in ("x", "-1", "9" * 30):
        error(await dev.post(f"/v1/journal/parked/{name}/replay", None), 404)
