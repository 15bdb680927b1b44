"""A call repeated at several processes at once is accepted by one of them, on either database."""

import asyncio

from clarion.accept.once import Repeatable, Replay
from clarion.errors import Conflict
from clarion.store.idempotency import Answer
from pipeline import Pipeline, call

PROCESSES = 4
CALLS = 25


async def test_a_repeated_call_is_accepted_once_whoever_takes_it(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "a1")
    workers = [pipeline.another_worker() for _ in range(PROCESSES)]

    async def accept(process: int, number: int) -> Replay:
        gate = workers[process].gate
        trigger, _ = await gate.judge(pipeline.environment_id, call("ada"))
        assert trigger is not None
        answer = Answer(201, f"{process}".encode())
        return await gate.put_once(
            trigger, Repeatable(pipeline.environment_id, f"key-{number}", f"mark-{number}"), answer
        )

    calls = [accept(process, number) for number in range(CALLS) for process in range(PROCESSES)]
    replays = await asyncio.gather(*calls)
    for number in range(CALLS):
        own = replays[number * PROCESSES : (number + 1) * PROCESSES]
        assert sum(not replay.repeated for replay in own) == 1
        assert len({replay.answer for replay in own}) == 1
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["a1"] * CALLS


async def test_at_one_process_the_second_is_told_to_wait(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "a1")
    gate = pipeline.worker.gate
    trigger, _ = await gate.judge(pipeline.environment_id, call("ada"))
    assert trigger is not None
    same = Repeatable(pipeline.environment_id, "key", "mark")
    ended = await asyncio.gather(
        *(gate.put_once(trigger, same, Answer(201, b"1")) for _ in range(3)), return_exceptions=True
    )
    assert [type(item) for item in ended] == [Replay, Conflict, Conflict]
    assert (await gate.put_once(trigger, same, Answer(201, b"2"))) == Replay(Answer(201, b"1"), True)
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["a1"]
