"""Preferences on either database: kept, merged, and asked for singly and in a broadcast."""

from datetime import UTC, datetime

import pytest

from clarion.model.clock import DAY, SECOND, Millis
from clarion.model.preference import EVERYTHING
from clarion.model.trace import Event
from clarion.store import preferences, subscribers
from pipeline import Counts, Pipeline

FLOW = "w-dev"


async def choose(pipeline: Pipeline, name: str, workflow_id: str, **channels: bool) -> int:
    """Choose, and say for which row."""
    found = await pipeline.database.read(subscribers.get, pipeline.environment_id, name)
    assert found is not None
    await pipeline.database.write(preferences.choose, found.pk, workflow_id, channels, pipeline.clock())
    return found.pk


async def test_choices_are_merged_and_a_schedule_stays_beside_them(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "a1")
    pk = await choose(pipeline, "ada", EVERYTHING, push=False, email=True)
    await pipeline.database.write(preferences.set_schedule, pk, {"isEnabled": False}, 7)
    await choose(pipeline, "ada", EVERYTHING, email=False)
    await choose(pipeline, "ada", FLOW, push=True)
    found = await pipeline.database.read(preferences.of, pk)
    assert found[EVERYTHING].channels == {"push": False, "email": False}
    assert (found[EVERYTHING].schedule, found[FLOW].schedule) == ({"isEnabled": False}, None)
    wishes = await pipeline.database.read(preferences.wishes, [pk, pk + 1], [FLOW, "another"])
    channels = {EVERYTHING: {"push": False, "email": False}, FLOW: {"push": True}}
    assert wishes == ({pk: (channels, {"isEnabled": False})}, {})
    await pipeline.database.write(preferences.forget_workflow, FLOW)
    assert (await pipeline.database.read(preferences.of, pk)).keys() == {EVERYTHING}
    await pipeline.database.write(subscribers.delete, pk)
    assert await pipeline.database.read(preferences.of, pk) == {}


async def test_who_does_not_want_it_is_left_out_of_single_triggers_and_broadcasts(pipeline: Pipeline) -> None:
    await pipeline.register_all({name: [f"{name}-phone"] for name in ("ada", "bob", "cleo")})
    await choose(pipeline, "ada", EVERYTHING, push=False)
    await choose(pipeline, "bob", FLOW, push=False)
    await choose(pipeline, "cleo", "another", push=False)
    await pipeline.trigger("ada", "bob", "cleo")
    await pipeline.trigger(broadcast=True)
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["cleo-phone", "cleo-phone"]
    events = {name: events for name, _, events in await pipeline.notified()}
    assert events == {
        "ada": [Event.FILTERED_BY_SUBSCRIBER.code],
        "bob": [Event.FILTERED_BY_SUBSCRIBER_OF_WORKFLOW.code],
        "cleo": [],
    }
    assert await pipeline.counts() == Counts(2, 2, 0, 0, 4)


ALL_DAY = [{"start": "12:00 AM", "end": "11:59 PM"}]


async def schedule(pipeline: Pipeline, name: str, **days: bool) -> None:
    """Open on the days given, closed on others."""
    found = await pipeline.database.read(subscribers.get, pipeline.environment_id, name)
    assert found is not None
    week = {day: {"isEnabled": is_open, "hours": ALL_DAY} for day, is_open in days.items()}
    given = {"isEnabled": True, "weeklySchedule": week}
    await pipeline.database.write(preferences.set_schedule, found.pk, given, pipeline.clock())


def weekday(at: Millis) -> str:
    return datetime.fromtimestamp(at / SECOND, UTC).strftime("%A").lower()


async def test_who_may_not_be_disturbed_gets_it_when_they_may(pipeline: Pipeline) -> None:
    await pipeline.register_all({name: [f"{name}-phone"] for name in ("ada", "bob", "cleo")})
    now = pipeline.clock.now
    await schedule(pipeline, "ada", **{weekday(now + DAY): True})
    await schedule(pipeline, "bob", **{weekday(now): True})
    await schedule(pipeline, "cleo", monday=False)
    await pipeline.trigger("ada", "bob", "cleo")
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["bob-phone"]
    events = {name: (planned, events) for name, planned, events in await pipeline.notified()}
    assert events == {
        "ada": (1, [Event.DEFERRED_TO_SCHEDULE.code]),
        "bob": (1, []),
        "cleo": (0, [Event.OUTSIDE_SCHEDULE.code]),
    }
    pipeline.clock.now = now // DAY * DAY + DAY - 1
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["bob-phone"]
    pipeline.clock.now += 1
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["ada-phone", "bob-phone"]
    assert await pipeline.counts() == Counts(2, 2, 0, 0, 1)


async def test_what_would_be_too_late_then_is_not_sent(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    await schedule(pipeline, "ada", **{weekday(pipeline.clock.now + DAY): True})
    await pipeline.trigger("ada", overrides={"push": {"ttl": 60}})
    await pipeline.drain()
    assert [events for _, _, events in await pipeline.notified()] == [[Event.OUTSIDE_SCHEDULE.code]]
    assert pipeline.tokens_sent_to == []


async def test_what_waits_for_morning_keeps_no_broadcast_from_going_on(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("CHUNK_SIZE", 1), ("MOST_AHEAD", 1)):
        monkeypatch.setattr(f"clarion.address.stage.{name}", value)
    names = [f"p{n}" for n in range(4)]
    await pipeline.register_all({name: [f"{name}-phone"] for name in names})
    tomorrow = weekday(pipeline.clock.now + DAY)
    for name in names[:3]:
        await schedule(pipeline, name, **{tomorrow: True})
    await pipeline.trigger(broadcast=True)
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["p3-phone"]
    pipeline.clock.now += DAY
    await pipeline.drain()
    assert pipeline.tokens_sent_to == [f"{name}-phone" for name in names]


async def test_a_trigger_keeps_to_the_choices_of_its_contexts(pipeline: Pipeline) -> None:
    await pipeline.register_all({name: [f"{name}-phone"] for name in ("ada", "bob", "cleo")})
    await choose(pipeline, "ada", EVERYTHING, push=False)
    pk = await choose(pipeline, "bob", FLOW, push=True, email=False)
    at = pipeline.clock()
    await pipeline.database.write(preferences.choose, pk, EVERYTHING, {"sms": False}, at, "tenant:acme")
    await pipeline.database.write(preferences.choose, pk, FLOW, {"push": False}, at, "tenant:acme")
    await pipeline.database.write(preferences.set_schedule, pk, {"isEnabled": False}, at, "tenant:acme")
    found = await pipeline.database.read(preferences.of, pk, "tenant:acme")
    assert found[FLOW].channels == {"push": False, "email": False}
    assert (found[EVERYTHING].channels, found[EVERYTHING].schedule) == ({"sms": False}, {"isEnabled": False})
    assert (await pipeline.database.read(preferences.of, pk))[FLOW].channels == {"push": True, "email": False}
    for context in ({"tenant": {"id": "acme"}}, {"tenant": {"id": "globex"}}, {}):
        await pipeline.trigger("ada", "bob", "cleo", context=context)
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["bob-phone"] * 2 + ["cleo-phone"] * 3
    await pipeline.database.write(preferences.forget_workflow, FLOW)
    assert (await pipeline.database.read(preferences.of, pk, "tenant:acme")).keys() == {EVERYTHING}
    await pipeline.database.write(subscribers.delete, pk)
    assert await pipeline.database.read(preferences.of, pk, "tenant:acme") == {}
