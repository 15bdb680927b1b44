import asyncio

from clarion.deliver.streams import Streams


async def test_the_urgent_go_first_and_equals_in_their_order() -> None:
    streams, order = Streams(1), []
    await streams.take(urgent=False)

    async def one(name: str, *, urgent: bool) -> None:
        await streams.take(urgent=urgent)
        order.append(name)
        streams.give_back()

    waiting = [
        asyncio.create_task(one(name, urgent=name.startswith("urgent")))
        for name in ("patient 1", "patient 2", "urgent 1", "urgent 2")
    ]
    await asyncio.sleep(0)
    streams.give_back()
    await asyncio.gather(*waiting)
    assert order == ["urgent 1", "urgent 2", "patient 1", "patient 2"]


async def test_who_stops_waiting_holds_nobody_up() -> None:
    streams = Streams(1)
    await streams.take(urgent=True)
    gone = asyncio.create_task(streams.take(urgent=True))
    next_one = asyncio.create_task(streams.take(urgent=True))
    await asyncio.sleep(0)
    gone.cancel()
    streams.give_back()
    await asyncio.wait_for(next_one, 1)


async def test_a_turn_given_to_who_was_just_cancelled_goes_on() -> None:
    streams = Streams(1)
    await streams.take(urgent=True)
    gone = asyncio.create_task(streams.take(urgent=True))
    await asyncio.sleep(0)
    streams.give_back()
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    await asyncio.wait_for(streams.take(urgent=False), 1)
