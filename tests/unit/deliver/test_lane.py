import asyncio
from typing import Any

import pytest

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
from clarion.model.http import HttpReply
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PushMessage, Target
from pushing import HandClock, ScriptedSender, TokenProvider, integration, path_of

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
