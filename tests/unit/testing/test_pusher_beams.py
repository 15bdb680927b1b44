from typing import Any

import msgspec
import pytest

from clarion.model.http import HttpReply
from clarion.model.outcome import Outcome
from clarion.model.push import PushMessage, Target
from clarion.providers.pusher_beams import PusherBeams
from clarion.testing.exchange import Answer, Delay, GoAway, RefuseStream, Reply, Request, Reset
from clarion.testing.pusher_beams import PREFIX, BeamsEmulator

NOW = 1_796_000_000_000
PROVIDER = PusherBeams()
PUSH = PushMessage("Hi", "there", payload={"orderId": 1042})
BLOCKS = {"web": {"notification": {"title": "Hi"}}}


def emulator(**options: Any) -> BeamsEmulator:
    return BeamsEmulator(secret_key="SECRET", clock=lambda: NOW, **options)


async def send(beams: BeamsEmulator, token: str, message: PushMessage = PUSH) -> Answer:
    """What our provider builds for a device."""
    built = PROVIDER.build(PROVIDER.credentials(beams.credentials()), message, Target("m" * 32, token), "")
    origin, _, path = built.url.partition(PREFIX)
    headers = dict(built.headers) | {"host": origin.removeprefix("https://")}
    return await beams.handle(Request(built.method, PREFIX + path, headers, built.body, 1))


def read(answer: Answer) -> Outcome:
    assert isinstance(answer, Reply)
    assert isinstance(answer.body, bytes)
    return PROVIDER.read(HttpReply(answer.status, dict(answer.headers), answer.body), PUSH).outcome


async def post(
    beams: BeamsEmulator, document: Any, kind: str = "users", method: str = "POST", **headers: str
) -> tuple[int, str]:
    """The status and the title of the error."""
    body = document if isinstance(document, bytes) else msgspec.json.encode(document)
    named = {"authorization": "Bearer SECRET", "content-type": "application/json"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    path = f"/publish_api/v1/instances/{beams.instance_id}/publishes/{kind}"
    answer = await beams.handle(Request(method, path, named, body, 1))
    assert isinstance(answer, Reply)
    assert isinstance(answer.body, bytes)
    return answer.status, msgspec.json.decode(answer.body).get("error", "")


async def test_what_our_provider_builds_is_taken() -> None:
    beams = emulator()
    answer = await send(beams, "user-42")
    assert read(answer) is Outcome.ACCEPTED
    taken = await beams.next_message()
    assert (taken.tokens, taken.at) == (("user-42",), NOW)
    assert taken.message["fcm"]["data"] == {"orderId": "1042", "__nvMessageId": "m" * 32}
    assert [attempt[:2] for attempt in beams.attempts] == [("user-42", 200)]


async def test_every_override_our_provider_knows_is_a_field_beams_knows() -> None:
    legacy = {"badge": 3, "sound": "ding", "categoryId": "c", "channelId": "o", "clickAction": "O"}
    legacy |= {"color": "#112233", "icon": "https://shop.example/i.png", "tag": "own", "ttl": 60}
    assert (
        read(await send(emulator(), "user-42", PushMessage("Hi", "there", legacy=legacy))) is Outcome.ACCEPTED
    )


@pytest.mark.parametrize(
    ("token", "outcome"),
    [
        ("dead", Outcome.ACCEPTED),
        ("malformed", Outcome.PAYLOAD_REJECTED),
        ("othersender", Outcome.CREDENTIALS_REJECTED),
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
    beams = emulator()
    assert read(await send(beams, token)) is outcome
    assert len(beams.messages) == (outcome is Outcome.ACCEPTED)


@pytest.mark.parametrize(
    ("token", "kind", "taken"),
    [("slow-5", Delay, 1), ("reset", Reset, 0), ("refused", RefuseStream, 0), ("goaway", GoAway, 1)],
)
async def test_a_fault_of_the_connection_is_one(token: str, kind: type, taken: int) -> None:
    beams = emulator()
    assert isinstance(await send(beams, token), kind)
    assert len(beams.messages) == taken


async def test_a_limited_fault_ends_and_begins_again_after_a_reset() -> None:
    beams = emulator()
    assert [read(await send(beams, "flaky")) for _ in range(2)] == [Outcome.UNAVAILABLE, Outcome.ACCEPTED]
    beams.reset()
    assert (beams.messages, beams.attempts) == ([], [])
    assert read(await send(beams, "flaky")) is Outcome.UNAVAILABLE


async def test_one_faulty_user_of_many_decides() -> None:
    beams = emulator()
    users = {"users": ["user-1", "throttled-1"], **BLOCKS}
    assert await post(beams, users) == (429, "Rate Limited")
    assert await post(beams, users) == (200, "")


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({"content_type": "text/plain", "authorization": ""}, (400, "Invalid content type")),
        ({"authorization": ""}, (400, "Incomplete Request")),
        ({"authorization": "Bearer wrong"}, (401, "Unauthorized")),
        ({"host": "other.pushnotifications.pusher.com"}, (404, "Instance not found")),
        ({"method": "GET"}, (404, "Not found")),
        ({"kind": "nobody"}, (404, "Not found")),
    ],
)
async def test_who_may_not_publish_is_told_in_beams_words(
    given: dict[str, str], answer: tuple[int, str]
) -> None:
    assert await post(emulator(), {"users": ["u"], **BLOCKS}, **given) == answer


async def test_another_instance_is_not_known() -> None:
    beams = emulator()
    beams.instance_id, known = "another", beams.instance_id
    path = f"/publish_api/v1/instances/{known}/publishes/users"
    headers = {"authorization": "Bearer SECRET", "content-type": "application/json; charset=utf-8"}
    answer = await beams.handle(Request("POST", path, headers, b"{}", 1))
    assert isinstance(answer, Reply)
    assert answer.status == 404


@pytest.mark.parametrize("body", [b"{", b"[]", b"[" * 5000, b" " * (200 * 1024 + 1)])
async def test_what_is_no_request_is_a_bad_one(body: bytes) -> None:
    assert await post(emulator(), body) == (400, "Bad request")


@pytest.mark.parametrize(
    "document",
    [
        {"users": ["u"]},
        {"users": [], **BLOCKS},
        {"users": "u", **BLOCKS},
        {"users": [""], **BLOCKS},
        {"users": ["é" * 83], **BLOCKS},
        {"users": ["u"] * 1001, **BLOCKS},
        {"users": ["u"], "interests": ["i"], **BLOCKS},
        {"users": ["u"], "web": []},
        {"users": ["u"], "web": {"time_to_live": 2_419_201}},
        {"users": ["u"], "web": {"time_to_live": True}},
        {"users": ["u"], "web": {"data": {"pusher": 1}}},
        {"users": ["u"], "web": {"notification": {"deep_link": "shop"}}},
        {"users": ["u"], "web": {"notification": {"tag": "t"}}},
        {"users": ["u"], "fcm": {"data": {"n": 1}}},
        {"users": ["u"], "fcm": {"data": {"pusher": "1"}}},
        {"users": ["u"], "fcm": {"priority": "HIGH"}},
        {"users": ["u"], "fcm": {"notification": {"title": 1}}},
        {"users": ["u"], "fcm": {"timeToLive": 1}},
        {"users": ["u"], "apns": {"aps": []}},
        {"users": ["u"], "apns": {"aps": {"alert": 1}}},
    ],
)
async def test_a_wrong_field_is_unprocessable(document: Any) -> None:
    beams = emulator()
    assert await post(beams, document) == (422, "Unprocessable Entity")
    assert beams.messages == []


async def test_interests_have_rules_of_their_own() -> None:
    beams = emulator()
    assert await post(beams, {"interests": ["news-1"], **BLOCKS}, "interests") == (200, "")
    assert await post(beams, {"interests": ["two words"], **BLOCKS}, "interests") == (
        422,
        "Unprocessable Entity",
    )
    assert await post(beams, {"interests": ["i"] * 101, **BLOCKS}, "interests") == (
        422,
        "Unprocessable Entity",
    )
    assert await post(beams, b" " * (10 * 1024 + 1), "interests") == (400, "Bad request")


async def test_a_503_says_how_long_to_wait_when_it_is_told_to() -> None:
    answer = await send(emulator(unavailable_retry_after=0), "down")
    assert isinstance(answer, Reply)
    assert dict(answer.headers)["retry-after"] == "0"
