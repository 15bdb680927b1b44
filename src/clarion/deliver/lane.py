"""What deliveries of one integration share: its credentials, its access token, its streams."""

from typing import Any

import msgspec
import structlog

from clarion.deliver.authorization import Authorization
from clarion.deliver.exchange import Exchange
from clarion.deliver.streams import Streams
from clarion.errors import CredentialsInvalid
from clarion.model.clock import Clock
from clarion.model.http import HttpReply
from clarion.model.outcome import Outcome, Verdict
from clarion.model.people import Integration
from clarion.model.push import PushMessage, Target
from clarion.providers.port import AccessToken, AuthorizingProvider, IssuingProvider, Provider

log = structlog.get_logger(__name__)


class Lane:
    """One integration as it stands; made anew when it changes."""

    def __init__(
        self,
        integration: Integration,
        provider: Provider[Any],
        exchange: Exchange,
        clock: Clock,
        concurrency: int,
    ) -> None:
        self.integration = integration
        self._streams = Streams(concurrency)
        self._provider = provider
        self._exchange = exchange
        self._credentials: Any = None
        self._trouble: Verdict | None = None
        self._authorization: Authorization | None = None
        self._proven = False
        try:
            self._credentials = provider.credentials(integration.credentials)
        except CredentialsInvalid as error:
            self._trouble = Verdict(Outcome.CREDENTIALS_REJECTED, "credentials_invalid", str(error))
        if isinstance(provider, AuthorizingProvider | IssuingProvider):
            self._authorization = Authorization(exchange, provider, self._credentials, clock)

    async def send(self, message: PushMessage, target: Target, *, urgent: bool = True) -> Verdict:
        """Try once, ahead of what is not urgent; with a renewed token where the provider refuses the old."""
        if self._trouble:
            return self._trouble
        refusal = self._provider.refuse(self._credentials, target)
        if refusal:
            return refusal
        await self._streams.take(urgent=urgent)
        try:
            verdict = await self._try(message, target)
            if verdict.stale_authorization:
                verdict = await self._try(message, target)
            return self._believed(verdict)
        except Exception as error:  # one message's surprise must not hold up those beside it
            log.exception("send failed unexpectedly", message_id=target.message_id)
            return Verdict(Outcome.UNKNOWN, "internal_error", f"Clarion stumbled: {type(error).__name__}")
        finally:
            self._streams.give_back()

    def _believed(self, verdict: Verdict) -> Verdict:
        """The verdict, with doubt: a wrong set-up calls every token dead, and must not empty the list."""
        if verdict.outcome is Outcome.ACCEPTED:
            self._proven = True
        if verdict.outcome is not Outcome.TOKEN_DEAD or self._proven:
            return verdict
        if verdict.code not in self._provider.setup_codes:
            return verdict
        doubt = f"{verdict.explanation} The token is kept: this integration has had nothing accepted yet, so"
        return msgspec.structs.replace(
            verdict,
            outcome=Outcome.PAYLOAD_REJECTED,
            explanation=f"{doubt} its set-up may be what is wrong.",
        )

    async def _try(self, message: PushMessage, target: Target) -> Verdict:
        token = await self._authorization.token() if self._authorization else None
        if isinstance(token, Verdict):
            return token
        try:
            request = self._provider.build(self._credentials, message, target, token.value if token else "")
        except Exception as error:
            log.exception("message not buildable", message_id=target.message_id)
            return Verdict(Outcome.PAYLOAD_REJECTED, "not_buildable", _not_buildable(error))
        reply = await self._exchange.ask(request)
        return reply if isinstance(reply, Verdict) else self._read(reply, message, token)

    def _read(self, reply: HttpReply, message: PushMessage, token: AccessToken | None) -> Verdict:
        verdict = self._provider.read(reply, message)
        if verdict.stale_authorization and self._authorization and token:
            self._authorization.refused(token)
        return verdict


def _not_buildable(error: Exception) -> str:
    return f"The overrides of this message can't be sent ({type(error).__name__}); check their shape."
