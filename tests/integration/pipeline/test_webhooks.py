"""What happens is told to webhook endpoints: by the transaction that wrote it, in order, till it is taken."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import msgspec
import pytest
from sqlalchemy.engine import Connection

from clarion.echo.pacing import Pacer
from clarion.echo.webhooks import FAILING, WebhookStage
from clarion.errors import DatabaseUnavailable, EgressRefused, TimedOut
from clarion.journal.port import repeat_lane, webhook_lane
from clarion.model.clock import DAY, HOUR, MINUTE, SECOND, Millis
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.webhook import Endpoint, Secret
from clarion.store import messages, webhook_deliveries, webhooks
from clarion.store.database import Database
from clarion.store.dialect import run, sql
from clarion.store.listing import Order
from clarion.store.webhook_deliveries import Delivery, Wanted
from pipeline import GONE, TROUBLE, Pipeline, device_of
from pushing import NOW, ScriptedSender

ALL = Order(descending=False, back=False, most=1000)
SECRET = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="


def key_of(request: HttpRequest) -> str:
    """The endpoint's host, or the device of a push."""
    host = request.url.split("/")[2]
    return device_of(request) if host == "receiver.test" else host


class Listening(Pipeline):
    """A pipeline whose environment has webhook endpoints."""

    def __init__(self, database: Database) -> None:
        self.answers = ScriptedSender(key_of)
        super().__init__(database, sender=self.answers)

    async def endpoint(self, host: str = "hooks.test", **fields: Any) -> Endpoint:
        """Add one that hears of everything unless told otherwise."""
        plain: dict[str, Any] = {"description": "", "events": [], "concurrency": 1, "rate_limit": None}
        given = plain | {"active": True} | fields
        made = Endpoint(
            id=f"{host:w<32}",
            environment_id=self.environment_id,
            url=f"https://{host}/",
            disabled_reason="",
            created_at=self.clock(),
            updated_at=self.clock(),
            secrets=[Secret(SECRET)],
            **given,
        )
        await self.worker.catalog.change(webhooks.create, self._vault, made)
        return made

    def told(self, host: str = "hooks.test") -> list[Any]:
        """The bodies that a host got, in order."""
        return [msgspec.json.decode(request.body) for request in self.answers.requests[host]]

    def types(self, host: str = "hooks.test") -> list[str]:
        return [body["type"] for body in self.told(host)]

    async def deliveries(self, endpoint: Endpoint) -> list[Delivery]:
        return await self.database.read(webhook_deliveries.search, Wanted(endpoint.id), None, ALL)

    async def push(self, *tokens: str) -> None:
        """One trigger for everybody who has the tokens, delivered."""
        for token in tokens:
            await self.register(token, token)
        await self.trigger(*tokens)
        await self.drain()

    async def present(self, endpoint: Endpoint) -> Endpoint:
        """An endpoint as it stands now."""
        return (await self.worker.catalog.current()).webhooks[endpoint.id]


@pytest.fixture
async def listening(database: Database) -> Listening:
    made = Listening(database)
    await made.begin()
    return made


async def test_an_outcome_is_told_as_novu_words_it(listening: Listening) -> None:
    endpoint = await listening.endpoint()
    await listening.push("phone")
    (sent,) = listening.told()
    assert sent["id"].startswith("evt_")
    snapshot = await listening.worker.catalog.current()
    assert sent["environmentId"] == snapshot.environments[listening.environment_id].identifier
    assert (sent["type"], sent["object"], sent["data"]["subscriberId"]) == (
        "message.sent",
        "message",
        "phone",
    )
    shown = sent["data"]["object"]
    assert (shown["deviceToken"], shown["status"], shown["channel"]) == ("phone", "sent", "push")
    assert (shown["templateIdentifier"], shown["subscriberId"]) == ("news", "phone")
    assert shown["_organizationId"] == snapshot.organization_id
    (delivery,) = await listening.deliveries(endpoint)
    assert (delivery.status, delivery.attempts, delivery.event_id) == ("delivered", 1, sent["id"])
    assert delivery.tries[0].status == 200


async def test_a_dead_token_is_told_with_its_reason(listening: Listening) -> None:
    await listening.endpoint()
    listening.answers.scripts["phone"] = [GONE]
    await listening.push("phone")
    failed, retired = listening.told()
    assert failed["type"] == "message.failed"
    assert failed["data"]["error"]["push"] == {"reason": "token_invalid", "deviceToken": "phone"}
    assert failed["data"]["object"]["status"] == "error"
    assert "deviceToken" not in failed["data"]["object"]
    assert retired["type"] == "device.retired"
    assert retired["object"] == "device"
    assert (retired["data"]["object"]["deviceToken"], retired["data"]["object"]["reason"]) == (
        "phone",
        "http_410",
    )


async def test_what_is_still_tried_is_not_told_before_its_end(listening: Listening) -> None:
    await listening.endpoint()
    listening.answers.scripts["phone"] = [TROUBLE]
    await listening.push("phone")
    assert listening.types() == []
    listening.clock.now += 2 * HOUR
    await listening.drain()
    (failed,) = listening.told()
    assert failed["data"]["error"]["push"]["reason"] == "generic_error"


async def test_an_endpoint_hears_only_of_what_it_chose_and_of_its_own_environment(
    listening: Listening,
) -> None:
    await listening.endpoint("failures.test", events=["message.failed"])
    await listening.endpoint("off.test", active=False)
    other = await listening.endpoint("other.test")
    snapshot = await listening.worker.catalog.current()
    production = next(item.id for item in snapshot.environments.values() if item.type == "prod")
    moved = msgspec.structs.replace(other, environment_id=production)
    await listening.worker.catalog.change(webhooks.replace, listening._vault, moved)
    listening.answers.scripts["broken"] = [HttpReply(400)]
    await listening.push("fine", "broken")
    assert listening.types("failures.test") == ["message.failed"]
    assert listening.types("off.test") == listening.types("other.test") == []


async def test_nothing_is_looked_up_or_written_where_nobody_listens(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked_up(*_: object) -> list[messages.Settled]:
        raise AssertionError

    await listening.endpoint(active=False)
    monkeypatch.setattr(messages, "settled", looked_up)
    await listening.push("phone")
    assert await listening.worker.journal.lanes("webhook") == set()


async def test_a_batch_of_outcomes_is_one_record(listening: Listening) -> None:
    endpoint = await listening.endpoint()
    people: dict[str, Sequence[str]] = {f"p{n}": [f"t{n}"] for n in range(50)}
    await listening.register_all(people)
    await listening.trigger(*people)
    await listening.address()
    await listening.work(await listening.delivery_lane())
    assert await listening.worker.journal.depth(webhook_lane(endpoint.id), 100) < 10
    await listening.drain()
    assert listening.types() == ["message.sent"] * 50


async def test_an_event_is_there_exactly_when_its_outcome_is(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction that can't tell doesn't write the outcome either, and both come when it can."""
    await listening.endpoint()
    put, full = type(listening.worker.outbox).put, [True]

    def failing(*given: Any, **more: Any) -> None:
        put(*given, **more)
        if full:
            raise ValueError("disk")

    monkeypatch.setattr(type(listening.worker.outbox), "put", failing)
    await listening.register("phone", "phone")
    await listening.trigger("phone")
    await listening.address()
    with pytest.raises(ValueError, match="disk"):
        await listening.work(await listening.delivery_lane())
    assert await listening.sent() == []
    full.clear()
    await listening.restart()
    await listening.drain()
    assert listening.types() == ["message.sent"]
    assert len(await listening.sent()) == 1


async def test_an_outcome_that_stood_before_is_not_told_again(listening: Listening) -> None:
    await listening.endpoint()
    await listening.register("phone", "phone")
    await listening.trigger("phone")
    await listening.address()
    lane = await listening.delivery_lane()
    batch = await listening.claim(lane)
    await listening.worker.deliver.work(batch)
    await listening.drain()
    listening.clock.now += 1
    late = msgspec.structs.replace(batch, claims=1)
    with pytest.raises(Exception, match="lease"):
        await listening.worker.deliver.work(late)
    await listening.drain()
    assert listening.types() == ["message.sent"]


async def test_a_crash_before_it_is_noted_repeats_an_event_under_the_same_id(listening: Listening) -> None:
    endpoint = await listening.endpoint()
    await listening.register("phone", "phone")
    await listening.trigger("phone")
    await listening.address()
    await listening.work(await listening.delivery_lane())
    batch = await listening.claim(webhook_lane(endpoint.id))
    other = listening.another_worker()
    await other.catalog.current()
    await listening.restart()
    again = await listening.claim(webhook_lane(endpoint.id))
    with pytest.raises(Exception, match="lease"):
        await other.webhooks.work(batch)
    await listening.worker.webhooks.work(again)
    first, second = listening.answers.requests["hooks.test"]
    assert dict(first.headers)["webhook-id"] == dict(second.headers)["webhook-id"]
    assert first.body == second.body
    (delivery,) = await listening.deliveries(endpoint)
    assert delivery.status == "delivered"


async def test_first_tries_go_out_in_the_order_of_time(listening: Listening) -> None:
    await listening.endpoint()
    for number in range(10):
        await listening.register(f"t{number}", f"t{number}")
        await listening.trigger(f"t{number}")
        await listening.address()
        await listening.work(await _deliver_lane(listening))
        listening.clock.now += 7
    listening.answers.scripts["hooks.test"] = [HttpReply(500), HttpReply(200)]
    await listening.drain()
    told = [body["data"]["subscriberId"] for body in listening.told()]
    assert told == [f"t{number}" for number in range(10)]
    assert [body["timestamp"] for body in listening.told()] == sorted(
        b["timestamp"] for b in listening.told()
    )


async def _deliver_lane(listening: Listening) -> str:
    (lane,) = await listening.worker.journal.lanes("deliver:")
    return lane


async def test_what_fails_is_tried_again_by_the_schedule_until_it_is_taken(listening: Listening) -> None:
    endpoint = await listening.endpoint()
    listening.answers.scripts["hooks.test"] = [TimedOut("no answer"), HttpReply(503), HttpReply(204)]
    await listening.push("phone")
    (first,) = await listening.deliveries(endpoint)
    assert (first.status, first.attempts, first.tries[0].code) == ("pending", 1, "timed_out")
    assert first.next_try_at is not None
    assert 5 * SECOND <= first.next_try_at - NOW <= 6 * SECOND
    listening.clock.now = first.next_try_at - 1
    await listening.drain()
    assert len(listening.told()) == 1
    listening.clock.now += 1
    await listening.drain()
    (second,) = await listening.deliveries(endpoint)
    assert second.next_try_at is not None
    assert 5 * MINUTE <= second.next_try_at - listening.clock() <= 6 * MINUTE
    listening.clock.now = second.next_try_at
    await listening.drain()
    (third,) = await listening.deliveries(endpoint)
    assert (third.status, third.attempts, third.next_try_at) == ("delivered", 3, None)
    sent = [dict(request.headers) for request in listening.answers.requests["hooks.test"]]
    assert len({headers["webhook-id"] for headers in sent}) == 1
    assert [int(headers["webhook-timestamp"]) for headers in sent] == [
        one.at // SECOND for one in third.tries
    ]
    assert len({request.body for request in listening.answers.requests["hooks.test"]}) == 1


async def test_what_is_removed_while_it_is_tried_again_stays_removed(listening: Listening) -> None:
    """A person's removal takes what tells of them, whatever is under way."""
    endpoint = await listening.endpoint()
    listening.answers.scripts["hooks.test"] = [HttpReply(503)]
    await listening.push("phone")
    (first,) = await listening.deliveries(endpoint)
    assert first.next_try_at is not None
    listening.clock.now = first.next_try_at
    listening.answers.gate.clear()
    under_way = asyncio.create_task(listening.drain())
    async with asyncio.timeout(10):
        while len(listening.told()) < 2:
            await asyncio.sleep(0)
    await listening.database.write(webhook_deliveries.empty, endpoint.id, 10)
    listening.answers.gate.set()
    await under_way
    assert await listening.deliveries(endpoint) == []
    listening.clock.now += HOUR
    await listening.drain()
    assert len(listening.told()) == 2


async def test_after_eight_tries_it_has_failed(listening: Listening) -> None:
    endpoint = await listening.endpoint()
    listening.answers.scripts["hooks.test"] = [HttpReply(500)]
    await run_out(listening, endpoint)
    (delivery,) = await listening.deliveries(endpoint)
    assert (delivery.status, delivery.attempts, delivery.next_try_at) == ("failed", 8, None)
    assert await listening.worker.journal.lanes("webhook") == set()
    assert listening.clock() - NOW > 27 * HOUR


async def run_out(listening: Listening, endpoint: Endpoint) -> None:
    """Push, and let time pass until nothing is tried any more."""
    listening.worker.webhooks._pause = passing(listening)
    await listening.push("phone")
    while at := max(item.next_try_at or 0 for item in await listening.deliveries(endpoint)):
        listening.clock.now = at
        await listening.drain()


def passing(listening: Listening) -> Any:
    """A pause in which only the test's clock goes on."""

    async def pause(seconds: float) -> None:
        listening.clock.now += round(seconds * SECOND)

    return pause


@pytest.mark.parametrize("answer", [HttpReply(410), EgressRefused("leads to no public address")])
async def test_what_no_repetition_makes_better_has_failed_at_once(
    listening: Listening, answer: HttpReply | Exception
) -> None:
    endpoint = await listening.endpoint()
    listening.answers.scripts["hooks.test"] = [answer]
    await listening.push("phone")
    (delivery,) = await listening.deliveries(endpoint)
    assert (delivery.status, delivery.attempts) == ("failed", 1)


async def test_an_endpoint_that_is_gone_is_switched_off_and_others_hear_of_it(listening: Listening) -> None:
    endpoint = await listening.endpoint("gone.test")
    await listening.endpoint("watch.test", events=["webhook.disabled"])
    listening.answers.scripts["gone.test"] = [HttpReply(410)]
    await listening.push("one")
    present = await listening.present(endpoint)
    assert (present.active, present.disabled_reason) == (False, "gone")
    await listening.push("two")
    assert len(listening.told("gone.test")) == 1
    (told,) = listening.told("watch.test")
    assert told["type"] == "webhook.disabled"
    assert told["data"]["object"]["_id"] == endpoint.id
    assert told["data"]["object"]["reason"] == "gone"


async def test_five_days_of_nothing_but_failures_switch_an_endpoint_off(listening: Listening) -> None:
    endpoint = await listening.endpoint()
    await listening.endpoint("watch.test", events=["webhook.disabled"])
    listening.worker.webhooks._pause = passing(listening)
    listening.answers.scripts["hooks.test"] = [HttpReply(500)]
    began: Millis = listening.clock()
    for day in range(5):
        await listening.push(f"t{day}")
        assert (await listening.present(endpoint)).active, day
        listening.clock.now = began + (day + 1) * DAY
    await listening.push("last")
    assert (await listening.present(endpoint)).disabled_reason == FAILING
    (told,) = listening.told("watch.test")
    shown = told["data"]["object"]
    assert (told["type"], shown["_id"], shown["reason"]) == ("webhook.disabled", endpoint.id, FAILING)
    assert shown["disabledAt"] == told["timestamp"]


async def test_one_success_begins_the_five_days_anew(listening: Listening) -> None:
    endpoint = await listening.endpoint()
    listening.answers.scripts["hooks.test"] = [HttpReply(status) for status in (500, 200, 200, 500)]
    for day in range(3):
        await listening.push(f"t{day}")
        listening.clock.now += 3 * DAY
    listening.worker.webhooks._pause = passing(listening)
    await listening.drain()
    assert (await listening.present(endpoint)).active


async def test_an_endpoint_that_is_away_is_left_alone_more_and_more(listening: Listening) -> None:
    endpoint = await listening.endpoint()
    waits: list[Millis] = []
    on = passing(listening)

    async def pause(seconds: float) -> None:
        waits.append(round(seconds))
        await on(seconds)

    listening.worker.webhooks._pause = pause
    people: dict[str, Sequence[str]] = {f"p{n}": [f"t{n}"] for n in range(9)}
    await listening.register_all(people)
    listening.answers.scripts["hooks.test"] = [HttpReply(500)]
    await listening.trigger(*people)
    await listening.address()
    await listening.work(await _deliver_lane(listening))
    await listening.work(webhook_lane(endpoint.id))
    assert waits == [5, 10, 20, 40]
    assert len(await listening.deliveries(endpoint)) == 9


async def test_what_was_under_way_to_an_endpoint_that_is_switched_off_can_be_sent_later(
    listening: Listening,
) -> None:
    endpoint = await listening.endpoint()
    await listening.register("phone", "phone")
    await listening.trigger("phone")
    await listening.address()
    await listening.work(await _deliver_lane(listening))
    off = msgspec.structs.replace(endpoint, active=False)
    await listening.worker.catalog.change(webhooks.replace, listening._vault, off)
    await listening.drain()
    (delivery,) = await listening.deliveries(endpoint)
    assert (delivery.status, delivery.tries[0].code) == ("failed", "endpoint_off")
    assert listening.told() == []


async def test_a_removed_endpoint_is_told_nothing_more(listening: Listening) -> None:
    endpoint = await listening.endpoint()
    await listening.register("phone", "phone")
    await listening.trigger("phone")
    await listening.address()
    await listening.work(await _deliver_lane(listening))
    await listening.worker.catalog.change(webhooks.delete, endpoint.id)
    await listening.drain()
    assert listening.told() == []
    assert await listening.worker.journal.lanes("") == set()


async def test_an_outage_of_the_database_is_no_fault_of_the_record(listening: Listening) -> None:
    endpoint = await listening.endpoint()
    await listening.register("phone", "phone")
    await listening.trigger("phone")
    await listening.address()
    await listening.work(await _deliver_lane(listening))
    listening.answers.scripts["hooks.test"] = [HttpReply(500)]
    worker = listening.worker
    stage = WebhookStage(
        cast("Database", Away(listening.database)),
        worker.outbox,
        worker.catalog,
        listening.clock,
        worker.webhooks._courier,
    )
    with pytest.raises(DatabaseUnavailable):
        await stage.work(await listening.claim(webhook_lane(endpoint.id)))


class Away:
    """A database that can be read only."""

    def __init__(self, database: Database) -> None:
        self.read = database.read

    async def write(self, *_: object) -> None:
        raise DatabaseUnavailable("away")


async def test_several_deliveries_may_be_under_way_at_a_time(listening: Listening) -> None:
    await listening.endpoint(concurrency=10)
    people: dict[str, Sequence[str]] = {f"p{n}": [f"t{n}"] for n in range(30)}
    await listening.register_all(people)
    await listening.trigger(*people)
    await listening.drain()
    assert sorted(body["data"]["subscriberId"] for body in listening.told()) == sorted(people)


async def test_deliveries_are_forgotten_when_they_are_old_and_at_their_end(listening: Listening) -> None:
    endpoint = await listening.endpoint()
    listening.answers.scripts["hooks.test"] = [HttpReply(200), HttpReply(500)]
    await listening.push("one")
    await listening.push("two")

    def sweep(connection: Connection, before: Millis) -> bool:
        return webhook_deliveries.sweep(connection, before, 100)

    assert not await listening.database.write(sweep, NOW)
    assert len(await listening.deliveries(endpoint)) == 2
    assert not await listening.database.write(sweep, NOW + DAY)
    left: Sequence[Delivery] = await listening.deliveries(endpoint)
    assert [item.status for item in left] == ["pending"]
    assert await listening.worker.journal.depth(repeat_lane(endpoint.id), 10) == 1


async def test_an_endpoint_with_a_rate_is_sent_in_order_and_what_waits_has_not_failed(
    listening: Listening,
) -> None:
    endpoint = await listening.endpoint(rate_limit=4)
    moments: list[Millis] = []
    on, began = passing(listening), listening.clock()

    async def pause(seconds: float) -> None:
        """What was sent before is noted: who stops here repeats nothing."""
        assert len(await listening.deliveries(endpoint)) == len(listening.told())
        moments.append(listening.clock() - began)
        await on(seconds)

    listening.worker.webhooks._pause = pause
    await push_to_many(listening, 10)
    # Two at once, and then one every quarter of a second.
    assert moments == [250 * turn for turn in range(8)]
    assert len(listening.told()) == 10
    tried = sorted(await listening.deliveries(endpoint), key=lambda item: item.event_id)
    assert {(item.status, item.attempts) for item in tried} == {("delivered", 1)}
    assert listening.clock() - began == 2 * SECOND


async def push_to_many(listening: Listening, number: int) -> None:
    people: dict[str, Sequence[str]] = {f"p{n}": [f"t{n}"] for n in range(number)}
    await listening.register_all(people)
    await listening.trigger(*people)
    await listening.drain()


def changed_while_waiting(listening: Listening, endpoint: Endpoint, **fields: Any) -> None:
    """Have the endpoint changed as soon as something waits for it."""

    async def pause(_: float) -> None:
        changed = msgspec.structs.replace(endpoint, **fields)
        await listening.worker.catalog.change(webhooks.replace, listening._vault, changed)

    listening.worker.webhooks._pause = pause


async def test_a_rate_that_is_taken_back_holds_up_nothing_any_more(listening: Listening) -> None:
    endpoint = await listening.endpoint(rate_limit=1)
    changed_while_waiting(listening, endpoint, rate_limit=None)
    await push_to_many(listening, 5)
    assert len(listening.told()) == 5
    assert listening.clock() == NOW


async def test_an_endpoint_that_is_switched_off_while_events_wait_is_sent_none_of_them(
    listening: Listening,
) -> None:
    endpoint = await listening.endpoint(rate_limit=1)
    changed_while_waiting(listening, endpoint, active=False)
    await push_to_many(listening, 3)
    assert len(listening.told()) == 1
    codes = [item.tries[-1].code for item in await listening.deliveries(endpoint)]
    assert codes == ["", "endpoint_off", "endpoint_off"]


async def test_a_rate_holds_for_what_is_new_and_what_is_tried_again_together(listening: Listening) -> None:
    endpoint = await listening.endpoint(rate_limit=2)
    listening.answers.scripts["hooks.test"] = [HttpReply(500), HttpReply(204)]
    await listening.push("first")
    listening.clock.now += MINUTE
    listening.worker.webhooks._pause = passing(listening)
    await listening.push("second")
    sent = sorted(one.at for item in await listening.deliveries(endpoint) for one in item.tries)
    assert sent == [NOW, NOW + MINUTE, NOW + MINUTE + SECOND // 2]


async def test_processes_share_the_rate_of_an_endpoint(listening: Listening) -> None:
    endpoint = await listening.endpoint(rate_limit=40)
    pacers = [Pacer(listening.database, listening.clock) for _ in range(2)]
    begun = 0
    for _ in range(0, 10 * SECOND, 5):
        listening.clock.now += 5
        begun += sum([await pacer.wait(endpoint) == 0 for pacer in pacers])
    assert 400 <= begun <= 400 + 40
    await listening.worker.catalog.change(webhooks.delete, endpoint.id)
    left = await listening.database.read(lambda c: run(c, sql("SELECT category FROM rate_buckets")).all())
    assert left == []


async def test_processes_work_on_an_endpoint_one_after_the_other(listening: Listening) -> None:
    endpoint = await listening.endpoint()
    lane = webhook_lane(endpoint.id)
    for number in range(2):
        await listening.register(f"t{number}", f"t{number}")
        await listening.trigger(f"t{number}")
        await listening.address()
        await listening.work(await _deliver_lane(listening))
    other = listening.another_worker()
    await other.catalog.current()
    first = await listening.claim(lane)
    assert await other.journal.claim(lane, 1) == []
    await listening.worker.webhooks.work(first)
    (second,) = await other.journal.claim(lane, 1)
    assert await listening.worker.journal.claim(lane, 1) == []
    await other.webhooks.work(second)
    assert [body["data"]["subscriberId"] for body in listening.told()] == ["t0", "t1"]
