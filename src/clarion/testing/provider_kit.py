"""The conformance kit of providers: a subclass of a few lines gets every case a provider has to pass.

```python
class TestPigeon(ProviderKit):
    provider = Pigeon()
    handle = staticmethod(PigeonEmulator().handle)
    stored = {"apiKey": "key-0123456789"}
    errors = {"LOFT_EMPTY": Outcome.TOKEN_DEAD, "503": Outcome.UNAVAILABLE}
    golden = ((PushMessage("Title", "Body"), {"loft": "phone", "title": "Title", "body": "Body"}),)
```

The kit sends through a real lane (authorization, retries of stale tokens, batches) to the emulator's handler,
in process; pytest-asyncio in auto mode runs it.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec
import pytest

from clarion.compose.variables import STEP
from clarion.deliver.exchange import Exchange
from clarion.deliver.lane import Lane
from clarion.errors import ConnectFailed, ConnectionLost, CredentialsInvalid, TimedOut, TransportError
from clarion.model.clock import Millis, system_clock
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.ids import new_id
from clarion.model.outcome import Outcome
from clarion.model.people import Integration
from clarion.model.push import Json, Presentation, PushMessage, Target
from clarion.providers.port import BatchingProvider, Provider
from clarion.testing.exchange import Answer, GoAway, RefuseStream, Reply, Request, Reset, settle
from clarion.testing.faults import Word

Handle = Callable[[Request], Awaitable[Answer]]


MESSAGE = PushMessage(
    "Title", "Body", {"order": 7, "text": "value"}, subscriber={"subscriberId": "ada"}, step=STEP
)
LOOKS = (Presentation(badge=3, ttl=60, priority="high"), Presentation(silent=True))


class HandlerSender:
    """Sends to an emulator's handler without a network; every request is kept in `requests`."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self.requests: list[HttpRequest] = []
        self.broken: TransportError | None = None

    async def send(
        self, request: HttpRequest, *, timeout: float = 15, guarded: bool = False, scope: str = ""
    ) -> HttpReply:
        """The handler's answer; a connection that it ends is an error as on the wire."""
        self.requests.append(request)
        if self.broken:
            raise self.broken
        parts = urlsplit(request.url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        headers = {**dict(request.headers), "host": parts.netloc}
        headers.setdefault("content-length", str(len(request.body)))
        try:
            async with asyncio.timeout(timeout):
                answer = await settle(self._handle, Request(request.method, path, headers, request.body, 1))
        except TimeoutError:
            raise TimedOut("no answer in time") from None
        if isinstance(answer, Reset):
            raise ConnectionLost("the connection was reset")
        if isinstance(answer, RefuseStream):
            raise ConnectionLost("the stream was refused", unprocessed=True)
        reply = answer.then if isinstance(answer, GoAway) else answer
        assert isinstance(reply, Reply)
        assert isinstance(reply.body, bytes)
        return HttpReply(reply.status, {name.lower(): value for name, value in reply.headers}, reply.body)


class ProviderKit:
    """`provider` against the emulator that `handle` is of, with the credentials `stored`.

    `tells_dead`: it says that a device is gone. `words` are the fault words that its emulator answers with
    something else than the others do. `errors` are codes of the provider that a token can ask for with the
    word `code`, each with its outcome. `golden` pairs a message with the JSON that a request for the device
    `phone` under the message id of 32 zeros holds. A token is made by `token`, which spells a word.
    """

    provider: ClassVar[Provider[Any]]
    handle: ClassVar[Any]
    stored: ClassVar[Json]
    tells_dead: ClassVar[bool] = True
    words: ClassVar[dict[Word, Outcome]] = {}
    errors: ClassVar[dict[str, Outcome]] = {}
    golden: ClassVar[tuple[tuple[PushMessage, Any], ...]]

    def clock(self) -> Millis:
        """The time that tokens and targets are of."""
        return system_clock()

    def token(self, word: str) -> str:
        """A device token that spells a fault word, or `phone` for one without faults."""
        return f"{secrets.token_hex(8)}-{word}"

    @pytest.fixture
    def sender(self) -> HandlerSender:
        """The way to the emulator."""
        return HandlerSender(type(self).handle)

    @pytest.fixture
    def lane(self, sender: HandlerSender) -> Lane:
        """An integration of the provider that had a message accepted before."""
        return self.lane_of(sender)

    def lane_of(self, sender: HandlerSender, **fields: Any) -> Lane:
        """An integration of the provider."""
        given: dict[str, Any] = {"credentials": self.stored, "active": True, **fields}
        integration = Integration("i" * 32, "e" * 32, "kit", "Kit", self.provider.id, "push", 0, 0, **given)
        lane = Lane(integration, self.provider, Exchange(sender, None), self.clock, 10)
        lane._proven = True
        return lane

    def target(self, word: str = "phone", group: str = "") -> Target:
        """A device."""
        now = self.clock()
        return Target(new_id(now), self.token(word), now, group)

    async def test_a_push_is_accepted(self, lane: Lane) -> None:
        verdict = await lane.send(MESSAGE, self.target())
        assert verdict.outcome is Outcome.ACCEPTED, verdict

    @pytest.mark.parametrize("look", LOOKS)
    async def test_it_may_look_otherwise(self, lane: Lane, look: Presentation) -> None:
        message = msgspec.structs.replace(MESSAGE, presentation=look)
        verdict = await lane.send(message, self.target())
        assert verdict.outcome is Outcome.ACCEPTED, verdict

    def test_a_request_is_as_it_always_was(self) -> None:
        credentials = self.provider.credentials(self.stored)
        for message, body in self.golden:
            request = self.provider.build(credentials, message, self.golden_target(), "token")
            assert self.content(request) == body

    def golden_target(self) -> Target:
        """Whom the requests on record are for."""
        return Target("0" * 32, "phone")

    def content(self, request: HttpRequest) -> Any:
        """What a request on record holds."""
        return msgspec.json.decode(request.body)

    def secrets(self) -> list[str]:
        """Pieces of the stored secrets that nobody may see."""
        found = [self.stored.get(field.key) for field in self.provider.fields if field.is_secret]
        return [secret[10:40] if len(secret) > 40 else secret for secret in found if isinstance(secret, str)]

    async def test_every_error_has_its_outcome(self, sender: HandlerSender) -> None:
        assert self.errors
        for code, outcome in self.errors.items():
            target = self.target(f"code-{code}")
            verdict = await self.lane_of(sender).send(MESSAGE, target)
            assert verdict.outcome is outcome, (code, verdict)
            assert verdict.explanation

    async def test_what_was_sent_and_kept_is_not_logged(
        self, sender: HandlerSender, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        sender.broken = None
        for word in ("phone", "dead", "flaky-1"):
            await self.lane_of(sender).send(MESSAGE, self.target(word))
        sender.broken = ConnectionLost("cut")
        await self.lane_of(sender).send(MESSAGE, self.target())
        said = caplog.text + "".join(capfd.readouterr())
        for secret in self.secrets():
            assert secret not in said

    async def test_a_dead_device_is_told_by_those_who_tell(self, lane: Lane) -> None:
        verdict = await lane.send(MESSAGE, self.target("dead"))
        assert (verdict.outcome is Outcome.TOKEN_DEAD) == self.tells_dead, verdict
        assert verdict.outcome is Outcome.ACCEPTED or (verdict.code and verdict.explanation)

    @pytest.mark.parametrize("word", [Word.THROTTLED, Word.FLAKY, Word.HTML, Word.RESET, Word.REFUSED])
    async def test_what_passes_is_tried_again_and_arrives(self, sender: HandlerSender, word: Word) -> None:
        target = self.target(word)
        first = await self.lane_of(sender).send(MESSAGE, target)
        wanted = self.words.get(word, _PASSING[word])
        assert first.outcome is wanted, first
        assert first.outcome.retryable
        second = await self.lane_of(sender).send(MESSAGE, target)
        assert second.outcome is Outcome.ACCEPTED, second

    async def test_an_answer_that_comes_late_is_still_one(self, lane: Lane) -> None:
        slow = Target(new_id(self.clock()), self.token("slow-20"), self.clock())
        verdict = await lane.send(MESSAGE, slow)
        assert verdict.outcome is Outcome.ACCEPTED, verdict

    @pytest.mark.parametrize("error", [TimedOut("late"), ConnectionLost("cut"), ConnectFailed("no route")])
    async def test_without_an_answer_the_provider_is_away(
        self, sender: HandlerSender, error: TransportError
    ) -> None:
        sender.broken = error
        verdict = await self.lane_of(sender).send(MESSAGE, self.target())
        assert verdict.outcome is Outcome.UNAVAILABLE

    async def test_a_repetition_says_the_same(self, sender: HandlerSender) -> None:
        """Under the same ids, so that a device shows it once."""
        target = self.target()
        for _ in range(2):
            verdict = await self.lane_of(sender).send(MESSAGE, target)
            assert verdict.outcome is Outcome.ACCEPTED, verdict
        first, second = self.sends(sender)[-2:]
        assert _comparable(first) == _comparable(second)

    async def test_a_batch_is_split_back_to_its_devices(self, sender: HandlerSender) -> None:
        provider = self.provider
        if not isinstance(provider, BatchingProvider):
            pytest.skip("each message goes alone")
        group = new_id(self.clock())
        targets = [self.target(word, group) for word in ("phone", "dead", "phone")]
        verdicts = await self.lane_of(sender).send_many([(MESSAGE, target) for target in targets])
        first, dead, last = (item.outcome for item in verdicts)
        assert (first, last) == (Outcome.ACCEPTED, Outcome.ACCEPTED), verdicts
        assert (dead is Outcome.TOKEN_DEAD) == self.tells_dead, verdicts
        assert len(self.sends(sender)) == 1
        assert provider.most_per_request > 1

    async def test_no_answer_to_a_batch_is_no_answer_to_each(self, sender: HandlerSender) -> None:
        sender.broken = ConnectionLost("cut")
        targets = [self.target(group="g" * 32) for _ in range(2)]
        verdicts = await self.lane_of(sender).send_many([(MESSAGE, target) for target in targets])
        assert [verdict.outcome for verdict in verdicts] == [Outcome.UNAVAILABLE] * 2

    def test_required_credentials_are_missed_by_name(self) -> None:
        known = {field.key for field in self.provider.fields}
        for field in self.provider.fields:
            if field.required:
                incomplete = {key: value for key, value in self.stored.items() if key != field.key}
                with pytest.raises(CredentialsInvalid) as missed:
                    self.provider.credentials(incomplete)
                assert missed.value.field in known
                assert missed.value.reason

    def test_no_secret_shows(self) -> None:
        credentials = self.provider.credentials(self.stored)
        shown = f"{credentials!r} {list(credentials.__rich_repr__())}"
        for secret in self.secrets():
            assert secret not in shown

    async def test_a_refusal_of_the_credentials_is_one(self, sender: HandlerSender) -> None:
        refused = await self.lane_of(sender, credentials={}).send(MESSAGE, self.target())
        empty_is_enough = not any(field.required for field in self.provider.fields)
        assert empty_is_enough or refused.outcome is Outcome.CREDENTIALS_REJECTED

    def sends(self, sender: HandlerSender) -> list[HttpRequest]:
        """The requests that send something, without those for access tokens."""
        return [item for item in sender.requests if not item.url.endswith(("/token", "/oauth2/v3/token"))]


_PASSING = {
    Word.THROTTLED: Outcome.THROTTLED,
    Word.FLAKY: Outcome.UNAVAILABLE,
    Word.HTML: Outcome.UNAVAILABLE,
    Word.RESET: Outcome.UNAVAILABLE,
    Word.REFUSED: Outcome.UNAVAILABLE,
}


def _comparable(request: HttpRequest) -> tuple[str, bytes, dict[str, str]]:
    """What a device may show of a request. An encrypted body differs each time, by the standard."""
    headers = {name: value for name, value in request.headers if name not in ("authorization", "crypto-key")}
    body = b"" if headers.get("content-encoding") == "aes128gcm" else request.body
    return request.url, body, headers
