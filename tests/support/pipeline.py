"""The way of a message on a real database, worked by hand: the provider and the clock are stand-ins."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.accept.gate import Call, Gate, Receipt
from clarion.accept.intake import Intake
from clarion.accept.once import Once
from clarion.address.stage import AddressStage
from clarion.deliver.exchange import Exchange, HttpSender
from clarion.deliver.health import HealthBook
from clarion.deliver.receipts import ReceiptStage
from clarion.deliver.stage import DeliverStage, Lanes
from clarion.echo.courier import Courier
from clarion.echo.recorder import Recorder
from clarion.echo.webhooks import WebhookStage
from clarion.journal.crossing import Crossing
from clarion.journal.outbox import Outbox
from clarion.journal.port import (
    ACCEPTED_PREFIX,
    BULK_RUN_PREFIX,
    CHUNK_PREFIX,
    PAGE_PREFIX,
    RECALL_PREFIX,
    RECEIPTS_PREFIX,
    REPEAT_PREFIX,
    REQUEST_PREFIX,
    RUN_PREFIX,
    WEBHOOK_PREFIX,
    Batch,
    accepted_lane,
    chunk_lane,
    page_lane,
)
from clarion.journal.sql import SqlJournal
from clarion.model.clock import DAY, HOUR, SECOND, Clock, Millis
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Verdict
from clarion.model.people import Integration
from clarion.model.push import Json, PushMessage
from clarion.model.trigger import Person
from clarion.providers.port import Provider
from clarion.providers.push_webhook import PushWebhook
from clarion.security.vault import Vault
from clarion.store import devices, integrations, preferences, subscribers, triggers, workflows
from clarion.store.catalog import Catalog
from clarion.store.database import Database
from clarion.store.installation import begin, place_of_key
from clarion.store.ledger import Ledger, ledger
from clarion.store.tables import devices as device_table
from clarion.store.tables import messages, notifications
from clarion.workflow.plan import Terms
from clarion.workflow.planner import Planner
from clarion.workflow.requests import RequestStage
from clarion.workflow.stage import RunStage
from pushing import NOW, HandClock, ScriptedSender, integration, workflow

LIFETIME: Millis = HOUR
OK = HttpReply(200)
GONE = HttpReply(410, body=b'{"code": "token_invalid"}')
TROUBLE = HttpReply(503, body=b"overloaded")
_MOST_ROUNDS = 1000


class Sent(NamedTuple):
    """A message as recorded."""

    token: str
    status: str
    code: str
    explanation: str
    attempts: int
    token_retired: bool = False


class Counts(NamedTuple):
    """Messages by what became of them; `skipped` counts notifications without one."""

    planned: int
    delivered: int
    failed: int = 0
    cancelled: int = 0
    skipped: int = 0


class DatedWebhook(PushWebhook):
    """A receiver that may say when the device died, as APNs does: `{"diedAt": <ms>}`."""

    def read(self, reply: HttpReply, message: PushMessage) -> Verdict:
        verdict = super().read(reply, message)
        answer = msgspec.json.decode(reply.body) if reply.status == 410 else {}
        return msgspec.structs.replace(verdict, died_at=answer.get("diedAt"))


class Worker:
    """What one process holds: stages that know nothing of those before them but what is on disk."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Clock,
        sender: HttpSender,
        provider: Provider[Any] | None = None,
    ) -> None:
        self.journal = SqlJournal(database, clock)
        self.catalog = Catalog(database, vault)
        self.gate = Gate(
            Intake(self.journal, Once(database, clock, DAY)), self.catalog, database, self.journal, clock
        )
        planner = Planner(Terms(frozenset({"push-webhook"}), LIFETIME), clock)
        crossing = Crossing(self.journal, self.journal)
        self.address = AddressStage(database, self.journal, self.catalog, clock, planner, crossing)
        self.runs = RunStage(self.catalog, clock, planner, crossing)
        self.requests = RequestStage(database, self.catalog, clock, crossing, vault, sender)
        sends = provider or DatedWebhook()
        self.outbox = Outbox(self.journal, self.catalog)
        self.book = HealthBook(database, clock, self.outbox)
        self.lanes = Lanes({sends.id: sends}, lambda _: Exchange(sender, None), clock, 10, self.book)
        self.deliver = DeliverStage(
            database,
            self.journal,
            self.catalog,
            clock,
            Recorder(database, self.outbox),
            self.lanes,
        )
        self.receipts = ReceiptStage(self.journal, self.catalog, clock, self.lanes, self.outbox)
        self.webhooks = WebhookStage(database, self.outbox, self.catalog, clock, Courier(sender, clock))

    def work_of(self, lane: str) -> Callable[[Batch], Awaitable[None]]:
        """The stage that works on a lane."""
        stages = {
            ACCEPTED_PREFIX: self.address.accepted,
            PAGE_PREFIX: self.address.page,
            CHUNK_PREFIX: self.address.chunk,
            RECEIPTS_PREFIX: self.receipts.work,
            RUN_PREFIX: self.runs.work,
            BULK_RUN_PREFIX: self.runs.work,
            RECALL_PREFIX: self.runs.recall,
            REQUEST_PREFIX: self.requests.work,
            WEBHOOK_PREFIX: self.webhooks.work,
            REPEAT_PREFIX: self.webhooks.work,
        }
        kind, colon, _ = lane.partition(":")
        return stages.get(kind + colon, self.deliver.work)


class Pipeline:
    """One environment with a workflow and a push webhook, whose receiver is `sender`, by device token."""

    def __init__(
        self,
        database: Database,
        provider: Provider[Any] | None = None,
        credentials: Json | None = None,
        sender: HttpSender | None = None,
    ) -> None:
        self.database = database
        self.clock = HandClock()
        self.sender = ScriptedSender(device_of)
        self._provider = provider
        self._credentials = credentials or {"webhookUrl": "https://receiver.test/", "secretKey": "s"}
        self._way_out = sender or self.sender
        self._vault = Vault(bytes(32))
        self.environment_id = ""
        self.integration: Integration
        self.worker = self._worker()

    async def begin(self, environment: str = "dev") -> None:
        """Make the environment of a type, `dev` or `prod`."""
        await self.database.write(begin, self._vault, None, NOW)
        snapshot = await self.worker.catalog.current()
        self.environment_id = next(
            item.id for item in snapshot.environments.values() if item.type == environment
        )
        provider_id = self._provider.id if self._provider else "push-webhook"
        self.integration = msgspec.structs.replace(
            integration(f"i-{environment}", provider_id, credentials=self._credentials),
            environment_id=self.environment_id,
        )
        flow = msgspec.structs.replace(workflow(), id=f"w-{environment}", environment_id=self.environment_id)
        await self.worker.catalog.change(integrations.create, self._vault, self.integration)
        await self.worker.catalog.change(workflows.create, flow)

    @property
    def accepted_lane(self) -> str:
        """The lane of its triggers."""
        return accepted_lane(self.environment_id)

    @property
    def page_lane(self) -> str:
        """The lane of its broadcasts."""
        return page_lane(self.environment_id)

    @property
    def chunk_lane(self) -> str:
        """The lane of their chunks."""
        return chunk_lane(self.environment_id)

    def another_worker(self) -> Worker:
        """One more process on the same database."""
        return self._worker()

    async def restart(self) -> None:
        """A new process in place of one that died: it takes up what that one held."""
        self.worker = self._worker()
        await self.worker.journal.release_all()

    async def register(self, name: str, *tokens: str) -> None:
        """Give a person devices."""
        await self.register_all({name: tokens})

    async def register_all(self, people: dict[str, Sequence[str]]) -> None:
        """Give many people devices."""
        await self.database.write(_register, self.integration, people, self.clock())

    async def switch_off(self) -> None:
        """Switch the integration off."""
        off = msgspec.structs.replace(self.integration, active=False)
        await self.worker.catalog.change(integrations.replace, self._vault, off)

    async def configure(self, **configurations: Any) -> None:
        """Change the configurations of the integration."""
        changed = msgspec.structs.replace(
            self.integration, configurations=configurations, updated_at=self.clock() + 1
        )
        await self.worker.catalog.change(integrations.replace, self._vault, changed)

    async def trigger(self, *to: str | Person, **fields: Any) -> Receipt:
        """Accept a trigger."""
        return await self.worker.gate.accept(self.environment_id, call(*to, **fields))

    async def trigger_together(self, *calls: Call) -> None:
        """Accept triggers in one group."""
        judged = [await self.worker.gate.judge(self.environment_id, call) for call in calls]
        await self.worker.gate.put([trigger for trigger, _ in judged if trigger])

    async def cancel(self, transaction_id: str) -> bool:
        """Cancel a transaction."""
        return await self.worker.gate.cancel(self.environment_id, transaction_id)

    async def key(self) -> str:
        """The environment's API key."""
        snapshot = await self.worker.catalog.current()
        (kept,) = (item for item in snapshot.keys if item.environment_id == self.environment_id)
        return self._vault.open(kept.sealed, place_of_key(kept.id)).decode()

    async def pause(self, transaction_id: str, at: Millis | None) -> None:
        """Pause a transaction, or let it go on."""
        await self.database.write(triggers.pause, self.environment_id, transaction_id, at)

    async def set_zone(self, name: str, zone: str) -> None:
        """Give a person a time zone."""

        def write(connection: Connection) -> None:
            found = subscribers.get(connection, self.environment_id, name)
            assert found is not None
            subscribers.update(connection, found, {"timezone": zone}, self.clock())

        await self.database.write(write)

    async def set_schedule(self, name: str, start: str, end: str) -> None:
        """Let a person be disturbed between these hours of every day alone."""
        days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        hours = {"isEnabled": True, "hours": [{"start": start, "end": end}]}
        schedule = {"isEnabled": True, "weeklySchedule": dict.fromkeys(days, hours)}

        def write(connection: Connection) -> None:
            found = subscribers.get(connection, self.environment_id, name)
            assert found is not None
            preferences.set_schedule(connection, found.pk, schedule, self.clock())

        await self.database.write(write)

    async def claim(self, lane: str) -> Batch:
        """The next batch of a lane."""
        (batch,) = await self.worker.journal.claim(lane, 1)
        return batch

    async def work(self, lane: str) -> int:
        """Work on everything due in a lane now; how much that was."""
        batches = await self.worker.journal.claim(lane, 100)
        for batch in batches:
            await self.worker.work_of(lane)(batch)
        return len(batches)

    async def address(self) -> None:
        """Work on what was accepted, and on nothing behind it."""
        assert await self.work(self.accepted_lane)

    async def drain(self) -> None:
        """Work until nothing is due any more; the clock goes on while a broadcast makes way for others."""
        for _ in range(_MOST_ROUNDS):
            lanes = await self.worker.journal.lanes("")
            if sum([await self.work(lane) for lane in sorted(lanes)]):
                continue
            if not lanes & {self.page_lane, self.chunk_lane}:
                return
            self.clock.now += SECOND // 10
        raise AssertionError(f"still at work: {await self.worker.journal.lanes('')}")

    async def delivery_lane(self) -> str:
        """The lane that holds what is to be sent."""
        (lane,) = await self.worker.journal.lanes("") - {self.page_lane, self.chunk_lane}
        return lane

    def message_ids(self, token: str) -> list[str]:
        """The ids under which a device was sent to, one a request."""
        return [dict(request.headers)["idempotency-key"] for request in self.sender.requests[token]]

    @property
    def tokens_sent_to(self) -> list[str]:
        """The device of each request, sorted."""
        return sorted(token for token, asked in self.sender.requests.items() for _ in asked)

    async def sent(self) -> list[Sent]:
        """Messages as recorded, by token."""
        return await self.database.read(_sent, self.environment_id)

    async def notified(self) -> list[tuple[str, int, list[str]]]:
        """Notifications: for whom, of how many messages, with which events."""
        return await self.database.read(_notified)

    async def tokens_of(self, name: str) -> list[str]:
        """A person's live tokens."""
        return await self.database.read(_tokens, self.environment_id, name)

    async def last_seen(self) -> dict[str, Millis]:
        """When each device was seen, by its token."""
        return await self.database.read(_last_seen)

    async def counts(self) -> Counts:
        """The environment's ledger in short."""
        found = await self.ledger()
        return Counts(found.planned, found.delivered, found.failed, found.cancelled, found.skipped)

    async def ledger(self) -> Ledger:
        """The environment's ledger."""
        return await self.database.read(ledger, self.environment_id)

    async def balanced(self) -> Ledger:
        """The ledger, which balances: nothing under way, a final outcome for every planned message."""
        found = await self.ledger()
        assert await self.worker.journal.lanes("") == set()
        assert found.in_flight == 0, found
        assert found.planned == len(await self.sent())
        return found

    def _worker(self) -> Worker:
        return Worker(self.database, self._vault, self.clock, self._way_out, self._provider)


def call(*to: str | Person, **fields: Any) -> Call:
    """A trigger as asked for."""
    people = [Person(item) if isinstance(item, str) else item for item in to]
    return Call("news", people, **{"payload": {"text": "Hello"}} | fields)


def device_of(request: HttpRequest) -> str:
    """The device a webhook is for."""
    return str(msgspec.json.decode(request.body)["target"][0])


def _register(
    connection: Connection, through: Integration, people: dict[str, Sequence[str]], now: Millis
) -> None:
    found = subscribers.ensure(connection, through.environment_id, list(people), now)
    for name, tokens in people.items():
        devices.append(connection, found[name].pk, through.id, tokens, now)


def _sent(connection: Connection, environment_id: str) -> list[Sent]:
    columns = [messages.c[name] for name in Sent._fields]
    query = sa.select(*columns).where(messages.c.environment_id == environment_id)
    rows = connection.execute(query.order_by(messages.c.token, messages.c.trigger_id))
    return [Sent(*row) for row in rows]


def _notified(connection: Connection) -> list[tuple[str, int, list[str]]]:
    query = sa.select(notifications.c.subscriber_pk, notifications.c.planned, notifications.c.details)
    rows = connection.execute(query.order_by(notifications.c.id)).all()
    people = subscribers.by_pk(connection, {row.subscriber_pk for row in rows})
    return [
        (
            people[row.subscriber_pk].subscriber_id,
            row.planned,
            [detail["event"] for detail in row.details],
        )
        for row in rows
    ]


def _last_seen(connection: Connection) -> dict[str, Millis]:
    query = sa.select(device_table.c.token, device_table.c.last_seen_at)
    return {row.token: row.last_seen_at for row in connection.execute(query)}


def _tokens(connection: Connection, environment_id: str, name: str) -> list[str]:
    found = subscribers.get(connection, environment_id, name)
    assert found is not None
    held = devices.channels_of(connection, [found.pk]).get(found.pk, [])
    return [device.token for channel in held for device in channel.devices]
