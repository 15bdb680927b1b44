"""Reads server-sent events, as far as Clarion sends them (HTML, 9.2.6: lines end with a line feed)."""

from collections.abc import AsyncIterator
from typing import NamedTuple


class Told(NamedTuple):
    """One event; `id` is what to go on from, empty where it has none."""

    kind: str
    data: bytes
    id: str


async def events(parts: AsyncIterator[bytes]) -> AsyncIterator[Told]:
    """The events of a stream that comes in parts, cut anywhere. What isn't whole at the end is none."""
    fields: dict[bytes, bytes] = {}
    async for line in _lines(parts):
        name, _, value = line.partition(b": ")
        if name:
            fields[name] = value
        elif not line:
            if b"event" in fields:
                yield Told(fields[b"event"].decode(), fields[b"data"], fields.get(b"id", b"").decode())
            fields = {}


async def _lines(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    begun: list[bytes] = []
    async for part in parts:
        *whole, rest = part.split(b"\n")
        for line in whole:
            yield b"".join([*begun, line])
            begun = []
        begun.append(rest)
