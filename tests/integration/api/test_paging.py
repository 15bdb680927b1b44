"""Every list, read page by page while rows come and go."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest

from calling import Api, Json, data, error
from clarion.api.table import ROUTES
from furnishing import BODIES


class Listed(NamedTuple):
    """A list: how a row named so comes into it and out of it, and the name of a row that it shows."""

    path: str
    add: Callable[[Api, str], Awaitable[Any]]
    remove: Callable[[Api, str], Awaitable[Any]] | None
    name: Callable[[Json], str]


async def add_topic(api: Api, name: str) -> None:
    data(await api.development.post("/v2/topics", {"key": name}), 201)


async def add_member(api: Api, name: str) -> None:
    await api.development.subscriber(name)
    await subscribe(api, "news", name)


async def join(api: Api, name: str) -> None:
    await subscribe(api, name, "ada")


async def subscribe(api: Api, topic: str, subscriber: str) -> None:
    body = {"subscriptions": [subscriber]}
    answer = await api.development.post(f"/v2/topics/{topic}/subscriptions", body)
    assert answer.json()["meta"]["successful"] == 1, answer.text


async def unsubscribe(api: Api, topic: str, subscriber: str) -> None:
    body = {"subscriptions": [subscriber]}
    answer = await api.development.call("DELETE", f"/v2/topics/{topic}/subscriptions", body)
    assert answer.json()["meta"]["successful"] == 1, answer.text


async def add_context(api: Api, name: str) -> None:
    data(await api.development.post("/v2/contexts", {"type": "app", "id": name}), 201)


def add_channel(kind: str) -> Callable[[Api, str], Awaitable[None]]:
    async def add(api: Api, name: str) -> None:
        body = {**BODIES[f"create_channel_{kind}"], "identifier": name, "context": {"app": name}}
        data(await api.development.post(f"/v1/channel-{kind}s", body), 201)

    return add


async def send(api: Api, name: str) -> None:
    trigger = {"name": "welcome", "to": "ada", "transactionId": name}
    data(await api.development.post("/v1/events/trigger", trigger), 201)
    await api.deliver()


def remove_from(path: str) -> Callable[[Api, str], Awaitable[None]]:
    async def remove(api: Api, name: str) -> None:
        answer = await api.development.delete(path.format(name))
        assert answer.status_code in (200, 204), answer.text

    return remove


BY_CURSOR = [
    Listed(
        "/v2/subscribers",
        lambda api, name: api.development.subscriber(name),
        remove_from("/v2/subscribers/{}"),
        lambda row: str(row["subscriberId"]),
    ),
    Listed("/v2/topics", add_topic, remove_from("/v2/topics/{}"), lambda row: str(row["key"])),
    Listed(
        "/v2/topics/{topicKey}/subscriptions",
        add_member,
        lambda api, name: unsubscribe(api, "news", name),
        lambda row: str(row["subscriber"]["subscriberId"]),
    ),
    Listed(
        "/v2/subscribers/{subscriberId}/subscriptions",
        join,
        lambda api, name: unsubscribe(api, name, "ada"),
        lambda row: str(row["topic"]["key"]),
    ),
    Listed("/v2/contexts", add_context, remove_from("/v2/contexts/app/{}"), lambda row: str(row["id"])),
    *(
        Listed(
            f"/v1/channel-{kind}s",
            add_channel(kind),
            remove_from(f"/v1/channel-{kind}s/{{}}"),
            lambda row: str(row["identifier"]),
        )
        for kind in ("connection", "endpoint")
    ),
]
BY_NUMBER = [
    Listed(
        "/v2/workflows",
        lambda api, name: api.development.workflow(name),
        remove_from("/v2/workflows/{}"),
        lambda row: str(row["workflowId"]),
    ),
    Listed(
        "/v1/messages",
        send,
        remove_from("/v1/messages/transaction/{}"),
        lambda row: str(row["transactionId"]),
    ),
    Listed("/v1/notifications", send, None, lambda row: str(row["transactionId"])),
]
RECIPIENTS = "/v1/explain"
"""Those of one trigger, who neither come nor go."""

ELSEWHERE = [
    "/v1/journal/parked",
    "/v1/audit-log",
    "/v1/broadcasts",
    "/v1/webhooks/{webhookId}/deliveries",
    "/v2/layouts",
]
"""Paged through by tests of their own; layouts by offset, which shifts with every row."""

NAMES = [f"row-{n}" for n in range(9)]


def label(listed: Listed) -> str:
    return listed.path


def test_every_list_in_pages_is_looked_at() -> None:
    paged = [route.path for route in ROUTES if "limit" in route.query.__struct_fields__]
    assert sorted(paged) == sorted(
        [RECIPIENTS, *ELSEWHERE, *(listed.path for listed in BY_CURSOR + BY_NUMBER)]
    )


async def filled(api: Api, listed: Listed) -> str:
    """Nine rows, in the order of their names; the list's path."""
    await api.development.integration()
    if listed.path != "/v2/workflows":
        await api.development.workflow()
    if listed.path != "/v2/subscribers":
        await api.development.subscriber(channels=[BODIES["append_credentials"]])
    for name in NAMES:
        await listed.add(api, name)
    return listed.path.format(topicKey="news", subscriberId="ada")


async def page_of(api: Api, path: str, **query: Any) -> Json:
    answer = await api.development.get(path, limit=2, **query)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("listed", BY_CURSOR, ids=label)
async def test_what_stays_is_read_once_and_in_order_while_rows_come_and_go(
    api: Api, listed: Listed, direction: str
) -> None:
    path = await filled(api, listed)
    read, gone = await read_on(api, listed, path, {"orderDirection": direction})
    expected = NAMES if direction == "ASC" else NAMES[::-1]
    assert remaining(read, gone) == [name for name in expected if name not in gone]


@pytest.mark.parametrize("listed", BY_CURSOR, ids=label)
async def test_the_same_holds_backwards(api: Api, listed: Listed) -> None:
    path = await filled(api, listed)
    page = await page_of(api, path)
    while page["next"]:
        page = await page_of(api, path, after=page["next"])
    assert [listed.name(row) for row in page["data"]] == NAMES[:1]
    read, gone = await read_back(api, listed, path, page["previous"])
    assert remaining(read, gone) == [name for name in NAMES[1:] if name not in gone]


@pytest.mark.parametrize("listed", BY_CURSOR, ids=label)
async def test_a_list_is_counted_as_far_as_counting_is_quick(
    api: Api, listed: Listed, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await filled(api, listed)
    for cap, counted in ((9, (9, False)), (8, (8, True))):
        monkeypatch.setattr("clarion.store.listing.COUNT_CAP", cap)
        page = await page_of(api, path)
        assert (page["totalCount"], page["totalCountCapped"]) == counted
        last = await page_of(api, path, after=(await page_of(api, path))["next"])
        assert (last["totalCount"], last["totalCountCapped"]) == counted
    whole = (await api.development.get(path, limit=9)).json()
    assert (whole["totalCount"], whole["totalCountCapped"]) == (9, False)


async def test_a_subscriber_that_changes_takes_no_place_from_others(api: Api) -> None:
    """In the order of changes the row behind the page moves to the end."""
    for name in NAMES:
        await api.development.subscriber(name)
    query: Json = {"orderBy": "updatedAt", "orderDirection": "ASC"}
    page = await page_of(api, "/v2/subscribers", **query)
    data(await api.development.patch("/v2/subscribers/row-1", {"firstName": "Ada"}))
    read: list[str] = []
    while page["next"]:
        page = await page_of(api, "/v2/subscribers", **query, after=page["next"])
        read += [row["subscriberId"] for row in page["data"]]
    assert read == [*NAMES[2:], "row-1"]


async def test_a_cursor_is_good_in_its_own_order_only(api: Api) -> None:
    for name in NAMES:
        await api.development.subscriber(name)
    cursor = (await page_of(api, "/v2/subscribers"))["next"]
    page = await page_of(api, "/v2/subscribers", orderBy="updatedAt", after=cursor)
    assert [row["subscriberId"] for row in page["data"]] == ["row-6", "row-5"]
    for forged in (f"{'0' * 32}.1.2.3", f"{'0' * 32}.{'9' * 18}.{'9' * 18}.1", "0.1", f"{'g' * 32}.1"):
        error(await api.development.get("/v2/subscribers", after=forged), 422)
    far = await page_of(api, "/v2/subscribers", after=f"{'0' * 32}.{'9' * 18}")
    assert [row["subscriberId"] for row in far["data"]] == ["row-8", "row-7"]


async def read_on(api: Api, listed: Listed, path: str, query: Json) -> tuple[list[str], set[str]]:
    """Read to the end; the names read, and those removed meanwhile."""
    read, gone, page = list[str](), set[str](), await page_of(api, path, **query)
    while True:
        read += [listed.name(row) for row in page["data"]]
        if not page["next"]:
            return read, gone
        gone.add(await come_and_go(api, listed, read))
        page = await page_of(api, path, **query, after=page["next"])


async def read_back(api: Api, listed: Listed, path: str, cursor: str | None) -> tuple[list[str], set[str]]:
    """Read to the beginning, from a cursor."""
    read, gone = list[str](), set[str]()
    while cursor:
        page = await page_of(api, path, before=cursor)
        read += [listed.name(row) for row in reversed(page["data"])]
        gone.add(await come_and_go(api, listed, read))
        cursor = page["previous"]
    return read, gone


async def come_and_go(api: Api, listed: Listed, read: list[str]) -> str:
    """The row that the next cursor was made of goes, and another comes."""
    assert listed.remove is not None
    assert len(read) < 50, "reading never ends"
    await listed.remove(api, read[-1])
    await listed.add(api, f"late-{len(read)}")
    return read[-1]


def remaining(read: list[str], gone: set[str]) -> list[str]:
    """Of the rows that were there from the beginning to the end, those read, as often as they were read."""
    assert len(gone) >= 4
    return [name for name in read if name in NAMES and name not in gone]


@pytest.mark.parametrize("listed", BY_NUMBER, ids=label)
async def test_pages_by_number_lose_nothing_when_rows_come(api: Api, listed: Listed) -> None:
    path = await filled(api, listed)
    read: list[str] = []
    for number in range(8):
        page = data_of(await page_of(api, path, page=number, offset=2 * number))
        read += [listed.name(row) for row in page]
        if number < 3:
            await listed.add(api, f"late-{number}")
    assert [name for name in dict.fromkeys(read) if name in NAMES] == NAMES[::-1]
    if listed.remove:
        await listed.remove(api, "row-4")
        assert "row-4" not in [listed.name(row) for row in await whole(api, path)]


def data_of(page: Json) -> list[Json]:
    """The rows of a page of either style."""
    rows: list[Json] = page["data"]["workflows"] if isinstance(page["data"], dict) else page["data"]
    return rows


async def whole(api: Api, path: str) -> list[Json]:
    answer = await api.development.get(path, limit=50)
    return data_of(answer.json())
