"""When to try again. Pure."""

from clarion.model.clock import MINUTE, SECOND, Millis
from clarion.model.outcome import Outcome, Verdict

_LONGEST: Millis = 5 * MINUTE
_MOST_TRIES_OF_UNKNOWN = 3
_FIRST: dict[Outcome, Millis] = {Outcome.CREDENTIALS_REJECTED: 30 * SECOND}
"""A person has to act first."""


def next_try(
    verdict: Verdict, attempt: int, now: Millis, expires_at: Millis, jitter: float, first: Millis = SECOND
) -> Millis | None:
    """The moment of the next try after `attempt` tries, None when there is none.

    `first` (30 s where credentials were refused), or the shorter pause that the answer asks for, at least
    1 s; doubling, at most 5 min, but never sooner than the provider asked. `jitter` in [0, 1) adds up to a
    quarter, so that what failed together doesn't return together.
    """
    if not verdict.outcome.waits:
        return None
    if verdict.outcome is Outcome.UNKNOWN and attempt >= _MOST_TRIES_OF_UNKNOWN:
        return None
    wanted = first if verdict.retry_after is None else min(first, verdict.retry_after)
    soonest = max(wanted, _FIRST.get(verdict.outcome, SECOND))
    own = min(soonest << min(attempt - 1, 20), _LONGEST)
    at = now + round(max(own, verdict.retry_after or 0) * (1 + jitter / 4))
    return at if at < expires_at else None
