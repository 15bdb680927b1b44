"""Back-pressure: while too much that was accepted waits for its turn, nothing more is accepted."""

import asyncio

import structlog

from clarion.errors import Overloaded
from clarion.journal.port import ACCEPTED_LANE, Journal

log = structlog.get_logger(__name__)

_PAUSE_SECONDS = 0.25


class Backlog:
    """What waits in the accepted lane, against the most that may. `over` is as of the last look."""

    def __init__(self, journal: Journal, limit: int) -> None:
        self._journal = journal
        self.limit = limit
        self.over = False
        self._blind = False

    def check(self) -> None:
        """`Overloaded` while the backlog is over its limit."""
        if self.over:
            raise Overloaded(
                f"More than {self.limit} records of accepted triggers wait, so nothing of this call was"
                " accepted; try again in a second",
                headers={"Retry-After": "1"},
            )

    async def look(self) -> None:
        """Count, up to one more than may wait."""
        over = await self._journal.depth(ACCEPTED_LANE, self.limit + 1) > self.limit
        if over and not self.over:
            log.warning("backlog over its limit, triggers are refused", limit=self.limit)
        elif self.over and not over:
            log.info("backlog within its limit, triggers are accepted again", limit=self.limit)
        self.over = over

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
