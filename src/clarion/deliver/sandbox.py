"""Where requests to virtual phones go: into the store, for the dashboard to show."""

from urllib.parse import unquote, urlsplit

import msgspec

from clarion.deliver.exchange import TIMEOUT
from clarion.model.clock import Clock
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.push import Json
from clarion.store import sandbox
from clarion.store.database import Database
from clarion.store.sandbox import SandboxPush


class SandboxSender:
    """Answers the sandbox provider's requests from the store."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def send(
        self, request: HttpRequest, *, timeout: float = TIMEOUT, guarded: bool = False, scope: str = ""
    ) -> HttpReply:
        """201 for a push that was kept, 410 for a phone that isn't there."""
        phone_id = unquote(urlsplit(request.url).path.split("/")[2])
        content: Json = msgspec.json.decode(request.body)
        title, body = str(content.get("title", "")), str(content.get("body", ""))
        message_id = str(content.get("messageId", ""))
        push = SandboxPush(phone_id, message_id, title, body, content, self._clock())
        kept = await self._database.write(sandbox.receive, push)
        return HttpReply(201 if kept else 410)
