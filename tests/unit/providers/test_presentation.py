"""How a push looks and travels, in every provider's own words."""

from typing import Any

import msgspec
import pytest

from clarion.model.clock import SECOND
from clarion.model.push import Presentation, PushMessage, Target
from clarion.providers.fcm import Fcm, ServiceAccount
from clarion.providers.huawei import Huawei, HuaweiCredentials
from clarion.providers.onesignal import OneSignal
from clarion.providers.push_webhook import PushWebhook, WebhookCredentials
from clarion.providers.pusher_beams import BeamsCredentials, PusherBeams
from clarion.providers.pushpad import Pushpad, PushpadCredentials

LOOK = Presentation(
    image="https://p.test/i.png",
    icon="bell",
    sound="chime",
    badge=3,
    url="https://shop.test/",
    ttl=600,
    priority="high",
    collapse_id="orders",
    thread="group",
    category="ORDER",
    channel_id="channel",
    mutable=True,
)
TARGET = Target("m" * 32, "token-1", 1_000_000 * SECOND)
ACCOUNT = ServiceAccount("p", "e", "k")
ONE_SIGNAL = OneSignal().credentials(
    {"applicationId": "1" * 8 + "-1111" * 3 + "-" + "1" * 12, "apiKey": "key-1"}
)
CREDENTIALS: dict[Any, Any] = {
    Fcm: ACCOUNT,
    Huawei: HuaweiCredentials("1", "s"),
    OneSignal: ONE_SIGNAL,
    PusherBeams: BeamsCredentials("i", "s"),
    Pushpad: PushpadCredentials("1", "t"),
    PushWebhook: WebhookCredentials("https://r.test/", "s"),
}


def sent(provider: Any, look: Presentation = LOOK, **fields: Any) -> Any:
    message = PushMessage("Title", "Body", {"key": "value"}, presentation=look, **fields)
    request = provider().build(CREDENTIALS[provider], message, TARGET, "token")
    document = msgspec.json.decode(request.body)
    return document.get("message", document) if provider in (Fcm, Huawei) else document


def at(document: Any, path: str) -> Any:
    for key in path.split("/"):
        document = document[key]
    return document


SAID: dict[Any, dict[str, Any]] = {
    Fcm: {
        "notification/image": "https://p.test/i.png",
        "android/notification/icon": "bell",
        "android/notification/sound": "chime",
        "android/notification/channel_id": "channel",
        "android/notification/tag": "orders",
        "android/notification/notification_count": 3,
        "android/collapse_key": "orders",
        "android/priority": "HIGH",
        "android/ttl": "600s",
        "apns/payload/aps/sound": "chime",
        "apns/payload/aps/badge": 3,
        "apns/payload/aps/thread-id": "group",
        "apns/payload/aps/category": "ORDER",
        "apns/payload/aps/mutable-content": 1,
        "apns/headers/apns-collapse-id": "orders",
        "apns/headers/apns-priority": "10",
        "apns/headers/apns-expiration": "1000600",
        "webpush/fcm_options/link": "https://shop.test/",
        "webpush/headers/TTL": "600",
        "webpush/headers/Urgency": "high",
        "data/url": "https://shop.test/",
        "data/key": "value",
    },
    OneSignal: {
        "big_picture": "https://p.test/i.png",
        "ios_attachments/image": "https://p.test/i.png",
        "small_icon": "bell",
        "ios_sound": "chime",
        "ios_badgeType": "SetTo",
        "ios_badgeCount": 3,
        "url": "https://shop.test/",
        "ttl": 600,
        "priority": 10,
        "collapse_id": "orders",
        "web_push_topic": "orders",
        "thread_id": "group",
        "ios_category": "ORDER",
        "existing_android_channel_id": "channel",
        "mutable_content": True,
    },
    PusherBeams: {
        "apns/aps/sound": "chime",
        "apns/aps/badge": 3,
        "apns/aps/category": "ORDER",
        "apns/aps/thread-id": "group",
        "apns/aps/mutable-content": 1,
        "apns/aps/alert/title": "Title",
        "fcm/notification/icon": "bell",
        "fcm/notification/image": "https://p.test/i.png",
        "fcm/notification/android_channel_id": "channel",
        "fcm/notification/tag": "orders",
        "fcm/collapse_key": "orders",
        "fcm/priority": "high",
        "fcm/time_to_live": 600,
        "web/time_to_live": 600,
        "web/notification/deep_link": "https://shop.test/",
        "web/data/url": "https://shop.test/",
    },
    Pushpad: {
        "image_url": "https://p.test/i.png",
        "icon_url": "bell",
        "target_url": "https://shop.test/",
        "ttl": 600,
        "urgent": True,
    },
    Huawei: {
        "android/urgency": "HIGH",
        "android/ttl": "600s",
        "android/notification/image": "https://p.test/i.png",
        "android/notification/icon": "bell",
        "android/notification/badge/set_num": 3,
        "android/notification/channel_id": "channel",
        "android/notification/group": "group",
        "android/notification/tag": "orders",
        "android/notification/click_action": {"type": 2, "url": "https://shop.test/"},
    },
    PushWebhook: {
        "push/image": "https://p.test/i.png",
        "push/collapseId": "orders",
        "push/channelId": "channel",
        "push/badge": 3,
    },
}


@pytest.mark.parametrize(
    ("provider", "path"), [(provider, path) for provider, said in SAID.items() for path in said]
)
def test_each_says_it_in_its_own_words(provider: Any, path: str) -> None:
    assert at(sent(provider), path) == SAID[provider][path]


def test_overrides_of_either_kind_win() -> None:
    legacy = sent(Fcm, legacy={"android": {"ttl": "5s"}, "imageUrl": "https://other.test/"})
    assert legacy["android"]["ttl"] == "5s"
    assert legacy["notification"]["image"] == "https://other.test/"
    assert sent(OneSignal, legacy={"sound": "own"})["ios_sound"] == "own"
    assert sent(Pushpad, override={"targetUrl": "https://other.test/"})["target_url"] == "https://other.test/"


def test_silent_pushes_show_nothing() -> None:
    silent = Presentation(silent=True)
    fcm = sent(Fcm, silent)
    assert "notification" not in fcm
    assert fcm["apns"]["headers"] == {"apns-push-type": "background", "apns-priority": "5"}
    assert fcm["apns"]["payload"]["aps"]["content-available"] == 1
    assert "android" not in sent(Huawei, silent)
    onesignal = sent(OneSignal, silent)
    assert onesignal["content_available"] is True
    assert not {"contents", "headings"} & onesignal.keys()
    beams = sent(PusherBeams, silent)
    assert beams["apns"]["aps"] == {"content-available": 1}
    assert "notification" not in beams["fcm"]


@pytest.mark.parametrize("name", ["topic", "condition", "fid"])
def test_an_override_of_fcm_may_name_another_target(name: str) -> None:
    body = sent(Fcm, Presentation(), override={name: "elsewhere"})
    assert body[name] == "elsewhere"
    assert "token" not in body


def test_an_installation_id_is_a_target_of_its_own_kind() -> None:
    message = PushMessage("Title", "Body")
    request = Fcm().build(ACCOUNT, message, Target("m" * 32, "fid:abc"), "token")
    body = msgspec.json.decode(request.body)["message"]
    assert (body["fid"], "token" in body) == ("abc", False)
