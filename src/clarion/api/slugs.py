"""Readable names for URLs and identifiers."""

import re
import secrets
import unicodedata

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def slug(name: str) -> str:
    """Lower case, words joined by hyphens; never empty."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or "unnamed"


def short_id(length: int = 9) -> str:
    """A random suffix that keeps identifiers apart."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
