"""Every provider passes the kit."""

import secrets
from typing import ClassVar

from clarion.model.outcome import Outcome
from clarion.model.push import Json, PushMessage
from clarion.providers.apns import Apns
from clarion.providers.expo import Expo
from clarion.providers.fcm import Fcm
from clarion.providers.huawei import Huawei
from clarion.providers.onesignal import OneSignal
from clarion.providers.push_webhook import PushWebhook
from clarion.providers.pusher_beams import PusherBeams
from clarion.providers.pushpad import Pushpad
from clarion.providers.web_push import WebPush, new_keys
from clarion.testing import Emulators, FcmEmulator, WebhookReceiver, Word
from clarion.testing.onesignal import subscription_id
from clarion.testing.provider_kit import ProviderKit

EMULATORS = Emulators(FcmEmulator(), WebhookReceiver("secret-0123456789"))
HANDLE = staticmethod(EMULATORS.handle)
VAPID = new_keys()


PLAIN = PushMessage("Title", "Body", {"order": 7})
ID = "0" * 32


class TestFcm(ProviderKit):
    provider = Fcm()
    handle = HANDLE
    stored: ClassVar[Json] = {"serviceAccount": EMULATORS.fcm.service_account()}
    golden: ClassVar[tuple[tuple[PushMessage, Json], ...]] = (
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


class TestApns(ProviderKit):
    provider = Apns()
    handle = HANDLE
    stored: ClassVar[Json] = EMULATORS.apns.credentials()
    golden: ClassVar[tuple[tuple[PushMessage, Json], ...]] = (
        (PLAIN, {"aps": {"alert": {"title": "Title", "body": "Body"}}, "order": 7, "__nvMessageId": ID}),
    )

    def token(self, word: str) -> str:
        return secrets.token_hex(32) if word == "phone" else super().token(word)


class TestExpo(ProviderKit):
    provider = Expo()
    handle = HANDLE
    stored: ClassVar[Json] = {"apiKey": EMULATORS.expo.access_token}

    def token(self, word: str) -> str:
        return f"ExponentPushToken[{super().token(word)}]"


class TestOneSignal(ProviderKit):
    provider = OneSignal()
    handle = HANDLE
    stored: ClassVar[Json] = {
        "applicationId": EMULATORS.onesignal.app_id,
        "apiKey": EMULATORS.onesignal.api_key,
    }

    def token(self, word: str) -> str:
        return subscription_id(word)


class TestPusherBeams(ProviderKit):
    provider = PusherBeams()
    handle = HANDLE
    stored: ClassVar[Json] = EMULATORS.beams.credentials()
    golden: ClassVar[tuple[tuple[PushMessage, Json], ...]] = (
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


class TestPushpad(ProviderKit):
    provider = Pushpad()
    handle = HANDLE
    stored: ClassVar[Json] = EMULATORS.pushpad.credentials()
    golden: ClassVar[tuple[tuple[PushMessage, Json], ...]] = (
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


class TestPushWebhook(ProviderKit):
    provider = PushWebhook()
    handle = HANDLE
    stored: ClassVar[Json] = {
        "webhookUrl": "https://receiver.test/webhook",
        "secretKey": "secret-0123456789",
    }


class TestWebPush(ProviderKit):
    provider = WebPush()
    handle = HANDLE
    stored: ClassVar[Json] = {**VAPID, "subject": "mailto:kit@example.com"}

    def token(self, word: str) -> str:
        return EMULATORS.web_push.subscribe(super().token(word), VAPID["publicKey"])


class TestHuawei(ProviderKit):
    provider = Huawei()
    handle = HANDLE
    stored: ClassVar[Json] = EMULATORS.huawei.credentials()
    words: ClassVar[dict[Word, Outcome]] = {}
