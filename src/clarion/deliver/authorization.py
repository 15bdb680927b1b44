"""Access tokens: got or signed once per integration, renewed early, by one request however many wait."""

import asyncio
import random
from typing import Any

from clarion.deliver.exchange import Exchange
from clarion.model.clock import MINUTE, SECOND, Clock, Millis
from clarion.model.outcome import Outcome, Verdict
from clarion.providers.port import AccessToken, AuthorizingProvider, IssuingProvider

_EARLY: Millis = 5 * MINUTE
_REST: dict[Outcome, Millis] = {Outcome.UNAVAILABLE: SECOND, Outcome.CREDENTIALS_REJECTED: 10 * SECOND}


class Authorization:
    """The access token of one set of credentials."""

    def __init__(
        self,
        exchange: Exchange,
        provider: AuthorizingProvider[Any] | IssuingProvider[Any],
        credentials: Any,
        clock: Clock,
    ) -> None:
        self._exchange = exchange
        self._provider = provider
        self._credentials = credentials
        self._clock = clock
        self._token: AccessToken | None = None
        self._renew_at: Millis = 0
        self._refusal: Verdict | None = None
        self._ask_again_at: Millis = 0
        self._request: asyncio.Task[AccessToken | Verdict] | None = None

    def present(self) -> AccessToken | None:
        """The token, if it is good and not to be renewed yet."""
        if self._token and self._clock() < self._renew_at:
            return self._token
        return None

    async def token(self) -> AccessToken | Verdict:
        """A token that is good now, or why there is none."""
        now = self._clock()
        if self._token and now < self._token.expires_at:
            if now >= self._renew_at:
                self._begin()
            return self._token
        if self._refusal and now < self._ask_again_at:
            return self._refusal
        return await asyncio.shield(self._begin())

    def refused(self, token: AccessToken) -> None:
        """The provider no longer takes this token."""
        if self._token is token:
            self._token = None

    def _begin(self) -> "asyncio.Task[AccessToken | Verdict]":
        if self._request is None:
            self._request = asyncio.create_task(self._get())
        return self._request

    async def _get(self) -> AccessToken | Verdict:
        try:
            answer = await self._ask()
        finally:
            self._request = None
        now = self._clock()
        if isinstance(answer, AccessToken):
            self._token, self._refusal = answer, None
            early = min(_EARLY * random.uniform(0.9, 1.1), (answer.expires_at - now) / 2)
            self._renew_at = round(answer.expires_at - early)
        else:
            self._refusal = answer
            self._ask_again_at = self._renew_at = now + _REST.get(answer.outcome, SECOND)
        return answer

    async def _ask(self) -> AccessToken | Verdict:
        if isinstance(self._provider, IssuingProvider):
            return self._provider.issue(self._credentials, self._clock())
        reply = await self._exchange.ask(self._provider.authorize(self._credentials, self._clock()))
        if isinstance(reply, Verdict):
            return reply
        return self._provider.read_authorization(reply, self._clock())
