from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from clarion.journal.port import deliver_lane, waiting_lane
from clarion.model.clock import DAY, HOUR, SECOND
from clarion.model.people import Channel, Device
from clarion.model.push import Delivery, message_of
from clarion.model.trace import Detail, Event
from clarion.model.trigger import Trigger
from clarion.model.workflow import DEFER, SEND, SKIP, Workflow
from clarion.store.catalog import Snapshot
from clarion.store.preferences import Chosen, Wishes
from clarion.store.triggers import Admission
from clarion.workflow.plan import MOST_SENDS, MOST_TEXT, Holdings, Plan, Recipient, Terms
from pushing import NOW, integration, subscriber, trigger, workflow


def plan_for(pks: Sequence[int], flow: Workflow | None = None, *integrations: str) -> Plan:
    """Each person has a device under each integration."""
    names = integrations or ("i1",)
    snapshot = Snapshot(1, "org", [], [], [integration(name) for name in names], [flow or workflow()])
    held = {
        pk: [Channel(pk, "fcm", name, name, [Device(pk, pk, name, f"{name}-phone-{pk}")]) for name in names]
        for pk in pks
    }
    return Plan(snapshot, Holdings(held), Terms(lifetime=HOUR), NOW)


def recipients(pks: Sequence[int], **fields: Any) -> list[Recipient]:
    return [Recipient(subscriber(pk, **fields)) for pk in pks]


def deliveries(plan: Plan) -> list[Delivery]:
    return [msgspec.msgpack.decode(record.body, type=Delivery) for record in plan.records(deliver_lane)]


def planned(given: Trigger, pks: Sequence[int], flow: Workflow | None = None, **fields: Any) -> Plan:
    plan = plan_for(pks, flow)
    plan.add(Admission(given, cancelled=False), recipients(pks, **fields))
    return plan


def test_records_hold_500_sends_and_the_content_once() -> None:
    pks = range(1, 2 * MOST_SENDS + 35)
    plan = planned(trigger(payload={"text": "Hello " * 1000}), pks)
    found = deliveries(plan)
    assert [len(delivery.sends) for delivery in found] == [MOST_SENDS, MOST_SENDS, 34]
    assert [len(delivery.contents) for delivery in found] == [1, 1, 1]
    tokens = [send.token for delivery in found for send in delivery.sends]
    assert tokens == [f"i1-phone-{pk}" for pk in pks]
    assert [item.planned for item in plan.notifications] == [1] * len(pks)


def test_records_are_cut_at_256_kib_of_own_text() -> None:
    text = "x" * 20_000
    found = deliveries(planned(trigger(), range(1, 31), workflow("Hi {{subscriber.firstName}}", text)))
    assert [len(delivery.sends) for delivery in found] == [14, 14, 2]
    assert all(sum(len(message_of(d, s).body) for s in d.sends) <= MOST_TEXT + 20_000 for d in found)


def test_every_send_says_what_its_trigger_says() -> None:
    pks = [1, 2]
    plan = plan_for(pks)
    given = [trigger(payload={"text": f"number {n}"}) for n in range(3)]
    for item in given:
        plan.add(Admission(item, cancelled=False), recipients(pks))
    (delivery,) = deliveries(plan)
    assert len(delivery.contents) == 3
    said = [(send.trigger_id, message_of(delivery, send).body) for send in delivery.sends]
    assert said == [(item.id, f"number {n}") for n, item in enumerate(given) for _ in pks]


def test_after_a_cut_sends_still_find_their_content() -> None:
    pks = range(1, MOST_SENDS)
    plan = plan_for(pks)
    texts = ["one", "two", "three"]
    for text in texts:
        plan.add(Admission(trigger(payload={"text": text}), cancelled=False), recipients(pks))
    found = deliveries(plan)
    said = [message_of(delivery, send).body for delivery in found for send in delivery.sends]
    assert said == [text for text in texts for _ in pks]
    assert [[content.body for content in delivery.contents] for delivery in found] == [
        ["one", "two"],
        ["two", "three"],
        ["three"],
    ]


def test_each_integration_has_its_lane() -> None:
    plan = plan_for([1], None, "i1", "i2")
    plan.add(Admission(trigger(), cancelled=False), recipients([1]))
    assert [record.lane for record in plan.records(deliver_lane)] == [deliver_lane("i1"), deliver_lane("i2")]
    assert [delivery.integration_id for delivery in deliveries(plan)] == ["i1", "i2"]
    assert plan.notifications[0].planned == 2


@pytest.mark.parametrize(("later", "records"), [(SECOND - 1, 1), (SECOND, 2)])
def test_triggers_of_the_same_second_share_records_and_end_together(later: int, records: int) -> None:
    plan = plan_for([1])
    for at in (NOW, NOW + later):
        plan.add(Admission(trigger(accepted_at=at), cancelled=False), recipients([1]))
    found = deliveries(plan)
    assert len(found) == records
    assert found[0].expires_at == NOW + HOUR


@pytest.mark.parametrize(
    ("cancelled", "workflow_id", "event"),
    [(True, "w" * 32, Event.STEP_CANCELED), (False, "gone", Event.WORKFLOW_MISSING)],
)
def test_a_trigger_that_is_not_to_run_leaves_a_notification_that_says_why(
    cancelled: bool, workflow_id: str, event: Event
) -> None:
    plan = plan_for([1])
    plan.add(Admission(trigger(workflow_id=workflow_id), cancelled), recipients([1]))
    assert plan.records(deliver_lane) == []
    (note,) = plan.notifications
    assert (note.planned, note.details) == (0, [Detail(event.code, NOW)])


def test_a_refused_recipient_gets_nothing_and_the_next_one_does() -> None:
    why = Detail(Event.CHANNELS_REFUSED.code, NOW, raw={"error": "too many"})
    plan = plan_for([1, 2])
    refused, fine = recipients([1, 2])
    plan.add(Admission(trigger(), cancelled=False), [Recipient(refused.subscriber, why), fine])
    assert [(item.planned, item.details) for item in plan.notifications] == [(0, [why]), (1, [])]
    (delivery,) = deliveries(plan)
    assert [send.subscriber_pk for send in delivery.sends] == [2]


MORNING = {"isEnabled": True, "hours": [{"start": "09:00 AM", "end": "11:00 AM"}]}
SCHEDULE = {"isEnabled": True, "weeklySchedule": {"monday": MORNING}}


@pytest.mark.parametrize(
    ("outside", "critical", "events", "sent"),
    [
        (DEFER, False, [Event.DEFERRED_TO_SCHEDULE], 1),
        (SKIP, False, [Event.OUTSIDE_SCHEDULE], 0),
        (SEND, False, [], 1),
        (SKIP, True, [], 1),
    ],
)
def test_a_workflow_says_what_becomes_of_a_push_outside_of_a_schedule(
    outside: str, critical: bool, events: list[Event], sent: int
) -> None:
    chosen = {"workflow": {"all": {"enabled": True, "readOnly": critical}, "channels": {}}}
    flow = msgspec.structs.replace(workflow(), outside_schedule=outside, preferences=chosen)
    holdings = Holdings(
        {1: [Channel(1, "fcm", "i1", "i1", [Device(7, 1, "i1", "phone")])]}, Chosen({1: Wishes({}, SCHEDULE)})
    )
    plan = Plan(Snapshot(1, "org", [], [], [integration("i1")], [flow]), holdings, Terms(lifetime=HOUR), NOW)
    plan.add(Admission(trigger(), cancelled=False), recipients([1]))
    (note,) = plan.notifications
    assert ([detail.event for detail in note.details], note.planned) == (
        [event.code for event in events],
        sent,
    )
    lanes = [record.lane for record in plan.records(deliver_lane)]
    assert lanes == [waiting_lane("i1") if outside == DEFER else deliver_lane("i1")] * sent


def test_a_device_has_its_own_hours_and_others_those_of_their_subscriber() -> None:
    devices = [Device(7, 1, "i1", "in-tokyo", timezone="Asia/Tokyo"), Device(8, 1, "i1", "at-home")]
    holdings = Holdings({1: [Channel(1, "fcm", "i1", "i1", devices)]}, Chosen({1: Wishes({}, SCHEDULE)}))
    snapshot = Snapshot(1, "org", [], [], [integration("i1")], [workflow()])
    plan = Plan(snapshot, holdings, Terms(lifetime=HOUR), NOW)
    plan.add(Admission(trigger(), cancelled=False), recipients([1], timezone="Europe/London"))
    due = {
        msgspec.msgpack.decode(record.body, type=Delivery).sends[0].token: (record.lane, record.not_before)
        for record in plan.records(deliver_lane)
    }
    nine = NOW // DAY * DAY + 9 * HOUR
    assert due == {"in-tokyo": (deliver_lane("i1"), 0), "at-home": (waiting_lane("i1"), nine)}
