"""The reading end of the live feed in one process: one look at the database for all who listen here."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import structlog
from sqlalchemy.engine import Connection

from clarion.api.live_tail import Tail
from clarion.errors import Overloaded
from clarion.journal.feed import Feed
from clarion.model.clock import SECOND, Clock, Millis
from clarion.store import live
from clarion.store.catalog import Catalog, Snapshot
from clarion.store.database import Database
from clarion.store.live import LiveEvent

log = structlog.get_logger(__name__)

MOST_LISTENERS = 500
"""In one process."""

MOST_WAITING = 256
"""Frames for one listener: who is slower than that is dropped and may come back for what was missed."""

MOST_FOLLOWED = 20
"""Broadcasts whose progress is told at a time."""

_LOOK_SECONDS = 0.25
_RENEW_EVERY: Millis = live.LEASE // 3
_MOST_READ = 5000
_TOLD_EVERY: Millis = SECOND
_SPARE = 10
"""Of the time, a ninth at most goes into counting a broadcast."""


class Frame(NamedTuple):
    """One event as it is sent; without a number it can't be resumed from."""

    event: str
    data: bytes
    seq: int | None = None


class Listener:
    """One who listens to an environment."""

    def __init__(self, environment_id: str) -> None:
        self.environment_id = environment_id
        self.ended = False
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue(MOST_WAITING)
        self._seen: set[int] = set()

    async def next(self, seconds: float) -> Frame | None:
        """The next frame; None when there was none for so long, or when there will be none any more."""
        try:
            return await asyncio.wait_for(self._frames.get(), seconds)
        except TimeoutError:
            return None

    def push(self, frame: Frame) -> None:
        """Give it a frame; one that is full has ended."""
        if self.ended or frame.seq in self._seen:
            return
        try:
            self._frames.put_nowait(frame)
        except asyncio.QueueFull:
            self.ended = True

    def missed(self, frames: list[Frame]) -> None:
        """Give it what it missed, which it won't be given again."""
        for frame in frames:
            self.push(frame)
        self._seen = {frame.seq for frame in frames if frame.seq is not None}

    def end(self) -> None:
        """Let it finish what it has, and no more."""
        self.ended = True
        if not self._frames.full():
            self._frames.put_nowait(None)


class Shown(NamedTuple):
    """How events read: as frames, and which broadcasts they are part of."""

    frames: list[Frame]
    broadcasts: list[str]


class Words(NamedTuple):
    """What the hub leaves to others: the words of events, and how far a broadcast is, with whether it goes
    on."""

    shown: Callable[[Connection, Snapshot, LiveEvent], Shown]
    progress: Callable[[Connection, Snapshot, str, str, Millis], tuple[Any, bool]]


class _Followed(NamedTuple):
    """A broadcast under way: what was said of it last, and when it is looked at again."""

    said: bytes
    due: Millis


class Hub:
    """Looks for new events while anybody listens, and hands them round."""

    def __init__(self, database: Database, catalog: Catalog, clock: Clock, feed: Feed, words: Words) -> None:
        self._database = database
        self._catalog = catalog
        self._clock = clock
        self._feed = feed
        self._words = words
        self._listeners: set[Listener] = set()
        self._followed: dict[tuple[str, str], _Followed] = {}
        self._somebody = asyncio.Event()
        self._tail = Tail(0)
        self._renewed: dict[str, Millis] = {}

    def check_room(self) -> None:
        """`Overloaded` when too many listen."""
        if len(self._listeners) >= MOST_LISTENERS:
            raise Overloaded("Too many listen already: try again later", headers={"Retry-After": "30"})

    async def join(self, environment_id: str, last: str | None) -> Listener:
        """Listen to an environment, from the event on that was seen last; `gap` says that some is missing."""
        listener = Listener(environment_id)
        await self._renew(environment_id)
        await self._feed.look()
        newest = await self._database.read(live.newest)
        if not self._listeners:
            self._tail = Tail(newest)
        self._listeners.add(listener)
        self._somebody.set()
        if last is not None:
            await self._catch_up(listener, int(last) if last.isdecimal() and len(last) < 19 else -1)
        listener.push(Frame("ready", b"{}", newest if last is None else None))
        return listener

    def leave(self, listener: Listener) -> None:
        """Listen no more."""
        self._listeners.discard(listener)

    def close(self) -> None:
        """Let everybody go: the process ends."""
        for listener in self._listeners:
            listener.end()

    async def _catch_up(self, listener: Listener, seq: int) -> None:
        missed = await self._database.read(live.since, listener.environment_id, seq, MOST_WAITING // 2)
        if seq < 0 or not missed.whole:
            listener.push(Frame("gap", b"{}"))
            return
        listener.missed(await self._frames(missed.events))

    async def run(self) -> None:
        """Look again and again while anybody listens, until cancelled."""
        while True:
            await self._somebody.wait()
            while self._listeners:
                try:
                    await self._look()
                except Exception as error:
                    log.warning("live feed not read, trying again", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(_LOOK_SECONDS)
            self._somebody.clear()
            self._followed.clear()
            self._renewed.clear()

    async def _look(self) -> None:
        for environment_id in {listener.environment_id for listener in self._listeners}:
            if self._clock() - self._renewed.get(environment_id, 0) > _RENEW_EVERY:
                await self._renew(environment_id)
        read = await self._database.read(live.after, self._tail.floor, _MOST_READ)
        unseen = self._tail.unseen([event.seq for event in read], self._clock())
        heard = {listener.environment_id for listener in self._listeners}
        for event in read:
            if event.seq in unseen and event.environment_id in heard:
                self._hand_round(event.environment_id, await self._frames([event]))
        await self._tell_progress()

    async def _frames(self, events: list[LiveEvent]) -> list[Frame]:
        snapshot = await self._catalog.current()
        frames: list[Frame] = []
        for event in events:
            shown = await self._database.read(self._words.shown, snapshot, event)
            frames += shown.frames
            for transaction_id in shown.broadcasts:
                if len(self._followed) < MOST_FOLLOWED:
                    self._followed.setdefault((event.environment_id, transaction_id), _Followed(b"", 0))
        return frames

    async def _tell_progress(self) -> None:
        for place, followed in list(self._followed.items()):
            now = self._clock()
            if now < followed.due:
                continue
            snapshot = self._catalog.snapshot
            progress, goes_on = await self._database.read(self._words.progress, snapshot, *place, now)
            said, took = msgspec.json.encode(progress), self._clock() - now
            if said != followed.said:
                self._hand_round(place[0], [Frame("broadcast", said)])
            self._followed[place] = _Followed(said, now + max(_TOLD_EVERY, _SPARE * took))
            if not goes_on:
                del self._followed[place]

    def _hand_round(self, environment_id: str, frames: list[Frame]) -> None:
        for listener in list(self._listeners):
            if listener.environment_id == environment_id:
                for frame in frames:
                    listener.push(frame)
                if listener.ended:
                    log.info("a listener of the live feed was too slow and is dropped")
                    self.leave(listener)

    async def _renew(self, environment_id: str) -> None:
        self._renewed[environment_id] = self._clock()
        await self._database.write(live.watch, environment_id, self._clock())
