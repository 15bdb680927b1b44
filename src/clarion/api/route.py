"""Routes as data: from one table come routing, decoding, validation, OpenAPI and the authorization test."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from clarion.accept.backlog import Backlog
from clarion.accept.gate import Gate
from clarion.accept.once import Once
from clarion.address.rehearsal import Rehearsal
from clarion.api.live_hub import Hub
from clarion.api.reporters import Reporters
from clarion.deliver.trial import Trial
from clarion.echo.courier import Courier
from clarion.journal.outbox import Outbox
from clarion.journal.port import Journal
from clarion.model.clock import Clock, Millis
from clarion.model.member import Role
from clarion.net.egress import EgressRule
from clarion.providers.port import Provider
from clarion.security.passwords import Passwords
from clarion.security.vault import Vault
from clarion.store.catalog import Catalog, Snapshot
from clarion.store.database import Database
from clarion.store.sessions import SignedIn

B = TypeVar("B")
Q = TypeVar("Q")


class Webhooks(NamedTuple):
    """How endpoints are told; `over_http` whether they may be called without TLS."""

    outbox: Outbox
    courier: Courier
    egress: EgressRule
    over_http: bool


class Bounds(NamedTuple):
    """What settings of the same names say."""

    activity_retention: int
    message_retention: int
    detail_retention: int
    audit_retention: int
    webhook_retention: int
    retry_window: int
    idempotency_window: int
    backlog_limit: int


class Accounts(NamedTuple):
    """How members get in. `public_url` is where browsers reach this, None for where they say."""

    passwords: Passwords
    setup_code: str
    public_url: str | None
    session_idle: Millis
    session_lifetime: Millis


class Services(NamedTuple):
    """What handlers call upon."""

    database: Database
    catalog: Catalog
    vault: Vault
    gate: Gate
    clock: Clock
    providers: Mapping[str, Provider[Any]]
    journal: Journal
    backlog: Backlog
    once: Once
    trial: Trial
    rehearsal: Rehearsal
    rate_limits: Mapping[str, int]
    bounds: Bounds
    webhooks: Webhooks
    accounts: Accounts
    live: Hub
    reporters: Reporters


class Access(Enum):
    """Who may call a route."""

    PUBLIC = "anybody"
    ENTRANCE = "anybody, from a page of this site, to become a signed-in member"
    KEY = "holders of an API key, in its environment"
    OWN = "holders of an API key of the environment that the path names"
    INSTALLATION = "holders of any API key: it reaches beyond the key's environment"
    MEMBER = "members who signed in, holders of a key don't reach it"


class Category(Enum):
    """Which rate limit a call counts towards."""

    TRIGGER = "trigger"
    CONFIGURATION = "configuration"
    GLOBAL = "global"


class Audit(Enum):
    """What the audit log keeps of a change."""

    WHOLE = "who did it, and what there was before and after"
    PERSONAL = "who did it, and which parts there were before and after, without what they say of a person"
    BRIEF = "who did it: it only sends something, or erases a person, of whom nothing may stay"
    NOTHING = "nothing: it changes nothing, or is what applications do all day"


class NoQuery(msgspec.Struct, frozen=True):
    """A route without query parameters."""


class Caller(NamedTuple):
    """Who calls: the holder of an API key, who is an admin of its environment, or a member in a session."""

    environment_id: str
    role: Role
    user_id: str
    key_id: str = ""
    member: SignedIn | None = None


class Client(NamedTuple):
    """Where a call comes from. `origin` is the address that a browser called, `secure` whether it did so
    over TLS, `local` whether from the machine that this runs on."""

    address: str = ""
    user_agent: str = ""
    origin: str = ""
    secure: bool = False
    local: bool = False


class Call(NamedTuple, Generic[B, Q]):
    """One authenticated request, decoded. `path` holds the unquoted parameters."""

    services: Services
    snapshot: Snapshot
    caller: Caller
    path: Mapping[str, str]
    body: B
    query: Q
    client: Client = Client()

    @property
    def environment_id(self) -> str:
        """The environment that the call is about."""
        return self.caller.environment_id

    @property
    def signed_in(self) -> SignedIn:
        """The member of a route that wants one."""
        assert self.caller.member is not None
        return self.caller.member


class Answer(NamedTuple):
    """An answer whose status differs from the route's, or that has headers of its own."""

    value: Any
    status: int
    headers: Sequence[tuple[bytes, bytes]] = ()


class Route(NamedTuple):
    """One operation of the API. `role` is the least that a member needs; keys have admin's.

    `bare`: the answer owns a `data` key and goes out without the envelope. `payload_errors`: 400 has the
    shape of the trigger calls. `one_trigger`: the body is one trigger's, and bounded as such. `cost`: tokens
    of the rate limit. `secret`: the answer may hold a whole key, so nobody may keep it. `present`: the status
    of an answer about what was there already. `multipart`: the body is a form with files. `stream`: the
    answer goes on for as long as it is listened to. `unique`: a name in the body may be taken, which is a
    conflict. `signed`: who answers a call without key or session, which proves itself by a signature; its
    body is the request as `Received`, its answer goes out as it is. `by_address`: calls are limited for each
    address that they come from. `at_stake`: what a call is about; every 409 has it, which the SDKs read as
    the answer of the route. `parse`: reads the body on, once, to what the handler and the next two take.
    `before`: reads what a call changes for the audit log, where no route reads it at the path or above it.
    `after`: reads it once more, where the answer doesn't show it.
    """

    method: str
    path: str
    handler: Callable[[Any], Awaitable[Any]]
    summary: str
    tag: str
    role: Role | None
    body: Any = None
    query: type[msgspec.Struct] = NoQuery
    answer: Any = None
    status: int = 200
    present: int | None = None
    bare: bool = False
    payload_errors: bool = False
    one_trigger: bool = False
    access: Access = Access.KEY
    category: Category = Category.GLOBAL
    cost: int = 1
    secret: bool = False
    multipart: bool = False
    audit: Audit = Audit.WHOLE
    stream: bool = False
    unique: bool = False
    at_stake: Callable[[Any], Awaitable[Any]] | None = None
    by_address: bool = False
    signed: Callable[[Any], Awaitable[Any]] | None = None
    parse: Callable[[Any], Awaitable[Any]] | None = None
    before: Callable[[Any], Awaitable[Any]] | None = None
    after: Callable[[Any], Awaitable[Any]] | None = None

    @property
    def repeatable(self) -> bool:
        """Whether the call is made once however often it comes under one idempotency key."""
        return self.guarded and not self.secret and self.method in ("POST", "PATCH")

    @property
    def audited(self) -> bool:
        """Whether the audit log tells of it."""
        return self.method != "GET" and self.audit is not Audit.NOTHING

    @property
    def guarded(self) -> bool:
        """Whether not anybody may call."""
        return self.access not in (Access.PUBLIC, Access.ENTRANCE)

    @property
    def operation_id(self) -> str:
        """A name for generated clients."""
        return self.handler.__name__


class Group(NamedTuple):
    """Routes that are about one thing, limited alike and open to the same."""

    tag: str
    category: Category = Category.GLOBAL
    access: Access = Access.KEY

    def route(
        self,
        method: str,
        path: str,
        handler: Callable[[Any], Awaitable[Any]],
        summary: str,
        role: Role | None,
        **more: Any,
    ) -> Route:
        """One of them."""
        route = Route(method, path, handler, summary, self.tag, role, **more)
        return route._replace(category=self.category, access=self.access)
