"""People, workflows and stand-ins for tests of the pipeline. No network, no clock but the test's."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import msgspec

from clarion.errors import CredentialsInvalid
from clarion.model.clock import HOUR, Millis
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.ids import new_id
from clarion.model.outcome import Outcome, Verdict
from clarion.model.people import Channel, Device, Integration, Subscriber
from clarion.model.push import Json, PushMessage, Target
from clarion.model.trigger import Person, Trigger
from clarion.model.workflow import Step, Workflow
from clarion.providers.port import AccessToken, Defaults

NOW: Millis = 1_796_000_000_000
ENVIRONMENT = "e" * 32

Answer = HttpReply | BaseException


class HandClock:
    """A clock that a test moves."""

    def __init__(self, now: Millis = NOW) -> None:
        self.now = now

    def __call__(self) -> Millis:
        return self.now


class ScriptedSender:
    """Answers each request with the next of its key's script, its last one again and again, 200 without.

    `key_of` finds the key of a request; `gate` holds every answer back until it is set.
    """

    def __init__(self, key_of: Callable[[HttpRequest], str]) -> None:
        self._key_of = key_of
        self.scripts: dict[str, list[Answer]] = {}
        self.requests: dict[str, list[HttpRequest]] = defaultdict(list)
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(
        self, request: HttpRequest, *, timeout: float = 10.0, guarded: bool = False, scope: str = ""
    ) -> HttpReply:
        key = self._key_of(request)
        self.requests[key].append(request)
        await self.gate.wait()
        script = self.scripts.get(key, [HttpReply(200)])
        answer = script[min(len(self.requests[key]), len(script)) - 1]
        if isinstance(answer, BaseException):
            raise answer
        return answer


def path_of(request: HttpRequest) -> str:
    """The key by which `TokenProvider`'s requests differ: `token` or `send`."""
    return request.url.rpartition("/")[2]


class TokenProvider(Defaults):
    """A provider that wants an access token: 401 means it is stale, 400 that the message is wrong."""

    id = "tokens"
    name = "Tokens"

    def credentials(self, stored: Json) -> str:
        if not stored.get("secret"):
            raise CredentialsInvalid("secret", "give one")
        return str(stored["secret"])

    def authorize(self, credentials: str, now: Millis) -> HttpRequest:
        return HttpRequest("POST", "https://push.test/token")

    def read_authorization(self, reply: HttpReply, now: Millis) -> AccessToken | Verdict:
        if reply.status == 200:
            return AccessToken(reply.body.decode(), now + HOUR)
        outcome = Outcome.CREDENTIALS_REJECTED if reply.status == 403 else Outcome.UNAVAILABLE
        return Verdict(outcome, f"http_{reply.status}")

    def build(self, credentials: str, message: PushMessage, target: Target, token: str) -> HttpRequest:
        headers = (("authorization", token), ("device", target.token))
        body = msgspec.json.encode(message.override["body"] if message.override else "")
        return HttpRequest("POST", "https://push.test/send", headers, body)

    def read(self, reply: HttpReply, message: PushMessage) -> Verdict:
        if reply.status == 200:
            return Verdict(Outcome.ACCEPTED)
        outcome = Outcome.CREDENTIALS_REJECTED if reply.status == 401 else Outcome.PAYLOAD_REJECTED
        return Verdict(outcome, f"http_{reply.status}", stale_authorization=reply.status == 401)


def integration(identity: str = "i1", provider_id: str = "fcm", **fields: Any) -> Integration:
    """An active push integration."""
    given: dict[str, Any] = {"credentials": {"secret": "s"}, "active": True} | fields
    return Integration(
        identity, ENVIRONMENT, f"{identity}-name", identity, provider_id, "push", NOW, NOW, **given
    )


def workflow(subject: str = "News", body: str = "{{payload.text}}", *more: Step) -> Workflow:
    """A workflow whose first step is a push."""
    step = Step("s" * 32, "push", "Push", "push", {"subject": subject, "body": body})
    return Workflow("w" * 32, ENVIRONMENT, "news", "News", NOW, NOW, [step, *more], active=True)


def trigger(*names: str, **fields: Any) -> Trigger:
    """A trigger of that workflow for people of those names."""
    identity = fields.get("id") or new_id(NOW)
    given: dict[str, Any] = {
        "id": identity,
        "environment_id": ENVIRONMENT,
        "transaction_id": f"txn_{identity}",
        "workflow_id": "w" * 32,
        "accepted_at": NOW,
        "people": [Person(name) for name in names],
        "payload": {"text": "Hello"},
    }
    return Trigger(**given | fields)


def subscriber(pk: int = 1, **fields: Any) -> Subscriber:
    """A person; `person-<pk>` unless named."""
    named: dict[str, Any] = {"subscriber_id": f"person-{pk}", "created_at": NOW, "updated_at": NOW} | fields
    return Subscriber(pk, f"{pk:032x}", ENVIRONMENT, **named)


def channel(*tokens: str, provider_id: str = "fcm", integration_id: str = "i1", **fields: Any) -> Channel:
    """What person 1 has under an integration; the devices are numbered from 1."""
    devices = [Device(pk, 1, integration_id, token) for pk, token in enumerate(tokens, 1)]
    return Channel(1, provider_id, integration_id, f"{integration_id}-name", devices, **fields)
