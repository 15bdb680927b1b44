"""Subscribers: create, read, search, change, remove."""

from typing import Any

import pytest

from calling import Caller, Json, data, error

PROFILE: Json = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "email": "ada@example.com",
    "phone": "+441",
    "avatar": "https://example.com/ada.png",
    "locale": "en_GB",
    "timezone": "Europe/London",
    "data": {"plan": "pro", "deep": {"list": [1, None, True]}},
}
ODD_IDS = ["auth0|s 1/é", "a@b.c", "..", "a?b#c", "100%", "%2F", "日本", "a:b;c=d", "x" * 512]


async def found(dev: Caller, **query: Any) -> Json:
    """A page, in the shape the SDKs want."""
    response = await dev.get("/v2/subscribers", **query)
    assert response.status_code == 200, response.text
    page: Json = response.json()
    return page


def names(page: Json) -> str:
    return " ".join(item["subscriberId"] for item in page["data"])


async def people(dev: Caller, *subscriber_ids: str) -> list[Json]:
    return [await dev.subscriber(name) for name in subscriber_ids]


async def test_a_created_subscriber_has_what_the_sdks_demand(dev: Caller) -> None:
    made = await dev.subscriber(**PROFILE)
    assert {name: made[name] for name in PROFILE} == PROFILE
    assert (made["deleted"], made["channels"]) == (False, [])
    assert data(await dev.get("/v2/subscribers/ada")) == made


async def test_unset_fields_are_left_out(dev: Caller) -> None:
    assert PROFILE.keys().isdisjoint(await dev.subscriber())


async def test_creating_again_changes_what_is_given_and_keeps_the_rest(dev: Caller) -> None:
    first = await dev.subscriber(**PROFILE)
    again = await dev.subscriber(firstName="Augusta", email=None)
    assert again["_id"] == first["_id"]
    assert (again["firstName"], again["lastName"]) == ("Augusta", "Lovelace")
    assert "email" not in again
    assert again["updatedAt"] > first["updatedAt"]


async def test_a_repetition_changes_nothing(dev: Caller) -> None:
    assert await dev.subscriber(**PROFILE) == await dev.subscriber(**PROFILE)


async def test_fail_if_exists_answers_409_with_the_resource_and_the_error_in_one(dev: Caller) -> None:
    path = "/v2/subscribers?failIfExists=true"
    made = data(await dev.post(path, {"subscriberId": "ada", "firstName": "Ada"}), 201)
    response = await dev.post(path, {"subscriberId": "ada", "firstName": "Eve"})
    body = error(response, 409)
    assert made.items() <= body.items()
    assert response.headers["retry-after"] == "1"
    assert data(await dev.get("/v2/subscribers/ada")) == made


async def test_fail_if_exists_false_updates(dev: Caller) -> None:
    await dev.subscriber()
    body = {"subscriberId": "ada", "firstName": "Ada"}
    assert data(await dev.post("/v2/subscribers?failIfExists=false", body), 201)["firstName"] == "Ada"


@pytest.mark.parametrize("subscriber_id", ["", "  ", "x" * 513, None, 5])
async def test_an_id_that_can_be_none_is_refused(dev: Caller, subscriber_id: object) -> None:
    body = error(await dev.post("/v2/subscribers", {"subscriberId": subscriber_id}), 422)
    assert set(body["errors"]) == {"subscriberId"}


@pytest.mark.parametrize("subscriber_id", ODD_IDS)
async def test_any_id_is_found_by_its_encoded_path(dev: Caller, subscriber_id: str) -> None:
    made = await dev.subscriber(subscriber_id)
    path = "/v2/subscribers/" + "".join(f"%{byte:02X}" for byte in subscriber_id.encode())
    assert data(await dev.get(path)) == made
    assert data(await dev.patch(path, {"firstName": "A"}))["firstName"] == "A"
    data(await dev.delete(path))
    error(await dev.get(path), 404)


async def test_a_bar_needs_no_encoding(dev: Caller) -> None:
    made = await dev.subscriber("auth0|a:b@c")
    assert data(await dev.get("/v2/subscribers/auth0|a:b@c")) == made


async def test_a_patch_changes_given_fields_clears_with_null_and_keeps_absent_ones(dev: Caller) -> None:
    await dev.subscriber(**PROFILE)
    changed = data(await dev.patch("/v2/subscribers/ada", {"firstName": "A", "email": None, "data": None}))
    assert changed["firstName"] == "A"
    assert changed.keys().isdisjoint({"email", "data"})
    assert changed["phone"] == PROFILE["phone"]
    assert data(await dev.get("/v2/subscribers/ada")) == changed


async def test_a_patch_of_every_field_to_null_clears_every_field(dev: Caller) -> None:
    await dev.subscriber(**PROFILE)
    changed = data(await dev.patch("/v2/subscribers/ada", dict.fromkeys(PROFILE)))
    assert changed.keys().isdisjoint(PROFILE)


async def test_what_is_not_there_is_404(dev: Caller) -> None:
    for response in (
        await dev.get("/v2/subscribers/nobody"),
        await dev.patch("/v2/subscribers/nobody", {"firstName": "A"}),
        await dev.delete("/v2/subscribers/nobody"),
    ):
        assert "nobody" in error(response, 404)["message"]


async def test_a_removed_subscriber_is_gone_with_the_tokens(dev: Caller) -> None:
    await dev.integration()
    channel = {"providerId": "push-webhook", "credentials": {"deviceTokens": ["phone"]}}
    first = await dev.subscriber(channels=[channel])
    removed = data(await dev.delete("/v2/subscribers/ada"))
    assert removed == {"acknowledged": True, "status": "deleted"}
    error(await dev.get("/v2/subscribers/ada"), 404)
    assert (await found(dev))["totalCount"] == 0
    again = await dev.subscriber()
    assert again["_id"] != first["_id"]
    assert again["channels"] == []


async def test_channels_that_come_along_are_added_to_what_is_there(dev: Caller) -> None:
    await dev.integration()
    for tokens in (["one", "two"], ["two", "three"]):
        channel = {"providerId": "push-webhook", "credentials": {"deviceTokens": tokens}}
        made = await dev.subscriber(channels=[channel])
    assert made["channels"][0]["credentials"]["deviceTokens"] == ["one", "two", "three"]


async def test_nobody_is_created_when_a_channel_is_refused(dev: Caller) -> None:
    channel = {"providerId": "push-webhook", "credentials": {"deviceTokens": ["phone"]}}
    body = {"subscriberId": "ada", "channels": [channel]}
    error(await dev.post("/v2/subscribers", body), 400)
    await dev.integration()
    channel["credentials"] = {"deviceTokens": [str(number) for number in range(101)]}
    error(await dev.post("/v2/subscribers", body), 400)
    channel["credentials"] = {"deviceTokens": ["phone", " "]}
    assert set(error(await dev.post("/v2/subscribers", body), 422)["errors"]) == {"credentials.deviceTokens"}
    error(await dev.get("/v2/subscribers/ada"), 404)


async def test_nul_is_replaced_since_not_every_database_can_keep_it(dev: Caller) -> None:
    made = await dev.subscriber("a\x00b", firstName="\\u0000", data={"text": "\\\x00"})
    assert made["subscriberId"] == "a\N{REPLACEMENT CHARACTER}b"
    assert made["firstName"] == "\\u0000"
    assert made["data"] == {"text": "\\\N{REPLACEMENT CHARACTER}"}
    assert data(await dev.get("/v2/subscribers/a%00b")) == made
    assert (await found(dev, subscriberId="a\x00b"))["data"] == [made]


async def test_paging_forth_and_back_shows_everybody_once_in_order(dev: Caller) -> None:
    await people(dev, *"abcdefg")
    first = await found(dev, limit=3)
    assert (names(first), first["previous"], first["totalCount"]) == ("g f e", None, 7)
    assert first["totalCountCapped"] is False
    second = await found(dev, limit=3, after=first["next"])
    third = await found(dev, limit=3, after=second["next"])
    assert (names(second), names(third), third["next"]) == ("d c b", "a", None)
    back = await found(dev, limit=3, before=third["previous"])
    assert names(back) == "d c b"
    start = await found(dev, limit=3, before=back["previous"])
    assert (names(start), start["previous"]) == ("g f e", None)
    assert names(await found(dev, limit=3, after=start["next"])) == "d c b"


async def test_the_order_turns_round(dev: Caller) -> None:
    await people(dev, *"abcd")
    first = await found(dev, limit=2, orderDirection="ASC")
    second = await found(dev, limit=2, orderDirection="ASC", after=first["next"])
    assert (names(first), names(second), second["next"]) == ("a b", "c d", None)
    assert names(await found(dev, limit=2, orderDirection="ASC", before=second["previous"])) == "a b"


async def test_the_order_may_be_that_of_the_last_change(dev: Caller) -> None:
    await people(dev, *"abc")
    data(await dev.patch("/v2/subscribers/a", {"firstName": "A"}))
    assert names(await found(dev, orderBy="createdAt")) == "c b a"
    assert names(await found(dev, orderBy="_id")) == "c b a"
    first = await found(dev, orderBy="updatedAt", limit=2)
    assert names(first) == "a c"
    assert names(await found(dev, orderBy="updatedAt", limit=2, after=first["next"])) == "b"


async def test_the_row_of_the_cursor_is_shown_when_asked_for(dev: Caller) -> None:
    made = await people(dev, *"abcde")
    anchor = made[2]["_id"]
    assert names(await found(dev, after=anchor, limit=2)) == "b a"
    assert names(await found(dev, after=anchor, limit=2, includeCursor="true")) == "c b"
    assert names(await found(dev, before=anchor, limit=2)) == "e d"
    assert names(await found(dev, before=anchor, limit=2, includeCursor="true")) == "d c"


async def test_a_cursor_from_nowhere_and_two_cursors_are_refused(dev: Caller) -> None:
    made = await dev.subscriber()
    for way in ("after", "before"):
        assert set(error(await dev.get("/v2/subscribers", **{way: "nowhere"}), 422)["errors"]) == {way}
    error(await dev.get("/v2/subscribers", after=made["_id"], before=made["_id"]), 422)


@pytest.mark.parametrize("limit", ["5", "5.0", "5.00"])
async def test_a_limit_may_look_like_a_float(dev: Caller, limit: str) -> None:
    await people(dev, *"abcdef")
    assert names(await found(dev, limit=limit)) == "f e d c b"


@pytest.mark.parametrize("limit", ["101", "0", "-1", "5.5", "five", "9" * 30])
async def test_a_limit_that_is_none_is_refused(dev: Caller, limit: str) -> None:
    assert set(error(await dev.get("/v2/subscribers", limit=limit), 422)["errors"]) == {"limit"}


async def test_100_at_a_time_is_the_most_and_ten_the_default(dev: Caller) -> None:
    bulk = {"subscribers": [{"subscriberId": f"s{number}"} for number in range(101)]}
    data(await dev.post("/v1/subscribers/bulk", bulk), 201)
    assert len((await found(dev, limit=100))["data"]) == 100
    page = await found(dev)
    assert (len(page["data"]), page["totalCount"]) == (10, 101)


@pytest.mark.parametrize(
    "query",
    [{"orderBy": "name"}, {"orderDirection": "UP"}, {"orderDirection": "asc"}, {"includeCursor": "maybe"}],
)
async def test_a_query_outside_its_enum_is_refused(dev: Caller, query: dict[str, str]) -> None:
    assert set(error(await dev.get("/v2/subscribers", **query), 422)["errors"]) == set(query)


async def test_a_name_is_found_by_any_part_of_it_in_any_case_and_literally(dev: Caller) -> None:
    await dev.subscriber("a", firstName="100%", lastName="Sure")
    await dev.subscriber("b", firstName="1000", lastName="Sure")
    await dev.subscriber("c", firstName="under_score")
    await dev.subscriber("d", firstName="underXscore", lastName="/slash")
    expected = {"100%": "a", "%": "a", "_": "c", "Sure": "b a", "0% S": "a", "r_s": "c", "/s": "d", "X": "d"}
    expected |= {"sure": "b a", "UNDER_": "c"}
    for name, who in expected.items():
        page = await found(dev, name=name)
        assert (names(page), page["totalCount"]) == (who, len(who.split())), name


async def test_email_phone_and_id_are_found_whole(dev: Caller) -> None:
    await dev.subscriber("ada", email="ada@example.com", phone="+441")
    await dev.subscriber("adam", email="adam@example.com", phone="+4412")
    for query in ({"email": "ada@example.com"}, {"phone": "+441"}, {"subscriberId": "ada"}):
        assert names(await found(dev, **query)) == "ada"
    assert names(await found(dev, email="ada@example.com", phone="+4412")) == ""
    assert names(await found(dev, email="a%@example.com")) == ""


async def test_a_bulk_tells_what_it_created_updated_and_refused(dev: Caller) -> None:
    await dev.subscriber("old", firstName="Old")
    given = [
        {"subscriberId": "old", "firstName": "New"},
        {"subscriberId": "fresh"},
        {"subscriberId": "", "firstName": "Nobody"},
        {"subscriberId": "wrong", "firstName": 5},
        {"firstName": "Nameless"},
        "not an object",
        {"subscriberId": "channel", "channels": [{"providerId": "fcm", "credentials": {}}]},
    ]
    answer = data(await dev.post("/v1/subscribers/bulk", {"subscribers": given}), 201)
    assert answer["updated"] == [{"subscriberId": "old"}]
    assert answer["created"] == [{"subscriberId": "fresh"}]
    assert [item.get("subscriberId") for item in answer["failed"]] == ["", "wrong", None, None, "channel"]
    assert all(item["message"] for item in answer["failed"])
    assert data(await dev.get("/v2/subscribers/old"))["firstName"] == "New"


async def test_an_entry_of_a_bulk_that_cannot_be_read_fails_alone(dev: Caller) -> None:
    content = (
        b'{"subscribers":[{"subscriberId":"fine"},{"subscriberId":"huge","data":{"n":1e999}},'
        b'{"subscriberId":"\xff"},{"subscriberId":"named","firstName":"\xff"}]}'
    )
    answer = data(await dev.call("POST", "/v1/subscribers/bulk", content=content), 201)
    assert answer["created"] == [{"subscriberId": "fine"}]
    assert [item.get("subscriberId") for item in answer["failed"]] == ["huge", None, "named"]


async def test_a_bulk_holds_500_and_no_more(dev: Caller) -> None:
    entries = [{"subscriberId": "one"}] * 501
    body = error(await dev.post("/v1/subscribers/bulk", {"subscribers": entries}), 422)
    assert set(body["errors"]) == {"subscribers"}
    error(await dev.get("/v2/subscribers/one"), 404)
    answer = data(await dev.post("/v1/subscribers/bulk", {"subscribers": entries[:500]}), 201)
    assert (len(answer["created"]), len(answer["updated"])) == (1, 499)


async def test_a_subscriber_goes_online_and_leaves(dev: Caller) -> None:
    await dev.subscriber()
    path = "/v1/subscribers/ada/online-status"
    found = data(await dev.patch(path, {"isOnline": True}))
    assert (found["isOnline"], found.get("lastOnlineAt")) == (True, None)
    found = data(await dev.patch(path, {"isOnline": False}))
    assert (found["isOnline"], bool(found["lastOnlineAt"])) == (False, True)
    assert data(await dev.get("/v2/subscribers/ada")) == found
    error(await dev.patch("/v1/subscribers/bob/online-status", {"isOnline": True}), 404)
    error(await dev.patch(path, {}), 422)
