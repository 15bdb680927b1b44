"""How long the pages of the dashboard wait for the API beside a million subscribers and a million messages.

Every question that a page asks is asked again and again, by one caller.

    python benchmarks/pages.py [--subscribers 1000000] [--messages 1000000] [--on sqlite postgresql]
        [--folder build/filled]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from broadcast import surname
from filled import TOPIC, filled
from footing import Footing, footing
from results import keep

ROUNDS = 4
ASKED = 20
RANGES = {"24 h": (24, "hour"), "7 days": (168, "hour"), "30 days": (720, "day"), "90 days": (2160, "day")}


def questions(client: httpx.Client) -> dict[str, str]:
    """Every question, by what it is for."""
    return {
        **dict(_overview()),
        **{
            f"activity {name}": f"/v1/notifications?limit=25{query}" for name, query in _feeds(client).items()
        },
        **dict(_lists(client)),
    }


def _overview() -> Iterator[tuple[str, str]]:
    for name, (hours, step) in RANGES.items():
        query = f"after={_ago(hours)}&before={_ago(0)}&step={step}"
        yield f"statistics, {name}", f"/v1/statistics?{query}"


def _feeds(client: httpx.Client) -> dict[str, str]:
    """The activity, by its filters: one of each kind, two that find little, and one that finds nothing."""
    newest = _told(client, "/v1/notifications?limit=1")["data"][0]
    workflow = newest["_templateId"]
    return {
        "": "",
        "page 40": "&page=40",
        "of a workflow": f"&templates={workflow}",
        "that was sent": "&status=sent",
        "that failed": "&status=error",
        "that waits": "&status=warning",
        "of a provider": "&providerId=fcm",
        "of a provider that sent none": "&providerId=web-push",
        "of a severity": "&severity=none",
        "of the last hour": f"&after={_ago(1)}",
        "of 30 days": f"&after={_ago(720)}",
        "with a word in the error": "&error=doesn't know",
        "with a word that no error has": "&error=nothing",
        "of a transaction, by search": f"&search={newest['transactionId']}",
        "of a subscriber, by search": "&search=user-777",
        "that search doesn't find": "&search=nobody",
        "of a subscriber": "&subscriberIds=user-777",
        "that failed, of a workflow": f"&status=error&templates={workflow}&after={_ago(168)}",
    }


def _lists(client: httpx.Client) -> Iterator[tuple[str, str]]:
    newest = _told(client, "/v1/notifications?limit=1")["data"][0]
    subscriber, transaction = newest["subscriber"]["subscriberId"], newest["transactionId"]
    yield "notification", f"/v1/notifications/{newest['_id']}"
    yield "its explanation", f"/v1/explain?transactionId={transaction}&subscriberId={subscriber}"
    broadcasts = _told(client, "/v1/broadcasts?limit=10")
    yield "broadcasts", "/v1/broadcasts?limit=10"
    if broadcasts["next"]:
        yield "broadcasts, next page", f"/v1/broadcasts?limit=10&after={broadcasts['next']}"
    yield "progress of a broadcast", f"/v1/transactions/{broadcasts['data'][0]['transactionId']}"
    yield "workflows", "/v2/workflows?limit=25&orderBy=updatedAt"
    yield "workflows by name", "/v2/workflows?limit=25&query=flow 7"
    yield "workflows by their last trigger", "/v2/workflows?limit=100&orderBy=lastTriggeredAt"
    yield "workflow", "/v2/workflows/workflow-3"
    yield "integrations", "/v1/integrations"
    integration = _told(client, "/v1/integrations")["data"][0]["_id"]
    yield "health of an integration", f"/v1/integrations/{integration}/health"
    yield "providers", "/v1/providers"
    subscribers = _told(client, "/v2/subscribers?limit=25")
    yield "subscribers", "/v2/subscribers?limit=25"
    yield "subscribers, next page", f"/v2/subscribers?limit=25&after={subscribers['next']}"
    yield "subscribers by a part of their name", f"/v2/subscribers?limit=25&name={surname(77_777)[1:]}"
    yield "subscribers by a common name", "/v2/subscribers?limit=25&name=ada"
    yield "subscribers by two letters", "/v2/subscribers?limit=6&name=zz"
    yield "subscribers by id", "/v2/subscribers?limit=25&subscriberId=user-77777"
    yield "subscribers by e-mail", "/v2/subscribers?limit=25&email=user-77777@example.com"
    yield "subscriber", "/v2/subscribers/user-777"
    yield "devices of a subscriber", "/v1/subscribers/user-777/devices"
    yield "preferences of a subscriber", "/v2/subscribers/user-777/preferences?criticality=all"
    yield "topics of a subscriber", "/v2/subscribers/user-777/subscriptions?limit=25"
    yield "topics", "/v2/topics?limit=25"
    yield "topics by key", "/v2/topics?limit=25&key=pic-19"
    yield "topic", f"/v2/topics/{TOPIC}"
    yield "subscriptions of a topic", f"/v2/topics/{TOPIC}/subscriptions?limit=25"
    yield "webhooks", "/v1/webhooks"
    endpoint = _told(client, "/v1/webhooks")["data"][0]["_id"]
    yield "deliveries of a webhook", f"/v1/webhooks/{endpoint}/deliveries?limit=25"
    yield "failed deliveries of a webhook", f"/v1/webhooks/{endpoint}/deliveries?limit=25&status=failed"
    yield "journal", "/v1/journal"
    yield "what is parked", "/v1/journal/parked"
    yield "audit log", "/v1/audit-log?limit=25"
    yield "audit log of a member", "/v1/audit-log?limit=25&actor=Member 7"
    yield "audit log of nobody", "/v1/audit-log?limit=25&actor=Nobody"
    yield "audit log by action", "/v1/audit-log?limit=25&action=workflow.1"
    yield "frequency caps", "/v1/frequency-caps"
    yield "environment variables", "/v1/environment-variables"
    yield "environments", "/v1/environments"


def _told(client: httpx.Client, path: str) -> Any:
    answer = client.get(path)
    answer.raise_for_status()
    return answer.json()


def _ago(hours: int) -> str:
    return f"{datetime.now(UTC) - timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"


def asked(client: httpx.Client, path: str) -> dict[str, float]:
    """Milliseconds of a question: the first time, and the median and the 95th percentile of the best of some
    rounds, since others may be at work on the machine."""
    first = _timed(client, path)
    rounds = [sorted(_timed(client, path) for _ in range(ASKED)) for _ in range(ROUNDS)]
    best = min(rounds, key=statistics.median)
    return {"first": first, "p50": statistics.median(best), "p95": statistics.quantiles(best, n=20)[-1]}


def _timed(client: httpx.Client, path: str) -> float:
    began = time.perf_counter()
    client.get(path).raise_for_status()
    return (time.perf_counter() - began) * 1000


def measure(on: Footing, directory: Path, given: argparse.Namespace) -> dict[str, dict[str, float]]:
    """All of them, on one footing."""
    figures = {}
    with filled(on, directory, given.subscribers, given.messages) as (_, client):
        for name, path in questions(client).items():
            figures[name] = found = asked(client, path)
            told = f"first {found['first']:7.1f}  p50 {found['p50']:7.1f}  p95 {found['p95']:7.1f} ms"
            print(f"{on.name:10} {name:40} {told}", flush=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--subscribers", type=int, default=1_000_000)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--on", choices=["sqlite", "postgresql"], nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--folder", type=Path, help="keep what was filled on SQLite here, for the next run")
    given = parser.parse_args()
    for name in given.on:
        with tempfile.TemporaryDirectory() as folder, footing(name, given.folder or Path(folder)) as on:
            keep(f"pages_{name}", measure(on, given.folder or Path(folder), given))


if __name__ == "__main__":
    main()
