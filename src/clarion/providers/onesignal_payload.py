"""What is said to OneSignal, and to whom where overrides say so.

https://documentation.onesignal.com/reference/push-notification
https://documentation.onesignal.com/docs/en/idempotent-notification-requests
"""

import re
from hashlib import blake2b
from typing import Any
from uuid import UUID

from clarion.model.push import PLAIN, Json, Presentation, PushMessage, stated
from clarion.providers.port import merge

MOST_COLLAPSE_ID = 64
MOST_TOPIC = 32
"""Characters of a web push topic (RFC 8030, 5.4)."""

TARGETS = frozenset(
    {"include_aliases", "include_subscription_ids", "include_player_ids", "include_external_user_ids"}
    | {"included_segments", "filters", "include_ios_tokens", "include_android_reg_ids"}
    | {"include_wp_wns_uris", "include_amazon_reg_ids", "include_chrome_reg_ids", "include_huawei_tokens"}
    | {"include_chrome_web_reg_ids"}
)
"""Ways to say to whom; a request may use one."""

_NAMES = {
    "is_ios": "isIos",
    "is_android": "isAndroid",
    "is_huawei": "isHuawei",
    "is_any_web": "isAnyWeb",
    "is_chrome_web": "isChromeWeb",
    "is_firefox": "isFirefox",
    "is_safari": "isSafari",
    "is_wp_wns": "isWP_WNS",
    "is_adm": "isAdm",
    "is_chrome": "isChrome",
    "ios_badge_type": "ios_badgeType",
    "ios_badge_count": "ios_badgeCount",
}
"""What is not snake case on the wire."""

_LEGACY = {
    "sound": ("ios_sound", "android_sound"),
    "mutableContent": ("mutable_content",),
    "channelId": ("android_channel_id",),
    "icon": ("small_icon", "large_icon", "chrome_icon", "chrome_web_icon", "firefox_icon"),
    "categoryId": ("ios_category",),
}
"""Legacy override → the fields it fills."""


def said(message: PushMessage, message_id: str, identity: Json) -> Json:
    """The message as Novu maps it, plus what that loses: the id, the badge, and showing repeats once."""
    own = message.legacy
    subtitle = {"subtitle": {"en": own["subtitle"]}} if own.get("subtitle") else {}
    given = {
        field: own[name] for name, fields in _LEGACY.items() if own.get(name) is not None for field in fields
    }
    return {
        "headings": {"en": message.title},
        "contents": {"en": message.body},
        **subtitle,
        "data": message.payload | identity,
        **_badge(own.get("badge")),
        **_shown_once(message_id),
        **({} if message.presentation is PLAIN else _shown(message.presentation)),
        **given,
    }


def _shown(look: Presentation) -> Json:
    """How it looks and travels."""
    shown = stated(
        big_picture=look.image,
        chrome_web_image=look.image,
        ios_attachments=stated(image=look.image),
        small_icon=look.icon,
        chrome_web_icon=look.icon,
        ios_sound=look.sound,
        android_sound=look.sound,
        url=look.url,
        ttl=look.ttl,
        priority=None if look.high is None else 10 if look.high else 5,
        thread_id=look.thread,
        android_group=look.thread,
        ios_category=look.category,
        existing_android_channel_id=look.channel_id,
        mutable_content=True if look.mutable else None,
    )
    if look.badge is not None:
        shown |= _badge(look.badge)
    if look.collapse_id:
        shown["collapse_id"] = _short(look.collapse_id, MOST_COLLAPSE_ID)
        shown["web_push_topic"] = _short(look.collapse_id, MOST_TOPIC)
    if look.silent:
        shown |= {"content_available": True, "contents": None, "headings": None}
    return shown


def _badge(count: Any) -> Json:
    """A number is set; without one the badge goes up by one, as Novu means to do."""
    if isinstance(count, int) and not isinstance(count, bool):
        return {"ios_badgeType": "SetTo", "ios_badgeCount": count}
    return {"ios_badgeType": "Increase", "ios_badgeCount": 1}


def _shown_once(message_id: str) -> Json:
    """A repeated request is answered like the first for 30 days; devices replace what has the same id."""
    return {
        "collapse_id": _short(message_id, MOST_COLLAPSE_ID),
        "web_push_topic": _short(message_id, MOST_TOPIC),
        "idempotency_key": idempotency_key(message_id),
    }


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else blake2b(text.encode(), digest_size=most // 2).hexdigest()


def idempotency_key(message_id: str, chunk: int = 0) -> str:
    """A version 4 UUID that the same message always gets; `chunk` tells parts of one message apart."""
    digest = blake2b(f"{message_id}\x1f{chunk}".encode(), digest_size=16).digest()
    return str(UUID(bytes=digest, version=4))


def named(overrides: Json) -> Json:
    """Novu's casing and key map, of top level names only."""
    cased = {_GAPS.sub("_", _HUMPS.sub("_", key)).strip("_").lower(): v for key, v in overrides.items()}
    return {_NAMES.get(key, key): value for key, value in cased.items()}


_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_GAPS = re.compile(r"[\W_]+")


def own_aims(message: PushMessage) -> frozenset[str]:
    """The ways to say to whom that overrides use."""
    given = {*named(message.override), *message.passthrough.get("body", {})}
    return TARGETS & given


def one_aim(body: Json, others: frozenset[str], *, external_ids: bool) -> Json:
    """Those whom overrides name take the device's place, unless they join it under the same name.

    `include_player_ids` is the older name of `include_subscription_ids`: as at Novu, it joins.
    """
    ours = "include_aliases" if external_ids else "include_subscription_ids"
    if not others or ours in others:
        return body
    kept = {key: value for key, value in body.items() if key != ours}
    if others == {"include_player_ids"} and not external_ids:
        kept["include_player_ids"] = merge(body[ours], body["include_player_ids"])
    return kept
