"""When an integration is not asked for a while: a circuit breaker as a pure state machine.

It opens when the provider is away, and pauses when the provider refuses the credentials or calls token
after token wrong as only a wrong set-up does. After a rest one message is tried, and decides.
"""

from collections import deque
from enum import StrEnum

import msgspec

from clarion.model.clock import MINUTE, SECOND, Millis
from clarion.model.outcome import Outcome, Verdict

AWAY_IN_A_ROW = 20
"""Tries without an answer, or answered as unavailable, after which the provider counts as away."""
AWAY_FOR: Millis = SECOND
"""How long they have to last: a connection that breaks takes all its messages along, and is no outage."""
REFUSED_IN_A_ROW = 3
"""Refusals of the credentials after which the integration is paused."""
SUSPICIOUS = 10
"""Set-up codes among the last `REMEMBERED` answers that a token got, from which on they are not believed."""
REMEMBERED = 20

_LONGEST_REST: Millis = 10 * MINUTE


class State(StrEnum):
    """How a breaker stands."""

    CLOSED = "closed"
    """Everything goes out."""
    OPEN = "open"
    """The provider is away; one message at a time finds out whether it is back."""
    PAUSED = "paused"
    """The set-up is wrong; a person has to act. One message at a time finds out whether they did."""


_FIRST_REST: dict[State, Millis] = {State.OPEN: 5 * SECOND, State.PAUSED: MINUTE}


class Change(msgspec.Struct, frozen=True):
    """A breaker that opened, paused or closed, and why."""

    state: State
    code: str
    explanation: str
    at: Millis


class Breaker:
    """One integration towards one origin."""

    def __init__(self, state: State = State.CLOSED, since: Millis = 0) -> None:
        self.state = state
        self.reason = Verdict(Outcome.NOT_SENT)
        self._failures = 0
        self._failing_since: Millis = 0
        self._refusals = 0
        self._rest = _FIRST_REST.get(state, 0)
        self._until = since + self._rest
        self._probing = False
        self._answers: deque[bool] = deque(maxlen=REMEMBERED)

    @property
    def untroubled(self) -> bool:
        """Whether one more accepted message says nothing new."""
        return self.state is State.CLOSED and not (self._failures or self._refusals or self._answers)

    def admits(self, now: Millis) -> bool:
        """Whether a message may be tried now: one at a time after the rest of a breaker that isn't closed."""
        if self.state is State.CLOSED:
            return True
        if self._probing or now < self._until:
            return False
        self._probing = True
        return True

    def unasked(self) -> None:
        """What was admitted was not tried after all, or nobody knows how it ended: another may be."""
        self._probing = False

    def next_chance(self, now: Millis) -> Millis:
        """When what is not admitted may come again."""
        return max(self._until, now + SECOND)

    def note(self, verdict: Verdict, now: Millis, *, setup_code: bool = False) -> Change | None:
        """Learn from an answer; what changed by it."""
        probed, self._probing = self._probing, False
        outcome = verdict.outcome
        if self.state is not State.CLOSED and not probed and outcome not in _REACHED:
            return None  # it was on its way before the breaker opened, and says nothing new
        if setup_code or (self._answers and outcome in _OF_TOKENS):
            self._remember(setup_code)
        if setup_code and (sum(self._answers) >= SUSPICIOUS or self.state is State.PAUSED):
            return self._rests(State.PAUSED, verdict, now)
        if outcome is Outcome.CREDENTIALS_REJECTED:
            self._refusals += 1
            if self._refusals >= REFUSED_IN_A_ROW or self.state is not State.CLOSED:
                return self._rests(State.PAUSED, verdict, now)
        elif outcome is Outcome.UNAVAILABLE:
            self._failing_since = self._failing_since if self._failures else now
            self._failures += 1
            if self.state is not State.CLOSED:
                return self._rests(self.state, verdict, now)
            if self._failures >= AWAY_IN_A_ROW and now - self._failing_since >= AWAY_FOR:
                return self._rests(State.OPEN, verdict, now)
        elif outcome in _REACHED:
            return self._close(now)
        return None

    def _remember(self, setup_code: bool) -> None:
        """From the first set-up code on, until the last of them is long ago."""
        self._answers.append(setup_code)
        if not any(self._answers):
            self._answers.clear()

    def _rests(self, state: State, verdict: Verdict, now: Millis) -> Change | None:
        """Rest, longer each time; a change only when the state is another than before."""
        same = self.state is state
        self._rest = min(self._rest * 2, _LONGEST_REST) if same else _FIRST_REST[state]
        self._until = now + self._rest
        self.state, self.reason = state, verdict
        return None if same else Change(state, verdict.code, verdict.explanation, now)

    def _close(self, now: Millis) -> Change | None:
        self._failures = self._refusals = 0
        if self.state is State.CLOSED:
            return None
        self.state = State.CLOSED
        self._answers.clear()
        return Change(State.CLOSED, "", "The provider takes messages again.", now)


_OF_TOKENS = frozenset({Outcome.ACCEPTED, Outcome.TOKEN_DEAD})
_REACHED = frozenset({Outcome.ACCEPTED, Outcome.TOKEN_DEAD, Outcome.PAYLOAD_REJECTED})
