"""The HTTP request of a step, composed and signed, and what its answer is to later steps. Pure."""

import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from clarion.check.schema import validator_of
from clarion.compose.templates import render
from clarion.errors import CheckTooLong, PayloadInvalid, TemplateError
from clarion.model.clock import Millis
from clarion.model.http import Headers, HttpReply, HttpRequest
from clarion.model.push import Json

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
MOST_KEPT = 64 * 1024
"""Bytes of an answer that later steps can name; one that is longer fails."""

SIGNATURE = "novu-signature"
"""`t=<ms>,v1=<hex>`: HMAC-SHA256 of `<ms>.<body>` under the environment's API key, as Novu signs
(docs.novu.co, HTTP request step); one `v1` for each key while two are valid."""

_OURS = frozenset({"content-length", "host", "connection", "transfer-encoding", SIGNATURE})
_ALLOWED = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
"""What a header's name may be made of (RFC 9110, 5.6.2), in lower case."""


def request_of(
    controls: Mapping[str, Any], seen: Json, identity: str, secrets: Sequence[str], now: Millis
) -> HttpRequest:
    """The request that a step's controls come to; `identity` is the same however often it is sent.

    `TemplateError` says what can't be made of them.
    """
    body = _body(controls.get("body"), seen)
    sent = {"content-type": "application/json"} if body else {}
    own = dict(_headers(controls.get("headers"), seen))
    fixed = {"idempotency-key": identity, SIGNATURE: signature(body, secrets, now)}
    method = str(controls.get("method") or "POST").upper()
    headers: Headers = tuple({**sent, **own, **fixed}.items())
    return HttpRequest(method, render(str(controls.get("url") or ""), seen).strip(), headers, body)


def signature(body: bytes, secrets: Sequence[str], now: Millis) -> str:
    """The value of the signature's header."""
    signed = f"{now}.".encode() + body
    signatures = (hmac.new(secret.encode(), signed, sha256).hexdigest() for secret in secrets)
    return ",".join([f"t={now}", *(f"v1={value}" for value in signatures)])


def answered(reply: HttpReply) -> Json:
    """What later steps are told of an answer: its body as JSON where it is that."""
    try:
        body = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = reply.body.decode(errors="replace")
    return {"statusCode": reply.status, "body": body, "headers": dict(reply.headers)}


def fault_of(controls: Mapping[str, Any], reply: HttpReply, answer: Json) -> str:
    """Why an answer is a failure, empty where it is none. Takes a while where there is a schema."""
    if not 200 <= reply.status < 300:
        return f"answered with status {reply.status}"
    if len(reply.body) > MOST_KEPT:
        return f"answered with {len(reply.body)} bytes, more than {MOST_KEPT}"
    schema = controls.get("responseBodySchema")
    if not (controls.get("enforceSchemaValidation") and isinstance(schema, dict) and schema):
        return ""
    try:
        issues = validator_of(schema).issues(answer["body"])
    except CheckTooLong as error:
        return f"the answer {error.reason}"
    except PayloadInvalid as error:
        return error.message
    return f"the answer breaks its schema: {issues[0].message}" if issues else ""


def _body(given: Any, seen: Json) -> bytes:
    if isinstance(given, list):
        pairs = {str(item.get("key")): item.get("value") for item in given if isinstance(item, dict)}
        rendered = {name: render(str(value), seen) for name, value in pairs.items()}
        return msgspec.json.encode(rendered)
    return render(given, seen).encode() if isinstance(given, str) else b""


def _headers(given: Any, seen: Json) -> Headers:
    pairs = [item for item in given or () if isinstance(item, dict)]
    return tuple(_header(str(item.get("key") or ""), str(item.get("value") or ""), seen) for item in pairs)


def _header(key: str, value: str, seen: Json) -> tuple[str, str]:
    name, text = render(key, seen).strip().lower(), render(value, seen).strip()
    if not name or not set(name) <= _ALLOWED:
        raise TemplateError(f"{name!r} can't be the name of a header")
    if name in _OURS:
        raise TemplateError(f"the header {name} is set by Clarion: leave it out")
    if not text.isprintable():
        raise TemplateError(f"the header {name} has a line break or a control character in it")
    return name, text
