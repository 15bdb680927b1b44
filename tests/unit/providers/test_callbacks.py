"""How calls of providers are known to be theirs, by vectors made elsewhere, and what they tell."""

from typing import Any

import msgspec
import pytest

from clarion.model.callback import Told
from clarion.model.clock import MINUTE
from clarion.model.http import Received
from clarion.model.outcome import Outcome
from clarion.model.push import PushMessage, Target
from clarion.providers.huawei import MOST_BYTES, Huawei, HuaweiCredentials
from clarion.providers.huawei_receipts import BY_RECEIPT, Receipts
from clarion.providers.onesignal import BY_EVENT, Event, OneSignal, OneSignalCredentials
from clarion.providers.port import CallbackProvider
from clarion.providers.pusher_beams import BeamsCallback, BeamsCredentials, PusherBeams
from clarion.providers.registry import PROVIDERS, SECRETS

INSTANCE = "1b880590-6301-4bb5-b34f-45db1c5f5644"
PUBLISH = "pubid-5f0e1b0c-7d8a-4a0b-a9d1-2b8f5e3c9a77"
MESSAGE, GROUP = "0" * 31 + "1", "0" * 31 + "2"

PLAIN = PushMessage("Hi", "there")
BEAMS: CallbackProvider[BeamsCredentials] = PusherBeams()
HUAWEI: CallbackProvider[HuaweiCredentials] = Huawei()
ONE: CallbackProvider[OneSignalCredentials] = OneSignal()

BEAMS_BODY = (
    b'{"payload":{"instance_id":"1b880590-6301-4bb5-b34f-45db1c5f5644",'
    b'"publish_id":"pubid-5f0e1b0c-7d8a-4a0b-a9d1-2b8f5e3c9a77","users_delivered_to_gateway":["user-42"],'
    b'"users_no_devices":["user-77"],"users_gateway_failed":[]},'
    b'"metadata":{"created_at":"2026-01-01T00:00:05+0000","event_type":"v1.PublishToUsersAttempt",'
    b'"event_id":"7b1c1f0e-0f0a-4b7e-9c55-1f5f3a6b2c11","product":"beams"},"custom_data":{}}'
)
BEAMS_SECRET, BEAMS_SIGNATURE = "beams-webhook-secret", "e751728d5e1dd12909f542e451702e75ca299aea"

HUAWEI_KEY, HUAWEI_USER = "receipt-key", "clarion"
SIGNED_AT = 1_563_105_451_261
HUAWEI_VALUE = "JcWY5KZxdH9IGgrksdo4pwKKxMg3DZwtwKNzq2fxUb0="
HUAWEI_HEADER = f"timestamp={SIGNED_AT}; nonce=a07bfa17-6d82-4b53-a9a2-07cfef5ceef1; value={HUAWEI_VALUE}"
HUAWEI_STORED = {"applicationId": "104872311", "secretKey": "s"}
RECEIPTS = {"callbackUser": HUAWEI_USER, "callbackSecret": HUAWEI_KEY}


def beams(**more: str) -> BeamsCredentials:
    return BEAMS.credentials({"instanceId": INSTANCE, "secretKey": "primary", **more})


def huawei(**more: str) -> HuaweiCredentials:
    return HUAWEI.credentials({**HUAWEI_STORED, **RECEIPTS, **more})


def one(**more: str) -> OneSignalCredentials:
    return ONE.credentials({"applicationId": INSTANCE, "apiKey": "key", **more})


def test_a_secret_of_callbacks_is_a_credential_that_is_masked_and_may_be_left_out() -> None:
    calling = [provider for provider in PROVIDERS.values() if isinstance(provider, CallbackProvider)]
    assert {provider.id for provider in calling} == {"huawei", "one-signal", "pusher-beams"}
    for provider in calling:
        (field,) = (field for field in provider.fields if field.key == provider.callback.secret)
        assert (field.kind, field.required) == ("secret", False)
        assert field.key in SECRETS


@pytest.mark.parametrize(
    "credentials", [beams(callbackSecret="hush"), huawei(callbackSecret="hush"), one(callbackSecret="hush")]
)
def test_a_secret_is_not_printed(credentials: Any) -> None:
    assert "hush" not in repr(credentials)


def test_beams_signs_the_body() -> None:
    call = Received({"webhook-signature": BEAMS_SIGNATURE}, BEAMS_BODY)
    assert BEAMS.signed(beams(callbackSecret=BEAMS_SECRET), call, 0)
    assert BEAMS.signed(beams(secretKey=BEAMS_SECRET), call, 0)
    assert not BEAMS.signed(beams(secretKey=BEAMS_SECRET, callbackSecret="own"), call, 0)
    assert not BEAMS.signed(beams(callbackSecret=BEAMS_SECRET), Received(call.headers, BEAMS_BODY + b" "), 0)


@pytest.mark.parametrize(
    ("off", "good"), [(0, True), (15 * MINUTE, True), (-15 * MINUTE, True), (15 * MINUTE + 1, False)]
)
def test_huawei_signs_the_time(off: int, good: bool) -> None:
    call = Received({"x-huawei-callback-id": HUAWEI_HEADER}, b"{}")
    assert HUAWEI.signed(huawei(), call, SIGNED_AT + off) is good
    for other in (
        {"callbackSecret": "x"},
        {"callbackUser": "x"},
        {"callbackUser": ""},
        {"callbackSecret": ""},
    ):
        assert not HUAWEI.signed(huawei(**other), call, SIGNED_AT + off)


@pytest.mark.parametrize(
    ("header", "good"),
    [
        ("Bearer hush", True),
        ("bearer  hush ", True),
        ("Bearer hus", False),
        ("Bearer ", False),
        ("Basic hush", False),
        ("hush", False),
        ("", False),
    ],
)
def test_onesignal_shows_the_secret(header: str, good: bool) -> None:
    call = Received({"authorization": header}, b"{}")
    assert ONE.signed(one(callbackSecret="hush"), call, 0) is good
    assert not ONE.signed(one(), call, 0)


def test_a_publish_to_users_tells_whom_it_missed() -> None:
    said = msgspec.json.decode(BEAMS_BODY, type=BeamsCallback)
    (told,) = BEAMS.told(beams(), said)
    assert (told.token, told.provider_message_id, told.of_device) == ("user-77", PUBLISH, False)
    assert told.verdict is not None
    assert (told.verdict.code, told.verdict.outcome) == ("users_no_devices", Outcome.PAYLOAD_REJECTED)


def test_who_was_reached_on_one_device_was_reached() -> None:
    body = BEAMS_BODY.replace(b'"users_gateway_failed":[]', b'"users_gateway_failed":["user-42","user-1"]')
    told = BEAMS.told(beams(), msgspec.json.decode(body, type=BeamsCallback))
    assert [item.token for item in told] == ["user-77", "user-1"]


@pytest.mark.parametrize(
    ("event", "engaged"),
    [
        ("v1.UserNotificationAcknowledgement", "delivered"),
        ("v1.UserNotificationOpen", "opened"),
        ("v1.UserNotificationLater", None),
    ],
)
def test_a_user_s_phone_tells_what_it_did(event: str, engaged: str | None) -> None:
    body = {"payload": {"publish_id": PUBLISH, "user_id": "u"}, "metadata": {"event_type": event}}
    found = [
        (t.token, t.provider_message_id, t.engaged)
        for t in BEAMS.told(beams(), msgspec.convert(body, BeamsCallback))
    ]
    assert found == ([("u", PUBLISH, engaged)] if engaged else [])


def receipt(**more: Any) -> list[Told]:
    status = {"token": "t", "requestId": "r", "appid": "1", "timestamp": 5, **more}
    return HUAWEI.told(huawei(), msgspec.convert({"statuses": [status]}, Receipts))


@pytest.mark.parametrize(
    ("tag", "message_id", "group_id"),
    [
        (MESSAGE, MESSAGE, ""),
        (f"group-{GROUP}", "", GROUP),
        ("spring-sale", "", ""),
        ("group-sale", "", ""),
        ("", "", ""),
        (None, "", ""),
    ],
)
def test_a_receipt_names_its_message_by_the_tag_that_went_out(
    tag: str | None, message_id: str, group_id: str
) -> None:
    assert receipt(biTag=tag, status=0) == [Told("t", "r", message_id, group_id, "delivered", at=5)]
    second = {"pushType": 0, "deliveryStatus": {"result": 0, "timestamp": 6}}
    assert receipt(biTag=tag, **second) == [Told("t", "r", message_id, group_id, "delivered", at=6)]


@pytest.mark.parametrize("status", [2, 5, 6, 10, 15, 102])
def test_a_receipt_tells_why_a_message_was_not_seen(status: int) -> None:
    (told,) = receipt(status=status)
    assert told.verdict is not None
    assert (told.verdict.code, told.verdict.outcome) == (
        f"receipt_{status}",
        BY_RECEIPT[f"receipt_{status}"][0],
    )
    assert (told.verdict.outcome is Outcome.TOKEN_DEAD) == (status == 2)


@pytest.mark.parametrize("status", [1, 27, None])
def test_an_unknown_status_is_of_no_account(status: int | None) -> None:
    assert receipt(status=status) == []


def bi_tag(credentials: HuaweiCredentials, *, many: bool, message: PushMessage = PLAIN) -> Any:
    provider = Huawei()
    target = Target(MESSAGE, "t", group=GROUP)
    sent = [(message, target)] * 2
    request = (
        provider.build_many(credentials, sent, "")
        if many
        else provider.build(credentials, message, target, "")
    )
    return msgspec.json.decode(request.body)["message"]["android"].get("bi_tag")


def test_a_message_is_tagged_where_receipts_are_set_up() -> None:
    assert bi_tag(huawei(), many=False) == MESSAGE
    assert bi_tag(huawei(), many=True) == f"group-{GROUP}"
    without = huawei(callbackSecret="")
    assert (bi_tag(without, many=False), bi_tag(without, many=True)) == (None, None)
    own = PushMessage("Hi", "there", override={"android": {"bi_tag": "sale"}})
    assert bi_tag(huawei(), many=False, message=own) == "sale"


def test_the_tag_is_weighed() -> None:
    message = PushMessage("Hi", "x" * 3000)
    request = Huawei().build_many(huawei(), [(message, Target(MESSAGE, "t", group=GROUP))], "")
    body = msgspec.json.decode(request.body)["message"]
    del body["token"]
    assert len(msgspec.json.encode(body)) <= Huawei().weight(message) <= MOST_BYTES


def event(kind: str, credentials: OneSignalCredentials, **more: Any) -> list[Told]:
    body = {
        "kind": kind,
        "messageId": "m",
        "subscriptionId": "s",
        "externalId": "x",
        "timestamp": "17",
        **more,
    }
    return ONE.told(credentials, msgspec.convert(body, Event))


def test_an_event_names_the_device_as_its_integration_does() -> None:
    kinds = {"message.push.received": "delivered", "message.push.clicked": "clicked"}
    for kind, engaged in kinds.items():
        for credentials, token in ((one(), "s"), (one(apiVersion="externalId"), "x")):
            (told,) = event(kind, credentials)
            assert (told.token, told.provider_message_id, told.engaged, told.at) == (
                token,
                "m",
                engaged,
                17_000,
            )
    assert event("message.push.sent", one()) == []


def test_what_one_of_a_user_s_devices_missed_says_nothing_of_the_user() -> None:
    for kind, (outcome, _) in BY_EVENT.items():
        (told,) = event(kind, one())
        assert told.verdict is not None
        assert (told.verdict.code, told.verdict.outcome) == (kind, outcome)
        assert told.of_device == (kind == "message.push.unsubscribed")
        assert event(kind, one(apiVersion="externalId")) == []


@pytest.mark.parametrize(("timestamp", "at"), [(17, 17_000), ("", 0), ("soon", 0), ("-1", 0), ("9" * 30, 0)])
def test_a_time_is_read_where_there_is_one(timestamp: Any, at: int) -> None:
    (told,) = event("message.push.received", one(), timestamp=timestamp)
    assert told.at == at
