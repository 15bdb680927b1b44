"""People who look after an installation: what they may do, and where they signed in."""

import re
from enum import Enum

import msgspec

from clarion.model.clock import Millis

MOST_EMAIL = 254
MOST_NAME = 100
_EMAIL = re.compile(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+")


class Role(Enum):
    """What a member may do; each role includes those before it."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"
    OWNER = "owner"

    def covers(self, least: "Role") -> bool:
        """Whether it may do what wants at least that role."""
        return _RANK[self] >= _RANK[least]


_RANK = {role: rank for rank, role in enumerate(Role)}


class Member(msgspec.Struct, frozen=True):
    """Somebody with an account; `email` is in lower case and nobody else's."""

    id: str
    email: str
    name: str
    role: Role
    created_at: Millis


class Session(msgspec.Struct, frozen=True):
    """A browser that a member signed in with, until `expires_at` or until it was idle for too long.

    `environment_id` is the environment chosen in it, empty where none was.
    """

    id: str
    member_id: str
    environment_id: str
    created_at: Millis
    last_seen_at: Millis
    expires_at: Millis
    user_agent: str
    address: str


class Invitation(msgspec.Struct, frozen=True):
    """A role that waits for somebody until `expires_at`; `invited_by` is who offers it, in words."""

    id: str
    email: str
    role: Role
    invited_by: str
    created_at: Millis
    expires_at: Millis


def normal_email(text: str) -> str | None:
    """An e-mail address as it is compared; None for what is none."""
    found = text.strip().lower()
    return found if len(found) <= MOST_EMAIL and _EMAIL.fullmatch(found) else None
