from typing import Any

import msgspec
import pytest

from clarion.model.push import PushMessage, Target
from clarion.providers.fcm import Fcm, ServiceAccount
from clarion.testing.fcm_fields import MOST_BYTES, MOST_TOPIC_BYTES, Problem, Submission, checked, size


def sent(message: Any, **more: Any) -> Submission | Problem:
    return checked(msgspec.json.encode({"message": message, **more}))


def blamed(result: Submission | Problem) -> list[str]:
    assert isinstance(result, Problem)
    return [violation.field for violation in result.violations]


def to_phone(**fields: Any) -> Submission | Problem:
    return sent({"token": "phone-1", **fields})


def android(**fields: Any) -> Submission | Problem:
    return to_phone(android=fields)


def drawn(**fields: Any) -> Submission | Problem:
    return android(notification=fields)


GOOD: list[dict[str, Any]] = [
    {},
    {"notification": {"title": "Hi", "body": "there", "image": "https://img.example/a.png"}},
    {"notification": {"title": None}},
    {"data": {"order": "1042"}, "fcm_options": {"analytics_label": "spring~%."}},
    {"fcmOptions": {"analyticsLabel": "spring"}},
    {"android": {"priority": "high", "ttl": "2419200s", "collapse_key": "k", "direct_boot_ok": True}},
    {"android": {"ttl": "3.5s", "collapseKey": "k", "restrictedPackageName": "app"}},
    {"android": {"notification": {"color": "#a0B1c2", "event_time": "2026-01-02T03:04:05.678Z"}}},
    {"android": {"notification": {"body_loc_key": "k", "body_loc_args": ["a"], "notification_count": 0}}},
    {"android": {"notification": {"light_settings": {"color": {"red": 0, "alpha": 0.5}}}}},
    {"android": {"notification": {"vibrate_timings": ["0.5s", "1s"], "visibility": "SECRET"}}},
    {"apns": {"headers": {"apns-priority": "10"}, "payload": {"aps": {"badge": 3}, "mine": [1]}}},
    {"webpush": {"headers": {"TTL": "5"}, "notification": {"actions": []}, "fcm_options": {"link": "/x"}}},
]


@pytest.mark.parametrize("fields", GOOD)
def test_what_the_reference_allows_passes(fields: dict[str, Any]) -> None:
    message = {"token": "phone-1", **fields}
    assert sent(message) == Submission(message, "phone-1", False)


BAD: list[tuple[Submission | Problem, str]] = [
    (to_phone(colour="red"), "message"),
    (to_phone(notification={"icon": "bell"}), "message.notification"),
    (to_phone(notification={"title": 5}), "message.notification.title"),
    (to_phone(notification="Hi"), "message.notification"),
    (to_phone(data={"a": "x", "n": 12}), "message.data[1].value"),
    (to_phone(data={"n": None}), "message.data[0].value"),
    (to_phone(data=["a"]), "message.data"),
    (to_phone(data={"from": "x"}), "message.data[0].key"),
    (to_phone(data={"a": "x", "message_type": "x"}), "message.data[1].key"),
    (to_phone(data={"google.x": "x"}), "message.data[0].key"),
    (to_phone(data={"gcm": "x"}), "message.data[0].key"),
    (to_phone(fcm_options={"analytics_label": "a b"}), "message.fcm_options.analytics_label"),
    (to_phone(fcm_options={"analytics_label": "a" * 51}), "message.fcm_options.analytics_label"),
    (to_phone(fcm_options={"image": "x"}), "message.fcm_options"),
    (android(priority="urgent"), "message.android.priority"),
    (android(ttl=3600), "message.android.ttl"),
    (android(ttl="3600"), "message.android.ttl"),
    (android(ttl="-1s"), "message.android.ttl"),
    (android(ttl="2419200.1s"), "message.android.ttl"),
    (android(data={"gcm.notification.x": "x"}), "message.android.data[0].key"),
    (android(direct_boot_ok="true"), "message.android.direct_boot_ok"),
    (android(collapse_key="a", collapseKey="b"), "message.android.collapse_key"),
    (android(image="x"), "message.android"),
    (drawn(color="#abc"), "message.android.notification.color"),
    (drawn(color="#00ff00\n"), "message.android.notification.color"),
    (drawn(body_loc_args=["a"]), "message.android.notification.body_loc_args"),
    (drawn(titleLocArgs=["a"]), "message.android.notification.title_loc_args"),
    (drawn(title_loc_key="k", title_loc_args=[1]), "message.android.notification.title_loc_args[0]"),
    (drawn(event_time="2026-01-02 03:04:05"), "message.android.notification.event_time"),
    (drawn(event_time="2026-02-30T03:04:05Z"), "message.android.notification.event_time"),
    (drawn(notification_priority="HIGH"), "message.android.notification.notification_priority"),
    (drawn(visibility="public"), "message.android.notification.visibility"),
    (drawn(proxy="MAYBE"), "message.android.notification.proxy"),
    (drawn(vibrate_timings=["1s", "1"]), "message.android.notification.vibrate_timings[1]"),
    (drawn(notification_count=-1), "message.android.notification.notification_count"),
    (drawn(notification_count=True), "message.android.notification.notification_count"),
    (drawn(sticky=1), "message.android.notification.sticky"),
    (
        drawn(light_settings={"color": {"red": 1.1}}),
        "message.android.notification.light_settings.color.red",
    ),
    (
        drawn(lightSettings={"lightOnDuration": "x"}),
        "message.android.notification.light_settings.light_on_duration",
    ),
    (to_phone(apns={"headers": {"apns-priority": 10}}), "message.apns.headers[0].value"),
    (to_phone(apns={"payload": {"aps": "x"}}), "message.apns.payload.aps"),
    (to_phone(apns={"aps": {}}), "message.apns"),
    (to_phone(webpush={"headers": {"TTL": 5}}), "message.webpush.headers[0].value"),
    (to_phone(webpush={"notification": "x"}), "message.webpush.notification"),
    (to_phone(webpush={"fcm_options": {"link": 1}}), "message.webpush.fcm_options.link"),
    (sent({"token": 7}), "message.token"),
    (sent({"notification": {"title": "Hi"}}), "message"),
    (sent({"token": "a", "topic": "b"}), "message"),
    (sent({"topic": "a b"}), "message.topic"),
    (sent({"condition": "a in topics"}), "message.condition"),
    (sent({"condition": " && ".join(f"'{n}' in topics" for n in range(6))}), "message.condition"),
    (sent({"token": "a"}, priority="high"), ""),
    (sent({"token": "a"}, validate_only="yes"), "validate_only"),
    (sent("Hi"), "message"),
    (sent(None), "message"),
]


@pytest.mark.parametrize(("result", "field"), BAD)
def test_a_wrong_message_is_refused_by_the_name_of_its_field(
    result: Submission | Problem, field: str
) -> None:
    assert blamed(result) == [field]


def test_both_casings_give_the_same_name() -> None:
    assert blamed(android(restrictedPackageName=1)) == blamed(android(restricted_package_name=1))


def test_an_unknown_field_is_found_before_a_missing_target_and_a_wrong_value() -> None:
    result = sent({"colour": "red", "data": {"n": 1}})
    assert blamed(result) == ["message"]
    assert isinstance(result, Problem)
    assert result.message == (
        "Invalid JSON payload received. Unknown name \"colour\" at 'message': Cannot find field."
    )


def test_a_wrong_value_is_quoted_as_fcm_quotes_it() -> None:
    result = to_phone(data={"n": 12})
    assert isinstance(result, Problem)
    assert result.message == "Invalid value at 'message.data[0].value' (TYPE_STRING), 12"


def test_all_wrong_values_are_named() -> None:
    assert blamed(android(ttl="x", priority="y")) == ["message.android.ttl", "message.android.priority"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a":"\xff"}', b"[" * 5000, b'"message"'])
def test_what_is_not_a_json_object_is_refused_without_details(body: bytes) -> None:
    result = checked(body)
    assert isinstance(result, Problem)
    assert result.message.startswith("Invalid JSON payload received.")
    assert result.violations == ()


@pytest.mark.parametrize(
    ("target", "most"), [({"token": "a"}, MOST_BYTES), ({"topic": "news"}, MOST_TOPIC_BYTES)]
)
def test_a_message_may_be_as_large_as_documented_and_no_larger(target: dict[str, str], most: int) -> None:
    room = most - len('{"data":{"k":""}}')
    assert isinstance(sent({**target, "data": {"k": "ü" * (room // 2) + "x" * (room % 2)}}), Submission)
    too_big = sent({**target, "data": {"k": "x" * (room + 1)}})
    assert isinstance(too_big, Problem)
    assert too_big.violations == ()


def test_only_the_largest_platform_block_counts_towards_the_size() -> None:
    blocks = {name: {"data": {"k": "x" * 100}} for name in ("android", "webpush")}
    assert size({"token": "a", **blocks}) == len(msgspec.json.encode({"webpush": blocks["webpush"]}))


def test_a_message_for_a_fid_is_for_a_device() -> None:
    assert sent({"fid": "f" * 22}) == Submission({"fid": "f" * 22}, "f" * 22, False)


def test_validate_only_is_read_in_both_casings() -> None:
    for name in ("validate_only", "validateOnly"):
        assert sent({"token": "a"}, **{name: True}) == Submission({"token": "a"}, "a", True)


@pytest.mark.parametrize("legacy", [{}, {"type": "data"}])
def test_what_our_provider_builds_passes(legacy: dict[str, Any]) -> None:
    account = ServiceAccount("demo-app", "a@demo.example", "key")
    push = PushMessage("Hi", "there", payload={"n": 1, "nested": {"a": None}}, legacy=legacy)
    request = Fcm().build(account, push, Target("m" * 32, "phone-1"), "ya29.x")
    assert isinstance(checked(request.body), Submission)
