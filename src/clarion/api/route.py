"""Routes as data: from one table come routing, decoding, validation, OpenAPI and the authorization test."""

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from clarion.accept.backlog import Backlog
from clarion.accept.gate import Gate
from clarion.accept.once import Once
from clarion.address.rehearsal import Rehearsal
from clarion.deliver.trial import Trial
from clarion.echo.courier import Courier
from clarion.journal.outbox import Outbox
from clarion.journal.port import Journal
from clarion.model.clock import Clock
from clarion.net.egress import EgressRule
from clarion.providers.port import Provider
from clarion.security.vault import Vault
from clarion.store.catalog import Catalog, KeyHolder, Snapshot
from clarion.store.database import Database

B = TypeVar("B")
Q = TypeVar("Q")


class Webhooks(NamedTuple):
    """How endpoints are told; `over_http` whether they may be called without TLS."""

    outbox: Outbox
    courier: Courier
    egress: EgressRule
    over_http: bool


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
    webhooks: Webhooks


class Access(Enum):
    """Who may call a route."""

    PUBLIC = "anybody"
    KEY = "holders of an API key, in its environment"
    OWN = "holders of an API key of the environment that the path names"
    INSTALLATION = "holders of any API key: it reaches beyond the key's environment"


class Category(Enum):
    """Which rate limit a call counts towards."""

    TRIGGER = "trigger"
    CONFIGURATION = "configuration"
    GLOBAL = "global"


class NoQuery(msgspec.Struct, frozen=True):
    """A route without query parameters."""


class Call(NamedTuple, Generic[B, Q]):
    """One authenticated request, decoded. `path` holds the unquoted parameters."""

    services: Services
    snapshot: Snapshot
    caller: KeyHolder
    path: Mapping[str, str]
    body: B
    query: Q

    @property
    def environment_id(self) -> str:
        """The environment that the caller's key opens."""
        return self.caller.environment_id


class Answer(NamedTuple):
    """An answer whose status differs from the route's."""

    value: Any
    status: int


class Route(NamedTuple):
    """One operation of the API.

    `bare`: the answer owns a `data` key and goes out without the envelope. `payload_errors`: 400 has the
    shape of the trigger calls. `one_trigger`: the body is one trigger's, and bounded as such. `cost`: tokens
    of the rate limit. `secret`: the answer may hold a whole key, so nobody may keep it. `present`: the status
    of an answer about what was there already. `multipart`: the body is a form with files.
    """

    method: str
    path: str
    handler: Callable[[Any], Awaitable[Any]]
    summary: str
    tag: str
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

    @property
    def repeatable(self) -> bool:
        """Whether the call is made once however often it comes under one idempotency key."""
        return self.access is not Access.PUBLIC and not self.secret and self.method in ("POST", "PATCH")

    @property
    def operation_id(self) -> str:
        """A name for generated clients."""
        return self.handler.__name__
