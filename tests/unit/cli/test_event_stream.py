"""Server-sent events come in parts that know nothing of events."""

from collections.abc import AsyncIterator

import pytest

from clarion.cli.event_stream import Told, events

STREAM = (
    b"retry: 2000\n\n"
    b'id: 7\nevent: events\ndata: [{"body": "{\\"a\\": 1}"}]\n\n'
    b": beat\n\n"
    b"event: ready\ndata: {}\n\n"
    b"id: 8\nevent: events\ndata: [cut"
)


async def parts(size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(STREAM), size):
        yield STREAM[start : start + size]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 1000])
async def test_events_are_whole_wherever_they_were_cut(size: int) -> None:
    assert [told async for told in events(parts(size))] == [
        Told("events", b'[{"body": "{\\"a\\": 1}"}]', "7"),
        Told("ready", b"{}", ""),
    ]
