"""Workflows that take time, on either database and worked by hand: delays, digests, throttles, outcomes."""

import asyncio
from typing import Any

import msgspec
import pytest

from clarion.journal.port import Record, run_lane
from clarion.model.clock import DAY, HOUR, MINUTE, SECOND
from clarion.model.http import HttpReply
from clarion.model.trace import Event
from clarion.store import workflows
from flows import accept, bodies, events, later, make, push, start, step
from pipeline import Pipeline, call


async def test_a_delay_puts_the_push_off_and_survives_a_restart(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    await make(pipeline, step("wait", "delay", type="regular", amount=2, unit="hours"), push())
    await start(pipeline, "ada")
    await later(pipeline, HOUR)
    assert pipeline.tokens_sent_to == []
    await pipeline.restart()
    await later(pipeline, HOUR)
    assert pipeline.tokens_sent_to == ["phone"]
    assert await events(pipeline) == [["step_delayed", "delay_finished"]]


async def test_a_message_lives_from_when_its_step_was_come_to(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    await make(pipeline, step("wait", "delay", amount=3, unit="days"), push(ttl=60))
    await start(pipeline, "ada")
    await later(pipeline, 3 * DAY)
    assert pipeline.tokens_sent_to == ["phone"]


@pytest.mark.parametrize(
    ("controls", "payload", "wait"),
    [
        ({"type": "dynamic", "dynamicKey": "payload.at"}, {"at": {"amount": 90, "unit": "seconds"}}, 90),
        ({"type": "dynamic", "dynamicKey": "{{payload.at}}"}, {"at": {"amount": 2, "unit": "minutes"}}, 120),
        ({"type": "dynamic", "dynamicKey": "at"}, {"at": "2026-12-01T17:53:20Z"}, None),
        ({"type": "timed", "cron": "0 9 * * *"}, {}, None),
        ({"type": "timed", "time": "09:00"}, {}, None),
    ],
)
async def test_every_kind_of_delay_waits(
    pipeline: Pipeline, controls: dict[str, Any], payload: dict[str, Any], wait: int | None
) -> None:
    await pipeline.register("ada", "phone")
    await make(pipeline, step("wait", "delay", **controls), push(body="Hi"))
    await start(pipeline, "ada", payload=payload)
    assert pipeline.tokens_sent_to == []
    await later(pipeline, (wait or 2 * 86_400) * SECOND)
    assert pipeline.tokens_sent_to == ["phone"]


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        ({"at": "2001-01-01T00:00:00Z"}, "delay_failed"),
        ({"at": "2099-01-01T00:00:00Z"}, "delay_limit_exceeded"),
        ({"at": "soon"}, "delay_failed"),
        ({}, "delay_failed"),
    ],
)
async def test_a_delay_that_can_not_be_stops_the_workflow(
    pipeline: Pipeline, payload: dict[str, Any], event: str
) -> None:
    await pipeline.register("ada", "phone")
    await make(pipeline, step("wait", "delay", type="dynamic", dynamicKey="payload.at"), push())
    await start(pipeline, "ada", payload=payload)
    assert await events(pipeline) == [[event, "step_canceled"]]
    assert pipeline.tokens_sent_to == []


async def test_a_digest_gathers_events_in_their_order(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    said = "{{step.total_count}}: {% for e in step.events %}{{e.payload.text}} {% endfor %}{{step.digest}}"
    await make(pipeline, step("gather", "digest", type="regular", amount=5, unit="minutes"), push(body=said))
    for text in ("one", "two", "three"):
        await start(pipeline, "ada", payload={"text": text})
        pipeline.clock.now += SECOND
    await later(pipeline, 5 * MINUTE)
    assert bodies(pipeline, "phone") == ["3: one two three true"]
    await start(pipeline, "ada", payload={"text": "four"})
    await later(pipeline, 5 * MINUTE)
    assert bodies(pipeline, "phone")[1:] == ["1: four true"]
    first, *merged, _ = await events(pipeline)
    assert first == ["digest_started", "digest_triggered_events"]
    assert merged == [["digest_merged"], ["digest_merged"]]


async def test_a_digest_keeps_people_and_keys_apart(pipeline: Pipeline) -> None:
    await pipeline.register_all({"ada": ["a"], "bob": ["b"]})
    await make(
        pipeline,
        step("gather", "digest", amount=1, unit="minutes", digestKey="{{payload.post}}"),
        push(body="{{step.total_count}} on {{payload.post}}"),
    )
    for name, post in (("ada", 1), ("ada", 1), ("ada", 2), ("bob", 1)):
        await start(pipeline, name, payload={"post": post})
    await later(pipeline, MINUTE)
    assert sorted(bodies(pipeline, "a")) == ["1 on 2", "2 on 1"]
    assert bodies(pipeline, "b") == ["1 on 1"]


async def test_a_look_back_window_sends_the_first_and_digests_the_next(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    window = {"amount": 10, "unit": "minutes"}
    await make(
        pipeline,
        step("gather", "digest", amount=5, unit="minutes", lookBackWindow=window),
        push(body="{{step.total_count}} {{step.digest}}"),
    )
    await start(pipeline, "ada")
    assert bodies(pipeline, "phone") == ["1 false"]
    await later(pipeline, MINUTE)
    await start(pipeline, "ada")
    await start(pipeline, "ada")
    await later(pipeline, 5 * MINUTE)
    assert bodies(pipeline, "phone") == ["1 false", "2 true"]
    await later(pipeline, HOUR)
    await start(pipeline, "ada")
    assert bodies(pipeline, "phone")[2:] == ["1 false"]


async def test_a_throttle_lets_so_many_through_and_ends_the_others(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    await make(
        pipeline,
        step("cap", "throttle", type="fixed", amount=1, unit="hours", threshold=2, throttleKey="kind"),
        push(body="{{steps.cap.executionCount}} {{payload.kind}}"),
    )
    for kind in ("a", "a", "a", "b"):
        await start(pipeline, "ada", payload={"kind": kind})
        pipeline.clock.now += SECOND
    assert bodies(pipeline, "phone") == ["1 a", "2 a", "1 b"]
    assert ["step_throttled", "run_stopped"] in await events(pipeline)
    await later(pipeline, HOUR)
    await start(pipeline, "ada", payload={"kind": "a"})
    assert len(bodies(pipeline, "phone")) == 4


async def test_a_condition_skips_a_step_and_the_workflow_goes_on(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    rule = {"==": [{"var": "payload.slow"}, True]}
    await make(
        pipeline,
        step("wait", "delay", amount=1, unit="hours", skip=rule),
        step("own", "custom", custom={"greeting": "Hi {{subscriber.subscriberId}}"}),
        push(body="{{steps.own.greeting}}"),
    )
    await start(pipeline, "ada", payload={"slow": False})
    assert bodies(pipeline, "phone") == ["Hi ada"]
    await start(pipeline, "ada", payload={"slow": True})
    assert len(bodies(pipeline, "phone")) == 1
    await later(pipeline, HOUR)
    assert len(bodies(pipeline, "phone")) == 2


@pytest.mark.parametrize(("reply", "bodies_sent"), [(200, ["first"]), (400, ["first", "second"])])
async def test_a_step_asks_what_became_of_the_push_before_it(
    pipeline: Pipeline, reply: int, bodies_sent: list[str]
) -> None:
    await pipeline.register("ada", "phone")
    pipeline.sender.scripts["phone"] = [HttpReply(reply), HttpReply(200)]
    rule = {"==": [{"var": "steps.push1.delivered"}, False]}
    await make(pipeline, push("push1", "first"), push("push2", "second", skip=rule))
    await start(pipeline, "ada")
    assert bodies(pipeline, "phone") == bodies_sent


async def test_what_is_tried_again_is_waited_for(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    pipeline.sender.scripts["phone"] = [HttpReply(503), HttpReply(200)]
    rule = {"==": [{"var": "steps.push1.delivered"}, False]}
    await make(pipeline, push("push1", "first"), push("push2", "second", skip=rule))
    await start(pipeline, "ada")
    assert bodies(pipeline, "phone") == ["first"]
    await later(pipeline, MINUTE)
    assert bodies(pipeline, "phone") == ["first", "first"]
    assert (await events(pipeline))[0] == ["step_awaits_outcome", "step_skipped_by_conditions"]


async def test_nobody_without_devices_counts_as_not_delivered(pipeline: Pipeline) -> None:
    await pipeline.register("ada")
    rule = {"==": [{"var": "steps.push1.delivered"}, False]}
    await make(pipeline, push("push1"), step("own", "custom", custom={"a": 1}, skip=rule))
    await start(pipeline, "ada")
    assert (await events(pipeline))[0][-1] == "custom_step_completed"


async def test_cancelling_ends_what_waits(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    await make(pipeline, step("wait", "delay", amount=2, unit="hours"), push())
    transaction = await start(pipeline, "ada")
    assert await pipeline.cancel(transaction)
    await pipeline.drain()
    assert await events(pipeline) == [["step_delayed", "step_canceled"]]
    assert not await pipeline.cancel(transaction)
    await later(pipeline, 3 * HOUR)
    assert pipeline.tokens_sent_to == []


async def test_cancelling_the_first_of_a_digest_lets_the_next_lead_it(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    said = "{{step.total_count}}: {% for e in step.events %}{{e.payload.text}} {% endfor %}"
    await make(pipeline, step("gather", "digest", amount=5, unit="minutes"), push(body=said))
    cancelled = []
    for text in ("a", "b", "c", "d"):
        cancelled.append(await start(pipeline, "ada", payload={"text": text}))
        pipeline.clock.now += 1
    assert await pipeline.cancel(cancelled[0])
    assert await pipeline.cancel(cancelled[2])
    await later(pipeline, 5 * MINUTE)
    assert bodies(pipeline, "phone") == ["2: b d "]


async def test_a_broadcast_begins_at_the_hour_of_each_zone(pipeline: Pipeline) -> None:
    await pipeline.register_all({"berlin": ["b"], "tokyo": ["t"], "nowhere": ["n"]})
    for name, zone in (("berlin", "Europe/Berlin"), ("tokyo", "Asia/Tokyo")):
        await pipeline.set_zone(name, zone)
    await make(pipeline, push())
    await start(pipeline, broadcast=True, send_at="09:00")  # accepted at 00:53 UTC
    assert pipeline.tokens_sent_to == []
    await later(pipeline, 7 * HOUR + 10 * MINUTE)
    assert pipeline.tokens_sent_to == ["b"]
    await later(pipeline, HOUR)
    assert pipeline.tokens_sent_to == ["b", "n"]
    await later(pipeline, 15 * HOUR)
    assert pipeline.tokens_sent_to == ["b", "n", "t"]


async def test_a_turn_that_is_taken_twice_does_nothing_twice(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    await make(pipeline, step("own", "custom", custom={}), push())
    await pipeline.worker.gate.accept(
        pipeline.environment_id, msgspec.structs.replace(call("ada"), workflow="flow")
    )
    await pipeline.address()
    lane = run_lane(pipeline.environment_id, bulk=False)
    batch = await pipeline.claim(lane)
    await pipeline.worker.runs.work(batch)
    await pipeline.worker.journal.append([Record(lane, batch.body)])
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["phone"]


async def test_a_workflow_that_was_removed_ends_its_runs(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    made = await make(pipeline, step("wait", "delay", amount=2, unit="hours"), push())
    await start(pipeline, "ada")
    await pipeline.worker.catalog.change(workflows.delete, made.id)
    await later(pipeline, 2 * HOUR)
    assert await events(pipeline) == [["step_delayed", Event.WORKFLOW_MISSING.code]]
    assert pipeline.tokens_sent_to == []


async def test_a_paused_trigger_rests_and_goes_on(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    await make(pipeline, step("wait", "delay", amount=1, unit="minutes"), push())
    transaction = await start(pipeline, "ada")
    await pipeline.pause(transaction, at=pipeline.clock())
    await later(pipeline, 2 * MINUTE)
    assert pipeline.tokens_sent_to == []
    await pipeline.pause(transaction, at=None)
    await later(pipeline, MINUTE)
    assert pipeline.tokens_sent_to == ["phone"]


async def test_events_of_one_call_keep_their_order(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    said = "{% for e in step.events %}{{e.payload.text}} {% endfor %}"
    await make(pipeline, step("gather", "digest", amount=5, unit="minutes"), push(body=said))
    calls = (call("ada", payload={"text": str(number)}) for number in range(9))
    await pipeline.trigger_together(*(msgspec.structs.replace(item, workflow="flow") for item in calls))
    await pipeline.drain()
    await later(pipeline, 5 * MINUTE)
    assert bodies(pipeline, "phone") == ["0 1 2 3 4 5 6 7 8 "]


async def test_workers_at_once_make_one_digest_and_lose_no_event(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    said = "{{step.total_count}}: {% for e in step.events %}{{e.payload.text}} {% endfor %}"
    await make(pipeline, step("gather", "digest", amount=5, unit="minutes"), push(body=said))
    for number in range(12):
        await accept(pipeline, "ada", payload={"text": str(number)})
        await pipeline.address()
        pipeline.clock.now += 1
    lane = run_lane(pipeline.environment_id, bulk=False)
    workers = [pipeline.another_worker() for _ in range(4)]

    async def take(number: int) -> None:
        for batch in await workers[number].journal.claim(lane, 3):
            await workers[number].runs.work(batch)

    await asyncio.gather(*map(take, range(4)))
    await later(pipeline, 5 * MINUTE)
    told = bodies(pipeline, "phone")
    assert [text.split(":")[0] for text in told] == ["12"]
    assert told[0].split()[1:] == [str(number) for number in range(12)]


async def test_workers_at_once_keep_to_a_throttle(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    await make(pipeline, step("cap", "throttle", amount=1, unit="hours", threshold=2), push())
    for _ in range(8):
        await accept(pipeline, "ada")
        await pipeline.address()
    lane = run_lane(pipeline.environment_id, bulk=False)
    workers = [pipeline.another_worker() for _ in range(4)]

    async def take(number: int) -> None:
        for batch in await workers[number].journal.claim(lane, 2):
            await workers[number].runs.work(batch)

    await asyncio.gather(*map(take, range(4)))
    await pipeline.drain()
    assert len(bodies(pipeline, "phone")) == 2


async def test_a_digest_waits_for_the_recipients_schedule_when_asked(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    await pipeline.set_schedule("ada", "09:00 AM", "05:00 PM")
    wait = {"amount": 1, "unit": "hours", "extendToSchedule": True}
    await make(pipeline, step("gather", "digest", **wait), push(body="{{step.total_count}}"))
    await start(pipeline, "ada")  # at 00:53
    await later(pipeline, 2 * HOUR)
    await start(pipeline, "ada")
    await later(pipeline, 7 * HOUR)
    assert bodies(pipeline, "phone") == ["2"]
    first = [found for found in await events(pipeline) if "digest_started" in found]
    assert first == [["digest_started", "step_extended_to_schedule", "digest_triggered_events"]]
