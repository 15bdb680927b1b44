"""The page about providers, made from what they say of themselves."""

from collections.abc import Iterator, Mapping
from textwrap import fill
from typing import Any

from clarion.api.providers import ProviderOut, provider_out
from clarion.model.outcome import Outcome
from clarion.model.push import CONTROLS
from clarion.providers import (
    apns,
    expo,
    fcm,
    huawei,
    huawei_receipts,
    onesignal,
    pusher_beams,
    pushpad,
    web_push,
)
from clarion.providers.registry import PROVIDERS

_CONTROLS = ", ".join(f"`{name}`" for name in CONTROLS)
_ABOUT = (
    "Made from the code by `clarion providers --markdown`; a test keeps it current. All of them are told how"
    f" a push looks by the same controls of a push step, or by a trigger's `overrides.push`: {_CONTROLS}."
    " A provider's own overrides lie over them."
)
_HEAD = f"# Providers\n\n{fill(_ABOUT, 105)}\n"

_TABLES: Mapping[str, tuple[Mapping[Any, tuple[Outcome, str]], ...]] = {
    "fcm": (fcm.BY_ERROR_CODE, fcm.BY_STATUS),
    "apns": (apns.BY_REASON, apns.BY_STATUS),
    "expo": (expo.BY_DETAIL, expo.BY_CODE, expo.BY_STATUS),
    "one-signal": (onesignal.BY_STATUS, onesignal.BY_EVENT),
    "pusher-beams": (pusher_beams.BY_ERROR, pusher_beams.BY_STATUS, pusher_beams.BY_LIST),
    "pushpad": (pushpad.BY_STATUS,),
    "web-push": (web_push.BY_STATUS, web_push.BY_ERRNO, web_push.BY_REASON, web_push.BY_WNS_STATUS),
    "huawei": (huawei.BY_CODE, huawei.BY_STATUS, huawei_receipts.BY_RECEIPT),
}
"""The rejection tables of each provider, the most telling first."""


def page() -> str:
    """The whole page, Markdown."""
    sections = (_section(provider_out(provider)) for provider in PROVIDERS.values())
    return "\n".join([_HEAD, *sections])


def _section(item: ProviderOut) -> str:
    return "\n".join([*_about(item), *_fields(item), *_callback(item), *_rejections(item.id)])


def _about(item: ProviderOut) -> Iterator[str]:
    can = item.capabilities
    yield f"## {item.name} (`{item.id}`)\n"
    if item.docs:
        yield f"Documentation: <{item.docs}>. Device token: {item.addressed_by}.\n"
    if can.messages_per_request > 1:
        shared = (
            "recipients of the same content share a body" if can.shares_body else "each with its own body"
        )
        yield f"Up to {can.messages_per_request:,} messages a request, {shared}.\n"
    if can.rate_per_second:
        rate = f"{can.rate_per_second:,g} a second"
        yield f"Paced at the published {rate} unless `ratePerSecond` says otherwise.\n"


def _fields(item: ProviderOut) -> Iterator[str]:
    if not item.fields:
        return
    yield "| credential | what it is | where to find it |\n|---|---|---|"
    for field in item.fields:
        optional = "" if field.required else ", may be left out"
        yield f"| `{field.key}` | {field.label} ({field.kind}{optional}) | {_cell(field.help)} |"
    yield ""


def _callback(item: ProviderOut) -> Iterator[str]:
    if item.callback is None:
        return
    where = "what becomes of pushes, at the integration's address of [tracking](tracking.md)"
    told = f"Tells by itself {where}. To set it up: {item.callback.setup}"
    yield fill(told, 120, break_long_words=False) + "\n"
    if item.callback.body:
        yield f"```json\n{item.callback.body}\n```\n"


def _rejections(provider_id: str) -> Iterator[str]:
    tables = _TABLES.get(provider_id, ())
    if not tables:
        return
    yield "| the provider says | outcome | what it means |\n|---|---|---|"
    for table in tables:
        for code, (outcome, explanation) in table.items():
            said = " ".join(map(str, code)) if isinstance(code, tuple) else str(code)
            yield f"| `{said}` | {outcome.value} | {_cell(explanation)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
