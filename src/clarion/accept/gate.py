"""Decides on a trigger: what its workflow says to it, and the trigger as it enters the journal."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy.engine import Connection

from clarion.accept.intake import Intake
from clarion.accept.once import Repeatable, Replay
from clarion.check.schema import QUICK_CHECK, validator_of
from clarion.errors import CheckTooLong, PayloadInvalid, TooLarge, Unprocessable
from clarion.journal.port import Journal, Record, accepted_lane, recall_lane
from clarion.journal.sql import append_in
from clarion.model.clock import Clock, Millis
from clarion.model.ids import new_id
from clarion.model.push import Json
from clarion.model.run import Recall
from clarion.model.trigger import Accepted, Person, TopicAudience, Trigger
from clarion.model.workflow import Workflow
from clarion.store import triggers
from clarion.store.catalog import Catalog
from clarion.store.database import Database
from clarion.store.idempotency import Answer

MOST_BYTES = 512 * 1024
"""Of one trigger's body."""

_LONG_CHECKS = 2
"""Payloads that threads check at a time."""


class Call(msgspec.Struct, frozen=True):
    """A trigger as asked for."""

    workflow: str
    people: list[Person]
    topics: list[TopicAudience] = []
    broadcast: bool = False
    payload: Json = {}
    overrides: Json = {}
    transaction_id: str | None = None
    actor: Person | None = None
    tenant: Json = {}
    context: Json = {}
    send_at: str = ""


class Receipt(NamedTuple):
    """The answer to a trigger: a status of the contract and the transaction it has."""

    status: str
    transaction_id: str


class Gate:
    """The accept stage."""

    def __init__(
        self, intake: Intake, catalog: Catalog, database: Database, journal: Journal, clock: Clock
    ) -> None:
        self._intake = intake
        self._catalog = catalog
        self._database = database
        self._journal = journal
        self._clock = clock
        self._long_checks = asyncio.Semaphore(_LONG_CHECKS)

    async def accept(self, environment_id: str, call: Call) -> Receipt:
        """Accept one trigger; it is on disk when this returns.

        `Unprocessable` when there is no such workflow, `PayloadInvalid` when the payload breaks its schema.
        """
        trigger, receipt = await self.judge(environment_id, call)
        if trigger is not None:
            await self._intake.put((trigger,))
        return receipt

    async def judge(self, environment_id: str, call: Call) -> tuple[Trigger | None, Receipt]:
        """The trigger that `call` comes to, None when nothing is to be done, and the answer."""
        workflow = await self._workflow(environment_id, call.workflow)
        now = self._clock()
        identity = new_id(now)
        transaction_id = call.transaction_id or f"txn_{identity}"
        refusal = _refusal(workflow, call)
        if refusal:
            return None, Receipt(refusal, transaction_id)
        trigger = Trigger(
            identity,
            environment_id,
            transaction_id,
            workflow.id,
            now,
            call.people,
            call.topics,
            call.broadcast,
            await self._checked(workflow, call.payload),
            call.overrides,
            call.actor,
            call.tenant,
            call.context,
            call.send_at,
        )
        return trigger, Receipt("processed", transaction_id)

    async def put_once(self, accepted: Trigger, call: Repeatable, answer: Answer) -> Replay:
        """Put a judged trigger on disk with the answer to its call, unless that was made before."""
        return await self._intake.put_once(accepted, call, answer)

    async def put(self, accepted: Sequence[Trigger]) -> None:
        """Put judged triggers on disk together."""
        await self._intake.put(accepted)

    async def cancel(self, environment_id: str, transaction_id: str) -> bool:
        """Cancel what has not gone out yet; says whether there was anything."""
        waiting = await self._waits(environment_id, transaction_id)
        cancelled = await self._database.write(_cancel, environment_id, transaction_id, self._clock())
        return cancelled or waiting

    async def _checked(self, workflow: Workflow, payload: Json) -> Json:
        """The payload with the defaults of the workflow's schema, if the workflow asks for the check.

        A check that isn't over at once goes on in a thread, few at a time, and holds up no other call.
        """
        if not workflow.validate_payload or not workflow.payload_schema:
            return payload
        schema = validator_of(workflow.payload_schema)
        filled = schema.with_defaults(payload)
        try:
            issues = schema.issues(filled, QUICK_CHECK)
        except CheckTooLong:
            async with self._long_checks:
                issues = await asyncio.to_thread(schema.issues, filled)
        if issues:
            raise PayloadInvalid("The payload doesn't fit the schema of the workflow", issues)
        return filled

    async def _waits(self, environment_id: str, transaction_id: str) -> bool:
        """Whether the transaction is accepted and not addressed yet."""
        bodies = await self._journal.matching(accepted_lane(environment_id), transaction_id)
        accepted = (msgspec.msgpack.decode(body, type=Accepted) for body in bodies)
        return any(
            (trigger.environment_id, trigger.transaction_id) == (environment_id, transaction_id)
            for group in accepted
            for trigger in group.triggers
        )

    async def _workflow(self, environment_id: str, name: str) -> Workflow:
        """Found without touching the database; one that isn't known may have been made elsewhere."""
        known = self._catalog.snapshot.workflow_named(environment_id, name)
        if known is None:
            known = (await self._catalog.current()).workflow_named(environment_id, name)
        if known is None:
            raise Unprocessable("workflow_not_found")
        return known


def _cancel(connection: Connection, environment_id: str, transaction_id: str, now: Millis) -> bool:
    """Cancel a transaction; its runs are ended one after the other."""
    trigger_id = triggers.cancel(connection, environment_id, transaction_id, now)
    if trigger_id is not None:
        recall = Recall(environment_id, trigger_id)
        append_in(connection, [Record(recall_lane(environment_id), msgspec.msgpack.encode(recall))])
    return trigger_id is not None


def check_size(size: int) -> None:
    """`TooLarge` for a trigger body over 512 KiB."""
    if size > MOST_BYTES:
        raise TooLarge(
            f"Payload size {size} bytes exceeds the limit of {MOST_BYTES} bytes: send less, or a link to it"
        )


def _refusal(workflow: Workflow, call: Call) -> str | None:
    if not workflow.active:
        return "trigger_not_active"
    if not workflow.steps:
        return "no_workflow_steps_defined"
    if not (call.people or call.topics or call.broadcast):
        return "invalid_recipients"
    return None
