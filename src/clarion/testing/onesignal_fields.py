"""The fields of a OneSignal message as data, and the checks OneSignal makes of them.

https://documentation.onesignal.com/reference/push-notification
"""

import re
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from clarion.model.push import Json

Check: TypeAlias = Callable[[Any], bool]
"""Whether a value is right."""

MOST_IDS = 2000
MOST_DATA_BYTES = 2048
MOST_METADATA_BYTES = 3500
MOST_TTL = 2_419_200
MOST_COLLAPSE_ID = 64

NO_APP_ID = "app_id not found. You may be missing a Content-Type: application/json header."
NO_TARGET = "You must include which players, segments, or tags you wish to send this notification to."
NO_CONTENTS = "Message Notifications must have English language content"
DATA_TOO_LONG = "Data Data must be no more than 2048 bytes long"
METADATA_TOO_LONG = "Option Metadata must not exceed 3500 bytes."

UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_UUID_4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _list(value: Any) -> bool:
    return isinstance(value, list)


def _languages(value: Any) -> bool:
    """Language to text, English among them."""
    return _texts_by_name(value) and "en" in value


def _texts_by_name(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _ids(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) and entry for entry in value)


def _aliases(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(_ids(entries) for entries in value.values())


def _between(least: float, most: float) -> Check:
    return lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most
    )


def _seconds(value: Any) -> bool:
    return _whole(value) and 0 <= value <= MOST_TTL


def _one_of(*names: str) -> Check:
    return lambda value: isinstance(value, str) and value in names


def _up_to(most: int) -> Check:
    return lambda value: isinstance(value, str) and len(value) <= most


def _at_most_3(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 3


def _uuid(value: Any) -> bool:
    return isinstance(value, str) and UUID_FORM.fullmatch(value) is not None


def _uuid_4(value: Any) -> bool:
    return isinstance(value, str) and _UUID_4.fullmatch(value) is not None


SUBSCRIPTIONS = ("include_subscription_ids", "include_player_ids")
RAW_TOKENS = (
    "include_ios_tokens",
    "include_android_reg_ids",
    "include_amazon_reg_ids",
    "include_wp_wns_uris",
    "include_chrome_reg_ids",
    "include_chrome_web_reg_ids",
    "include_huawei_tokens",
)
METHODS = (
    *SUBSCRIPTIONS,
    "include_aliases",
    "include_external_user_ids",
    "included_segments",
    "filters",
    *RAW_TOKENS,
)
"""Ways to say to whom; a request uses one."""

_TEXTS = (
    *("url", "web_url", "app_url", "big_picture", "huawei_big_picture", "chrome_web_image", "global_image"),
    *("small_icon", "large_icon", "chrome_web_icon", "firefox_icon", "chrome_icon", "chrome_web_badge"),
    *("ios_sound", "android_sound", "android_channel_id", "existing_android_channel_id", "ios_category"),
    *("web_push_topic", "thread_id", "android_group", "send_after", "delayed_option"),
    *("delivery_time_of_day", "template_id", "external_id", "channel_for_external_user_ids"),
)
_FLAGS = (
    *("content_available", "mutable_content", "isIos", "isAndroid", "isHuawei", "isAnyWeb", "isChromeWeb"),
    *("isFirefox", "isSafari", "isWP_WNS", "isAdm", "isChrome"),
)

FIELDS: dict[str, Check] = {
    **dict.fromkeys(_TEXTS, _text),
    **dict.fromkeys(_FLAGS, _flag),
    **dict.fromkeys((*SUBSCRIPTIONS, "include_external_user_ids", *RAW_TOKENS), _ids),
    **dict.fromkeys(("included_segments", "excluded_segments"), _ids),
    "include_aliases": _aliases,
    "target_channel": _one_of("push"),
    "filters": _list,
    "app_id": _uuid,
    "contents": _languages,
    "headings": _languages,
    "subtitle": _languages,
    "android_group_message": _languages,
    "data": _object,
    "custom_data": _object,
    "ios_attachments": _texts_by_name,
    "ios_badgeType": _one_of("None", "SetTo", "Increase"),
    "ios_badgeCount": _whole,
    "buttons": _at_most_3,
    "web_buttons": _list,
    "collapse_id": _up_to(MOST_COLLAPSE_ID),
    "ttl": _seconds,
    "priority": _between(0, 10),
    "ios_interruption_level": _one_of("active", "passive", "time_sensitive", "critical"),
    "ios_relevance_score": _between(0, 1),
    "apns_push_type_override": _one_of("voip"),
    "throttle_rate_per_minute": _whole,
    "name": _up_to(128),
    "idempotency_key": _uuid_4,
}

_NO_METADATA = frozenset({*METHODS, "app_id", "contents", "headings", "subtitle", "idempotency_key"})


def unknown(message: Json) -> list[str]:
    """The keys that OneSignal ignores without a word."""
    return [name for name in message if name not in FIELDS]


def trouble(message: Json, most_ids: int = MOST_IDS) -> str:
    """What is wrong with a message of a known app, in the server's words where they are known."""
    methods = [name for name in METHODS if message.get(name)]
    if not methods:
        return NO_TARGET
    if len(methods) > 1:
        return f"Only one targeting method may be used, not {' and '.join(methods)}."
    wrong = [name for name, value in message.items() if not _holds(name, value)]
    if wrong:
        return NO_CONTENTS if wrong[0] == "contents" else f"{wrong[0]} has a wrong value."
    return _of_method(message, methods[0], most_ids) or _of_content(message)


def targets(message: Json) -> list[str]:
    """The ids a message names, in order."""
    aliases = message.get("include_aliases") or {}
    lists = [message.get(name) or [] for name in (*SUBSCRIPTIONS, "include_external_user_ids", *RAW_TOKENS)]
    return [entry for entries in (*lists, *aliases.values()) for entry in entries]


def _holds(name: str, value: Any) -> bool:
    """Null is absence, and what is unknown is ignored."""
    check = FIELDS.get(name)
    return check is None or value is None or check(value)


def _of_method(message: Json, method: str, most_ids: int) -> str:
    if len(targets(message)) > most_ids:
        return f"{method} may have {most_ids} entries at most."
    if method == "include_aliases" and message.get("target_channel") != "push":
        return "target_channel must be push where include_aliases says to whom."
    malformed = [entry for name in SUBSCRIPTIONS for entry in message.get(name) or [] if not _uuid(entry)]
    return f"{malformed[0]} is not a valid UUID" if malformed else ""


def _of_content(message: Json) -> str:
    bare = message.get("contents") is None
    if bare and not (message.get("content_available") or message.get("template_id")):
        return NO_CONTENTS
    if message.get("url") and (message.get("web_url") or message.get("app_url")):
        return "url can't be used beside web_url or app_url."
    if any(_size(message.get(name) or {}) > MOST_DATA_BYTES for name in ("data", "custom_data")):
        return DATA_TOO_LONG
    metadata = {name: value for name, value in message.items() if name not in _NO_METADATA}
    return METADATA_TOO_LONG if _size(metadata) > MOST_METADATA_BYTES else ""


def _size(value: Any) -> int:
    return len(msgspec.json.encode(value))
