"""Back-pressure: while too much of an environment waits for its turn, nothing more of it is accepted."""

import asyncio

import structlog

from clarion.errors import Overloaded
from clarion.journal.port import ACCEPTED_PREFIX, Journal, accepted_lane

log = structlog.get_logger(__name__)

_PAUSE_SECONDS = 0.25


class Backlog:
    """What waits in the accepted lane of each environment, against the most that may.

    `over` are the lanes that hold more, as of the last look.
    """

    def __init__(self, journal: Journal, limit: int) -> None:
        self._journal = journal
        self.limit = limit
        self.over: frozenset[str] = frozenset()
        self._blind = False

    def check(self, environment_id: str) -> None:
        """`Overloaded` while the environment's backlog is over its limit."""
        if self.over and accepted_lane(environment_id) in self.over:
            raise Overloaded(
                f"More than {self.limit} records of this environment's accepted triggers wait, so nothing of"
                " this call was accepted; try again in a second",
                headers={"Retry-After": "1"},
            )

    async def look(self) -> None:
        """Count, up to one more than may wait."""
        lanes = await self._journal.lanes(ACCEPTED_PREFIX)
        over = frozenset([lane for lane in lanes if await self._is_over(lane)])
        for lane in sorted(over - self.over):
            log.warning("backlog over its limit, triggers are refused", lane=lane, limit=self.limit)
        for lane in sorted(self.over - over):
            log.info("backlog within its limit, triggers are accepted again", lane=lane, limit=self.limit)
        self.over = over

    async def _is_over(self, lane: str) -> bool:
        return await self._journal.depth(lane, self.limit + 1) > self.limit

    async def watch(self) -> None:
        """Look four times a second until cancelled; what can't be counted stays as it was."""
        while True:
            try:
                await self.look()
                self._blind = False
            except Exception as error:
                self._note_blindness(error)
            await asyncio.sleep(_PAUSE_SECONDS)

    def _note_blindness(self, error: Exception) -> None:
        """Once per outage: appending fails by itself meanwhile, with an answer of its own."""
        if not self._blind:
            log.warning("backlog can't be counted, trying again", error=f"{type(error).__name__}: {error}")
        self._blind = True
