from typing import Any
from uuid import UUID

import msgspec
import pytest
from rich.pretty import pretty_repr

from clarion.errors import CredentialsInvalid
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome
from clarion.model.push import PushMessage, Target
from clarion.providers.onesignal import BY_LIST, BY_STATUS, OneSignal, OneSignalCredentials
from clarion.providers.onesignal_payload import idempotency_key
from clarion.providers.port import IssuingProvider

ONESIGNAL: IssuingProvider[OneSignalCredentials] = OneSignal()
APP = "3f8c1e52-7a4b-4d90-9e6f-1b2c3d4e5f60"
KEY = "os_v2_app_secret"
STORED = {"applicationId": APP, "apiKey": KEY}
EXTERNAL = {"apiVersion": "externalId"}
PHONE = "a1b2c3d4-0001-4a5b-8c6d-7e8f90a1b2c3"
OTHER = "a1b2c3d4-0002-4a5b-8c6d-7e8f90a1b2c3"
TARGET = Target("m" * 32, PHONE)
PLAIN = PushMessage("Hi", "there")
NOW = 1_796_000_000_000


def sent(message: PushMessage, target: Target = TARGET, /, **stored: str) -> HttpRequest:
    return ONESIGNAL.build(ONESIGNAL.credentials(STORED | stored), message, target, f"Key {KEY}")


def built(message: PushMessage, **stored: str) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(sent(message, **stored).body)
    return body


def reply(document: Any, status: int = 200, **headers: str) -> HttpReply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpReply(status, named, msgspec.json.encode(document))


STATUSES = [
    (400, Outcome.PAYLOAD_REJECTED),
    (401, Outcome.CREDENTIALS_REJECTED),
    (403, Outcome.CREDENTIALS_REJECTED),
    (404, Outcome.PAYLOAD_REJECTED),
    (409, Outcome.UNAVAILABLE),
    (429, Outcome.THROTTLED),
    (500, Outcome.UNAVAILABLE),
    (502, Outcome.UNAVAILABLE),
    (503, Outcome.UNAVAILABLE),
    (504, Outcome.UNAVAILABLE),
    (302, Outcome.UNKNOWN),
    (418, Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("status", "outcome"), STATUSES)
@pytest.mark.parametrize(
    "body",
    [b'{"errors":["words"]}', b'{"errors":"words"}', b'{"success":false}', b"<html>", b'{"errors":[]}'],
)
def test_the_status_decides_in_every_envelope(status: int, outcome: Outcome, body: bytes) -> None:
    verdict = ONESIGNAL.read(HttpReply(status, {}, body), PLAIN)
    assert (verdict.outcome, verdict.code, verdict.raw) == (outcome, f"http_{status}", body.decode())


def test_no_status_of_the_table_is_untested() -> None:
    assert {status for status, _ in STATUSES} >= BY_STATUS.keys()


def test_a_code_is_shown_where_the_envelope_has_one() -> None:
    coded = reply({"errors": [{"code": "2000", "title": "words"}]}, 400)
    assert ONESIGNAL.read(coded, PLAIN).code == "2000"


def test_words_never_decide() -> None:
    dead = "All included players are not subscribed"
    assert ONESIGNAL.read(reply({"errors": [dead]}, 400), PLAIN).outcome is Outcome.PAYLOAD_REJECTED
    reworded = reply({"id": "", "errors": ["Nobody is subscribed"]})
    assert ONESIGNAL.read(reworded, PLAIN).outcome is Outcome.TOKEN_DEAD


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        ({"id": "n1", "external_id": None}, Outcome.ACCEPTED, ""),
        ({"id": "n1", "errors": {"invalid_aliases": {"external_id": ["u", "u"]}}}, Outcome.ACCEPTED, ""),
        ({"id": "n1", "errors": {"invalid_external_user_ids": ["u"]}}, Outcome.ACCEPTED, ""),
        ({"id": "n1", "warnings": {"invalid_external_user_ids": "words [..]"}}, Outcome.ACCEPTED, ""),
        ({"id": "n1", "errors": {"invalid_player_ids": [PHONE]}}, Outcome.TOKEN_DEAD, "invalid_player_ids"),
        ({"id": "", "errors": {"invalid_player_ids": [PHONE]}}, Outcome.TOKEN_DEAD, "invalid_player_ids"),
        ({"id": "", "errors": ["words"]}, Outcome.TOKEN_DEAD, "not_subscribed"),
        (
            {"id": "", "errors": {"invalid_aliases": {"external_id": ["u"]}}},
            Outcome.TOKEN_DEAD,
            "invalid_aliases",
        ),
        (
            {"id": "", "errors": {"invalid_external_user_ids": ["u"]}},
            Outcome.TOKEN_DEAD,
            "invalid_external_user_ids",
        ),
        ({"id": ""}, Outcome.UNKNOWN, "not_sent"),
        ({"id": "", "errors": []}, Outcome.UNKNOWN, "not_sent"),
        ({"id": "", "errors": {"something_new": ["x"]}}, Outcome.UNKNOWN, "not_sent"),
        ({"id": "", "errors": [{"code": "1", "title": "words"}]}, Outcome.UNKNOWN, "not_sent"),
        ({"errors": ["words"]}, Outcome.UNKNOWN, "not_sent"),
        ({"id": None, "errors": "words"}, Outcome.UNKNOWN, "not_sent"),
        ({"success": False}, Outcome.UNKNOWN, "not_sent"),
        ([], Outcome.UNKNOWN, "not_sent"),
    ],
)
def test_a_200_is_read_by_its_shape(answer: Any, outcome: Outcome, code: str) -> None:
    verdict = ONESIGNAL.read(reply(answer), PLAIN)
    assert (verdict.outcome, verdict.code) == (outcome, code)
    assert verdict.provider_message_id == ("n1" if outcome is Outcome.ACCEPTED else "")


def test_what_did_not_reach_everybody_keeps_the_answer() -> None:
    assert ONESIGNAL.read(reply({"id": "n1"}), PLAIN).raw == ""
    partial = {"id": "n1", "errors": {"invalid_aliases": {"external_id": ["u"]}}}
    assert "invalid_aliases" in ONESIGNAL.read(reply(partial), PLAIN).raw


@pytest.mark.parametrize("errors", [["words"], *({key: [OTHER]} for key in BY_LIST)])
@pytest.mark.parametrize(
    "message",
    [
        PushMessage("Hi", "there", override={"includeSubscriptionIds": [OTHER]}),
        PushMessage("Hi", "there", passthrough={"body": {"included_segments": ["All"]}}),
    ],
)
def test_a_device_is_not_retired_for_those_whom_overrides_name(message: PushMessage, errors: Any) -> None:
    nobody = ONESIGNAL.read(reply({"id": "", "errors": errors}), message)
    assert nobody.outcome is Outcome.PAYLOAD_REJECTED
    some = ONESIGNAL.read(reply({"id": "n1", "errors": errors}), message)
    assert some.outcome is Outcome.ACCEPTED


def test_only_what_may_be_tried_again_says_when() -> None:
    assert ONESIGNAL.read(reply({}, 429, retry_after="3"), PLAIN).retry_after == 3000
    assert ONESIGNAL.read(reply({}, 503, retry_after="20"), PLAIN).retry_after == 20_000
    assert ONESIGNAL.read(reply({}, 429), PLAIN).retry_after is None
    assert ONESIGNAL.read(reply({}, 400, retry_after="3"), PLAIN).retry_after is None


def test_the_raw_answer_is_bounded() -> None:
    assert len(ONESIGNAL.read(HttpReply(504, {}, b"x" * 5000), PLAIN).raw) == 2000


def test_a_message_to_a_subscription_is_mapped_as_novu_means_it() -> None:
    assert built(PushMessage("Hi", "there", payload={"orderId": 1042})) == {
        "app_id": APP,
        "include_subscription_ids": [PHONE],
        "headings": {"en": "Hi"},
        "contents": {"en": "there"},
        "data": {"orderId": 1042, "__nvMessageId": "m" * 32},
        "ios_badgeType": "Increase",
        "ios_badgeCount": 1,
        "collapse_id": "m" * 32,
        "web_push_topic": "m" * 32,
        "idempotency_key": idempotency_key("m" * 32),
    }


def test_a_token_may_be_the_apps_own_user_id() -> None:
    request = sent(PLAIN, Target("m", "user-42"), **EXTERNAL)
    body = msgspec.json.decode(request.body)
    assert body["include_aliases"] == {"external_id": ["user-42"]}
    assert body["target_channel"] == "push"
    assert "include_subscription_ids" not in body


def test_a_request_is_what_the_reference_shows() -> None:
    request = sent(PLAIN)
    assert (request.method, request.url) == ("POST", "https://api.onesignal.com/notifications")
    assert dict(request.headers) == {
        "authorization": f"Key {KEY}",
        "accept": "application/json",
        "content-type": "application/json; charset=utf-8",
    }


def test_legacy_overrides_fill_novus_fields() -> None:
    legacy = {"subtitle": "s", "sound": "ping", "mutableContent": True, "channelId": "c", "icon": "i"}
    body = built(PushMessage("Hi", "there", legacy=legacy | {"categoryId": "k", "ttl": 9}))
    assert body["subtitle"] == {"en": "s"}
    assert (body["ios_sound"], body["android_sound"]) == ("ping", "ping")
    assert (body["mutable_content"], body["android_channel_id"], body["ios_category"]) == (True, "c", "k")
    icons = ("small_icon", "large_icon", "chrome_icon", "chrome_web_icon", "firefox_icon")
    assert [body[name] for name in icons] == ["i"] * 5
    assert "ttl" not in body


@pytest.mark.parametrize(
    ("badge", "kind", "count"),
    [(7, "SetTo", 7), (0, "SetTo", 0), (True, "Increase", 1), (None, "Increase", 1)],
)
def test_a_badge_is_set_or_goes_up(badge: Any, kind: str, count: int) -> None:
    body = built(PushMessage("Hi", "there", legacy={"badge": badge}))
    assert (body["ios_badgeType"], body["ios_badgeCount"]) == (kind, count)


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ("iosBadgeType", "ios_badgeType"),
        ("ios_badge_count", "ios_badgeCount"),
        ("ios_badgeCount", "ios_badgeCount"),
        ("isIos", "isIos"),
        ("isAndroid", "isAndroid"),
        ("isHuawei", "isHuawei"),
        ("isAnyWeb", "isAnyWeb"),
        ("isChromeWeb", "isChromeWeb"),
        ("isFirefox", "isFirefox"),
        ("isSafari", "isSafari"),
        ("isWP_WNS", "isWP_WNS"),
        ("isAdm", "isAdm"),
        ("isChrome", "isChrome"),
        ("bigPicture", "big_picture"),
        ("iosInterruptionLevel", "ios_interruption_level"),
        ("send_after", "send_after"),
        ("webURL", "web_url"),
        ("priority", "priority"),
    ],
)
def test_the_names_of_provider_overrides_are_cased(given: str, wire: str) -> None:
    body = built(PushMessage("Hi", "there", override={given: "set"}))
    assert body[wire] == "set"
    assert given == wire or given not in body


def test_only_names_of_the_top_level_are_cased() -> None:
    body = built(PushMessage("Hi", "there", override={"data": {"orderId": 1}, "headings": {"pt-BR": "Oi"}}))
    assert body["data"]["orderId"] == 1
    assert body["headings"] == {"en": "Hi", "pt-BR": "Oi"}


def test_passthrough_comes_last_and_verbatim() -> None:
    message = PushMessage(
        "Hi",
        "there",
        override={"ttl": 5, "priority": 5},
        passthrough={
            "body": {"priority": 10, "newField": {"aB": 1}},
            "headers": {"X-Trace": "t1"},
            "query": {"c": "push"},
        },
    )
    request, body = sent(message), built(message)
    assert (body["priority"], body["ttl"], body["newField"]) == (10, 5, {"aB": 1})
    assert dict(request.headers)["x-trace"] == "t1"
    assert request.url == "https://api.onesignal.com/notifications?c=push"


def test_further_subscriptions_join_the_device_under_either_name() -> None:
    joined = built(PushMessage("Hi", "there", override={"includeSubscriptionIds": [OTHER]}))
    assert joined["include_subscription_ids"] == [PHONE, OTHER]
    older = built(PushMessage("Hi", "there", passthrough={"body": {"include_player_ids": [OTHER]}}))
    assert older["include_player_ids"] == [PHONE, OTHER]
    assert "include_subscription_ids" not in older


def test_further_people_join_the_person() -> None:
    body = built(PushMessage("Hi", "", override={"includeAliases": {"external_id": ["u2"]}}), **EXTERNAL)
    assert body["include_aliases"] == {"external_id": [PHONE, "u2"]}


@pytest.mark.parametrize("stored", [{}, EXTERNAL])
@pytest.mark.parametrize(
    "override", [{"includedSegments": ["All"]}, {"filters": [{"field": "tag"}]}, {"includeIosTokens": ["t"]}]
)
def test_another_way_to_say_to_whom_takes_the_devices_place(
    stored: dict[str, str], override: dict[str, Any]
) -> None:
    body = built(PushMessage("Hi", "there", override=override), **stored)
    assert "include_subscription_ids" not in body
    assert "include_aliases" not in body


def test_people_take_the_place_of_a_subscription_and_the_other_way_round() -> None:
    to_people = built(PushMessage("Hi", "there", override={"includeAliases": {"external_id": ["u"]}}))
    assert "include_subscription_ids" not in to_people
    assert to_people["include_aliases"] == {"external_id": ["u"]}
    to_phone = built(PushMessage("Hi", "", override={"includeSubscriptionIds": [OTHER]}), **EXTERNAL)
    assert "include_aliases" not in to_phone
    assert to_phone["include_subscription_ids"] == [OTHER]


def test_a_repeat_has_the_same_key_and_another_message_another() -> None:
    assert sent(PLAIN).body == sent(PLAIN).body
    keys = {idempotency_key("m1"), idempotency_key("m2"), idempotency_key("m1", 1)}
    assert len(keys) == 3
    assert all(UUID(key).version == 4 for key in keys)


def test_a_long_message_id_still_fits_where_it_makes_repeats_show_once() -> None:
    body = msgspec.json.decode(sent(PLAIN, Target("x" * 65, PHONE)).body)
    assert (len(body["collapse_id"]), len(body["web_push_topic"])) == (64, 32)
    assert body["collapse_id"] != "x" * 64


def test_a_new_key_has_one_scheme() -> None:
    credentials = ONESIGNAL.credentials(STORED)
    assert [ONESIGNAL.issue(credentials, NOW).value for _ in range(2)] == [f"Key {KEY}"] * 2


def test_an_older_key_falls_back_to_the_older_scheme_when_it_is_refused() -> None:
    credentials = ONESIGNAL.credentials(STORED | {"apiKey": "legacy"})
    assert ONESIGNAL.issue(credentials, NOW).value == "Key legacy"
    for status in (401, 403):
        assert ONESIGNAL.read(reply({}, status), PLAIN).stale_authorization
    assert ONESIGNAL.issue(credentials, NOW).value == "Basic legacy"
    assert not ONESIGNAL.read(reply({}, 400), PLAIN).stale_authorization


def test_the_scheme_that_works_is_kept_and_not_shown() -> None:
    token = ONESIGNAL.issue(ONESIGNAL.credentials(STORED), NOW)
    assert token.expires_at > NOW + 10 * 365 * 86_400_000
    assert "secret" not in repr(token)


def test_integrations_do_not_share_what_they_learnt() -> None:
    stored = STORED | {"apiKey": "legacy"}
    first, second = ONESIGNAL.credentials(stored), ONESIGNAL.credentials(stored)
    ONESIGNAL.issue(first, NOW)
    assert ONESIGNAL.issue(second, NOW).value == "Key legacy"


@pytest.mark.parametrize("pasted", [f" {KEY}\n", f"Key {KEY}", f"basic  {KEY}", "os_v2_app_\r\n  secret"])
def test_a_badly_pasted_key_is_repaired(pasted: str) -> None:
    credentials = ONESIGNAL.credentials({"applicationId": f" {APP.upper()}\n", "apiKey": pasted})
    assert (credentials.app_id, credentials.api_key) == (APP, KEY)


@pytest.mark.parametrize(
    ("version", "external"), [(None, False), ("", False), ("playerModel", False), ("externalId", True)]
)
def test_the_version_says_what_tokens_are(version: str | None, external: bool) -> None:
    assert ONESIGNAL.credentials(STORED | {"apiVersion": version}).external_ids is external


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"applicationId": ""}, "applicationId"),
        ({"applicationId": "my-app"}, "applicationId"),
        ({"applicationId": 7}, "applicationId"),
        ({"apiKey": ""}, "apiKey"),
        ({"apiKey": None}, "apiKey"),
        ({"apiKey": "two secrets"}, "apiKey"),
        ({"apiKey": "sécret"}, "apiKey"),
        ({"apiKey": "os_v2_org_secret"}, "apiKey"),
        ({"apiVersion": "v2"}, "apiVersion"),
        ({"apiVersion": ["externalId"]}, "apiVersion"),
    ],
)
def test_credentials_that_cannot_work_name_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(CredentialsInvalid) as refused:
        ONESIGNAL.credentials(STORED | changes)
    assert refused.value.field == field
    assert "secret" not in str(refused.value)


def test_credentials_do_not_show_the_key() -> None:
    credentials = ONESIGNAL.credentials(STORED)
    assert "secret" not in repr(credentials) + pretty_repr(credentials)


@pytest.mark.parametrize(
    ("token", "version", "dead"),
    [
        (PHONE, "playerModel", False),
        (PHONE.upper(), "playerModel", False),
        ("phone-1", "playerModel", True),
        (PHONE + "\n", "playerModel", True),
        ("user-42", "externalId", False),
        ("", "externalId", True),
    ],
)
def test_what_is_no_subscription_id_needs_no_request(token: str, version: str, dead: bool) -> None:
    provider = OneSignal()
    credentials = provider.credentials(STORED | {"apiVersion": version})
    refused = provider.refuse(credentials, Target("m", token))
    assert (refused.outcome if refused else None) == (Outcome.TOKEN_DEAD if dead else None)
