"""An outgoing HTTP exchange as values, so that providers stay pure."""

from collections.abc import Mapping

import msgspec

Headers = tuple[tuple[str, str], ...]


class HttpRequest(msgspec.Struct, frozen=True):
    """One request to a provider. `url` is absolute, header names are lower case."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""


class HttpReply(msgspec.Struct, frozen=True):
    """A provider's answer. Header names are lower case, the last of repeated headers wins."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""
