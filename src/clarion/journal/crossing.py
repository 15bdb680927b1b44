"""The crossing between the step runner, whose records stand in the database, and the journal that the
deliveries go to, wherever that is.

A run and its next turn become true in one commit. Where the journal is in the database too, all of it is one
change; where it is not, deliveries wait in the database until they are in the journal.
"""

from collections import deque
from collections.abc import Sequence

import msgspec
from sqlalchemy.engine import Connection

from clarion.journal.port import CROSSING_LANE, Batch, Journal, Record
from clarion.journal.sql import SqlJournal, append_in


class _Crossing(msgspec.Struct, frozen=True):
    """A journal record: what is to be added to the other journal."""

    lane: str
    body: bytes
    not_before: int


class Crossing:
    """`inner` holds the turns of runs, `outer` everything else; they may be the same."""

    def __init__(self, inner: SqlJournal, outer: Journal) -> None:
        self.inner = inner
        self._outer = outer
        self._told: deque[str] = deque()

    def runs(self, connection: Connection, records: Sequence[Record]) -> Sequence[Record]:
        """Add records of the step runner in a change of the outer journal; what is left for it to add."""
        if self._outer is self.inner:
            return records
        append_in(connection, records)
        self._told.extend(record.lane for record in records)
        return ()

    def deliveries(self, records: Sequence[Record]) -> Sequence[Record]:
        """Records for the outer journal, as the inner one takes them."""
        if self._outer is self.inner:
            return records
        return [Record(CROSSING_LANE, msgspec.msgpack.encode(_Crossing(*record))) for record in records]

    def ring(self) -> None:
        """Wake who waits for what was committed; without it they see it within half a second."""
        while self._told:
            self.inner.ring(self._told.popleft())

    async def work(self, batch: Batch) -> None:
        """Take a record across. After a crash it may go twice: a device shows what it holds once."""
        found = msgspec.msgpack.decode(batch.body, type=_Crossing)
        await self._outer.append([Record(found.lane, found.body, found.not_before)])
        await self.inner.settle(batch, lambda _: ())
