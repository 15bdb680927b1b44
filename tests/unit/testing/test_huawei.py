from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PushMessage, Target
from clarion.providers.huawei import Huawei
from clarion.providers.port import AccessToken
from clarion.testing.exchange import Answer, Delay, GoAway, RefuseStream, Reply, Request, Reset
from clarion.testing.huawei import TOKEN_PATH, HuaweiEmulator

NOW = 1_796_000_000_000
PROVIDER = Huawei()
PUSH = PushMessage("Hi", "there", payload={"orderId": 1042})
SHOWN = {"title": "Hi", "click_action": {"type": 3}}


class World:
    """An emulator, its clock and our provider as its client."""

    def __init__(self, **options: Any) -> None:
        self.now = NOW
        self.huawei = HuaweiEmulator(client_secret="s3cret", clock=lambda: self.now, **options)
        self.credentials = PROVIDER.credentials(self.huawei.credentials())

    async def ask(self, request: HttpRequest) -> Answer:
        path = "/" + request.url.split("/", 3)[3]
        return await self.huawei.handle(Request(request.method, path, dict(request.headers), request.body, 1))

    async def token(self) -> AccessToken | Verdict:
        reply = replied(await self.ask(PROVIDER.authorize(self.credentials, self.now)))
        return PROVIDER.read_authorization(reply, self.now)

    async def bearer(self) -> str:
        token = await self.token()
        assert isinstance(token, AccessToken)
        return token.value

    async def send(self, device: str, message: PushMessage = PUSH, bearer: str = "") -> Answer:
        """What our provider builds for a device."""
        bearer = bearer or await self.bearer()
        return await self.ask(PROVIDER.build(self.credentials, message, Target("m" * 32, device), bearer))

    async def post(self, document: Any, client: str = "104872311", **headers: str) -> tuple[int, Any]:
        """The status and the code of the answer."""
        body = document if isinstance(document, bytes) else msgspec.json.encode(document)
        named = {"authorization": f"Bearer {await self.bearer()}", "content-type": "application/json"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        path = f"/v1/{client}/messages:send"
        reply = replied(await self.huawei.handle(Request("POST", path, named, body, 1)))
        return reply.status, msgspec.json.decode(reply.body)["code"] if reply.body else ""


def replied(answer: Answer) -> HttpReply:
    assert isinstance(answer, Reply)
    assert isinstance(answer.body, bytes)
    return HttpReply(answer.status, dict(answer.headers), answer.body)


def read(answer: Answer) -> Verdict:
    return PROVIDER.read(replied(answer), PUSH)


async def test_our_own_provider_gets_a_token_and_sends() -> None:
    world = World()
    verdict = read(await world.send("phone-1"))
    taken = await world.huawei.next_message()
    assert verdict == Verdict(Outcome.ACCEPTED, provider_message_id=taken.id)
    assert (taken.tokens, taken.at, world.huawei.grants) == (("phone-1",), NOW, 1)
    assert taken.message["android"]["notification"]["title"] == "Hi"
    assert [attempt[:2] for attempt in world.huawei.attempts] == [("phone-1", 200)]


async def test_a_silent_message_is_taken_too() -> None:
    world = World()
    assert read(await world.send("phone-1", PushMessage("Hi", "there", legacy={"type": "data"}))).outcome is (
        Outcome.ACCEPTED
    )


@pytest.mark.parametrize(
    ("token", "outcome"),
    [
        ("dead", Outcome.TOKEN_DEAD),
        ("malformed", Outcome.TOKEN_DEAD),
        ("othersender", Outcome.TOKEN_DEAD),
        ("iosnokey", Outcome.CREDENTIALS_REJECTED),
        ("throttled", Outcome.THROTTLED),
        ("flaky", Outcome.UNAVAILABLE),
        ("down", Outcome.UNAVAILABLE),
        ("html", Outcome.UNAVAILABLE),
    ],
)
async def test_a_fault_word_gets_the_answer_that_our_provider_reads_right(
    token: str, outcome: Outcome
) -> None:
    world = World()
    assert read(await world.send(token)).outcome is outcome
    assert world.huawei.messages == []


@pytest.mark.parametrize(
    ("token", "kind", "taken"),
    [("slow-5", Delay, 1), ("reset", Reset, 0), ("refused", RefuseStream, 0), ("goaway", GoAway, 1)],
)
async def test_a_fault_of_the_connection_is_one(token: str, kind: type, taken: int) -> None:
    world = World()
    assert isinstance(await world.send(token), kind)
    assert len(world.huawei.messages) == taken


async def test_a_limited_fault_ends_and_begins_again_after_a_reset() -> None:
    world = World()
    outcomes = [read(await world.send("flaky")).outcome for _ in range(2)]
    assert outcomes == [Outcome.UNAVAILABLE, Outcome.ACCEPTED]
    world.huawei.reset()
    assert (world.huawei.messages, world.huawei.attempts) == ([], [])
    assert read(await world.send("flaky")).outcome is Outcome.UNAVAILABLE


async def test_the_invalid_ones_of_many_tokens_are_named() -> None:
    world = World()
    message = {"token": ["phone-1", "phone-dead"], "android": {"notification": SHOWN}}
    assert await world.post({"message": message}) == (200, "80100000")
    assert world.huawei.messages[0].tokens == ("phone-1",)


async def test_an_access_token_ends_and_can_be_revoked() -> None:
    world = World(access_token_seconds=60)
    bearer = await world.bearer()
    world.now += 60_000
    expired = read(await world.send("phone-1", bearer=bearer))
    assert (expired.code, expired.stale_authorization) == ("80200003", True)
    world.huawei.revoke_all()
    revoked = read(await world.send("phone-1", bearer=bearer))
    assert (revoked.code, revoked.stale_authorization) == ("80200001", True)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_secret": "wrong"}, "12304"),
        ({"client_id": "abc"}, "20002"),
        ({"client_id": "7"}, "20003"),
        ({"client_secret": ""}, "20171"),
        ({"grant_type": "password"}, "20001"),
    ],
)
async def test_a_wrong_grant_gets_no_token(changes: dict[str, str], code: str) -> None:
    world = World()
    form = {"grant_type": "client_credentials", "client_id": "104872311", "client_secret": "s3cret"}
    headers = {"content-type": "application/x-www-form-urlencoded"}
    request = Request("POST", TOKEN_PATH, headers, urlencode(form | changes).encode(), 1)
    verdict = PROVIDER.read_authorization(replied(await world.huawei.handle(request)), NOW)
    assert isinstance(verdict, Verdict)
    assert (verdict.outcome, verdict.code) == (Outcome.CREDENTIALS_REJECTED, code)
    assert world.huawei.grants == 0


async def test_more_than_a_thousand_access_tokens_in_five_minutes_are_too_many() -> None:
    world = World()
    for _ in range(1000):
        await world.bearer()
    verdict = await world.token()
    assert isinstance(verdict, Verdict)
    assert verdict.outcome is Outcome.THROTTLED
    world.now += 300_000
    assert await world.bearer()


def message(**fields: Any) -> dict[str, Any]:
    return {"message": {"token": ["phone-1"], **fields}}


def notified(**fields: Any) -> dict[str, Any]:
    return message(android={"notification": SHOWN | fields})


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({}, "80300010"),
        (b"{", "80300010"),
        (b"[" * 5000, "80300010"),
        ({"message": {"token": []}}, "80300010"),
        ({"message": {"token": "phone-1"}}, "80300010"),
        ({"message": {"token": ["a"] * 1001}}, "80300010"),
        ({"message": {"data": "x"}}, "80100003"),
        (message(topic="news"), "80100003"),
        (message(data={"k": 1}), "80100003"),
        (message(unknown=1), "80100003"),
        (message() | {"validateOnly": True}, "80100003"),
        (message() | {"validate_only": "yes"}, "80100003"),
        (message(notification={"image": "http://a.example/i.png"}), "80100003"),
        (message(android={"ttl": "1296001s"}), "80100004"),
        (message(android={"ttl": 60}), "80100004"),
        (message(android={"collapse_key": 101}), "80100013"),
        (message(android={"urgency": "URGENT"}), "80100003"),
        (message(android={"category": "NEWS"}), "80100003"),
        (message(android={"fast_app_target": True}), "80100003"),
        (message(android={"notification": {"title": "Hi"}}), "80100003"),
        (notified(click_action={"type": 2, "url": "http://a.example"}), "80100003"),
        (notified(click_action={"type": 1}), "80100003"),
        (notified(click_action={"type": 4}), "80100003"),
        (notified(icon="icon"), "80100003"),
        (notified(color="red"), "80100003"),
        (notified(style=2), "80100003"),
        (notified(inbox_content=["a"] * 6), "80100003"),
        (notified(buttons=[{}] * 4), "80100003"),
        (notified(badge={"add_num": 100}), "80100003"),
        (notified(importance="HIGH"), "80100003"),
        (message(apns={"payload": "x"}), "80100003"),
        (message(data="x" * 4097), "80300008"),
    ],
)
async def test_a_wrong_field_has_its_code(document: Any, code: str) -> None:
    world = World()
    assert await world.post(document) == (400, code)
    assert world.huawei.messages == []


async def test_the_tokens_do_not_count_for_the_size() -> None:
    world = World()
    assert await world.post({"message": {"token": ["t" * 100] * 1000, "data": "x" * 4000}}) == (
        200,
        "80000000",
    )


async def test_the_path_must_be_the_clients() -> None:
    world = World()
    assert await world.post(message(data="x"), client="7") == (401, "80200001")
    assert (await world.post(message(data="x"), client="7/8"))[0] == 404
    assert await world.post(message(data="x"), authorization="Basic x") == (401, "80200001")
    assert await world.post(message(data="x"), content_type="text/plain") == (400, "80100003")


async def test_a_topic_is_taken_and_a_trial_is_not_kept() -> None:
    world = World()
    topic = {"message": {"topic": "news", "data": "x"}}
    assert await world.post(topic | {"validate_only": True}) == (200, "80000000")
    assert world.huawei.messages == []
    assert await world.post(topic) == (200, "80000000")
    assert world.huawei.messages[0].tokens == ()
