"""Public test kit: strict emulators of the provider APIs and the fixtures to use them.

docs/testing-kit.md shows how to use it.
"""

from clarion.testing.certificates import Authority
from clarion.testing.exchange import Delay, GoAway, RefuseStream, Reply, Request, Reset, json_reply
from clarion.testing.faults import Word
from clarion.testing.fcm import AcceptedMessage, FcmEmulator
from clarion.testing.kit import Emulators, EmulatorThread
from clarion.testing.phones import Phones, Shown
from clarion.testing.record import Attempt
from clarion.testing.server import EmulatorServer
from clarion.testing.webhook import Delivery, WebhookReceiver

__all__ = [
    "AcceptedMessage",
    "Attempt",
    "Authority",
    "Delay",
    "Delivery",
    "EmulatorServer",
    "EmulatorThread",
    "Emulators",
    "FcmEmulator",
    "GoAway",
    "Phones",
    "RefuseStream",
    "Reply",
    "Request",
    "Reset",
    "Shown",
    "WebhookReceiver",
    "Word",
    "json_reply",
]
