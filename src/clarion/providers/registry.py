"""Every provider Clarion knows, by id."""

from collections.abc import Mapping
from typing import Any

from clarion.providers.apns import Apns
from clarion.providers.appio import AppIo
from clarion.providers.expo import Expo
from clarion.providers.fcm import Fcm
from clarion.providers.huawei import Huawei
from clarion.providers.onesignal import OneSignal
from clarion.providers.port import Provider
from clarion.providers.push_webhook import PushWebhook
from clarion.providers.pusher_beams import PusherBeams
from clarion.providers.pushpad import Pushpad
from clarion.providers.sandbox import Sandbox
from clarion.providers.web_push import WebPush

_ALL: tuple[Provider[Any], ...] = (
    Fcm(),
    Apns(),
    Expo(),
    OneSignal(),
    PusherBeams(),
    Pushpad(),
    PushWebhook(),
    WebPush(),
    Huawei(),
    Sandbox(),
    AppIo(),
)
SECRETS = frozenset({"apiKey", "apiToken", "secretKey", "token", "password", "serviceAccount", "user"}) | {
    field.key for provider in _ALL for field in provider.fields if field.is_secret
}
"""Credential keys that are never shown in full, those of Novu's that Clarion has no use for included."""

PROVIDERS: Mapping[str, Provider[Any]] = {provider.id: provider for provider in _ALL}
