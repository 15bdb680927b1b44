"""One request to a provider and its answer, with every failure on the way as a verdict."""

from typing import Protocol

from clarion.errors import EgressRefused, NotSendable, TransportError
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.ops.instruments import PROVIDER

TIMEOUT = 15.0
"""Seconds a provider has to answer; FCM asks for at least 10."""


class HttpSender(Protocol):
    """Sends requests; raises `TransportError` when there is no answer."""

    async def send(
        self, request: HttpRequest, *, timeout: float = TIMEOUT, guarded: bool = False, scope: str = ""
    ) -> HttpReply:
        """The answer. `guarded` applies the egress rule; a `scope` has connections of its own."""
        ...


class Exchange:
    """The way to one provider. `base` replaces the origin of its requests; the operator set it, so it is
    trusted, while everything else passes the egress rule."""

    def __init__(self, sender: HttpSender, base: str | None, scope: str = "", provider: str = "") -> None:
        self._sender = sender
        self._took = PROVIDER.labels(provider)
        self._scope = scope
        self._base = base.rstrip("/") if base else None

    async def ask(self, request: HttpRequest) -> HttpReply | Verdict:
        """The answer, or why there is none."""
        try:
            with self._took.time():
                return await self._sender.send(
                    self._rebased(request), timeout=TIMEOUT, guarded=self._base is None, scope=self._scope
                )
        except NotSendable as error:
            return Verdict(Outcome.PAYLOAD_REJECTED, error.code, str(error))
        except EgressRefused as error:
            return Verdict(Outcome.CREDENTIALS_REJECTED, error.code, str(error))
        except TransportError as error:
            return Verdict(Outcome.UNAVAILABLE, error.code, str(error))

    def _rebased(self, request: HttpRequest) -> HttpRequest:
        if self._base is None:
            return request
        path = request.url[len(origin_of(request.url)) :]
        return HttpRequest(request.method, self._base + path, request.headers, request.body, request.identity)


def origin_of(url: str) -> str:
    """Scheme, host and port of an absolute URL; once a request, so without a parser."""
    end = url.find("/", url.find("//") + 2)
    return url if end < 0 else url[:end]
