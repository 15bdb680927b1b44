"""The audit log: every change, who made it, and nothing secret."""

from typing import Any

import pytest
from sqlalchemy.engine import Connection

from calling import Api, Caller, Json, data, error
from clarion.api.route import Access, Audit
from clarion.api.table import ROUTES
from clarion.model.clock import DAY, iso
from clarion.model.member import Role
from clarion.security.masking import CHANGED, MASK
from clarion.store import audit
from furnishing import BODIES, FORMS, furnish, good_body

LOG = "/v1/audit-log"
NEW_HERE = {"accept_invitation", "sign_in", "replay_all_parked", "sync_workflow", "cancel"}
"""Calls that find nothing there: what they name is new, or is no single thing."""
ENDS_SESSIONS = {"sign_out", "end_sessions", "change_password", "set_up"}
"""Calls after which the test's own session is gone, or that can't succeed once there are members."""

NOT_SO_LATE = (
    *("try_device", "delete_device", "remove_messages_of_transaction", "remove_message", "erase_person"),
    *("delete_channel_connection", "delete_channel_endpoint", "end_session", "withdraw_invitation"),
)
"""Calls about things that are gone once all others were made."""
NEVER_HERE = {
    *("make_primary", "delete_environment", "pause_transaction", "resume_transaction"),
    *("resend_delivery", "replay_webhook"),
}
"""Calls that push, Development, what waits unaddressed, and an endpoint that is off don't take."""


async def entries(caller: Caller, **query: Any) -> list[Json]:
    response = await caller.get(LOG, **query)
    assert response.status_code == 200, response.text
    found: list[Json] = response.json()["data"]
    return found


async def test_every_change_that_succeeds_is_there_and_what_reads_is_not(api: Api) -> None:
    names = await furnish(api)
    owner = await api.member(Role.OWNER, names["environmentId"])
    made = sorted(ROUTES, key=lambda route: (route.method == "DELETE", -route.path.count("/")))
    audited, refused, without_before, without_after = 0, set[str](), set[str](), set[str]()
    for route in made:
        if route.operation_id in ENDS_SESSIONS or route.stream:
            continue
        before = await entries(owner, limit=1, everywhere=True)
        path = route.path.format_map(names)
        body = good_body(route.operation_id, names) if route.operation_id in BODIES else None
        answer = await owner.call(route.method, path, body, **FORMS.get(route.operation_id, {}))
        after = await entries(owner, limit=1, everywhere=True)
        if answer.status_code < 400 and route.audited:
            assert after[0]["action"] == route.operation_id, (path, answer.text)
            assert after[0]["resource"].startswith(path.split("/", 2)[2])
            assert after[0]["status"] == answer.status_code or route.audit is Audit.BRIEF
            assert after[0]["_environmentId"] in (None, names["environmentId"])
            if route.audit is not Audit.BRIEF:
                without_before |= {route.operation_id} if after[0]["before"] is None else set()
                without_after |= {route.operation_id} if after[0]["after"] is None else set()
            audited += 1
        elif after != before:
            assert route.access is Access.ENTRANCE or after[0]["status"] == answer.status_code >= 400
        refused |= {route.operation_id} if answer.status_code >= 400 and route.audited else set()
    assert audited > 60
    assert refused == {*NOT_SO_LATE, *NEVER_HERE}
    assert (
        without_before
        == {route for route in without_before if route.startswith(("create_", "add_"))} | NEW_HERE
    )
    assert all(name.startswith(("delete_", "remove_", "revoke_", "end_")) for name in without_after)
    whole = str(await everything(api))
    secrets = [*api.keys.values(), "whsec_", "cl_sk_", "correct horse", names["invitation_token"]]
    assert [secret for secret in secrets if secret in whole] == []


@pytest.mark.parametrize("name", NOT_SO_LATE)
async def test_what_goes_with_other_things_shows_what_there_was(api: Api, name: str) -> None:
    names = await furnish(api)
    owner, reader = [await api.member(Role.OWNER, names["environmentId"]) for _ in range(2)]
    (session,) = data(await owner.get("/v1/sessions"))
    names |= {"sessionId": session["_id"], "transactionId": "sent"}
    (route,) = (route for route in ROUTES if route.operation_id == name)
    body = good_body(name, names) if name in BODIES else None
    answer = await owner.call(route.method, route.path.format_map(names), body)
    assert answer.status_code < 300, answer.text
    (entry,) = await entries(reader, action=name, everywhere=True)
    assert entry["before"] or route.audit is Audit.BRIEF


async def everything(api: Api) -> list[Any]:
    """The table as it stands."""

    def read(connection: Connection) -> list[Any]:
        rows = connection.exec_driver_sql("SELECT * FROM audit_log ORDER BY pk").mappings()
        return [dict(row) for row in rows]

    return await api.services.database.read(read)


def test_what_is_left_out_is_left_out_on_purpose() -> None:
    nothing = {r.operation_id for r in ROUTES if r.method != "GET" and r.audit is Audit.NOTHING}
    assert nothing == {
        *("trigger", "trigger_bulk", "trigger_broadcast", "set_online", "track_activity", "track"),
        *("preview_step", "preview_layout", "diff", "look_up_invitation"),
    }


async def test_an_entry_tells_who_what_and_what_there_was_before_and_after(api: Api) -> None:
    environment = await api.environment_id()
    made = await api.development.workflow()
    admin = await api.member(Role.ADMIN, environment)
    data(await admin.patch("/v2/workflows/welcome", {"name": "Hello", "active": False}))
    assert (await admin.delete("/v2/workflows/welcome")).status_code == 204
    removed, changed, created = await entries(admin, resource="workflows")
    assert (created["action"], created["actor"]["type"]) == ("create_workflow", "key")
    assert created["resource"] == f"workflows/{made['_id']}"
    assert (created["before"], created["after"]["name"]) == (None, "Welcome")
    assert changed["actor"]["type"] == "member"
    assert changed["actor"]["name"].startswith("admin-")
    assert (changed["address"], changed["_environmentId"]) == ("192.0.2.1", environment)
    assert (changed["before"]["name"], changed["after"]["name"]) == ("Welcome", "Hello")
    assert (removed["before"]["name"], removed["after"]) == ("Hello", None)


async def test_what_is_read_in_a_list_alone_is_shown_as_it_was_before(api: Api) -> None:
    made = await api.development.integration()
    data(await api.development.put(f"/v1/integrations/{made['_id']}", {"name": "Renamed"}))
    (changed,) = await entries(api.development, action="update_integration")
    assert (changed["before"]["name"], changed["after"]["name"]) == ("Hook", "Renamed")
    assert "whsec-0123456789abcdef" not in str(await everything(api))


async def test_what_is_done_to_a_thing_shows_it_as_it_was(api: Api) -> None:
    dev, target = api.development, await api.environment_id("prod")
    await dev.integration()
    await dev.workflow()
    texts = {"resourceType": "workflow", "resourceId": "welcome", "locale": "de"}
    for word in ("A", "B"):
        data(await dev.post("/v2/translations", {**texts, "content": {"a": word}}))
    for name in ("Hello", "Good day"):
        data(await dev.patch("/v2/workflows/welcome", {"name": name}))
        data(await dev.put("/v2/workflows/welcome/sync", {"targetEnvironmentId": target}))
    data(await dev.patch("/v2/workflows/welcome", {"name": "Good night"}))
    data(await dev.post(f"/v2/environments/{target}/publish", {}))
    given = {"providerId": "push-webhook", "token": "t" * 40, "id": "phone"}
    await dev.subscriber()
    data(await dev.post("/v1/subscribers/ada/devices", given), 201)
    data(await dev.post("/v1/subscribers/ada/devices/phone/move", {"subscriberId": "bob"}))
    keys = f"/v1/environments/{await api.environment_id()}/keys"
    spare = data(await dev.post(keys, {"name": "spare"}), 201)
    data(await dev.post(f"{keys}/{spare['_id']}/rotate", {}), 201)
    assert (await dev.delete("/v2/translations/workflow/welcome")).status_code == 204

    owner = await api.member(Role.OWNER, await api.environment_id())

    async def before(action: str) -> Any:
        return (await entries(owner, action=action))[0]["before"]

    assert (await before("create_translation"))["content"] == {"a": "A"}
    assert (await before("sync_workflow"))["name"] == "Hello"
    assert {name: one["name"] for name, one in (await before("publish")).items()} == {"welcome": "Good day"}
    moved = await before("move_device")
    assert (moved["id"], moved["subscriberId"]) == ("phone", "ada")
    rotated = await before("rotate_key")
    assert (rotated["name"], "expiresAt" in rotated) == ("spare", False)
    assert [one["content"] for one in await before("delete_translation_group")] == [{"a": "B"}]
    assert "t" * 40 not in str(await everything(api))


async def test_texts_that_come_in_files_show_those_in_their_place(api: Api) -> None:
    dev = api.development
    await dev.workflow()
    texts = {"resourceType": "workflow", "resourceId": "welcome", "locale": "de"}
    data(await dev.post("/v2/translations", {**texts, "content": {"a": "A"}}))
    master = {"workflows": {"welcome": {"a": "B"}, "nowhere": {"a": "B"}}}
    data(await dev.post("/v2/translations/master-json", {"locale": "de", "masterJson": master}))
    files = [("files", ("de.json", b'{"a": "C"}')), ("files", ("fr.json", b'{"a": "D"}'))]
    form = {"resourceType": "workflow", "resourceId": "welcome"}
    data(await dev.call("POST", "/v2/translations/upload", data=form, files=files))
    file = {"file": ("de.json", b'{"workflows": {"welcome": {"a": "E"}}}')}
    data(await dev.call("POST", "/v2/translations/master-json/upload", files=file))

    async def around(action: str) -> list[dict[str, str]]:
        (entry,) = await entries(dev, action=action)
        return [{one["locale"]: one["content"]["a"] for one in entry[when]} for when in ("before", "after")]

    assert await around("import_master_translations") == [{"de": "A"}, {"de": "B"}]
    assert await around("upload_translations") == [{"de": "B"}, {"de": "C", "fr": "D"}]
    assert await around("upload_master_translations") == [{"de": "C"}, {"de": "E"}]


def test_only_what_sends_is_kept_in_short() -> None:
    brief = {route.operation_id for route in ROUTES if route.audit is Audit.BRIEF}
    assert brief == {
        "erase_person",
        *("try_integration", "try_device", "ping_webhook", "resend_delivery", "replay_webhook"),
    }


async def test_people_are_named_and_not_described(api: Api) -> None:
    await api.development.subscriber(firstName="Ada", email="ada@clarion.test", data={"plan": "gold"})
    await api.development.patch("/v2/subscribers/ada", {"lastName": "Lovelace", "email": "ada@new.test"})
    changed, made = await entries(api.development, resource="subscribers")
    assert (changed["resource"], made["action"]) == ("subscribers/ada", "create_subscriber")
    assert (made["before"], made["after"]["subscriberId"], made["after"]["email"]) == (None, "ada", MASK)
    assert (changed["before"]["email"], "lastName" in changed["before"]) == (MASK, False)
    after = changed["after"]
    assert (after["firstName"], after["lastName"], after["email"]) == (MASK, MASK, CHANGED)
    assert (after["data"], after["subscriberId"]) == ({"plan": MASK}, "ada")
    words = ("Lovelace", "ada@clarion.test", "ada@new.test", "gold", "Ada")
    whole = str(await everything(api))
    assert not any(word in whole for word in words)


async def test_what_is_about_people_shows_what_there_was(api: Api) -> None:
    dev = api.development
    await dev.integration()
    await dev.workflow()
    for _ in range(2):
        await dev.subscriber(firstName="Ada")
    token = {"providerId": "push-webhook", "credentials": {"deviceTokens": ["t" * 40]}}
    data(await dev.put("/v1/subscribers/ada/credentials", token))
    device = {"providerId": "push-webhook", "token": "t" * 40, "platform": "ios"}
    data(await dev.post("/v1/subscribers/ada/devices", device))
    data(await dev.post("/v1/subscribers/bob/devices", device), 201)
    bulk = {"subscribers": [{"subscriberId": "ada", "lastName": "King"}, {"subscriberId": "eve"}]}
    data(await dev.post("/v1/subscribers/bulk", bulk), 201)
    data(await dev.patch("/v2/subscribers/ada/preferences", {"channels": {"push": False}}))
    for name in ("First", "Second"):
        named = {"subscriptions": [{"subscriberId": "ada", "name": name}]}
        assert (await dev.post("/v2/topics/alerts/subscriptions", named)).status_code == 201
    gone_now = {"subscriptions": ["ada"]}
    assert (await dev.call("DELETE", "/v2/topics/alerts/subscriptions", gone_now)).status_code == 200
    assert (await dev.delete("/v1/subscribers/bob/credentials/push-webhook")).status_code == 204

    async def latest(action: str) -> Json:
        return (await entries(dev, action=action))[0]

    upserted = await latest("create_subscriber")
    assert (upserted["before"]["subscriberId"], upserted["before"]["firstName"]) == ("ada", MASK)
    tokens = await latest("update_credentials")
    assert (tokens["before"]["channels"], len(tokens["after"]["channels"])) == ([], 1)
    moved = await latest("register_device")
    assert (moved["before"]["subscriberId"], moved["after"]["subscriberId"]) == ("ada", "bob")
    assert (moved["before"]["status"], moved["before"]["token"]) == ("active", MASK)
    several = await latest("create_subscribers_in_bulk")
    assert [one["subscriberId"] for one in several["before"]] == ["ada"]
    assert [(one["subscriberId"], one.get("lastName")) for one in several["after"]] == [
        ("ada", MASK),
        ("eve", None),
    ]
    chosen = await latest("patch_preferences")
    assert chosen["before"]["global"]["channels"]["push"] == MASK
    assert chosen["after"]["global"]["channels"]["push"] == CHANGED
    again = await latest("create_subscriptions")
    assert [one["subscriber"]["subscriberId"] for one in again["before"]] == ["ada"]
    gone = await latest("delete_subscriptions")
    assert ([one["topic"]["key"] for one in gone["before"]], gone["after"]) == (["alerts"], [])
    dropped = await latest("delete_credentials")
    assert ([one["providerId"] for one in dropped["before"]["channels"]], dropped["after"]["channels"]) == (
        ["push-webhook"],
        [],
    )
    whole = str(await everything(api))
    assert not any(word in whole for word in ("t" * 40, "King", "'Ada'", '"Ada"'))


async def test_a_refused_change_leaves_nothing_and_a_refused_sign_in_does(api: Api) -> None:
    await api.development.workflow()
    before = await everything(api)
    error(await api.development.patch("/v2/workflows/nowhere", {"active": True}), 404)
    error(await api.development.put("/v1/frequency-caps", {"caps": [{}]}), 422)
    error(await api.development.delete("/v1/webhooks/nowhere"), 404)
    assert await everything(api) == before
    owner = await api.member(Role.OWNER)
    guess = {"email": "eve@clarion.test", "password": "guess after guess"}
    for _ in range(12):
        await api.browser(address="192.0.2.9").post("/v1/session", guess)
    tried = await entries(owner, action="sign_in", limit=100)
    assert {(one["status"], one["actor"]["type"], one["actor"]["name"]) for one in tried} == {
        (401, "nobody", "eve@clarion.test")
    }
    assert len(tried) == 10
    assert tried[0]["address"] == "192.0.2.9"


async def test_an_entry_stands_with_its_change_even_if_nothing_comes_after(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(connection: Connection, entry: audit.Entry) -> None:
        raise RuntimeError("the process ends here")

    monkeypatch.setattr(audit, "complete", lost)
    given = {"name": "Welcome", "workflowId": "welcome", "active": True, "steps": []}
    error(await api.development.post("/v2/workflows", given), 500)
    data(await api.development.get("/v2/workflows/welcome"))
    (entry,) = await entries(api.development)
    assert (entry["action"], entry["after"]["workflowId"]) == ("create_workflow", "welcome")


async def test_a_change_that_fails_in_its_transaction_takes_its_entry_along(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(connection: Connection, entry: audit.Entry) -> None:
        raise RuntimeError("no room for the entry")

    monkeypatch.setattr(audit, "add", full)
    given = {"name": "Welcome", "workflowId": "welcome", "active": True, "steps": []}
    error(await api.development.post("/v2/workflows", given), 500)
    error(await api.development.get("/v2/workflows/welcome"), 404)


async def test_the_log_is_searched_and_read_in_pages(api: Api) -> None:
    owner = await api.member(Role.OWNER)
    for name in ("a", "b", "c"):
        await api.development.workflow(name)
    await api.development.subscriber()
    first = (await owner.get(LOG, action="create_workflow", limit=2)).json()
    second = (await owner.get(LOG, action="create_workflow", limit=2, after=first["next"])).json()
    names = [one["after"]["workflowId"] for one in first["data"] + second["data"]]
    assert (names, second["next"]) == (["c", "b", "a"], None)
    oldest, newest = second["data"][0]["at"], first["data"][0]["at"]
    assert len(await entries(owner, since=newest, action="create_workflow")) == 1
    assert len(await entries(owner, until=oldest, action="create_workflow")) == 1
    by_key = first["data"][0]["actor"]["id"]
    assert len(await entries(owner, actor=by_key)) == 4
    assert await entries(owner, actor="nobody") == []
    assert await entries(owner, resource="work%") == []
    error(await owner.get(LOG, since="soon"), 422)


async def test_a_key_sees_its_environment_a_member_also_the_installation(api: Api) -> None:
    dev, prod = await api.environment_id(), await api.environment_id("prod")
    await api.development.workflow()
    await api.production.subscriber()
    spare = data(await api.development.post("/v1/environments", {"name": "Spare", "color": "#102030"}), 201)
    await api.caller(f"ApiKey {spare['apiKeys'][0]['key']}").subscriber()
    assert (await api.development.delete(f"/v1/environments/{spare['_id']}")).status_code == 200
    in_dev, in_prod = ["create_workflow"], ["create_subscriber"]
    ours = ["delete_environment", "create_environment"]
    for caller, seen in (
        (api.development, in_dev),
        (api.production, in_prod),
        (await api.member(Role.ADMIN, dev), [*ours, *in_dev]),
        (await api.member(Role.ADMIN, prod), [*ours, *in_prod]),
    ):
        assert [one["action"] for one in await entries(caller)] == seen
    admin = await api.member(Role.ADMIN)
    everywhere = [one["action"] for one in await entries(admin, everywhere=True)]
    assert sorted(everywhere) == sorted([*ours, *in_dev, *in_prod, "create_subscriber"])
    error(await api.development.get(LOG, everywhere=True), 403)


async def test_old_entries_are_forgotten(api: Api) -> None:
    await api.development.workflow("old")
    api.later(2 * DAY)
    await api.development.workflow("fresh")
    now = api.services.clock()
    assert await api.services.database.write(audit.sweep, now - DAY, 1)
    assert not await api.services.database.write(audit.sweep, now - DAY, 1)
    (left,) = await entries(api.development, until=iso(now))
    assert left["after"]["workflowId"] == "fresh"
