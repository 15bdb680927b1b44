"""What became of one request to a provider: a closed set, each with one action."""

from enum import StrEnum

import msgspec

from clarion.model.clock import Millis


class Outcome(StrEnum):
    """Decided by the provider's code, never by its wording."""

    ACCEPTED = "accepted"
    """The provider took the message."""
    TOKEN_DEAD = "token_dead"  # noqa: S105
    """The device is gone: retire the token."""
    PAYLOAD_REJECTED = "payload_rejected"
    """This message can never succeed; the token is fine."""
    CREDENTIALS_REJECTED = "credentials_rejected"
    """The integration is set up wrongly; no message of it can succeed until a person acts, so they wait."""
    THROTTLED = "throttled"
    """Too fast: wait as told, then send again."""
    UNAVAILABLE = "unavailable"
    """The provider or the way to it is down: send again with backoff."""
    UNKNOWN = "unknown"
    """An answer nobody documented: send again a few times, then fail."""
    NOT_SENT = "not_sent"
    """Clarion did not ask the provider: cancelled, or the integration is off or gone."""

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later by itself."""
        return self in _RETRYABLE

    @property
    def waits(self) -> bool:
        """Whether the same request may succeed later, by itself or once a person acted."""
        return self in _RETRYABLE or self is Outcome.CREDENTIALS_REJECTED


_RETRYABLE = frozenset({Outcome.THROTTLED, Outcome.UNAVAILABLE, Outcome.UNKNOWN})


class Verdict(msgspec.Struct, frozen=True):
    """A provider's answer, read.

    `code` is the provider's own code (`UNREGISTERED`, `http_503`, `timed_out`), `explanation` one
    sentence for the person who looks into it, `retry_after` milliseconds the provider asked to wait,
    `died_at` when the provider says the token died, `stale_authorization` that a fresh access token
    may cure it.
    """

    outcome: Outcome
    code: str = ""
    explanation: str = ""
    provider_message_id: str = ""
    retry_after: Millis | None = None
    died_at: Millis | None = None
    stale_authorization: bool = False
    raw: str = ""


class MessageStatus(StrEnum):
    """Where one message to one device stands."""

    PENDING = "pending"
    """Waiting for its next try."""
    DELIVERED = "delivered"
    """The provider accepted it."""
    FAILED = "failed"
    """It will not be tried again."""
    CANCELLED = "cancelled"
    """Its trigger was cancelled before it went out."""
