"""A Clarion with a month behind it: a million subscribers and a million messages, of several workflows
through several integrations, most of them delivered; and enough of everything else that has a page.

Half of the messages are of triggers to a thousand, the other half of triggers for one.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
from sqlalchemy.engine import Connection

from broadcast import KEY, Server, surname
from clarion.model.clock import DAY, HOUR, Millis
from clarion.model.trigger import Trigger
from clarion.store.database import Database
from clarion.store.dialect import run, run_many, sql
from footing import Footing
from provider import service_account

AT_ONCE = 20_000
MONTH = 30 * DAY
TO_MANY = 1000
WORKFLOWS = 12
TOPICS = 200
TOPIC = "topic-7"
AUDITED = 50_000
WEBHOOKED = 50_000
PARKED = 100
SOME_ERROR = "The provider doesn't know this device"


@contextmanager
def filled(on: Footing, directory: Path, people: int, messages: int) -> Iterator[tuple[Server, httpx.Client]]:
    """Filled while a first process ran, so that what is measured starts fresh; once, where the directory
    stays. The client holds a key."""
    settings = on.settings | {
        "CLARION_PORT": "0",
        "CLARION_API_KEY": KEY,
        "CLARION_EGRESS_ALLOW": "127.0.0.1",
    }
    environ = {k: v for k, v in os.environ.items() if not k.startswith("CLARION_")} | settings
    headers = {"authorization": f"ApiKey {KEY}"}
    done = directory / f"filled-{on.name}-{people}-{messages}"
    if not done.exists():
        directory.mkdir(parents=True, exist_ok=True)
        first = Server(environ, directory / "first.log", [])
        with httpx.Client(base_url=first.url, headers=headers, timeout=60) as client:
            _prepare(client)
        first.stop()
        on.ask(lambda database: _fill(database, people, messages))
        done.touch()
    server = Server(environ, directory / "serve.log", [])
    try:
        with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
            yield server, client
    finally:
        server.stop()


def _prepare(client: httpx.Client) -> None:
    """What is few, as anybody would make it."""
    account = {"serviceAccount": service_account()}
    for number in (1, 2):
        body = {"name": f"App {number}", "identifier": f"app-{number}", "providerId": "fcm", "active": True}
        client.post("/v1/integrations", json=body | {"credentials": account}).raise_for_status()
    browsers = {"name": "Browsers", "identifier": "browsers", "providerId": "web-push", "active": True}
    contact = {"credentials": {"subject": "mailto:push@example.com"}}
    client.post("/v1/integrations", json=browsers | contact).raise_for_status()
    push = {"name": "p", "type": "push", "controlValues": {"subject": "News", "body": "{{payload.text}}"}}
    for number in range(WORKFLOWS):
        body = {
            "name": f"Workflow {number}",
            "workflowId": f"workflow-{number}",
            "active": True,
            "steps": [push],
        }
        client.post("/v2/workflows", json=body).raise_for_status()
    for number in range(TOPICS):
        client.post(
            "/v2/topics", json={"key": f"topic-{number}", "name": f"Topic {number}"}
        ).raise_for_status()
    for number in range(3):
        endpoint = {"url": f"https://hooks.example.com/{number}", "events": ["message.failed"]}
        client.post("/v1/webhooks", json=endpoint).raise_for_status()


async def _fill(database: Database, people: int, messages: int) -> None:
    now = int(time.time() * 1000)
    for start in range(1, people + 1, AT_ONCE):
        await database.write(_people, range(start, min(start + AT_ONCE, people + 1)), now - MONTH)
    for start in range(0, messages, AT_ONCE):
        rows = range(start, min(start + AT_ONCE, messages))
        await database.write(_activity, rows, messages, people, now - MONTH)
    await database.write(_rest, now - MONTH)


def _named(connection: Connection) -> tuple[str, list[str], list[str]]:
    """The environment, its integrations and its workflows."""
    found = run(connection, _INTEGRATIONS).all()
    return found[0][0], [row[1] for row in found], [row[0] for row in run(connection, _WORKFLOWS)]


def _people(connection: Connection, rows: range, at: Millis) -> None:
    environment, integrations, _ = _named(connection)
    through = {n: integrations[n % 2] for n in rows}
    people = [
        (n, _id(at, n, "d"), environment, f"user-{n}", surname(n), f"user-{n}@example.com", at, at)
        for n in rows
    ]
    run_many(connection, _PEOPLE, people)
    run_many(connection, _CHANNELS, list(through.items()))
    devices = [(n, where, f"token:{n:012d}" + "x" * 130, at, at) for n, where in through.items()]
    run_many(connection, _DEVICES, devices)
    members = [(_id(at, n, "e"), n, f"user-{n}", at, at, f"topic-{n % TOPICS}") for n in rows if n % 4 == 3]
    run_many(connection, _MEMBERS, members)


def _activity(connection: Connection, rows: range, total: int, people: int, since: Millis) -> None:
    """A block of messages; of each two thousand the first half has one trigger, the others one each. One in
    ten recipients beside them is skipped, one in twenty messages fails, as many are opened."""
    environment, integrations, workflows = _named(connection)
    triggers: list[tuple[object, ...]] = []
    notifications: list[tuple[object, ...]] = []
    messages: list[tuple[object, ...]] = []
    opened: list[tuple[object, ...]] = []
    for n in rows:
        root = n - n % TO_MANY if n // TO_MANY % 2 == 0 else n
        at = since + MONTH * root // total
        trigger, notification, message = _id(at, root, "a"), _id(at, n, "b"), _id(at, n, "c")
        workflow, person = workflows[root // 7 % WORKFLOWS], 1 + n * 7919 % people
        if n == root:
            triggers.append(_trigger(environment, trigger, workflow, at, many=n // TO_MANY % 2 == 0))
        notifications.append((environment, notification, trigger, person, 1, at))
        if n % 10 == 0:
            notifications.append((environment, _id(at, n, "bf"), trigger, 1 + (n + 1) * 7919 % people, 0, at))
        failed = n % 20 == 0
        status = (
            ("failed", "refused", "UNREGISTERED", SOME_ERROR)
            if failed
            else ("delivered", "accepted", "ok", "")
        )
        token, where = f"token:{person:012d}" + "x" * 130, integrations[person % 2]
        row = (
            environment,
            message,
            notification,
            trigger,
            person,
            where,
            person,
            token,
            *status,
            failed,
            at,
            at + 90,
        )
        messages.append(row)
        if n % 20 == 1:
            opened.append((environment, message, where, at + HOUR))
    run_many(connection, _TRIGGERS, triggers)
    run_many(connection, _NOTIFICATIONS, notifications)
    run_many(connection, _MESSAGES, messages)
    run_many(connection, _OPENED, opened)


def _trigger(environment: str, identity: str, workflow: str, at: Millis, *, many: bool) -> tuple[object, ...]:
    told = Trigger(identity, environment, f"tx-{identity}", workflow, at, payload={"text": "Breaking"})
    audience = TO_MANY if many else None
    return (identity, environment, told.transaction_id, workflow, msgspec.msgpack.encode(told), at, audience)


def _rest(connection: Connection, since: Millis) -> None:
    """Members of the installation, the audit log, deliveries to webhooks, and what is parked."""
    environment, _, _ = _named(connection)
    endpoints = [row[0] for row in run(connection, _ENDPOINTS)]
    members = [(_id(since, n, "1"), f"member-{n}@example.com", f"Member {n}", since) for n in range(20)]
    run_many(connection, _STAFF, members)
    audited = [
        (
            _id(since, n, "2"),
            since + n,
            environment,
            f"Member {n % 20}",
            f"workflow.{n % 3}",
            f"workflows/{n}",
        )
        for n in range(AUDITED)
    ]
    run_many(connection, _AUDITED, audited)
    tries = json.dumps([{"at": since, "took": 20, "status": 200}])
    states = ("delivered",) * 19 + ("failed",)
    sent = [
        (
            _id(since, n, "3"),
            environment,
            endpoints[n % 3],
            f"evt_{n}",
            states[n % 20],
            tries,
            since + n,
            since + n,
        )
        for n in range(WEBHOOKED)
    ]
    run_many(connection, _WEBHOOKED, sent)
    run_many(connection, _PARKED, [(since, f"ValueError: {n}", b"\x80") for n in range(PARKED)])


def _id(at: Millis, n: int, kind: str) -> str:
    return f"{at:012x}{n:010x}{kind:0<10}"


_INTEGRATIONS = sql("SELECT environment_id, id FROM integrations ORDER BY identifier")
_WORKFLOWS = sql("SELECT id FROM workflows ORDER BY workflow_id")
_ENDPOINTS = sql("SELECT id FROM webhook_endpoints ORDER BY id")
_PEOPLE = sql("""
INSERT INTO subscribers
  (pk, id, environment_id, subscriber_id, first_name, last_name, email, created_at, updated_at)
VALUES (?, ?, ?, ?, 'Ada', ?, ?, ?, ?)
""")
_CHANNELS = sql("INSERT INTO channels (subscriber_pk, integration_id) VALUES (?, ?)")
_DEVICES = sql("""
INSERT INTO devices (subscriber_pk, integration_id, token, position, registered_at, last_seen_at)
VALUES (?, ?, ?, 1, ?, ?)
""")
_MEMBERS = sql("""
INSERT INTO topic_subscriptions (id, topic_id, subscriber_pk, identifier, created_at, updated_at)
SELECT ?, id, ?, ?, ?, ? FROM topics WHERE key = ?
""")
_TRIGGERS = sql("""
INSERT INTO triggers (id, environment_id, transaction_id, workflow_id, body, expanded, accepted_at, audience)
VALUES (?, ?, ?, ?, ?, TRUE, ?, ?)
""")
_NOTIFICATIONS = sql("""
INSERT INTO notifications (environment_id, id, trigger_id, subscriber_pk, planned, details, created_at)
VALUES (?, ?, ?, ?, ?, '[]', ?)
""")
_MESSAGES = sql("""
INSERT INTO messages (environment_id, id, notification_id, trigger_id, subscriber_pk, integration_id,
  device_id, token, status, outcome, code, explanation, token_retired, created_at, updated_at, step_id, title,
  content, raw, provider_message_id, attempts)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'p', 'News', 'Breaking', '', 'm', 1)
""")
_OPENED = sql("""
INSERT INTO engagements (environment_id, message_id, status, integration_id, at) VALUES (?, ?, 'opened', ?, ?)
""")
_STAFF = sql("""
INSERT INTO members (id, email, name, role, password_hash, created_at) VALUES (?, ?, ?, 'viewer', '', ?)
""")
_AUDITED = sql("""
INSERT INTO audit_log
  (id, at, environment, actor_type, actor_id, actor_name, action, resource, address, status)
VALUES (?, ?, ?, 'member', '', ?, ?, ?, '127.0.0.1', 200)
""")
_WEBHOOKED = sql("""
INSERT INTO webhook_deliveries
  (id, environment_id, endpoint_id, event_id, type, body, status, attempts, tries, happened_at, updated_at)
VALUES (?, ?, ?, ?, 'message.failed', '{}', ?, 1, ?, ?, ?)
""")
_PARKED = sql("""
INSERT INTO journal (lane, not_before, leased_until, lease, claims, parked_at, error, body)
VALUES ('address', 0, 0, '', 8, ?, ?, ?)
""")
