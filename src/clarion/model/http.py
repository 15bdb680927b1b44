"""HTTP exchanges with providers as values, so that providers stay pure."""

from collections.abc import Mapping

import msgspec

Headers = tuple[tuple[str, str], ...]


class ClientIdentity(msgspec.Struct, frozen=True):
    """A certificate to show in the TLS handshake, with its key, both PEM in `pem`; never log it.

    `fingerprint` tells identities apart.
    """

    fingerprint: str
    pem: bytes

    def __repr__(self) -> str:
        return f"ClientIdentity({self.fingerprint!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """msgspec's own would show the key in tracebacks that print variables."""
        return [("fingerprint", self.fingerprint)]


class HttpRequest(msgspec.Struct, frozen=True):
    """One request to a provider. `url` is absolute, header names are lower case.

    `identity` is shown by the connection it goes over, where the provider knows its clients by certificate.
    """

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""
    identity: ClientIdentity | None = None


class HttpReply(msgspec.Struct, frozen=True):
    """A provider's answer. Header names are lower case, the last of repeated headers wins."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Received(msgspec.Struct, frozen=True):
    """A request to Clarion as it came, for who checks its signature. Header names are lower case."""

    headers: Mapping[str, str]
    body: bytes
