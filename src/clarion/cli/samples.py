"""Calls to copy and paste, with the real address and key in them. None is indented: Python would mind."""

import json
import shlex
from typing import Any, NamedTuple

WORKFLOW = "welcome"
SUBSCRIBER = "ada"
FAULT_TOKEN = "grace-flaky-2"  # noqa: S105 - a device of the emulator
FAULT_SUBSCRIBER = "grace"


class Samples(NamedTuple):
    """Calls for one running Clarion."""

    url: str
    key: str
    integration: str

    def curl(self) -> str:
        """Trigger, in one line."""
        return self._posted(SUBSCRIBER, "Hello from cURL")

    def python(self) -> str:
        """Trigger, with Novu's SDK."""
        request = {"workflow_id": WORKFLOW, "to": SUBSCRIBER, "payload": {"text": "Hello from Python"}}
        return (
            "from novu_py import Novu\n"
            f"novu = Novu(secret_key={_quoted(self.key)}, server_url={_quoted(self.url)})\n"
            f"novu.trigger(trigger_event_request_dto={json.dumps(request)})"
        )

    def typescript(self) -> str:
        """Trigger, with Novu's SDK."""
        payload = '{ text: "Hello from TypeScript" }'
        return (
            'import { Novu } from "@novu/api";\n'
            f"const novu = new Novu({{ secretKey: {_quoted(self.key)}, serverURL: {_quoted(self.url)} }});\n"
            f'await novu.trigger({{ workflowId: "{WORKFLOW}", to: "{SUBSCRIBER}", payload: {payload} }});'
        )

    def fault(self) -> str:
        """Trigger for a device that fails twice before it takes the push."""
        credentials = {"deviceTokens": [FAULT_TOKEN]}
        channel = {
            "providerId": "fcm",
            "integrationIdentifier": self.integration,
            "credentials": credentials,
        }
        person = {"subscriberId": FAULT_SUBSCRIBER, "firstName": "Grace", "channels": [channel]}
        return self._posted(person, "Here in the end")

    def outcome(self) -> str:
        """What became of it."""
        where = shlex.quote(f"{self.url}/v1/messages?subscriberId={FAULT_SUBSCRIBER}")
        return f"curl {where} -H {self._authorization()}"

    def _posted(self, to: Any, text: str) -> str:
        body = {"name": WORKFLOW, "to": to, "payload": {"text": text}}
        return (
            f"curl -X POST {shlex.quote(f'{self.url}/v1/events/trigger')} -H {self._authorization()}"
            f" -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body))}"
        )

    def _authorization(self) -> str:
        return shlex.quote(f"Authorization: ApiKey {self.key}")


def _quoted(text: str) -> str:
    """A string literal of Python and TypeScript alike."""
    return json.dumps(text)
