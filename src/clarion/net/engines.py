"""The HTTP/2 protocol engine as a port: bytes and calls in, bytes and events out, no I/O.

Two engines implement it: libnghttp2 (`ngh2_engine`), and the pure Python `h2` (`h2_engine`), slower by
ten times, for machines where the first one can't be loaded.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

Fields = Sequence[tuple[bytes, bytes]]
"""Header fields in wire order, pseudo-header fields first."""

CANCEL = 0x8
REFUSED_STREAM = 0x7

STREAM_WINDOW = 1 << 20
CONNECTION_WINDOW = 1 << 24
UNLIMITED = (1 << 32) - 1


class EngineClosed(Exception):
    """The engine takes no more of this: the connection is closing or broken."""


class Listener(Protocol):
    """Hears what the peer did; called from within `receive`, `output` and `reset`."""

    def settings(self, most_streams: int) -> None:
        """The peer announced how many streams it allows at once."""

    def headers(self, stream: int, fields: Fields, ended: bool) -> None:
        """The final response began; `:status` is the first field."""

    def data(self, stream: int, data: bytes, ended: bool) -> None:
        """More of the body, or its end."""

    def closed(self, stream: int, code: int, refused: bool) -> None:
        """The stream is gone; `refused` when the peer certainly did not act on it."""

    def going_away(self) -> None:
        """The peer takes no new streams; the open ones go on."""

    def finished(self) -> None:
        """Nothing more will come; close once the output is written."""


class Engine(Protocol):
    """One client connection. Every method raises EngineClosed when it can't do its part."""

    def post(self, fields: Fields, body: bytes) -> int:
        """Begin a request; the stream's number."""

    def reset(self, stream: int) -> None:
        """Cancel one stream; a stream that is gone already is no error."""

    def ping(self) -> None:
        """Ask for a sign of life."""

    def close(self) -> None:
        """Say goodbye; the open streams are given up."""

    def receive(self, data: bytes) -> None:
        """Take bytes from the peer."""

    def output(self) -> bytes:
        """The bytes to write now."""


MakeEngine = Callable[[Listener], Engine]


def best_engine() -> MakeEngine:
    """libnghttp2, or `h2` where that can't be imported."""
    try:
        from clarion.net.ngh2_engine import Ngh2Engine
    except ImportError:
        from clarion.net.h2_engine import H2Engine

        return H2Engine
    return Ngh2Engine
