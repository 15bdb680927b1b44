from typing import Any

import msgspec
import pytest

from clarion.model.clock import DAY
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PushMessage, Target
from clarion.providers.onesignal import OneSignal
from clarion.testing.exchange import Answer, Delay, GoAway, RefuseStream, Reply, Request, Reset
from clarion.testing.faults import spelled
from clarion.testing.onesignal import EMPTY_ID, PATHS, OneSignalEmulator, spelling, subscription_id

NOW = 1_796_000_000_000
PROVIDER = OneSignal()
PLAIN = PushMessage("Hi", "there")
PHONE = "a1b2c3d4-0001-4a5b-8c6d-7e8f90a1b2c3"
OTHER = "a1b2c3d4-0002-4a5b-8c6d-7e8f90a1b2c3"
KEY = "6f1c2b3a-4d5e-4f60-8a7b-9c0d1e2f3a4b"


class World:
    """An emulator, its clock, and our provider with its credentials."""

    def __init__(self, version: str = "playerModel", **options: Any) -> None:
        self.now = NOW
        self.onesignal = OneSignalEmulator(clock=lambda: self.now, **options)
        stored = {"applicationId": self.onesignal.app_id, "apiKey": self.onesignal.api_key}
        self.credentials = PROVIDER.credentials(stored | {"apiVersion": version})
        self.token = PROVIDER.issue(self.credentials, NOW).value

    async def carry(self, request: HttpRequest) -> Answer:
        path = request.url.removeprefix("https://api.onesignal.com")
        return await self.onesignal.handle(
            Request(request.method, path, dict(request.headers), request.body, 1)
        )

    async def push(self, token: str, message: PushMessage = PLAIN, message_id: str = "m" * 32) -> Verdict:
        """Our provider builds, the emulator answers, our provider reads; a refused key is tried again."""
        verdict = await self._push(token, message, message_id)
        if not verdict.stale_authorization:
            return verdict
        self.token = PROVIDER.issue(self.credentials, NOW).value
        return await self._push(token, message, message_id)

    async def _push(self, token: str, message: PushMessage, message_id: str) -> Verdict:
        request = PROVIDER.build(self.credentials, message, Target(message_id, token), self.token)
        answer = await self.carry(request)
        assert isinstance(answer, Reply)
        assert isinstance(answer.body, bytes)
        return PROVIDER.read(HttpReply(answer.status, dict(answer.headers), answer.body), message)

    async def send(self, changes: Any, **request: Any) -> tuple[int, Any]:
        """A message to one phone with changes, None taking away; or bytes as they are."""
        asked: dict[str, Any] = {"method": "POST", "path": "/notifications", "headers": self.headers()}
        body = changes if isinstance(changes, bytes) else self.body(changes)
        answer = await self.onesignal.handle(Request(**asked | request, body=body, connection_id=1))
        assert isinstance(answer, Reply)
        assert isinstance(answer.body, bytes)
        return answer.status, msgspec.json.decode(answer.body)

    def body(self, changes: dict[str, Any]) -> bytes:
        plain = {"app_id": self.onesignal.app_id, "include_subscription_ids": [PHONE]}
        whole = plain | {"contents": {"en": "there"}} | changes
        return msgspec.json.encode({name: value for name, value in whole.items() if value is not None})

    def headers(self, **changes: str) -> dict[str, str]:
        own = {"content-type": "application/json; charset=utf-8", "authorization": self.token}
        return own | {name.replace("_", "-"): value for name, value in changes.items()}


async def test_our_own_provider_sends_and_learns_the_id() -> None:
    world = World()
    verdict = await world.push(PHONE, PushMessage("Hi", "there", payload={"n": 1}))
    accepted = world.onesignal.messages[0]
    assert verdict == Verdict(Outcome.ACCEPTED, provider_message_id=accepted.id)
    assert (accepted.token, accepted.at) == (PHONE, NOW)
    assert accepted.message["data"] == {"n": 1, "__nvMessageId": "m" * 32}
    assert world.onesignal.attempts == [(PHONE, 200, NOW)]
    assert world.onesignal.warnings == []


async def test_our_own_provider_sends_to_a_person() -> None:
    world = World("externalId")
    assert (await world.push("user-42")).outcome is Outcome.ACCEPTED
    assert world.onesignal.messages[0].token == "user-42"


async def test_every_legacy_override_of_our_provider_is_taken() -> None:
    world = World()
    legacy = {
        "subtitle": "s",
        "sound": "x",
        "mutableContent": True,
        "channelId": "c",
        "icon": "i",
        "badge": 2,
    }
    verdict = await world.push(PHONE, PushMessage("Hi", "there", legacy=legacy | {"categoryId": "k"}))
    assert (verdict.outcome, world.onesignal.warnings) == (Outcome.ACCEPTED, [])


async def test_an_older_key_is_found_to_need_the_older_scheme_once() -> None:
    world = World(api_key="legacy-rest-key")
    assert (await world.push(PHONE, message_id="m1")).outcome is Outcome.ACCEPTED
    assert (await world.push(PHONE, message_id="m2")).outcome is Outcome.ACCEPTED
    assert [attempt.status for attempt in world.onesignal.attempts] == [403, 200, 200]


WORDS = [
    ("phone-dead-1", Outcome.TOKEN_DEAD),
    ("othersender", Outcome.TOKEN_DEAD),
    ("malformed", Outcome.PAYLOAD_REJECTED),
    ("iosnokey", Outcome.ACCEPTED),
    ("throttled", Outcome.THROTTLED),
    ("flaky", Outcome.UNAVAILABLE),
    ("down", Outcome.UNAVAILABLE),
    ("html", Outcome.UNAVAILABLE),
]


@pytest.mark.parametrize(("words", "outcome"), WORDS)
@pytest.mark.parametrize("version", ["playerModel", "externalId"])
async def test_a_fault_word_gets_the_answer_that_our_provider_reads_right(
    words: str, outcome: Outcome, version: str
) -> None:
    world = World(version)
    token = words if version == "externalId" else subscription_id(words)
    assert (await world.push(token)).outcome is outcome
    assert len(world.onesignal.messages) == (outcome is Outcome.ACCEPTED)


@pytest.mark.parametrize(("words", "_outcome"), WORDS)
def test_a_subscription_id_can_spell_a_fault(words: str, _outcome: Outcome) -> None:
    assert PROVIDER.refuse(World().credentials, Target("m", subscription_id(words))) is None
    assert spelled(spelling(subscription_id(words))) == spelled(words)


def test_other_subscription_ids_spell_nothing() -> None:
    assert spelling("a1b2c3d4-dead-4a5b-8c6d-7e8f90a1b2c3") == ""
    assert spelling("user-dead") == "user-dead"


async def test_a_wait_goes_with_what_is_throttled_and_where_asked_with_503() -> None:
    world = World(unavailable_retry_after=2)
    assert (await world.push(subscription_id("throttled"))).retry_after == 1000
    assert (await world.push(subscription_id("down"))).retry_after == 2000


async def test_limited_faults_end() -> None:
    world = World()
    outcomes = [(await world.push(subscription_id("flaky-2"))).outcome for _ in range(3)]
    assert outcomes == [Outcome.UNAVAILABLE, Outcome.UNAVAILABLE, Outcome.ACCEPTED]


async def test_connection_faults_take_the_message_or_leave_it() -> None:
    world = World()
    tokens = [subscription_id(words) for words in ("reset", "refused", "goaway", "slow-250")]
    answers = [
        await world.carry(PROVIDER.build(world.credentials, PLAIN, Target(token, token), world.token))
        for token in tokens
    ]
    assert [type(answer) for answer in answers] == [Reset, RefuseStream, GoAway, Delay]
    assert [message.token for message in world.onesignal.messages] == tokens[2:]
    assert [attempt.status for attempt in world.onesignal.attempts] == [0, 0, 200, 200]


async def test_a_repeat_is_answered_alike_and_sends_nothing() -> None:
    world = World()
    first, again = [await world.push(PHONE) for _ in range(2)]
    assert first == again
    assert (len(world.onesignal.messages), list(world.onesignal.repeats.values())) == (1, [1])


async def test_a_repeat_says_that_it_is_one_for_30_days() -> None:
    world = World()
    request = PROVIDER.build(world.credentials, PLAIN, Target("m", PHONE), world.token)
    replayed = []
    for after in (0, 30 * DAY - 1, 30 * DAY):
        world.now = NOW + after
        answer = await world.carry(request)
        assert isinstance(answer, Reply)
        replayed.append(("idempotent-replayed", "true") in answer.headers)
    assert replayed == [False, True, False]


async def test_a_refused_request_is_not_remembered() -> None:
    world = World()
    assert (await world.push(subscription_id("flaky"))).outcome is Outcome.UNAVAILABLE
    assert (await world.push(subscription_id("flaky"))).outcome is Outcome.ACCEPTED
    assert dict(world.onesignal.repeats) == {}


@pytest.mark.parametrize("path", sorted(PATHS))
async def test_both_addresses_answer(path: str) -> None:
    assert (await World().send({}, path=path))[0] == 200


@pytest.mark.parametrize(
    ("request_", "status", "text"),
    [
        ({"method": "GET"}, 404, "Notification not found"),
        ({"path": "/notification"}, 404, "Notification not found"),
        ({"headers": {"content-type": "text/plain"}}, 400, "app_id not found"),
    ],
)
async def test_what_is_no_create_request_is_refused(request_: Any, status: int, text: str) -> None:
    answered, document = await World().send({}, **request_)
    assert answered == status
    assert document["errors"][0].startswith(text)


@pytest.mark.parametrize(
    ("api_key", "authorization", "status"),
    [
        ("os_v2_app_k", "Key os_v2_app_k", 200),
        ("os_v2_app_k", "key os_v2_app_k", 200),
        ("os_v2_app_k", "Basic os_v2_app_k", 403),
        ("os_v2_app_k", "Key os_v2_app_x", 403),
        ("os_v2_app_k", "", 403),
        ("legacy", "Basic legacy", 200),
        ("legacy", "Key legacy", 403),
    ],
)
async def test_a_key_goes_with_its_scheme(api_key: str, authorization: str, status: int) -> None:
    world = World(api_key=api_key)
    headers = world.headers(authorization=authorization)
    answered, document = await world.send({}, headers=headers)
    assert answered == status
    assert status == 200 or "Access denied.  Please" in document["errors"][0]


async def test_the_app_must_be_the_keys() -> None:
    world = World()
    assert (await world.send({"app_id": OTHER}))[0] == 403
    assert (await world.send({"app_id": "shop"})) == (400, {"errors": ["Incorrect app_id format"]})
    for body in (b"", b"[]", b"[" * 5000, world.body({"app_id": None})):
        status, document = await world.send(body)
        assert (status, document["errors"][0][:16]) == (400, "app_id not found")


ALIASES = {"external_id": ["u"]}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"include_subscription_ids": None}, "You must include which players"),
        ({"include_subscription_ids": []}, "You must include which players"),
        ({"include_player_ids": [PHONE]}, "Only one targeting method"),
        ({"included_segments": ["All"]}, "Only one targeting method"),
        ({"include_subscription_ids": None, "include_aliases": ALIASES}, "target_channel must be push"),
        ({"include_subscription_ids": ["phone-1"]}, "phone-1 is not a valid UUID"),
        ({"include_subscription_ids": PHONE}, "include_subscription_ids has a wrong value"),
        ({"include_subscription_ids": [PHONE] * 2001}, "include_subscription_ids may have 2000"),
        ({"include_subscription_ids": None, "include_aliases": {"external_id": "u"}}, "include_aliases has"),
        ({"target_channel": "email"}, "target_channel has a wrong value"),
        ({"contents": None}, "Message Notifications must have English"),
        ({"contents": {"de": "da"}}, "Message Notifications must have English"),
        ({"contents": "there"}, "Message Notifications must have English"),
        ({"contents": {"en": 7}}, "Message Notifications must have English"),
        ({"headings": {}}, "headings has a wrong value"),
        ({"subtitle": {"de": "x"}}, "subtitle has a wrong value"),
        ({"data": []}, "data has a wrong value"),
        ({"data": {"x": "y" * 2048}}, "Data Data must be no more than 2048"),
        ({"custom_data": {"x": "y" * 2048}}, "Data Data must be no more than 2048"),
        ({"data": {"x": "y" * 2000}, "big_picture": "y" * 1500}, "Option Metadata must not exceed"),
        ({"collapse_id": "x" * 65}, "collapse_id has a wrong value"),
        ({"ttl": 2_419_201}, "ttl has a wrong value"),
        ({"ttl": "60"}, "ttl has a wrong value"),
        ({"ttl": True}, "ttl has a wrong value"),
        ({"priority": 11}, "priority has a wrong value"),
        ({"priority": "high"}, "priority has a wrong value"),
        ({"ios_badgeType": "increase"}, "ios_badgeType has a wrong value"),
        ({"ios_badgeCount": "1"}, "ios_badgeCount has a wrong value"),
        ({"ios_interruption_level": "time-sensitive"}, "ios_interruption_level has a wrong value"),
        ({"ios_relevance_score": 1.1}, "ios_relevance_score has a wrong value"),
        ({"ios_attachments": ["https://i"]}, "ios_attachments has a wrong value"),
        ({"content_available": 1}, "content_available has a wrong value"),
        ({"isIos": "true"}, "isIos has a wrong value"),
        ({"buttons": [1, 2, 3, 4]}, "buttons has a wrong value"),
        ({"idempotency_key": "m1"}, "idempotency_key has a wrong value"),
        ({"name": "x" * 129}, "name has a wrong value"),
        ({"url": "https://a", "app_url": "shop://a"}, "url can't be used"),
    ],
)
async def test_what_onesignal_would_not_take_is_refused(changes: dict[str, Any], text: str) -> None:
    world = World()
    status, document = await world.send(changes)
    assert (status, document["errors"][0][: len(text)]) == (400, text)
    assert world.onesignal.messages == []


@pytest.mark.parametrize(
    "changes",
    [
        {"contents": None, "content_available": True},
        {"contents": None, "template_id": OTHER},
        {"include_subscription_ids": None, "include_player_ids": [PHONE]},
        {"collapse_id": "x" * 64, "ttl": 2_419_200, "priority": 10, "idempotency_key": KEY},
        {"ios_badgeType": "SetTo", "ios_badgeCount": 0, "ios_interruption_level": "time_sensitive"},
    ],
)
async def test_what_onesignal_documents_is_taken(changes: dict[str, Any]) -> None:
    status, document = await World().send(changes)
    assert (status, bool(document["id"])) == (200, True)


async def test_the_limit_of_ids_can_be_the_higher_one() -> None:
    ids = {"include_subscription_ids": [PHONE] * 2001}
    assert (await World(most_ids=20_000).send(ids))[0] == 200


async def test_our_providers_bad_overrides_are_the_messages_fault() -> None:
    verdict = await World().push(PHONE, PushMessage("Hi", "there", override={"ttl": "1h"}))
    assert (verdict.outcome, verdict.code) == (Outcome.PAYLOAD_REJECTED, "http_400")
    assert "ttl" in verdict.raw


async def test_fields_that_onesignal_ignores_are_flagged() -> None:
    world = World()
    assert (await world.send({"ios_badge_type": "Increase", "ios_badge_count": 1}))[0] == 200
    assert world.onesignal.warnings == ["ios_badge_type", "ios_badge_count"]


async def test_subscriptions_that_are_gone_are_listed_while_others_are_reached() -> None:
    world = World()
    world.onesignal.unsubscribe(OTHER)
    status, document = await world.send({"include_subscription_ids": [PHONE, OTHER]})
    assert (status, document["errors"]) == (200, {"invalid_player_ids": [OTHER]})
    assert document["id"]
    assert [message.token for message in world.onesignal.messages] == [PHONE]


async def test_when_nobody_is_reached_there_is_no_id() -> None:
    world = World()
    world.onesignal.unsubscribe(PHONE)
    nobody = {"id": "", "errors": ["All included players are not subscribed"]}
    assert await world.send({}) == (200, nobody)
    world.onesignal.subscribe(PHONE)
    assert (await world.send({}))[1]["id"]


PEOPLE = {"include_subscription_ids": None, "target_channel": "push"}


@pytest.mark.parametrize(
    ("live", "opted_out", "missed", "sent"),
    [
        (1, 0, [], True),
        (1, 2, ["u", "u"], True),
        (0, 2, ["u", "u"], False),
        (0, 0, ["u"], False),
    ],
)
async def test_a_person_is_listed_once_per_subscription_that_is_opted_out(
    live: int, opted_out: int, missed: list[str], sent: bool
) -> None:
    world = World("externalId")
    world.onesignal.user("u", live, opted_out)
    _, document = await world.send(PEOPLE | {"include_aliases": ALIASES})
    assert document.get("errors", {}).get("invalid_aliases", {}).get("external_id", []) == missed
    assert bool(document["id"]) is sent
    outcome = (await world.push("u")).outcome
    assert outcome is (Outcome.ACCEPTED if sent else Outcome.TOKEN_DEAD)


async def test_the_older_way_to_name_people_has_its_own_list() -> None:
    world = World()
    world.onesignal.user("u", 0, 1)
    _, document = await world.send({"include_subscription_ids": None, "include_external_user_ids": ["u"]})
    assert document == {"id": "", "errors": {"invalid_external_user_ids": ["u"]}}


async def test_a_segment_is_no_device() -> None:
    world = World()
    status, _ = await world.send({"include_subscription_ids": None, "included_segments": ["All"]})
    assert (status, world.onesignal.messages[0].token) == (200, "")


async def test_a_script_comes_before_everything_else() -> None:
    world = World()
    world.onesignal.script(EMPTY_ID)
    first, second = [await world.push(PHONE) for _ in range(2)]
    assert [first.outcome, second.outcome] == [Outcome.UNKNOWN, Outcome.ACCEPTED]


async def test_reset_forgets_what_was_and_keeps_subscriptions() -> None:
    world = World()
    world.onesignal.unsubscribe(OTHER)
    await world.push(PHONE)
    await world.push(subscription_id("flaky"), message_id="m2")
    await world.send({"colour": "red"})
    world.onesignal.script(EMPTY_ID)
    world.onesignal.reset()
    kept = (world.onesignal.messages, world.onesignal.attempts, world.onesignal.warnings)
    assert kept == ([], [], [])
    assert dict(world.onesignal.requests_by_token) == {}
    assert (await world.push(subscription_id("flaky"), message_id="m2")).outcome is Outcome.UNAVAILABLE
    assert (await world.push(PHONE)).outcome is Outcome.ACCEPTED
    assert (await world.push(OTHER, message_id="m3")).outcome is Outcome.TOKEN_DEAD
    assert dict(world.onesignal.repeats) == {}


async def test_messages_are_handed_out_once_and_in_order() -> None:
    world = World()
    await world.push(PHONE, message_id="m1")
    await world.push(OTHER, message_id="m2")
    assert [(await world.onesignal.next_message()).token for _ in range(2)] == [PHONE, OTHER]
