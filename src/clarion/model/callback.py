"""What a provider tells of pushes by calling Clarion."""

from typing import Literal

import msgspec

from clarion.model.clock import Millis
from clarion.model.outcome import Verdict


class Told(msgspec.Struct, frozen=True):
    """What became of a push on one device: it was `engaged` with, or a `verdict` says why it never arrived.

    The push is named by its device's `token` and the provider's id of it, or by what went out with it:
    `message_id`, or `group_id` of all that shared its body, which has the time of the message's id.
    `of_device`: the verdict, given `at` that time, is about the device alone, its message did arrive.
    """

    token: str
    provider_message_id: str = ""
    message_id: str = ""
    group_id: str = ""
    engaged: Literal["delivered", "opened", "clicked", "dismissed"] | None = None
    verdict: Verdict | None = None
    of_device: bool = False
    at: Millis = 0
