"""Sends the HTTP requests that runs stand at, and lets the runs go on with the answers."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import msgspec
from sqlalchemy.engine import Connection

from clarion.compose.request import MOST_KEPT, answered, fault_of, request_of
from clarion.compose.variables import variables
from clarion.errors import TemplateError, TransportError
from clarion.journal.crossing import Crossing
from clarion.journal.port import Batch, Record, request_lane
from clarion.journal.turns import turn_records
from clarion.model.clock import SECOND, Clock, Millis
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.ids import derived_id
from clarion.model.push import Json
from clarion.model.run import Fetch, Run, RunState, StepResult, StepStatus, Turn
from clarion.model.trace import Detail, Event
from clarion.model.workflow import HTTP_REQUEST, Step
from clarion.ops import tracing
from clarion.security.vault import Vault
from clarion.store import runs, subscribers, triggers
from clarion.store.catalog import Catalog, Snapshot
from clarion.store.database import Database
from clarion.store.installation import place_of_key
from clarion.workflow.course import Course

TIMEOUT = 15.0
"""Seconds that a receiver has to answer."""

PAUSES: tuple[Millis, ...] = (2 * SECOND, 10 * SECOND)
"""Before each further try of a request that got no answer, or one that says to try again."""

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_MOST_SAID = 500


class Sender(Protocol):
    """Sends requests; raises `TransportError` when there is no answer."""

    async def send(
        self, request: HttpRequest, *, timeout: float = TIMEOUT, guarded: bool = True
    ) -> HttpReply:
        """The answer. `guarded` applies the egress rule; redirects are not followed."""
        ...


class _Answer(msgspec.Struct, frozen=True):
    """What a request came to; an empty `fault` is a success. `again`: it may come to something else later."""

    output: Json
    fault: str = ""
    again: bool = False


class RequestStage:
    """Works on the requests of runs."""

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        clock: Clock,
        crossing: Crossing,
        vault: Vault,
        sender: Sender,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._clock = clock
        self._crossing = crossing
        self._vault = vault
        self._sender = sender

    async def work(self, batch: Batch) -> None:
        """Send one request and write what it came to. After a crash it may be sent twice, with the same
        `idempotency-key`."""
        asked = msgspec.msgpack.decode(batch.body, type=Fetch)
        snapshot = await self._catalog.current()
        course = await self._database.read(self._course, snapshot, asked)
        step = course.step if course else None
        if course is None or step is None or step.type != HTTP_REQUEST:
            await self._end(batch, asked, _Answer({}, "the step was removed from its workflow"))
            return
        began = tracing.now()
        answer = await self._answer(course, step, snapshot)
        _trace(course, asked, answer, began)
        if answer.again and asked.attempt < len(PAUSES):
            again = msgspec.structs.replace(asked, attempt=asked.attempt + 1)
            at = self._clock() + PAUSES[asked.attempt]
            record = Record(request_lane(asked.environment_id), msgspec.msgpack.encode(again), at)
            await self._crossing.inner.settle(batch, lambda _: [record])
            return
        await self._end(batch, asked, answer)

    async def _answer(self, course: Course, step: Step, snapshot: Snapshot) -> _Answer:
        identity = derived_id(course.run.id, step.step_id)
        keys = self._secrets(snapshot, course.run.environment_id)
        try:
            request = request_of(step.controls, course.variables, identity, keys, self._clock())
            reply = await self._sender.send(request, timeout=TIMEOUT, guarded=True)
        except TemplateError as error:
            return _Answer({"error": str(error)}, str(error))
        except TransportError as error:
            return _Answer({"error": error.code}, str(error), again=error.code == TransportError.code)
        output = answered(reply)
        fault = await asyncio.to_thread(fault_of, step.controls, reply, output)
        return _Answer(_small(output), fault, reply.status in _AGAIN)

    def _course(self, connection: Connection, snapshot: Snapshot, asked: Fetch) -> Course | None:
        """The run as its templates see it; None when it is elsewhere by now."""
        found = runs.looked_at(connection, asked.environment_id, [asked.run_id])
        if not found or not _stands(found[0].run, asked):
            return None
        kept = found[0]
        (admission,) = triggers.many(connection, [kept.run.trigger_id])
        workflow = snapshot.workflows.get(admission.trigger.workflow_id)
        person = subscribers.by_pk(connection, [kept.run.subscriber_pk]).get(kept.run.subscriber_pk)
        if workflow is None or person is None:
            return None
        env = snapshot.variables_of(asked.environment_id)
        gathered = runs.events(connection, asked.environment_id, kept.run.id)
        shared = variables(admission.trigger, workflow, env)
        return Course(kept, admission.trigger, workflow, person, shared, lambda _: gathered, self._clock())

    async def _end(self, batch: Batch, asked: Fetch, answer: _Answer) -> None:
        """Let the run go on with the answer, unless it is elsewhere by now."""

        def change(connection: Connection) -> Sequence[Record]:
            kept = runs.held(connection, asked.environment_id, [asked.run_id])
            if not kept or not _stands(kept[0].run, asked):
                return []
            run = _with(kept[0].run, answer)
            told = self._told(run.step_id, answer)
            runs.write(connection, [runs.Written(run, 0, [*kept[0].details, told])])
            return turn_records(run.environment_id, [Turn(run.id, run.turn)], bulk=run.bulk)

        await self._crossing.inner.settle(batch, change)

    def _told(self, step_id: str, answer: _Answer) -> Detail:
        event = Event.HTTP_FAILED if answer.fault else Event.HTTP_ANSWERED
        raw: Json = {"error": answer.fault[:_MOST_SAID]} if answer.fault else {}
        raw |= {"statusCode": answer.output["statusCode"]} if "statusCode" in answer.output else {}
        return Detail(event.code, self._clock(), step_id, raw=raw or None)

    def _secrets(self, snapshot: Snapshot, environment_id: str) -> list[str]:
        """The keys of an environment, the oldest first: receivers may still know only that one."""
        own = [key for key in snapshot.keys if key.environment_id == environment_id]
        return [self._vault.open(key.sealed, place_of_key(key.id)).decode() for key in own]


def _stands(run: Run, asked: Fetch) -> bool:
    """Whether a run still waits for this request."""
    return run.turn == asked.turn and run.state is RunState.REQUESTING


def _trace(course: Course, asked: Fetch, answer: _Answer, began: int) -> None:
    """What a try came to, in the trace of its trigger: neither where it went nor what was answered."""
    into = tracing.on()
    if into is None:
        return
    told: tracing.Attributes = {
        "clarion.notification": course.run.id,
        "clarion.step": course.run.step_id,
        "clarion.attempt": asked.attempt + 1,
        "clarion.status": answer.output.get("statusCode", 0),
    }
    into.part("request", course.trigger.id, began, told, "failed" if answer.fault else "")


def _with(run: Run, answer: _Answer) -> Run:
    """The run, to take its next turn with the answer."""
    status = StepStatus.FAILED if answer.fault else StepStatus.COMPLETED
    output = {**answer.output, **({"error": answer.fault} if answer.fault else {})}
    results = {**run.results, run.step_id: StepResult(status, output)}
    return msgspec.structs.replace(run, turn=run.turn + 1, results=results)


def _small(output: Json) -> Json:
    """An answer without what is too much of it to be kept."""
    if len(msgspec.json.encode(output)) <= MOST_KEPT:
        return output
    return {"statusCode": output["statusCode"], "body": None, "headers": {}}
