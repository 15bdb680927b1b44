"""The assembled HTTP API on a database of its own, called in the same loop, with no worker behind it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from starlette.types import ASGIApp

from answering import check_answer
from balance import keep_books
from clarion.api.admission import COOKIE
from clarion.api.assembly import assembled
from clarion.api.route import Services
from clarion.app import foundation, services
from clarion.deliver.exchange import HttpSender
from clarion.model.clock import DAY, Millis
from clarion.model.http import HttpReply
from clarion.model.ids import new_id
from clarion.model.member import Member, Role, Session
from clarion.security.keys import fingerprint, new_key, new_token
from clarion.security.passwords import Passwords
from clarion.settings import Settings
from clarion.store import members, sessions
from clarion.store.environments import add_key
from clarion.store.installation import sealed_key
from embedded_files import put_embedded
from pipeline import Worker, device_of
from pushing import NOW, ScriptedSender

Json = dict[str, Any]
TRIGGERS = ("/v1/events/trigger", "/v1/events/trigger/bulk", "/v1/events/trigger/broadcast")
WEBHOOK = {"webhookUrl": "https://receiver.test/push", "secretKey": "whsec-0123456789abcdef"}
MOST_ROUNDS = 20_000
"""Over all lanes until nothing is left to do: each is moments of the clock, and a retry is seconds away. More
mean that work begets work."""
PUSH: Json = {
    "name": "Push",
    "stepId": "push",
    "type": "push",
    "controlValues": {"subject": "Hello {{subscriber.firstName}}", "body": "{{payload.text}}"},
}


class TickingClock:
    """A clock that is a millisecond later each time it is asked, so that no two rows are of one moment."""

    def __init__(self) -> None:
        self._now = NOW

    def __call__(self) -> Millis:
        self._now += 1
        return self._now

    def skip(self, time: Millis) -> None:
        """Let time go by."""
        self._now += time


class Caller:
    """Calls the API with one key, with none, or as a browser does: with the cookies that it is given."""

    def __init__(
        self,
        app: ASGIApp,
        authorization: str | None,
        headers: Mapping[str, str] = {},
        base_url: str = "http://clarion.test",
        address: str = "127.0.0.1",
    ) -> None:
        own = {"authorization": authorization} if authorization is not None else {}
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, client=(address, 1)),
            base_url=base_url,
            headers={**own, **headers},
        )

    @property
    def cookies(self) -> httpx.Cookies:
        """What the browser keeps."""
        return self._client.cookies

    async def call(self, method: str, path: str, body: object = None, **more: Any) -> httpx.Response:
        """Send a request; `body` goes out as JSON, `content` in `more` as it is. Its answer is one that the
        schemas know."""
        if body is not None:
            more["json"] = body
        response = await self._client.request(method, path, **more)
        check_answer(response)
        return response

    async def get(self, path: str, **query: Any) -> httpx.Response:
        """GET with a query; a list repeats its parameter."""
        return await self.call("GET", path, params=query)

    async def post(self, path: str, body: object, **more: Any) -> httpx.Response:
        """POST JSON."""
        return await self.call("POST", path, body, **more)

    async def put(self, path: str, body: object) -> httpx.Response:
        """PUT JSON."""
        return await self.call("PUT", path, body)

    async def patch(self, path: str, body: object) -> httpx.Response:
        """PATCH JSON."""
        return await self.call("PATCH", path, body)

    async def delete(self, path: str) -> httpx.Response:
        """DELETE."""
        return await self.call("DELETE", path)

    async def subscriber(self, subscriber_id: str = "ada", **fields: Any) -> Json:
        """Create or update a subscriber."""
        found: Json = data(await self.post("/v2/subscribers", {"subscriberId": subscriber_id, **fields}), 201)
        return found

    async def integration(self, identifier: str = "hook", **fields: Any) -> Json:
        """Register an active push webhook."""
        hook = {"name": "Hook", "identifier": identifier, "providerId": "push-webhook", "active": True}
        given = {**hook, "channel": "push", "credentials": WEBHOOK, **fields}
        found: Json = data(await self.post("/v1/integrations", given), 201)
        return found

    async def workflow(self, workflow_id: str = "welcome", **fields: Any) -> Json:
        """Create an active workflow with one push step."""
        given = {"name": "Welcome", "workflowId": workflow_id, "active": True, "steps": [PUSH], **fields}
        found: Json = data(await self.post("/v2/workflows", given), 201)
        return found


class Api(NamedTuple):
    """A running API: its services, and callers with a key of either environment."""

    app: ASGIApp
    services: Services
    development: Caller
    production: Caller
    keys: Mapping[str, str]

    def caller(self, authorization: str | None) -> Caller:
        """A caller with that header, None for a caller without."""
        return Caller(self.app, authorization)

    def browser(self, base_url: str = "http://clarion.test", address: str = "192.0.2.1") -> Caller:
        """A browser with a page of this site, signed in nowhere."""
        return Caller(self.app, None, {"clarion-client": "tests"}, base_url, address)

    async def member(self, role: Role, environment_id: str = "") -> Caller:
        """A new member's browser, signed in without the cost of a password. An environment is named in
        every call's header where it is given."""
        token = await self.begin_session((await self.new_member(role)).id)
        named = {"clarion-environment": environment_id} if environment_id else {}
        cookie = {"cookie": f"{COOKIE}={token}", "clarion-client": "tests", **named}
        return Caller(self.app, None, cookie, address="192.0.2.1")

    async def new_member(self, role: Role, email: str = "", password_hash: str = "") -> Member:
        """One more member; no password lets in those without a hash."""
        now = self.services.clock()
        address = email or f"{role.value}-{now}@clarion.test"
        member = Member(new_id(now), address, role.value.title(), role, now)
        await self.services.database.write(members.add, member, password_hash)
        return member

    async def begin_session(self, member_id: str) -> str:
        """Sign a member in: what the cookie holds."""
        now, token = self.services.clock(), new_token()
        session = Session(new_id(now), member_id, "", now, now, now + DAY, "tests", "192.0.2.1")
        await self.services.database.write(sessions.begin, session, fingerprint(token))
        return token

    def later(self, time: Millis) -> None:
        """Let time go by."""
        assert isinstance(self.services.clock, TickingClock)
        self.services.clock.skip(time)

    async def environment_id(self, kind: str = "dev") -> str:
        """The id of Development (`dev`) or Production (`prod`)."""
        found = data(await self.development.get("/v1/environments"))
        (identity,) = (item["_id"] for item in found if item["type"] == kind)
        return str(identity)

    async def deliver(self, **scripts: HttpReply) -> None:
        """Let everything accepted go out; a device's receiver answers with its script, 200 without."""
        sender = ScriptedSender(device_of)
        sender.scripts = {token: [reply] for token, reply in scripts.items()}
        await self.deliver_through(sender)

    async def deliver_through(self, sender: ScriptedSender) -> None:
        """Let everything accepted go out, and everything that webhook endpoints are told."""
        worker = Worker(self.services.database, self.services.vault, self.services.clock, sender)
        for _ in range(MOST_ROUNDS):
            lanes = await worker.journal.lanes("")
            if not lanes:
                return
            for lane in sorted(lanes):
                for batch in await worker.journal.claim(lane, 100):
                    await worker.work_of(lane)(batch)
        raise AssertionError(f"work that never ends in {await worker.journal.lanes('')}")

    async def new_key(self, environment_id: str) -> str:
        """One more key of an environment."""
        key, now = new_key(), self.services.clock()
        stored = sealed_key(self.services.vault, environment_id, key, "f" * 32, now)
        await self.services.catalog.change(add_key, stored, now)
        return key


@asynccontextmanager
async def running_api(folder: Path, sender: HttpSender | None = None, **settings: Any) -> AsyncIterator[Api]:
    """The API on a fresh SQLite database in `folder`, or the `database_url` of `settings`.

    `sender` answers what the API itself sends.
    """
    if "database_url" not in settings:
        keep_books(put_embedded(folder / "clarion.db"))
    async with (
        foundation(Settings(data_dir=folder, **settings), TickingClock()) as base,
        services(base, sender) as built,
    ):
        assert base.first_start is not None
        quick = Passwords(PasswordHasher.from_parameters(CHEAPEST))
        parts = built._replace(accounts=built.accounts._replace(passwords=quick))
        app = assembled(parts)
        keys = {"dev": base.first_start.development_key, "prod": base.first_start.production_key}
        development, production = (Caller(app, f"ApiKey {key}") for key in keys.values())
        yield Api(app, parts, development, production, keys)


def data(response: httpx.Response, status: int = 200) -> Any:
    """What an enveloped success holds: one key, `data`, and nothing beside it."""
    assert response.status_code == status, response.text
    body = response.json()
    assert set(body) == {"data"}
    return body["data"]


def error(response: httpx.Response, status: int) -> Json:
    """The body of an error, in the shape the contract has for its status and path."""
    assert response.status_code == status, response.text
    body: Json = response.json()
    check_error(status, response.request.url.path, body)
    return body


def check_error(status: int, path: str, body: Json) -> None:
    """Assert the shape of an error: ErrorDto, more of it for 422 and for 400 of the trigger calls."""
    assert (body["statusCode"], type(body["timestamp"]), type(body["path"])) == (status, str, str), body
    assert isinstance(body["message"], str), body
    assert body["message"], body
    if status == 422:
        assert all(isinstance(found["messages"], list) for found in body["errors"].values()), body
    elif status == 400 and path in TRIGGERS:
        assert body["type"] == "PAYLOAD_VALIDATION_ERROR", body
        assert all({"field", "message"} <= set(found) for found in body["errors"]), body
    assert ("errorId" in body) == (status == 500)
