"""What JetStream adds to the journal kit: servers that die, publishes that come twice, many processes."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import nats.errors
import pytest
from sqlalchemy.engine import Connection

from clarion.errors import SettingsError, TooLarge
from clarion.journal.consumer import LaneConsumer
from clarion.journal.jetstream import JetStreamJournal
from clarion.journal.jetstream_link import MESSAGE_ID, Gone, Link, Message, Refused
from clarion.journal.jetstream_setup import connect
from clarion.journal.port import Batch, JournalUnavailable, Record, accepted_lane
from clarion.journal.summary import JournalSummary
from clarion.model.clock import SECOND, system_clock
from clarion.model.ids import new_id
from clarion.model.trigger import Accepted
from clarion.store.sqlite import SqliteDatabase
from nats_servers import SHORT_LEASE, NatsServer, cluster, free_port, jetstream_journal, running
from pushing import trigger

LEASE_SECONDS = (SHORT_LEASE + 300) / 1000

ACCEPTED = accepted_lane("e1")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    with running([NatsServer(tmp_path)]) as (started,):
        yield started


def handing_on(*bodies: bytes) -> Callable[[Connection], Sequence[Record]]:
    return lambda _: [Record("next", body) for body in bodies]


async def only(journal: JetStreamJournal, lane: str) -> Batch:
    (batch,) = await journal.claim(lane, 10)
    return batch


async def in_time(attempt: Callable[[], Awaitable[object]], seconds: float) -> float:
    """Seconds until the attempt works, tried again and again."""
    start = time.monotonic()
    while True:
        try:
            await attempt()
            return time.monotonic() - start
        except JournalUnavailable:
            assert time.monotonic() - start < seconds
            await asyncio.sleep(0.05)


async def test_what_was_appended_survives_a_killed_server(
    server: NatsServer, embedded: SqliteDatabase
) -> None:
    async with jetstream_journal(server.url, embedded, prefix="kept") as journal:
        later = system_clock() + 2 * SECOND
        await journal.append([Record("a", b"1"), Record("a", b"2"), Record("a", b"later", later)])
        await journal.append([Record("b", str(n).encode(), later) for n in range(2000)])
        server.kill()
    server.start()
    async with jetstream_journal(server.url, embedded, prefix="kept") as journal:
        assert [batch.body for batch in await journal.claim("a", 10)] == [b"1", b"2"]
        await asyncio.sleep((later - system_clock() + SECOND) / 1000)
        assert b"later" in [batch.body for batch in await journal.claim("a", 10)]
        claimed: set[bytes] = set()  # under load some come again: their lease is short
        async with asyncio.timeout(15):
            while len(claimed) < 2000:
                claimed |= {batch.body for batch in await journal.claim("b", 3000)}
        assert claimed == {str(n).encode() for n in range(2000)}


@pytest.mark.parametrize("end", [NatsServer.kill, NatsServer.stop])
async def test_a_consumer_goes_on_after_an_outage(
    server: NatsServer, embedded: SqliteDatabase, end: Callable[[NatsServer], None]
) -> None:
    done: asyncio.Queue[bytes] = asyncio.Queue()

    async def work(batch: Batch) -> None:
        await journal.settle(batch, lambda _: ())
        done.put_nowait(batch.body)

    async with jetstream_journal(server.url, embedded, patience=1) as journal, asyncio.timeout(20):
        consumer = asyncio.create_task(LaneConsumer(journal, system_clock, "a", work, slots=4).run())
        await journal.append([Record("a", b"before")])
        assert await done.get() == b"before"
        end(server)
        with pytest.raises(JournalUnavailable, match="did not confirm"):
            await journal.append([Record("a", b"refused")])
        server.start()
        await in_time(lambda: journal.append([Record("a", b"after")]), 10)
        assert await done.get() == b"after"
        consumer.cancel()
        await asyncio.gather(consumer, return_exceptions=True)


async def test_a_message_published_twice_is_one_record(server: NatsServer, embedded: SqliteDatabase) -> None:
    async with jetstream_journal(server.url, embedded, prefix="twice") as journal:
        link = Link(await connect(server.url, replicas=1, prefix="twice"), 5)
        one = Message("twice.a", b"1", {MESSAGE_ID: "one"})
        many = [
            Message("twice.a", b"2", {MESSAGE_ID: "two"}),
            Message("twice.a", b"3", {MESSAGE_ID: "three"}),
        ]
        for messages in ([one], [one], many, many):
            await link.publish(messages)
        assert [batch.body for batch in await journal.claim("a", 10)] == [b"1", b"2", b"3"]
        await link.client.close()


async def test_a_batch_that_was_handed_on_and_not_acknowledged_hands_on_once(
    server: NatsServer, embedded: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object) -> None:
        raise Gone

    async with jetstream_journal(server.url, embedded) as journal:
        await journal.append([Record("a", b"1")])
        batch = await only(journal, "a")
        with monkeypatch.context() as patch:
            patch.setattr(Link, "answer", dies)
            with pytest.raises(Gone):
                await journal.settle(batch, handing_on(b"first", b"second"))
        await asyncio.sleep(LEASE_SECONDS)
        await journal.settle(await only(journal, "a"), handing_on(b"second"))
        assert [batch.body for batch in await journal.claim("next", 10)] == [b"first", b"second"]
        assert await journal.lanes("") == {"next"}


async def test_a_settle_after_the_lease_went_to_another_process_hands_on_once(
    server: NatsServer, embedded: SqliteDatabase
) -> None:
    async with (
        jetstream_journal(server.url, embedded, prefix="two") as slow,
        jetstream_journal(server.url, embedded, prefix="two") as fast,
    ):
        await slow.append([Record("a", b"1")])
        late = await only(slow, "a")
        await asyncio.sleep(LEASE_SECONDS)
        taken_over = await only(fast, "a")
        await slow.settle(late, handing_on(b"late"))
        await fast.settle(taken_over, handing_on(b"in time", b"and more"))
        assert [batch.body for batch in await fast.claim("next", 10)] == [b"late"]
        assert await fast.lanes("") == {"next"}


async def test_a_consumer_that_the_server_forgot_is_made_again(
    server: NatsServer, embedded: SqliteDatabase
) -> None:
    async with jetstream_journal(server.url, embedded, prefix="idle") as journal:
        link = Link(await connect(server.url, replicas=1, prefix="idle"), 5)
        await journal.append([Record("a", b"1"), Record("a", b"2")])
        for body in (b"1", b"2"):
            (batch,) = await journal.claim("a", 1)
            await journal.settle(batch, lambda _: ())
            assert batch.body == body
            await link.call("CONSUMER.DELETE.idle.a")
        await link.client.close()


async def test_what_was_taken_ahead_is_given_back_at_the_end(
    server: NatsServer, embedded: SqliteDatabase
) -> None:
    async with jetstream_journal(server.url, embedded, prefix="ahead") as journal:
        await journal.append([Record("a", b"1")])
        await journal.wait("a")
    async with jetstream_journal(server.url, embedded, prefix="ahead") as journal:
        assert (await only(journal, "a")).claims == 2


@pytest.mark.soak
async def test_a_cluster_goes_on_without_one_node_and_then_without_another(
    tmp_path: Path, embedded: SqliteDatabase
) -> None:
    """A leader's death is followed by an election of 4 to 9 s, which no setting of the server shortens."""
    nodes = cluster(tmp_path)
    with running(nodes):
        urls = ",".join(node.url for node in nodes)
        async with jetstream_journal(urls, embedded, replicas=3, prefix="three") as journal:
            link = Link(await connect(urls, replicas=3, prefix="three"), 5)

            async def passes() -> None:
                await journal.append([Record("a", b"new")])
                for batch in await journal.claim("a", 1):
                    await journal.settle(batch, handing_on(batch.body))

            await passes()
            await journal.append([Record("kept", b"1", system_clock() + 20 * SECOND), Record("kept", b"2")])
            for led, seconds in ((False, 5), (True, 20)):
                leaders = await in_step(link)
                node = next(node for node in nodes if (node.name in leaders) == led)
                node.kill()
                await in_time(passes, seconds)
                node.start()
            await in_step(link)
            assert await journal.depth("kept", 5) == 2
            assert await journal.depth("next", 5) == 3
            await link.client.close()


async def in_step(link: Link) -> set[str]:
    """Names of the nodes that lead, once every node has everything."""
    async with asyncio.timeout(30):
        while True:
            try:
                infos = [await link.call(ask) for ask in ("STREAM.INFO.three", "CONSUMER.INFO.three.a")]
            except (Refused, nats.errors.Error):
                infos = []
            groups = [info["cluster"] for info in infos]
            if groups and all(_complete(group) for group in groups):
                return {group["leader"] for group in groups}
            await asyncio.sleep(0.1)


def _complete(group: dict[str, Any]) -> bool:
    replicas = group.get("replicas") or []
    return bool(group.get("leader")) and sum(replica["current"] for replica in replicas) == 2


async def test_a_record_that_no_message_holds_is_refused(
    server: NatsServer, embedded: SqliteDatabase
) -> None:
    async with jetstream_journal(server.url, embedded) as journal:
        with pytest.raises(TooLarge, match="raise its max_payload"):
            await journal.append([Record("a", bytes(9_000_000))])


async def test_servers_that_cannot_hold_the_journal_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no NATS server of CLARION_JOURNAL_URL"):
        await connect(f"nats://127.0.0.1:{free_port()}", replicas=1, seconds=0.5)
    with running(
        [
            NatsServer(tmp_path, "one"),
            NatsServer(tmp_path, "bare", config="max_payload: 8MB"),
            NatsServer(tmp_path, "small", config=f'jetstream {{ store_dir: "{tmp_path}/small" }}'),
        ]
    ) as (one, bare, small):
        for url, replicas, reason in (
            (one.url, 3, "CLARION_JOURNAL_REPLICAS=3"),
            (bare.url, 1, "switch on JetStream"),
            (small.url, 1, "set max_payload: 8MB"),
        ):
            with pytest.raises(SettingsError, match=reason):
                await connect(url, replicas=replicas, seconds=1)


async def test_a_password_of_the_address_is_not_in_the_error(tmp_path: Path) -> None:
    url = f"nats://me:secret@127.0.0.1:{free_port()}"
    with pytest.raises(SettingsError) as caught:
        await connect(url, replicas=1, seconds=0.3)
    assert "secret" not in str(caught.value)


async def test_preparing_adds_what_is_missing_and_keeps_the_rest(server: NatsServer) -> None:
    link = Link(await connect(server.url, replicas=1, prefix="kept"), 5)
    present = (await link.call("STREAM.INFO.kept"))["config"]
    await link.call("STREAM.UPDATE.kept", {**present, "description": "mine", "subjects": ["kept.>", "extra"]})
    for _ in range(2):
        await (await connect(server.url, replicas=1, prefix="kept")).close()
    config = (await link.call("STREAM.INFO.kept"))["config"]
    assert config["description"] == "mine"
    assert config["subjects"] == ["kept.>", "extra", "kept_later.>"]
    await link.client.close()


async def test_operators_see_what_is_due_leased_delayed_and_parked(
    server: NatsServer, embedded: SqliteDatabase
) -> None:
    def accepted(at: int) -> Record:
        body = msgspec.msgpack.encode(Accepted([trigger("ada", id=new_id(at))]))
        return Record(ACCEPTED, body)

    now = system_clock()
    async with jetstream_journal(server.url, embedded) as journal:
        assert await journal.summary() == JournalSummary([], 0)
        await journal.append([accepted(now - 9 * SECOND), accepted(now - SECOND), accepted(now)])
        await journal.append([Record("deliver:i1", b"x", now + 60 * SECOND), Record("fresh", b"y")])
        batches = await journal.claim(ACCEPTED, 2)
        assert await journal.claim("deliver:i1", 1) == []
        summary = await journal.summary()
        assert [lane[:4] for lane in summary.lanes] == [
            (ACCEPTED, 3, 1, 2),
            ("deliver:i1", 1, 0, 0),
            ("fresh", 1, 1, 0),
        ]
        assert 9 * SECOND <= (summary.lanes[0].oldest or 0) < 60 * SECOND
        assert summary.lanes[1].oldest is None
        await journal.park(batches[0], "ValueError: no")
        parked = await journal.summary()
        assert (parked.parked, parked.lanes[0][:4]) == (1, (ACCEPTED, 2, 1, 1))
