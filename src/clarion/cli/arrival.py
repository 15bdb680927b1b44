"""A push as a person reads it on a phone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from clarion.model.clock import SECOND, Millis
from clarion.model.push import Json
from clarion.testing.fcm_fields import reach
from clarion.testing.kit import Seen


class Push(NamedTuple):
    """`payload` is what the app gets beside the text; `at` counts milliseconds since 1970."""

    phone: str
    title: str
    body: str
    payload: Mapping[str, Any]
    at: Millis

    @property
    def time(self) -> str:
        """When it came, on this machine's clock."""
        return datetime.fromtimestamp(self.at / SECOND).astimezone().strftime("%H:%M:%S")


def push_of(seen: Seen) -> Push:
    """What an emulator took, whichever provider it stands for."""
    if seen.provider == "push-webhook":
        body = seen.message
        return Push(seen.token, str(body["title"]), str(body["content"]), body["payload"], seen.at)
    data: Json = reach(seen.message, "data") or {}
    title, text = (_fcm_text(seen.message, data, name) for name in ("title", "body"))
    return Push(seen.token or "topic", title, text, data, seen.at)


def one_line(text: str) -> str:
    """`text` without line breaks and control characters: whoever sends a push doesn't own the terminal."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _fcm_text(message: Json, data: Json, name: str) -> str:
    """As Android shows it: its own block wins over the common one; a silent message has it in its data."""
    own = reach(message, "android", "notification", name)
    return str(own or reach(message, "notification", name) or data.get(name) or "")
