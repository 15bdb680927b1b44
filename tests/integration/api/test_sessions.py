"""Sessions: the cookie, who may use it, and how it ends."""

import pytest

from calling import Api, Caller, data, error
from clarion.api.admission import COOKIE, SECURE_COOKIE
from clarion.model.clock import DAY, HOUR
from clarion.model.member import Role
from clarion.store.members import any_member

ADA = {"email": "ada@clarion.test", "password": "correct horse battery"}


async def owner_of(api: Api) -> Caller:
    caller = api.browser("http://127.0.0.1:3000", "127.0.0.1")
    data(await caller.post("/v1/setup", ADA), 201)
    return caller


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(api: Api) -> None:
    await owner_of(api)
    answer = await api.browser().post("/v1/session", ADA)
    assert answer.headers["cache-control"] == "no-store"
    value, *attributes = answer.headers["set-cookie"].split("; ")
    assert value.startswith(f"{COOKIE}=")
    assert attributes == ["Path=/", "Max-Age=2592000", "HttpOnly", "SameSite=Strict"]
    secure = await api.browser("https://clarion.test").post("/v1/session", ADA)
    value, *attributes = secure.headers["set-cookie"].split("; ")
    assert value.startswith(f"{SECURE_COOKIE}=")
    assert attributes[-1] == "Secure"
    assert len({value, answer.headers["set-cookie"]}) == 2


async def test_a_change_by_cookie_wants_a_page_of_this_site(api: Api) -> None:
    member = await api.member(Role.OWNER)
    given = {"subscriberId": "ada"}
    for header in (
        {"clarion-client": ""},
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"origin": "http://clarion.test.evil.test"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        error(await member.post("/v2/subscribers", given, headers=header), 403)
        error(await member.post("/v1/events/trigger", {"name": "w", "to": "ada"}, headers=header), 403)
        data(await member.call("GET", "/v1/session", headers=header))
    assert (await member.get("/v2/subscribers/ada")).status_code == 404
    good = {"origin": "http://clarion.test", "sec-fetch-site": "same-origin"}
    data(await member.post("/v2/subscribers", given, headers=good), 201)


async def test_a_session_triggers_as_a_key_does(api: Api) -> None:
    ids = {kind: await api.environment_id(kind) for kind in ("dev", "prod")}
    await api.production.workflow()
    member, viewer = await api.member(Role.EDITOR, ids["prod"]), await api.member(Role.VIEWER, ids["prod"])
    event = {"name": "welcome", "to": "ada"}
    data(await member.post("/v1/events/trigger", event), 201)
    error(await viewer.post("/v1/events/trigger", event), 403)
    elsewhere = {"clarion-environment": ids["dev"]}
    refused = error(await member.post("/v1/events/trigger", event, headers=elsewhere), 422)
    assert refused["message"] == "workflow_not_found"


async def test_a_session_works_in_the_environment_it_chose_unless_a_call_names_another(api: Api) -> None:
    member = await api.member(Role.OWNER)
    ids = {kind: await api.environment_id(kind) for kind in ("dev", "prod")}
    assert data(await member.get("/v1/session"))["environmentId"] == ids["dev"]
    await member.subscriber("in-dev")
    chosen = data(await member.patch("/v1/session", {"environmentId": ids["prod"]}))
    assert chosen["environmentId"] == ids["prod"]
    await member.subscriber("in-prod")
    for caller, here, missing in (
        (api.development, "in-dev", "in-prod"),
        (api.production, "in-prod", "in-dev"),
    ):
        data(await caller.get(f"/v2/subscribers/{here}"))
        error(await caller.get(f"/v2/subscribers/{missing}"), 404)
    named = {"clarion-environment": ids["dev"]}
    data(await member.call("GET", "/v2/subscribers/in-dev", headers=named))
    error(await member.patch("/v1/session", {"environmentId": "nowhere"}), 404)
    spare = data(await member.post("/v1/environments", {"name": "Spare", "color": "#102030"}), 201)
    data(await member.patch("/v1/session", {"environmentId": spare["_id"]}))
    there = {"clarion-environment": ids["prod"]}
    gone = await member.call("DELETE", f"/v1/environments/{spare['_id']}", headers=there)
    assert gone.status_code == 200
    assert data(await member.get("/v1/session"))["environmentId"] == ids["dev"]


async def test_keys_of_an_environment_are_looked_after_by_members_who_name_it(api: Api) -> None:
    dev, prod = await api.environment_id(), await api.environment_id("prod")
    admin = await api.member(Role.ADMIN, prod)
    error(await admin.get(f"/v1/environments/{dev}/keys"), 403)
    place = f"/v1/environments/{prod}/keys"
    made = data(await admin.post(place, {"name": "Shop"}), 201)
    (listed,) = [item for item in data(await admin.get(place)) if item["_id"] == made["_id"]]
    assert (listed["name"], made["key"] in str(listed)) == ("Shop", False)
    await api.caller(f"ApiKey {made['key']}").subscriber("in-prod")
    data(await api.production.get("/v2/subscribers/in-prod"))


async def test_a_key_is_replaced_with_an_overlap(api: Api) -> None:
    place = f"/v1/environments/{await api.environment_id()}/keys"
    old = data(await api.development.post(place, {"name": "Shop"}), 201)
    caller = api.caller(f"ApiKey {old['key']}")
    fresh = data(await caller.post(f"{place}/{old['_id']}/rotate", {"overlapHours": 2}), 201)
    assert fresh["name"] == "Shop"
    listed = {item["_id"]: item for item in data(await caller.get(place))}
    assert "expiresAt" in listed[old["_id"]]
    assert "expiresAt" not in listed[fresh["_id"]]
    api.later(2 * HOUR)
    error(await caller.get("/v2/subscribers"), 401)
    error(await caller.post("/v1/events/trigger", {"name": "w", "to": "ada"}), 401)
    data(await api.caller(f"ApiKey {fresh['key']}").get(place))
    assert old["_id"] not in str(data(await api.development.get(place)))
    at_once = data(await api.development.post(f"{place}/{fresh['_id']}/rotate", {"overlapHours": 0}), 201)
    error(await api.caller(f"ApiKey {fresh['key']}").get(place), 401)
    data(await api.caller(f"ApiKey {at_once['key']}").get(place))


async def test_signing_out_ends_the_session_and_takes_the_cookie(api: Api) -> None:
    owner = await owner_of(api)
    token = owner.cookies[COOKIE]
    answer = await owner.delete("/v1/session")
    assert (answer.status_code, COOKIE in owner.cookies) == (204, False)
    error(await owner.get("/v1/session"), 401)
    kept = api.browser()
    error(await kept.call("GET", "/v1/session", headers={"cookie": f"{COOKIE}={token}"}), 401)


async def test_sessions_are_listed_and_end_one_by_one_or_together(api: Api) -> None:
    owner, others = await owner_of(api), [api.browser() for _ in range(3)]
    for other in others:
        data(await other.post("/v1/session", ADA), 201)
    listed = data(await owner.get("/v1/sessions"))
    assert [item["current"] for item in listed] == [False, False, False, True]
    assert (await owner.delete(f"/v1/sessions/{listed[0]['_id']}")).status_code == 204
    error(await others[2].get("/v1/session"), 401)
    error(await owner.delete(f"/v1/sessions/{listed[0]['_id']}"), 404)
    stranger = await api.member(Role.OWNER)
    error(await stranger.delete(f"/v1/sessions/{listed[1]['_id']}"), 404)
    assert (await owner.call("DELETE", "/v1/sessions?keepCurrent=true")).status_code == 204
    error(await others[0].get("/v1/session"), 401)
    (left,) = data(await owner.get("/v1/sessions"))
    assert left["current"]
    assert (await owner.delete("/v1/sessions")).status_code == 204
    error(await owner.get("/v1/session"), 401)
    data(await stranger.get("/v1/session"))


async def test_an_idle_session_ends_and_a_busy_one_lasts_for_its_lifetime(api: Api) -> None:
    owner, idle = await owner_of(api), api.browser()
    data(await idle.post("/v1/session", ADA), 201)
    for _ in range(4):
        api.later(6 * DAY)
        data(await owner.get("/v1/session"))
    error(await idle.get("/v1/session"), 401)
    api.later(6 * DAY)
    error(await owner.get("/v1/session"), 401)


@pytest.mark.parametrize(
    "cookie", ["", "clarion-session", "clarion-session=", "clarion-session=x", "=;=", "x=y"]
)
async def test_a_cookie_that_is_none_lets_nobody_in(api: Api, cookie: str) -> None:
    error(await api.browser().call("GET", "/v1/session", headers={"cookie": cookie}), 401)
    assert not await api.services.database.read(any_member)


async def test_over_tls_a_cookie_of_another_origin_counts_for_nothing(api: Api) -> None:
    """Only a name with the prefix is sure to have been set by this host over TLS."""
    owner = await owner_of(api)
    planted = {"cookie": f"{COOKIE}={owner.cookies[COOKIE]}"}
    error(await api.browser("https://clarion.test").call("GET", "/v1/session", headers=planted), 401)


async def test_what_is_kept_of_a_session_does_not_open_it(api: Api) -> None:
    owner = await owner_of(api)
    rows = await api.services.database.read(
        lambda c: c.exec_driver_sql("SELECT hash FROM sessions").scalars().all()
    )
    assert len(rows) == 1
    for kept in rows:
        assert owner.cookies[COOKIE] != kept
        error(await api.browser().call("GET", "/v1/session", headers={"cookie": f"{COOKIE}={kept}"}), 401)
