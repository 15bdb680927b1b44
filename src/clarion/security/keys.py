"""Random secrets that open something: they are found by their hash; API keys are kept sealed for display."""

import secrets
from base64 import b64encode
from hashlib import sha256

_PREFIX = "cl_sk_"


def new_key() -> str:
    """A fresh secret key, 256 bits."""
    return _PREFIX + secrets.token_urlsafe(32)


def new_token() -> str:
    """A fresh secret of a session or an invitation, 256 bits."""
    return secrets.token_urlsafe(32)


def new_signing_secret() -> str:
    """A fresh secret that signs webhooks, 256 bits (Standard Webhooks, "Signature scheme")."""
    return "whsec_" + b64encode(secrets.token_bytes(32)).decode()


def fingerprint(key: str) -> str:
    """The hash a key is found by. Keys are random, so a fast hash is as good as a slow one."""
    return sha256(key.encode()).hexdigest()


def masked(key: str) -> str:
    """A key for eyes that may not have it."""
    return key[:4] + "…" + key[-2:] if len(key) > 12 else "…"
