import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from clarion.deliver.breaker import State
from clarion.deliver.breakers import HELD, Standing
from clarion.deliver.exchange import Exchange
from clarion.deliver.lane import Lane
from clarion.errors import (
    ConnectFailed,
    ConnectionLost,
    EgressRefused,
    TimedOut,
    TlsFailed,
    TransportError,
)
from clarion.model.clock import HOUR, MINUTE, SECOND
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PushMessage, Target
from clarion.providers.port import Rate
from pushing import NOW, HandClock, ScriptedSender, TokenProvider, integration, path_of

MESSAGE = PushMessage("Title", "Body")
TARGET = Target("m" * 32, "phone")


def bench(concurrency: int = 10, **fields: Any) -> tuple[Lane, ScriptedSender]:
    sender = ScriptedSender(path_of)
    sender.scripts["token"] = [HttpReply(200, body=b"first"), HttpReply(200, body=b"second")]
    provider = TokenProvider()
    lane = Lane(
        integration(provider_id="tokens", **fields),
        provider,
        Exchange(sender, None),
        HandClock(),
        concurrency,
    )
    return lane, sender


def used(sender: ScriptedSender) -> list[str]:
    return [dict(request.headers)["authorization"] for request in sender.requests["send"]]


async def test_a_stale_token_is_renewed_and_the_message_sent_again() -> None:
    lane, sender = bench()
    sender.scripts["send"] = [HttpReply(401), HttpReply(200)]
    assert await lane.send(MESSAGE, TARGET) == Verdict(Outcome.ACCEPTED)
    assert used(sender) == ["first", "second"]


async def test_a_token_that_is_stale_again_is_not_tried_a_third_time() -> None:
    lane, sender = bench()
    sender.scripts["send"] = [HttpReply(401)]
    verdict = await lane.send(MESSAGE, TARGET)
    assert (verdict.outcome, verdict.code) == (Outcome.CREDENTIALS_REJECTED, "http_401")
    assert used(sender) == ["first", "second"]


async def test_many_that_find_the_token_stale_together_renew_it_once() -> None:
    lane, sender = bench(concurrency=50)
    sender.scripts["send"] = [*[HttpReply(401)] * 50, HttpReply(200)]
    sender.gate.clear()
    sends = [asyncio.create_task(lane.send(MESSAGE, TARGET)) for _ in range(50)]
    await asyncio.sleep(0)
    sender.gate.set()
    await asyncio.gather(*sends)
    assert len(sender.requests["token"]) == 2


async def test_without_an_access_token_nothing_is_sent() -> None:
    lane, sender = bench()
    sender.scripts["token"] = [HttpReply(403)]
    assert (await lane.send(MESSAGE, TARGET)).outcome is Outcome.CREDENTIALS_REJECTED
    assert sender.requests["send"] == []


async def test_a_message_that_can_not_be_built_fails_alone() -> None:
    lane, sender = bench()
    unbuildable = PushMessage("Title", "Body", override={"no": "body"})
    verdicts = await asyncio.gather(lane.send(unbuildable, TARGET), lane.send(MESSAGE, TARGET))
    assert [verdict.outcome for verdict in verdicts] == [Outcome.PAYLOAD_REJECTED, Outcome.ACCEPTED]
    assert verdicts[0].code == "not_buildable"
    assert "KeyError" in verdicts[0].explanation
    assert len(sender.requests["send"]) == 1


async def test_credentials_that_can_not_work_are_named_and_nobody_is_asked() -> None:
    lane, sender = bench(credentials={})
    verdict = await lane.send(MESSAGE, TARGET)
    assert verdict == Verdict(Outcome.CREDENTIALS_REJECTED, "credentials_invalid", "secret: give one")
    assert dict(sender.requests) == {}


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (TlsFailed("no"), Outcome.UNAVAILABLE, "tls_failed"),
        (ConnectFailed("no"), Outcome.UNAVAILABLE, "connect_failed"),
        (TimedOut("no"), Outcome.UNAVAILABLE, "timed_out"),
        (ConnectionLost("no"), Outcome.UNAVAILABLE, "connection_lost"),
        (TransportError("no"), Outcome.UNAVAILABLE, "no_answer"),
        (EgressRefused("no"), Outcome.CREDENTIALS_REJECTED, "egress_refused"),
    ],
)
async def test_no_answer_is_an_outcome_by_its_class(
    error: TransportError, outcome: Outcome, code: str
) -> None:
    lane, sender = bench()
    sender.scripts["send"] = [error]
    assert await lane.send(MESSAGE, TARGET) == Verdict(outcome, code, "no")


async def test_no_more_requests_are_under_way_than_the_lane_has_streams() -> None:
    lane, sender = bench(concurrency=3)
    await lane.send(MESSAGE, TARGET)
    sender.gate.clear()
    sends = [asyncio.create_task(lane.send(MESSAGE, TARGET)) for _ in range(10)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(sender.requests["send"]) == 1 + 3
    sender.gate.set()
    await asyncio.gather(*sends)
    assert len(sender.requests["send"]) == 1 + 10


def paused() -> tuple[Lane, ScriptedSender, HandClock]:
    """An integration that was paused before this process started."""
    sender, clock = ScriptedSender(path_of), HandClock()
    sender.scripts["token"] = [HttpReply(200, body=b"first")]
    standing = Standing(True, State.PAUSED, NOW - HOUR)
    item = integration(provider_id="tokens")
    return Lane(item, TokenProvider(), Exchange(sender, None), clock, 10, standing), sender, clock


async def test_what_one_devices_service_answered_stops_nobody_after_a_restart() -> None:
    class Roaming(TokenProvider):
        roams = True

    sender = ScriptedSender(path_of)
    sender.scripts["token"] = [HttpReply(200, body=b"first")]
    standing = Standing(True, State.PAUSED, NOW - SECOND)
    exchange, item = Exchange(sender, None), integration(provider_id="tokens")
    held = Lane(item, TokenProvider(), exchange, HandClock(), 10, standing)
    assert (await held.send(MESSAGE, TARGET)).code == "held"
    roaming = Lane(item, Roaming(), exchange, HandClock(), 10, standing)
    assert roaming.proven
    assert (await roaming.send(MESSAGE, TARGET)).outcome is Outcome.ACCEPTED


async def test_a_message_that_is_refused_by_itself_shows_that_a_paused_integration_works() -> None:
    lane, sender, _ = paused()
    sender.scripts["send"] = [HttpReply(400), HttpReply(200)]
    outcomes = [(await lane.send(MESSAGE, TARGET)).outcome for _ in range(3)]
    assert outcomes == [Outcome.PAYLOAD_REJECTED, Outcome.ACCEPTED, Outcome.ACCEPTED]


async def test_a_probe_that_learns_nothing_is_followed_by_another() -> None:
    lane, sender, _ = paused()
    sender.scripts["send"] = [ValueError("broken"), HttpReply(200)]
    unbuildable = PushMessage("Title", "Body", override={"no": "body"})
    verdicts = [await lane.send(message, TARGET) for message in (unbuildable, MESSAGE, MESSAGE)]
    assert [verdict.code for verdict in verdicts] == ["not_buildable", "internal_error", ""]


async def test_a_probe_that_finds_the_provider_away_lets_the_integration_rest_longer() -> None:
    lane, sender, clock = paused()
    sender.scripts["send"] = [ConnectionLost("away"), HttpReply(200)]
    assert (await lane.send(MESSAGE, TARGET)).outcome is Outcome.UNAVAILABLE
    assert (await lane.send(MESSAGE, TARGET)).code == HELD
    clock.now += 10 * MINUTE
    assert (await lane.send(MESSAGE, TARGET)).outcome is Outcome.ACCEPTED


async def test_a_cancelled_probe_is_followed_by_another() -> None:
    lane, sender, _ = paused()
    sender.gate.clear()
    probe = asyncio.create_task(lane.send(MESSAGE, TARGET))
    for _ in range(5):
        await asyncio.sleep(0)
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    sender.gate.set()
    assert (await lane.send(MESSAGE, TARGET)).outcome is Outcome.ACCEPTED


class SlowPace:
    """Lets nobody go for a long while, and notes whose turns are taken."""

    limit = 1.0

    def __init__(self) -> None:
        self.turns: list[int] = []

    def wait(self, messages: int, now: float) -> float:
        self.turns.append(messages)
        return 3600.0


async def test_the_urgent_wait_for_one_turn_of_the_patient_and_not_for_all() -> None:
    lane, _ = bench(concurrency=50)
    pace: Any = SlowPace()
    lane._pace = pace
    patient = [asyncio.create_task(lane.send(MESSAGE, TARGET, urgent=False)) for _ in range(40)]
    urgent = asyncio.create_task(lane.send(MESSAGE, TARGET))
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(pace.turns) == 2
    for task in (*patient, urgent):
        task.cancel()
    await asyncio.gather(*patient, urgent, return_exceptions=True)


class PairsProvider(TokenProvider):
    """Takes two messages in one request, and counts requests."""

    most_per_request = 2
    shares_body = True
    rate = Rate(5, 5, of_requests=True)

    def batchable(self, credentials: str, message: PushMessage) -> bool:
        return True

    def build_many(
        self, credentials: str, messages: Sequence[tuple[PushMessage, Target]], token: str
    ) -> HttpRequest:
        return HttpRequest("POST", "https://push.test/send", (("authorization", token),))

    def read_many(self, reply: HttpReply, messages: Sequence[tuple[PushMessage, Target]]) -> list[Verdict]:
        return [Verdict(Outcome.ACCEPTED) for _ in messages]


async def test_a_quota_of_requests_takes_one_turn_for_all_that_share_one() -> None:
    sender = ScriptedSender(path_of)
    sender.scripts["token"] = [HttpReply(200, body=b"first")]
    exchange = Exchange(sender, None)
    lane = Lane(integration(provider_id="tokens"), PairsProvider(), exchange, HandClock(), 10)
    pace: Any = SlowPace()
    lane._pace = pace
    task = asyncio.create_task(lane.send_many([(MESSAGE, TARGET), (MESSAGE, TARGET)]))
    for _ in range(5):
        await asyncio.sleep(0)
    assert pace.turns == [1]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
