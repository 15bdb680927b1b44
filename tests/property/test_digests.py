"""Digests and throttles against models of them: nothing is lost, told twice or told too often, whatever is
cancelled, dies half way, or happens at once."""

import asyncio
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from clarion.journal.port import run_lane
from clarion.model.clock import MINUTE, SECOND
from clarion.store.sqlite import SqliteDatabase
from embedded_files import put_embedded
from flows import accept, bodies, later, make, push, step
from pipeline import Pipeline

WINDOW = 5 * MINUTE
MOST, SPAN = 3, 10 * MINUTE
PEOPLE = st.sampled_from(["ada", "bob"])
KEYS = st.sampled_from([1, 2])
SAID = "{{payload.key}}:{{step.total_count}}:{% for e in step.events %}{{e.payload.n}},{% endfor %}"


class Machine(RuleBasedStateMachine):
    """A pipeline worked by hand, on an embedded database."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.database = SqliteDatabase(put_embedded(Path(self.folder.name) / "clarion.db"))
        self.pipeline = Pipeline(self.database)
        self.number = 0

    async def begun(self) -> None:
        await self.pipeline.begin()
        await self.pipeline.register_all({"ada": ["ada"], "bob": ["bob"]})

    async def triggered(self, name: str, key: int) -> str:
        self.number += 1
        self.pipeline.clock.now += 1
        return await accept(self.pipeline, name, payload={"n": self.number, "key": key})

    async def died(self) -> None:
        """A process takes up what is due and dies; another takes its place."""
        await self.pipeline.worker.journal.claim(run_lane(self.pipeline.environment_id, bulk=False), 10)
        await self.pipeline.restart()

    async def by_two(self) -> None:
        """Two processes take turns at once."""
        await self.pipeline.address()
        lane = run_lane(self.pipeline.environment_id, bulk=False)
        workers = [self.pipeline.worker, self.pipeline.another_worker()]
        await asyncio.gather(*(self._by(worker, lane) for worker in workers))

    async def _by(self, worker: object, lane: str) -> None:
        assert isinstance(worker, type(self.pipeline.worker))
        for batch in await worker.journal.claim(lane, 1):
            await worker.runs.work(batch)

    def teardown(self) -> None:
        try:
            self.runner.run(self.ended())
        finally:
            self.runner.run(self.database.close())
            self.runner.close()
            self.folder.cleanup()

    async def ended(self) -> None:
        raise NotImplementedError


class Digests(Machine):
    """Each event that isn't cancelled is told once, in the digest of the time it came in."""

    def __init__(self) -> None:
        super().__init__()
        self.open: dict[tuple[str, int], tuple[int, list[int]]] = {}
        self.expected: dict[str, list[str]] = defaultdict(list)
        self.transactions: dict[int, tuple[str, str, int]] = {}

    @initialize()
    def begin(self) -> None:
        gather = step("gather", "digest", amount=5, unit="minutes", digestKey="payload.key")
        self.runner.run(self.begun())
        self.runner.run(make(self.pipeline, gather, push(body=SAID)))

    @rule(name=PEOPLE, key=KEYS, dies=st.booleans())
    def happen(self, name: str, key: int, dies: bool) -> None:
        self.runner.run(self._happen([(name, key)], dies=dies))

    @rule(name=PEOPLE, key=KEYS)
    def happen_at_once(self, name: str, key: int) -> None:
        self.runner.run(self._happen([(name, key), (name, key)], dies=False))

    @rule(minutes=st.integers(1, 6))
    def wait(self, minutes: int) -> None:
        self.runner.run(self._wait(minutes * MINUTE))

    @rule(place=st.integers(0, 5))
    def cancel(self, place: int) -> None:
        waiting = [number for _, numbers in self.open.values() for number in numbers]
        if place < len(waiting):
            self.runner.run(self._cancel(waiting[place]))

    async def _happen(self, events: list[tuple[str, int]], *, dies: bool) -> None:
        self.pipeline.clock.now += SECOND
        await self._close()
        for name, key in events:
            transaction = await self.triggered(name, key)
            self.transactions[self.number] = (transaction, name, key)
            now = self.pipeline.clock.now
            self.open.setdefault((name, key), (now, []))[1].append(self.number)
        if dies:
            await self.pipeline.address()
            await self.died()
        elif len(events) > 1:
            await self.by_two()
        await self.pipeline.drain()
        # a digest opens when its first run takes its turn, not when its trigger is accepted
        for name, key in events:
            _, numbers = self.open[name, key]
            if numbers[-len(events) :] == numbers:
                self.open[name, key] = (self.pipeline.clock.now, numbers)
        self._look()

    async def _wait(self, span: int) -> None:
        await later(self.pipeline, span)
        await self._close()
        self._look()

    async def _cancel(self, number: int) -> None:
        transaction, name, key = self.transactions[number]
        assert await self.pipeline.cancel(transaction)
        await self.pipeline.drain()
        _, numbers = self.open[name, key]
        numbers.remove(number)
        if not numbers:
            del self.open[name, key]
        self._look()

    async def _close(self) -> None:
        """The digests whose time is over."""
        await self.pipeline.drain()
        for (name, key), (began, numbers) in list(self.open.items()):
            if self.pipeline.clock.now >= began + WINDOW:
                del self.open[name, key]
                listed = "".join(f"{number}," for number in numbers)
                self.expected[name].append(f"{key}:{len(numbers)}:{listed}")

    def _look(self) -> None:
        for name in ("ada", "bob"):
            assert sorted(bodies(self.pipeline, name)) == sorted(self.expected[name])

    async def ended(self) -> None:
        await self._wait(WINDOW)
        assert not self.open
        await self.pipeline.balanced()


class Throttles(Machine):
    """So many in any window, and never fewer than might be."""

    def __init__(self) -> None:
        super().__init__()
        self.passed: dict[tuple[str, int], list[int]] = defaultdict(list)
        self.expected: dict[str, int] = defaultdict(int)

    @initialize()
    def begin(self) -> None:
        cap = step(
            "cap", "throttle", amount=10, unit="minutes", threshold=MOST, throttleKey="{{payload.key}}"
        )
        self.runner.run(self.begun())
        self.runner.run(make(self.pipeline, cap, push(body="x")))

    @rule(name=PEOPLE, key=KEYS, dies=st.booleans(), minutes=st.integers(0, 4))
    def happen(self, name: str, key: int, dies: bool, minutes: int) -> None:
        self.runner.run(self._happen(name, key, minutes, dies=dies))

    async def _happen(self, name: str, key: int, minutes: int, *, dies: bool) -> None:
        self.pipeline.clock.now += minutes * MINUTE
        await self.triggered(name, key)
        if dies:
            await self.pipeline.address()
            await self.died()
        await self.pipeline.drain()
        now = self.pipeline.clock.now
        recent = [at for at in self.passed[name, key] if at > now - SPAN]
        if len(recent) < MOST:
            self.passed[name, key].append(now)
            self.expected[name] += 1
        assert len(bodies(self.pipeline, name)) == self.expected[name]

    async def ended(self) -> None:
        await self.pipeline.balanced()


TestDigests = Digests.TestCase
TestDigests.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)
TestThrottles = Throttles.TestCase
TestThrottles.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)
