"""Takes one event to one webhook endpoint, signed as Standard Webhooks asks, and says what became of it."""

from datetime import UTC, datetime
from typing import Protocol

from standardwebhooks.webhooks import Webhook

from clarion.errors import TransportError
from clarion.model.clock import SECOND, Clock, Millis
from clarion.model.http import Headers, HttpReply, HttpRequest
from clarion.model.webhook import Endpoint, Try
from clarion.net.fields import USER_AGENT
from clarion.ops.instruments import WEBHOOKS
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
        content = body.encode()
        request = HttpRequest("POST", endpoint.url, _headers(endpoint, event_id, body, began), content)
        try:
            reply = await self._sender.send(request, timeout=TIMEOUT, guarded=self._guarded)
        except TransportError as error:
            said = storable(str(error))[:MOST_ANSWER]
            WEBHOOKS.labels(error.code).inc()
            return Try(began, self._clock() - began, 0, error.code, said)
        return self._answered(began, reply)

    def _answered(self, began: Millis, reply: HttpReply) -> Try:
        taken = 200 <= reply.status < 300
        said = storable(reply.body[: 4 * MOST_ANSWER].decode(errors="replace"))[:MOST_ANSWER]
        WEBHOOKS.labels("taken" if taken else f"http_{reply.status}").inc()
        code = "" if taken else f"http_{reply.status}"
        return Try(began, self._clock() - began, reply.status, code, said, _asked(reply))


def signed_headers(endpoint: Endpoint, event_id: str, body: str, at: Millis) -> dict[str, str]:
    """What says who a request is from, in both families of names."""
    moment = datetime.fromtimestamp(at // SECOND, UTC)
    signatures = (Webhook(secret).sign(event_id, moment, body) for secret in endpoint.signing(at))
    values = {"id": event_id, "timestamp": str(at // SECOND), "signature": " ".join(signatures)}
    return {f"{family}-{name}": value for family in _FAMILIES for name, value in values.items()}


def _headers(endpoint: Endpoint, event_id: str, body: str, at: Millis) -> Headers:
    own = {name.lower(): value for name, value in endpoint.headers.items()}
    fixed = {"content-type": "application/json", "user-agent": USER_AGENT}
    return tuple({**own, **fixed, **signed_headers(endpoint, event_id, body, at)}.items())


def _asked(reply: HttpReply) -> Millis | None:
    """How long the endpoint asks to wait, when it says so in whole seconds."""
    value = reply.headers.get("retry-after", "").strip()
    return int(value) * SECOND if value.isdecimal() and len(value) < 8 else None
