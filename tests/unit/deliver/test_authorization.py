import asyncio

import pytest

from clarion.deliver.authorization import Authorization
from clarion.deliver.exchange import Exchange
from clarion.errors import TimedOut
from clarion.model.clock import HOUR, MINUTE, SECOND
from clarion.model.http import HttpReply
from clarion.model.outcome import Outcome, Verdict
from clarion.providers.port import AccessToken
from pushing import Answer, HandClock, ScriptedSender, TokenProvider, path_of


class Bench:
    """An authorization with its clock and its scripted authorization server."""

    def __init__(self, *answers: Answer) -> None:
        self.clock = HandClock()
        self.sender = ScriptedSender(path_of)
        self.sender.scripts["token"] = list(answers)
        exchange = Exchange(self.sender, None)
        self.authorization = Authorization(exchange, TokenProvider(), "secret", self.clock)

    @property
    def asked(self) -> int:
        return len(self.sender.requests["token"])

    async def value(self) -> str:
        token = await self.authorization.token()
        assert isinstance(token, AccessToken), token
        return token.value


async def settle() -> None:
    """Let everything that is ready run."""
    for _ in range(10):
        await asyncio.sleep(0)


FIRST, SECOND_ONE = HttpReply(200, body=b"first"), HttpReply(200, body=b"second")


async def test_a_hundred_waiters_share_one_request() -> None:
    bench = Bench(FIRST, SECOND_ONE)
    bench.sender.gate.clear()
    waiters = [asyncio.create_task(bench.value()) for _ in range(100)]
    await settle()
    bench.sender.gate.set()
    assert await asyncio.gather(*waiters) == ["first"] * 100
    assert bench.asked == 1


async def test_a_waiter_that_is_cancelled_takes_nobody_with_it() -> None:
    bench = Bench(FIRST)
    bench.sender.gate.clear()
    one, other = (asyncio.create_task(bench.value()) for _ in range(2))
    await settle()
    one.cancel()
    await settle()
    bench.sender.gate.set()
    assert await other == "first"
    assert (bench.asked, one.cancelled()) == (1, True)


async def test_a_token_is_kept_until_shortly_before_its_end() -> None:
    bench = Bench(FIRST, SECOND_ONE)
    await bench.value()
    bench.clock.now += HOUR - 6 * MINUTE
    assert await bench.value() == "first"
    await settle()
    assert bench.asked == 1


async def test_it_is_renewed_early_while_the_old_one_serves() -> None:
    bench = Bench(FIRST, SECOND_ONE)
    await bench.value()
    bench.clock.now += HOUR - 4 * MINUTE
    bench.sender.gate.clear()
    assert [await bench.value() for _ in range(5)] == ["first"] * 5
    await settle()
    assert await bench.value() == "first"
    bench.sender.gate.set()
    await settle()
    assert await bench.value() == "second"
    assert bench.asked == 2


async def test_an_early_renewal_that_fails_leaves_the_old_token_in_use_and_is_tried_again() -> None:
    bench = Bench(FIRST, HttpReply(503), SECOND_ONE)
    await bench.value()
    bench.clock.now += HOUR - 4 * MINUTE
    await bench.value()
    await settle()
    assert await bench.value() == "first"
    assert bench.asked == 2
    bench.clock.now += SECOND
    await bench.value()
    await settle()
    assert (await bench.value(), bench.asked) == ("second", 3)


async def test_a_token_that_is_over_is_never_handed_out() -> None:
    bench = Bench(FIRST, SECOND_ONE)
    await bench.value()
    bench.clock.now += HOUR
    assert (await bench.value(), bench.asked) == ("second", 2)


async def test_a_refused_token_is_replaced_once_however_many_report_it() -> None:
    bench = Bench(FIRST, SECOND_ONE)
    token = await bench.authorization.token()
    assert isinstance(token, AccessToken)
    bench.authorization.refused(token)
    assert await bench.value() == "second"
    bench.authorization.refused(token)
    assert (await bench.value(), bench.asked) == ("second", 2)


@pytest.mark.parametrize(
    ("answer", "verdict", "rest"),
    [
        (HttpReply(503), Verdict(Outcome.UNAVAILABLE, "http_503"), SECOND),
        (HttpReply(403), Verdict(Outcome.CREDENTIALS_REJECTED, "http_403"), 10 * SECOND),
        (TimedOut("late"), Verdict(Outcome.UNAVAILABLE, "timed_out", "late"), SECOND),
    ],
)
async def test_a_refusal_is_remembered_for_a_short_while(answer: Answer, verdict: Verdict, rest: int) -> None:
    bench = Bench(answer, FIRST)
    assert await bench.authorization.token() == verdict
    bench.clock.now += rest - 1
    assert await bench.authorization.token() == verdict
    assert bench.asked == 1
    bench.clock.now += 1
    assert (await bench.value(), bench.asked) == ("first", 2)


async def test_an_error_while_asking_reaches_those_who_wait_and_is_not_kept() -> None:
    bench = Bench(ValueError("broken"), FIRST)
    results = await asyncio.gather(*(bench.authorization.token() for _ in range(3)), return_exceptions=True)
    assert [str(result) for result in results] == ["broken"] * 3
    assert await bench.value() == "first"
