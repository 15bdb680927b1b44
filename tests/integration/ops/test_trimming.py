"""What is said of pushes is forgotten before them, and what became of them stays."""

import asyncio
import base64
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import DAY, HOUR, MINUTE, SECOND, Millis, system_clock
from clarion.model.run import Run, RunState
from clarion.model.weeks import week_of
from clarion.ops import trimming
from clarion.ops.counting import count
from clarion.ops.trimming import Trimming
from clarion.store import hours, statistics
from clarion.store import runs as run_store
from clarion.store.activity import NotificationRow
from clarion.store.activity_search import NotificationFilter, find_notifications
from clarion.store.database import Database
from clarion.store.message_log import MessageFilter, MessageRow, find_messages
from clarion.store.sqlite import SqliteDatabase
from clarion.store.statistics import Stretch
from clarion.store.tables import messages, notifications, runs
from embedded_files import put_embedded
from pipeline import GONE, TROUBLE, Pipeline
from running import ClarionProcess, wait_for

KEPT = 2 * DAY
ANSWER = b'{"code": "token_invalid"}'


@pytest.fixture
async def pipeline(database: Database) -> Pipeline:
    """One that sent to a phone and to a tablet, which is gone, at the beginning of an hour."""
    made = Pipeline(database)
    made.clock.now = week_of(made.clock.now) + DAY + MINUTE
    await made.begin()
    await made.register("ada", "phone", "gone")
    made.sender.scripts = {"gone": [GONE]}
    await made.trigger("ada", "nobody")
    await made.drain()
    return made


def trimmed(pipeline: Pipeline, texts: Millis = 0, details: Millis = 0) -> Trimming:
    return Trimming(pipeline.database, pipeline.clock, texts, details, pause=0)


async def wait(pipeline: Pipeline, time: Millis) -> None:
    """Let time pass, with the hours counted on the way as they are."""
    for part in (min(2 * HOUR, time), max(time - 2 * HOUR, 0)):
        pipeline.clock.now += part
        await count(pipeline.database, pipeline.clock)


async def logged(pipeline: Pipeline) -> list[MessageRow]:
    """The message log."""
    wanted = MessageFilter(pipeline.environment_id)
    return await pipeline.database.read(find_messages, wanted, 0, 100)


async def feed(pipeline: Pipeline) -> list[NotificationRow]:
    """The activity feed."""
    wanted = NotificationFilter(pipeline.environment_id)
    return await pipeline.database.read(find_notifications, wanted, 0, 100)


async def stored(pipeline: Pipeline, *columns: str) -> set[tuple[object, ...]]:
    """Columns of all messages."""
    query = sa.select(*(messages.c[name] for name in columns))
    return {tuple(row) for row in await pipeline.database.read(lambda c: c.execute(query).all())}


async def counted(pipeline: Pipeline) -> list[tuple[str, int]]:
    """The statistics, counted anew."""
    time = Stretch(0, pipeline.clock.now + 1, DAY)
    found = await pipeline.database.read(lambda c: list(statistics.counted(c, pipeline.environment_id, time)))
    return sorted((one.status, one.number) for one in found)


async def test_texts_go_when_they_are_old_and_what_became_of_them_stays(pipeline: Pipeline) -> None:
    before, counts = await pipeline.balanced(), await counted(pipeline)
    pruner = trimmed(pipeline, texts=KEPT)
    await wait(pipeline, KEPT)
    assert await pruner.round() == {"texts": 0, "details": 0}, "the hour is not over for so long"
    assert len(await logged(pipeline)) == 2
    await wait(pipeline, HOUR)
    assert await pruner.round() == {"texts": 2, "details": 0}
    assert await logged(pipeline) == []
    assert await stored(pipeline, "title", "content", "raw") == {("", "", "")}
    assert {(row.status, row.code) for one in await feed(pipeline) for row in one.messages} == {
        ("delivered", ""),
        ("failed", "http_410"),
    }
    assert any(one.details for one in await feed(pipeline))
    assert await pipeline.balanced() == before
    assert await counted(pipeline) == counts
    assert await pruner.round() == {"texts": 0, "details": 0}


async def test_details_go_when_they_are_old_and_texts_and_outcomes_stay(pipeline: Pipeline) -> None:
    before, texts = await pipeline.balanced(), await stored(pipeline, "title", "content")
    assert ANSWER.decode() in {raw for (raw,) in await stored(pipeline, "raw")}
    pruner = trimmed(pipeline, details=KEPT)
    await wait(pipeline, KEPT + HOUR)
    done = await pruner.round()
    assert done["details"] >= 2
    assert await stored(pipeline, "raw", "history") == {("", "")}
    assert await stored(pipeline, "title", "content") == texts
    assert len(await logged(pipeline)) == 2
    assert all(one.details == [] for one in await feed(pipeline))
    reasons = {(row.code, bool(row.explanation)) for one in await feed(pipeline) for row in one.messages}
    assert ("http_410", True) in reasons
    assert await pipeline.balanced() == before
    assert await pruner.round() == {"texts": 0, "details": 0}


async def test_what_is_kept_for_0_goes_with_its_push(pipeline: Pipeline) -> None:
    await wait(pipeline, 5 * DAY)
    assert await trimmed(pipeline).round() == {"texts": 0, "details": 0}
    assert len(await logged(pipeline)) == 2


async def test_what_came_about_later_is_kept_as_long_after_that(pipeline: Pipeline) -> None:
    pipeline.sender.scripts = {"phone": [TROUBLE]}
    await pipeline.trigger("ada")
    await pipeline.address()
    await pipeline.work(await pipeline.delivery_lane())
    pruner = trimmed(pipeline, KEPT, KEPT)
    await wait(pipeline, KEPT + HOUR)
    assert (await pruner.round())["texts"] == 2, "one waits for its next try"
    await pipeline.drain()
    late = {row.id for row in await logged(pipeline)}
    assert late
    await wait(pipeline, DAY)
    assert (await pruner.round())["texts"] == 0
    assert {row.id for row in await logged(pipeline)} == late
    await wait(pipeline, KEPT)
    assert (await pruner.round())["texts"] == len(late)
    assert await logged(pipeline) == []
    await pipeline.balanced()


async def test_lines_of_a_run_stay_as_long_as_it_goes_on(pipeline: Pipeline) -> None:
    def begin(connection: Connection) -> None:
        own = notifications.c
        query = sa.select(own.environment_id, own.id, own.trigger_id, own.subscriber_pk).where(
            own.planned == 0
        )
        (name,) = connection.execute(query).all()
        run_store.begin(connection, [Run(*name, turn=0, state=RunState.DELAYED, created_at=0)], bulk=False)

    def end(connection: Connection) -> None:
        connection.execute(sa.update(runs).values(open=False))

    await pipeline.database.write(begin)
    pruner = trimmed(pipeline, details=KEPT)
    await wait(pipeline, KEPT + HOUR)
    await pruner.round()
    assert [bool(one.details) for one in await feed(pipeline) if not one.messages] == [True]
    await pipeline.database.write(end)
    await wait(pipeline, DAY)
    await pruner.round()
    await wait(pipeline, KEPT)
    await pruner.round()
    assert [one.details for one in await feed(pipeline) if not one.messages] == [[]]


async def test_it_goes_step_by_step_and_leaves_what_is_younger(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trimming, "STEP", 2)
    people: dict[str, Sequence[str]] = {f"person-{n}": [f"device-{n}"] for n in range(9)}
    await pipeline.register_all(people)
    await pipeline.trigger(*people)
    await pipeline.drain()
    pipeline.clock.now += HOUR
    await pipeline.trigger(*people)
    await pipeline.drain()
    await wait(pipeline, KEPT)
    assert (await trimmed(pipeline, texts=KEPT).round())["texts"] == 2 + 9
    assert len(await logged(pipeline)) == 9
    await pipeline.database.write(hours.forget, pipeline.environment_id, pipeline.clock.now)
    assert (await trimmed(pipeline, texts=KEPT).round())["texts"] == 0


async def test_a_worker_forgets_what_its_settings_say(tmp_path: Path) -> None:
    process = ClarionProcess(
        tmp_path,
        encryption_key=base64.b64encode(bytes(32)).decode(),
        message_retention=str(DAY // SECOND),
        activity_retention=str(30 * DAY // SECOND),
    )
    process.data_dir.mkdir()
    database = SqliteDatabase(put_embedded(process.data_dir / "clarion.db"))
    pipeline = Pipeline(database)
    now = system_clock()
    pipeline.clock.now = now - 40 * DAY
    await pipeline.begin()
    for age in (40, 2, 0):
        pipeline.clock.now = now - age * DAY
        await pipeline.register(f"person-{age}", f"device-{age}")
        await pipeline.trigger(f"person-{age}")
        await pipeline.drain()
    pipeline.clock.now = now
    await count(database, pipeline.clock)
    await database.close()
    process.start("worker")
    found = await asyncio.to_thread(wait_for, lambda: shown(process.data_dir / "clarion.db"), 30)
    assert process.stop() == 0
    assert found == {"device-2": False, "device-0": True}
    assert "Traceback" not in process.log


def shown(file: Path) -> dict[str, bool] | None:
    """Whether what each device got is still said, once what is too old is gone and what is old isn't said."""
    with closing(sqlite3.connect(file)) as connection:
        found = dict(connection.execute("SELECT token, title <> '' FROM messages").fetchall())
    return (
        {token: bool(said) for token, said in found.items()}
        if len(found) == 2 and not found["device-2"]
        else None
    )
