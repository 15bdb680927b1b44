"""Ids: 32 hex characters that sort by time, so that an index grows at its end.

The first 12 are milliseconds since 1970, the other 20 are random or derived. A derived id is a
function of its parts: a batch that runs twice names the same things twice.
"""

import secrets
from hashlib import blake2b

from clarion.model.clock import Millis

_TIME_DIGITS = 12


def new_id(now: Millis) -> str:
    """A fresh id, unguessable beyond its time."""
    return f"{now:012x}{secrets.token_hex(10)}"


def derived_id(root: str, *parts: str) -> str:
    """The id that `parts` have under `root`; it keeps the root's time."""
    digest = blake2b("\x1f".join((root, *parts)).encode(), digest_size=10)
    return root[:_TIME_DIGITS] + digest.hexdigest()


def time_of(identity: str) -> Millis:
    """When the id (or the root it was derived from) was made."""
    return int(identity[:_TIME_DIGITS], 16)
