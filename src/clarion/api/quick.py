"""The trigger route's shorter way in: the same declaration, key, checks, answers and headers, without the
router and the request object, since this is the one call that comes by the thousand a second."""

import msgspec
import structlog
from starlette.types import Receive, Scope, Send

from clarion.accept.gate import MOST_BYTES, check_size
from clarion.api.bodies import decode_body
from clarion.api.events import TRIGGER, asked
from clarion.api.keys import holder_of
from clarion.api.limits import Limits
from clarion.api.problems import problem_for, unexpected
from clarion.api.route import Services
from clarion.api.server import Headers
from clarion.errors import RequestError

log = structlog.get_logger(__name__)

PATH = TRIGGER.path.encode()


class QuickTrigger:
    """POST /v1/events/trigger as a bare ASGI application."""

    def __init__(self, services: Services, limits: Limits) -> None:
        self._services = services
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: Headers = []
        try:
            status, body = TRIGGER.status, await self._trigger(scope, receive, headers)
        except RequestError as error:
            problem = problem_for(error, TRIGGER.path, self._services.clock(), of_trigger=True)
            status, body = error.status, msgspec.json.encode(problem)
            headers += [(k.lower().encode(), v.encode()) for k, v in error.headers.items()]
        except Exception:
            unmeant = unexpected(TRIGGER.path, self._services.clock())
            log.exception("request failed", operation=TRIGGER.operation_id, error_id=unmeant.error_id)
            status, body = 500, msgspec.json.encode(unmeant)
        headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _trigger(self, scope: Scope, receive: Receive, headers: Headers) -> bytes:
        authorization = None
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value.decode("latin-1")
            elif name == b"idempotency-key":
                headers.append((name, value))
        caller = await holder_of(authorization, self._services.catalog)
        now = self._services.clock()
        headers += self._limits.take(caller.environment_id, TRIGGER.category, TRIGGER.cost, now)
        raw = await _body(receive)
        call = asked(decode_body(raw, TRIGGER.body, payload_errors=True))
        receipt = await self._services.gate.accept(caller.environment_id, call)
        answer = {"acknowledged": True, "status": receipt.status, "transactionId": receipt.transaction_id}
        return _ENCODER.encode({"data": answer})


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
