import gzip
from typing import Any

import msgspec
import pytest

from clarion.model.clock import HOUR, MINUTE, SECOND
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PushMessage, Target
from clarion.providers.expo import Expo, read_receipts, receipts_request
from clarion.testing.exchange import Answer, Delay, GoAway, RefuseStream, Reply, Request, Reset
from clarion.testing.expo import FAILED_WITH_200, INTERNAL, PREFIX, ExpoEmulator

NOW = 1_796_000_000_000
PROVIDER = Expo()
PLAIN = PushMessage("Hi", "there")
JSON = {"content-type": "application/json"}


def push_token(words: str) -> str:
    return f"ExponentPushToken[{words}]"


class World:
    """An emulator, its clock, and a client with its access token."""

    def __init__(self, **options: Any) -> None:
        self.now = NOW
        self.expo = ExpoEmulator(clock=lambda: self.now, **options)
        self.credentials = PROVIDER.credentials({"apiKey": self.expo.access_token})

    async def carry(self, request: HttpRequest) -> Answer:
        path = request.url.removeprefix("https://exp.host")
        assert path.startswith(PREFIX)
        return await self.expo.handle(Request(request.method, path, dict(request.headers), request.body, 1))

    async def push(self, words: str, message: PushMessage = PLAIN) -> Verdict:
        """Our provider builds, the emulator answers, our provider reads."""
        target = Target("m" * 32, push_token(words))
        answer = await self.carry(PROVIDER.build(self.credentials, message, target, ""))
        return PROVIDER.read(reply_of(answer), message)

    async def receipts(self, *tickets: str) -> dict[str, Verdict] | Verdict:
        answer = await self.carry(receipts_request(self.credentials, tickets))
        return read_receipts(reply_of(answer), dict.fromkeys(tickets, NOW))

    async def send(self, document: Any, **changes: Any) -> tuple[int, Any]:
        """Anything, as it is."""
        asked: dict[str, Any] = {"method": "POST", "path": PREFIX + "send", "headers": JSON} | changes
        body = document if isinstance(document, bytes) else msgspec.json.encode(document)
        reply = reply_of(await self.expo.handle(Request(**asked, body=body, connection_id=1)))
        return reply.status, msgspec.json.decode(reply.body)


def reply_of(answer: Answer) -> HttpReply:
    assert isinstance(answer, Reply)
    assert isinstance(answer.body, bytes)
    return HttpReply(answer.status, dict(answer.headers), answer.body)


def code(answered: tuple[int, Any]) -> tuple[int, str]:
    status, document = answered
    return status, document["errors"][0]["code"]


def said(answered: tuple[int, Any]) -> str:
    text: str = answered[1]["errors"][0]["message"]
    return text


PHONE = push_token("phone-1")


async def test_our_own_provider_sends_and_learns_the_ticket() -> None:
    world = World()
    verdict = await world.push("phone-1", PushMessage("Hi", "there", payload={"n": 1}))
    accepted = world.expo.messages[0]
    assert verdict == Verdict(Outcome.ACCEPTED, provider_message_id=accepted.id)
    assert (accepted.token, accepted.at) == (PHONE, NOW)
    assert accepted.message["data"] == {"n": 1, "__nvMessageId": "m" * 32}
    assert world.expo.attempts == [(PHONE, 200, NOW)]


@pytest.mark.parametrize(
    ("words", "outcome", "code"),
    [
        ("phone-dead-1", Outcome.TOKEN_DEAD, "DeviceNotRegistered"),
        ("malformed", Outcome.TOKEN_DEAD, "DeviceNotRegistered"),
        ("throttled", Outcome.THROTTLED, "TOO_MANY_REQUESTS"),
        ("flaky", Outcome.UNAVAILABLE, "http_503"),
        ("down", Outcome.UNAVAILABLE, "http_503"),
        ("html", Outcome.UNAVAILABLE, "http_502"),
        ("othersender", Outcome.ACCEPTED, ""),
        ("iosnokey", Outcome.ACCEPTED, ""),
        ("receipt-dead", Outcome.ACCEPTED, ""),
    ],
)
async def test_a_fault_word_gets_the_answer_that_our_provider_reads_right(
    words: str, outcome: Outcome, code: str
) -> None:
    world = World()
    verdict = await world.push(words)
    assert (verdict.outcome, verdict.code) == (outcome, code)
    assert len(world.expo.messages) == (outcome is Outcome.ACCEPTED)


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("phone", Outcome.ACCEPTED),
        ("othersender", Outcome.CREDENTIALS_REJECTED),
        ("iosnokey", Outcome.CREDENTIALS_REJECTED),
        ("receipt-dead", Outcome.TOKEN_DEAD),
        ("receipt-malformed", Outcome.PAYLOAD_REJECTED),
        ("receipt-throttled", Outcome.THROTTLED),
        ("receipt-down", Outcome.UNAVAILABLE),
    ],
)
async def test_a_receipt_tells_what_the_ticket_could_not(words: str, outcome: Outcome) -> None:
    world = World(receipt_delay=0)
    ticket = (await world.push(words)).provider_message_id
    verdicts = await world.receipts(ticket)
    assert isinstance(verdicts, dict)
    assert verdicts[ticket].outcome is outcome


async def test_receipts_come_after_their_delay_and_go_after_a_day() -> None:
    world = World()
    ticket = (await world.push("phone")).provider_message_id
    seen = []
    for after in (0, 15 * MINUTE - 1, 15 * MINUTE, 24 * HOUR - 1, 24 * HOUR):
        world.now = NOW + after
        seen.append(len(await world.receipts(ticket, "stranger")))  # type: ignore[arg-type]
    assert seen == [0, 0, 1, 1, 0]


async def test_limited_faults_end() -> None:
    world = World()
    first, second, third = [await world.push("flaky-2") for _ in range(3)]
    assert [verdict.outcome for verdict in (first, second, third)] == [
        Outcome.UNAVAILABLE,
        Outcome.UNAVAILABLE,
        Outcome.ACCEPTED,
    ]


async def test_a_wait_goes_with_what_is_throttled_and_where_asked_with_503() -> None:
    world = World(unavailable_retry_after=2)
    assert (await world.push("throttled")).retry_after == 1000
    assert (await world.push("down")).retry_after == 2000


async def test_connection_faults_take_the_message_or_leave_it() -> None:
    world = World()
    requests = [
        PROVIDER.build(world.credentials, PLAIN, Target("m", push_token(words)), "")
        for words in ("reset", "refused", "goaway", "slow-250")
    ]
    answers = [await world.carry(request) for request in requests]
    assert [type(answer) for answer in answers] == [Reset, RefuseStream, GoAway, Delay]
    assert [message.token for message in world.expo.messages] == [
        push_token("goaway"),
        push_token("slow-250"),
    ]
    assert [attempt.status for attempt in world.expo.attempts] == [0, 0, 200, 200]


async def test_requests_under_way_at_once_are_counted() -> None:
    world = World()
    for number in range(3):
        request = PROVIDER.build(world.credentials, PLAIN, Target("m", push_token(f"slow-100-{number}")), "")
        await world.carry(request)
    world.now += 100
    await world.push("phone")
    assert world.expo.most_under_way == 3


async def test_an_unknown_access_token_is_refused_even_where_none_is_needed() -> None:
    answered = await World().send({"to": PHONE}, headers=JSON | {"authorization": "Bearer wrong"})
    assert (answered[0], answered[1]["error"]) == (401, "invalid_token")
    basic = await World().send({"to": PHONE}, headers=JSON | {"authorization": "Basic x"})
    assert basic[0] == 401
    assert PROVIDER.read(HttpReply(401, {}, msgspec.json.encode(answered[1])), PLAIN).code == "invalid_token"


async def test_enhanced_security_wants_an_access_token_of_this_account() -> None:
    assert (await World().send({"to": PHONE}))[0] == 200
    assert code(await World(secured=True).send({"to": PHONE})) == (403, "UNAUTHORIZED")
    world = World()
    world.expo.foreign_access_tokens.add("theirs")
    foreign = JSON | {"authorization": "Bearer theirs"}
    assert code(await world.send({"to": PHONE}, headers=foreign)) == (403, "UNAUTHORIZED")
    assert (await World(secured=True).push("phone")).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"method": "GET"}, (405, "METHOD_NOT_ALLOWED")),
        ({"headers": {"content-type": "text/plain"}}, (400, "VALIDATION_ERROR")),
        ({"path": PREFIX + "sent"}, (404, "NOT_FOUND")),
        ({"headers": JSON | {"content-encoding": "gzip"}}, (400, "VALIDATION_ERROR")),
    ],
)
async def test_what_is_no_send_request_is_refused(changes: Any, expected: tuple[int, str]) -> None:
    assert code(await World().send({"to": PHONE}, **changes)) == expected


async def test_a_body_may_be_packed() -> None:
    packed = gzip.compress(msgspec.json.encode({"to": PHONE}))
    headers = JSON | {"content-encoding": "gzip"}
    assert (await World().send(packed, headers=headers))[1]["data"]["status"] == "ok"
    assert code(await World().send(packed[:-9], headers=headers)) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("body", [b"", b"{", b'"x"', b"[" * 5000, b"[]", b"[1]", b"{}", b'[{"title":"x"}]'])
async def test_what_is_no_message_is_refused(body: bytes) -> None:
    assert code(await World().send(body)) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("to", 7),
        ("to", []),
        ("to", [7]),
        ("data", []),
        ("data", "x"),
        ("title", 7),
        ("subtitle", None),
        ("body", {}),
        ("ttl", "60"),
        ("ttl", 1.5),
        ("ttl", True),
        ("expiration", "soon"),
        ("priority", "urgent"),
        ("priority", ["high"]),
        ("sound", 7),
        ("sound", {"loud": True}),
        ("sound", {"critical": "yes"}),
        ("badge", "3"),
        ("interruptionLevel", "time_sensitive"),
        ("channelId", 7),
        ("icon", 7),
        ("richContent", "https://i"),
        ("richContent", {"image": 7}),
        ("categoryId", 7),
        ("mutableContent", 1),
        ("collapseId", 7),
        ("tag", 7),
        ("_contentAvailable", "true"),
        ("contentAvailable", True),
        ("deviceTokens", []),
    ],
)
async def test_a_wrong_field_is_named(field: str, value: Any) -> None:
    world = World()
    answered = await world.send([{"to": PHONE}, {"to": PHONE, "title": "x"} | {field: value}])
    assert code(answered) == (400, "VALIDATION_ERROR")
    assert said(answered).startswith(f'"[1].{field}" ')
    assert world.expo.messages == []


async def test_every_documented_field_is_taken() -> None:
    message = {
        "to": PHONE,
        "data": {},
        "title": "t",
        "subtitle": "s",
        "body": "b",
        "ttl": 0,
        "expiration": 1_796_000_000,
        "priority": "high",
        "sound": {"critical": True, "name": "n", "volume": 0.5},
        "badge": 0,
        "interruptionLevel": "time-sensitive",
        "channelId": "c",
        "icon": "i",
        "richContent": {"image": "https://i"},
        "categoryId": "k",
        "mutableContent": True,
        "collapseId": "x",
        "tag": "x",
        "_contentAvailable": True,
        "_displayInForeground": True,
    }
    assert (await World().send(message))[1]["data"]["status"] == "ok"


async def test_our_providers_bad_overrides_are_the_messages_fault() -> None:
    verdict = await World().push("phone", PushMessage("Hi", "there", override={"ttl": "1h"}))
    assert (verdict.outcome, verdict.code) == (Outcome.PAYLOAD_REJECTED, "VALIDATION_ERROR")
    assert '\\"[0].ttl\\"' in verdict.raw


async def test_recipients_are_counted_over_all_messages() -> None:
    several = [push_token(str(number)) for number in range(50)]
    assert len((await World().send([{"to": several}, {"to": several}]))[1]["data"]) == 100
    answered = await World().send([{"to": several}, {"to": several}, {"to": PHONE}])
    assert code(answered) == (400, "PUSH_TOO_MANY_NOTIFICATIONS")
    assert "(received 101)" in said(answered)


async def test_tickets_come_in_the_order_of_recipients() -> None:
    dead = push_token("dead")
    _, answer = await World().send([{"to": [PHONE, dead]}, {"to": PHONE}])
    assert [ticket["status"] for ticket in answer["data"]] == ["ok", "error", "ok"]
    assert answer["data"][1]["details"]["expoPushToken"] == dead


async def test_only_a_lone_message_to_a_lone_token_gets_a_lone_ticket() -> None:
    world = World()
    answers = [await world.send(body) for body in ({"to": PHONE}, {"to": [PHONE]}, [{"to": PHONE}])]
    assert [type(answer["data"]) for _, answer in answers] == [dict, list, list]


async def test_tokens_of_two_projects_are_refused_with_a_map() -> None:
    world = World()
    other = push_token("other")
    world.expo.register(other, "@acme/admin")
    status, answer = await world.send([{"to": [PHONE, other]}])
    assert code((status, answer)) == (400, "PUSH_TOO_MANY_EXPERIENCE_IDS")
    assert answer["errors"][0]["details"] == {"@demo/app": [PHONE], "@acme/admin": [other]}


async def test_a_message_that_is_too_big_gets_a_ticket_that_says_so() -> None:
    verdict = await World().push("phone", PushMessage("Hi", "there", payload={"big": "x" * 4096}))
    assert (verdict.outcome, verdict.code) == (Outcome.PAYLOAD_REJECTED, "MessageTooBig")


async def test_what_has_no_tokens_form_is_not_registered() -> None:
    _, answer = await World().send({"to": "phone-1"})
    assert answer["data"]["details"] == {"error": "DeviceNotRegistered"}


async def test_strict_registration_knows_registered_tokens_and_fault_words_only() -> None:
    world = World(strict_registration=True)
    world.expo.register(push_token("known"))
    outcomes = [(await world.push(words)).outcome for words in ("known", "stranger", "iosnokey")]
    assert outcomes == [Outcome.ACCEPTED, Outcome.TOKEN_DEAD, Outcome.ACCEPTED]
    world.expo.unregister(push_token("known"))
    assert (await world.push("known")).outcome is Outcome.TOKEN_DEAD


async def test_an_unregistered_token_is_gone_until_it_is_registered_again() -> None:
    world = World()
    world.expo.unregister(PHONE)
    assert (await world.push("phone-1")).outcome is Outcome.TOKEN_DEAD
    world.expo.register(PHONE)
    assert (await world.push("phone-1")).outcome is Outcome.ACCEPTED


async def test_a_project_may_send_so_many_a_second() -> None:
    world = World(notifications_per_second=2)
    answers = [await world.push(f"phone-{number}") for number in range(3)]
    assert [verdict.outcome for verdict in answers] == [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.THROTTLED]
    world.now += SECOND
    assert (await world.push("phone-3")).outcome is Outcome.ACCEPTED


async def test_a_script_comes_before_everything_else() -> None:
    world = World()
    world.expo.script(INTERNAL, FAILED_WITH_200)
    first, second, third = [await world.push("phone") for _ in range(3)]
    assert [first.code, second.code] == ["INTERNAL_SERVER_ERROR"] * 2
    assert [first.outcome, second.outcome, third.outcome] == [
        Outcome.UNAVAILABLE,
        Outcome.UNAVAILABLE,
        Outcome.ACCEPTED,
    ]


@pytest.mark.parametrize("document", [b"{", {"ids": []}, {"ids": "t1"}, {"ids": [1]}, []])
async def test_a_malformed_receipts_request_is_refused(document: Any) -> None:
    answered = await World().send(document, path=PREFIX + "getReceipts")
    assert code(answered) == (400, "VALIDATION_ERROR")


async def test_too_many_receipts_are_refused_and_so_is_a_stranger() -> None:
    ids = {"ids": [str(number) for number in range(1001)]}
    assert code(await World().send(ids, path=PREFIX + "getReceipts")) == (400, "PUSH_TOO_MANY_RECEIPTS")
    wrong = JSON | {"authorization": "Bearer wrong"}
    assert (await World().send({"ids": ["t"]}, path=PREFIX + "getReceipts", headers=wrong))[0] == 401


async def test_reset_forgets_what_was_and_keeps_registrations() -> None:
    world = World(receipt_delay=0, notifications_per_second=3)
    world.expo.unregister(PHONE)
    await world.push("flaky")
    ticket = (await world.push("phone")).provider_message_id
    world.expo.script(INTERNAL)
    world.expo.reset()
    assert (world.expo.messages, world.expo.attempts, dict(world.expo.requests_by_token)) == ([], [], {})
    assert world.expo.most_under_way == 0
    assert await world.receipts(ticket) == {}
    assert (await world.push("flaky")).outcome is Outcome.UNAVAILABLE
    assert (await world.push("phone-1")).outcome is Outcome.TOKEN_DEAD


async def test_messages_are_handed_out_once_and_in_order() -> None:
    world = World()
    await world.push("a")
    await world.push("b")
    tokens = [(await world.expo.next_message()).token for _ in range(2)]
    assert tokens == [push_token("a"), push_token("b")]
