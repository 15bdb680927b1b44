from typing import Any
from urllib.parse import urlencode

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from clarion.model.http import HttpReply
from clarion.model.outcome import Outcome
from clarion.model.push import PushMessage, Target
from clarion.providers.fcm import Fcm
from clarion.providers.port import AccessToken
from clarion.testing.exchange import Answer, Delay, GoAway, RefuseStream, Reply, Request, Reset
from clarion.testing.fcm import AcceptedMessage, FcmEmulator
from clarion.testing.oauth import GRANT_TYPE, TOKEN_URI

NOW = 1_796_000_000_000
SECONDS = NOW // 1000
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
PUSH = PushMessage("Hi", "there")
PROVIDER = Fcm()


class World:
    """An emulator, its clock, and a client with the emulator's own service account."""

    def __init__(self, **options: Any) -> None:
        self.now = NOW
        self.fcm = FcmEmulator(clock=lambda: self.now, **options)
        self.account: dict[str, str] = msgspec.json.decode(self.fcm.service_account())

    def claims(self, **changes: Any) -> dict[str, Any]:
        said = {"iss": self.account["client_email"], "aud": TOKEN_URI, "scope": SCOPE}
        return said | {"iat": SECONDS, "exp": SECONDS + 3600} | changes

    async def ask(self, method: str, path: str, body: bytes, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.fcm.handle(Request(method, path, named, body, 1))

    async def grant(self, claims: dict[str, Any], key: Any = None, kid: str = "") -> tuple[int, Any]:
        header = {"kid": kid or self.account["private_key_id"]}
        assertion = jwt.encode(claims, key or self.account["private_key"], "RS256", headers=header)
        form = urlencode({"grant_type": GRANT_TYPE, "assertion": assertion}).encode()
        return read(await self.ask("POST", "/token", form, content_type="application/x-www-form-urlencoded"))

    async def bearer(self) -> str:
        status, granted = await self.grant(self.claims())
        assert status == 200
        return f"Bearer {granted['access_token']}"

    async def send(self, token: str, project: str = "demo-app", **more: Any) -> Answer:
        body = msgspec.json.encode({"message": {"token": token}, **more})
        return await self.ask(
            "POST", f"/v1/projects/{project}/messages:send", body, authorization=await self.bearer()
        )


def read(answer: Answer) -> tuple[int, Any]:
    assert isinstance(answer, Reply)
    assert isinstance(answer.body, bytes)
    return answer.status, msgspec.json.decode(answer.body)


def codes(answer: Answer) -> tuple[int, list[str]]:
    """The status, and the FcmError codes of the details."""
    status, document = read(answer)
    details = document.get("error", {}).get("details", [])
    return status, [entry["errorCode"] for entry in details if entry["@type"].endswith(".FcmError")]


async def test_our_own_provider_gets_a_token_and_sends() -> None:
    world = World()
    credentials = PROVIDER.credentials({"serviceAccount": world.fcm.service_account()})
    asked = PROVIDER.authorize(credentials, NOW)
    status, _ = read(answer := await world.ask("POST", "/token", asked.body, **headers_of(asked.headers)))
    assert isinstance(answer, Reply)
    assert isinstance(answer.body, bytes)
    token = PROVIDER.read_authorization(HttpReply(status, {}, answer.body), NOW)
    assert isinstance(token, AccessToken)
    request = PROVIDER.build(credentials, PUSH, Target("m" * 32, "phone-1"), token.value)
    path = request.url.removeprefix("https://fcm.googleapis.com")
    sent = await world.ask("POST", path, request.body, **headers_of(request.headers))
    assert read(sent) == (200, {"name": world.fcm.messages[0].name})
    assert world.fcm.messages[0].message["notification"] == {"title": "Hi", "body": "there"}


def headers_of(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {name.replace("-", "_"): value for name, value in headers}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"aud": "https://oauth2.googleapis.com/token/"}, "invalid_grant"),
        ({"exp": SECONDS + 3601}, "invalid_grant"),
        ({"iat": SECONDS + 301, "exp": SECONDS + 400}, "invalid_grant"),
        ({"iat": SECONDS - 3600, "exp": SECONDS}, "invalid_grant"),
        ({"exp": SECONDS - 1}, "invalid_grant"),
        ({"iss": "someone@else.example"}, "invalid_grant"),
        ({"iat": str(SECONDS)}, "invalid_grant"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": SCOPE + ".readonly"}, "invalid_scope"),
    ],
)
async def test_an_assertion_that_claims_something_wrong_gets_no_token(
    changes: dict[str, Any], error: str
) -> None:
    world = World()
    status, answer = await world.grant(world.claims(**changes))
    assert (status, answer["error"], world.fcm.mints) == (400, error, 0)


async def test_an_assertion_may_be_five_minutes_ahead_and_ask_for_more_scopes() -> None:
    world = World()
    wider = f"{SCOPE} https://www.googleapis.com/auth/cloud-platform"
    status, _ = await world.grant(world.claims(iat=SECONDS + 300, exp=SECONDS + 3900, scope=wider))
    assert (status, world.fcm.mints) == (200, 1)


async def test_an_assertion_under_another_key_gets_no_token() -> None:
    world = World()
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert (await world.grant(world.claims(), key=other))[1]["error"] == "invalid_grant"
    assert (await world.grant(world.claims(), kid="k2"))[1]["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("body", "content_type", "error"),
    [
        (b"grant_type=x&assertion=y", "application/x-www-form-urlencoded", "unsupported_grant_type"),
        (b"{}", "application/json", "invalid_request"),
        (
            urlencode({"grant_type": GRANT_TYPE}).encode(),
            "application/x-www-form-urlencoded",
            "invalid_request",
        ),
        (
            urlencode({"grant_type": GRANT_TYPE, "assertion": "a.b.c"}).encode(),
            "application/x-www-form-urlencoded",
            "invalid_grant",
        ),
    ],
)
async def test_a_malformed_token_request_is_refused(body: bytes, content_type: str, error: str) -> None:
    status, answer = read(await World().ask("POST", "/token", body, content_type=content_type))
    assert (status, answer["error"]) == (400, error)


async def test_an_access_token_ends_after_its_lifetime() -> None:
    world = World(access_token_seconds=60)
    bearer = await world.bearer()
    path, body = "/v1/projects/demo-app/messages:send", b'{"message":{"token":"phone-1"}}'
    world.now += 59_999
    assert codes(await world.ask("POST", path, body, authorization=bearer)) == (200, [])
    world.now += 1
    assert codes(await world.ask("POST", path, body, authorization=bearer)) == (401, [])


async def test_revoking_makes_every_access_token_invalid() -> None:
    world = World()
    bearer = await world.bearer()
    world.fcm.revoke_all()
    path, body = "/v1/projects/demo-app/messages:send", b'{"message":{"token":"phone-1"}}'
    assert codes(await world.ask("POST", path, body, authorization=bearer)) == (401, [])
    assert world.fcm.attempts == [("phone-1", 401, NOW)]


async def test_requests_are_judged_in_the_documented_order() -> None:
    world = World()
    world.fcm.service_account("other-app")
    bearer = await world.bearer()
    path, bad = "/v1/projects/{}/messages:send", b'{"colour":1}'
    asked = [
        await world.ask("GET", path.format("nowhere"), bad),
        await world.ask("POST", path.format("nowhere"), bad),
        await world.ask("POST", path.format("demo-app"), bad),
        await world.ask("POST", path.format("demo-app"), bad, authorization="Basic x"),
        await world.ask("POST", path.format("other-app"), bad, authorization=bearer),
        await world.ask("POST", path.format("demo-app"), bad, authorization=bearer),
        await world.ask("POST", "/v1/projects/demo-app/messages", bad, authorization=bearer),
    ]
    assert [codes(answer) for answer in asked] == [
        (status, []) for status in (405, 404, 401, 401, 403, 400, 404)
    ]


@pytest.mark.parametrize(
    ("token", "status", "code", "outcome"),
    [
        ("phone-dead-1", 404, "UNREGISTERED", Outcome.TOKEN_DEAD),
        ("malformed", 400, "INVALID_ARGUMENT", Outcome.TOKEN_DEAD),
        ("a b", 400, "INVALID_ARGUMENT", Outcome.TOKEN_DEAD),
        ("x" * 4097, 400, "INVALID_ARGUMENT", Outcome.TOKEN_DEAD),
        ("othersender", 403, "SENDER_ID_MISMATCH", Outcome.TOKEN_DEAD),
        ("iosnokey", 401, "THIRD_PARTY_AUTH_ERROR", Outcome.CREDENTIALS_REJECTED),
        ("throttled", 429, "QUOTA_EXCEEDED", Outcome.THROTTLED),
        ("down", 503, "UNAVAILABLE", Outcome.UNAVAILABLE),
    ],
)
async def test_a_fault_word_gets_the_answer_that_our_provider_reads_right(
    token: str, status: int, code: str, outcome: Outcome
) -> None:
    answer = await World().send(token)
    assert codes(answer) == (status, [code])
    assert isinstance(answer, Reply)
    assert isinstance(answer.body, bytes)
    verdict = PROVIDER.read(HttpReply(status, dict(answer.headers), answer.body), PUSH)
    assert verdict.outcome is outcome


async def test_a_throttled_token_says_how_long_to_wait_and_then_is_accepted() -> None:
    world = World()
    first, second = await world.send("throttled"), await world.send("throttled")
    assert isinstance(first, Reply)
    assert ("retry-after", "1") in first.headers
    assert codes(second) == (200, [])
    assert [attempt.status for attempt in world.fcm.attempts] == [429, 200]


async def test_a_front_ends_trouble_is_html() -> None:
    answer = await World().send("html")
    assert isinstance(answer, Reply)
    assert (answer.status, answer.headers[0][1]) == (502, "text/html; charset=UTF-8")


async def test_connection_faults_take_the_message_or_leave_it() -> None:
    world = World()
    answers = [await world.send(token) for token in ("reset", "refused", "goaway", "slow-250")]
    assert [type(answer) for answer in answers] == [Reset, RefuseStream, GoAway, Delay]
    assert [message.token for message in world.fcm.messages] == ["goaway", "slow-250"]
    assert [attempt.status for attempt in world.fcm.attempts] == [0, 0, 200, 200]


async def test_strict_registration_knows_registered_tokens_and_fault_words_only() -> None:
    world = World(strict_registration=True)
    world.fcm.register("phone-1")
    answers = [codes(await world.send(token))[0] for token in ("phone-1", "phone-2", "flaky", "flaky")]
    assert answers == [200, 404, 503, 200]
    world.fcm.unregister("phone-1")
    assert codes(await world.send("phone-1")) == (404, ["UNREGISTERED"])


async def test_a_token_of_another_project_has_another_sender() -> None:
    world = World()
    world.fcm.register("phone-1", project="other-app")
    assert codes(await world.send("phone-1")) == (403, ["SENDER_ID_MISMATCH"])


async def test_validate_only_delivers_nothing() -> None:
    world = World()
    answer = read(await world.send("phone-1", validate_only=True))
    assert answer == (200, {"name": "projects/demo-app/messages/fake_message_id"})
    assert (world.fcm.messages, world.fcm.requests_by_token["phone-1"]) == ([], 1)


async def test_a_bad_message_leaves_a_limited_fault_unused() -> None:
    world = World()
    assert codes(await world.send("flaky", colour="red")) == (400, [])
    assert codes(await world.send("flaky"))[0] == 503


async def test_messages_are_handed_out_once_and_in_order() -> None:
    world = World()
    await world.send("phone-1")
    await world.send("phone-2")
    first, second = await world.fcm.next_message(), await world.fcm.next_message()
    assert isinstance(first, AcceptedMessage)
    assert (first.token, second.token, first.at) == ("phone-1", "phone-2", NOW)
    with pytest.raises(TimeoutError, match="nothing more arrived within 0 s; there are 2"):
        await world.fcm.next_message(timeout=0)


async def test_reset_forgets_messages_and_keeps_access_tokens() -> None:
    world = World()
    bearer = await world.bearer()
    await world.send("flaky")
    world.fcm.reset()
    assert (world.fcm.messages, world.fcm.attempts, dict(world.fcm.requests_by_token)) == ([], [], {})
    path, body = "/v1/projects/demo-app/messages:send", b'{"message":{"token":"flaky"}}'
    assert codes(await world.ask("POST", path, body, authorization=bearer))[0] == 503


async def test_a_topic_is_no_device() -> None:
    world = World()
    body = b'{"message":{"topic":"dead"}}'
    path = "/v1/projects/demo-app/messages:send"
    assert codes(await world.ask("POST", path, body, authorization=await world.bearer())) == (200, [])
    assert world.fcm.messages[0].token == ""
