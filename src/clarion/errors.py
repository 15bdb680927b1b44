"""Every error Clarion raises on purpose, drawn as one tree.

ClarionError
├── SettingsError          a wrong setting; stops the start with one line
├── RequestError           an API call that can't be answered with success; carries the HTTP status
│   ├── BadInput           400
│   │   ├── LimitExceeded  400 with `currentCount` and `limit`
│   │   └── PayloadInvalid 400 in the shape of the three trigger calls
│   │       └── CheckTooLong  the same, for a check that takes too long
│   ├── Unauthenticated    401
│   ├── Forbidden          403
│   ├── NotFound           404
│   ├── MethodNotAllowed   405
│   ├── Conflict           409
│   ├── TooLarge           413
│   ├── UnsupportedMedia   415
│   ├── Unprocessable      422
│   ├── TooManyRequests    429
│   ├── Overloaded         503
│   └── DatabaseUnavailable 503
├── TemplateError          a template that doesn't parse or render
├── TranslationInvalid     a translation whose content can't be one, by key
├── CredentialsInvalid     integration credentials that can't work, by field
├── SecretUnreadable       a stored secret that the present key can't open
└── TransportError         an outgoing request that got no answer
    ├── NotSendable          the request's URL or headers can't be sent at all
    ├── EgressRefused      the address is not one Clarion may call
    ├── ConnectFailed      name lookup, TCP or TLS handshake failed
    ├── TlsFailed          the peer's certificate is not trusted
    ├── TimedOut           no answer in time
    └── ConnectionLost     the connection ended before the answer
"""

from collections.abc import Mapping, Sequence


class ClarionError(Exception):
    """Root of all errors raised on purpose."""


class SettingsError(ClarionError):
    """A setting has a value Clarion can't start with."""


class RequestError(ClarionError):
    """An API call that is refused; `message` tells the caller what to do next."""

    status: int = 400

    def __init__(self, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.headers = dict(headers or {})


class BadInput(RequestError):
    """The request can't be understood or refers to something that isn't there."""


class LimitExceeded(BadInput):
    """More items than a limit allows; nothing was changed."""

    def __init__(self, message: str, *, current: int, limit: int) -> None:
        super().__init__(message)
        self.current = current
        self.limit = limit


class DatabaseUnavailable(RequestError):
    """The database is not there for the moment."""

    status = 503

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"Retry-After": "1"})


class FieldIssue(Exception):
    """One wrong field of a trigger body."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class PayloadInvalid(BadInput):
    """A trigger body that is not accepted; `issues` names the fields."""

    def __init__(self, message: str, issues: Sequence[FieldIssue] = ()) -> None:
        super().__init__(message)
        self.issues = tuple(issues)


class CheckTooLong(PayloadInvalid):
    """A payload whose check takes longer than a check may; `reason` goes on where "the payload" ends."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The payload {reason}", [FieldIssue("payload", reason)])
        self.reason = reason


class Unauthenticated(RequestError):
    """No key, or one that is not known."""

    status = 401


class Forbidden(RequestError):
    """The key is known but may not do this."""

    status = 403


class NotFound(RequestError):
    """There is no such resource in the caller's environment."""

    status = 404


class MethodNotAllowed(RequestError):
    """The path exists, the method does not."""

    status = 405


class Conflict(RequestError):
    """The resource exists already; `resource` holds its wire form where the contract wants it."""

    status = 409

    def __init__(
        self, message: str, *, resource: object = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, headers=headers)
        self.resource = resource


class TooLarge(RequestError):
    """The body is larger than the documented bound."""

    status = 413


class UnsupportedMedia(RequestError):
    """The body is packed, and isn't unpacked."""

    status = 415


class Unprocessable(RequestError):
    """Well-formed JSON whose fields are wrong; `fields` maps each to its messages."""

    status = 422

    def __init__(self, message: str, fields: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(message)
        self.fields = {name: list(messages) for name, messages in (fields or {}).items()}

    @classmethod
    def field(cls, name: str, message: str) -> "Unprocessable":
        """One field that is wrong; `message` goes on where its name ends."""
        return cls(f"{name} {message}", {name: [message]})


class TooManyRequests(RequestError):
    """More calls than the environment's rate limit allows; try again after `Retry-After`."""

    status = 429


class Overloaded(RequestError):
    """Accepting more would promise what can't be held; try again after `Retry-After`."""

    status = 503


class TemplateError(ClarionError):
    """A template does not parse or render."""


class TranslationInvalid(ClarionError):
    """The content of a translation is wrong at `key`; `reason` goes on where the key ends."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key} {reason}")
        self.key = key
        self.reason = reason


class CredentialsInvalid(ClarionError):
    """Credentials of an integration can't work; `field` is the wire key, `reason` what to do."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class SecretUnreadable(ClarionError):
    """A stored secret was sealed with another encryption key."""


class TransportError(ClarionError):
    """An outgoing request got no answer. `unprocessed` is true when the peer certainly did not act on it,
    `code` what the log of messages calls it."""

    code = "no_answer"

    def __init__(self, message: str, *, unprocessed: bool = False) -> None:
        super().__init__(message)
        self.unprocessed = unprocessed


class NotSendable(TransportError):
    """The request itself is wrong: its URL or a header can't be sent to anybody."""

    code = "not_sendable"

    def __init__(self, message: str) -> None:
        super().__init__(message, unprocessed=True)


class EgressRefused(TransportError):
    """The address is not one Clarion may call; see CLARION_EGRESS_ALLOW."""

    code = "egress_refused"


class ConnectFailed(TransportError):
    """Name lookup, TCP connect or TLS handshake failed."""

    code = "connect_failed"


class TlsFailed(TransportError):
    """The peer's certificate is not trusted; see CLARION_CA_FILE."""

    code = "tls_failed"


class TimedOut(TransportError):
    """No answer within the deadline."""

    code = "timed_out"


class ConnectionLost(TransportError):
    """The connection ended before the answer."""

    code = "connection_lost"
