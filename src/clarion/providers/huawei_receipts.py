"""What Huawei tells of messages later, by calling.

https://developer.huawei.com/consumer/en/doc/HMSCore-References-V5/https-send-receipt-api-0000001051066120-V5/
https://developer.huawei.com/consumer/en/doc/HMS-Guides/push-receipt/
https://developer.huawei.com/consumer/en/doc/doccenter-references/api/push-api-msg-receipt/
"""

import base64
import hmac
from collections.abc import Iterable
from typing import Annotated

import msgspec

from clarion.model.callback import Told
from clarion.model.clock import MINUTE, SECOND, Millis
from clarion.model.ids import is_id
from clarion.model.outcome import Outcome, Verdict
from clarion.providers.port import same

BY_RECEIPT: dict[str, tuple[Outcome, str]] = {
    "receipt_2": (Outcome.TOKEN_DEAD, "The app is not installed on the device any more."),
    "receipt_5": (
        Outcome.PAYLOAD_REJECTED,
        "The token is of another user of the device than the present one.",
    ),
    "receipt_6": (
        Outcome.PAYLOAD_REJECTED,
        "The app or its channel may not show notifications on the device.",
    ),
    "receipt_10": (Outcome.PAYLOAD_REJECTED, "The device has not been online for more than 30 days."),
    "receipt_15": (Outcome.PAYLOAD_REJECTED, "A later message took its place while the device was offline."),
    "receipt_102": (Outcome.THROTTLED, "Huawei dropped it, since the app sends to this device too often."),
}
"""Status in a receipt, behind a word that tells it from an answer's code → why the message was not seen. 0 is
delivered."""

SIGNED_FOR: Millis = 15 * MINUTE
"""How far the time that a receipt is signed with may be from now."""
GROUP = "group-"
"""Begins the tag of messages that share a body; the tag of a message that goes alone is its id."""


class DeliveryStatus(msgspec.Struct, frozen=True):
    """What a receipt of the second version says."""

    result: int
    timestamp: int = 0


class Receipt(msgspec.Struct, frozen=True, rename="camel"):
    """What became of a message on one device, in either version."""

    token: str
    bi_tag: str | None = None
    request_id: str = ""
    status: int | None = None
    timestamp: int = 0
    delivery_status: DeliveryStatus | None = None


class Receipts(msgspec.Struct, frozen=True):
    """A callback's body: up to 100 of them, and 1,000 once."""

    statuses: Annotated[list[Receipt], msgspec.Meta(max_length=1000)]


def told_by(receipt: Receipt) -> Iterable[Told]:
    """What a receipt says of its device; a status that Huawei doesn't document is of no account."""
    status, at = receipt.status, receipt.timestamp
    if receipt.delivery_status is not None:
        status, at = receipt.delivery_status.result, receipt.delivery_status.timestamp
    message_id, group_id = _named(receipt.bi_tag or "")
    told = Told(receipt.token, receipt.request_id, message_id, group_id, at=at)
    code = f"receipt_{status}"
    if status == 0:
        yield msgspec.structs.replace(told, engaged="delivered")
    elif code in BY_RECEIPT:
        outcome, explanation = BY_RECEIPT[code]
        yield msgspec.structs.replace(told, verdict=Verdict(outcome, code, explanation))


def _named(tag: str) -> tuple[str, str]:
    """The message or the group that a tag names; neither where overrides set another tag."""
    message_id, group_id = ("", tag.removeprefix(GROUP)) if tag.startswith(GROUP) else (tag, "")
    return (message_id, group_id) if is_id(message_id or group_id) else ("", "")


def signed(header: str, user: str, secret: str, now: Millis) -> bool:
    """By the base64 of an HMAC-SHA256 of time, nonce and user name. Not of the body: TLS keeps that."""
    parts = _parts(header)
    at = _millis(parts.get("timestamp", ""))
    if at is None or abs(now - at) > SIGNED_FOR:
        return False
    text = parts["timestamp"] + parts.get("nonce", "") + user
    mac = hmac.digest(secret.encode(), text.encode(), "sha256")
    return same(base64.b64encode(mac).decode(), parts.get("value", ""))


def _parts(header: str) -> dict[str, str]:
    """`timestamp=1; nonce=2; value=3`."""
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return {name: value for name, _, value in pairs}


def _millis(text: str) -> Millis | None:
    """A time in milliseconds, as in Huawei's examples, or in the seconds that its words promise."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        return None
    return int(text) * (SECOND if len(text) <= _DIGITS_OF_SECONDS else 1)


_MOST_DIGITS, _DIGITS_OF_SECONDS = 14, 11
