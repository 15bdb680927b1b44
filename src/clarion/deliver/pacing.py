"""How fast one integration sends: a token bucket under the provider's quota that gives way when told to.

Pure; `now` is seconds of any steady clock.
"""

import math

from clarion.model.clock import Millis
from clarion.providers.port import Rate

_TICK = 0.02
_SLOWER = 0.5
_FASTER_A_SECOND = 1.1
_SLOWEST = 0.5
"""Messages a second: below it nobody would learn that the provider takes more again."""
_FEW = 0.2
"""Of what was sent of late: so many refusals are about single devices, whose quota is their own, and who wait
by themselves. No code of FCM's tells the quota of a device from that of the project."""
_TRUSTED = 10
"""Sends of which no refusal is known, so that of the first few one says nothing yet."""
_REMEMBERED = 0.8
"""Of what was sent and refused, from one second to the next."""
_FREE_AGAIN = 4.0
"""A provider without a published quota is no longer held back at so many times the rate it refused."""


def _next_tick(at: float) -> float:
    """Who has to wait, waits for company: a timer for each would cost more than the send."""
    return math.ceil(at / _TICK) * _TICK


class Pace:
    """The bucket of one integration in one process."""

    def __init__(self, rate: Rate | None) -> None:
        self._quota = rate
        self._limit = rate.per_second if rate else None
        self._refused_at: float | None = None
        self._tokens = float(rate.burst) if rate else 0.0
        self._filled = 0.0
        self._held_until = 0.0
        self._changed = 0.0
        self._second = 0.0
        self._sent = 0
        self._measured = 0.0
        self._lately = 0.0
        self._refused = 0.0
        self._aged = 0.0

    @property
    def limit(self) -> float | None:
        """Messages a second that go out now; None: as many as there are."""
        return self._limit

    def wait(self, messages: int, now: float) -> float:
        """Take the turn of so many messages; the seconds until it comes."""
        self._count(messages, now)
        held = self._held_until - now if self._held_until > now else 0.0
        if self._limit is None:
            return held
        limit = self._recovered(now)
        if limit is None:
            return held
        burst = min(self._quota.burst, limit) if self._quota else limit
        self._tokens = min(self._tokens + (now - self._filled) * limit, burst)
        self._filled = now
        self._tokens -= messages
        debt = -self._tokens / limit
        return max(held, 0.0 if debt <= 0 else _next_tick(now + debt) - now)

    def throttled(self, retry_after: Millis | None, now: float) -> None:
        """The provider refused a message: where it refuses many, half as fast, once a second, and not at all
        until it said."""
        self._age(now)
        self._refused += 1
        if self._refused <= _FEW * (self._lately + _TRUSTED):
            return
        if retry_after:
            self._held_until = max(self._held_until, now + retry_after / 1000)
        if now - self._changed < 1.0:
            return
        present = self._limit if self._limit is not None else max(self._measured, self._sent, 1.0)
        if self._limit is None:
            self._refused_at = present
            self._tokens, self._filled = 0.0, now
        self._limit = max(present * _SLOWER, _SLOWEST)
        self._changed = now

    def _recovered(self, now: float) -> float | None:
        """The limit, a tenth higher for each second without a refusal, up to the quota."""
        seconds = int(now - self._changed)
        if seconds <= 0 or self._limit is None:
            return self._limit
        self._changed += seconds
        faster = self._limit * _FASTER_A_SECOND ** min(seconds, 200)
        if self._quota:
            self._limit = min(faster, self._quota.per_second)
        elif self._refused_at is not None and faster > self._refused_at * _FREE_AGAIN:
            self._limit = self._refused_at = None
        else:
            self._limit = faster
        return self._limit

    def _count(self, messages: int, now: float) -> None:
        """How many went out in the last whole second: what an unpublished quota was when it was met."""
        if now - self._second >= 1.0:
            self._measured = self._sent / max(now - self._second, 1.0)
            self._second, self._sent = now, 0
        self._sent += messages
        self._age(now)
        self._lately += messages

    def _age(self, now: float) -> None:
        seconds = int(now - self._aged)
        if seconds > 0:
            share = _REMEMBERED ** min(seconds, 200)
            self._lately, self._refused, self._aged = self._lately * share, self._refused * share, now
