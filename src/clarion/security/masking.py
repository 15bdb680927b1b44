"""Documents for eyes that may not have what is secret in them."""

import re
from typing import Any

MASK = "…"

_SECRET_NAME = re.compile(
    r"(password|passphrase|secret|secretkey|token|tokens|apikeys?|privatekey|serviceaccount|certificate"
    r"|authorization|cookie|link)$"
)
_SECRET_VALUE = re.compile(r"cl_sk_|whsec_|-----BEGIN ")
_CLOSED = frozenset({"credentials", "headers", "auth", "values"})
"""Objects of which every text may be one, where somebody sends them."""


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
