"""Sandbox phones: see a push within a minute, without an account at any provider. Development only."""

from typing import Any, Literal

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.people import checked_id
from clarion.api.route import Audit, Call, Group, NoQuery
from clarion.api.slugs import short_id
from clarion.errors import BadInput, LimitExceeded, NotFound, Unprocessable
from clarion.model.clock import iso
from clarion.model.ids import new_id
from clarion.model.member import Role
from clarion.model.people import Integration
from clarion.store import integrations, registry, sandbox, subscribers
from clarion.store.registry import Registration
from clarion.store.sandbox import Phone, SandboxPush

PROVIDER = "sandbox"
MOST_PHONES = 12
MOST_NAME = 64


class PhoneIn(msgspec.Struct, rename="camel"):
    """A phone to add; it becomes a device of the subscriber, who is created when missing."""

    subscriber_id: str
    name: str = "Phone"
    platform: Literal["ios", "android", "web"] = "ios"


class PushOut(msgspec.Struct, rename="camel"):
    """A push as a phone got it; `content` is everything that was sent."""

    message_id: str
    title: str
    body: str
    content: dict[str, Any]
    received_at: str


class PhoneOut(msgspec.Struct, rename="camel"):
    """A virtual phone and what it shows, newest first. Its id is its device token and its device's id."""

    id: str
    name: str
    platform: str
    subscriber_id: str
    created_at: str
    pushes: list[PushOut]


class SandboxOut(msgspec.Struct, rename="camel"):
    """The sandbox of an environment; `available` in Development alone."""

    available: bool
    integration_identifier: str | None
    phones: list[PhoneOut]


async def read_sandbox(call: Call[None, NoQuery]) -> SandboxOut:
    """The virtual phones of the environment with what they show."""
    integration = _integration(call)

    def read(connection: Connection) -> list[PhoneOut]:
        return [_out(connection, phone) for phone in sandbox.phones(connection, call.environment_id)]

    listed = await call.services.database.read(read)
    return SandboxOut(_available(call), integration.identifier if integration else None, listed)


async def add_sandbox_phone(call: Call[PhoneIn, NoQuery]) -> PhoneOut:
    """Add a virtual phone to a subscriber; the sandbox integration is made with the first."""
    if not _available(call):
        raise BadInput("Sandbox phones are for Development: use the key of that environment")
    subscriber_id = checked_id(call.body.subscriber_id)
    if len(call.body.name) > MOST_NAME:
        message = f"must not be longer than {MOST_NAME} characters"
        raise Unprocessable(f"name {message}", {"name": [message]})
    integration = _integration(call) or await _made(call)
    now = call.services.clock()
    phone = Phone(
        f"phone-{short_id(12)}", call.environment_id, subscriber_id, call.body.name, call.body.platform, now
    )

    def write(connection: Connection) -> None:
        count = len(sandbox.phones(connection, call.environment_id))
        if count >= MOST_PHONES:
            message = f"There are {count} sandbox phones already: remove one first"
            raise LimitExceeded(message, current=count, limit=MOST_PHONES)
        sandbox.add(connection, phone)
        owner = subscribers.ensure(connection, call.environment_id, [subscriber_id], now)[subscriber_id]
        device = Registration(integration.id, phone.id, phone.id, phone.platform)
        registry.register(connection, owner.pk, device, now, moves=True)

    await call.services.database.write(write)
    return PhoneOut(phone.id, phone.name, phone.platform, subscriber_id, iso(now), [])


async def _present(call: Call[None, NoQuery]) -> PhoneOut | None:
    """A phone, without the pushes that it shows."""
    phones = await call.services.database.read(sandbox.phones, call.environment_id)
    one = next((phone for phone in phones if phone.id == call.path["phoneId"]), None)
    if one is None:
        return None
    return PhoneOut(one.id, one.name, one.platform, one.subscriber_id, iso(one.created_at), [])


async def remove_sandbox_phone(call: Call[None, NoQuery]) -> None:
    """Remove a virtual phone, as if its app was uninstalled: the next push finds its token dead."""
    phone_id = call.path["phoneId"]
    found = await call.services.database.write(
        sandbox.remove, call.environment_id, phone_id, call.services.clock()
    )
    if not found:
        raise NotFound(f"There is no sandbox phone {phone_id}")


def _available(call: Call[Any, Any]) -> bool:
    return call.snapshot.environments[call.environment_id].type == "dev"


def _integration(call: Call[Any, Any]) -> Integration | None:
    """The newest active one; a second would do no harm."""
    return call.snapshot.integration_for(call.environment_id, PROVIDER, None)


async def _made(call: Call[Any, Any]) -> Integration:
    now = call.services.clock()
    provider = call.services.providers[PROVIDER]
    made = Integration(
        new_id(now),
        call.environment_id,
        f"{PROVIDER}-{short_id()}",
        provider.name,
        PROVIDER,
        "push",
        now,
        now,
        active=True,
    )
    await call.services.catalog.change(integrations.create, call.services.vault, made)
    return made


def _out(connection: Connection, phone: Phone) -> PhoneOut:
    shown = [_push(item) for item in sandbox.pushes(connection, phone.id)]
    return PhoneOut(phone.id, phone.name, phone.platform, phone.subscriber_id, iso(phone.created_at), shown)


def _push(item: SandboxPush) -> PushOut:
    return PushOut(item.message_id, item.title, item.body, item.content, iso(item.received_at))


_PATH = "/v1/sandbox"
_GROUP = Group("Sandbox")

ROUTES = (
    _GROUP.route("GET", _PATH, read_sandbox, "Read the sandbox phones", Role.VIEWER, answer=SandboxOut),
    _GROUP.route(
        "POST",
        _PATH + "/phones",
        add_sandbox_phone,
        "Add a sandbox phone",
        Role.EDITOR,
        body=PhoneIn,
        answer=PhoneOut,
        status=201,
        audit=Audit.PERSONAL,
    ),
    _GROUP.route(
        "DELETE",
        _PATH + "/phones/{phoneId}",
        remove_sandbox_phone,
        "Remove a sandbox phone",
        Role.EDITOR,
        status=204,
        audit=Audit.PERSONAL,
        before=_present,
    ),
)
