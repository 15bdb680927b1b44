"""What deliveries of one integration share: credentials, access token, streams, pace and breakers."""

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

import structlog

from clarion.deliver.authorization import Authorization
from clarion.deliver.breakers import ANYWHERE, HELD, Breakers, OnChange, Standing
from clarion.deliver.exchange import Exchange, origin_of
from clarion.deliver.pacing import Pace
from clarion.deliver.parcels import Travel
from clarion.deliver.streams import Streams
from clarion.errors import CredentialsInvalid
from clarion.model.clock import Clock
from clarion.model.outcome import Outcome, Verdict
from clarion.model.people import Integration
from clarion.model.push import PushMessage, Target
from clarion.providers.port import (
    AccessToken,
    AuthorizingProvider,
    BatchingProvider,
    IssuingProvider,
    Provider,
    Rate,
    ReceiptProvider,
)

log = structlog.get_logger(__name__)

Messages = Sequence[tuple[PushMessage, Target]]


class Lane:
    """One integration as it stands; made anew when it changes.

    `on_change` hears when it opens, pauses and recovers, `on_proof` of its first accepted message.
    """

    def __init__(
        self,
        integration: Integration,
        provider: Provider[Any],
        exchange: Exchange,
        clock: Clock,
        concurrency: int,
        standing: Standing = Standing(),  # noqa: B008
        on_change: OnChange = lambda _: None,
        on_proof: Callable[[], None] = lambda: None,
    ) -> None:
        self.integration = integration
        self._streams = Streams(concurrency)
        rate = rate_of(integration, provider)
        self._pace = Pace(rate)
        self._counts_requests = rate is not None and rate.of_requests
        self._patient = asyncio.Lock()
        self._breakers = Breakers(provider, standing, clock, on_change)
        self._provider = provider
        self._exchange = exchange
        self._on_proof = on_proof
        self._proven = standing.proven
        self._batching = provider if isinstance(provider, BatchingProvider) else None
        self._credentials: Any = None
        self._trouble: Verdict | None = None
        self._authorization: Authorization | None = None
        try:
            self._credentials = provider.credentials(integration.credentials)
        except CredentialsInvalid as error:
            self._trouble = Verdict(Outcome.CREDENTIALS_REJECTED, "credentials_invalid", str(error))
        if isinstance(provider, AuthorizingProvider | IssuingProvider):
            self._authorization = Authorization(exchange, provider, self._credentials, clock)

    @property
    def provider(self) -> Provider[Any]:
        """Whose integration it is."""
        return self._provider

    @property
    def proven(self) -> bool:
        """Whether it ever had a message accepted."""
        return self._proven

    @property
    def travel(self) -> Travel | None:
        """How messages travel together; None: each alone.

        A shared body can't carry a message's id, which push activity tracking goes by.
        """
        provider = self._batching
        if self._trouble or provider is None:
            return None
        if provider.shares_body and tracks_activity(self.integration):
            return None

        def batchable(message: PushMessage) -> bool:
            return provider.batchable(self._credentials, message)

        return Travel(provider.most_per_request, provider.shares_body, batchable)

    async def send(self, message: PushMessage, target: Target, *, urgent: bool = True) -> Verdict:
        """Try one message once, ahead of what is not urgent."""
        if self._trouble:
            return self._noted(ANYWHERE, self._trouble)
        refusal = self._provider.refuse(self._credentials, target)
        if refusal:
            return refusal
        await self._streams.take(urgent=urgent)
        try:
            await self._turn(1, urgent=urgent)
            verdict = await self._try_one(message, target)
            if verdict.stale_authorization:
                verdict = await self._try_one(message, target)
            return verdict
        except Exception as error:  # one message's surprise must not hold up those beside it
            self._breakers.lost_sight()
            return _stumbled(error, target)
        except asyncio.CancelledError:
            self._breakers.lost_sight()
            raise
        finally:
            self._streams.give_back()

    async def send_many(self, messages: Messages, *, urgent: bool = True) -> list[Verdict]:
        """Try several in one request; each has a verdict of its own, in order."""
        provider = self._batching
        if provider is None or self._trouble:
            return [await self.send(message, target, urgent=urgent) for message, target in messages]
        refusals = [provider.refuse(self._credentials, target) for _, target in messages]
        tried = [pair for pair, refusal in zip(messages, refusals, strict=True) if refusal is None]
        answers = await self._send_tried(provider, tried, urgent=urgent) if tried else []
        if _spoiled(answers) and not provider.shares_body:
            answers = [await self.send(message, target, urgent=urgent) for message, target in tried]
        given = iter(answers)
        return [next(given) if refusal is None else refusal for refusal in refusals]

    async def _send_tried(
        self, provider: BatchingProvider[Any], messages: Messages, *, urgent: bool
    ) -> list[Verdict]:
        await self._streams.take(urgent=urgent)
        try:
            await self._turn(1 if self._counts_requests else len(messages), urgent=urgent)
            verdicts = await self._try_many(provider, messages)
            if any(verdict.stale_authorization for verdict in verdicts):
                verdicts = await self._try_many(provider, messages)
            return verdicts
        except Exception as error:
            self._breakers.lost_sight()
            return [_stumbled(error, messages[0][1])] * len(messages)
        except asyncio.CancelledError:
            self._breakers.lost_sight()
            raise
        finally:
            self._streams.give_back()

    async def _turn(self, messages: int, *, urgent: bool) -> None:
        """Wait as the pace wants it. The patient do so one by one: whoever waits has taken its turn already,
        and the urgent come after all turns that are taken."""
        if urgent or self._pace.limit is None:
            await self._paced(messages)
        else:
            async with self._patient:
                await self._paced(messages)

    async def _paced(self, messages: int) -> None:
        pause = self._pace.wait(messages, monotonic())
        if pause > 0:
            await asyncio.sleep(pause)

    async def receipts(self, sent: dict[str, int]) -> dict[str, Verdict] | Verdict:
        """What became of accepted messages, by ticket; `sent` says when each went out."""
        provider = self._provider
        if self._trouble or not isinstance(provider, ReceiptProvider):
            return self._trouble or Verdict(Outcome.NOT_SENT, "no_receipts", "The provider gives none.")
        reply = await self._exchange.ask(provider.receipts_request(self._credentials, list(sent)))
        return reply if isinstance(reply, Verdict) else provider.read_receipts(reply, sent)

    async def _try_one(self, message: PushMessage, target: Target) -> Verdict:
        token = await self._access()
        if isinstance(token, Verdict):
            return token
        try:
            request = self._provider.build(self._credentials, message, target, token.value if token else "")
        except Exception as error:
            self._breakers.unasked()
            return _not_buildable(error, target)
        origin = origin_of(request.url)
        answer = self._breakers.held(origin) or await self._exchange.ask(request)
        if isinstance(answer, Verdict):
            return self._noted(origin, answer)
        verdict = self._provider.read(answer, message)
        if token and verdict.stale_authorization:
            self._refused(token)
        return self._noted(origin, verdict)

    async def _try_many(self, provider: BatchingProvider[Any], messages: Messages) -> list[Verdict]:
        count = len(messages)
        token = await self._access()
        if isinstance(token, Verdict):
            return [token] * count
        try:
            request = provider.build_many(self._credentials, messages, token.value if token else "")
        except Exception as error:
            self._breakers.unasked()
            return [_not_buildable(error, messages[0][1])] * count
        origin = origin_of(request.url)
        answer = self._breakers.held(origin) or await self._exchange.ask(request)
        if isinstance(answer, Verdict):
            return [self._noted(origin, answer)] * count
        verdicts = provider.read_many(answer, messages)
        if token and any(verdict.stale_authorization for verdict in verdicts):
            self._refused(token)
        return [self._noted(origin, verdict) for verdict in verdicts]

    async def _access(self) -> AccessToken | Verdict | None:
        """The access token, None where none is needed, or why nothing can be sent."""
        held = self._breakers.held(ANYWHERE)
        if held or self._authorization is None:
            return held
        present = self._authorization.present()
        if present:
            return present
        token = await self._authorization.token()
        return self._noted(ANYWHERE, token) if isinstance(token, Verdict) else token

    def _refused(self, token: AccessToken) -> None:
        if self._authorization:
            self._authorization.refused(token)

    def _noted(self, origin: str, verdict: Verdict) -> Verdict:
        """The verdict after everybody who learns from it did."""
        if verdict.code == HELD:
            self._breakers.unasked()
            return verdict
        if verdict.outcome is Outcome.ACCEPTED:
            self._prove()
        elif verdict.outcome is Outcome.THROTTLED and verdict.code not in self._provider.device_codes:
            self._pace.throttled(verdict.retry_after, monotonic())
        return self._breakers.noted(origin, verdict, proven=self._proven)

    def _prove(self) -> None:
        if not self._proven:
            self._proven = True
            self._on_proof()


TRACKING = "inboundWebhookEnabled"
"""Configuration of an integration, under the name that Novu's SDKs know: push activity tracking. Each message
carries its id, for what the app reports of it."""
RATE = "ratePerSecond"
"""Configuration of an integration: messages (or requests, where the provider counts those) a second
instead of the published quota."""


def tracks_activity(integration: Integration) -> bool:
    """Whether each message has to carry its own id."""
    return integration.configurations.get(TRACKING) is True


def rate_of(integration: Integration, provider: Provider[Any]) -> Rate | None:
    """The quota an integration is kept to: as configured, else as published; in the provider's unit."""
    configured = integration.configurations.get(RATE)
    if isinstance(configured, int | float) and not isinstance(configured, bool) and configured > 0:
        of_requests = provider.rate is not None and provider.rate.of_requests
        return Rate(float(configured), max(int(configured), 1), of_requests)
    return provider.rate


def _spoiled(verdicts: Sequence[Verdict]) -> bool:
    """Whether one message made the provider refuse a whole request."""
    first = verdicts[0]
    refused = first.outcome is Outcome.PAYLOAD_REJECTED and all(verdict == first for verdict in verdicts)
    return len(verdicts) > 1 and refused


def _not_buildable(error: Exception, target: Target) -> Verdict:
    log.warning("message not buildable", message_id=target.message_id, exc_info=error)
    told = f"The overrides of this message can't be sent ({type(error).__name__}); check their shape."
    return Verdict(Outcome.PAYLOAD_REJECTED, "not_buildable", told)


def _stumbled(error: Exception, target: Target) -> Verdict:
    log.error("send failed unexpectedly", message_id=target.message_id, exc_info=error)
    return Verdict(Outcome.UNKNOWN, "internal_error", f"Clarion stumbled: {type(error).__name__}")
