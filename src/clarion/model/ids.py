"""Ids: 32 hex characters that sort by time, so that an index grows at its end.

The first 12 are milliseconds since 1970, the other 20 are random or derived. A derived id is a
function of its parts: a batch that runs twice names the same things twice.
"""

import re
import secrets
from hashlib import blake2b

from clarion.model.clock import Millis

_TIME_DIGITS = 12
_PLACES = 1 << 40
_ID = re.compile("[0-9a-f]{32}")


def new_id(now: Millis) -> str:
    """A fresh id, unguessable beyond its time."""
    return f"{now:012x}{secrets.token_hex(10)}"


def derived_id(root: str, *parts: str) -> str:
    """The id that `parts` have under `root`; it keeps the root's time."""
    return root[:_TIME_DIGITS] + _digest(10, root, *parts)


def placed_id(root: str, place: int, *parts: str) -> str:
    """A derived id that also sorts by `place` among those of its root.

    A broadcast writes a million rows under one root: in the order of its subscribers they go to the end
    of every index, in the order of a hash each would touch a page of its own.
    """
    return f"{root[:_TIME_DIGITS]}{place % _PLACES:010x}{_digest(5, root, *parts)}"


def is_id(text: str) -> bool:
    """Whether a text has the form of an id."""
    return _ID.fullmatch(text) is not None


def time_of(identity: str) -> Millis:
    """When the id (or the root it was derived from) was made."""
    return int(identity[:_TIME_DIGITS], 16)


def earliest(at: Millis) -> str:
    """What every id made at that time or later sorts behind, and none made before."""
    return f"{max(at, 0):0{_TIME_DIGITS}x}"


def _digest(size: int, *parts: str) -> str:
    return blake2b("\x1f".join(parts).encode(), digest_size=size).hexdigest()
