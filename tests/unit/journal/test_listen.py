import asyncio
from collections.abc import Callable

import asyncpg
import pytest

from clarion.journal import listen as module
from clarion.journal.listen import listen


class Connection:
    """Tells of one record, or is lost before it can listen."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    def add_termination_listener(self, listener: Callable[[object], None]) -> None:
        pass

    async def add_listener(self, channel: str, listener: Callable[[object, int, str, object], None]) -> None:
        if self._error:
            raise self._error
        listener(self, 1, channel, "lane")

    async def close(self, timeout: float) -> None:
        pass


@pytest.mark.parametrize(
    "error", [asyncpg.InterfaceError("connection is closed"), asyncpg.ConnectionDoesNotExistError("lost")]
)
async def test_it_listens_again_after_a_connection_was_lost_before_it_could(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = [Connection(error), Connection(None)]
    rung: asyncio.Queue[str] = asyncio.Queue()

    async def connect(url: str, timeout: float) -> Connection:
        return connections.pop(0)

    monkeypatch.setattr(asyncpg, "connect", connect)
    monkeypatch.setattr(module, "_SHORTEST_PAUSE", 0)
    task = asyncio.create_task(listen("postgresql://", rung.put_nowait))
    async with asyncio.timeout(1):
        assert await rung.get() == "lane"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
