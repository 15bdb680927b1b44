"""The journal on NATS JetStream: records are messages of one stream, a lane is a subject with its consumer.

The state is in the database and the records are on the NATS servers, so settling is three steps, each
durable before the next: the change, the records it hands on, the acknowledgement. Who dies in between is
redelivered to somebody else, who does the work again: the stages name things by derived ids, so the change
comes to the same, and the records are one atomic batch under ids derived from the message, which the server
takes once (within `DUPLICATES`, five minutes).
"""

import asyncio
import json
import secrets
import sys
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from clarion.journal.jetstream_link import (
    ACK,
    MESSAGE_ID,
    MOST_AT_ONCE,
    NAK,
    PROGRESS,
    TERM,
    Gone,
    Link,
    Message,
    Refused,
    Stored,
)
from clarion.journal.jetstream_names import Names, consumer_name
from clarion.journal.port import (
    ALL_PARKED,
    MOST_PARKED,
    Batch,
    Change,
    JournalUnavailable,
    LeaseLost,
    Parked,
    ParkedFilter,
    Record,
)
from clarion.journal.sql import LEASE
from clarion.journal.summary import JournalSummary, LaneSummary, accepted_at
from clarion.model.clock import Clock, Millis, iso
from clarion.store.database import Database

log = structlog.get_logger(__name__)

MOST_SCANNED = 1000
"""Messages that `matching` looks at: each is one request to the servers."""

_PATIENCE = 10.0
"""Seconds; longer than the servers take to elect a leader after one died."""

_LONGEST_WAIT = 0.5
_MOST_ERROR = 1000
_PAST_THE_LAST = 1_000_000_000

_LANE, _ERROR, _CLAIMS, _PARKED_AT = "Clarion-Lane", "Clarion-Error", "Clarion-Claims", "Clarion-Parked-At"


class JetStreamJournal:
    """The journal on the servers that `client` is connected to, whose streams `jetstream_setup` has made."""

    transactional = False

    def __init__(
        self,
        client: Client,
        database: Database,
        clock: Clock,
        *,
        prefix: str = "clarion",
        lease: Millis = LEASE,
        patience: float = _PATIENCE,
    ) -> None:
        self._link = Link(client, patience)
        self._database = database
        self._clock = clock
        self._names = Names(prefix)
        self._lease = lease
        self._consumers: set[str] = set()
        self._leases: dict[int, str] = {}
        self._ahead: dict[str, list[tuple[Msg, float]]] = {}
        self._bells: dict[str, asyncio.Event] = {}

    async def append(self, records: Sequence[Record]) -> None:
        await self._publish(records, secrets.token_hex(12))

    async def append_with(self, change: Change) -> None:
        """Not possible: the change is in the database, and the records are not."""
        raise NotImplementedError

    async def lanes(self, prefix: str) -> set[str]:
        """Lanes that hold records which are due or leased; delayed ones show once they are due."""
        info = await self._stream_info(self._names.below(prefix))
        lanes = map(self._names.lane, info["state"].get("subjects") or {})
        return {lane for lane in lanes if lane.startswith(prefix)}

    async def claim(self, lane: str, most: int) -> list[Batch]:
        messages = self._taken_ahead(lane, most)
        if not messages:
            messages = await self._pull(lane, most, 0)
        return [self._batch(lane, message) for message in messages]

    async def renew(self, *batches: Batch) -> None:
        for batch in batches:
            self._must_hold(batch)
            await self._link.answer(batch.lease, PROGRESS)

    async def settle(self, batch: Batch, change: Change) -> None:
        """`LeaseLost` when this process leased the batch anew; if another did, both settle, to one effect."""
        self._must_hold(batch)
        records = await self._database.write(change)
        await self._publish(records, str(batch.id), recomputed=True)
        await self._end(batch, ACK)

    async def settle_all(self, batches: Sequence[Batch], change: Change) -> None:
        """Not possible: what a batch hands on is told from a repetition by the batch it came from."""
        (batch,) = batches
        await self.settle(batch, change)

    async def put_back(self, batch: Batch, error: str, not_before: Millis) -> None:
        """The error goes to the log: a message can't be changed."""
        if not self._holds(batch):
            return
        log.info("batch put back", lane=batch.lane, batch=batch.id, claims=batch.claims, error=error)
        nanos = max(not_before - self._clock(), 1) * 1_000_000
        await self._end(batch, NAK + b" " + msgspec.json.encode({"delay": nanos}))

    async def park(self, batch: Batch, error: str) -> None:
        if not self._holds(batch):
            return
        message = Message(self._names.parked, batch.body, _tag(batch, error, self._clock()))
        await self._link.publish([message])
        await self._end(batch, TERM)

    async def parked(
        self, after: int = 0, most: int = MOST_PARKED, wanted: ParkedFilter = ALL_PARKED
    ) -> list[Parked]:
        """Looks at one after the other, also where few fit."""
        name = self._names.parked
        found: list[Parked] = []
        async with aclosing(self._link.scan(name, name, sys.maxsize, after)) as messages:
            while len(found) < most and (stored := await anext(messages, None)) is not None:
                one = _parked(stored)
                found += [one] if wanted.fits(one) else []
        return found

    async def replay(self, parked_id: int) -> bool:
        stored = await self._link.get(self._names.parked, parked_id)
        if stored is None:
            return False
        await self._publish([Record(_parked(stored).lane, stored.body)], f"replay-{parked_id}")
        await self._forget(parked_id)
        return True

    async def depth(self, lane: str, most: int) -> int:
        subject = self._names.subject(lane)
        info = await self._stream_info(subject)
        due: int = (info["state"].get("subjects") or {}).get(subject, 0)
        if due < most:
            due += await self._delayed(lane)
        return min(due, most)

    async def matching(self, lane: str, text: str) -> list[bytes]:
        """Looks at the oldest 1,000 records of the lane, without those that wait for their time."""
        subject, wanted = self._names.subject(lane), text.encode()
        async with aclosing(self._link.scan(self._names.stream, subject, MOST_SCANNED)) as messages:
            return [stored.body async for stored in messages if wanted in stored.body]

    async def summary(self) -> JournalSummary:
        """How the journal stands, for operators. A batch that rests after a failure counts as leased."""
        waiting = {lane: _Held(due=count) for lane, count in (await self._waiting()).items()}
        found = {**waiting, **await self._consumed()}
        lanes = [await self._lane_summary(lane, found[lane]) for lane in sorted(found)]
        parked = await self._link.insist(lambda: self._link.call(f"STREAM.INFO.{self._names.parked}"))
        return JournalSummary([lane for lane in lanes if lane.records], parked["state"]["messages"])

    async def _waiting(self) -> dict[str, int]:
        """Records of each lane that are due or leased."""
        info = await self._stream_info(self._names.below(""))
        subjects: dict[str, int] = info["state"].get("subjects") or {}
        return {self._names.lane(subject): count for subject, count in subjects.items()}

    async def _consumed(self) -> dict[str, "_Held"]:
        """What each lane that was ever claimed from holds, as its consumer has it."""
        found: dict[str, _Held] = {}
        action, offset, total = f"CONSUMER.LIST.{self._names.stream}", 0, 1
        while offset < total:
            ask = {"offset": offset}
            page = await self._link.insist(partial(self._link.call, action, ask))
            for consumer in page["consumers"]:
                lane = self._names.lane(consumer["config"]["filter_subject"])
                found[lane] = _Held(consumer["num_pending"], consumer["num_ack_pending"])
            offset, total = offset + max(len(page["consumers"]), 1), page["total"]
        return found

    async def _lane_summary(self, lane: str, held: "_Held") -> LaneSummary:
        delayed = await self._delayed(lane)
        subject = self._names.subject(lane) if held.due or held.leased else self._names.later(lane, "*")
        oldest = await self._link.first(self._names.stream, subject)
        since = accepted_at(oldest.body) if oldest else None
        age = None if since is None else max(self._clock() - since, 0)
        return LaneSummary(lane, held.due + held.leased + delayed, held.due, held.leased, age)

    async def wait(self, lane: str) -> None:
        if lane.endswith(":") or not lane:
            await self._new_lane(lane)
        else:
            await self._take_ahead(lane)

    async def close(self) -> None:
        """Give back what was taken ahead and end the connection."""
        client = self._link.client
        for lane in list(self._ahead):
            for message in self._taken_ahead(lane, MOST_AT_ONCE):
                await client.publish(message.reply, NAK)
        await client.close()

    async def _publish(self, records: Sequence[Record], identity: str, *, recomputed: bool = False) -> None:
        """In atomic batches; more than one of them are not one change, so what each holds is in its ids."""
        if not records:
            return
        if recomputed and len(records) > MOST_AT_ONCE:
            identity += "-" + blake2b(msgspec.msgpack.encode(records), digest_size=8).hexdigest()
        messages = [self._message(record, f"{identity}-{place}") for place, record in enumerate(records)]
        for start in range(0, len(messages), MOST_AT_ONCE):
            await self._link.publish(messages[start : start + MOST_AT_ONCE])
        self._ring(records)

    def _message(self, record: Record, identity: str) -> Message:
        subject, headers = self._names.subject(record.lane), {MESSAGE_ID: identity}
        if record.not_before <= self._clock():
            return Message(subject, record.body, headers)
        schedule = {"Nats-Schedule": f"@at {iso(record.not_before)}", "Nats-Schedule-Target": subject}
        return Message(self._names.later(record.lane, identity), record.body, headers | schedule)

    async def _delayed(self, lane: str) -> int:
        """Delayed records: each has a subject of its own, and past the last page only their number comes."""
        total: int = (await self._stream_info(self._names.later(lane, "*"), _PAST_THE_LAST))["total"]
        return total

    async def _stream_info(self, subjects: str, offset: int = 0) -> dict[str, Any]:
        action, ask = f"STREAM.INFO.{self._names.stream}", {"subjects_filter": subjects, "offset": offset}
        return await self._link.insist(lambda: self._link.call(action, ask))

    async def _pull(self, lane: str, most: int, seconds: float) -> list[Msg]:
        async def attempt() -> list[Msg]:
            await self._ensure_consumer(lane)
            try:
                return await self._link.pull(self._names.stream, consumer_name(lane), most, seconds)
            except Gone:
                self._consumers.discard(lane)
                raise
            except Refused as refused:  # so many are leased or resting that the lane gives out no more
                log.warning("lane gives out nothing for now", lane=lane, error=str(refused))
                await asyncio.sleep(seconds)
                return []

        return await self._link.insist(attempt)

    async def _ensure_consumer(self, lane: str) -> None:
        if lane in self._consumers:
            return
        config = self._names.consumer(lane, self._lease)
        action = f"CONSUMER.CREATE.{self._names.stream}.{config['name']}.{config['filter_subject']}"
        await self._link.call(action, {"stream_name": self._names.stream, "config": config})
        self._consumers.add(lane)

    def _batch(self, lane: str, message: Msg) -> Batch:
        delivered = message.metadata
        sequence = delivered.sequence.stream
        self._leases[sequence] = message.reply
        return Batch(sequence, lane, message.data, delivered.num_delivered, message.reply)

    def _holds(self, batch: Batch) -> bool:
        """The server takes late answers too, so only a later lease of this process tells."""
        return self._leases.get(batch.id, batch.lease) == batch.lease

    def _must_hold(self, batch: Batch) -> None:
        if not self._holds(batch):
            raise LeaseLost("the lease ran out and the batch was handed out again")

    async def _end(self, batch: Batch, word: bytes) -> None:
        await self._link.answer(batch.lease, word)
        if self._holds(batch):
            self._leases.pop(batch.id, None)

    async def _forget(self, parked_id: int) -> None:
        action, which = f"STREAM.MSG.DELETE.{self._names.parked}", {"seq": parked_id, "no_erase": True}
        await self._link.insist(lambda: self._link.call(action, which))

    async def _take_ahead(self, lane: str) -> None:
        """Ask for the next record; where the servers don't answer, the claim that follows says so."""
        try:
            messages = await self._pull(lane, 1, _LONGEST_WAIT)
        except JournalUnavailable:
            return
        until = asyncio.get_running_loop().time() + self._lease / 2 / 1000
        self._ahead.setdefault(lane, []).extend((message, until) for message in messages)

    def _taken_ahead(self, lane: str, most: int) -> list[Msg]:
        """What `wait` took, unless so much of the lease has passed that it is better handed out anew."""
        waiting, now = self._ahead.pop(lane, []), asyncio.get_running_loop().time()
        if waiting[most:]:
            self._ahead[lane] = waiting[most:]
        return [message for message, until in waiting[:most] if now < until]

    async def _new_lane(self, prefix: str) -> None:
        bell = self._bells.setdefault(prefix, asyncio.Event())
        try:
            async with asyncio.timeout(_LONGEST_WAIT):
                await bell.wait()
        except TimeoutError:
            return
        bell.clear()

    def _ring(self, records: Sequence[Record]) -> None:
        for lane in {record.lane for record in records} - self._consumers:
            for prefix, bell in self._bells.items():
                if lane.startswith(prefix):
                    bell.set()


class _Held(NamedTuple):
    """Records of a lane that are not waiting for their time."""

    due: int
    leased: int = 0


def _tag(batch: Batch, error: str, now: Millis) -> dict[str, str]:
    """What is known of a parked record, in ASCII: headers hold one line."""
    return {
        MESSAGE_ID: f"parked-{batch.id}-{batch.claims}",
        _LANE: batch.lane,
        _ERROR: json.dumps(error[:_MOST_ERROR]),
        _CLAIMS: str(batch.claims),
        _PARKED_AT: str(now),
    }


def _parked(stored: Stored) -> Parked:
    headers = stored.headers
    error = msgspec.json.decode(headers[_ERROR], type=str)
    return Parked(stored.sequence, headers[_LANE], error, int(headers[_CLAIMS]), int(headers[_PARKED_AT]))
