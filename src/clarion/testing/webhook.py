"""A strict receiver of push webhooks: what a customer's own endpoint should check, and its faults."""

import hmac
import re
from collections import Counter
from hashlib import sha256
from typing import Annotated, Any

import msgspec

from clarion.model.clock import Clock, Millis, system_clock
from clarion.model.push import Json
from clarion.testing.exchange import Answer, Reply, Request, json_reply, status_of
from clarion.testing.faults import Faults, Word, by_code
from clarion.testing.record import Attempt, Record

_HEX = re.compile("[0-9a-f]{64}")

CODES = by_code({}, lambda status: json_reply(status, {"code": f"error_{status}"}))
"""What a target can ask for by `code`: statuses."""

REFUSALS: dict[Word, Reply] = {
    Word.DEAD: json_reply(410, {"code": "token_invalid"}),
    Word.MALFORMED: json_reply(422, {"code": "token_malformed"}),
    Word.OTHERSENDER: json_reply(403, {"code": "other_sender"}),
    Word.IOSNOKEY: json_reply(401, {"code": "no_key"}),
    Word.THROTTLED: json_reply(429, {"code": "slow_down"}, ("retry-after", "1")),
    Word.FLAKY: json_reply(503, {"code": "unavailable"}),
    Word.DOWN: json_reply(503, {"code": "unavailable"}),
    Word.HTML: Reply(502, (("content-type", "text/html"),), b"<html><title>Bad gateway</title></html>"),
}
"""The fault words that the receiver answers with an error."""


class _Step(msgspec.Struct):
    digest: bool
    events: list[Any]
    total_count: int


class _Subscriber(msgspec.Struct):
    subscriberId: str


class _Payload(msgspec.Struct):
    subscriber: _Subscriber
    step: _Step


class _Body(msgspec.Struct):
    target: Annotated[list[str], msgspec.Meta(min_length=1)]
    title: str
    content: str
    payload: _Payload
    overrides: Json = {}


class Delivery(msgspec.Struct, frozen=True):
    """A push the receiver took. `body` is the parsed JSON, `raw` the bytes that were signed."""

    id: str
    targets: tuple[str, ...]
    title: str
    content: str
    body: Json
    raw: bytes
    signature: str
    idempotency_key: str
    at: Millis


class WebhookReceiver:
    """Takes signed pushes; without a secret it takes unsigned ones and checks no signature.

    A request whose `idempotency-key` was taken before is answered like the first one and counted in
    `repeats` by that key. Fault words are looked for in the first target.
    """

    def __init__(
        self,
        secret: str | None = None,
        *,
        unavailable_retry_after: int | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self.record: Record[Delivery] = Record()
        self.attempts: list[Attempt] = []
        self.repeats: Counter[str] = Counter()
        self._secret = secret
        self._clock = clock
        self._faults = Faults(REFUSALS, unavailable_retry_after, CODES)
        self._taken: dict[str, Delivery] = {}

    @property
    def deliveries(self) -> list[Delivery]:
        """What was taken, without repeats, in order. The list grows while you look at it."""
        return self.record.entries

    async def next_delivery(self, timeout: float = 5.0) -> Delivery:
        """The first delivery no earlier call returned; `TimeoutError` when none comes in `timeout` s."""
        return await self.record.next(timeout)

    def reset(self) -> None:
        """Forget deliveries, attempts, keys and used-up faults."""
        self.record.clear()
        self.attempts.clear()
        self.repeats.clear()
        self._taken.clear()
        self._faults.clear()

    async def handle(self, request: Request) -> Answer:
        """Answer one push."""
        target, answer = self._answer(request)
        self.attempts.append(Attempt(target, status_of(answer), self._clock()))
        return answer

    def _answer(self, request: Request) -> tuple[str, Answer]:
        """The first target, as far as it is known, and the answer."""
        refusal = self._not_allowed(request)
        if refusal is not None:
            return "", refusal
        try:
            body = msgspec.json.decode(request.body, type=_Body)
            raw: Json = msgspec.json.decode(request.body)
        except (ValueError, RecursionError) as error:
            return "", json_reply(422, {"code": "body_invalid", "message": str(error)[:300]})
        target = body.target[0]
        return target, self._faults.answer(target, lambda: self._take(request, body, raw))

    def _not_allowed(self, request: Request) -> Reply | None:
        if request.method != "POST":
            return json_reply(405, {"code": "method_not_allowed"}, ("allow", "POST"))
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return json_reply(415, {"code": "not_json"})
        if self._secret is not None and not self._signed(request, self._secret):
            return json_reply(401, {"code": "signature_invalid"})
        return None

    def _signed(self, request: Request, secret: str) -> bool:
        given = request.headers.get("x-novu-signature", "")
        right = hmac.new(secret.encode(), request.body, sha256).hexdigest()
        return _HEX.fullmatch(given) is not None and hmac.compare_digest(given, right)

    def _take(self, request: Request, body: _Body, raw: Json) -> Reply:
        key = request.headers.get("idempotency-key", "")
        delivery = self._taken.get(key) if key else None
        if delivery is None:
            delivery = self._new(request, body, raw, key)
            self.record.add(delivery)
            if key:
                self._taken[key] = delivery
        else:
            self.repeats[key] += 1
        return json_reply(200, {"id": delivery.id})

    def _new(self, request: Request, body: _Body, raw: Json, key: str) -> Delivery:
        return Delivery(
            id=f"delivery-{len(self.record.entries) + 1}",
            targets=tuple(body.target),
            title=body.title,
            content=body.content,
            body=raw,
            raw=request.body,
            signature=request.headers.get("x-novu-signature", ""),
            idempotency_key=key,
            at=self._clock(),
        )
