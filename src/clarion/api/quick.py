"""The trigger route's shorter way in: the same declaration, key, checks, answers and headers, without the
router and the request object, since this is the one call that comes by the thousand a second."""

from time import perf_counter
from typing import NamedTuple

import msgspec
import structlog
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from clarion.accept.gate import MOST_BYTES, Receipt, check_size
from clarion.accept.gate import Call as TriggerCall
from clarion.accept.once import SERVER_ERROR, Repeatable, Replay, mark_of
from clarion.api.admission import Visit, admitted, holder_of
from clarion.api.bodies import check_unpacked, decode_body
from clarion.api.events import TRIGGER, TriggerIn, asked, rehearsed
from clarion.api.limits import Limits
from clarion.api.problems import problem_for, unexpected
from clarion.api.route import Caller, Services
from clarion.api.server import Headers
from clarion.errors import RequestError
from clarion.model.clock import Millis
from clarion.model.ids import derived_id
from clarion.ops.instruments import api
from clarion.store.idempotency import Answer

log = structlog.get_logger(__name__)

PATH = TRIGGER.path.encode()


class QuickTrigger:
    """POST /v1/events/trigger as a bare ASGI application."""

    def __init__(self, services: Services, limits: Limits) -> None:
        self._services = services
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: Headers = []
        began = perf_counter()
        try:
            status, body = await self._trigger(scope, receive, headers)
        except RequestError as error:
            status, body = self._refused(error)
            headers += [(k.lower().encode(), v.encode()) for k, v in error.headers.items()]
        except Exception:
            unmeant = unexpected(TRIGGER.path, self._services.clock())
            log.exception("request failed", operation=TRIGGER.operation_id, error_id=unmeant.error_id)
            status, body = 500, msgspec.json.encode(unmeant)
        api(TRIGGER.operation_id, str(status)).observe(perf_counter() - began)
        headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _trigger(self, scope: Scope, receive: Receive, headers: Headers) -> Answer:
        authorization = key = encoding = None
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value.decode("latin-1")
            elif name == b"idempotency-key" and value:
                key = value.decode("latin-1")
                headers.append((name, value))
            elif name == b"content-encoding":
                encoding = value.decode("latin-1")
        caller = await self._caller(authorization, scope)
        await self._limits.take(caller.environment_id, TRIGGER.category, TRIGGER.cost, headers)
        check_unpacked(encoding)
        raw = await _body(receive)
        wanted = _wanted(raw, self._services.clock())
        if wanted.dry_run:
            found = await rehearsed(self._services, caller.environment_id, wanted.call())
            return Answer(TRIGGER.status, msgspec.json.encode({"data": found}))
        once = self._services.once
        repeatable = once.repeatable(
            caller.environment_id, key, lambda: mark_of(TRIGGER.method, TRIGGER.path, raw)
        )
        if repeatable is None:
            return _told(await self._services.gate.accept(caller.environment_id, wanted.call()))
        replay = await self._once(repeatable, wanted)
        if replay.repeated:
            headers.append((b"idempotency-replay", b"true"))
        return replay.answer

    async def _caller(self, authorization: str | None, scope: Scope) -> Caller:
        if authorization:
            return await holder_of(authorization, self._services)
        caller = await admitted(TRIGGER, Visit.of(Request(scope)), self._services)
        assert caller is not None
        return caller

    async def _once(self, call: Repeatable, wanted: "_Wanted") -> Replay:
        if not self._services.journal.transactional:
            return await self._services.once.answered(call, lambda: self._accepted(call, wanted))
        try:
            trigger, receipt = await self._services.gate.judge(call.environment_id, wanted.call())
        except RequestError as error:
            if error.status >= SERVER_ERROR:
                raise
            return await self._kept(call, self._refused(error))
        if trigger is None:
            return await self._kept(call, _told(receipt))
        return await self._services.gate.put_once(trigger, call, _told(receipt))

    async def _kept(self, call: Repeatable, answer: Answer) -> Replay:
        async def known() -> Answer:
            return answer

        return await self._services.once.answered(call, known)

    async def _accepted(self, call: Repeatable, wanted: "_Wanted") -> Answer:
        """Accepted under a transaction that the key names: who dies before the answer is kept has not
        accepted it twice when the call is repeated."""
        try:
            asked_for = wanted.call()
            named = asked_for.transaction_id or f"txn_{derived_id(call.environment_id, call.key)}"
            named_call = msgspec.structs.replace(asked_for, transaction_id=named)
            return _told(await self._services.gate.accept(call.environment_id, named_call))
        except RequestError as error:
            if error.status >= SERVER_ERROR:
                raise
            return self._refused(error)

    def _refused(self, error: RequestError) -> Answer:
        problem = problem_for(error, TRIGGER.path, self._services.clock(), of_trigger=True)
        return Answer(error.status, msgspec.json.encode(problem))


class _Wanted(NamedTuple):
    """A body that was read, or what is wrong with it: that is told under its idempotency key."""

    given: TriggerIn | None
    now: Millis
    error: RequestError | None = None

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be sent."""
        return self.given is not None and self.given.dry_run

    def call(self) -> TriggerCall:
        """The trigger as the accept stage takes it."""
        if self.error is not None:
            raise self.error
        assert self.given is not None
        return asked(self.given, self.now)


def _wanted(raw: bytes, now: Millis) -> _Wanted:
    try:
        return _Wanted(decode_body(raw, TriggerIn, payload_errors=True), now)
    except RequestError as error:
        return _Wanted(None, now, error)


def _told(receipt: Receipt) -> Answer:
    answer = {"acknowledged": True, "status": receipt.status, "transactionId": receipt.transaction_id}
    return Answer(TRIGGER.status, _ENCODER.encode({"data": answer}))


_ENCODER = msgspec.json.Encoder()


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    check_size(len(body))
    if not message.get("more_body"):
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > 2 * MOST_BYTES:
            break
    check_size(size)
    return b"".join(parts)
