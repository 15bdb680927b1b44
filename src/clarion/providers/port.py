"""What a provider file offers to the deliver stage."""

import hmac
import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, TypeVar, runtime_checkable
from urllib.parse import urlencode

import msgspec

from clarion.model.callback import Told
from clarion.model.clock import SECOND, Millis
from clarion.model.http import HttpReply, HttpRequest, Received
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import Json, PushMessage, Target

C = TypeVar("C")

MOST_RAW = 2000
"""Characters of a provider's answer that are kept."""


class Credentials(msgspec.Struct, frozen=True):
    """What a provider knows an integration by. Only the fields of `public` are shown, also where a traceback
    prints its variables."""

    public: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The public fields, for its own repr and for rich's."""
        return [(name, getattr(self, name)) for name in self.public]


class AccessToken(Credentials, frozen=True):
    """A bearer token that a provider's authorization server issued."""

    value: str
    expires_at: Millis

    public = ("expires_at",)


class Field(NamedTuple):
    """One credential of a provider, for forms, masking and documentation.

    `key` is its name on the wire. `kind`: text, secret (never shown in full), file (a secret that is pasted
    or read from a file), boolean, or choice (one of `choices`). `help` says where to find it.
    """

    key: str
    label: str
    help: str
    kind: Literal["text", "secret", "file", "boolean", "choice"] = "text"
    required: bool = True
    example: str = ""
    choices: tuple[str, ...] = ()

    @property
    def is_secret(self) -> bool:
        """Whether it is masked wherever it is shown."""
        return self.kind in ("secret", "file")


class Rate(NamedTuple):
    """A published quota: messages a second in the long run, and how many may go at once.

    `of_requests`: it counts requests, however many messages they hold.
    """

    per_second: float
    burst: int
    of_requests: bool = False


class Provider(Protocol[C]):
    """One provider. `credentials` raises `CredentialsInvalid` with the field that is wrong."""

    id: str
    name: str
    docs: str
    """Where the vendor documents it."""
    addressed_by: str
    """What a device token is, for people."""
    wants_subscriber: bool
    """The body carries the subscriber's profile."""
    roams: bool
    """Each device names its own service, so that how one of them answered says nothing of the integration
    after a restart: whoever registers a device could stop it for all."""
    setup_codes: frozenset[str]
    """Codes of dead tokens that a wrong set-up causes for every token: believed only once the integration
    has had a message accepted."""
    device_codes: frozenset[str]
    """Codes of `THROTTLED` that are about one device and say nothing of the others."""
    supported: bool
    """Whether Clarion sends through it, and doesn't only know its id."""
    tells_dead: bool
    """Its answers, or its receipts, say that a device is gone for good."""
    first_retry: Millis
    """The soonest that a message may be tried again after it failed, unless its answer asks for less."""
    most_bytes: int | None
    """What `weight` may come to; None where the provider documents no such limit."""
    of_triggers: frozenset[str]
    """Overrides that say who gets a message, or are secret: a trigger may have them, a step keeps none."""
    locked_files: frozenset[str]
    """Credentials that are files with a password: each says itself how long opening it takes."""

    @property
    def fields(self) -> Sequence[Field]:
        """The credentials it needs, in the order a form asks for them."""
        ...

    @property
    def rate(self) -> Rate | None:
        """The quota that the provider publishes; None where it publishes none."""
        ...

    def credentials(self, stored: Json) -> C:
        """Typed credentials from an integration's stored ones."""
        ...

    def completed(self, stored: Json) -> Json:
        """An integration's credentials with what Clarion makes by itself, such as keys."""
        ...

    def refuse(self, credentials: C, target: Target) -> Verdict | None:
        """Why a token needs no request: it can't be one. None when it is to be tried."""
        ...

    def weight(self, message: PushMessage) -> int:
        """The bytes of a message as the provider counts them."""
        ...

    def build(self, credentials: C, message: PushMessage, target: Target, token: str) -> HttpRequest:
        """The request that sends one message to one device; `token` is empty without authorization."""
        ...

    def read(self, reply: HttpReply, message: PushMessage) -> Verdict:
        """What became of it."""
        ...


class Defaults:
    """What most providers answer to the questions that some answer otherwise."""

    docs: str = ""
    addressed_by: str = "device token"
    fields: tuple[Field, ...] = ()
    wants_subscriber: bool = False
    roams: bool = False
    setup_codes: frozenset[str] = frozenset()
    device_codes: frozenset[str] = frozenset()
    rate: Rate | None = None
    supported: bool = True
    tells_dead: bool = True
    first_retry: Millis = SECOND
    most_bytes: int | None = None
    of_triggers: frozenset[str] = frozenset()
    locked_files: frozenset[str] = frozenset()

    def completed(self, stored: Json) -> Json:
        """Nothing is made."""
        return stored

    def refuse(self, credentials: Any, target: Target) -> Verdict | None:
        """Every token is tried."""
        return None

    def weight(self, message: PushMessage) -> int:
        """Nothing is counted."""
        return 0


WEIGHED = Target("0" * 32, "")
"""Stands in for the device of a message that is weighed: tokens don't count."""


@runtime_checkable
class AuthorizingProvider(Provider[C], Protocol[C]):
    """A provider whose requests carry an access token that is got first."""

    def authorize(self, credentials: C, now: Millis) -> HttpRequest:
        """The request that gets an access token."""
        ...

    def read_authorization(self, reply: HttpReply, now: Millis) -> AccessToken | Verdict:
        """The token, or why there is none."""
        ...


@runtime_checkable
class IssuingProvider(Provider[C], Protocol[C]):
    """A provider whose requests carry a token that Clarion signs by itself."""

    def issue(self, credentials: C, now: Millis) -> AccessToken:
        """A fresh token, and until when it may be used."""
        ...


@runtime_checkable
class ReceiptProvider(Provider[C], Protocol[C]):
    """A provider that tells later what became of what it accepted."""

    receipt_checks: tuple[Millis, ...]
    """How long after sending to ask, again while there is no receipt yet."""
    most_receipts: int
    """Receipts that one request may ask for."""

    def receipts_request(self, credentials: C, ticket_ids: Collection[str]) -> HttpRequest:
        """Asks for receipts, by `Verdict.provider_message_id`."""
        ...

    def read_receipts(self, reply: HttpReply, sent: Mapping[str, Millis]) -> dict[str, Verdict] | Verdict:
        """What became of each, without those that have no receipt yet; or why the request failed."""
        ...


@runtime_checkable
class BatchingProvider(Provider[C], Protocol[C]):
    """A provider that takes several messages in one request."""

    most_per_request: int
    """Messages that one request may hold."""
    shares_body: bool
    """One body serves all: only messages of the same content travel together, and none carries its own id."""

    def batchable(self, credentials: C, message: PushMessage) -> bool:
        """Whether a message may travel with others; its overrides may say who gets it."""
        ...

    def build_many(
        self, credentials: C, messages: Sequence[tuple[PushMessage, Target]], token: str
    ) -> HttpRequest:
        """The request that sends each message to its device; content is the same where the body is shared."""
        ...

    def read_many(self, reply: HttpReply, messages: Sequence[tuple[PushMessage, Target]]) -> list[Verdict]:
        """What became of each, in order."""
        ...


class Callback(NamedTuple):
    """How a person has a provider call Clarion.

    `secret` is the credential that proves a call to be the provider's, `setup` what to set up there besides
    the address. `calls_again`: after a 404 it calls again, and stops after a few times. `thanks` is what it
    reads in the answer.
    """

    secret: str
    setup: str
    body: str = ""
    calls_again: bool = False
    thanks: Mapping[str, str] = {}


@runtime_checkable
class CallbackProvider(Provider[C], Protocol[C]):
    """A provider that calls Clarion to tell what became of what it accepted."""

    callback: Callback
    callback_body: Any
    """The type of what it says."""

    def signed(self, credentials: C, call: Received, now: Millis) -> bool:
        """Whether a call is the provider's; none is without the secret."""
        ...

    def told(self, credentials: C, said: Any) -> list[Told]:
        """What it says of each device."""
        ...


def raw_of(reply: HttpReply) -> str:
    """The beginning of an answer as it came, for people to look up."""
    return reply.body.decode(errors="replace")[:MOST_RAW]


def same(secret: str, shown: str) -> bool:
    """Whether a secret is the one that is kept, in a time that tells nothing of it; an empty one never is."""
    return bool(secret) and hmac.compare_digest(secret.encode(), shown.encode())


def merge(lower: Any, higher: Any) -> Any:
    """`higher` over `lower`: objects deeply, arrays joined, anything else replaced."""
    if isinstance(lower, dict) and isinstance(higher, dict):
        return lower | {
            key: merge(lower[key], value) if key in lower else value for key, value in higher.items()
        }
    if isinstance(lower, list) and isinstance(higher, list):
        return lower + higher
    return higher


def snake(overrides: Any, verbatim: Collection[str]) -> Any:
    """A provider's fields under their names on the wire, where Novu names them in camel case; what is below
    a `verbatim` one has names of its own."""
    if isinstance(overrides, list):
        return [snake(item, verbatim) for item in overrides]
    if not isinstance(overrides, dict):
        return overrides
    return {
        _HUMP.sub(r"_\1", key).lower(): value if key in verbatim else snake(value, verbatim)
        for key, value in overrides.items()
    }


_HUMP = re.compile(r"(?<!^)(?<!_)([A-Z])")


def aimed(body: Json, aims: Collection[str], *layers: Json) -> Json:
    """Whom overrides name takes the device's place, for providers that take one of several `aims`: of those
    that are named the last, the weaker layers first."""
    chosen = [name for layer in layers for name in layer if name in aims]
    if not chosen:
        return body
    return {key: value for key, value in body.items() if key not in aims or key == chosen[-1]}


def passed_headers(message: PushMessage) -> dict[str, str]:
    """What overrides pass through as headers, names in lower case."""
    return {str(name).lower(): str(value) for name, value in message.passthrough.get("headers", {}).items()}


def with_passed_query(url: str, message: PushMessage) -> str:
    """The URL with what overrides pass through as its query."""
    query = urlencode(message.passthrough.get("query", {}))
    return f"{url}{'&' if '?' in url else '?'}{query}" if query else url


def decoded(body: bytes) -> Json:
    """A reply's JSON object; empty when it is anything else."""
    try:
        document = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def wait_of(
    reply: HttpReply, outcome: Outcome, usual: Mapping[Outcome, Millis] = MappingProxyType({})
) -> Millis | None:
    """How long to wait before another try: as asked, else as is `usual`; None where none would help."""
    if not outcome.retryable:
        return None
    asked = _asked(reply)
    return usual.get(outcome) if asked is None else asked


def _asked(reply: HttpReply) -> Millis | None:
    """How long the peer asks to wait, when it says so in whole seconds (RFC 9110, 10.2.3)."""
    value = reply.headers.get("retry-after", "").strip()
    return int(value) * 1000 if value.isdecimal() and len(value) < 8 else None
