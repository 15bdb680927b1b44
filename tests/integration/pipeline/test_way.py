"""The way of a trigger: accepted, addressed, delivered, written down; the ledger balances."""

import asyncio

import msgspec
import pytest

from clarion.journal.port import Batch, Record
from clarion.model.clock import DAY, MINUTE, SECOND
from clarion.model.http import HttpReply
from clarion.model.trace import Event
from clarion.model.trigger import Accepted, ChannelGrant, Person
from pipeline import GONE, LIFETIME, OK, TROUBLE, Counts, Pipeline, Sent, call
from pushing import trigger


def grant(*tokens: str, identifier: str | None = None) -> ChannelGrant:
    return ChannelGrant("push-webhook", identifier, list(tokens))


async def test_a_trigger_reaches_every_device_once_and_says_so(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "a1", "a2")
    await pipeline.register("bob", "b1")
    await pipeline.trigger("ada", "bob", "carol", "ada")
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["a1", "a2", "b1"]
    assert await pipeline.sent() == [Sent(token, "delivered", "", "", 1) for token in ("a1", "a2", "b1")]
    assert sorted(await pipeline.notified()) == [
        ("ada", 2, []),
        ("bob", 1, []),
        ("carol", 0, [Event.NO_CHANNEL.code]),
    ]
    assert await pipeline.counts() == Counts(3, 3, 0, 0, 1)


async def test_tokens_that_come_with_a_trigger_are_used_by_it(pipeline: Pipeline) -> None:
    await pipeline.trigger(Person("dora", {"first_name": "Dora"}, [grant("new")]))
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["new"]
    assert await pipeline.tokens_of("dora") == ["new"]


@pytest.mark.parametrize(
    "refused", [grant(*(f"t{n}" for n in range(101))), grant("x", identifier="no-such-integration")]
)
async def test_who_brings_tokens_that_are_refused_gets_nothing_and_the_others_do(
    pipeline: Pipeline, refused: ChannelGrant
) -> None:
    await pipeline.register("ada", "a1")
    await pipeline.register("bob", "b1")
    await pipeline.trigger(Person("ada", channels=[refused]), "bob")
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["b1"]
    assert sorted(await pipeline.notified()) == [("ada", 0, [Event.CHANNELS_REFUSED.code]), ("bob", 1, [])]
    assert await pipeline.tokens_of("ada") == ["a1"]


async def test_a_repeated_transaction_in_the_same_group_sends_nothing(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "a1")
    await pipeline.trigger_together(call("ada", transaction_id="once"), call("ada", transaction_id="once"))
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["a1"]
    assert len(await pipeline.notified()) == 1


async def test_a_repeated_transaction_in_another_group_sends_nothing(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "a1")
    for _ in range(2):
        assert (await pipeline.trigger("ada", transaction_id="once")).status == "processed"
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["a1"]


async def test_a_repeated_transaction_after_the_first_was_delivered_sends_nothing(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "a1")
    for _ in range(2):
        await pipeline.trigger("ada", transaction_id="once")
        await pipeline.drain()
    assert pipeline.tokens_sent_to == ["a1"]
    await pipeline.trigger("ada", transaction_id="twice")
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["a1", "a1"]


async def test_a_device_is_seen_again_when_it_takes_a_push_at_most_once_a_day(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "alive", "out-of-order")
    pipeline.sender.scripts["out-of-order"] = [GONE] * 3
    registered = (await pipeline.last_seen())["alive"]
    await pipeline.trigger("ada")
    await pipeline.drain()
    assert (await pipeline.last_seen())["alive"] == registered
    pipeline.clock.now += DAY + SECOND
    await pipeline.trigger("ada")
    sent = pipeline.clock.now
    await pipeline.drain()
    seen = await pipeline.last_seen()
    assert seen["alive"] >= sent
    assert seen["out-of-order"] == registered


async def test_a_dead_token_is_retired_and_the_persons_others_are_not(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "dead", "alive")
    pipeline.sender.scripts["dead"] = [GONE]
    for _ in range(2):
        await pipeline.trigger("ada")
        await pipeline.drain()
    assert pipeline.tokens_sent_to == ["alive", "alive", "dead"]
    assert await pipeline.tokens_of("ada") == ["alive"]
    assert {item.token for item in await pipeline.sent() if item.token_retired} == {"dead"}
    assert await pipeline.counts() == Counts(3, 2, 1, 0, 0)


async def test_a_dead_token_that_only_the_trigger_named_retires_nothing(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "a1")
    pipeline.sender.scripts["dead"] = [GONE]
    await pipeline.trigger("ada", overrides={"push-webhook": {"deviceTokens": ["dead"]}})
    await pipeline.drain()
    assert await pipeline.tokens_of("ada") == ["a1"]
    assert [(item.status, item.token_retired) for item in await pipeline.sent()] == [("failed", False)]


async def test_a_retired_token_that_is_registered_again_is_sent_to_again(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    pipeline.sender.scripts["phone"] = [GONE, OK]
    await pipeline.trigger("ada")
    await pipeline.drain()
    assert await pipeline.tokens_of("ada") == []
    await pipeline.register("ada", "phone")
    pipeline.clock.now += 1
    await pipeline.trigger("ada")
    await pipeline.drain()
    assert [item.status for item in await pipeline.sent()] == ["failed", "delivered"]
    assert await pipeline.tokens_of("ada") == ["phone"]


@pytest.mark.parametrize(("died", "left"), [(-1, ["phone"]), (1, [])])
async def test_a_token_registered_after_it_died_survives(
    pipeline: Pipeline, died: int, left: list[str]
) -> None:
    await pipeline.register("ada", "phone")
    pipeline.clock.now += MINUTE
    died_at = pipeline.clock.now + died
    await pipeline.register("ada", "phone")
    pipeline.clock.now += MINUTE
    pipeline.sender.scripts["phone"] = [
        HttpReply(410, body=b'{"code": "token_invalid", "diedAt": %d}' % died_at)
    ]
    await pipeline.trigger("ada")
    await pipeline.drain()
    assert await pipeline.tokens_of("ada") == left


async def test_trouble_is_tried_again_under_the_same_id(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone", "fine")
    pipeline.sender.scripts["phone"] = [TROUBLE, TROUBLE, OK]
    await pipeline.trigger("ada")
    for _ in range(3):
        await pipeline.drain()
        pipeline.clock.now += 4 * SECOND
    assert len(set(pipeline.message_ids("phone"))) == 1
    assert [(item.token, item.status, item.attempts) for item in await pipeline.sent()] == [
        ("fine", "delivered", 1),
        ("phone", "delivered", 3),
    ]


async def test_a_message_that_waits_is_in_flight(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    pipeline.sender.scripts["phone"] = [TROUBLE, OK]
    await pipeline.trigger("ada")
    await pipeline.drain()
    assert (await pipeline.ledger()).in_flight == 1
    assert [item.status for item in await pipeline.sent()] == ["pending"]
    pipeline.clock.now += 2 * SECOND
    await pipeline.drain()


async def test_at_the_end_of_the_window_it_fails_with_the_last_explanation(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.random", lambda: 0.5)  # the bounds are narrower than the jitter of all tries
    await pipeline.register("ada", "phone")
    pipeline.sender.scripts["phone"] = [HttpReply(429), TROUBLE]
    await pipeline.trigger("ada")
    began = pipeline.clock.now
    while (await pipeline.ledger()).failed == 0:
        await pipeline.drain()
        pipeline.clock.now += SECOND * 10
        assert pipeline.clock.now < began + 2 * LIFETIME
    (message,) = await pipeline.sent()
    assert (message.status, message.code) == ("failed", "http_503")
    assert message.explanation == "The receiver had trouble."
    assert 15 < message.attempts == len(pipeline.message_ids("phone")) < 25
    assert began + LIFETIME - 7 * MINUTE < pipeline.clock.now < began + LIFETIME


async def test_an_integration_switched_off_on_the_way_fails_without_a_request(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    await pipeline.trigger("ada")
    await pipeline.address()
    await pipeline.switch_off()
    await pipeline.drain()
    (message,) = await pipeline.sent()
    assert (message.status, message.code, message.attempts) == ("failed", "integration_off", 0)
    assert "switch it on again" in message.explanation
    assert pipeline.tokens_sent_to == []


async def test_a_group_with_a_trigger_that_always_fails_does_not_keep_the_others(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "a1")
    foreign = trigger("ada")
    (good, _) = await pipeline.worker.gate.judge(pipeline.environment_id, call("ada"))
    assert good is not None
    group = msgspec.msgpack.encode(Accepted([foreign, good]))
    await pipeline.worker.journal.append([Record(pipeline.accepted_lane, group)])
    failed = await _until_parked(pipeline)
    assert pipeline.tokens_sent_to == ["a1"]
    assert [batch.claims for batch in failed] == [1, 2, 1]


async def _until_parked(pipeline: Pipeline) -> list[Batch]:
    """Work on accepted groups as a consumer does; what fails alone is set aside."""
    failed: list[Batch] = []
    journal = pipeline.worker.journal
    while batches := await journal.claim(pipeline.accepted_lane, 10):
        for batch in batches:
            try:
                await pipeline.worker.address.accepted(batch)
            except Exception as error:
                failed.append(batch)
                if len(failed) < 3:
                    await journal.put_back(batch, str(error), 0)
                else:
                    await journal.park(batch, str(error))
    await pipeline.drain()
    return failed


async def test_a_payload_that_breaks_a_template_leaves_its_neighbours_alone(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "a1")
    await pipeline.trigger_together(
        call("ada", payload={"self": 1, "text": "odd name"}), call("ada", payload={"text": "fine"})
    )
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["a1", "a1"]


async def test_triggers_that_come_at_once_all_arrive(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "a1")
    await asyncio.gather(*(pipeline.trigger("ada") for _ in range(200)))
    await pipeline.drain()
    assert len(set(pipeline.message_ids("a1"))) == len(pipeline.message_ids("a1")) == 200
