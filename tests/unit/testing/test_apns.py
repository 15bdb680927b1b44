from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from clarion.model.clock import HOUR, MINUTE
from clarion.model.http import HttpReply
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PushMessage, Target
from clarion.providers.apns import SANDBOX, Apns
from clarion.testing.apns import ApnsEmulator
from clarion.testing.exchange import Answer, Delay, GoAway, RefuseStream, Reply, Request, Reset

NOW = 1_796_000_000_000
TOKEN = "8f0c4a7be2d94c61b35a7f10c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5"
MESSAGE_ID = "0123456789abcdef" * 2
PUSH = PushMessage("Hi", "there", payload={"order": 7})
APP = "com.example.demo"
APPLE_ID = "01234567-89ab-cdef-0123-456789abcdef"


class World:
    """An emulator, its clock, and our own provider as its client."""

    def __init__(self, **options: Any) -> None:
        self.now = NOW
        self.apns = ApnsEmulator(clock=lambda: self.now, **options)
        self.stored = self.apns.credentials()

    def signed(self, **claims: Any) -> str:
        said = {"iss": self.stored["projectName"], "iat": self.now // 1000} | claims
        header = {"kid": self.stored["apiKey"]}
        return jwt.encode(said, self.stored["secretKey"], "ES256", headers=header)

    async def push(self, token: str = TOKEN, message: PushMessage = PUSH, connection: int = 1) -> Verdict:
        """What our own provider builds, sent and read."""
        provider = Apns()
        credentials = provider.credentials(self.stored)
        access = provider.issue(credentials, self.now)
        built = provider.build(credentials, message, Target(MESSAGE_ID, token, self.now), access.value)
        path = built.url.removeprefix(SANDBOX)
        headers = dict(built.headers)
        answer = await self.apns.handle(Request(built.method, path, headers, built.body, connection))
        assert isinstance(answer, Reply)
        assert isinstance(answer.body, bytes)
        reply = HttpReply(answer.status, dict(answer.headers), answer.body)
        return provider.read(reply, message)

    async def ask(
        self,
        body: Any = None,
        *,
        method: str = "POST",
        path: str = "/3/device/" + TOKEN,
        connection: int = 1,
        **headers: str | None,
    ) -> tuple[int, Any]:
        """A hand-made request; a header that is None is left out. The status and the reason."""
        known: dict[str, str | None] = {"authorization": f"bearer {self.signed()}", "apns_topic": APP}
        named = {k.replace("_", "-"): v for k, v in (known | headers).items() if v is not None}
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body or {"aps": {}})
        return reason_of(await self.apns.handle(Request(method, path, named, raw, connection)))


def reason_of(answer: Answer) -> tuple[int, Any]:
    assert isinstance(answer, Reply)
    assert isinstance(answer.body, bytes)
    return answer.status, msgspec.json.decode(answer.body)["reason"] if answer.body else None


async def test_what_our_provider_sends_is_taken() -> None:
    world = World()
    verdict = await world.push()
    assert verdict == Verdict(Outcome.ACCEPTED, provider_message_id=APPLE_ID)
    taken = world.apns.messages[0]
    assert (taken.token, taken.id, taken.at) == (TOKEN, APPLE_ID, NOW)
    assert (taken.topic, taken.push_type, taken.priority) == (APP, "alert", "10")
    assert (taken.collapse_id, taken.expiration) == (MESSAGE_ID, "")
    assert taken.message == {
        "aps": {"alert": {"title": "Hi", "body": "there"}},
        "order": 7,
        "__nvMessageId": MESSAGE_ID,
    }


@pytest.mark.parametrize("kind", ["background", "voip", "liveactivity", "pushtotalk", "widgets", "location"])
async def test_every_push_type_of_our_provider_is_taken(kind: str) -> None:
    world = World()
    message = PushMessage("Hi", "there", override={"pushType": kind, "contentAvailable": True})
    assert (await world.push(message=message)).outcome is Outcome.ACCEPTED
    assert world.apns.messages[0].push_type == kind


async def test_provider_tokens_change_as_apns_allows_for_hours() -> None:
    world = World()
    for _ in range(50):
        assert (await world.push()).outcome is Outcome.ACCEPTED
        world.now += 21 * MINUTE


async def test_two_provider_tokens_on_a_connection_within_20_minutes_are_too_many() -> None:
    world = World()
    assert await world.ask() == (200, None)
    assert await world.ask() == (429, "TooManyProviderTokenUpdates")
    assert await world.ask(connection=2) == (200, None)
    world.now += 20 * MINUTE
    assert await world.ask() == (200, None)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iat": NOW // 1000 - 3600}, None),
        ({"iat": NOW // 1000 - 3601}, "ExpiredProviderToken"),
        ({"iat": NOW // 1000 + 60}, None),
        ({"iat": NOW // 1000 + 61}, "InvalidProviderToken"),
        ({"iat": str(NOW // 1000)}, "InvalidProviderToken"),
        ({"iss": "AAAAAAAAAA"}, "InvalidProviderToken"),
        ({"exp": NOW // 1000 + 60}, "InvalidProviderToken"),
    ],
)
async def test_a_provider_token_is_judged_by_its_claims(claims: dict[str, Any], reason: str | None) -> None:
    world = World()
    answer = await world.ask(authorization=f"bearer {world.signed(**claims)}")
    assert answer == ((403, reason) if reason else (200, None))


async def test_a_provider_token_needs_the_right_key() -> None:
    world = World()
    claims = {"iss": world.stored["projectName"], "iat": NOW // 1000}
    known = {"kid": world.stored["apiKey"]}
    forged = jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", headers=known)
    unknown = jwt.encode(claims, world.stored["secretKey"], "ES256", headers={"kid": "AAAAAAAAAA"})
    nameless = jwt.encode(claims, world.stored["secretKey"], "ES256")
    shared = jwt.encode(claims, "s" * 32, "HS256", headers=known)
    for token in (forged, unknown, nameless, shared, "a.b.c"):
        assert await world.ask(authorization=f"bearer {token}") == (403, "InvalidProviderToken")


BIG = {"aps": {}, "x": "x" * 4080}
VOIP = {"apns_topic": APP + ".voip", "apns_push_type": "voip"}


@pytest.mark.parametrize(
    ("request_", "status", "reason"),
    [
        ({"method": "GET"}, 405, "MethodNotAllowed"),
        ({"path": "/2/device/" + TOKEN}, 404, "BadPath"),
        ({"path": "/3/device/"}, 400, "MissingDeviceToken"),
        ({"apns_topic": f"{APP}, {APP}"}, 400, "DuplicateHeaders"),
        ({"Apns_Topic": APP}, 400, "EmulatorHeaderCase"),
        ({"content_encoding": "gzip"}, 400, "EmulatorContentEncoding"),
        ({"authorization": None}, 403, "MissingProviderToken"),
        ({"authorization": "Basic abc"}, 403, "MissingProviderToken"),
        ({"apns_topic": None}, 400, "MissingTopic"),
        ({"apns_topic": "no topic"}, 400, "BadTopic"),
        ({"apns_topic": "com.example.other"}, 400, "TopicDisallowed"),
        ({"apns_topic": APP + ".other"}, 400, "TopicDisallowed"),
        ({"apns_push_type": "loud"}, 400, "InvalidPushType"),
        ({"apns_push_type": "voip"}, 400, "TopicDisallowed"),
        ({"apns_topic": APP + ".voip"}, 400, "TopicDisallowed"),
        ({"apns_priority": "7"}, 400, "BadPriority"),
        ({"apns_priority": "10", "apns_push_type": "background"}, 400, "BadPriority"),
        ({"apns_expiration": "soon"}, 400, "BadExpirationDate"),
        ({"apns_expiration": "-1"}, 400, "BadExpirationDate"),
        ({"apns_id": "m1"}, 400, "BadMessageId"),
        ({"apns_id": APPLE_ID.upper()}, 400, "BadMessageId"),
        ({"apns_collapse_id": "é" * 33}, 400, "BadCollapseId"),
        ({"body": b""}, 400, "PayloadEmpty"),
        ({"body": BIG}, 413, "PayloadTooLarge"),
        ({"body": b"{"}, 400, "EmulatorMalformedJson"),
        ({"body": b"[" * 4000}, 400, "EmulatorMalformedJson"),
        ({"body": [1]}, 400, "EmulatorMalformedJson"),
        ({"body": {"aps": "x"}}, 400, "EmulatorMalformedJson"),
        ({"body": {"aps": {}}, "apns_push_type": "mdm"}, 400, "EmulatorMalformedJson"),
        ({"path": "/3/device/phone-1"}, 400, "BadDeviceToken"),
        ({"path": f"/3/device/{TOKEN}0"}, 400, "BadDeviceToken"),
    ],
)
async def test_what_is_wrong_is_named(request_: dict[str, Any], status: int, reason: str) -> None:
    world = World()
    assert await world.ask(**request_) == (status, reason)
    assert world.apns.messages == []
    assert [attempt.status for attempt in world.apns.attempts] == [status]


@pytest.mark.parametrize(
    "request_",
    [
        {"apns_priority": "1"},
        {"apns_expiration": "0"},
        {"apns_collapse_id": "é" * 32},
        {"body": BIG, **VOIP},
        {"body": {"mdm": "magic"}, "apns_push_type": "mdm"},
        {"path": "/3/device/" + TOKEN.upper()},
        {"apns_push_type": "background", "apns_priority": "5"},
    ],
)
async def test_what_apns_allows_is_taken(request_: dict[str, Any]) -> None:
    world = World()
    assert await world.ask(**request_) == (200, None)
    assert world.apns.messages[0].token == TOKEN


async def test_wrongs_are_found_in_apples_order() -> None:
    world = World()
    everything: dict[str, Any] = {
        "apns_topic": None,
        "apns_priority": "7",
        "body": b"",
        "path": "/3/device/x",
    }
    assert (await world.ask(authorization=None, **everything))[1] == "MissingProviderToken"
    assert (await world.ask(**everything))[1] == "MissingTopic"
    for gone, next_wrong in (("apns_topic", "BadPriority"), ("apns_priority", "PayloadEmpty")):
        del everything[gone]
        assert (await world.ask(connection=len(everything), **everything))[1] == next_wrong
    del everything["body"]
    assert (await world.ask(connection=9, **everything))[1] == "BadDeviceToken"


@pytest.mark.parametrize(
    ("word", "outcome", "code"),
    [
        ("dead", Outcome.TOKEN_DEAD, "Unregistered"),
        ("malformed", Outcome.TOKEN_DEAD, "BadDeviceToken"),
        ("othersender", Outcome.TOKEN_DEAD, "DeviceTokenNotForTopic"),
        ("iosnokey", Outcome.CREDENTIALS_REJECTED, "InvalidProviderToken"),
        ("throttled", Outcome.THROTTLED, "TooManyRequests"),
        ("flaky", Outcome.UNAVAILABLE, "ServiceUnavailable"),
        ("down", Outcome.UNAVAILABLE, "ServiceUnavailable"),
        ("html", Outcome.UNAVAILABLE, "http_502"),
    ],
)
async def test_a_fault_word_gets_the_answer_that_our_provider_reads_right(
    word: str, outcome: Outcome, code: str
) -> None:
    world = World()
    verdict = await world.push(f"phone-{word}-1:x")
    assert (verdict.outcome, verdict.code) == (outcome, code)
    assert verdict.provider_message_id == APPLE_ID
    assert verdict.died_at == (NOW if word == "dead" else None)
    assert world.apns.messages == []


@pytest.mark.parametrize("word", ["throttled", "flaky", "html"])
async def test_a_limited_fault_ends(word: str) -> None:
    world = World()
    outcomes = [(await world.push(f"{word}-2")).outcome for _ in range(3)]
    assert outcomes[2] is Outcome.ACCEPTED
    assert Outcome.ACCEPTED not in outcomes[:2]


@pytest.mark.parametrize(
    ("word", "kind", "taken"),
    [("slow-20", Delay, 1), ("goaway", GoAway, 1), ("reset", Reset, 0), ("refused", RefuseStream, 0)],
)
async def test_a_fault_of_the_connection_is_a_value(word: str, kind: type, taken: int) -> None:
    world = World()
    headers = {"authorization": f"bearer {world.signed()}", "apns-topic": APP, "apns-id": APPLE_ID}
    answer = await world.apns.handle(Request("POST", f"/3/device/{word}", headers, b'{"aps":{}}', 1))
    assert isinstance(answer, kind)
    assert len(world.apns.messages) == taken
    if isinstance(answer, Delay | GoAway):
        assert isinstance(answer.then, Reply)
        assert ("apns-id", APPLE_ID) in answer.then.headers


async def test_a_bad_push_leaves_a_limited_fault_unused() -> None:
    world = World()
    assert (await world.ask(b"", path="/3/device/flaky"))[1] == "PayloadEmpty"
    assert (await world.ask(path="/3/device/flaky", connection=2))[1] == "ServiceUnavailable"


async def test_an_answer_echoes_the_id_or_makes_one() -> None:
    world = World()
    headers = {"authorization": f"bearer {world.signed()}", "apns-topic": APP}
    answer = await world.apns.handle(Request("POST", f"/3/device/{TOKEN}", headers, b'{"aps":{}}', 1))
    assert isinstance(answer, Reply)
    assert answer.body == b""
    assert dict(answer.headers)["apns-id"] == world.apns.messages[0].id
    assert len(world.apns.messages[0].id) == 36
    assert "apns-unique-id" in dict(answer.headers)


async def test_a_token_that_died_says_when() -> None:
    world = World()
    world.apns.unregister(TOKEN, at=NOW - HOUR)
    verdict = await world.push()
    assert (verdict.code, verdict.died_at) == ("Unregistered", NOW - HOUR)
    world.apns.unregister(TOKEN, reason="ExpiredToken")
    verdict = await world.push()
    assert (verdict.code, verdict.died_at) == ("ExpiredToken", NOW)
    world.apns.register(TOKEN)
    assert (await world.push()).outcome is Outcome.ACCEPTED


async def test_a_token_of_elsewhere_is_refused() -> None:
    world = World(strict_registration=True)
    assert (await world.push()).code == "BadDeviceToken"
    world.apns.register(TOKEN, production=True)
    assert (await world.push()).code == "BadDeviceToken"
    world.apns.register(TOKEN, "com.example.other")
    assert (await world.push()).code == "DeviceTokenNotForTopic"
    world.apns.register(TOKEN)
    assert (await world.push()).outcome is Outcome.ACCEPTED


async def test_a_key_may_be_limited() -> None:
    world = World()
    world.stored = world.apns.credentials(production=True)
    assert (await world.push(connection=2)).code == "BadEnvironmentKeyIdInToken"
    world.stored = world.apns.credentials("com.example.two", only_apps=frozenset({APP}))
    assert (await world.push(connection=3)).code == "UnrelatedKeyIdInToken"
    world.stored = world.apns.credentials("com.example.two", production=False)
    assert (await world.push(connection=4)).outcome is Outcome.ACCEPTED


async def test_a_team_reaches_its_own_apps_only() -> None:
    world = World()
    world.stored = world.apns.credentials("com.example.two", team="TEAM567890")
    assert (await world.push()).outcome is Outcome.ACCEPTED
    world.stored["applicationId"] = APP
    assert (await world.push(connection=2)).code == "TopicDisallowed"


async def test_the_switch_of_the_environment_is_in_the_credentials() -> None:
    assert World().stored["secure"] is False
    assert World(production=True).stored["secure"] is True
    world = World()
    assert world.apns.credentials() == world.stored


async def test_unavailable_says_how_long_to_wait_when_told_to() -> None:
    assert (await World().push("down")).retry_after is None
    assert (await World(unavailable_retry_after=0).push("down")).retry_after == 0


async def test_reset_forgets_messages_and_keeps_keys() -> None:
    world = World()
    await world.push("flaky")
    await world.push()
    world.apns.reset()
    assert (world.apns.messages, world.apns.attempts, dict(world.apns.requests_by_token)) == ([], [], {})
    assert (await world.push("flaky")).outcome is Outcome.UNAVAILABLE


async def test_messages_are_handed_out_once() -> None:
    world = World()
    await world.push()
    assert (await world.apns.next_message()).token == TOKEN
    with pytest.raises(TimeoutError, match="nothing more arrived within 0 s; there are 1"):
        await world.apns.next_message(timeout=0)
