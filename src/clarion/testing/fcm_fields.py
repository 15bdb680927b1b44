"""The fields of an FCM v1 send request as data, and the checks FCM makes of them.

https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
Names are accepted in snake case and in camel case, as protobuf JSON is; violations name the former.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

import msgspec

from clarion.model.push import Json

MOST_BYTES = 4096
MOST_TOPIC_BYTES = 2048
MOST_SECONDS = 28 * 24 * 3600
"""The longest time to live: 28 days."""


class Violation(NamedTuple):
    """One wrong field. `unknown` ones are found while parsing, before any value is looked at."""

    field: str
    description: str
    unknown: bool = False


class Submission(NamedTuple):
    """A request that passed; `token` is empty for a topic or a condition."""

    message: Json
    token: str
    validate_only: bool


class Problem(NamedTuple):
    """Why a request is refused with 400. Without violations FCM gives no details."""

    message: str
    violations: tuple[Violation, ...] = ()


Check: TypeAlias = Callable[[Any, str, list[Violation]], None]


def _wrong(path: str, kind: str, value: Any) -> Violation:
    shown = msgspec.json.encode(value).decode()[:100]
    return Violation(path, f"Invalid value at '{path}' ({kind}), {shown}")


def _typed(kind: str, types: type | tuple[type, ...]) -> Check:
    """A JSON type. A boolean is no number, although Python says so."""

    def check(value: Any, path: str, found: list[Violation]) -> None:
        if not isinstance(value, types) or (isinstance(value, bool) and types is not bool):
            found.append(_wrong(path, kind, value))

    return check


def _held(kind: str, holds: Callable[[str], Any]) -> Check:
    """A text for which `holds` is true."""

    def check(value: Any, path: str, found: list[Violation]) -> None:
        if not isinstance(value, str) or not holds(value):
            found.append(_wrong(path, kind, value))

    return check


def _matching(pattern: str) -> Check:
    return _held(f"must match {pattern}", re.compile(pattern).fullmatch)


def _one_of(*names: str, any_case: bool = False) -> Check:
    return _held("TYPE_ENUM", lambda value: (value.upper() if any_case else value) in names)


def _lasting(most: float = float("inf")) -> Check:
    """A protobuf duration, `3.5s`, of at most so many seconds."""
    form = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?s")
    return _held(
        "type.googleapis.com/google.protobuf.Duration", lambda v: form.fullmatch(v) and float(v[:-1]) <= most
    )


def _is_moment(value: str) -> bool:
    """RFC 3339 in UTC."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", value, re.ASCII):
        return False
    try:
        datetime.fromisoformat(value[:19])
    except ValueError:
        return False
    return True


def _is_condition(value: str) -> bool:
    """Topics joined by operators, five at most."""
    topics = _TOPIC_TERM.findall(value)
    return 1 <= len(topics) <= 5 and not _TOPIC_TERM.sub("", value).strip(" ()!&|")


_TOPIC_TERM = re.compile(r"'[a-zA-Z0-9\-_.~%]+' in topics")


def _between(least: float, most: float) -> Check:
    """A number in a range, ends included."""

    def check(value: Any, path: str, found: list[Violation]) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            found.append(_wrong(path, f"a number from {least} to {most}", value))

    return check


def _count(value: Any, path: str, found: list[Violation]) -> None:
    """A whole number ≥ 0 in 32 bits."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        found.append(_wrong(path, "TYPE_INT32", value))


def _each(check: Check) -> Check:
    """A list, every item of which passes."""

    def check_all(value: Any, path: str, found: list[Violation]) -> None:
        if not isinstance(value, list):
            found.append(_wrong(path, "a list", value))
            return
        for place, item in enumerate(value):
            check(item, f"{path}[{place}]", found)

    return check_all


def _is_reserved(key: str) -> bool:
    return key in ("from", "message_type") or key.startswith(("google", "gcm"))


def _texts(refused: Callable[[str], bool] = lambda key: False) -> Check:
    """Text to text; keys that `refused` says yes to are reserved."""

    def check(value: Any, path: str, found: list[Violation]) -> None:
        if not isinstance(value, dict):
            found.append(_wrong(path, "a map", value))
            return
        for place, (key, entry) in enumerate(value.items()):
            if not isinstance(entry, str):
                found.append(_wrong(f"{path}[{place}].value", "TYPE_STRING", entry))
            if refused(key):
                found.append(Violation(f"{path}[{place}].key", f"Invalid data payload key: {key}"))

    return check


class Fields:
    """An object with known fields. `needs` maps a field to the one it is useless without."""

    def __init__(self, checks: Mapping[str, Check], needs: Mapping[str, str] | None = None) -> None:
        self._needs = dict(needs or {})
        self._by_name = {name: (name, check) for name, check in checks.items()}
        self._by_name |= {_camel(name): (name, check) for name, check in checks.items()}

    def __call__(self, value: Any, path: str, found: list[Violation]) -> None:
        if not isinstance(value, dict):
            found.append(_wrong(path, "an object", value))
            return
        seen = set()
        for given, inner in value.items():
            known = self._by_name.get(given)
            if known is None:
                found.append(_unknown(given, path))
                continue
            name, check = known
            if name in seen:
                found.append(Violation(f"{path}.{name}", f"'{path}.{name}' is given twice, in both casings"))
            seen.add(name)
            if inner is not None:
                check(inner, f"{path}.{name}", found)
        for name, other in self._needs.items():
            if name in seen and other not in seen:
                found.append(Violation(f"{path}.{name}", f"'{path}.{name}' needs '{other}'"))


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def _unknown(name: str, path: str) -> Violation:
    where = f" at '{path}'" if path else ""
    text = f'Invalid JSON payload received. Unknown name "{name[:100]}"{where}: Cannot find field.'
    return Violation(path, text, unknown=True)


_text = _typed("TYPE_STRING", str)
_flag = _typed("TYPE_BOOL", bool)
_object = _typed("type.googleapis.com/google.protobuf.Struct", dict)
_label = _matching(r"[a-zA-Z0-9\-_.~%]{1,50}")
_options = Fields({"analytics_label": _label})
_share = _between(0, 1)


def _apns_payload(value: Any, path: str, found: list[Violation]) -> None:
    """The app's own object; only `aps` is Apple's."""
    if not isinstance(value, dict):
        found.append(_wrong(path, "type.googleapis.com/google.protobuf.Struct", value))
    elif not isinstance(value.get("aps", {}), dict):
        found.append(_wrong(f"{path}.aps", "an object", value["aps"]))


NOTIFICATION = Fields({"title": _text, "body": _text, "image": _text})

LIGHT_SETTINGS = Fields(
    {
        "color": Fields({"red": _share, "green": _share, "blue": _share, "alpha": _share}),
        "light_on_duration": _lasting(),
        "light_off_duration": _lasting(),
    }
)

ANDROID_NOTIFICATION = Fields(
    {
        **dict.fromkeys(
            ("title", "body", "icon", "sound", "tag", "click_action", "channel_id", "ticker", "image"), _text
        ),
        "color": _matching("#[0-9a-fA-F]{6}"),
        "body_loc_key": _text,
        "title_loc_key": _text,
        "body_loc_args": _each(_text),
        "title_loc_args": _each(_text),
        **dict.fromkeys(
            ("sticky", "local_only", "default_sound", "default_vibrate_timings", "default_light_settings"),
            _flag,
        ),
        "event_time": _held("type.googleapis.com/google.protobuf.Timestamp", _is_moment),
        "notification_priority": _one_of(
            *(f"PRIORITY_{name}" for name in ("UNSPECIFIED", "MIN", "LOW", "DEFAULT", "HIGH", "MAX"))
        ),
        "vibrate_timings": _each(_lasting()),
        "visibility": _one_of("PRIVATE", "PUBLIC", "SECRET"),
        "notification_count": _count,
        "light_settings": LIGHT_SETTINGS,
        "proxy": _one_of("ALLOW", "DENY", "IF_PRIORITY_LOWERED"),
    },
    needs={"body_loc_args": "body_loc_key", "title_loc_args": "title_loc_key"},
)

ANDROID = Fields(
    {
        "collapse_key": _text,
        "priority": _one_of("NORMAL", "HIGH", any_case=True),
        "ttl": _lasting(MOST_SECONDS),
        "restricted_package_name": _text,
        "data": _texts(_is_reserved),
        "direct_boot_ok": _flag,
        "bandwidth_constrained_ok": _flag,
        "restricted_satellite_ok": _flag,
        "fcm_options": _options,
        "notification": ANDROID_NOTIFICATION,
    }
)

APNS = Fields(
    {
        "headers": _texts(),
        "payload": _apns_payload,
        "fcm_options": Fields({"analytics_label": _label, "image": _text}),
        "live_activity_token": _text,
    }
)

WEBPUSH = Fields(
    {
        "headers": _texts(),
        "data": _texts(),
        "notification": _object,
        "fcm_options": Fields({"analytics_label": _label, "link": _text}),
    }
)

MESSAGE = Fields(
    {
        "token": _text,
        "fid": _text,
        "topic": _matching(r"[a-zA-Z0-9\-_.~%]+"),
        "condition": _held("a condition over at most 5 topics", _is_condition),
        "notification": NOTIFICATION,
        "data": _texts(_is_reserved),
        "fcm_options": _options,
        "android": ANDROID,
        "apns": APNS,
        "webpush": WEBPUSH,
    }
)

TARGETS = ("token", "fid", "topic", "condition")
PLATFORMS = ("android", "apns", "webpush")
_TOP = frozenset({"message", "validate_only", "validateOnly"})


def reach(message: Json, *names: str) -> Any:
    """The value under a path of snake case names, whichever casing was sent; None when there is none."""
    value: Any = message
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name, value.get(_camel(name)))
    return value


def checked(body: bytes) -> Submission | Problem:
    """What a request body asks for, or the first kind of wrong that FCM would find in it."""
    request = _parsed(body)
    if isinstance(request, Problem):
        return request
    found: list[Violation] = []
    message = request.get("message")
    MESSAGE({} if message is None else message, "message", found)
    unknown = [_unknown(name, "") for name in request if name not in _TOP]
    unknown += [violation for violation in found if violation.unknown]
    validate_only = reach(request, "validate_only") or False
    if not isinstance(validate_only, bool):
        unknown.append(_wrong("validate_only", "TYPE_BOOL", validate_only))
    if unknown:
        return _problem(unknown)
    if not isinstance(message, dict):
        return _problem(found) if found else _problem([_NO_TARGET])
    return _without_unknown(message, validate_only, found)


def _without_unknown(message: Json, validate_only: bool, found: list[Violation]) -> Submission | Problem:
    targets = [name for name in TARGETS if message.get(name) is not None]
    if len(targets) != 1:
        return _problem([_two_targets(targets) if targets else _NO_TARGET])
    if found:
        return _problem(found)
    if size(message) > (MOST_BYTES if targets[0] in ("token", "fid") else MOST_TOPIC_BYTES):
        return Problem("Android message is too big")
    return Submission(message, str(message.get("token") or message.get("fid") or ""), validate_only)


def _parsed(body: bytes) -> Json | Problem:
    try:
        request = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        return Problem(f"Invalid JSON payload received. {error}"[:300])
    if not isinstance(request, dict):
        return Problem("Invalid JSON payload received. Root element must be a message.")
    return request


def _problem(violations: list[Violation]) -> Problem:
    return Problem("\n".join(violation.description for violation in violations), tuple(violations))


_NO_TARGET = Violation("message", "Recipient of the message is not set.")


def _two_targets(names: list[str]) -> Violation:
    text = f"Invalid value at 'message' (oneof), oneof field 'target' is already set. Cannot set '{names[1]}'"
    return Violation("message", text)


def size(message: Json) -> int:
    """UTF-8 bytes of what FCM forwards: notification, data and the largest platform block, as JSON."""
    shared = {name: message[name] for name in ("notification", "data") if name in message}
    blocks = [{name: message[name]} for name in PLATFORMS if name in message] or [{}]
    return max(len(msgspec.json.encode(shared | block)) for block in blocks)
