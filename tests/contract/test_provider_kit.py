"""Every provider passes the kit."""

import secrets
from typing import Any, ClassVar

import msgspec

from clarion.model.http import HttpRequest
from clarion.model.outcome import Outcome
from clarion.model.push import Json, PushMessage, Target
from clarion.providers.apns import Apns
from clarion.providers.expo import Expo
from clarion.providers.fcm import Fcm
from clarion.providers.huawei import Huawei
from clarion.providers.onesignal import OneSignal
from clarion.providers.push_webhook import PushWebhook
from clarion.providers.pusher_beams import PusherBeams
from clarion.providers.pushpad import Pushpad
from clarion.providers.web_push import WebPush, new_keys
from clarion.testing import Emulators, FcmEmulator, WebhookReceiver
from clarion.testing.onesignal import subscription_id
from clarion.testing.provider_kit import ProviderKit
from clarion.testing.web_push import decrypted
from rejections import APNS, EXPO_REQUESTS, EXPO_TICKETS, FCM, HUAWEI, asked_by_code

EMULATORS = Emulators(FcmEmulator(), WebhookReceiver("secret-0123456789"))
HANDLE = staticmethod(EMULATORS.handle)
VAPID = new_keys()


EXPO_TICKETS_KNOWN = {code: wanted for code, wanted in EXPO_TICKETS.items() if code != "SomethingNew"}
HUAWEI_KNOWN = {code: wanted for code, wanted in HUAWEI.items() if code != "89999999"}
GOLDEN_BROWSER = EMULATORS.web_push.subscribe("golden", VAPID["publicKey"])
PLAIN = PushMessage("Title", "Body", {"order": 7})
ID = "0" * 32


class TestFcm(ProviderKit):
    provider = Fcm()
    handle = HANDLE
    stored: ClassVar[Json] = {"serviceAccount": EMULATORS.fcm.service_account()}
    golden: ClassVar[tuple[tuple[PushMessage, Any], ...]] = (
        (
            PLAIN,
            {
                "message": {
                    "token": "phone",
                    "notification": {"title": "Title", "body": "Body"},
                    "android": {"collapse_key": ID, "notification": {"tag": ID}},
                    "apns": {"headers": {"apns-collapse-id": ID}},
                    "webpush": {"headers": {"Topic": ID}},
                    "data": {"order": "7", "__nvMessageId": ID},
                }
            },
        ),
    )
    errors: ClassVar[dict[str, Outcome]] = asked_by_code("fcm", FCM)


class TestApns(ProviderKit):
    provider = Apns()
    handle = HANDLE
    stored: ClassVar[Json] = EMULATORS.apns.credentials()
    golden: ClassVar[tuple[tuple[PushMessage, Any], ...]] = (
        (PLAIN, {"aps": {"alert": {"title": "Title", "body": "Body"}}, "order": 7, "__nvMessageId": ID}),
    )
    errors: ClassVar[dict[str, Outcome]] = asked_by_code("apns", APNS)

    def token(self, word: str) -> str:
        return secrets.token_hex(32) if word == "phone" else super().token(word)


class TestExpo(ProviderKit):
    provider = Expo()
    handle = HANDLE
    stored: ClassVar[Json] = {"apiKey": EMULATORS.expo.access_token}
    errors: ClassVar[dict[str, Outcome]] = asked_by_code("expo", EXPO_REQUESTS) | EXPO_TICKETS_KNOWN
    golden: ClassVar[tuple[tuple[PushMessage, Any], ...]] = (
        (
            PLAIN,
            [
                {
                    "to": ["ExponentPushToken[phone]"],
                    "title": "Title",
                    "body": "Body",
                    "data": {"order": 7, "__nvMessageId": ID},
                    "sound": None,
                    "collapseId": ID,
                    "tag": ID,
                }
            ],
        ),
    )

    def golden_target(self) -> Target:
        return Target(ID, "ExponentPushToken[phone]")

    def token(self, word: str) -> str:
        return f"ExponentPushToken[{super().token(word)}]"


class TestOneSignal(ProviderKit):
    provider = OneSignal()
    handle = HANDLE
    stored: ClassVar[Json] = {
        "applicationId": EMULATORS.onesignal.app_id,
        "apiKey": EMULATORS.onesignal.api_key,
    }
    errors: ClassVar[dict[str, Outcome]] = asked_by_code("one-signal")
    golden: ClassVar[tuple[tuple[PushMessage, Any], ...]] = (
        (
            PLAIN,
            {
                "app_id": EMULATORS.onesignal.app_id,
                "include_subscription_ids": ["70686f6e-6500-0000-0000-000000000000"],
                "headings": {"en": "Title"},
                "contents": {"en": "Body"},
                "data": {"order": 7, "__nvMessageId": ID},
                "ios_badgeType": "Increase",
                "ios_badgeCount": 1,
                "collapse_id": ID,
                "web_push_topic": ID,
                "idempotency_key": "0df37e21-698b-4afc-a3ca-e9ebdc2803df",
            },
        ),
    )

    def golden_target(self) -> Target:
        return Target(ID, subscription_id("phone"))

    def token(self, word: str) -> str:
        return subscription_id(word)


class TestPusherBeams(ProviderKit):
    provider = PusherBeams()
    handle = HANDLE
    stored: ClassVar[Json] = EMULATORS.beams.credentials()
    golden: ClassVar[tuple[tuple[PushMessage, Any], ...]] = (
        (
            PLAIN,
            {
                "users": ["phone"],
                "apns": {
                    "aps": {"alert": {"title": "Title", "body": "Body"}},
                    "data": {"order": 7, "__nvMessageId": ID},
                },
                "fcm": {
                    "notification": {"tag": ID, "title": "Title", "body": "Body"},
                    "data": {"order": "7", "__nvMessageId": ID},
                },
                "web": {
                    "notification": {"title": "Title", "body": "Body"},
                    "data": {"order": 7, "__nvMessageId": ID},
                },
            },
        ),
    )
    tells_dead = False
    errors: ClassVar[dict[str, Outcome]] = asked_by_code("pusher-beams")


class TestPushpad(ProviderKit):
    provider = Pushpad()
    handle = HANDLE
    stored: ClassVar[Json] = EMULATORS.pushpad.credentials()
    golden: ClassVar[tuple[tuple[PushMessage, Any], ...]] = (
        (
            PLAIN,
            {
                "uids": ["phone"],
                "title": "Title",
                "body": "Body",
                "custom_data": f'{{"order":7,"__nvMessageId":"{ID}"}}',
            },
        ),
    )
    tells_dead = False
    errors: ClassVar[dict[str, Outcome]] = asked_by_code("pushpad")


class TestPushWebhook(ProviderKit):
    provider = PushWebhook()
    handle = HANDLE
    stored: ClassVar[Json] = {
        "webhookUrl": "https://receiver.test/webhook",
        "secretKey": "secret-0123456789",
    }
    errors: ClassVar[dict[str, Outcome]] = asked_by_code("push-webhook")
    golden: ClassVar[tuple[tuple[PushMessage, Any], ...]] = (
        (
            PLAIN,
            {
                "target": ["phone"],
                "title": "Title",
                "content": "Body",
                "overrides": {},
                "payload": {"order": 7, "__nvMessageId": ID, "subscriber": {}, "step": {}},
            },
        ),
    )


class TestWebPush(ProviderKit):
    provider = WebPush()
    handle = HANDLE
    stored: ClassVar[Json] = {**VAPID, "subject": "mailto:kit@example.com"}
    errors: ClassVar[dict[str, Outcome]] = asked_by_code("web-push")
    golden: ClassVar[tuple[tuple[PushMessage, Any], ...]] = (
        (PLAIN, {"title": "Title", "body": "Body", "tag": ID, "data": {"order": 7, "__nvMessageId": ID}}),
    )

    def golden_target(self) -> Target:
        return Target(ID, GOLDEN_BROWSER)

    def content(self, request: HttpRequest) -> Any:
        browser = EMULATORS.web_push._browsers["golden"]
        return msgspec.json.decode(decrypted(request.body, browser) or b"")

    def token(self, word: str) -> str:
        return EMULATORS.web_push.subscribe(super().token(word), VAPID["publicKey"])


class TestHuawei(ProviderKit):
    provider = Huawei()
    handle = HANDLE
    stored: ClassVar[Json] = EMULATORS.huawei.credentials()
    errors: ClassVar[dict[str, Outcome]] = asked_by_code("huawei") | HUAWEI_KNOWN
    golden: ClassVar[tuple[tuple[PushMessage, Any], ...]] = (
        (
            PLAIN,
            {
                "validate_only": False,
                "message": {
                    "token": ["phone"],
                    "android": {
                        "notification": {
                            "title": "Title",
                            "body": "Body",
                            "tag": ID,
                            "click_action": {"type": 3},
                        }
                    },
                    "data": f'{{"order":7,"__nvMessageId":"{ID}"}}',
                },
            },
        ),
    )
