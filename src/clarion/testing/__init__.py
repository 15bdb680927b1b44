"""Public test kit: strict emulators of the provider APIs and the fixtures to use them.

docs/testing-kit.md shows how to use it.
"""

from clarion.testing.apns import ApnsEmulator
from clarion.testing.callbacks import call_back
from clarion.testing.certificates import Authority
from clarion.testing.exchange import Delay, GoAway, RefuseStream, Reply, Request, Reset, json_reply
from clarion.testing.expo import ExpoEmulator
from clarion.testing.faults import Word
from clarion.testing.fcm import AcceptedMessage, FcmEmulator
from clarion.testing.huawei import HuaweiEmulator
from clarion.testing.kit import Emulators, EmulatorThread
from clarion.testing.onesignal import OneSignalEmulator
from clarion.testing.phones import Phones, Shown
from clarion.testing.pusher_beams import BeamsEmulator
from clarion.testing.pushpad import PushpadEmulator
from clarion.testing.record import Attempt
from clarion.testing.server import EmulatorServer
from clarion.testing.web_push import WebPushEmulator
from clarion.testing.webhook import Delivery, WebhookReceiver

__all__ = [
    "AcceptedMessage",
    "ApnsEmulator",
    "Attempt",
    "Authority",
    "BeamsEmulator",
    "Delay",
    "Delivery",
    "EmulatorServer",
    "EmulatorThread",
    "Emulators",
    "ExpoEmulator",
    "FcmEmulator",
    "GoAway",
    "HuaweiEmulator",
    "OneSignalEmulator",
    "Phones",
    "PushpadEmulator",
    "RefuseStream",
    "Reply",
    "Request",
    "Reset",
    "Shown",
    "WebPushEmulator",
    "WebhookReceiver",
    "Word",
    "call_back",
    "json_reply",
]
