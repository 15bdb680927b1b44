"""Many devices in one request, each with an outcome of its own."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec
import pytest

from clarion.journal.port import Record, receipts_lane
from clarion.model.clock import DAY, HOUR, MINUTE, SECOND
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.push import Json
from clarion.providers.expo import Expo
from clarion.providers.huawei import Huawei
from clarion.store.database import Database
from pipeline import Counts, Pipeline, Sent

PEOPLE: dict[str, Sequence[str]] = {
    f"person-{number}": [f"ExponentPushToken[phone-{number}]"] for number in range(7)
}


class ExpoService:
    """Expo: tickets for what is sent, receipts for tickets; `gone` and `gone_later` tell of dead tokens."""

    def __init__(self) -> None:
        self.requests: list[list[Json]] = []
        self.asked: list[list[str]] = []
        self.gone: set[str] = set()
        self.gone_later: set[str] = set()
        self.unknown_yet: set[str] = set()
        self.replies: list[HttpReply] = []

    async def send(
        self, request: HttpRequest, *, timeout: float = 10, guarded: bool = False, scope: str = ""
    ) -> HttpReply:
        packed = dict(request.headers).get("content-encoding") == "gzip"
        document = msgspec.json.decode(gzip.decompress(request.body) if packed else request.body)
        if request.url.endswith("getReceipts"):
            self.asked.append(document["ids"])
        else:
            self.requests.append(document)
        if self.replies:
            return self.replies.pop(0)
        if request.url.endswith("getReceipts"):
            found = {ticket: self._receipt(ticket) for ticket in document["ids"] if not self._early(ticket)}
            return HttpReply(200, body=msgspec.json.encode({"data": found}))
        tickets = [self._ticket(message["to"][0]) for message in document]
        return HttpReply(200, body=msgspec.json.encode({"data": tickets}))

    def _ticket(self, token: str) -> Json:
        return DEAD if token in self.gone else {"status": "ok", "id": f"ticket of {token}"}

    def _receipt(self, ticket: str) -> Json:
        return DEAD if ticket.removeprefix("ticket of ") in self.gone_later else {"status": "ok"}

    def _early(self, ticket: str) -> bool:
        return ticket.removeprefix("ticket of ") in self.unknown_yet

    @property
    def sizes(self) -> list[int]:
        return [len(request) for request in self.requests]


DEAD: Json = {"status": "error", "message": "gone", "details": {"error": "DeviceNotRegistered"}}


@pytest.fixture
def expo() -> ExpoService:
    return ExpoService()


@pytest.fixture
async def pipeline(database: Database, expo: ExpoService) -> AsyncIterator[Pipeline]:
    """A pipeline through Expo; at the end of every test its ledger balances."""
    made = Pipeline(database, Expo(), {"apiKey": ""}, expo)
    await made.begin()
    await made.register_all(PEOPLE)
    yield made
    await finish(made)
    await made.balanced()


async def finish(pipeline: Pipeline) -> None:
    """Let everything become due that waits, receipts too."""
    for _ in range(50):
        await pipeline.drain()
        if not await pipeline.worker.journal.lanes(""):
            return
        pipeline.clock.now += 6 * HOUR


async def status_of(pipeline: Pipeline, token: str) -> Sent:
    (found,) = [item for item in await pipeline.sent() if item.token == token]
    return found


async def test_messages_to_many_travel_in_one_request_and_carry_their_own_ids(
    pipeline: Pipeline, expo: ExpoService
) -> None:
    expo.gone = {"ExponentPushToken[phone-3]"}
    await pipeline.trigger(*PEOPLE)
    await pipeline.drain()
    assert expo.sizes == [7]
    ids = [message["data"]["__nvMessageId"] for message in expo.requests[0]]
    assert len(set(ids)) == 7
    assert await pipeline.counts() == Counts(7, 6, 1)
    assert (await status_of(pipeline, "ExponentPushToken[phone-3]")).token_retired
    assert await pipeline.tokens_of("person-3") == []
    assert await pipeline.tokens_of("person-4") == ["ExponentPushToken[phone-4]"]


async def test_what_the_provider_could_not_take_travels_together_again(
    pipeline: Pipeline, expo: ExpoService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.random", lambda: 0.5)  # one in a hundred times a message comes a bucket early
    expo.replies = [HttpReply(503)]
    await pipeline.trigger(*PEOPLE)
    await pipeline.drain()
    assert (await pipeline.ledger()).in_flight == 7
    pipeline.clock.now += MINUTE
    await pipeline.drain()
    assert expo.sizes == [7, 7]
    assert expo.requests[0] == expo.requests[1]
    assert await pipeline.counts() == Counts(7, 7)


async def test_one_message_that_spoils_a_request_fails_alone(pipeline: Pipeline, expo: ExpoService) -> None:
    refusal = HttpReply(400, body=b'{"errors": [{"code": "VALIDATION_ERROR", "message": "no"}]}')
    expo.replies = [refusal, refusal]
    await pipeline.trigger("person-0", "person-1", "person-2")
    await pipeline.drain()
    assert expo.sizes == [3, 1, 1, 1]
    assert await pipeline.counts() == Counts(3, 2, 1)


async def test_a_receipt_may_say_that_a_message_did_not_arrive(pipeline: Pipeline, expo: ExpoService) -> None:
    expo.gone_later = {"ExponentPushToken[phone-1]"}
    await pipeline.trigger(*PEOPLE)
    await pipeline.drain()
    assert await pipeline.counts() == Counts(7, 7)
    assert expo.asked == []
    pipeline.clock.now += 15 * MINUTE
    await pipeline.drain()
    assert [len(asked) for asked in expo.asked] == [7]
    assert await pipeline.counts() == Counts(7, 6, 1)
    failed = await status_of(pipeline, "ExponentPushToken[phone-1]")
    assert (failed.status, failed.code, failed.token_retired) == ("failed", "DeviceNotRegistered", True)
    assert await pipeline.tokens_of("person-1") == []
    assert await pipeline.worker.journal.lanes("") == set()


async def test_a_token_registered_again_since_then_stays(pipeline: Pipeline, expo: ExpoService) -> None:
    expo.gone_later = {"ExponentPushToken[phone-1]"}
    await pipeline.trigger("person-1")
    await pipeline.drain()
    pipeline.clock.now += MINUTE
    await pipeline.register_all({"person-1": ["ExponentPushToken[phone-1]"]})
    pipeline.clock.now += HOUR
    await pipeline.drain()
    assert (await status_of(pipeline, "ExponentPushToken[phone-1]")).status == "failed"
    assert await pipeline.tokens_of("person-1") == ["ExponentPushToken[phone-1]"]


async def test_receipts_that_are_not_there_yet_are_asked_for_later(
    pipeline: Pipeline, expo: ExpoService
) -> None:
    expo.unknown_yet = {"ExponentPushToken[phone-1]", "ExponentPushToken[phone-2]"}
    await pipeline.trigger(*PEOPLE)
    await pipeline.drain()
    pipeline.clock.now += 15 * MINUTE
    await pipeline.drain()
    expo.unknown_yet = {"ExponentPushToken[phone-2]"}
    pipeline.clock.now += 15 * MINUTE
    await pipeline.drain()
    assert [len(asked) for asked in expo.asked] == [7, 2]
    await finish(pipeline)
    assert [len(asked) for asked in expo.asked] == [7, 2, 1, 1, 1], "and in the end no more"
    assert await pipeline.counts() == Counts(7, 7)


async def test_receipts_outlast_trouble_and_restarts(pipeline: Pipeline, expo: ExpoService) -> None:
    expo.gone_later = {"ExponentPushToken[phone-1]"}
    await pipeline.trigger(*PEOPLE)
    await pipeline.drain()
    pipeline.clock.now += 15 * MINUTE
    expo.replies = [HttpReply(503)]
    await pipeline.drain()
    await pipeline.restart()
    pipeline.clock.now += HOUR
    await pipeline.drain()
    assert await pipeline.counts() == Counts(7, 6, 1)


async def test_receipts_are_expected_though_the_worker_died_before_it_noted_them(
    pipeline: Pipeline, expo: ExpoService, monkeypatch: pytest.MonkeyPatch
) -> None:
    expo.gone_later = {"ExponentPushToken[phone-1]"}
    await pipeline.trigger(*PEOPLE)
    await pipeline.address()
    batch = await pipeline.claim(await pipeline.delivery_lane())

    async def killed(*_: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(pipeline.worker.journal, "settle_all", killed)
    with pytest.raises(RuntimeError, match="killed"):
        await pipeline.worker.deliver.work(batch)
    await pipeline.restart()
    await pipeline.drain()
    assert expo.sizes == [7], "nothing is sent again"
    pipeline.clock.now += HOUR
    await pipeline.drain()
    assert await pipeline.counts() == Counts(7, 6, 1)


async def test_receipts_of_an_integration_that_is_gone_are_dropped(pipeline: Pipeline) -> None:
    await pipeline.trigger("person-1")
    await pipeline.drain()
    await pipeline.switch_off()
    pipeline.clock.now += DAY
    await pipeline.drain()
    assert await pipeline.worker.journal.lanes("") == set()


class HuaweiService:
    """Huawei: one body for many tokens; `gone` are refused in a partial failure."""

    def __init__(self) -> None:
        self.requests: list[Json] = []
        self.gone: set[str] = set()

    async def send(
        self, request: HttpRequest, *, timeout: float = 10, guarded: bool = False, scope: str = ""
    ) -> HttpReply:
        if "oauth" in request.url:
            return HttpReply(200, body=b'{"access_token": "bearer", "expires_in": 3600}')
        document: Json = msgspec.json.decode(request.body)
        self.requests.append(document["message"])
        tokens = document["message"]["token"]
        illegal = [token for token in tokens if token in self.gone]
        answer: Json = {"code": "80000000", "requestId": "r"}
        if illegal:
            told = {"success": len(tokens) - len(illegal), "failure": len(illegal), "illegal_tokens": illegal}
            answer = {"code": "80100000", "requestId": "r", "msg": msgspec.json.encode(told).decode()}
        return HttpReply(200, body=msgspec.json.encode(answer))


async def shared(database: Database, service: HuaweiService) -> Pipeline:
    made = Pipeline(database, Huawei(), {"applicationId": "1", "secretKey": "s"}, service)
    await made.begin()
    await made.register_all({f"person-{number}": [f"phone-{number}"] for number in range(5)})
    return made


async def test_a_shared_body_serves_all_and_each_has_its_true_outcome(database: Database) -> None:
    service = HuaweiService()
    service.gone = {"phone-0", "phone-3"}
    pipeline = await shared(database, service)
    for name in ("person-1", "person-2"):  # what was accepted before proves the set-up
        await pipeline.trigger(name)
    await pipeline.drain()
    service.requests.clear()
    await pipeline.trigger(*(f"person-{number}" for number in range(5)))
    await pipeline.drain()
    (body,) = service.requests
    assert body["token"] == [f"phone-{number}" for number in range(5)]
    assert "__nvMessageId" not in str(body)
    assert await pipeline.counts() == Counts(7, 5, 2)
    assert await pipeline.tokens_of("person-3") == []
    await pipeline.balanced()


async def test_a_single_message_carries_its_id(database: Database) -> None:
    service = HuaweiService()
    pipeline = await shared(database, service)
    await pipeline.trigger("person-1")
    await pipeline.drain()
    (body,) = service.requests
    assert body["token"] == ["phone-1"]
    assert "__nvMessageId" in body["data"]
    await pipeline.balanced()


async def test_with_activity_tracking_every_message_carries_its_id(database: Database) -> None:
    service = HuaweiService()
    pipeline = await shared(database, service)
    await pipeline.configure(inboundWebhookEnabled=True)
    await pipeline.trigger("person-1", "person-2")
    await pipeline.drain()
    assert sorted(body["token"] for body in service.requests) == [["phone-1"], ["phone-2"]]
    assert all("__nvMessageId" in body["data"] for body in service.requests)
    await pipeline.balanced()


async def test_a_shared_body_that_comes_again_has_the_same_tag(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of five one was recorded before the worker died: the other four travel under what the five did."""
    service = HuaweiService()
    pipeline = await shared(database, service)
    await pipeline.trigger(*(f"person-{number}" for number in range(2)))
    await pipeline.address()
    batch = await pipeline.claim(await pipeline.delivery_lane())
    whole = pipeline.worker.deliver._outcomes.put
    recorded: list[asyncio.Future[None]] = []

    async def first_only(result: object) -> "asyncio.Future[None]":
        if recorded:
            raise RuntimeError("killed")
        recorded.append(await whole(result))  # type: ignore[arg-type]
        return recorded[0]

    monkeypatch.setattr(pipeline.worker.deliver._outcomes, "put", first_only)
    with pytest.raises(BaseExceptionGroup):
        await pipeline.worker.deliver.work(batch)
    await recorded[0]
    await pipeline.restart()
    await pipeline.drain()
    first, second = service.requests
    assert (first["token"], second["token"]) == (["phone-0", "phone-1"], ["phone-1"])
    tags: list[Callable[[], object]] = [body["android"]["notification"]["tag"] for body in service.requests]
    assert tags[0] == tags[1]
    assert await pipeline.counts() == Counts(2, 2)
    await pipeline.balanced()


def test_receipts_have_a_lane_of_their_own() -> None:
    assert Record(receipts_lane("i1"), b"", SECOND).lane == "receipts:i1"
