"""App IO: its ids are known to Novu's SDKs, and Clarion can't send through it."""

from typing import Any

from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import Json, PushMessage, Target
from clarion.providers.port import Defaults

_NOT_SUPPORTED = Verdict(
    Outcome.NOT_SENT,
    "not_supported",
    "Clarion does not support App IO: use an integration of another provider for this device.",
)


class AppIo(Defaults):
    """Accepts what is stored for it, and sends nothing."""

    id = "appio"
    name = "App IO (not supported)"
    addressed_by = "kept, never sent to"
    supported = False
    tells_dead = False

    def credentials(self, stored: Json) -> Json:
        return stored

    def refuse(self, credentials: Any, target: Target) -> Verdict:
        """Nothing is tried."""
        return _NOT_SUPPORTED

    def build(self, credentials: Json, message: PushMessage, target: Target, token: str) -> HttpRequest:
        raise NotImplementedError("App IO is not supported")

    def read(self, reply: HttpReply, message: PushMessage) -> Verdict:
        return _NOT_SUPPORTED
