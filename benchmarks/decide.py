"""CPU of deciding and composing for one recipient: preferences, conditions, schedule, frequency caps, render.

What the address stage does between reading and writing, with everything switched on, for a chunk of 500
recipients of one trigger, each with one device; beside it the same with one thing less at a time, and a plain
workflow. One core, interleaved rounds: the median, and the least, which others at work disturb least.
`benchmarks/broadcast.py` has reading and writing too.

    python benchmarks/decide.py [--recipients 500] [--rounds 41]
"""

import argparse
import gc
import os
import statistics
import time
from collections.abc import Callable

import msgspec

from clarion.check.frequency import DEVICE, SUBSCRIBER, Cap, Use
from clarion.compose.fitting import Fitting, Limit
from clarion.journal.port import bulk_lane
from clarion.model.clock import DAY, HOUR, Millis
from clarion.model.ids import new_id
from clarion.model.people import Channel, Device, Integration, Subscriber
from clarion.model.preference import EVERYTHING
from clarion.model.trigger import Trigger
from clarion.model.workflow import Step, Workflow
from clarion.providers.fcm import MOST_BYTES, Fcm
from clarion.store.catalog import Snapshot
from clarion.store.preferences import Chosen, Wishes
from clarion.store.triggers import Admission
from clarion.workflow.plan import Holdings, Plan, Recipient, Terms
from results import keep

NOW: Millis = 1_796_000_000_000
ENVIRONMENT, FLOW, INTEGRATION = "e" * 32, "w" * 32, "i" * 32
WORDS = {"subject": "Hello {{subscriber.firstName}}", "body": "Order {{payload.order}} is on its way"}
SHARED = {"subject": "Hello", "body": "Order {{payload.order}} is on its way"}
RULE = {"and": [{"==": [{"var": "subscriber.locale"}, "en"]}, {">": [{"var": "payload.order"}, 3]}]}
ALL_DAY = {"isEnabled": True, "hours": [{"start": "12:00 AM", "end": "11:59 PM"}]}
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SCHEDULE = {"isEnabled": True, "weeklySchedule": dict.fromkeys(DAYS, ALL_DAY)}
CAPS = [Cap(SUBSCRIBER, 20, 1, "days", ["high"]), Cap(DEVICE, 20, 1, "days", ["high"])]
FITTING = Fitting(True, {"fcm": Limit(MOST_BYTES, Fcm().weight)})
OF_LATE = 3
"""Pushes that count already, for each recipient and each device."""

PARTS = frozenset({"preferences", "conditions", "schedule", "caps", "personal words"})


def prepared(count: int, parts: frozenset[str]) -> Callable[[], Plan]:
    """A chunk that is ready to be decided on."""
    controls = (WORDS if "personal words" in parts else SHARED) | (
        {"skip": RULE} if "conditions" in parts else {}
    )
    flow = Workflow(
        FLOW, ENVIRONMENT, "news", "News", NOW, NOW, [Step("s", "push", "Push", "push", controls)]
    )
    through = Integration(INTEGRATION, ENVIRONMENT, "fcm", "FCM", "fcm", "push", NOW, NOW, active=True)
    caps = {ENVIRONMENT: CAPS} if "caps" in parts else {}
    snapshot = Snapshot(1, "o", [], [], [through], [flow], (), caps)
    trigger = Trigger(new_id(NOW), ENVIRONMENT, "txn", FLOW, NOW, payload={"order": 7})
    recipients = [Recipient(person(pk)) for pk in range(1, count + 1)]
    holdings = held(count, parts)
    admission = Admission(trigger, cancelled=False)

    def decide() -> Plan:
        plan = Plan(snapshot, holdings, Terms(lifetime=HOUR, fitting=FITTING), NOW)
        plan.add(admission, recipients)
        return plan

    return decide


def person(pk: int) -> Subscriber:
    """A recipient with a zone and a locale of their own."""
    found = Subscriber(pk, f"{pk:032x}", ENVIRONMENT, f"person-{pk}", NOW, NOW, "Ada")
    return msgspec.structs.replace(found, locale="en", timezone="Europe/Berlin")


def held(count: int, parts: frozenset[str]) -> Holdings:
    """What the recipients hold, chose and got of late."""
    pks = range(1, count + 1)
    channels = {
        pk: [Channel(pk, "fcm", INTEGRATION, "fcm", [Device(pk, pk, INTEGRATION, f"{pk:0140x}")])]
        for pk in pks
    }
    chosen = {EVERYTHING: {"push": True}, FLOW: {"push": True}} if "preferences" in parts else {}
    schedule = SCHEDULE if "schedule" in parts else None
    wishes = {pk: Wishes(chosen, schedule) for pk in pks} if chosen or schedule else {}
    uses = [
        Use(pk, device, f"n{number}", "push", NOW - DAY // 2)
        for pk in pks
        for device in (0, pk)
        for number in range(OF_LATE if "caps" in parts else 0)
    ]
    return Holdings(channels, Chosen(wishes), uses)


def cost(decide: Callable[[], Plan], count: int) -> float:
    """Microseconds a recipient."""
    started = time.process_time()
    plan = decide()
    taken = time.process_time() - started
    assert sum(note.planned for note in plan.notifications) == count
    assert len(plan.records(bulk_lane)) >= 1
    return taken / count * 1e6


def measure(count: int, rounds: int) -> dict[str, list[float]]:
    """Every round's microseconds by what is switched on."""
    ways = {"everything": PARTS, **{f"without {part}": PARTS - {part} for part in sorted(PARTS)}}
    ways["plain"] = frozenset()
    ready = {name: prepared(count, parts) for name, parts in ways.items()}
    taken: dict[str, list[float]] = {name: [] for name in ready}
    for _ in range(rounds):
        for name, decide in ready.items():
            taken[name].append(cost(decide, count))
    return taken


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--recipients", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=41)
    asked = parser.parse_args()
    os.sched_setaffinity(0, {0})
    gc.freeze()
    taken = measure(asked.recipients, asked.rounds)
    median = {name: statistics.median(values) for name, values in taken.items()}
    least = {name: min(values) for name, values in taken.items()}
    for name, value in median.items():
        print(f"{name:24} {value:6.1f} us a recipient, {least[name]:6.1f} at the least")
    figures = {"us_per_recipient": median, "us_at_the_least": least}
    keep("decide", {**figures, "recipients": asked.recipients, "rounds": asked.rounds})


if __name__ == "__main__":
    main()
