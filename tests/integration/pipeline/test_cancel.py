"""Cancelling: nothing goes out afterwards, and what went out before stays true."""

import pytest

from clarion.model.clock import SECOND
from clarion.model.trace import Event
from clarion.store import triggers
from pipeline import OK, TROUBLE, Counts, Pipeline


async def test_before_it_is_addressed_nothing_is_planned(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    await pipeline.trigger("ada", transaction_id="t")
    assert await pipeline.cancel("t")
    await pipeline.drain()
    assert pipeline.tokens_sent_to == []
    assert await pipeline.notified() == [("ada", 0, [Event.STEP_CANCELED.code])]
    assert await pipeline.counts() == Counts(0, 0, 0, 0, 1)


async def test_between_address_and_deliver_messages_are_cancelled(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "a1", "a2")
    await pipeline.register("bob", "b1")
    await pipeline.trigger("ada", transaction_id="t")
    await pipeline.trigger("bob")
    await pipeline.address()
    assert await pipeline.cancel("t")
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["b1"]
    assert [(item.token, item.status, item.code) for item in await pipeline.sent()] == [
        ("a1", "cancelled", "cancelled"),
        ("a2", "cancelled", "cancelled"),
        ("b1", "delivered", ""),
    ]


async def test_what_waits_for_its_next_try_is_cancelled_and_what_was_delivered_is_not(
    pipeline: Pipeline,
) -> None:
    await pipeline.register("ada", "waits", "went")
    pipeline.sender.scripts["waits"] = [TROUBLE, OK]
    await pipeline.trigger("ada", transaction_id="t")
    await pipeline.drain()
    assert await pipeline.cancel("t")
    pipeline.clock.now += 2 * SECOND
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["waits", "went"]
    assert [(item.token, item.status, item.attempts) for item in await pipeline.sent()] == [
        ("waits", "cancelled", 1),
        ("went", "delivered", 1),
    ]


async def test_a_cancelled_message_of_an_integration_that_is_off_is_cancelled_not_failed(
    pipeline: Pipeline,
) -> None:
    await pipeline.register("ada", "phone")
    await pipeline.trigger("ada", transaction_id="t")
    await pipeline.address()
    assert await pipeline.cancel("t")
    await pipeline.switch_off()
    await pipeline.drain()
    assert [item.status for item in await pipeline.sent()] == ["cancelled"]


async def test_a_second_cancel_and_one_after_the_delivery_find_nothing(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    for name in ("t", "u"):
        await pipeline.trigger("ada", transaction_id=name)
    await pipeline.address()
    assert await pipeline.cancel("t")
    assert not await pipeline.cancel("t")
    await pipeline.drain()
    assert not await pipeline.cancel("u")
    assert await pipeline.counts() == Counts(2, 1, 0, 1, 0)


async def test_a_cancel_of_nothing_does_not_swallow_a_later_trigger(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    assert not await pipeline.cancel("t")
    pipeline.clock.now += 1
    await pipeline.trigger("ada", transaction_id="t")
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["phone"]
    await pipeline.trigger("ada", transaction_id="t")
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["phone"]


async def test_a_cancelled_broadcast_stops_where_it_is(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clarion.address.stage.CHUNK_SIZE", 10)
    monkeypatch.setattr("clarion.address.stage.CHUNKS_PER_PAGE", 2)
    await pipeline.register_all({f"p{n:02}": [f"t{n:02}"] for n in range(60)})
    await pipeline.trigger(broadcast=True, transaction_id="t")
    await pipeline.address()
    await pipeline.work(pipeline.page_lane)
    (first, second) = await pipeline.worker.journal.claim(pipeline.chunk_lane, 2)
    await pipeline.worker.address.chunk(first)
    await pipeline.work(await pipeline.delivery_lane())
    assert await pipeline.cancel("t")
    await pipeline.worker.address.chunk(second)
    await pipeline.drain()
    assert pipeline.tokens_sent_to == [f"t{n:02}" for n in range(10)]
    assert await pipeline.counts() == Counts(10, 10, 0, 0, 10)
    assert not await pipeline.cancel("t")


async def test_while_it_is_being_addressed_a_cancel_that_says_yes_holds(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clarion.address.stage.FEW", 0)
    await pipeline.register("ada", "phone")
    await pipeline.trigger("ada", transaction_id="t")
    address, hand_on = pipeline.worker.address, pipeline.worker.address._hand_on
    answers: list[bool] = []

    async def cancelled_first(*arguments: object) -> None:
        answers.append(await pipeline.cancel("t"))
        await hand_on(*arguments)  # type: ignore[arg-type]

    address._hand_on = cancelled_first  # type: ignore[method-assign, assignment]
    await pipeline.drain()
    assert answers == [True]
    assert pipeline.tokens_sent_to == []


async def test_a_transaction_that_only_resembles_a_waiting_one_is_not_found(pipeline: Pipeline) -> None:
    await pipeline.trigger("ada", transaction_id="order-17", payload={"text": "order"})
    found = await pipeline.cancel("order")
    assert await pipeline.work(pipeline.accepted_lane) == 1
    assert not found


async def test_a_broadcast_whose_chunks_wait_is_not_over_and_can_be_cancelled(pipeline: Pipeline) -> None:
    await pipeline.register_all({f"person-{n}": [f"phone-{n}"] for n in range(3)})
    transaction = (await pipeline.trigger(broadcast=True)).transaction_id
    await pipeline.address()
    for _ in range(2):
        await pipeline.work(pipeline.page_lane)
    found = await pipeline.database.read(triggers.progress, pipeline.environment_id, transaction)
    assert found is not None
    assert not found.expanded
    assert await pipeline.cancel(transaction)
    await pipeline.drain()
    found = await pipeline.database.read(triggers.progress, pipeline.environment_id, transaction)
    assert found is not None
    assert found.expanded
    assert pipeline.tokens_sent_to == []
    assert [events for _, _, events in await pipeline.notified()] == [["step_canceled"]] * 3
