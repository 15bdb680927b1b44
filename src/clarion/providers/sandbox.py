"""Sandbox phones: pushes that show up in the dashboard instead of on a device. Nothing leaves Clarion.

The token is the id of a virtual phone. The requests go to `deliver.sandbox`, which keeps them; a phone that
was removed answers as a provider does whose app was uninstalled.
"""

from urllib.parse import quote

import msgspec

from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import Json, PushMessage, Target, stated
from clarion.providers.port import Credentials, Defaults, merge

ORIGIN = "https://sandbox.invalid"
"""Never looked up: RFC 2606 keeps the name from ever being one."""

_REMOVED = 410


class SandboxCredentials(Credentials, frozen=True):
    """There are none."""


class Sandbox(Defaults):
    """Virtual phones of Development."""

    id = "sandbox"
    name = "Sandbox phones"
    docs = ""
    addressed_by = "id of a virtual phone"

    def credentials(self, stored: Json) -> SandboxCredentials:
        return SandboxCredentials()

    def build(
        self, credentials: SandboxCredentials, message: PushMessage, target: Target, token: str
    ) -> HttpRequest:
        data = message.payload | {"__nvMessageId": target.message_id}
        body: Json = {"messageId": target.message_id, "title": message.title, "body": message.body}
        look = message.presentation
        body |= stated(image=look.image, icon=look.icon, url=look.url, badge=look.badge)
        whole = merge(body | {"data": data} | message.override, message.passthrough.get("body", {}))
        url = f"{ORIGIN}/phones/{quote(target.token, safe='')}/pushes"
        return HttpRequest("POST", url, (("content-type", "application/json"),), msgspec.json.encode(whole))

    def read(self, reply: HttpReply, message: PushMessage) -> Verdict:
        if reply.status == _REMOVED:
            return Verdict(Outcome.TOKEN_DEAD, "PHONE_REMOVED", "The virtual phone was removed.")
        if reply.status == 201:
            return Verdict(Outcome.ACCEPTED)
        return Verdict(Outcome.UNKNOWN, f"http_{reply.status}", "The sandbox did not keep the push.")
