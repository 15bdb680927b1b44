"""The device's view: what a person sees after an app or its system has shown repeats once."""

from collections import defaultdict
from collections.abc import Hashable, Iterator
from typing import NamedTuple

import msgspec

from clarion.model.clock import Millis
from clarion.model.push import Json
from clarion.testing.fcm import AcceptedMessage, FcmEmulator
from clarion.testing.fcm_fields import reach
from clarion.testing.webhook import Delivery, WebhookReceiver

MESSAGE_ID = "__nvMessageId"
"""Where a message's own id travels, in FCM data and in a webhook's payload."""

COLLAPSING = (
    ("android", "notification", "tag"),
    ("android", "collapse_key"),
    ("apns", "headers", "apns-collapse-id"),
    ("webpush", "headers", "Topic"),
)
"""What makes one FCM message replace another on Android, iOS and in browsers."""


class Shown(msgspec.Struct, frozen=True):
    """One entry of a device's list. `message_id` is Clarion's, empty when the message carries none."""

    title: str
    body: str
    data: Json
    message_id: str
    at: Millis


class _Notice(NamedTuple):
    """An arrival and the keys under which a later one counts as the same."""

    shown: Shown
    keys: tuple[Hashable, ...]


class _Screen:
    """One device: a repeat takes the place of what it repeats."""

    def __init__(self) -> None:
        self.shown: list[Shown] = []
        self.repeats = 0
        self._places: dict[Hashable, int] = {}

    def take(self, notice: _Notice) -> None:
        places = [self._places[key] for key in notice.keys if key in self._places]
        place = places[0] if places else len(self.shown)
        if places:
            self.shown[place] = notice.shown
            self.repeats += 1
        else:
            self.shown.append(notice.shown)
        self._places |= dict.fromkeys(notice.keys, place)


class Phones:
    """All devices that the emulators' messages went to. Follows the emulators, their resets included."""

    def __init__(self, fcm: FcmEmulator, webhook: WebhookReceiver | None = None) -> None:
        self._fcm = fcm
        self._webhook = webhook or WebhookReceiver()
        self._forget()

    def shown(self, token: str) -> list[Shown]:
        """What stands on the device, oldest first; a repeat has replaced what it repeats."""
        self._catch_up()
        return list(self._screens[token].shown) if token in self._screens else []

    def repeats(self, token: str) -> int:
        """How many messages only replaced one that was shown already."""
        self._catch_up()
        return self._screens[token].repeats if token in self._screens else 0

    @property
    def tokens(self) -> list[str]:
        """Every device that something was shown on."""
        self._catch_up()
        return list(self._screens)

    def _catch_up(self) -> None:
        if self._epochs != self._current_epochs():
            self._forget()
        for message in self._fcm.messages[self._messages_seen :]:
            self._messages_seen += 1
            self._screens[message.token].take(_fcm_notice(message))
        for delivery in self._webhook.deliveries[self._deliveries_seen :]:
            self._deliveries_seen += 1
            for token, notice in _webhook_notices(delivery):
                self._screens[token].take(notice)

    def _forget(self) -> None:
        self._epochs = self._current_epochs()
        self._screens: defaultdict[str, _Screen] = defaultdict(_Screen)
        self._messages_seen = 0
        self._deliveries_seen = 0

    def _current_epochs(self) -> tuple[int, int]:
        return self._fcm.record.epoch, self._webhook.record.epoch


def _fcm_notice(accepted: AcceptedMessage) -> _Notice:
    message = accepted.message
    data: Json = reach(message, "android", "data") or reach(message, "data") or {}
    message_id = str(data.get(MESSAGE_ID, ""))
    collapsing = [(path, value) for path in COLLAPSING if (value := reach(message, *path))]
    title = _first(message, "title") or str(data.get("title", ""))
    body = _first(message, "body") or str(data.get("body", ""))
    shown = Shown(title, body, data, message_id, accepted.at)
    return _Notice(shown, (*collapsing, *_id_key(message_id)))


def _first(message: Json, name: str) -> str:
    """A notification's text as Android shows it: its own block wins over the common one."""
    own = reach(message, "android", "notification", name)
    return str(own or reach(message, "notification", name) or "")


def _webhook_notices(delivery: Delivery) -> Iterator[tuple[str, _Notice]]:
    payload = delivery.body["payload"]
    message_id = str(payload.get(MESSAGE_ID, ""))
    shown = Shown(delivery.title, delivery.content, payload, message_id, delivery.at)
    for token in delivery.targets:
        yield token, _Notice(shown, _id_key(message_id))


def _id_key(message_id: str) -> tuple[Hashable, ...]:
    return ((MESSAGE_ID, message_id),) if message_id else ()
