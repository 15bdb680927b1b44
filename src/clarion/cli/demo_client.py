"""What the demo asks of its own Clarion, over HTTP as anybody would."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp

from clarion.cli.samples import SUBSCRIBER, WORKFLOW
from clarion.errors import ClarionError

INTEGRATION = "demo-fcm"
PHONES = ("ada-iphone", "ada-android")

_SUBJECT = "Welcome, {{subscriber.firstName}}"
_BODY = "{{payload.text | default: 'Glad to have you.'}}"


class DemoFailed(ClarionError):
    """The demo's own call was refused."""


class DemoClient:
    """A client of the public API. Each method finds what an earlier run made."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, key: str) -> AsyncIterator[Self]:
        """A client with the key."""
        headers = {"authorization": f"ApiKey {key}"}
        async with aiohttp.ClientSession(url, headers=headers) as session:
            yield cls(session)

    async def prepare(self, service_account: str) -> None:
        """An integration that works today, a workflow and a subscriber with two devices."""
        await self._integration({"serviceAccount": service_account})
        await self._workflow()
        await self._subscriber(PHONES)

    async def trigger(self, text: str) -> None:
        """Send the welcome."""
        body = {"name": WORKFLOW, "to": SUBSCRIBER, "payload": {"text": text}}
        await self._ask("POST", "/v1/events/trigger", body)

    async def _integration(self, credentials: dict[str, str]) -> None:
        """The emulator makes a new service account at every start, so the old one is replaced."""
        changes = {"credentials": credentials, "active": True}
        for found in await self._ask("GET", "/v1/integrations"):
            if found["identifier"] == INTEGRATION:
                await self._ask("PUT", f"/v1/integrations/{found['_id']}", changes)
                return
        names = {"name": "Demo FCM", "identifier": INTEGRATION, "providerId": "fcm", "channel": "push"}
        await self._ask("POST", "/v1/integrations", names | changes)

    async def _workflow(self) -> None:
        listed = await self._ask("GET", f"/v2/workflows?query={WORKFLOW}&limit=100")
        if any(found["workflowId"] == WORKFLOW for found in listed["workflows"]):
            return
        step = {"name": "Push", "type": "push", "controlValues": {"subject": _SUBJECT, "body": _BODY}}
        body = {"name": "Welcome", "workflowId": WORKFLOW, "active": True, "steps": [step]}
        await self._ask("POST", "/v2/workflows", body)

    async def _subscriber(self, tokens: Sequence[str]) -> None:
        await self._ask("POST", "/v2/subscribers", {"subscriberId": SUBSCRIBER, "firstName": "Ada"})
        body = {
            "providerId": "fcm",
            "integrationIdentifier": INTEGRATION,
            "credentials": {"deviceTokens": list(tokens)},
        }
        await self._ask("PUT", f"/v1/subscribers/{SUBSCRIBER}/credentials", body)

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's data."""
        async with self._session.request(method, path, json=body) as answer:
            if not answer.ok:
                raise DemoFailed(f"{method} {path} was answered {answer.status}: {await answer.text()}")
            return (await answer.json())["data"]
