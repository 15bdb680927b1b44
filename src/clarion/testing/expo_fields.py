"""The fields of an Expo push message as data, and the checks Expo makes of them.

https://docs.expo.dev/push-notifications/sending-notifications/#message-request-format
"""

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from clarion.model.push import Json

Check: TypeAlias = Callable[[Any], str]
"""What a value must be, worded as Expo does; empty when it is."""

_TOKEN = re.compile(r"Expo(nent)?PushToken\[([^\s\]]+)\]|[a-z0-9]{8}(-[a-z0-9]{4}){3}-[a-z0-9]{12}", re.I)


def inner(token: str) -> str | None:
    """What a token's brackets hold, where fault words are; None for what can't be a token."""
    form = _TOKEN.fullmatch(token)
    return (form[2] or token) if form else None


def _typed(words: str, *types: type) -> Check:
    """A JSON type. A boolean is no number, although Python says so."""

    def check(value: Any) -> str:
        right = isinstance(value, types) and (bool in types or not isinstance(value, bool))
        return "" if right else words

    return check


def _one_of(*names: str) -> Check:
    listed = ", ".join(names)
    return lambda value: "" if isinstance(value, str) and value in names else f"must be one of [{listed}]."


_text = _typed("must be a string.", str)
_whole = _typed("must be an integer.", int)
_flag = _typed("must be a boolean.", bool)
_object = _typed("must be of type object.", dict)
_volume = _typed("must be a number.", int, float)


def _sound(value: Any) -> str:
    """A name, nothing, or a critical alert's `{critical, name, volume}`."""
    if value is None or isinstance(value, str):
        return ""
    return _parts(value, {"critical": _flag, "name": _text, "volume": _volume})


def _image(value: Any) -> str:
    return _parts(value, {"image": _text})


def _parts(value: Any, checks: dict[str, Check]) -> str:
    if not isinstance(value, dict):
        return "must be of type object."
    wrong = [key for key, part in value.items() if key not in checks or checks[key](part)]
    return f"has a wrong field {wrong[0]}." if wrong else ""


def _recipients(value: Any) -> str:
    several = value if isinstance(value, list) else [value]
    right = several and all(isinstance(token, str) for token in several)
    return "" if right else "must be a string or an array of strings."


FIELDS: dict[str, Check] = {
    "to": _recipients,
    "data": _object,
    "title": _text,
    "subtitle": _text,
    "body": _text,
    "ttl": _whole,
    "expiration": _whole,
    "priority": _one_of("default", "normal", "high"),
    "sound": _sound,
    "badge": _whole,
    "interruptionLevel": _one_of("active", "critical", "passive", "time-sensitive"),
    "channelId": _text,
    "icon": _text,
    "richContent": _image,
    "categoryId": _text,
    "mutableContent": _flag,
    "collapseId": _text,
    "tag": _text,
    "_contentAvailable": _flag,
    "_displayInForeground": _flag,
}


def trouble(message: Any, place: int) -> str:
    """The first wrong field of a message, as Expo words it; empty when all are right."""
    if not isinstance(message, dict):
        return f'"[{place}]" must be of type object.'
    if "to" not in message:
        return f'"[{place}].to" is required.'
    for name, value in message.items():
        check = FIELDS.get(name)
        wrong = check(value) if check else "is not allowed."
        if wrong:
            return f'"[{place}].{name}" {wrong}'
    return ""


def recipients(message: Json) -> list[str]:
    """The tokens of a message that passed."""
    to: str | list[str] = message["to"]
    return to if isinstance(to, list) else [to]
