"""Takes one event to one webhook endpoint, signed as Standard Webhooks asks, and says what became of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from standardwebhooks.webhooks import Webhook

from clarion.errors import TransportError
from clarion.model.clock import SECOND, Clock, Millis
from clarion.model.http import Headers, HttpReply, HttpRequest
from clarion.model.webhook import Endpoint, Try
from clarion.net.fields import USER_AGENT
from clarion.ops.instruments import WEBHOOKS
from clarion.security.keys import masked
from clarion.store.dialect import storable

TIMEOUT = 15.0
"""Seconds an endpoint has to answer."""

MOST_ANSWER = 1000
"""Characters of an answer that are kept."""

_FAMILIES = ("webhook", "svix")
"""Svix's libraries look for their own names first; the values are the same."""


class Sender(Protocol):
    """Sends requests; raises `TransportError` when there is no answer."""

    async def send(
        self, request: HttpRequest, *, timeout: float = TIMEOUT, guarded: bool = True
    ) -> HttpReply:
        """The answer. `guarded` applies the egress rule; redirects are not followed."""
        ...


class Courier:
    """The way to every endpoint. `guarded`: the egress rule applies."""

    def __init__(self, sender: Sender, clock: Clock, *, guarded: bool = True) -> None:
        self._sender = sender
        self._guarded = guarded
        self._clock = clock

    async def take(self, endpoint: Endpoint, event_id: str, body: str) -> Try:
        """Send an event once."""
        began = self._clock()
        signed = signed_headers(endpoint, event_id, body, began)
        request = HttpRequest("POST", endpoint.url, _headers(endpoint, signed), body.encode())
        try:
            reply = await self._sender.send(request, timeout=TIMEOUT, guarded=self._guarded)
        except TransportError as error:
            status, code, said, wait = 0, error.code, str(error), None
            WEBHOOKS.labels(code).inc()
        else:
            status, wait, said = reply.status, _asked(reply), _beginning(reply)
            code = "" if 200 <= status < 300 else f"http_{status}"
            WEBHOOKS.labels(code or "taken").inc()
        took = self._clock() - began
        answer = storable(said)[:MOST_ANSWER]
        return Try(began, took, status, code, answer, wait, endpoint.url, shown_headers(endpoint, signed))


def signed_headers(endpoint: Endpoint, event_id: str, body: str, at: Millis) -> dict[str, str]:
    """What says who a request is from, in both families of names."""
    moment = datetime.fromtimestamp(at // SECOND, UTC)
    signatures = (Webhook(secret).sign(event_id, moment, body) for secret in endpoint.signing(at))
    values = {"id": event_id, "timestamp": str(at // SECOND), "signature": " ".join(signatures)}
    return {f"{family}-{name}": value for family in _FAMILIES for name, value in values.items()}


def shown_headers(endpoint: Endpoint, signed: Mapping[str, str]) -> dict[str, str]:
    """What a request says, for people: the endpoint's own values masked."""
    own = {name: masked(value) for name, value in endpoint.headers.items()}
    return {**own, **signed}


def _headers(endpoint: Endpoint, signed: Mapping[str, str]) -> Headers:
    own = {name.lower(): value for name, value in endpoint.headers.items()}
    fixed = {"content-type": "application/json", "user-agent": USER_AGENT}
    return tuple({**own, **fixed, **signed}.items())


def _beginning(reply: HttpReply) -> str:
    return reply.body[: 4 * MOST_ANSWER].decode(errors="replace")


def _asked(reply: HttpReply) -> Millis | None:
    """How long the endpoint asks to wait, when it says so in whole seconds."""
    value = reply.headers.get("retry-after", "").strip()
    return int(value) * SECOND if value.isdecimal() and len(value) < 8 else None
