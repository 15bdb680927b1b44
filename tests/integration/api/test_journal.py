"""What operators see of the journal, over the API."""

from calling import Api, Caller, Json, data, error
from clarion.journal import replaying
from clarion.journal.port import Record

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


async def parked_page(dev: Caller) -> list[Json]:
    found: list[Json] = (await dev.get("/v1/journal/parked")).json()["data"]
    return found


async def test_what_is_no_number_is_not_parked(dev: Caller) -> None:
    for name in ("x", "-1", "9" * 30):
        error(await dev.post(f"/v1/journal/parked/{name}/replay", None), 404)
