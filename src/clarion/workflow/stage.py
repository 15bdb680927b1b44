"""The step runner: lets runs take their turns, and ends those of cancelled triggers."""

from collections.abc import Sequence
from typing import Protocol

import msgspec
from sqlalchemy.engine import Connection

from clarion.journal.crossing import Crossing
from clarion.journal.port import Batch, Record
from clarion.model.clock import Clock
from clarion.model.run import Recall, Turns
from clarion.store.catalog import Catalog, CatalogChanged, Snapshot, check_current
from clarion.workflow.course import Course
from clarion.workflow.planner import Planner
from clarion.workflow.spans import trace
from clarion.workflow.turns import TurnTaker


class RunStage:
    """Works on the turns of runs."""

    def __init__(self, catalog: Catalog, clock: Clock, planner: Planner, crossing: Crossing) -> None:
        self._catalog = catalog
        self._clock = clock
        self._planner = planner
        self._crossing = crossing

    async def work(self, batch: Batch) -> None:
        """Let runs take their turn: what they come to, and what is due next, become true at once."""
        await self.work_together((batch,))

    async def work_together(self, batches: Sequence[Batch]) -> None:
        """The same for several records of one lane in one pass."""
        records = [msgspec.msgpack.decode(batch.body, type=Turns) for batch in batches]
        turns = [turn for record in records for turn in record.turns]
        environment_id = records[0].environment_id
        taken: Sequence[Course] = ()

        def change(connection: Connection, snapshot: Snapshot) -> Sequence[Record]:
            nonlocal taken
            taker = self._taker(connection, snapshot, environment_id)
            deliveries, further = taker.take(turns)
            taken = taker.taken
            return [*self._crossing.deliveries(deliveries), *further]

        await self._settle(batches, change)
        trace(taken)

    async def recall(self, batch: Batch) -> None:
        """End the runs of a cancelled trigger."""
        asked = msgspec.msgpack.decode(batch.body, type=Recall)

        def change(connection: Connection, snapshot: Snapshot) -> Sequence[Record]:
            taker = self._taker(connection, snapshot, asked.environment_id)
            return taker.recall(asked.trigger_id, asked.after)

        await self._settle((batch,), change)

    def _taker(self, connection: Connection, snapshot: Snapshot, environment_id: str) -> TurnTaker:
        return TurnTaker(connection, snapshot, self._planner, environment_id, self._clock())

    async def _settle(self, batches: Sequence[Batch], change: "_Change") -> None:
        """Make a change true that is decided on by a catalog that is no older than it."""
        snapshot = self._catalog.snapshot

        def current(connection: Connection) -> Sequence[Record]:
            check_current(connection, snapshot)
            return change(connection, snapshot)

        try:
            await self._crossing.inner.settle_all(batches, current)
        except CatalogChanged:
            await self._catalog.current()
            await self._settle(batches, change)


class _Change(Protocol):
    def __call__(self, connection: Connection, snapshot: Snapshot) -> Sequence[Record]: ...
