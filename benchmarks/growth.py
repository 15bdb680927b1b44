"""What a device costs as the database grows, and how long the lists of the API take then.

The same topic is sent to each time: beside as many subscribers as it has members, beside a million, and with
ten million messages in the log. Then every list is asked for: its newest page, a filter, a search.

    python benchmarks/growth.py [--members 20000] [--subscribers 1000000] [--messages 10000000]
        [--on sqlite postgresql]
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from sqlalchemy.engine import Connection

from broadcast import _add, cpu_seconds, surname
from clarion.store.database import Database
from clarion.store.dialect import run_many, sql
from clarion.store.ledger import ledger
from footing import Footing, footing
from provider import nginx
from results import keep
from serving import Serving, serving

TOPIC = "everybody"
PER_NOTIFICATION = 5
PER_TRIGGER = 1000
AT_ONCE = 20_000
ROUNDS = 3
ASKED = 100
BEGAN = 1_790_000_000_000

LISTS = {
    "messages": "/v1/messages?limit=50",
    "messages of a subscriber": "/v1/messages?limit=50&subscriberId=user-777",
    "notifications": "/v1/notifications?limit=50",
    "notifications of a subscriber": "/v1/notifications?limit=50&subscriberIds=user-777",
    "subscribers": "/v2/subscribers?limit=100",
    "subscribers by id": "/v2/subscribers?limit=100&subscriberId=user-77777",
    "subscribers by e-mail": "/v2/subscribers?limit=100&email=nobody@example.com",
    "subscribers by a part of their name": f"/v2/subscribers?limit=100&name={surname(77_777)[1:]}",
    "topics": "/v2/topics?limit=100",
    "subscriptions": f"/v2/topics/{TOPIC}/subscriptions?limit=100",
}


def subscribe(serving: Serving, members: int) -> None:
    """The first subscribers into the topic, a hundred a call."""
    for start in range(1, members + 1, 100):
        names = [f"user-{n}" for n in range(start, min(start + 100, members + 1))]
        path = f"/v2/topics/{TOPIC}/subscriptions"
        serving.client.post(path, json={"subscriptions": names}).raise_for_status()


def add_subscribers(on: Footing, first: int, last: int) -> None:
    """One device each."""

    async def fill(database: Database) -> None:
        for start in range(first, last + 1, AT_ONCE):
            await database.write(_add, range(start, min(start + AT_ONCE, last + 1)))

    on.ask(fill)


def add_messages(on: Footing, environment: str, count: int, people: int) -> None:
    """Delivered long ago, with their notifications."""

    async def fill(database: Database) -> None:
        for start in range(0, count, AT_ONCE):
            await database.write(_log, environment, range(start, min(start + AT_ONCE, count)), people)

    on.ask(fill)


def _log(connection: Connection, environment: str, rows: range, people: int) -> None:
    notified = [
        (environment, _id(n, "b"), _id(n - n % PER_TRIGGER, "a"), 1 + n % people, _at(n))
        for n in rows
        if n % PER_NOTIFICATION == 0
    ]
    sent = [
        (
            environment,
            _id(n, "c"),
            _id(n - n % PER_NOTIFICATION, "b"),
            _id(n - n % PER_TRIGGER, "a"),
            1 + (n - n % PER_NOTIFICATION) % people,
            f"token:{n % people:012d}",
            _at(n),
            _at(n),
        )
        for n in rows
    ]
    run_many(connection, _NOTIFICATIONS, notified)
    run_many(connection, _MESSAGES, sent)


def _at(n: int) -> int:
    return BEGAN + n // 100


def _id(n: int, kind: str) -> str:
    return f"{_at(n):012x}{kind}{n:019x}"


_NOTIFICATIONS = sql("""
INSERT INTO notifications (environment_id, id, trigger_id, subscriber_pk, planned, details, created_at)
VALUES (?, ?, ?, ?, 5, '[]', ?)
""")
_MESSAGES = sql("""
INSERT INTO messages (environment_id, id, notification_id, trigger_id, subscriber_pk, integration_id,
  device_id, step_id, token, title, content, status, outcome, code, explanation, raw, provider_message_id,
  attempts, token_retired, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, 'i', 1, 'p', ?, 'News', 'Breaking', 'delivered', 'accepted', 'accepted', '', '', 'm',
  1, false, ?, ?)
""")


def sent_to_topic(on: Footing, serving: Serving, members: int) -> dict[str, float]:
    """Medians of some rounds: seconds and CPU a device."""
    rates, costs = [], []
    for _ in range(ROUNDS):
        before = delivered(on, serving.environment)
        spent, began = cpu_seconds(serving.server.process.pid), time.perf_counter()
        body = {"name": "news", "to": {"type": "Topic", "topicKey": TOPIC}, "payload": {"text": "Breaking"}}
        serving.client.post("/v1/events/trigger", json=body).raise_for_status()
        took = until(on, serving.environment, before + members) - began
        costs.append((cpu_seconds(serving.server.process.pid) - spent) / members * 1e6)
        rates.append(members / took)
    return {"per_second": statistics.median(rates), "cpu_us": statistics.median(costs)}


def delivered(on: Footing, environment: str) -> int:
    """Of what this benchmark sent: the log of long ago is left out."""

    async def count(database: Database) -> int:
        return (await database.read(ledger, environment, RECENT)).delivered

    return on.ask(count)


RECENT = int(time.time() * 1000)


def until(on: Footing, environment: str, goal: int) -> float:
    """The moment at which so many were delivered."""

    async def wait(database: Database) -> float:
        while (await database.read(ledger, environment, RECENT)).delivered < goal:
            await asyncio.sleep(0.1)
        return time.perf_counter()

    return on.ask(wait)


def listed(serving: Serving) -> dict[str, float]:
    """The 95th percentile of every list, in milliseconds, one call after the other."""
    found = {}
    for name, path in LISTS.items():
        times = []
        for _ in range(ASKED):
            began = time.perf_counter()
            serving.client.get(path).raise_for_status()
            times.append((time.perf_counter() - began) * 1000)
        found[name] = statistics.quantiles(times, n=20)[-1]
    return found


def measure(on: Footing, directory: Path, asked: argparse.Namespace) -> dict[str, dict[str, float]]:
    """One database that grows."""
    figures: dict[str, dict[str, float]] = {}
    with nginx(directory) as provider, serving(on, directory, provider, asked.members) as running:
        subscribe(running, asked.members)
        sent_to_topic(on, running, asked.members)
        figures[f"{asked.members:,} subscribers"] = sent_to_topic(on, running, asked.members)
        add_subscribers(on, asked.members + 1, asked.subscribers)
        figures[f"{asked.subscribers:,} subscribers"] = sent_to_topic(on, running, asked.members)
        add_messages(on, running.environment, asked.messages, asked.subscribers)
        figures[f"and {asked.messages:,} messages"] = sent_to_topic(on, running, asked.members)
        for what, figure in figures.items():
            print(
                f"{on.name:10} {what:24} {figure['per_second']:8,.0f} devices/s,"
                f" {figure['cpu_us']:5.0f} us CPU a device"
            )
        figures["lists, p95 ms"] = listed(running)
        for what, p95 in figures["lists, p95 ms"].items():
            print(f"{on.name:10} {what:30} p95 {p95:7.1f} ms")
    return figures


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--members", type=int, default=20_000)
    parser.add_argument("--subscribers", type=int, default=1_000_000)
    parser.add_argument("--messages", type=int, default=10_000_000)
    parser.add_argument("--on", choices=["sqlite", "postgresql"], nargs="*", default=["sqlite", "postgresql"])
    asked = parser.parse_args()
    figures = {}
    for name in asked.on:
        with tempfile.TemporaryDirectory() as folder, footing(name, Path(folder)) as on:
            figures[name] = measure(on, Path(folder), asked)
    keep("growth", figures)


if __name__ == "__main__":
    main()
