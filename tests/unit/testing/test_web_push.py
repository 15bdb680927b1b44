from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key, generate_private_key

from clarion.model.http import HttpReply
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PushMessage, Target
from clarion.providers.web_push import WebPush, encrypted, new_keys, subscription
from clarion.testing.exchange import Answer, Delay, GoAway, RefuseStream, Reply, Request, Reset
from clarion.testing.web_push import ORIGIN, Mode, WebPushEmulator, Wrong, refusal

NOW = 1_796_000_000_000
SECONDS = NOW // 1000
KEYS = new_keys()
PROVIDER = WebPush()
CREDENTIALS = PROVIDER.credentials(KEYS | {"subject": "mailto:ops@example.com"})
PUSH = PushMessage("Hi", "there", payload={"orderId": 1042})
MODES = list(Mode)


def emulator(mode: Mode = Mode.GENERIC, **options: Any) -> WebPushEmulator:
    return WebPushEmulator(mode, clock=lambda: NOW, **options)


def request_to(token: str, message: PushMessage = PUSH, **headers: str | None) -> Request:
    """What our provider builds for a subscription, with headers changed (None: left out)."""
    built = PROVIDER.build(CREDENTIALS, message, Target("m" * 32, token, NOW), "")
    changes = {name.replace("_", "-"): value for name, value in headers.items()}
    named = {name: value for name, value in (dict(built.headers) | changes).items() if value is not None}
    return Request("POST", built.url.removeprefix(ORIGIN), named, built.body, 1)


async def send(service: WebPushEmulator, name: str, **headers: str | None) -> Answer:
    return await service.handle(request_to(service.subscribe(name, KEYS["publicKey"]), PUSH, **headers))


def read(answer: Answer) -> Verdict:
    assert isinstance(answer, Reply)
    assert isinstance(answer.body, bytes)
    return PROVIDER.read(HttpReply(answer.status, dict(answer.headers), answer.body), PUSH)


def vapid(credentials: Any = CREDENTIALS, algorithm: str = "ES256", **changes: Any) -> str:
    claims = {"aud": ORIGIN, "exp": SECONDS + 3600, "sub": "mailto:ops@example.com"} | changes
    said = {name: value for name, value in claims.items() if value is not None}
    secret = int.from_bytes(jwt.utils.base64url_decode(credentials.secret_key))
    key: Any = derive_private_key(secret, SECP256R1()) if algorithm == "ES256" else "x" * 32
    return f'vapid k={credentials.public_key}, t="{jwt.encode(said, key, algorithm)}"'


@pytest.mark.parametrize("mode", MODES)
async def test_what_our_provider_builds_is_decrypted_by_the_browser(mode: Mode) -> None:
    service = emulator(mode)
    verdict = read(await send(service, "ada"))
    taken = await service.next_message()
    assert verdict == Verdict(Outcome.ACCEPTED, provider_message_id=taken.id)
    assert (taken.token, taken.headers["ttl"], taken.at) == ("ada", "2419200", NOW)
    assert taken.message == {
        "title": "Hi",
        "body": "there",
        "tag": "m" * 32,
        "data": {"orderId": 1042, "__nvMessageId": "m" * 32},
    }
    assert [attempt[:2] for attempt in service.attempts] == [("ada", 201)]


async def test_the_largest_message_our_provider_lets_through_fits() -> None:
    service = emulator()
    token = service.subscribe("ada", KEYS["publicKey"])
    message = PushMessage("Hi", "there", payload={"big": "x" * 3854})
    request = request_to(token, message)
    assert (len(request.body), read(await service.handle(request)).outcome) == (4096, Outcome.ACCEPTED)
    assert len(service.messages[0].message["data"]["big"]) == 3854


WORDS = [
    ("dead", Outcome.TOKEN_DEAD),
    ("malformed", Outcome.TOKEN_DEAD),
    ("iosnokey", Outcome.CREDENTIALS_REJECTED),
    ("throttled", Outcome.THROTTLED),
    ("flaky", Outcome.UNAVAILABLE),
    ("down", Outcome.UNAVAILABLE),
    ("html", Outcome.UNAVAILABLE),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("name", "outcome"), WORDS)
async def test_a_fault_word_gets_the_answer_that_our_provider_reads_right(
    name: str, outcome: Outcome, mode: Mode
) -> None:
    service = emulator(mode)
    assert read(await send(service, name)).outcome is outcome
    assert service.messages == []


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        (Mode.APPLE, Outcome.TOKEN_DEAD),
        (Mode.GENERIC, Outcome.CREDENTIALS_REJECTED),
        (Mode.MOZILLA, Outcome.CREDENTIALS_REJECTED),
        (Mode.GOOGLE, Outcome.CREDENTIALS_REJECTED),
        (Mode.WINDOWS, Outcome.CREDENTIALS_REJECTED),
    ],
)
async def test_only_apple_has_a_code_for_a_subscription_of_another_key(mode: Mode, outcome: Outcome) -> None:
    service = emulator(mode)
    assert read(await send(service, "othersender")).outcome is outcome
    foreign = service.subscribe("ada", new_keys()["publicKey"])
    assert read(await service.handle(request_to(foreign))).outcome is outcome


@pytest.mark.parametrize(
    ("name", "kind", "taken"),
    [("slow-5", Delay, 1), ("reset", Reset, 0), ("refused", RefuseStream, 0), ("goaway", GoAway, 1)],
)
async def test_a_fault_of_the_connection_is_one(name: str, kind: type, taken: int) -> None:
    service = emulator()
    assert isinstance(await send(service, name), kind)
    assert len(service.messages) == taken


async def test_a_limited_fault_ends_and_begins_again_after_a_reset() -> None:
    service = emulator()
    outcomes = [read(await send(service, "flaky")).outcome for _ in range(2)]
    assert outcomes == [Outcome.UNAVAILABLE, Outcome.ACCEPTED]
    service.reset()
    assert (service.messages, service.attempts) == ([], [])
    assert read(await send(service, "flaky")).outcome is Outcome.UNAVAILABLE


async def test_a_subscription_that_is_unknown_or_ended_is_gone() -> None:
    service = emulator()
    token = service.subscribe("ada", KEYS["publicKey"])
    service.unsubscribe("ada")
    assert read(await service.handle(request_to(token))).code == "http_410"
    assert read(await emulator().handle(request_to(token))).code == "http_404"
    assert read(await send(service, "ada")).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("changes", "status", "errno"),
    [
        ({"ttl": None}, 400, 111),
        ({"ttl": "soon"}, 400, 112),
        ({"ttl": "-1"}, 400, 114),
        ({"urgency": "urgent"}, 400, 110),
        ({"topic": "no spaces"}, 400, 113),
        ({"topic": "t" * 33}, 400, 113),
        ({"topic": ""}, 400, 113),
        ({"authorization": None}, 401, 109),
        ({"authorization": "WebPush x"}, 401, 109),
        ({"authorization": "vapid t=x"}, 401, 109),
        ({"authorization": f"vapid t=x, k={KEYS['publicKey']}"}, 401, 109),
        ({"authorization": vapid(aud=ORIGIN + "/")}, 401, 109),
        ({"authorization": vapid(aud=None)}, 401, 109),
        ({"authorization": vapid(exp=SECONDS)}, 401, 109),
        ({"authorization": vapid(exp=SECONDS + 24 * 3600 + 1)}, 401, 109),
        ({"authorization": vapid(exp=None)}, 401, 109),
        ({"authorization": vapid(sub=None)}, 401, 109),
        ({"authorization": vapid(sub="mailto: <ops@example.com>")}, 401, 109),
        ({"authorization": vapid(sub="ops@example.com")}, 401, 109),
        ({"authorization": vapid(algorithm="HS256")}, 401, 109),
        ({"content_encoding": None}, 400, 110),
        ({"content_encoding": "aesgcm"}, 400, 110),
    ],
)
async def test_a_wrong_header_is_refused_as_mozilla_does(
    changes: dict[str, str | None], status: int, errno: int
) -> None:
    service = emulator(Mode.MOZILLA)
    answer = await send(service, "ada", **changes)
    assert isinstance(answer, Reply)
    assert isinstance(answer.body, bytes)
    assert (answer.status, msgspec.json.decode(answer.body)["errno"]) == (status, errno)
    assert service.messages == []


async def test_a_vapid_token_may_be_quoted_and_come_second() -> None:
    assert read(await send(emulator(), "ada", authorization=vapid())).outcome is Outcome.ACCEPTED


async def test_a_token_signed_by_another_than_k_is_refused() -> None:
    other = PROVIDER.credentials(new_keys() | {"subject": "mailto:ops@example.com"})
    forged = vapid(other).replace(other.public_key, KEYS["publicKey"])
    assert read(await send(emulator(), "ada", authorization=forged)).outcome is Outcome.CREDENTIALS_REJECTED


async def test_apple_wants_topics_that_are_base64() -> None:
    assert read(await send(emulator(Mode.APPLE), "ada", topic="order")).code == "BadWebPushTopic"
    assert read(await send(emulator(), "ada", topic="order")).outcome is Outcome.ACCEPTED


async def test_the_same_key_material_is_not_taken_twice() -> None:
    service = emulator()
    request = request_to(service.subscribe("ada", KEYS["publicKey"]))
    assert [read(await service.handle(request)).outcome for _ in range(2)] == [
        Outcome.ACCEPTED,
        Outcome.PAYLOAD_REJECTED,
    ]


async def test_a_request_whose_stream_was_refused_may_come_again_as_it_is() -> None:
    service = emulator()
    request = request_to(service.subscribe("refused", KEYS["publicKey"]))
    assert isinstance(await service.handle(request), RefuseStream)
    assert read(await service.handle(request)).outcome is Outcome.ACCEPTED


async def test_a_push_without_body_wakes_the_worker() -> None:
    service = emulator()
    request = request_to(service.subscribe("ada", KEYS["publicKey"]), content_encoding=None)
    bare = msgspec.structs.replace(request, body=b"")
    assert [read(await service.handle(bare)).outcome for _ in range(2)] == [Outcome.ACCEPTED] * 2
    assert (service.messages[0].text, service.messages[0].message) == (b"", {})


def damaged(body: bytes) -> list[bytes]:
    flipped = body[:-1] + bytes([body[-1] ^ 1])
    return [
        body[:50],
        body[:86],
        flipped,
        body[:16] + (17).to_bytes(4) + body[20:],
        body[:20] + b"\x40" + body[21:],
    ]


async def test_what_the_browser_cannot_decrypt_is_refused() -> None:
    service = emulator()
    token = service.subscribe("ada", KEYS["publicKey"])
    request = request_to(token)
    another = request_to(service.subscribe("bob", KEYS["publicKey"])).body
    for body in (*damaged(request.body), another):
        answer = await service.handle(msgspec.structs.replace(request, body=body))
        assert read(answer).outcome is Outcome.PAYLOAD_REJECTED
    assert service.messages == []


async def test_more_than_4096_bytes_are_too_large() -> None:
    service = emulator()
    token = service.subscribe("ada", KEYS["publicKey"])
    sender = generate_private_key(SECP256R1())
    body = encrypted(b"x" * 3994, subscription(token), sender, b"s" * 16)
    answer = await service.handle(msgspec.structs.replace(request_to(token), body=body))
    assert isinstance(answer, Reply)
    assert answer.status == 413


async def test_only_posts_are_pushes() -> None:
    request = msgspec.structs.replace(
        request_to(emulator().subscribe("ada", KEYS["publicKey"])), method="GET"
    )
    answer = await emulator().handle(request)
    assert isinstance(answer, Reply)
    assert answer.status == 405


@pytest.mark.parametrize("mode", MODES)
def test_everything_wrong_has_an_error_in_every_mode(mode: Mode) -> None:
    assert all(refusal(mode, wrong).status >= 400 for wrong in Wrong)


async def test_windows_throttles_with_a_status_of_its_own() -> None:
    assert read(await send(emulator(Mode.WINDOWS), "throttled")).code == "http_406"


async def test_a_503_says_how_long_to_wait_when_it_is_told_to() -> None:
    answer = await send(emulator(unavailable_retry_after=0), "down")
    assert isinstance(answer, Reply)
    assert dict(answer.headers)["retry-after"] == "0"
