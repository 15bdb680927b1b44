"""Test sends: what an integration says to the provider, what comes back, and what to do about it."""

from typing import Any, Protocol

import msgspec

from clarion.api.devices import SubscriptionIn, token_given
from clarion.api.integrations import named_integration
from clarion.api.route import Audit, Call, NoQuery, Route
from clarion.compose.overrides import overrides_for
from clarion.deliver.trial import Tried
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.member import Role
from clarion.model.outcome import Outcome
from clarion.model.people import Integration
from clarion.model.push import PushMessage
from clarion.providers.registry import SECRETS
from clarion.security.keys import masked

MOST_SHOWN = 20_000
"""Characters of a body that are shown."""

_SIGNED = frozenset({"authorization", "proxy-authorization", "x-novu-signature", "crypto-key", "cookie"})
"""Headers that let whoever reads them act as the sender."""

_SHORTEST_SECRET = 6

ADVICE: dict[Outcome, str] = {
    Outcome.ACCEPTED: "The provider took it: if the device shows nothing, look at the app and the device.",
    Outcome.TOKEN_DEAD: "Register the device's present token; this one will not work again.",
    Outcome.PAYLOAD_REJECTED: "Change the message or its overrides; the same message fails each time.",
    Outcome.CREDENTIALS_REJECTED: "Correct the credentials of the integration.",
    Outcome.THROTTLED: "Wait, then try again; real messages are tried again by themselves.",
    Outcome.UNAVAILABLE: "Try again; real messages are tried again by themselves until they expire.",
    Outcome.UNKNOWN: "Read the provider's answer; real messages are tried again a few times.",
    Outcome.NOT_SENT: "Nothing was sent; the explanation says why.",
}


class TrialIn(msgspec.Struct, rename="camel", kw_only=True):
    """A push to one token, or to one browser's `subscription`. `overrides` as in a trigger."""

    token: str | None = None
    subscription: SubscriptionIn | None = None
    title: str = "Test from Clarion"
    body: str = "If you can read this, the integration works."
    payload: dict[str, Any] = {}
    overrides: dict[str, Any] = {}


class RequestOut(msgspec.Struct):
    """A request as it went out; secrets are masked. `body` is text, or says what else it is."""

    method: str
    url: str
    headers: dict[str, str]
    body: str


class ReplyOut(msgspec.Struct):
    """The provider's answer."""

    status: int
    headers: dict[str, str]
    body: str


class TrialOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """What became of a test. `request` and `reply` are missing where it didn't come to them."""

    outcome: str
    code: str
    explanation: str
    advice: str
    provider_message_id: str = ""
    request: RequestOut | None = None
    reply: ReplyOut | None = None


async def try_integration(call: Call[TrialIn, NoQuery]) -> TrialOut:
    """Send a push to a token through the integration, active or not. Nothing is stored or tried again."""
    integration = await call.services.database.read(named_integration, call)
    body = call.body
    token = token_given(body.token, body.subscription)
    tried = await call.services.trial.send(integration, message_of(body, integration), token)
    return shown(tried, integration)


def shown(tried: Tried, integration: Integration) -> TrialOut:
    """A try for eyes that may not have the secrets of the integration."""
    verdict = tried.verdict
    hide = _Masking(_secrets(integration, tried.access_token))
    return TrialOut(
        outcome=verdict.outcome.value,
        code=verdict.code or verdict.outcome.value,
        explanation=hide.text(verdict.explanation) or _TAKEN,
        advice=ADVICE[verdict.outcome],
        provider_message_id=verdict.provider_message_id,
        request=hide.request(tried.request) if tried.request else None,
        reply=hide.reply(tried.reply) if tried.reply else None,
    )


_TAKEN = "The provider accepted the message."


class Said(Protocol):
    """What a test says."""

    title: str
    body: str
    payload: dict[str, Any]
    overrides: dict[str, Any]


def message_of(given: Said, integration: Integration) -> PushMessage:
    """A test as the provider of the integration gets it."""
    overrides = overrides_for(given.overrides, "test", integration.provider_id, {})
    return PushMessage(
        given.title,
        given.body,
        given.payload,
        overrides.legacy,
        overrides.override,
        overrides.passthrough,
    )


def _secrets(integration: Integration, access_token: str) -> list[str]:
    """Every text that must not be shown, the longest first."""
    stored = [value for key, value in integration.credentials.items() if key in SECRETS]
    texts = [value for value in (*stored, access_token) if isinstance(value, str)]
    return sorted((text for text in texts if len(text) >= _SHORTEST_SECRET), key=len, reverse=True)


class _Masking:
    """Shows exchanges without secrets."""

    def __init__(self, secrets: list[str]) -> None:
        self._secrets = secrets

    def text(self, text: str) -> str:
        """The text with every secret in it masked."""
        for secret in self._secrets:
            text = text.replace(secret, masked(secret))
        return text

    def request(self, request: HttpRequest) -> RequestOut:
        """A request."""
        headers = {name: self._header(name, value) for name, value in request.headers}
        return RequestOut(request.method, self.text(request.url), headers, self._body(request.body))

    def reply(self, reply: HttpReply) -> ReplyOut:
        """An answer."""
        headers = {name: self._header(name, value) for name, value in reply.headers.items()}
        return ReplyOut(reply.status, headers, self._body(reply.body))

    def _header(self, name: str, value: str) -> str:
        if name in _SIGNED:
            scheme, space, secret = value.rpartition(" ")
            return scheme + space + masked(secret)
        return self.text(value)

    def _body(self, body: bytes) -> str:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return f"({len(body)} bytes that are no text)"
        return self.text(text)[:MOST_SHOWN]


ROUTES = (
    Route(
        "POST",
        "/v1/integrations/{integrationId}/test",
        try_integration,
        "Send a test push through an integration",
        "Integrations",
        Role.EDITOR,
        body=TrialIn,
        answer=TrialOut,
        audit=Audit.BRIEF,
    ),
)
