"""Push webhook: the rendered push, signed, to the customer's own URL.

The signature is lower-case hex HMAC-SHA256 of the exact body under the secret's text, as Novu's
receivers verify it.
"""

import hmac
from hashlib import sha256
from urllib.parse import urlsplit

import msgspec

from clarion.errors import CredentialsInvalid
from clarion.model.clock import SECOND, Millis
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import CONTROLS, PLAIN, Json, Presentation, PushMessage, Target
from clarion.providers.port import (
    Credentials,
    Defaults,
    Field,
    decoded,
    merge,
    passed_headers,
    raw_of,
    wait_of,
)

TOKEN_INVALID = "token_invalid"  # noqa: S105 - an agreed answer
"""A receiver that answers 410 with `{"code": "token_invalid"}` retires the device."""

WAITS: dict[Outcome, Millis] = {Outcome.THROTTLED: 30 * SECOND}
"""How long to wait where the answer doesn't say."""

_ROUTING = frozenset({"webhookUrl", "hmacSecretKey"})
"""Overrides that say where to and with which key; they replace the integration's and are not sent."""

_TRANSIENT = frozenset({408, 425})
_SETUP = frozenset({401, 403, 404, 410})


class WebhookCredentials(Credentials, frozen=True):
    """Where to, and the key that signs; without a key the header is left out."""

    url: str
    secret: str

    public = ("url",)


class PushWebhook(Defaults):
    """The customer's own receiver."""

    id = "push-webhook"
    of_triggers = frozenset({"hmacSecretKey"})
    name = "Push Webhook"
    docs = "https://www.standardwebhooks.com"
    addressed_by = "any text that the receiver knows the device by"
    fields = (
        Field("webhookUrl", "URL", "Your own receiver.", example="https://push.example.com/clarion"),
        Field("secretKey", "Secret", "Signs each request in X-Novu-Signature; any text.", "secret", False),
    )
    wants_subscriber = True

    def credentials(self, stored: Json) -> WebhookCredentials:
        url = str(stored.get("webhookUrl") or "").strip()
        if not _is_receiver(url):
            raise CredentialsInvalid("webhookUrl", "give an absolute https URL without user name")
        return WebhookCredentials(url, str(stored.get("secretKey") or ""))

    def build(
        self, credentials: WebhookCredentials, message: PushMessage, target: Target, token: str
    ) -> HttpRequest:
        url = str(message.override.get("webhookUrl") or message.webhook_url or credentials.url)
        secret = str(message.override.get("hmacSecretKey") or credentials.secret)
        body = msgspec.json.encode(_body(message, target))
        headers = {"content-type": "application/json", "idempotency-key": target.message_id}
        headers |= passed_headers(message)
        if secret:
            headers["x-novu-signature"] = hmac.new(secret.encode(), body, sha256).hexdigest()
        return HttpRequest("POST", url, tuple(headers.items()), body)

    def read(self, reply: HttpReply, message: PushMessage) -> Verdict:
        answer = decoded(reply.body)
        if 200 <= reply.status < 300:
            identity = answer.get("id")
            return Verdict(
                Outcome.ACCEPTED, provider_message_id=identity if isinstance(identity, str) else ""
            )
        outcome, explanation = _classified(reply.status, answer)
        return Verdict(
            outcome,
            f"http_{reply.status}",
            explanation,
            retry_after=wait_of(reply, outcome, WAITS),
            raw=raw_of(reply),
        )


def _is_receiver(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username


def _body(message: PushMessage, target: Target) -> Json:
    body: Json = {
        "target": [target.token],
        "title": message.title,
        "content": message.body,
        "overrides": message.legacy,
        "payload": {
            **message.payload,
            "__nvMessageId": target.message_id,
            "subscriber": message.subscriber,
            "step": message.step,
        },
    }
    if message.presentation is not PLAIN:
        body["push"] = _shown(message.presentation)
    shown = {name: value for name, value in message.override.items() if name not in _ROUTING}
    merged: Json = merge(merge(body, shown), message.passthrough.get("body", {}))
    return merged


def _shown(look: Presentation) -> Json:
    """How it looks and behaves, under the names that a step's controls have."""
    said = msgspec.to_builtins(look)
    return {control: said[field] for control, field in CONTROLS.items() if field in said}


def _classified(status: int, answer: Json) -> tuple[Outcome, str]:
    if status == 410 and answer.get("code") == TOKEN_INVALID:
        return Outcome.TOKEN_DEAD, "The receiver says that the device is gone."
    if status == 429:
        return Outcome.THROTTLED, "The receiver asks to slow down."
    if status in _TRANSIENT or 500 <= status < 600:
        return Outcome.UNAVAILABLE, "The receiver had trouble."
    if 300 <= status < 400 or status in _SETUP:
        return Outcome.CREDENTIALS_REJECTED, f"The receiver answered {status}; check the URL and the secret."
    if 400 <= status < 500:
        return Outcome.PAYLOAD_REJECTED, f"The receiver refused the message with {status}."
    return Outcome.UNKNOWN, f"The receiver answered {status}."
