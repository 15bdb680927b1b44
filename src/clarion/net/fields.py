"""Header fields as they may leave: checked, for some come from customers."""

from functools import lru_cache

from clarion.errors import NotSendable

USER_AGENT = "clarion"
"""Who is calling, unless the request says otherwise."""

_PER_CONNECTION = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te"}
    | {"trailer", "transfer-encoding", "upgrade"}
)
"""Fields of the connection, not of the request (RFC 9113, 8.2.2), and those the client writes itself."""

_PUNCTUATION = str.maketrans("", "", "!#$%&'*+-.^_`|~")


@lru_cache(maxsize=1024)
def field_name(name: str) -> bytes:
    """The name in lower case; empty when a request may not set it. Raises TransportError."""
    lower = name.lower()
    if not lower.isascii() or not lower.translate(_PUNCTUATION).isalnum():
        raise NotSendable(f"{name!r} is no header name")
    return b"" if lower in _PER_CONNECTION else lower.encode()


def field_value(name: str, value: str) -> bytes:
    """The value as octets. Raises TransportError when it would spill into the next field."""
    if "\n" in value or "\r" in value or "\0" in value:
        raise NotSendable(f"the value of header {name} spans lines")
    return value.encode()
