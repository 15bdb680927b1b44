"""One push tried on purpose, with everything that was said on the way, for the person who asked for it."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import structlog

from clarion.deliver.authorization import Authorization
from clarion.deliver.exchange import Exchange
from clarion.errors import CredentialsInvalid
from clarion.model.clock import Clock
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.ids import new_id
from clarion.model.outcome import Outcome, Verdict
from clarion.model.people import Integration
from clarion.model.push import PushMessage, Target
from clarion.providers.port import AuthorizingProvider, IssuingProvider, Provider

log = structlog.get_logger(__name__)


class Tried(NamedTuple):
    """A try: the request as sent, the provider's answer, what it means. None is what it didn't come to.

    `access_token` is what the request carried; it is a secret.
    """

    verdict: Verdict
    request: HttpRequest | None = None
    reply: HttpReply | None = None
    access_token: str = ""


class Trial:
    """Sends outside of every lane: nothing is stored, retried or retired."""

    def __init__(
        self,
        providers: Mapping[str, Provider[Any]],
        exchange_for: Callable[[Integration], Exchange],
        clock: Clock,
    ) -> None:
        self._providers = providers
        self._exchange_for = exchange_for
        self._clock = clock

    async def send(self, integration: Integration, message: PushMessage, token: str) -> Tried:
        """Send one message to a token, whether the integration is active or not."""
        provider = self._providers.get(integration.provider_id)
        if provider is None:
            explanation = f"Clarion can't send through {integration.provider_id}."
            return Tried(Verdict(Outcome.NOT_SENT, "not_supported", explanation))
        try:
            credentials = provider.credentials(integration.credentials)
        except CredentialsInvalid as error:
            return Tried(Verdict(Outcome.CREDENTIALS_REJECTED, "credentials_invalid", str(error)))
        now = self._clock()
        target = Target(new_id(now), token, now)
        refusal = provider.refuse(credentials, target)
        if refusal:
            return Tried(refusal)
        return await self._try(provider, credentials, self._exchange_for(integration), message, target)

    async def _try(
        self,
        provider: Provider[Any],
        credentials: Any,
        exchange: Exchange,
        message: PushMessage,
        target: Target,
    ) -> Tried:
        access_token = ""
        if isinstance(provider, AuthorizingProvider | IssuingProvider):
            got = await Authorization(exchange, provider, credentials, self._clock).token()
            if isinstance(got, Verdict):
                return Tried(got)
            access_token = got.value
        try:
            request = provider.build(credentials, message, target, access_token)
        except Exception as error:
            log.exception("trial not buildable", provider=provider.id)
            explanation = f"These overrides can't be sent ({type(error).__name__}); check their shape."
            return Tried(Verdict(Outcome.PAYLOAD_REJECTED, "not_buildable", explanation))
        reply = await exchange.ask(request)
        if isinstance(reply, Verdict):
            return Tried(reply, request, None, access_token)
        return Tried(provider.read(reply, message), request, reply, access_token)
