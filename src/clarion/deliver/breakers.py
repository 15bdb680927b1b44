"""The breakers of an integration: one for all of it, and one for each origin that its requests go to."""

from collections.abc import Callable
from typing import Any

import msgspec

from clarion.deliver.breaker import Breaker, Change, State
from clarion.model.clock import Clock, Millis
from clarion.model.outcome import Outcome, Verdict
from clarion.providers.port import Provider

HELD = "held"
"""Code of a message that was not tried because its integration rests; it comes again at `retry_after`."""

_MOST_ORIGINS = 256
ANYWHERE = ""
"""The breaker of what is wrong wherever a message goes, such as a refused access token."""

OnChange = Callable[[Change], None]


class Standing(msgspec.Struct, frozen=True):
    """What earlier runs know of an integration: whether it ever had a message accepted, and how it stood."""

    proven: bool = False
    state: State = State.CLOSED
    since: int = 0


class Breakers:
    """Tells what is not to be tried, and learns from every answer. `on_change` hears when one of them opens,
    pauses and recovers."""

    def __init__(
        self, provider: Provider[Any], standing: Standing, clock: Clock, on_change: OnChange
    ) -> None:
        stood = Standing(standing.proven) if provider.roams else standing
        self._breakers = {ANYWHERE: Breaker(stood.state, stood.since)}
        self._setup_codes = provider.setup_codes
        self._clock = clock
        self._on_change = on_change

    def held(self, origin: str) -> Verdict | None:
        """Why a message is not to be tried now."""
        breaker = self._breakers.get(origin)
        if breaker is None or breaker.state is State.CLOSED:
            return None
        now = self._clock()
        return None if breaker.admits(now) else _rest(breaker, now)

    def unasked(self) -> None:
        """A message was not tried, whatever was admitted for it."""
        self._breakers[ANYWHERE].unasked()

    def lost_sight(self) -> None:
        """A try ended without an answer that a breaker could learn from."""
        for breaker in self._breakers.values():
            breaker.unasked()

    def noted(self, origin: str, verdict: Verdict, *, proven: bool) -> Verdict:
        """The verdict as it counts. `proven`: the integration ever had a message accepted."""
        anywhere = self._breakers[ANYWHERE]
        breaker = self._breakers.get(origin) or self._breaker(origin)
        if verdict.outcome is Outcome.ACCEPTED and breaker.untroubled and anywhere.state is State.CLOSED:
            return verdict
        setup_code = verdict.outcome is Outcome.TOKEN_DEAD and verdict.code in self._setup_codes
        now = self._clock()
        # While the whole integration rests, every answer is that of its probe.
        resting = [anywhere] if anywhere is not breaker and anywhere.state is not State.CLOSED else []
        for concerned in (breaker, *resting):
            change = concerned.note(verdict, now, setup_code=setup_code)
            if change:
                self._on_change(change)
        return self._doubted(breaker, verdict, now, proven=proven) if setup_code else verdict

    def _doubted(self, breaker: Breaker, verdict: Verdict, now: Millis, *, proven: bool) -> Verdict:
        """A wrong set-up calls every token dead, and must not empty the list."""
        for paused in (breaker, self._breakers[ANYWHERE]):
            if paused.state is State.PAUSED:
                return _rest(paused, now)
        if proven:
            return verdict
        doubt = f"{verdict.explanation} The token is kept: this integration has had nothing accepted yet, so"
        return msgspec.structs.replace(
            verdict,
            outcome=Outcome.PAYLOAD_REJECTED,
            explanation=f"{doubt} its set-up may be what is wrong.",
        )

    def _breaker(self, origin: str) -> Breaker:
        if origin not in self._breakers:
            if len(self._breakers) >= _MOST_ORIGINS:
                self._breakers = {
                    name: breaker
                    for name, breaker in self._breakers.items()
                    if name == ANYWHERE or breaker.state is not State.CLOSED
                }
            self._breakers[origin] = Breaker()
        return self._breakers[origin]


def _rest(breaker: Breaker, now: Millis) -> Verdict:
    reason = breaker.reason
    paused = breaker.state is State.PAUSED
    why = "The integration is paused" if paused else "The provider is away"
    explanation = f"{why}, the message waits. {reason.explanation}".rstrip()
    return Verdict(Outcome.NOT_SENT, HELD, explanation, retry_after=breaker.next_chance(now) - now)
