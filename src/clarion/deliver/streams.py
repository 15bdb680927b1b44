"""So many requests at a time, and the urgent ones first."""

import asyncio
from collections import deque


class Streams:
    """The requests in flight of one integration. Among equals, who came first goes first."""

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._patient: deque[asyncio.Future[None]] = deque()

    async def take(self, *, urgent: bool) -> None:
        """Hold one of them until it is given back."""
        queue = self._urgent if urgent else self._patient
        if self._free and not queue:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        """Let the next one go, the urgent before the patient."""
        for queue in (self._urgent, self._patient):
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1
