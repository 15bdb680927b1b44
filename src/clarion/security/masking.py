"""Documents for eyes that may not have what is secret in them, or what they say of a person."""

import re
from typing import Any

MASK = "…"
CHANGED = "… (changed)"

_SECRET_NAME = re.compile(
    r"(password|passphrase|secret|secretkey|token|tokens|apikeys?|privatekey|serviceaccount|certificate"
    r"|authorization|cookie|link)$"
)
_SECRET_VALUE = re.compile(r"cl_sk_|whsec_|-----BEGIN ")
_CLOSED = frozenset({"credentials", "headers", "auth", "values"})
"""Objects of which every text may be one, where somebody sends them."""
_NAMES = re.compile(r"(^|_)id$|I[dD]$|[iI]dentifier$|[a-z]At$|[a-z]Key$")
"""What names a thing, or tells when something was done to it."""
_STATES = frozenset({"acknowledged", "key", "level", "platform", "status", "type"})
_FREE = frozenset({"auth", "content", "credentials", "data", "payload", "schedule"})
"""Objects whose names of fields are anybody's, too."""


def masked_document(document: Any, *, sent: bool = False) -> Any:
    """A JSON document without its secrets. What was `sent` by a caller is masked more widely than an answer,
    which holds only what those who read it may see, and secrets that are shown once."""
    if isinstance(document, dict):
        return {name: _masked(name, value, sent) for name, value in document.items()}
    if isinstance(document, list):
        return [masked_document(item, sent=sent) for item in document]
    return MASK if isinstance(document, str) and _SECRET_VALUE.match(document) else document


def _masked(name: str, value: Any, sent: bool) -> Any:
    plain = name.lower().replace("_", "").replace("-", "")
    if _SECRET_NAME.search(plain) or (sent and plain in _CLOSED):
        return _blank(value)
    return masked_document(value, sent=sent)


def _blank(value: Any) -> Any:
    """The same shape with every text and number masked."""
    if isinstance(value, dict):
        return {name: _blank(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_blank(item) for item in value]
    return value if value is None or isinstance(value, bool) or value == "" else MASK


def depersonalised(document: Any, before: Any) -> Any:
    """A JSON document about a person without what it says of them: names of things, moments and states stay;
    of all else only whether it is there, and whether it is another than `before`."""
    return _covered(document, before, open_names=True)


def _covered(value: Any, before: Any, *, open_names: bool) -> Any:
    if isinstance(value, dict):
        was = before if isinstance(before, dict) else {}
        return {name: _field(name, inner, was.get(name), open_names) for name, inner in value.items()}
    if isinstance(value, list):
        had = before if isinstance(before, list) else []
        before_each = [*had, *[None] * len(value)]
        return [
            _covered(inner, was, open_names=open_names)
            for inner, was in zip(value, before_each, strict=False)
        ]
    if value is None or value == "":
        return value
    return MASK if before is None or before == value else CHANGED


def _field(name: str, value: Any, before: Any, open_names: bool) -> Any:
    told = open_names and (name in _STATES or _NAMES.search(name))
    if told and not isinstance(value, dict | list):
        return masked_document(value)
    return _covered(value, before, open_names=open_names and name not in _FREE)
