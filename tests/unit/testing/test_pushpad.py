from typing import Any

import msgspec
import pytest

from clarion.model.http import HttpReply
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PushMessage, Target
from clarion.providers.pushpad import ORIGIN, Pushpad
from clarion.testing.exchange import Answer, Delay, GoAway, RefuseStream, Reply, Request, Reset
from clarion.testing.pushpad import PushpadEmulator

NOW = 1_767_225_600_000
"""2026-01-01T00:00:00Z"""
PROVIDER = Pushpad()
PUSH = PushMessage("Hi", "there", payload={"orderId": 1042})
BODY = {"body": "there", "uids": ["user-42"]}


def emulator(**options: Any) -> PushpadEmulator:
    return PushpadEmulator(auth_token="demo", clock=lambda: NOW, **options)


async def send(pushpad: PushpadEmulator, token: str, message: PushMessage = PUSH) -> Answer:
    """What our provider builds for a device."""
    built = PROVIDER.build(PROVIDER.credentials(pushpad.credentials()), message, Target("m" * 32, token), "")
    path = built.url.removeprefix(ORIGIN)
    return await pushpad.handle(Request(built.method, path, dict(built.headers), built.body, 1))


def read(answer: Answer) -> Verdict:
    assert isinstance(answer, Reply)
    assert isinstance(answer.body, bytes)
    return PROVIDER.read(HttpReply(answer.status, dict(answer.headers), answer.body), PUSH)


async def post(
    pushpad: PushpadEmulator, document: Any, project: str = "8123", method: str = "POST", **headers: str
) -> tuple[int, Any]:
    """The status and the answer's JSON; None when it has none."""
    body = document if isinstance(document, bytes) else msgspec.json.encode(document)
    named = {"authorization": "Bearer demo", "content-type": "application/json"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    path = f"/api/v1/projects/{project}/notifications"
    answer = await pushpad.handle(Request(method, path, named, body, 1))
    assert isinstance(answer, Reply)
    assert isinstance(answer.body, bytes)
    return answer.status, msgspec.json.decode(answer.body) if answer.body else None


async def test_what_our_provider_builds_is_taken() -> None:
    pushpad = emulator()
    verdict = read(await send(pushpad, "user-42"))
    assert verdict == Verdict(Outcome.ACCEPTED, provider_message_id="1000")
    taken = await pushpad.next_message()
    assert (taken.tokens, taken.id, taken.at) == (("user-42",), "1000", NOW)
    assert (taken.message["title"], taken.message["body"]) == ("Hi", "there")
    assert [attempt[:2] for attempt in pushpad.attempts] == [("user-42", 201)]


async def test_overrides_named_as_novu_names_them_are_fields_pushpad_knows() -> None:
    override = {"targetUrl": "https://a.example", "iconUrl": "https://a.example", "ttl": 60, "urgent": True}
    override |= {"requireInteraction": True, "customMetrics": ["a"], "sendAt": "2026-01-02T00:00:00Z"}
    override |= {"actions": [{"title": "Track", "targetUrl": "https://a.example"}], "customData": {"k": 1}}
    message = PushMessage("Hi", "there", override=override)
    assert read(await send(emulator(), "user-42", message)).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("token", "outcome"),
    [
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
    pushpad = emulator()
    assert read(await send(pushpad, token)).outcome is outcome
    assert pushpad.messages == []


async def test_a_dead_uid_is_taken_and_left_out_of_the_answer() -> None:
    verdict = read(await send(emulator(), "dead"))
    assert (verdict.outcome, verdict.code) == (Outcome.PAYLOAD_REJECTED, "not_subscribed")


@pytest.mark.parametrize(
    ("token", "kind", "taken"),
    [("slow-5", Delay, 1), ("reset", Reset, 0), ("refused", RefuseStream, 0), ("goaway", GoAway, 1)],
)
async def test_a_fault_of_the_connection_is_one(token: str, kind: type, taken: int) -> None:
    pushpad = emulator()
    assert isinstance(await send(pushpad, token), kind)
    assert len(pushpad.messages) == taken


async def test_a_limited_fault_ends_and_begins_again_after_a_reset() -> None:
    pushpad = emulator()
    outcomes = [read(await send(pushpad, "flaky")).outcome for _ in range(2)]
    assert outcomes == [Outcome.UNAVAILABLE, Outcome.ACCEPTED]
    pushpad.reset()
    assert (pushpad.messages, pushpad.attempts) == ([], [])
    assert read(await send(pushpad, "flaky")).outcome is Outcome.UNAVAILABLE


async def test_only_subscribed_uids_are_answered() -> None:
    status, answer = await post(emulator(), BODY | {"uids": ["user-42", "dead-1"]})
    assert (status, answer) == (201, {"id": 1000, "scheduled": 1, "uids": ["user-42"]})


async def test_both_headers_and_both_bodies_are_taken() -> None:
    pushpad = emulator()
    wrapped = {"notification": {"body": "there"}, "uids": ["user-42"]}
    assert (await post(pushpad, wrapped, authorization='Token token="demo"'))[0] == 201
    assert pushpad.messages[0].message == BODY


@pytest.mark.parametrize("document", [{"body": "there"}, BODY | {"uids": []}, {"body": "there", "tags": []}])
async def test_what_would_go_to_everybody_is_refused_and_counted(document: Any) -> None:
    pushpad = emulator()
    assert (await post(pushpad, document))[0] == 422
    assert (pushpad.broadcasts, pushpad.messages) == (1, [])


async def test_tags_alone_are_no_broadcast() -> None:
    assert (await post(emulator(), {"body": "there", "tags": ["a && !b"]}))[0] == 201


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": ""}, 401),
        ({"project": "9"}, 404),
        ({"project": "7"}, 403),
        ({"method": "PUT"}, 404),
        ({"content_type": "text/plain"}, 400),
    ],
)
async def test_who_may_not_send_is_told_so(given: dict[str, str], status: int) -> None:
    pushpad = emulator()
    pushpad.other_projects.add("7")
    assert (await post(pushpad, BODY, **given))[0] == status


@pytest.mark.parametrize("body", [b"{", b"[]", b"[" * 5000])
async def test_what_is_no_object_is_malformed(body: bytes) -> None:
    assert (await post(emulator(), body))[0] == 400


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("body", " "),
        ("body", 1),
        ("title", None),
        ("target_url", "/orders"),
        ("icon_url", "https://["),
        ("ttl", -1),
        ("ttl", True),
        ("silent", "yes"),
        ("custom_data", {"k": 1}),
        ("custom_metrics", ["a", "b", "c", "d"]),
        ("actions", [{"target_url": "https://a.example"}]),
        ("actions", [{"title": "Track", "targetUrl": "https://a.example"}]),
        ("send_at", "tomorrow"),
        ("send_at", "2026-01-06T00:00:01Z"),
        ("tags", "a"),
        ("uids", ["user-42", ""]),
        ("targetUrl", "https://a.example"),
    ],
)
async def test_a_wrong_field_is_named(field: str, value: Any) -> None:
    pushpad = emulator()
    status, answer = await post(pushpad, BODY | {field: value})
    assert (status, list(answer["errors"])) == (422, [field])
    assert pushpad.messages == []


async def test_a_body_is_required() -> None:
    assert (await post(emulator(), {"uids": ["user-42"]}))[0] == 422


async def test_a_scheduled_one_is_answered_with_its_time() -> None:
    at = "2026-01-05T00:00:00Z"
    assert await post(emulator(), BODY | {"send_at": at}) == (201, {"id": 1000, "send_at": at})


async def test_a_notification_has_statistics() -> None:
    pushpad = emulator()
    await post(pushpad, BODY | {"uids": ["user-42", "dead"]})
    headers = {"authorization": "Bearer demo"}
    found = await pushpad.handle(Request("GET", "/api/v1/notifications/1000", headers, b"", 1))
    assert isinstance(found, Reply)
    assert isinstance(found.body, bytes)
    assert msgspec.json.decode(found.body)["successfully_sent_count"] == 1
    missing = await pushpad.handle(Request("GET", "/api/v1/notifications/7", headers, b"", 1))
    assert isinstance(missing, Reply)
    assert missing.status == 404


async def test_a_503_says_how_long_to_wait_when_it_is_told_to() -> None:
    answer = await send(emulator(unavailable_retry_after=0), "down")
    assert isinstance(answer, Reply)
    assert dict(answer.headers)["retry-after"] == "0"
