"""Passwords: argon2id, a few at a time, and as slow for somebody unknown as for everybody else."""

import asyncio
import secrets
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

SHORTEST, LONGEST = 12, 256
"""Characters of a password. Length is what makes one hard to guess (NIST SP 800-63B, 3.1.1.2)."""

_AT_ONCE = 2
"""Each takes 64 MiB of memory and a processor for some 50 ms."""


class Passwords:
    """Hashes and verifies beside the event loop, unless told by the parameters of RFC 9106, 4 (second)."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._decoy = ""

    async def hashed(self, password: str) -> str:
        """What is kept of a password."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, _plain(password))

    async def fits(self, password: str, kept: str | None) -> bool:
        """Whether a password is the one that was kept; None, that of nobody, takes as long."""
        if kept is None:
            self._decoy = self._decoy or await self.hashed(secrets.token_urlsafe())
        async with self._turn:
            return await asyncio.to_thread(self._verify, kept or self._decoy, password) and kept is not None

    def outdated(self, kept: str) -> bool:
        """Whether a hash was made with weaker parameters than those of this version."""
        return self._hasher.check_needs_rehash(kept)

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, _plain(password))
        except VerifyMismatchError:
            return False


def fault(password: str) -> str:
    """Why a password can't be one; empty when it can."""
    if len(password) < SHORTEST:
        return f"must have at least {SHORTEST} characters: a few unrelated words are easy to keep in mind"
    return f"must not be longer than {LONGEST} characters" if len(password) > LONGEST else ""


def _plain(password: str) -> str:
    """The same however a keyboard composes it."""
    return normalize("NFKC", password)
