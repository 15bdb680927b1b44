"""Members: how the first comes in, how others follow, and how they go."""

import pytest

from calling import Api, Caller, Json, data, error
from clarion.model.clock import DAY, MINUTE

ADA = {"email": "Ada@Clarion.test", "password": "correct horse battery", "name": "Ada"}
NOWHERE = "0" * 32


@pytest.fixture
def browser(api: Api) -> Caller:
    """A browser on another machine."""
    return api.browser()


async def owner_of(api: Api) -> Caller:
    """The first account, in a browser on the server's machine."""
    caller = api.browser("http://127.0.0.1:3000", "127.0.0.1")
    data(await caller.post("/v1/setup", ADA), 201)
    return caller


async def invited(owner: Caller, email: str, role: str) -> Json:
    found: Json = data(await owner.post("/v1/invitations", {"email": email, "role": role}), 201)
    return found


async def joined(api: Api, owner: Caller, email: str, role: str) -> Caller:
    """Somebody who took up an invitation."""
    caller, offer = api.browser(), await invited(owner, email, role)
    given = {"token": offer["token"], "password": f"the password of {email}"}
    data(await caller.post("/v1/invitations/accept", given), 201)
    return caller


async def test_the_first_account_owns_the_installation_and_is_the_only_one_made_so(api: Api) -> None:
    here = api.browser("http://localhost:3000", "127.0.0.1")
    assert data(await here.get("/v1/setup")) == {"needed": True, "codeRequired": False}
    made = data(await here.post("/v1/setup", ADA), 201)
    assert (made["member"]["email"], made["member"]["role"]) == ("ada@clarion.test", "owner")
    assert made["environmentId"] == await api.environment_id()
    assert data(await here.get("/v1/session"))["member"]["_id"] == made["member"]["_id"]
    assert data(await here.get("/v1/setup")) == {"needed": False, "codeRequired": False}
    error(await here.post("/v1/setup", {**ADA, "email": "eve@clarion.test"}), 409)


@pytest.mark.parametrize(
    ("url", "address", "headers"),
    [
        ("http://clarion.test", "192.0.2.1", {}),
        ("http://clarion.test", "127.0.0.1", {}),
        ("http://127.0.0.1:3000", "192.0.2.1", {}),
        ("http://127.0.0.1:3000", "127.0.0.1", {"x-forwarded-for": "192.0.2.1"}),
    ],
)
async def test_from_elsewhere_it_takes_the_code_that_the_server_printed(
    api: Api, url: str, address: str, headers: dict[str, str]
) -> None:
    """A name that leads to this machine is no proof: any site may have one (DNS rebinding)."""
    there = api.browser(url, address)
    assert data(await there.call("GET", "/v1/setup", headers=headers))["codeRequired"] is True
    for code in ("", "AAAA"):
        error(await there.post("/v1/setup", {**ADA, "code": code}, headers=headers), 403)
    code = api.services.accounts.setup_code
    data(await there.post("/v1/setup", {**ADA, "code": code.lower()}, headers=headers), 201)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"email": "ada"}, "email"),
        ({"email": "a b@clarion.test"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 257}, "password"),
        ({"name": "x" * 101}, "name"),
    ],
)
async def test_what_an_account_cannot_have_is_refused_by_name(api: Api, given: Json, field: str) -> None:
    here = api.browser("http://localhost", "127.0.0.1")
    assert set(error(await here.post("/v1/setup", {**ADA, **given}), 422)["errors"]) == {field}


async def test_a_wrong_password_and_an_unknown_address_are_told_alike(api: Api, browser: Caller) -> None:
    await owner_of(api)
    wrong = [
        error(await browser.post("/v1/session", {"email": email, "password": "not the password"}), 401)
        for email in ("ada@clarion.test", "eve@clarion.test", "no address")
    ]
    assert len({answer["message"] for answer in wrong}) == 1
    shown = data(await browser.post("/v1/session", ADA), 201)
    assert shown["session"]["address"] == "192.0.2.1"
    assert "correct horse" not in str(shown)


async def test_guessing_is_stopped_for_known_and_unknown_accounts_alike(api: Api, browser: Caller) -> None:
    await owner_of(api)
    for email in ("ada@clarion.test", "eve@clarion.test"):
        guess = {"email": email, "password": "guess after guess"}
        assert [(await browser.post("/v1/session", guess)).status_code for _ in range(11)] == [401] * 10 + [
            429
        ]
        late = await browser.post("/v1/session", {**guess, "password": ADA["password"]})
        assert 0 < int(late.headers["retry-after"]) <= 15 * 60
        error(late, 429)
    elsewhere = api.browser(address="192.0.2.2")
    data(await elsewhere.post("/v1/session", ADA), 201)


async def test_many_addresses_guess_no_more_together_than_one_account_bears(
    api: Api, browser: Caller
) -> None:
    await owner_of(api)
    guess = {"email": "ada@clarion.test", "password": "guess after guess"}
    for turn in range(50):
        from_one = api.browser(address=f"192.0.2.{10 + turn // 10}")
        assert (await from_one.post("/v1/session", guess)).status_code == 401, turn
    closed = await api.browser(address="192.0.2.99").post("/v1/session", ADA)
    assert 0 < int(closed.headers["retry-after"]) <= 15 * 60
    error(closed, 429)
    api.later(15 * MINUTE)
    data(await browser.post("/v1/session", ADA), 201)


async def test_an_address_that_tries_account_after_account_is_shut_out(api: Api, browser: Caller) -> None:
    await owner_of(api)
    for turn in range(100):
        guess = {"email": f"nobody-{turn}@clarion.test", "password": "guess after guess"}
        assert (await browser.post("/v1/session", guess)).status_code == 401, turn
    error(await browser.post("/v1/session", ADA), 429)
    data(await api.browser(address="192.0.2.2").post("/v1/session", ADA), 201)


async def test_an_invitation_is_for_one_and_works_once(api: Api, browser: Caller) -> None:
    owner = await owner_of(api)
    offer = await invited(owner, "Bob@clarion.test", "editor")
    assert offer["link"] == f"http://127.0.0.1:3000/invitation#{offer['token']}"
    (listed,) = data(await owner.get("/v1/invitations"))
    assert (listed["email"], listed["role"], listed["invitedBy"]) == ("bob@clarion.test", "editor", "Ada")
    assert offer["token"] not in str(listed)
    shown = data(await browser.post("/v1/invitations/look-up", {"token": offer["token"]}))
    assert (shown["email"], shown["role"], shown["invitedBy"]) == ("bob@clarion.test", "editor", "Ada")
    taken = {"token": offer["token"], "password": "bob has a password", "name": "Bob"}
    assert set(error(await browser.post("/v1/invitations/accept", {**taken, "password": "x"}), 422)["errors"])
    made = data(await browser.post("/v1/invitations/accept", taken), 201)["member"]
    assert (made["email"], made["name"], made["role"]) == ("bob@clarion.test", "Bob", "editor")
    error(await browser.post("/v1/invitations/accept", taken), 404)
    error(await browser.post("/v1/invitations/look-up", {"token": offer["token"]}), 404)
    assert data(await owner.get("/v1/invitations")) == []
    error(await owner.post("/v1/invitations", {"email": "bob@clarion.test", "role": "viewer"}), 409)


async def test_an_invitation_can_be_taken_back_and_replaced(api: Api, browser: Caller) -> None:
    owner = await owner_of(api)
    first, second = [await invited(owner, "bob@clarion.test", role) for role in ("viewer", "editor")]
    error(await browser.post("/v1/invitations/look-up", {"token": first["token"]}), 404)
    assert data(await browser.post("/v1/invitations/look-up", {"token": second["token"]}))["role"] == "editor"
    assert (await owner.delete(f"/v1/invitations/{second['_id']}")).status_code == 204
    error(await owner.delete(f"/v1/invitations/{second['_id']}"), 404)
    error(await browser.post("/v1/invitations/look-up", {"token": second["token"]}), 404)


async def test_roles_change_and_nobody_gives_more_than_they_have(api: Api) -> None:
    owner = await owner_of(api)
    admin = await joined(api, owner, "bob@clarion.test", "admin")
    viewer = await joined(api, owner, "cyd@clarion.test", "viewer")
    ada, bob, cyd = data(await admin.get("/v1/members"))
    assert [one["role"] for one in (ada, bob, cyd)] == ["owner", "admin", "viewer"]
    error(await viewer.get("/v1/members"), 403)
    changed = data(await admin.patch(f"/v1/members/{cyd['_id']}", {"role": "editor", "name": "Cyd"}))
    assert (changed["role"], changed["name"]) == ("editor", "Cyd")
    assert data(await admin.get(f"/v1/members/{cyd['_id']}")) == changed
    await viewer.subscriber()
    for call in (
        admin.patch(f"/v1/members/{cyd['_id']}", {"role": "owner"}),
        admin.patch(f"/v1/members/{ada['_id']}", {"role": "viewer"}),
        admin.delete(f"/v1/members/{ada['_id']}"),
        admin.delete(f"/v1/members/{ada['_id']}/sessions"),
        admin.post("/v1/invitations", {"email": "eve@clarion.test", "role": "owner"}),
    ):
        error(await call, 403)
    error(await admin.patch(f"/v1/members/{cyd['_id']}", {"role": "king"}), 422)
    for method, more in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("DELETE", "/sessions")):
        error(await owner.call(method, f"/v1/members/{NOWHERE}{more}", {}), 404)


async def test_the_last_owner_stays(api: Api) -> None:
    owner = await owner_of(api)
    (ada,) = data(await owner.get("/v1/members"))
    place = f"/v1/members/{ada['_id']}"
    assert "last owner" in error(await owner.delete(place), 400)["message"]
    assert "last owner" in error(await owner.patch(place, {"role": "admin"}), 400)["message"]
    other = await joined(api, owner, "bob@clarion.test", "owner")
    assert (await other.delete(place)).status_code == 204
    error(await owner.get("/v1/session"), 401)
    bob = data(await other.get("/v1/session"))["member"]
    error(await other.delete(f"/v1/members/{bob['_id']}"), 400)


async def test_a_removed_or_demoted_member_loses_it_at_once(api: Api) -> None:
    owner = await owner_of(api)
    editor = await joined(api, owner, "bob@clarion.test", "editor")
    await editor.subscriber()
    _, bob = data(await owner.get("/v1/members"))
    assert bob["lastSeenAt"]
    data(await owner.patch(f"/v1/members/{bob['_id']}", {"role": "viewer"}))
    error(await editor.post("/v2/subscribers", {"subscriberId": "eve"}), 403)
    data(await editor.get("/v2/subscribers/ada"))
    assert (await owner.delete(f"/v1/members/{bob['_id']}/sessions")).status_code == 204
    error(await editor.get("/v2/subscribers/ada"), 401)
    signed_in = {"email": "bob@clarion.test", "password": "the password of bob@clarion.test"}
    data(await editor.post("/v1/session", signed_in), 201)
    assert (await owner.delete(f"/v1/members/{bob['_id']}")).status_code == 204
    error(await editor.get("/v2/subscribers/ada"), 401)
    error(await editor.post("/v1/session", signed_in), 401)


async def test_a_password_is_changed_by_who_knows_it_and_other_browsers_are_signed_out(api: Api) -> None:
    owner, other = await owner_of(api), api.browser()
    data(await other.post("/v1/session", ADA), 201)
    change = {"currentPassword": "not the password", "newPassword": "another password"}
    place = "/v1/session/password"
    assert set(error(await owner.put(place, change), 422)["errors"]) == {"currentPassword"}
    change["currentPassword"] = str(ADA["password"])
    short = {**change, "newPassword": "short"}
    assert set(error(await owner.put(place, short), 422)["errors"]) == {"newPassword"}
    assert (await owner.put(place, change)).status_code == 204
    data(await owner.get("/v1/session"))
    error(await other.get("/v1/session"), 401)
    error(await other.post("/v1/session", ADA), 401)
    data(await other.post("/v1/session", {**ADA, "password": "another password"}), 201)


async def test_an_old_invitation_is_none(api: Api, browser: Caller) -> None:
    owner = await owner_of(api)
    offer = await invited(owner, "bob@clarion.test", "editor")
    api.later(7 * DAY)
    error(await browser.post("/v1/invitations/look-up", {"token": offer["token"]}), 404)
    error(await browser.post("/v1/invitations/accept", {"token": offer["token"], "password": "x" * 12}), 404)


async def test_after_a_while_guesses_are_forgotten(api: Api, browser: Caller) -> None:
    await owner_of(api)
    guess = {**ADA, "password": "guess after guess"}
    for _ in range(11):
        refused = await browser.post("/v1/session", guess)
    error(refused, 429)
    api.later(15 * MINUTE)
    error(await browser.post("/v1/session", guess), 401)
    data(await browser.post("/v1/session", ADA), 201)
    for _ in range(10):
        error(await browser.post("/v1/session", guess), 401)
