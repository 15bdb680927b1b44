"""What is said to APNs: the mapping of a message and both kinds of override, under the names on the wire.

https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification
"""

from collections.abc import Mapping
from typing import Any

from clarion.model.push import PLAIN, Json, Presentation, PushMessage, Target, stated
from clarion.providers.port import merge

MESSAGE_ID = "__nvMessageId"

_APS = (
    "badge sound category thread-id content-available mutable-content target-content-id interruption-level "
    "relevance-score filter-criteria stale-date content-state timestamp event dismissal-date attributes-type "
    "attributes url-args"
)
_ALERT = (
    "title subtitle body launch-image title-loc-key title-loc-args subtitle-loc-key subtitle-loc-args "
    "loc-key loc-args action action-loc-key"
)


def _plain(name: str) -> str:
    """A name without its casing: `threadId`, `thread-id` and `thread_id` are one."""
    return name.replace("-", "").replace("_", "").lower()


_APS_NAMES = {_plain(name): name for name in _APS.split()} | {"targetcontentidentifier": "target-content-id"}
_ALERT_NAMES = {_plain(name): name for name in _ALERT.split()}
_HEADER_NAMES = {
    "topic": "apns-topic",
    "id": "apns-id",
    "expiry": "apns-expiration",
    "expiration": "apns-expiration",
    "priority": "apns-priority",
    "collapseid": "apns-collapse-id",
    "pushtype": "apns-push-type",
}
SHOWING = ("alert", "badge", "sound")
_FLAGS = frozenset({"content-available", "mutable-content"})


def drafted(message: PushMessage) -> Json:
    """The mapping and both kinds of override, sorted into `headers`, `aps`, `payload`, `raw` and `mdm`."""
    legacy, override = layers(message)
    kind = chosen("apns-push-type", message, override, legacy)
    draft: Json = {"payload": {} if "payload" in message.legacy else _beside(message.payload)}
    if kind != "background" and not {"aps", "alert"} & message.legacy.keys():
        draft["aps"] = {"alert": {"title": message.title, "body": message.body}}
    merged: Json = merge(merge(draft, legacy), override)
    return merged


def layers(message: PushMessage) -> tuple[Json, Json]:
    """How it looks under the older kind of override, and the newer kind."""
    legacy = _sorted(message.legacy)
    look = message.presentation
    return (legacy if look is PLAIN else merge(_sorted(_shown(look)), legacy)), _sorted(message.override)


def _shown(look: Presentation) -> Json:
    """How it looks and travels as an override would say it; what APNs has no name for goes to the app."""
    beside = stated(image=look.image, url=look.url)
    known = stated(sound=look.sound, badge=look.badge, category=look.category, threadId=look.thread)
    known |= stated(collapseId=look.collapse_id, payload=beside)
    if look.mutable:
        known["mutableContent"] = 1
    if look.silent:
        return stated(payload=beside) | {"pushType": "background", "priority": "5", "contentAvailable": 1}
    if look.high is not None:
        known["priority"] = "10" if look.high else "5"
    return known


def chosen(header: str, message: PushMessage, override: Json, legacy: Json) -> Any:
    """What the trigger says about a header, the strongest first; None when it says nothing."""
    said = (passed_headers(message), override.get("headers", {}), legacy.get("headers", {}))
    return next((layer[header] for layer in said if layer.get(header)), None)


def _sorted(overrides: Json) -> Json:
    """An override's parts, each under its name on the wire; what has no place there is left out."""
    if not overrides:
        return {}
    payload = overrides.get("payload")
    parts: Json = {"headers": _known(overrides, _HEADER_NAMES), "aps": _aps(overrides)}
    if isinstance(payload, dict):
        parts["payload"] = {key: value for key, value in payload.items() if key != "aps"}
    if isinstance(overrides.get("rawPayload"), dict):
        parts["raw"] = overrides["rawPayload"]
    if isinstance(overrides.get("mdm"), str):
        parts["mdm"] = overrides["mdm"]
    return parts


def _aps(overrides: Json) -> Json:
    """What an override says about `aps`: in its payload, in its own `aps`, by single names."""
    given = merge(part(part(overrides, "payload"), "aps"), part(overrides, "aps"))
    aps = _renamed(given, _APS_NAMES) | _known(overrides, _APS_NAMES)
    _add_alert(aps, overrides)
    return aps


def _add_alert(aps: Json, overrides: Json) -> None:
    """The alert of `alert` or `aps`, with the fields that stand beside it; null takes it away."""
    alert = overrides.get("alert", aps.get("alert"))
    fields = _known(overrides, _ALERT_NAMES)
    if fields or isinstance(alert, str | dict):
        aps["alert"] = _whole(alert) | fields
    elif "alert" in overrides:
        aps["alert"] = None


def _whole(alert: Any) -> Json:
    """An alert as an object. One that is only text has no title, whatever a lower layer says."""
    if isinstance(alert, str):
        return {"title": None, "body": alert}
    return _renamed(alert, _ALERT_NAMES) if isinstance(alert, dict) else {}


def _known(overrides: Json, names: Mapping[str, str]) -> Json:
    return {names[plain]: value for key, value in overrides.items() if (plain := _plain(key)) in names}


def _renamed(values: Json, names: Mapping[str, str]) -> Json:
    return {names.get(_plain(key), key): value for key, value in values.items()}


def _beside(payload: Json) -> Json:
    """The trigger's payload as keys beside `aps`; a key of that name goes one level down."""
    if "aps" not in payload:
        return payload
    rest = {key: value for key, value in payload.items() if key != "aps"}
    nested: Json = merge({"payload": {"aps": payload["aps"]}}, rest)
    return nested


def whole_body(message: PushMessage, draft: Json, target: Target) -> Json:
    whole: Json = merge(_body(draft, target), part(message.passthrough, "body"))
    return whole


def _body(draft: Json, target: Target) -> Json:
    if "raw" in draft:
        raw: Json = draft["raw"]
        return raw
    if "mdm" in draft:
        return {"mdm": draft["mdm"]}
    return {"aps": _cleaned(draft.get("aps", {})), **draft["payload"], MESSAGE_ID: target.message_id}


def _cleaned(aps: Json) -> Json:
    """Without what a null took away; flags as APNs wants them, 1 or absent."""
    kept = _without_nulls(aps)
    for flag in _FLAGS & kept.keys():
        if kept[flag] is True:
            kept[flag] = 1
        elif kept[flag] is False:
            del kept[flag]
    if isinstance(kept.get("alert"), dict):
        kept["alert"] = _without_nulls(kept["alert"])
    return kept


def _without_nulls(values: Json) -> Json:
    return {key: value for key, value in values.items() if value is not None}


def part(values: Json, key: str) -> Json:
    found = values.get(key)
    return found if isinstance(found, dict) else {}


def passed_headers(message: PushMessage) -> dict[str, str]:
    return {str(key).lower(): str(value) for key, value in part(message.passthrough, "headers").items()}
